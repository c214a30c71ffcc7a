//! Fields that say which way a message came: `Via` (RFC 9110 §7.6.3), `Forwarded` (RFC 7239), and
//! the `X-Forwarded-*` that came before it.

use std::{io::Write as _, net::IpAddr, sync::Arc};

use http::{
    HeaderMap, HeaderName, HeaderValue, Version,
    header::{FORWARDED, HOST, VIA},
    request,
};

use super::{edits::Edits, hops};
use crate::{
    Answer, Caller, Trust,
    target::spoken,
    trust::{FOR, HOST_ASKED, NAMES, PROTO, Word, says_something},
    upstream::{Reply, drop_empty_lists, trimmed},
};

/// What is said of the way.
#[derive(Debug)]
pub(crate) struct Way {
    /// Our name in `Via`.
    name: String,
    /// `1.1 name`, and the same for other versions.
    via: [HeaderValue; 3],
    /// Whose word on the way before counts.
    trust: Trust,
}

/// What was said of the way before, by one whom we trust: what outlives its fields.
#[derive(Debug, Default)]
struct Said {
    forwarded: Vec<HeaderValue>,
    forwarded_for: Vec<HeaderValue>,
    host: Option<HeaderValue>,
    proto: Option<HeaderValue>,
}

impl Way {
    pub(crate) fn new(name: &str, trust: Trust) -> Self {
        let via = ["1.0", "1.1", "2.0"].map(|version| {
            HeaderValue::try_from(format!("{version} {name}")).expect("a name of visible letters")
        });
        Self { name: name.to_owned(), via, trust }
    }

    /// Whether it is said by a field called `name`.
    pub(super) fn is_said_by(name: &HeaderName) -> bool {
        *name == VIA || NAMES.contains(name)
    }

    /// Whether a request with these fields was here before.
    pub(crate) fn is_loop(&self, headers: &HeaderMap) -> bool {
        let values = headers.get_all(VIA).into_iter().map(HeaderValue::as_bytes);
        let mut hops = values.flat_map(|value| value.split(|&byte| byte == b','));
        hops.any(|hop| {
            let mut words = hop.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            words.nth(1).is_some_and(|by| by.eq_ignore_ascii_case(self.name.as_bytes()))
        })
    }

    /// Prints lines that say of a request that it came by here, and whom from; takes what was said
    /// of that before off its fields. What strangers say is not passed on; what is said by those
    /// whom we trust is, and we are added.
    pub(super) fn print_trail(
        &self,
        head: &mut request::Parts,
        caller: &Caller,
        out: &mut Vec<u8>,
    ) {
        let scheme = spoken(caller);
        let ip = caller.peer.ip();
        let said = self.trust.word(&head.headers, caller).map(Said::of).unwrap_or_default();
        forget(&mut head.headers);
        drop_empty_lists(&mut head.headers, &VIA);
        let host = head.headers.get(HOST).map(HeaderValue::as_bytes);
        line(out, &VIA, self.via(head.version).as_bytes());
        let proto = said.proto.as_ref().map_or(scheme.as_bytes(), HeaderValue::as_bytes);
        line(out, &PROTO, proto);
        if let Some(host) = said.host.as_ref().map(HeaderValue::as_bytes).or(host) {
            line(out, &HOST_ASKED, host);
        }
        begin(out, &FORWARDED, &said.forwarded);
        print_forwarded(out, ip, host, scheme);
        end(out);
        if let Some(ip) = ip {
            begin(out, &FOR, &said.forwarded_for);
            print_ip(out, ip);
            end(out);
        }
    }

    /// Prints the line that says of a request that it came by here, and takes all that was said of
    /// whom from off its fields: neither we tell, nor those before us.
    pub(crate) fn print_via(&self, head: &mut request::Parts, out: &mut Vec<u8>) {
        forget(&mut head.headers);
        drop_empty_lists(&mut head.headers, &VIA);
        line(out, &VIA, self.via(head.version).as_bytes());
    }

    /// Makes of an upstream's reply the answer that is passed back, changed as `edits` say.
    pub(crate) fn pass_back(&self, reply: Reply, edits: &Edits) -> Answer {
        let Reply { mut response, upstream, connect } = reply;
        response.body_mut().add_provenance(|provenance| {
            provenance.upstream = Some(Arc::clone(upstream.name()));
            provenance.connect = connect;
        });
        hops::renew_answer(&mut response);
        let via = self.via(response.version()).clone();
        drop_empty_lists(response.headers_mut(), &VIA);
        response.headers_mut().append(VIA, via);
        edits.apply(response.headers_mut());
        // What is spoken with the client is the connection's to say.
        *response.version_mut() = Version::HTTP_11;
        response
    }

    pub(super) fn via(&self, version: Version) -> &HeaderValue {
        match version {
            Version::HTTP_10 => &self.via[0],
            Version::HTTP_2 => &self.via[2],
            _ => &self.via[1],
        }
    }
}

impl Said {
    fn of(word: Word<'_>) -> Self {
        Self {
            forwarded: word.forwarded().cloned().collect(),
            forwarded_for: word.forwarded_for().cloned().collect(),
            host: word.host.filter(|host| !host.is_empty()).cloned(),
            proto: word.proto.filter(|proto| !proto.is_empty()).cloned(),
        }
    }
}

/// Takes off `headers` what was said of the way before.
fn forget(headers: &mut HeaderMap) {
    if says_something(headers) {
        for name in NAMES {
            headers.remove(name);
        }
    }
}

/// Appends a line.
fn line(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    begin(out, name, &[]);
    out.extend_from_slice(value);
    end(out);
}

