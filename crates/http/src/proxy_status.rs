//! What an answer of a proxy's own says of how it came about, for programs (RFC 9209).

use http::{HeaderName, HeaderValue};

/// The field.
pub(crate) const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// How many characters of details are told.
const DETAILS_MAX: usize = 256;

/// What the proxy that is called `name` says: the type of the `error` (RFC 9209 §2.3), and `details`,
/// if there are any. What is no visible ASCII is told as `?` (RFC 9651 §3.3.3).
pub(crate) fn proxy_status(name: &str, error: &str, details: Option<&str>) -> HeaderValue {
    let mut told = String::with_capacity(64);
    print(name, &mut told);
    told.push_str("; error=");
    told.push_str(error);
    if let Some(details) = details {
        told.push_str("; details=");
        print(details, &mut told);
    }
    HeaderValue::try_from(told).expect("a string and a token are of visible letters")
}

/// Appends a string.
fn print(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars().take(DETAILS_MAX) {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            ' '..='~' => out.push(letter),
            _ => out.push('?'),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_names_who_says_it_and_what_went_wrong() {
        let check = |name: &str, details: Option<&str>, expect: &str| {
            assert_eq!(proxy_status(name, "dns_error", details), expect);
        };
        check("here", None, "\"here\"; error=dns_error");
        check("a b", Some("c"), "\"a b\"; error=dns_error; details=\"c\"");
        let details = Some("\"a\\\u{e9}\r\nb");
        check("here", details, "\"here\"; error=dns_error; details=\"\\\"a\\\\???b\"");
        let long = "a".repeat(1000);
        assert!(proxy_status("here", "dns_error", Some(&long)).len() < 400);
    }
}
