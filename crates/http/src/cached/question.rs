//! A request, as the cache looks at it, and as it is asked again.

use std::{cell::OnceCell, fmt::Write as _, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use http_body::Body as _;
use relais_cache::{self as cache, Content, Key, Sent, Settings};
use relais_net::Client;

use crate::{
    Ask, Caller, Inbound, Trust,
    ambiguous::is_ambiguous,
    proxy::Onward,
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
    /// Who asks.
    pub(super) fn client(&self) -> Client {
        self.caller.peer.client()
    }

    /// What `ask` asks.
    ///
    /// *Cost*: a copy of the map of fields, whose values are shared, for a safe method and for POST.
    pub(super) fn of(ask: &Ask) -> Self {
        let Ask { request, caller, .. } = ask;
        let method = request.method().clone();
        let may_be_stored = method.is_safe() || method == Method::POST;
        let headers = if may_be_stored { request.headers().clone() } else { HeaderMap::new() };
        Self {
            method,
            uri: request.uri().clone(),
            version: request.version(),
            headers,
            content: content(ask),
            caller: Arc::clone(caller),
        }
    }

    /// The same, as `onward` passes it on.
    pub(super) fn sent_by<'a, H: Onward>(&'a self, onward: &'a H) -> SentBy<'a, H> {
        let Self { method, uri, version, headers, content, caller } = self;
        let request = Came { method, uri, version: *version, headers, content: *content, caller };
        SentBy { onward, request, headers: OnceCell::new() }
    }

    /// The same, asked again. Only what has no body can be.
    pub(super) fn ask(&self) -> Ask {
        let mut request = Request::new(Inbound::Full(Bytes::new()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers.clone();
        Ask::new(request, Arc::clone(&self.caller))
    }
}

/// A request, and what `H` makes of it where it passes it on.
#[derive(Debug)]
pub(super) struct SentBy<'a, H> {
    onward: &'a H,
    request: Came<'a>,
    /// What it is sent with, once that was asked for.
    headers: OnceCell<Option<HeaderMap>>,
}

/// A request, as it came.
#[derive(Clone, Copy, Debug)]
struct Came<'a> {
    method: &'a Method,
    uri: &'a Uri,
    version: Version,
    headers: &'a HeaderMap,
    content: Content,
    caller: &'a Caller,
}

/// `ask`, as `onward` passes it on.
pub(super) fn sent_by<'a, H: Onward>(ask: &'a Ask, onward: &'a H) -> SentBy<'a, H> {
    let Ask { request, caller, .. } = ask;
    let (method, uri, version) = (request.method(), request.uri(), request.version());
    let (headers, content) = (request.headers(), content(ask));
    let request = Came { method, uri, version, headers, content, caller };
    SentBy { onward, request, headers: OnceCell::new() }
}

impl<H: Onward> SentBy<'_, H> {
    /// The request, as the rules look at it.
    pub(super) fn asked(&self) -> cache::Request<'_> {
        let Came { method, headers, content, .. } = self.request;
        cache::Request { content, sent: Some(self), ..cache::Request::of(method, headers) }
    }
}

impl<H: Onward> Sent for SentBy<'_, H> {
    fn rewrites(&self, name: &HeaderName) -> bool {
        self.onward.rewrites(name, self.request.headers)
    }

    fn headers(&self) -> Option<&HeaderMap> {
        let Came { method, uri, version, headers, caller, .. } = self.request;
        let sent = || {
            let (mut head, ()) = Request::new(()).into_parts();
            (head.method, head.uri, head.version) = (method.clone(), uri.clone(), version);
            head.headers = headers.clone();
            self.onward.as_sent(head, caller)
        };
        self.headers.get_or_init(sent).as_ref()
    }
}

/// Whether a body comes with `ask`, whatever its fields say: over HTTP/2 they may say nothing.
fn content(ask: &Ask) -> Content {
    if ask.request.body().is_end_stream() { Content::None } else { Content::Some }
}

/// Under what the answer to `ask` is stored: its target if that names a host (RFC 9112 §3.2), else
/// its `Host` over what is spoken on its connection; and apart by what upstream is told of the way
/// before, as far as it is believed by `trust`. `None` for a tunnel, and where no host is named.
pub(super) fn key(ask: &Ask, trust: &Trust, settings: &Settings) -> Option<Key> {
    let Ask { request, caller, .. } = ask;
    if *request.method() == Method::CONNECT {
        return None;
    }
    let (uri, headers) = (request.uri(), request.headers());
    let authority = authority(uri, headers)?;
    let key = Key::of(scheme(uri, caller), authority, path_and_query(uri)).ok()?;
    let by = told_besides(ask, &key, trust);
    Some(settings.key_of(key, headers, &by))
}

/// What upstream is told of the host that was asked for and of what was spoken, where that is not
/// what is in the key already; and what else is passed on that [may name](may_name) another URL, or that
/// may be [taken for another field](is_ambiguous). A client can say it, if only through a balancer that
/// lets it: so nobody else is to get what was answered to it.
///
/// *Shape*: lines, which no value of a field has in it.
fn told_besides(Ask { request, caller, .. }: &Ask, key: &Key, trust: &Trust) -> String {
    let (uri, headers) = (request.uri(), request.headers());
    let word = trust.word(headers, caller);
    let mut by = String::new();
    let mut tell = |name: &str, told: &[u8]| {
        _ = write!(by, "\n{name}: {}", told.escape_ascii());
    };
    let proto =
        word.and_then(|word| word.proto).map_or(spoken(caller).as_bytes(), HeaderValue::as_bytes);
    if !proto.eq_ignore_ascii_case(scheme(uri, caller).as_bytes()) {
        tell("proto", proto);
    }
    let keeps_apart = |name: &HeaderName| may_name(name) || is_ambiguous(name);
    for (name, value) in headers.iter().filter(|(name, _)| keeps_apart(name)) {
        tell(name.as_str(), value.as_bytes());
    }
    let Some(word) = word else { return by };
    // As it is spelled there: another spelling is passed on as it is, and may come back in an answer.
    let asked = key.origin().split_once("://").map(|(_, host)| host.as_bytes());
    if let Some(host) = word.host.map(HeaderValue::as_bytes).filter(|host| Some(*host) != asked) {
        tell("host", host);
    }
    let forwarded = word.forwarded_but_nodes();
    if !forwarded.is_empty() {
        tell("forwarded", &forwarded);
    }
    by
}

