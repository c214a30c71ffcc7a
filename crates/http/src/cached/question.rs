//! A request, as the cache looks at it, and as it is asked again.

use std::{fmt::Write as _, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version, header::HOST};
use http_body::Body as _;
use relais_cache::{Asked, Content, Key};

use crate::{
    Ask, Caller, Inbound, Trust,
    target::{authority, path_and_query, scheme, spoken},
};

/// A request as it came, kept beside the one that is passed on: its answer is judged by it, and it
/// may have to be asked again.
#[derive(Debug)]
pub(super) struct Question {
    method: Method,
    uri: Uri,
    version: Version,
    /// Empty if no rule looks at them.
    headers: HeaderMap,
    content: Content,
    caller: Arc<Caller>,
}

impl Question {
    /// What `ask` asks.
    ///
    /// *Cost*: a copy of the map of fields, whose values are shared, for a safe method.
    pub(super) fn of(ask: &Ask) -> Self {
        let Ask { request, caller } = ask;
        let method = request.method().clone();
        let headers = if method.is_safe() { request.headers().clone() } else { HeaderMap::new() };
        Self {
            method,
            uri: request.uri().clone(),
            version: request.version(),
            headers,
            content: content(ask),
            caller: Arc::clone(caller),
        }
    }

    /// The same, as the rules look at it.
    pub(super) fn asked(&self) -> Asked<'_> {
        let mut asked = Asked::of(&self.method, &self.headers);
        asked.content = self.content;
        asked
    }

    /// The same, asked again. Only what has no body can be.
    pub(super) fn ask(&self) -> Ask {
        let mut request = Request::new(Inbound::Full(Bytes::new()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers.clone();
        Ask { request, caller: Arc::clone(&self.caller) }
    }
}

/// `ask`, as the rules look at it.
pub(super) fn asked(ask: &Ask) -> Asked<'_> {
    let mut asked = Asked::of(ask.request.method(), ask.request.headers());
    asked.content = content(ask);
    asked
}

/// Whether a body comes with `ask`, whatever its fields say: over HTTP/2 they may say nothing.
fn content(ask: &Ask) -> Content {
    if ask.request.body().is_end_stream() { Content::None } else { Content::Some }
}

/// Under what the answer to `ask` is stored: its target if that names a host (RFC 9112 §3.2), else
/// its `Host` over what is spoken on its connection; and apart by what upstream is told of the way
/// before, as far as it is believed by `trust`. `None` for a tunnel, and where no host is named.
pub(super) fn key(ask: &Ask, trust: &Trust) -> Option<Key> {
    let Ask { request, caller } = ask;
    if *request.method() == Method::CONNECT {
        return None;
    }
    let (uri, headers) = (request.uri(), request.headers());
    let authority = authority(uri, headers)?;
    let key = Key::of(scheme(uri, caller), authority, path_and_query(uri)).ok()?;
    let by = told_besides(ask, trust);
    Some(if by.is_empty() { key } else { key.apart(&by) })
}

/// What upstream is told of the host that was asked for and of what was spoken, where that is not
/// what is in the key already. A client can say it through a balancer that lets it: so nobody else
/// is to get what was answered to it.
///
/// *Shape*: lines, which no value of a field has in it.
fn told_besides(Ask { request, caller }: &Ask, trust: &Trust) -> String {
    let (uri, headers) = (request.uri(), request.headers());
    let word = trust.word(headers, caller);
    let mut by = String::new();
    let mut tell = |name, told: &[u8]| {
        _ = write!(by, "\n{name}: {}", told.escape_ascii());
    };
    let proto =
        word.and_then(|word| word.proto).map_or(spoken(caller).as_bytes(), HeaderValue::as_bytes);
    if !proto.eq_ignore_ascii_case(scheme(uri, caller).as_bytes()) {
        tell("proto", proto);
    }
    let Some(word) = word else { return by };
    let asked = uri.authority().map(http::uri::Authority::as_str).map(str::as_bytes);
    let asked = asked.or_else(|| Some(headers.get(HOST)?.as_bytes()));
    if let Some(host) = word.host.map(HeaderValue::as_bytes).filter(|host| Some(*host) != asked) {
        tell("host", host);
    }
    let forwarded = word.forwarded_but_nodes();
    if !forwarded.is_empty() {
        tell("forwarded", &forwarded);
    }
    by
}

