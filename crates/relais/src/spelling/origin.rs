//! How the origin of a page is spelled, as browsers send it.

use relais_wire::host::{parse_host, usual_port};

use crate::complaint::Wrong;

/// What is wrong with `text` as the origin of a page, or as `*` for any or `null` for none.
pub(crate) fn strange_origin(text: &str) -> Option<Wrong> {
    if text == "*" || text == "null" || is_origin(text) {
        return None;
    }
    let what = format!("no origin of a page: {text:?}");
    let expected = "a scheme, a host and perhaps a port, e.g. \"http://a.example:8080\", or \"*\"";
    Some(Wrong::expected(what, expected))
}

/// Whether `text` is a scheme and a host, and perhaps a port that is not the usual one.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let host = parse_host(host.as_bytes());
    let usual = usual_port(scheme.as_bytes());
    is_scheme && host.is_ok_and(|host| host.port.is_none_or(|port| Some(port) != usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_as_browsers_send_it() {
        for text in ["http://a.example", "https://a.example:8443", "*", "null", "http://[::1]:80a"]
        {
            let expect = !text.ends_with('a');
            assert_eq!(strange_origin(text).is_none(), expect, "{text}");
        }
        for text in ["", "a.example", "http://", "https://a.example:443", "http://a.example/"] {
            let what = strange_origin(text).unwrap().what;
            assert_eq!(what, format!("no origin of a page: {text:?}"));
        }
    }
}