/// Whether a field may name another URL than the one that is asked for, to servers that believe it
/// whoever says it: they answer with what is there, or with links and redirections to it. What
/// [`Trust`] judges is none of these.
///
/// Balancers set some on each request: so an answer is kept under what they say, and not given up.
fn may_name(name: &HeaderName) -> bool {
    let Some(name) = name.as_str().strip_prefix("x-") else {
        return name.as_str() == "front-end-https";
    };
    match name.strip_prefix("forwarded-") {
        Some("for" | "host" | "proto") => false,
        Some(_) => true,
        None => matches!(
            name,
            "original-url"
                | "original-uri"
                | "original-host"
                | "rewrite-url"
                | "http-destinationurl"
                | "host"
                | "http-host-override"
                | "scheme"
                | "url-scheme"
                | "envoy-original-path"
        ),
    }
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
        assert_eq!(key(&ask, &Trust::default(), &Settings::default()), None);
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

    /// Servers believe it whoever says it, or take it for what they believe.
    #[test]
    fn what_may_name_another_url_or_be_taken_for_another_field_keeps_answers_apart() {
        let check = |said: &[(&str, &str)], expect: &str| {
            let peer = Peer::Net("192.0.2.1:1".parse().unwrap());
            let ask = says::ask(peer, "/a", &[&[("host", "h")], said].concat());
            let key = key(&ask, &Trust::default(), &Settings::default()).unwrap();
            assert_eq!(key.apart_by(), expect, "for {said:?}");
        };
        check(&[("x-original-url", "/admin")], "\nx-original-url: /admin");
        check(&[("x-rewrite-url", "/b\\")], "\nx-rewrite-url: /b\\\\");
        check(&[("x-forwarded-port", "443")], "\nx-forwarded-port: 443");
        check(&[("x-forwarded-prefix", "//evil")], "\nx-forwarded-prefix: //evil");
        check(&[("front-end-https", "on")], "\nfront-end-https: on");
        let twice = [("x-host", "a"), ("x-host", "b")];
        check(&twice, "\nx-host: a\nx-host: b");
        check(&[("x_a", "1"), ("x-forwarded_host", "b")], "\nx_a: 1\nx-forwarded_host: b");
        for name in ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded"] {
            check(&[(name, "evil")], "");
        }
        for name in ["x-requested-with", "x-real-ip", "x-hostname", "referer", "origin"] {
            check(&[(name, "evil")], "");
        }
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
            key(&ask, &trust, &Settings::default()).unwrap().apart_by().to_owned()
        };
        assert_eq!(by("10.0.0.1:1"), expect, "for {said:?}");
        assert_eq!(by("192.0.2.1:1"), "", "a stranger, for {said:?}");
    }

    /// What is passed on in another spelling than the key's may come back in an answer.
    #[test]
    fn the_host_that_is_told_besides_is_spelled_as_the_key_is_or_kept_apart() {
        let trust = ["10.0.0.0/8".parse().unwrap()].into_iter().collect();
        let check = |said: &str, told: &str, expect: &str| {
            let peer = Peer::Net("10.0.0.1:1".parse().unwrap());
            let ask = says::ask(peer, "/a", &[("host", said), ("x-forwarded-host", told)]);
            let key = key(&ask, &trust, &Settings::default()).unwrap();
            assert_eq!((key.as_str(), key.apart_by()), ("http://h/a", expect), "{said} {told}");
        };
        check("h", "h", "");
        check("H:80", "h", "");
        check("H:80", "H:80", "\nhost: H:80");
        check("h:00080", "h:00080", "\nhost: h:00080");
    }

    #[test]
    fn a_target_of_another_scheme_than_is_spoken_is_apart() {
        let ask = says::ask(Peer::Local, "https://h/", &[]);
        let key = key(&ask, &Trust::default(), &Settings::default()).unwrap();
        assert_eq!((key.as_str(), key.apart_by()), ("https://h/", "\nproto: http"));
    }

    #[test]
    fn a_body_that_no_field_tells_of_is_seen() {
        let mut ask = says::ask(Peer::Local, "/", &[("host", "h")]);
        assert_eq!(content(&ask), Content::None);
        *ask.request.body_mut() = Inbound::Full("fat".into());
        assert_eq!((content(&ask), Question::of(&ask).content), (Content::Some, Content::Some));
    }

    #[track_caller]
    fn check(target: &str, headers: &[(&str, &str)], expect: Option<&str>) {
        let ask = says::ask(Peer::Local, target, headers);
        let key = key(&ask, &Trust::default(), &Settings::default());
        assert_eq!(key.as_ref().map(Key::as_str), expect, "for {target}");
        assert_eq!(key.map_or(String::new(), |key| key.apart_by().to_owned()), "");
    }
}