#[cfg(test)]
mod tests {
    use relais_net::Peer;

    use super::*;
    use crate::says;

    #[test]
    fn an_answer_is_stored_under_what_was_asked_for() {
        check("/a?b", &[("host", "H")], Some("http://h/a?b"));
        check("/", &[("host", "h:81")], Some("http://h:81/"));
        check("/", &[("host", "h:80")], Some("http://h/"));
        check("http://h/a", &[("host", "other")], Some("http://h/a"));
        check("http://u:p@h/", &[], Some("http://h/"));
        check("/%61/../b//c?", &[("host", "h")], Some("http://h/%61/../b//c?"));
        check("/", &[], None);
        check("/", &[("host", "a b")], None);
    }

    #[test]
    fn a_tunnel_is_stored_under_nothing() {
        let mut ask = says::ask(Peer::Local, "h:443", &[("host", "h:443")]);
        *ask.request.method_mut() = Method::CONNECT;
        assert_eq!(key(&ask, &Trust::default()), None);
    }

    /// What is told upstream in the end is in the key: else one client's would be everybody's.
    #[test]
    fn what_is_believed_of_the_way_before_keeps_answers_apart() {
        apart(&[("x-forwarded-host", "evil")], "\nhost: evil");
        apart(&[("x-forwarded-host", "evil"), ("x-forwarded-host", "h")], "\nhost: evil");
        apart(&[("x-forwarded-host", "a\\b\"")], "\nhost: a\\\\b\\\"");
        apart(&[("x-forwarded-proto", "https")], "\nproto: https");
        apart(&[("forwarded", "for=192.0.2.1;host=evil")], "\nforwarded: ,;host=evil");
        let both = [("forwarded", "for=192.0.2.1"), ("forwarded", "proto=https")];
        apart(&both, "\nforwarded: ,,;proto=https");
        let all =
            [("x-forwarded-proto", "https"), ("x-forwarded-host", "b"), ("forwarded", "host=c")];
        apart(&all, "\nproto: https\nhost: b\nforwarded: ,;host=c");
    }

    #[test]
    fn what_says_nothing_new_keeps_nothing_apart() {
        apart(&[], "");
        apart(&[("x-forwarded-host", "h"), ("x-forwarded-proto", "http")], "");
        apart(&[("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")], "");
    }

    #[track_caller]
    fn apart(said: &[(&str, &str)], expect: &str) {
        let trust = ["10.0.0.0/8".parse().unwrap()].into_iter().collect();
        let by = |peer: &str| {
            let peer = Peer::Net(peer.parse().unwrap());
            let ask = says::ask(peer, "/a", &[&[("host", "h")], said].concat());
            key(&ask, &trust).unwrap().apart_by().to_owned()
        };
        assert_eq!(by("10.0.0.1:1"), expect, "for {said:?}");
        assert_eq!(by("192.0.2.1:1"), "", "a stranger, for {said:?}");
    }

    #[test]
    fn a_target_of_another_scheme_than_is_spoken_is_apart() {
        let ask = says::ask(Peer::Local, "https://h/", &[]);
        let key = key(&ask, &Trust::default()).unwrap();
        assert_eq!((key.as_str(), key.apart_by()), ("https://h/", "\nproto: http"));
    }

    #[test]
    fn a_body_that_no_field_tells_of_is_seen() {
        let mut ask = says::ask(Peer::Local, "/", &[("host", "h")]);
        assert_eq!(asked(&ask).content, Content::None);
        *ask.request.body_mut() = Inbound::Full("fat".into());
        assert_eq!((asked(&ask).content, Question::of(&ask).asked().content), {
            (Content::Some, Content::Some)
        });
    }

    #[track_caller]
    fn check(target: &str, headers: &[(&str, &str)], expect: Option<&str>) {
        let ask = says::ask(Peer::Local, target, headers);
        let key = key(&ask, &Trust::default());
        assert_eq!(key.as_ref().map(Key::as_str), expect, "for {target}");
        assert_eq!(key.map_or(String::new(), |key| key.apart_by().to_owned()), "");
    }
}
