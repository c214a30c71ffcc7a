//! Secrets that are asked for: the next line is one, whatever it looks like. A new password that is too easy to
//! guess is asked for once more, with what is wrong with it.

use std::ops::ControlFlow;

use super::{Dialect, End, Session, entering::new_password};
use crate::{
    protocol::{Ask, Refusal, Secret, Told},
    words::{self, Phrase, Reader, Wanted},
};

/// What the next line is wanted for.
pub(super) struct Awaited {
    wanted: Wanted,
    turn: Turn,
}

/// How often it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    First,
    Again,
}

/// What somebody typed who was asked for a secret.
pub(super) enum Given {
    /// It asks for this.
    Ask(Ask),
    /// It will not do: why, and what it is asked for again.
    Weak(Refusal, Awaited),
}

impl Awaited {
    /// Takes `line`, which may have its line end, for the secret.
    pub(super) fn take(self, line: &str) -> Given {
        let weak = match (&self.wanted, self.turn) {
            (Wanted::Register { user, .. }, Turn::First) => {
                let typed = Secret(line.trim_end_matches(['\r', '\n']).to_owned());
                new_password(&typed, user, "password").err()
            }
            _ => None,
        };
        match weak {
            Some(refusal) => Given::Weak(refusal, Self { turn: Turn::Again, ..self }),
            None => Given::Ask(self.wanted.with(line)),
        }
    }

    /// How it is asked for.
    fn phrase(&self) -> Phrase {
        match self.wanted {
            Wanted::Register { .. } => Phrase::NewPassword,
            Wanted::Login { .. } | Wanted::Unregister => Phrase::Password,
        }
    }
}

impl Session<'_> {
    /// Asks for a secret, and takes the next line for it, if it is of any use here.
    pub(super) async fn ask_for(&mut self, wanted: Wanted) -> ControlFlow<End> {
        if let Err(refusal) = self.may_ask_for(&wanted) {
            self.answer(None, Err(refusal));
            return ControlFlow::Continue(());
        }
        let asked = self.wait(Awaited { wanted, turn: Turn::First });
        self.say_phrase(asked).await
    }

    /// Says why a secret will not do, and asks for another.
    pub(super) async fn ask_again(
        &mut self,
        refusal: Refusal,
        awaited: Awaited,
    ) -> ControlFlow<End> {
        self.hub.counts.refuse(refusal.code);
        let lang = self.lang();
        let told = Told::Answer { re: None, answer: Err(refusal) };
        let why = words::show(&told, Reader { lang, ..Reader::default() });
        let asked = self.wait(awaited).line(lang);
        self.say(&(why + &asked)).await
    }

    fn wait(&mut self, awaited: Awaited) -> Phrase {
        let phrase = awaited.phrase();
        if let Dialect::Words(typing) = &mut self.dialect {
            typing.secret = Some(awaited);
        }
        phrase
    }
}
