//! What is noted of a request while it is answered.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, Request, StatusCode, Uri, Version, header};
use relais_net::{Peer, tls};
use relais_wire::exchange::Cached;

use crate::{Ask, Caller, Ended, Refused, auth::User};

/// How much of each value is kept, in bytes.
const VALUE_BYTES_MAX: usize = 2048;

/// What stands for the rest of a longer one.
const CUT: &[u8] = b"[cut]";

/// One line to be: a request and how its answer ended.
#[derive(Debug)]
pub(super) struct Entry {
    /// When the request came.
    pub(super) at: SystemTime,
    /// From then to the end of the answer.
    pub(super) took: Duration,
    pub(super) peer: Peer,
    /// The version of TLS it came over; `None` in the clear.
    pub(super) tls: Option<tls::Version>,
    pub(super) user: Option<User>,
    pub(super) said: Said,
    /// `None` if no request was read.
    pub(super) version: Option<Version>,
    pub(super) status: StatusCode,
    pub(super) ended: Ended,
    /// What a cache did; `None` where there is none.
    pub(super) cached: Option<Cached>,
}

/// What the caller said, copied into one piece.
///
/// Copied, although a `HeaderValue` is cheap to clone: a clone keeps the whole buffer that the head
/// was read into, and a log that lags would keep thousands of those.
#[derive(Debug)]
pub(super) struct Said {
    text: Vec<u8>,
    /// Where each value ends in `text`, in the order of [`Value`]. Ascending; the last is its
    /// length, which fits: five values of at most 2053 bytes.
    ends: [u16; 5],
}

/// What a caller said of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Method,
    Target,
    Host,
    Referer,
    Agent,
}

impl Entry {
    /// What is known of `ask`, which came at `at`; the rest as if the caller left right away.
    pub(super) fn of(ask: &Ask, at: SystemTime) -> Self {
        let (said, version) = (Said::of(&ask.request), ask.request.version());
        Self { said, version: Some(version), ..Self::nothing_said(&ask.caller, at) }
    }

    /// What is known of a request that was refused at `at`.
    pub(super) fn refused(refused: &Refused<'_>, at: SystemTime) -> Self {
        let Refused { caller, request, status, ended } = *refused;
        let known = Self { status, ended, ..Self::nothing_said(caller, at) };
        match request {
            Some(request) => {
                Self { said: Said::of(request), version: Some(request.version()), ..known }
            }
            None => known,
        }
    }

    fn nothing_said(caller: &Caller, at: SystemTime) -> Self {
        Self {
            at,
            took: Duration::ZERO,
            peer: caller.peer,
            tls: caller.tls.as_ref().map(|tls| tls.version),
            user: None,
            said: Said { text: Vec::new(), ends: [0; 5] },
            version: None,
            status: client_left(),
            ended: Ended::Short(0),
            cached: None,
        }
    }

    /// How much memory it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.said.text.capacity()
    }
}

/// The status written for a caller that left before it was answered: nginx's 499.
pub(super) fn client_left() -> StatusCode {
    StatusCode::from_u16(499).expect("of three digits")
}

impl Said {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let (uri, headers) = (request.uri(), request.headers());
        let method = request.method().as_str().as_bytes();
        let target = target(uri, request.version());
        let host = host(uri, headers);
        let referer = without_user(value(headers, &header::REFERER));
        let agent = value(headers, &header::USER_AGENT);
        let values: [&[&[u8]]; 5] = [&[method], &target, &[host], &referer, &[agent]];
        let len = values.iter().copied().flatten().map(|part| part.len()).sum::<usize>();
        let mut text = Vec::with_capacity(len.min(5 * (VALUE_BYTES_MAX + CUT.len())));
        let ends = values.map(|parts| {
            push(&mut text, parts);
            u16::try_from(text.len()).expect("five cut values")
        });
        Self { text, ends }
    }

    /// What was said; empty if nothing.
    pub(super) fn get(&self, value: Value) -> &[u8] {
        let index = value as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[usize::from(start)..usize::from(self.ends[index])]
    }
}

fn push(text: &mut Vec<u8>, parts: &[&[u8]]) {
    let mut left = VALUE_BYTES_MAX;
    for part in parts {
        let Some(cut) = part.get(..left).filter(|_| part.len() > left) else {
            text.extend_from_slice(part);
            left -= part.len();
            continue;
        };
        text.extend_from_slice(cut);
        text.extend_from_slice(CUT);
        return;
    }
}

fn value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a [u8] {
    headers.get(name).map_or(b"", |value| value.as_bytes())
}

