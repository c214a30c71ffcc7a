//! What is said to programs that post to a hook, who know no rooms, no commands and no lines: in English.

use super::{lang::Lang, refusals::sentence};
use crate::protocol::{Code, Refusal};

/// One sentence about why what was posted is not said.
pub(crate) fn sentence_for_hooks(refusal: &Refusal) -> String {
    let what = match refusal.code {
        Code::NoSuchHook => "no hook has this path: /hook NAME, typed in its room, makes one",
        Code::BadFrame => "a hook is posted {\"text\":\"…\"}",
        Code::FrameTooBig | Code::TooLong => "this is too much for one message",
        Code::NotInRoom => "who made the hook is not in its room any more",
        Code::NoSuchRoom => "the room of the hook is not there any more",
        Code::Muted => "who made the hook may not speak in its room now",
        Code::CidReused => "this `Idempotency-Key` was used for another text",
        Code::Unavailable => {
            "the hub cannot do it now: post it again, with the same `Idempotency-Key`"
        }
        _ => return sentence(refusal, Lang::En),
    };
    match &*refusal.why {
        "" => what.to_owned(),
        why => format!("{what} ({why})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_posts_is_told_of_hooks_and_not_of_passwords_and_lines() {
        let said = |code, why: &str| sentence_for_hooks(&Refusal::of(code).why(why));
        assert_eq!(
            said(Code::NoSuchHook, ""),
            "no hook has this path: /hook NAME, typed in its room, makes one"
        );
        assert_eq!(
            said(Code::BadFrame, "expected POST"),
            "a hook is posted {\"text\":\"…\"} (expected POST)"
        );
        assert_eq!(said(Code::RateLimited, ""), "too fast: wait a little");
        // What logs nobody in is no token that ends.
        for code in Code::ALL.into_iter().filter(|code| *code != Code::TokenExpired) {
            assert!(!said(code, "").contains("your password"), "{code}");
        }
    }
}
