//! Whom a request is for: `Host`, as it is sent on.

use http::{HeaderValue, header::HOST, request};
use relais_wire::host::{BadHost, parse_host, usual_port};

/// Sets `Host` to what the target names, or else to what it says already, in the one spelling of all
/// that mean it. `spoken` is the scheme of a target that has none.
///
/// The target's host goes before the field's (RFC 9112 §3.2.2); over HTTP/2 it alone is there. In one
/// spelling, because a cache before us keeps answers under that: one who asks for `h:00080` would
/// otherwise choose what those are told who ask for `h`.
///
/// # Errors
///
/// [`BadHost`] if the target names none.
pub(crate) fn name_host(head: &mut request::Parts, spoken: &str) -> Result<(), BadHost> {
    let named = match (head.uri.authority(), head.headers.get(HOST)) {
        (Some(authority), _) => parse_host(authority.as_str().as_bytes())?,
        (None, Some(said)) if is_plain(said, spoken) => return Ok(()),
        (None, Some(said)) => match parse_host(said.as_bytes()) {
            Ok(named) => named,
            // An empty one, which a request may have.
            Err(_) => return Ok(()),
        },
        (None, None) => return Ok(()),
    };
    let scheme = head.uri.scheme_str().unwrap_or(spoken);
    let mut text = String::with_capacity(named.name.len() + ":65535".len());
    named.print(usual_port(scheme.as_bytes()), &mut text);
    let host = HeaderValue::try_from(text).expect("what hosts are made of is visible");
    head.headers.insert(HOST, host);
    Ok(())
}

/// Whether `said`, which was let in as a host, is in its one spelling already: most are, and so need
/// not be printed anew.
fn is_plain(said: &HeaderValue, scheme: &str) -> bool {
    let said = said.as_bytes();
    let (name, port) = match said.iter().position(|&byte| byte == b':') {
        Some(colon) => (&said[..colon], Some(&said[colon + 1..])),
        None => (said, None),
    };
    let is_plain_port = |port: &[u8]| {
        let number = std::str::from_utf8(port).ok().and_then(|port| port.parse::<u16>().ok());
        port[..1] != *b"0" && number.is_some() && number != usual_port(scheme.as_bytes())
    };
    // An address of IPv6 has more than one.
    !name.iter().any(u8::is_ascii_uppercase)
        && port
            .is_none_or(|port| port.first().is_some_and(u8::is_ascii_digit) && is_plain_port(port))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_host_is_sent_in_one_spelling() {
        for host in ["h.example", "H.EXAMPLE", "h.example:80", "h.example:", "h.example:00080"] {
            check("/", host, Ok("h.example"));
            check(&format!("http://{host}/"), "other", Ok("h.example"));
        }
        check("/", "h.example:081", Ok("h.example:81"));
        check("/", "h.example:443", Ok("h.example:443"));
        check("https://h.example:443/", "x", Ok("h.example"));
        check("https://h.example:80/", "x", Ok("h.example:80"));
        check("/", "[::A]:80", Ok("[::a]"));
        check("/", "h.example.", Ok("h.example."));
        check("/", "", Ok(""));
    }

    #[test]
    fn a_target_with_a_user_names_no_host() {
        check("http://u:p@h.example/", "h.example", Err(BadHost::Port));
    }

    #[track_caller]
    fn check(target: &str, host: &str, expect: Result<&str, BadHost>) {
        let request = Request::get(target).header(HOST, host).body(()).unwrap();
        let (mut head, ()) = request.into_parts();
        let named = name_host(&mut head, "http");
        let said = named.map(|()| head.headers[HOST].to_str().unwrap());
        assert_eq!(said, expect, "for {target} and {host}");
    }
}
