//! What somebody who types lines is told of them: what is wrong with one, and which was not done.

use std::{fmt, ops::ControlFlow};

use relais_tap::By;

use super::{Dialect, End, Session, Typing, entering::account_name};
use crate::{
    proof::TokenHash,
    protocol::{Ask, Code, Refusal, Secret, Told},
    words::{self, Misuse, Phrase, Reader, Wanted},
};

/// How much of a line is told of it.
const TOLD_CHARS_MAX: usize = 60;

/// Without what is typed.
impl fmt::Debug for Typing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lang, here, shown, has_read, secret, typed: _ } = self;
        let mut typing = f.debug_struct("Typing");
        typing
            .field("lang", lang)
            .field("here", here)
            .field("shown", shown)
            .field("has_read", has_read);
        typing.field("secret", &secret.is_some()).finish_non_exhaustive()
    }
}

impl Typing {
    /// Keeps the begin of a line, which asks for `ask`, until that is answered. Nothing that is secret is kept.
    pub(super) fn ask(&mut self, line: &str, ask: &Ask) {
        let has_secret = matches!(
            ask,
            Ask::Login { .. }
                | Ask::Register { .. }
                | Ask::Password { .. }
                | Ask::Unregister { .. }
        );
        let begin: String = line.trim().chars().take(TOLD_CHARS_MAX).collect();
        self.typed = (!has_secret).then(|| begin.into());
    }

    /// What is told, in words.
    pub(super) fn in_words(&self, told: &Told, reader: Reader<'_>) -> String {
        match (told, &self.typed) {
            (Told::Answer { answer: Err(refusal), .. }, Some(typed)) if is_for_later(refusal) => {
                words::not_done(typed, refusal, reader.lang)
            }
            _ => words::show(told, reader),
        }
    }
}

/// Whether the same line would do later: who typed it is to know which it was.
fn is_for_later(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::RateLimited | Code::StoreFull | Code::Unavailable)
}

/// Whether what was typed for an invitation has the shape of one.
fn may_be_one(invitation: Option<&Secret>) -> Result<(), Refusal> {
    match invitation {
        Some(text) if TokenHash::read_invitation(&text.0).is_none() => {
            let closed = Refusal::of(Code::RegistrationClosed).field("invitation");
            Err(closed.why(words::NO_SUCH_INVITATION))
        }
        _ => Ok(()),
    }
}

impl Session<'_> {
    /// Says what is wrong with a line. Who is nobody is in no room: that comes first.
    pub(super) async fn refuse(&mut self, misuse: &Misuse) -> ControlFlow<End> {
        if !self.may_be_told(None)? {
            return ControlFlow::Continue(());
        }
        if misuse.is_nowhere() && self.who.is_none() {
            self.answer(None, Err(Refusal::of(Code::NotLoggedIn)));
            return ControlFlow::Continue(());
        }
        self.say(&misuse.line(self.lang())).await
    }

    /// Says a line of the hub, now.
    pub(super) async fn say(&mut self, line: &str) -> ControlFlow<End> {
        match self.send(line.as_bytes()).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break((By::Client, "closed".into())),
        }
    }

    /// Says this to who typed what was understood.
    pub(super) async fn say_phrase(&mut self, phrase: Phrase) -> ControlFlow<End> {
        self.purse.understood();
        self.say(&phrase.line(self.lang())).await
    }

    /// Whether a secret is of any use for this here: else nobody is to type one.
    pub(super) fn may_ask_for(&self, wanted: &Wanted) -> Result<(), Refusal> {
        match wanted {
            Wanted::Login { .. } => self.may_log_in(),
            Wanted::Register { user, invitation } => {
                self.may_log_in()?;
                self.may_register(invitation.as_ref())?;
                may_be_one(invitation.as_ref())?;
                account_name(user).map(drop)
            }
            Wanted::Unregister if self.who.is_none() => Err(Refusal::of(Code::NotLoggedIn)),
            Wanted::Unregister => Ok(()),
        }
    }

    /// What a device is called that does not say: of somebody who types, by where it is.
    pub(super) fn own_device(&self) -> String {
        match (&self.dialect, self.way.peer.ip()) {
            (Dialect::Words(_), Some(ip)) => format!("text {ip}"),
            (Dialect::Words(_), None) => "text".to_owned(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests;