/// The target as the caller wrote it, but for a user in it.
fn target(uri: &Uri, version: Version) -> [&[u8]; 4] {
    let path = uri.path_and_query().map_or("", |path| path.as_str()).as_bytes();
    match (uri.scheme_str(), uri.authority()) {
        // CONNECT.
        (None, Some(authority)) => [b"", b"", without_at(authority.as_str().as_bytes()), path],
        // Absolute form. HTTP/2 has a scheme and an authority always, so there they say nothing.
        (Some(scheme), Some(authority)) if version < Version::HTTP_2 => {
            [scheme.as_bytes(), b"://", without_at(authority.as_str().as_bytes()), path]
        }
        _ => [b"", b"", b"", path],
    }
}

/// The host that the request is for, with its port.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> &'a [u8] {
    let said = match uri.authority() {
        Some(authority) => authority.as_str().as_bytes(),
        None => value(headers, &header::HOST),
    };
    without_at(said)
}

/// `url` without the user and the password that it may have before its host (RFC 3986, 3.2.1).
fn without_user(url: &[u8]) -> [&[u8]; 3] {
    // Nearly none has an `@` at all.
    if memchr::memchr(b'@', url).is_none() {
        return [url, b"", b""];
    }
    let Some(scheme) = memchr::memmem::find(url, b"//") else { return [url, b"", b""] };
    let (scheme, rest) = url.split_at(scheme + 2);
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    [scheme, without_at(authority), rest]
}

fn without_at(authority: &[u8]) -> &[u8] {
    let user = memchr::memrchr(b'@', authority).map_or(0, |at| at + 1);
    &authority[user..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(request: http::request::Builder) -> Said {
        Said::of(&request.body(()).unwrap())
    }

    #[track_caller]
    fn check(said: &Said, expect: [&str; 5]) {
        use Value::{Agent, Host, Method, Referer, Target};
        let found = [Method, Target, Host, Referer, Agent].map(|value| said.get(value));
        assert_eq!(found.map(|value| str::from_utf8(value).unwrap()), expect);
    }

    #[test]
    fn what_was_said_is_kept_in_order() {
        let request = Request::get("/a?b=c")
            .header("host", "a.org:80")
            .header("user-agent", "test")
            .header("referer", "http://b.org/@")
            .header("authorization", "Basic secret")
            .header("cookie", "secret");
        check(&said(request), ["GET", "/a?b=c", "a.org:80", "http://b.org/@", "test"]);
        check(&said(Request::options("*")), ["OPTIONS", "*", "", "", ""]);
        let connect = Request::builder().method("CONNECT").uri("a:b@c.org:443");
        check(&said(connect), ["CONNECT", "c.org:443", "c.org:443", "", ""]);
        let two = Request::get("https://a.org/x").version(Version::HTTP_2);
        check(&said(two), ["GET", "/x", "a.org", "", ""]);
    }

    #[test]
    fn users_in_urls_are_left_out() {
        check(&said(Request::get("x://u:p@a.org/b@c")), ["GET", "x://a.org/b@c", "a.org", "", ""]);
        check(
            &said(Request::get("http://u:p@a.org/b@c")),
            ["GET", "http://a.org/b@c", "a.org", "", ""],
        );
        for (referer, expect) in [
            ("https://u:p@a.org/", "https://a.org/"),
            ("https://u:p@@a.org?x@y", "https://a.org?x@y"),
            ("//u@a.org", "//a.org"),
            ("mailto:a@b", "mailto:a@b"),
        ] {
            let request = Request::get("/").header("referer", referer);
            check(&said(request), ["GET", "/", "", expect, ""]);
        }
    }

    #[test]
    fn long_values_are_cut_and_say_so() {
        let long = "a".repeat(VALUE_BYTES_MAX);
        let exact = said(Request::get("/").header("user-agent", &long));
        check(&exact, ["GET", "/", "", "", &long]);
        let path = format!("http://a.org/{}", "b".repeat(60_000));
        let headers = ["referer", "user-agent", "host"];
        let request = Request::builder().method(long.clone().as_str()).uri(&path);
        let request =
            headers.iter().fold(request, |all, name| all.header(*name, format!("{long}a")));
        let cut = format!("{long}[cut]");
        let path = format!("{}[cut]", &path[..VALUE_BYTES_MAX]);
        let said = said(request);
        check(&said, [&long, &path, "a.org", &cut, &cut]);
        assert!(said.text.capacity() <= 5 * (VALUE_BYTES_MAX + CUT.len()));
    }
}
