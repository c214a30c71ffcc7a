//! What a role does with a message: whether it is shown, what is answered, and what ends. No sockets.

use std::sync::Arc;

use crate::{
    calc::Calculator,
    lines::{Extent, LineEnd, Message},
    notify::Subscribers,
    person::Person,
};

/// What is done with what callers say.
#[derive(Clone, Debug)]
pub enum Role {
    /// Shows each message. One that begins with the word ends the server.
    Print,
    /// Shows each message and answers `reply`. One that begins with the word ends the server.
    Ack {
        /// The answer.
        reply: String,
    },
    /// Sends back what came. The word, as a message of its own, ends the dialogue.
    Echo,
    /// Sends it back in upper case. The word ends the dialogue.
    Upper,
    /// Answers the value of an expression. The word ends the dialogue.
    Calc(Arc<Calculator>),
    /// A person answers. The word, said by the caller, ends the dialogue.
    Talk(Arc<Person>),
    /// What comes by streams goes to everyone who asked for it by datagrams.
    Notify(Arc<Subscribers>),
}

/// A message that ends something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word(Vec<u8>);

/// What a message comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) showing: Showing,
    pub(crate) reply: Reply,
    pub(crate) then: Then,
}

/// Whether a message is shown where the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Showing {
    Shown,
    Unseen,
}

/// What is answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Nothing.
    Nothing,
    /// These bytes.
    Bytes(Vec<u8>),
    /// What the calculator makes of this.
    Value(String),
    /// Nothing by us: a person was told.
    ByPerson,
    /// How many were notified.
    Notify,
}

/// What comes after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    GoOn,
    EndDialogue,
    EndServer,
}

impl Role {
    /// The word of those who choose none: `quit` where it ends the server, `fin` where it ends a
    /// dialogue.
    pub fn usual_word(&self) -> Word {
        Word::new(if self.ends_server() { "quit" } else { "fin" })
    }

    fn ends_server(&self) -> bool {
        matches!(self, Self::Print | Self::Ack { .. })
    }

    /// Judges a message.
    pub(crate) fn hear(&self, message: &Message<'_>, word: &Word) -> Verdict {
        use Showing::{Shown, Unseen};
        let then = self.after(message, word);
        let verdict = |showing, reply| Verdict { showing, reply, then };
        match self {
            Self::Print => verdict(Shown, Reply::Nothing),
            Self::Ack { reply } => verdict(Shown, Reply::Bytes(answer(reply, message))),
            _ if then == Then::EndDialogue => verdict(Unseen, Reply::Nothing),
            Self::Echo => verdict(Unseen, Reply::Bytes(echo(message))),
            Self::Upper => verdict(Unseen, Reply::Bytes(answer(&upper(message), message))),
            Self::Calc(_) => verdict(Unseen, expression(message)),
            Self::Talk(_) => verdict(Unseen, Reply::ByPerson),
            Self::Notify(_) => verdict(Unseen, Reply::Notify),
        }
    }

    fn after(&self, message: &Message<'_>, word: &Word) -> Then {
        match self {
            Self::Print | Self::Ack { .. } if word.begins(message.bytes) => Then::EndServer,
            Self::Print | Self::Ack { .. } | Self::Notify(_) => Then::GoOn,
            _ if message.bytes == word.0 && !word.0.is_empty() => Then::EndDialogue,
            _ => Then::GoOn,
        }
    }
}

impl Word {
    /// The word that ends nothing.
    pub(crate) const NONE: Self = Self(Vec::new());