/// Appends a line up to the last member of its list.
fn begin(out: &mut Vec<u8>, name: &HeaderName, before: &[HeaderValue]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    let lists = before.iter().map(|list| trimmed(list.as_bytes()));
    for list in lists.filter(|list| !list.is_empty()) {
        out.extend_from_slice(list);
        out.extend_from_slice(b", ");
    }
}

fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

/// Appends an element of `Forwarded`.
fn print_forwarded(out: &mut Vec<u8>, ip: Option<IpAddr>, host: Option<&[u8]>, scheme: &str) {
    match ip {
        Some(ip @ IpAddr::V4(_)) => {
            out.extend_from_slice(b"for=");
            print_ip(out, ip);
        }
        Some(ip @ IpAddr::V6(_)) => {
            out.extend_from_slice(b"for=\"[");
            print_ip(out, ip);
            out.extend_from_slice(b"]\"");
        }
        None => out.extend_from_slice(b"for=unknown"),
    }
    out.extend_from_slice(b";proto=");
    out.extend_from_slice(scheme.as_bytes());
    if let Some(host) = host {
        // No host that was let in has a quote.
        out.extend_from_slice(b";host=\"");
        out.extend_from_slice(host);
        out.push(b'"');
    }
}

/// Appends `ip`. The most usual kind without the machinery for formatting, which costs each request
/// 700 instructions.
fn print_ip(out: &mut Vec<u8>, ip: IpAddr) {
    let ip = match ip {
        IpAddr::V4(ip) => ip,
        IpAddr::V6(ip) => {
            _ = write!(out, "{ip}");
            return;
        }
    };
    let (mut text, mut len) = ([b'.'; IPV4_BYTES_MAX], 0);
    for (place, octet) in ip.octets().into_iter().enumerate() {
        // What is passed over is a dot already.
        len += usize::from(place > 0);
        for divisor in [100, 10, 1] {
            if octet >= divisor || divisor == 1 {
                text[len] = b'0' + octet / divisor % 10;
                len += 1;
            }
        }
    }
    out.extend_from_slice(&text[..len]);
}

/// `255.255.255.255`.
const IPV4_BYTES_MAX: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_printed_as_always() {
        for ip in ["0.0.0.0", "9.10.99.100", "127.0.0.1", "255.254.200.199", "101.20.5.255", "::1"]
        {
            let mut out = Vec::new();
            print_ip(&mut out, ip.parse().unwrap());
            assert_eq!(String::from_utf8(out).unwrap(), ip);
        }
    }

    #[test]
    fn who_was_here_before_is_found() {
        let way = Way::new("relais-a1", Trust::default());
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
            let way = Way::new("relais", ["10.0.0.0/8".parse().unwrap()].into_iter().collect());
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
            let local = Arc::new("http://127.0.0.1:80".parse().unwrap());
            let mut trail = Vec::new();
            way.print_trail(&mut head, &Caller { peer, local, tls: None }, &mut trail);
            let [for_, proto, host, forwarded] = expect;
            let expect = format!(
                "via: 1.1 relais\r\nx-forwarded-proto: {proto}\r\nx-forwarded-host: {host}\r\n\
                 forwarded: {forwarded}\r\nx-forwarded-for: {for_}\r\n"
            );
            assert_eq!(String::from_utf8(trail).unwrap(), expect);
            assert_eq!(head.headers.len(), 1);
        };
        let forwarded = "for=192.0.2.9;proto=http;host=\"a.example\"";
        check("192.0.2.9", ["192.0.2.9", "http", "a.example", forwarded]);
        let forwarded = "for=192.0.2.1, for=10.0.0.1;proto=http;host=\"a.example\"";
        check("10.0.0.1", ["192.0.2.1, 192.0.2.2, 10.0.0.1", "https", "b.example", forwarded]);
    }

    #[test]
    fn what_says_nothing_is_no_member_of_what_is_sent() {
        let way = Way::new("relais", ["10.0.0.0/8".parse().unwrap()].into_iter().collect());
        let (mut head, ()) = http::Request::get("/")
            .header(VIA, "")
            .header(FOR, "")
            .header(FOR, ", 192.0.2.2,")
            .header(PROTO, "")
            .header(HOST_ASKED, "")
            .header(FORWARDED, " , ")
            .body(())
            .unwrap()
            .into_parts();
        let peer = relais_net::Peer::Net("10.0.0.1:1".parse().unwrap());
        let local = Arc::new("http://127.0.0.1:80".parse().unwrap());
        let mut trail = Vec::new();
        way.print_trail(&mut head, &Caller { peer, local, tls: None }, &mut trail);
        let expect = "via: 1.1 relais\r\nx-forwarded-proto: http\r\n\
                      forwarded: for=10.0.0.1;proto=http\r\nx-forwarded-for: 192.0.2.2, 10.0.0.1\r\n";
        assert_eq!(String::from_utf8(trail).unwrap(), expect);
        assert!(head.headers.is_empty(), "{:?}", head.headers);
    }

    #[test]
    fn a_forwarded_element_is_quoted_where_it_has_to_be() {
        let host = HeaderValue::from_static("a:80");
        let check = |ip: Option<&str>, host: Option<&HeaderValue>, expect: &str| {
            let ip = ip.map(|ip| ip.parse().unwrap());
            let mut out = Vec::new();
            print_forwarded(&mut out, ip, host.map(HeaderValue::as_bytes), "http");
            assert_eq!(String::from_utf8(out).unwrap(), expect);
        };
        check(Some("192.0.2.1"), Some(&host), "for=192.0.2.1;proto=http;host=\"a:80\"");
        check(Some("2001:db8::1"), None, "for=\"[2001:db8::1]\";proto=http");
        check(None, None, "for=unknown;proto=http");
    }
}
