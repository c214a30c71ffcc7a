//! Fields that say which way a message came: `Via` (RFC 9110 §7.6.3), `Forwarded` (RFC 7239), and
//! the `X-Forwarded-*` that came before it.

use std::net::IpAddr;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, Version,
    header::{FORWARDED, HOST, VIA},
    request,
};
use relais_net::Network;

use crate::{Body, Caller};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST_ASKED: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What is said of the way.
#[derive(Debug)]
pub(super) struct Way {
    /// Our name in `Via`.
    name: String,
    /// `1.1 name`, and the same for other versions.
    via: [HeaderValue; 3],
    /// Whose word on the way before counts.
    trusted: Vec<Network>,
}

impl Way {
    pub(super) fn new(name: &str, trusted: Vec<Network>) -> Self {
        let via = ["1.0", "1.1", "2.0"].map(|version| {
            HeaderValue::try_from(format!("{version} {name}")).expect("a name of visible letters")
        });
        Self { name: name.to_owned(), via, trusted }
    }

    /// Whether a request with these fields was here before.
    pub(super) fn is_loop(&self, headers: &HeaderMap) -> bool {
        let values = headers.get_all(VIA).into_iter().map(HeaderValue::as_bytes);
        let mut hops = values.flat_map(|value| value.split(|&byte| byte == b','));
        hops.any(|hop| {
            let mut words = hop.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            words.nth(1).is_some_and(|by| by.eq_ignore_ascii_case(self.name.as_bytes()))
        })
    }

    /// Notes in a request that it came by here, and whom from. What strangers say of that is not
    /// passed on; what is said by those whom we trust is kept, and we are added.
    pub(super) fn note_request(&self, head: &mut request::Parts, caller: &Caller) {
        let asked = head.uri.authority().map(|authority| HeaderValue::from_str(authority.as_str()));
        let asked = asked.and_then(Result::ok).or_else(|| head.headers.get(HOST).cloned());
        let scheme = if caller.tls.is_some() { "https" } else { "http" };
        let ip = caller.peer.ip();
        let headers = &mut head.headers;
        headers.append(VIA, self.via(head.version).clone());
        if !self.trusts(ip) {
            for name in [FORWARDED, FOR, HOST_ASKED, PROTO] {
                headers.remove(name);
            }
        }
        if !headers.contains_key(PROTO) {
            headers.insert(PROTO, HeaderValue::from_static(scheme));
        }
        append(headers, &FORWARDED, forwarded(ip, asked.as_ref(), scheme));
        if let Some(ip) = ip {
            append(headers, &FOR, HeaderValue::try_from(ip.to_string()).ok());
        }
        if let (Some(host), false) = (asked, headers.contains_key(HOST_ASKED)) {
            headers.insert(HOST_ASKED, host);
        }
    }

    fn trusts(&self, ip: Option<IpAddr>) -> bool {
        ip.is_some_and(|ip| self.trusted.iter().any(|network| network.contains(ip)))
    }

    /// Notes in an answer that it came by here.
    pub(super) fn note_answer(&self, answer: &mut Response<Body>) {
        let via = self.via(answer.version()).clone();
        answer.headers_mut().append(VIA, via);
    }

    fn via(&self, version: Version) -> &HeaderValue {
        match version {
            Version::HTTP_10 => &self.via[0],
            Version::HTTP_2 => &self.via[2],
            _ => &self.via[1],
        }
    }
}

/// Adds a member to a list, which is one line afterwards.
fn append(headers: &mut HeaderMap, name: &HeaderName, member: Option<HeaderValue>) {
    let Some(member) = member else { return };
    let lines = headers.get_all(name).into_iter().chain([&member]);
    let list = lines.map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b", "[..]);
    if let Ok(list) = HeaderValue::from_maybe_shared(Bytes::from(list)) {
        headers.insert(name, list);
    }
}

fn forwarded(ip: Option<IpAddr>, host: Option<&HeaderValue>, scheme: &str) -> Option<HeaderValue> {
    let client = match ip {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => format!("\"[{ip}]\""),
        None => "unknown".to_owned(),
    };
    let mut text = format!("for={client};proto={scheme}");
    if let Some(host) = host.and_then(|host| host.to_str().ok()) {
        // No host that was let in has a quote.
        text.push_str(";host=\"");
        text.push_str(host);
        text.push('"');
    }
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_here_before_is_found() {
        let way = Way::new("relais-a1", Vec::new());
        let check = |via: &str, expect| {
            let mut headers = HeaderMap::new();
            headers.append(VIA, via.parse().unwrap());
            assert_eq!(way.is_loop(&headers), expect, "{via:?}");
        };
        check("1.1 relais-a1", true);
        check("1.0 other, HTTP/1.1  Relais-A1 (x)", true);
        check("1.1 relais-a2, 2.0 relais", false);
        check("relais-a1", false);
    }

    #[test]
    fn the_word_of_strangers_is_dropped_and_that_of_the_trusted_kept() {
        let check = |peer: &str, expect: [&str; 4]| {
            let way = Way::new("relais", vec!["10.0.0.0/8".parse().unwrap()]);
            let (mut head, ()) = http::Request::get("/")
                .header(HOST, "a.example")
                .header(FOR, "192.0.2.1")
                .header(FOR, "192.0.2.2")
                .header(PROTO, "https")
                .header(HOST_ASKED, "b.example")
                .header(FORWARDED, "for=192.0.2.1")
                .body(())
                .unwrap()
                .into_parts();
            let peer = relais_net::Peer::Net(format!("{peer}:1").parse().unwrap());
            let local = std::sync::Arc::new("http://127.0.0.1:80".parse().unwrap());
            way.note_request(&mut head, &Caller { peer, local, tls: None });
            let said = [FOR, PROTO, HOST_ASKED, FORWARDED].map(|name| {
                assert_eq!(head.headers.get_all(&name).iter().count(), 1);
                head.headers[name].to_str().unwrap().to_owned()
            });
            assert_eq!(said, expect);
        };
        let forwarded = "for=192.0.2.9;proto=http;host=\"a.example\"";
        check("192.0.2.9", ["192.0.2.9", "http", "a.example", forwarded]);
        let forwarded = "for=192.0.2.1, for=10.0.0.1;proto=http;host=\"a.example\"";
        check("10.0.0.1", ["192.0.2.1, 192.0.2.2, 10.0.0.1", "https", "b.example", forwarded]);
    }

    #[test]
    fn a_forwarded_element_is_quoted_where_it_has_to_be() {
        let host = HeaderValue::from_static("a:80");
        let check = |ip: Option<&str>, host, expect: &str| {
            let ip = ip.map(|ip| ip.parse().unwrap());
            assert_eq!(forwarded(ip, host, "http").unwrap(), expect);
        };
        check(Some("192.0.2.1"), Some(&host), "for=192.0.2.1;proto=http;host=\"a:80\"");
        check(Some("2001:db8::1"), None, "for=\"[2001:db8::1]\";proto=http");
        check(None, None, "for=unknown;proto=http");
    }
}
