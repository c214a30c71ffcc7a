//! A request, as the cache looks at it, and as it is asked again.

use std::{cell::OnceCell, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Request, Uri, Version, header::HOST};
use http_body::Body as _;
use relais_cache::{Asked, Content, Key, Sent};

use crate::{Ask, Caller, Inbound, proxy::Onward};

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
        Ask { request, caller: Arc::clone(&self.caller) }
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
    let Ask { request, caller } = ask;
    let (method, uri, version) = (request.method(), request.uri(), request.version());
    let (headers, content) = (request.headers(), content(ask));
    let request = Came { method, uri, version, headers, content, caller };
    SentBy { onward, request, headers: OnceCell::new() }
}

impl<H: Onward> SentBy<'_, H> {
    /// The request, as the rules look at it.
    pub(super) fn asked(&self) -> Asked<'_> {
        let Came { method, headers, content, .. } = self.request;
        Asked { content, sent: Some(self), ..Asked::of(method, headers) }
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
/// its `Host` over what is spoken on its connection. `None` for a tunnel, and where no host is named.
pub(super) fn key(ask: &Ask) -> Option<Key> {
    let Ask { request, caller } = ask;
    if *request.method() == Method::CONNECT {
        return None;
    }
    let uri = request.uri();
    let spoken = if caller.tls.is_some() { "https" } else { "http" };
    let named = || request.headers().get(HOST)?.to_str().ok();
    let authority = uri.authority().map(http::uri::Authority::as_str).or_else(named)?;
    let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str());
    Key::of(uri.scheme_str().unwrap_or(spoken), authority, path_and_query).ok()
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
        check("https://h/a", &[("host", "other")], Some("https://h/a"));
        check("http://u:p@h/", &[], Some("http://h/"));
        check("/%61/../b//c?", &[("host", "h")], Some("http://h/%61/../b//c?"));
        check("/", &[], None);
        check("/", &[("host", "a b")], None);
    }

    #[test]
    fn a_tunnel_is_stored_under_nothing() {
        let mut ask = says::ask(Peer::Local, "h:443", &[("host", "h:443")]);
        *ask.request.method_mut() = Method::CONNECT;
        assert_eq!(key(&ask), None);
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
        assert_eq!(key(&ask).as_ref().map(Key::as_str), expect, "for {target}");
    }
}
