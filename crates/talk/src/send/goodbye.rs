//! How the other side closed a WebSocket.

use std::fmt;

use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// The word with which a WebSocket is closed (RFC 6455 §7.4).
///
/// Prints as `code 1009, "too long"`. The reason has 123 bytes at most, and is the other side's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goodbye {
    code: u16,
    reason: String,
}

/// All is done.
const NORMAL: u16 = 1000;

/// Who says it goes, whatever was said.
const AWAY: u16 = 1001;

/// Somebody breaks the protocol.
const PROTOCOL: u16 = 1002;

/// There is no code.
const NONE: u16 = 1005;

impl Goodbye {
    pub(super) fn of(frame: Option<CloseFrame>) -> Self {
        match frame {
            Some(frame) => Self { code: frame.code.into(), reason: frame.reason.to_string() },
            None => Self { code: NONE, reason: String::new() },
        }
    }

    /// Whether something is the matter: it will not have what was said, or could not do with it.
    pub fn is_refusal(&self) -> bool {
        !matches!(self.code, NORMAL | AWAY | NONE)
    }
}

impl fmt::Display for Goodbye {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.reason.as_str()) {
            (NONE, _) => f.write_str("no code"),
            (code, "") => write!(f, "code {code}"),
            // What tungstenite makes of a code that may not be sent.
            (PROTOCOL, "Protocol violation") => {
                write!(f, "code {PROTOCOL}, \"Protocol violation\", or one that may not be sent")
            }
            (code, reason) => write!(f, "code {code}, {reason:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(frame: Option<(u16, &'static str)>, expect: &str, is_refusal: bool) {
        let goodbye = Goodbye::of(
            frame.map(|(code, reason)| CloseFrame { code: code.into(), reason: reason.into() }),
        );
        assert_eq!((goodbye.to_string().as_str(), goodbye.is_refusal()), (expect, is_refusal));
    }

    #[test]
    fn a_goodbye_is_told_and_may_be_a_refusal() {
        check(None, "no code", false);
        check(Some((1000, "")), "code 1000", false);
        check(Some((1001, "told to stop")), "code 1001, \"told to stop\"", false);
        check(Some((1009, "too\u{1b}long")), "code 1009, \"too\\u{1b}long\"", true);
        check(Some((1002, "")), "code 1002", true);
        let unknown = "code 1002, \"Protocol violation\", or one that may not be sent";
        check(Some((1002, "Protocol violation")), unknown, true);
        check(Some((1011, "")), "code 1011", true);
        check(Some((4000, "")), "code 4000", true);
    }
}
