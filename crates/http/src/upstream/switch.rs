//! Whether a connection may be switched to what an upstream says it speaks from here on.

use http::{
    HeaderMap,
    header::{CONNECTION, UPGRADE},
};

use super::head::members;

/// Whether `answered`, the fields of a 101, name nothing but protocols that `asked` asks for, and one at
/// least (RFC 9110 §7.8).
pub(super) fn is_as_asked(asked: &HeaderMap, answered: &HeaderMap) -> bool {
    let is_switch = members(answered, &CONNECTION).any(|it| it.eq_ignore_ascii_case(b"upgrade"));
    let is_asked = |protocol: &[u8]| {
        members(asked, &UPGRADE).any(|wanted| wanted.eq_ignore_ascii_case(protocol))
    };
    let mut protocols = members(answered, &UPGRADE).peekable();
    is_switch && protocols.peek().is_some() && protocols.all(is_asked)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_switch_is_to_what_was_asked_for() {
        check("websocket", "Connection: Upgrade|Upgrade: WebSocket", true);
        check("chat/2, websocket", "connection: a, upgrade|upgrade: websocket", true);
        check("a, b", "connection: upgrade|upgrade: b, a", true);
        check("a, b", "connection: upgrade|upgrade: b|upgrade: a", true);
        check("websocket", "connection: upgrade|upgrade: h2c", false);
        check("websocket", "connection: upgrade|upgrade: websocket, h2c", false);
        check("websocket", "connection: upgrade|upgrade: websocket|upgrade: h2c", false);
        check("chat/2", "connection: upgrade|upgrade: chat", false);
        check("websocket", "connection: upgrade", false);
        check("websocket", "connection: upgrade|upgrade: ", false);
        check("websocket", "upgrade: websocket", false);
    }

    #[track_caller]
    fn check(asked: &'static str, answered: &str, expect: bool) {
        let asked = HeaderMap::from_iter([(UPGRADE, HeaderValue::from_static(asked))]);
        let mut headers = HeaderMap::new();
        for (name, value) in answered.split('|').filter_map(|line| line.split_once(": ")) {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        assert_eq!(is_as_asked(&asked, &headers), expect, "{answered}");
    }
}
