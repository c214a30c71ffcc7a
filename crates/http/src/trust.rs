//! What is believed of what a request says of the way that it came before.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};
use relais_net::Network;

use crate::Caller;

pub(crate) const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) const HOST_ASKED: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(crate) const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Every field that says something of the way before.
pub(crate) const NAMES: [HeaderName; 4] = [FORWARDED, FOR, HOST_ASKED, PROTO];

/// Whose word counts about the way that a request came before: `Forwarded` (RFC 7239) and the
/// `X-Forwarded-*` that came before it. Nobody's by default. Cheap to clone.
///
/// What a proxy tells its upstream is decided by this, and so has to be what is known of a request
/// that a cache keeps its answer for: both are given the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    networks: Arc<[Network]>,
}

/// What one whose word counts says of the way before: all of it that is passed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'a> {
    headers: &'a HeaderMap,
    /// The host that was asked for there.
    pub(crate) host: Option<&'a HeaderValue>,
    /// What was spoken there.
    pub(crate) proto: Option<&'a HeaderValue>,
}

impl Trust {
    /// What is believed of what `caller` says in `headers`; `None` if nothing is said, or if it is a
    /// stranger who says it.
    pub(crate) fn word<'a>(&self, headers: &'a HeaderMap, caller: &Caller) -> Option<Word<'a>> {
        let ip = caller.peer.ip().filter(|_| !self.networks.is_empty())?;
        if !self.networks.iter().any(|network| network.contains(ip)) || !says_something(headers) {
            return None;
        }
        Some(Word { headers, host: headers.get(HOST_ASKED), proto: headers.get(PROTO) })
    }
}

/// Whether there is anything said of the way before.
pub(crate) fn says_something(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| NAMES.contains(name))
}

impl FromIterator<Network> for Trust {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self { networks: networks.into_iter().collect() }
    }
}

impl<'a> Word<'a> {
    /// Each value of `Forwarded`.
    pub(crate) fn forwarded(&self) -> impl Iterator<Item = &'a HeaderValue> + use<'a> {
        self.headers.get_all(FORWARDED).into_iter()
    }

    /// Each value of `X-Forwarded-For`.
    pub(crate) fn forwarded_for(&self) -> impl Iterator<Item = &'a HeaderValue> + use<'a> {
        self.headers.get_all(FOR).into_iter()
    }

    /// What `Forwarded` says, but for who was there. Empty if there is nothing else.
    ///
    /// Where a comma or a semicolon may stand in quotes, all is given as it is: whoever does not
    /// read quotes would read something else there.
    pub(crate) fn forwarded_but_nodes(&self) -> Vec<u8> {
        let whole: Vec<_> = self.forwarded().map(HeaderValue::as_bytes).collect();
        let whole = whole.join(&b',');
        let elements = || whole.split(|&byte| byte == b',');
        if !elements().flat_map(pairs).all(is_read_alike) {
            return [b"as it is: ", &*whole].concat();
        }
        let mut kept = Vec::new();
        for element in elements() {
            kept.push(b',');
            for pair in pairs(element).filter(|pair| !is_node(pair)) {
                kept.push(b';');
                kept.extend_from_slice(pair);
            }
        }
        if kept.iter().all(|&byte| byte == b',') { Vec::new() } else { kept }
    }
}

/// The pairs of an element of `Forwarded`.
fn pairs(element: &[u8]) -> impl Iterator<Item = &[u8]> {
    element.split(|&byte| byte == b';').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty())
}

/// Whether no quotes are open at the end of `pair`, and none could be meant otherwise.
fn is_read_alike(pair: &[u8]) -> bool {
    let between_quotes = pair.split(|&byte| byte == b'"').count();
    between_quotes % 2 == 1 && !pair.contains(&b'\\')
}

/// Whether a pair of `Forwarded` tells who was there, in plain letters, and nothing besides.
fn is_node(pair: &[u8]) -> bool {
    let Some(at) = pair.iter().position(|&byte| byte == b'=') else { return false };
    let (name, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
    let is_named = [b"for".as_slice(), b"by"].iter().any(|node| name.eq_ignore_ascii_case(node));
    let bare = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".:[]_-".contains(byte);
    is_named && bare.unwrap_or(value).iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use relais_net::Peer;

    use super::*;
    use crate::says;

    #[test]
    fn who_was_there_is_left_out_of_what_was_said_and_nothing_else() {
        check(&["for=192.0.2.1"], "");
        check(&["for=192.0.2.1, For=\"[2001:db8::1]:80\";by=_x"], "");
        check(&["for=1;host=a;proto=https"], ",;host=a;proto=https");
        check(&["host=a, for=2", "for=3"], ",;host=a,,");
        check(&["for=1, host=a"], ",,;host=a");
        check(&["for=a b, ,;x"], ",;for=a b,,;x");
        check(&["for=\"a=b\""], ",;for=\"a=b\"");
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_left_as_it_is() {
        for value in ["for=\"1;host=b\"", "x=\"a,for=1,b\"", "for=1;x=\"\\\"\"", "for=\""] {
            check(&[value], &format!("as it is: {value}"));
        }
    }

    #[track_caller]
    fn check(values: &[&str], expect: &str) {
        let headers: Vec<_> = values.iter().map(|value| ("forwarded", *value)).collect();
        let peer = Peer::Net("10.0.0.1:1".parse().unwrap());
        let ask = says::ask(peer, "/", &headers);
        let trust: Trust = ["10.0.0.0/8".parse().unwrap()].into_iter().collect();
        let word = trust.word(ask.request.headers(), &ask.caller).unwrap();
        let kept = word.forwarded_but_nodes();
        assert_eq!(String::from_utf8(kept).unwrap(), expect, "for {values:?}");
    }
}