    /// The word that `text` is; empty, it ends nothing.
    pub fn new(text: &str) -> Self {
        Self(text.as_bytes().to_owned())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn begins(&self, message: &[u8]) -> bool {
        !self.0.is_empty() && message.starts_with(&self.0)
    }
}

/// `text`, ended as `message` was.
pub(crate) fn answer(text: &str, message: &Message<'_>) -> Vec<u8> {
    ended(text, message.end)
}

/// `text` with the line end `end`.
pub(crate) fn ended(text: &str, end: LineEnd) -> Vec<u8> {
    [text.as_bytes(), end.bytes()].concat()
}

fn echo(message: &Message<'_>) -> Vec<u8> {
    [message.bytes, message.end.bytes()].concat()
}

/// The message in upper case, by Unicode's rules: `ß` becomes `SS`. What is no UTF-8 stays as it is
/// read: U+FFFD.
fn upper(message: &Message<'_>) -> String {
    let text = String::from_utf8_lossy(message.bytes).to_uppercase();
    match message.extent {
        Extent::Whole => text,
        Extent::Cut => format!("{text}{}", cut_at(message.bytes.len())),
    }
}

/// What stands behind a message whose rest, past so many bytes, was dropped.
pub fn cut_at(bytes: usize) -> String {
    format!("… (cut at {bytes} bytes)")
}

fn expression(message: &Message<'_>) -> Reply {
    let refused = |text: &str| Reply::Bytes(answer(&format!("error: {text}"), message));
    match str::from_utf8(message.bytes) {
        _ if message.extent == Extent::Cut => refused("an expression has at most 256 bytes"),
        Ok(text) => Reply::Value(text.to_owned()),
        Err(error) => refused(&format!("no UTF-8 at byte {}", error.valid_up_to() + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(role: &Role, said: &str, expect: (Showing, Option<&str>, Then)) {
        let message = Message::of(said.as_bytes());
        let Verdict { showing, reply, then } = role.hear(&message, &role.usual_word());
        let reply = match reply {
            Reply::Nothing => None,
            Reply::Bytes(bytes) => Some(String::from_utf8(bytes).unwrap()),
            other => Some(format!("{other:?}")),
        };
        assert_eq!((showing, reply.as_deref(), then), expect, "{said:?}");
    }

    #[test]
    fn print_shows_and_answers_nothing_until_somebody_says_quit() {
        check(&Role::Print, "bonjour\n", (Showing::Shown, None, Then::GoOn));
        check(&Role::Print, "", (Showing::Shown, None, Then::GoOn));
        check(&Role::Print, "please quit\n", (Showing::Shown, None, Then::GoOn));
        check(&Role::Print, "quit\n", (Showing::Shown, None, Then::EndServer));
        check(&Role::Print, "quite", (Showing::Shown, None, Then::EndServer));
    }

    #[test]
    fn ack_answers_the_same_text_ended_as_what_was_said() {
        let role = Role::Ack { reply: "Message reçu".to_owned() };
        check(&role, "a\n", (Showing::Shown, Some("Message reçu\n"), Then::GoOn));
        check(&role, "a\r\n", (Showing::Shown, Some("Message reçu\r\n"), Then::GoOn));
        check(&role, "a", (Showing::Shown, Some("Message reçu"), Then::GoOn));
        check(&role, "quit", (Showing::Shown, Some("Message reçu"), Then::EndServer));
    }

    #[test]
    fn echo_and_upper_send_it_back_until_somebody_says_fin() {
        let unseen = |reply| (Showing::Unseen, Some(reply), Then::GoOn);
        check(&Role::Echo, "coucou\n", unseen("coucou\n"));
        check(&Role::Echo, "finir", unseen("finir"));
        check(&Role::Echo, "quit", unseen("quit"));
        check(&Role::Echo, "fin\r\n", (Showing::Unseen, None, Then::EndDialogue));
        check(&Role::Upper, "straße, été\n", unseen("STRASSE, ÉTÉ\n"));
        check(&Role::Upper, "fin", (Showing::Unseen, None, Then::EndDialogue));
    }

    #[test]
    fn what_is_cut_is_said_to_be() {
        let message = Message { bytes: b"abc", end: LineEnd::Lf, extent: Extent::Cut };
        let verdict = Role::Upper.hear(&message, &Word::new("fin"));
        assert_eq!(verdict.reply, Reply::Bytes("ABC… (cut at 3 bytes)\n".as_bytes().to_vec()));
    }

    #[test]
    fn an_empty_word_ends_nothing() {
        for (role, said) in [(Role::Print, "quit"), (Role::Echo, "")] {
            let verdict = role.hear(&Message::of(said.as_bytes()), &Word::new(""));
            assert_eq!(verdict.then, Then::GoOn);
        }
    }
}
