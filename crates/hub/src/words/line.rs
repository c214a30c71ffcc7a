//! A typed line: what it may ask for, and the words it is made of.

use super::{
    argument::{self, Amiss, Argument},
    lang::Lang,
    misuse::Misuse,
};
use crate::{
    model::{Kind, Said, Seq},
    protocol::{Ask, Place, Proof, Secret},
};

/// What a typed line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// This, of the hub.
    Ask(Ask),
    /// The next line is a secret, for this.
    Secret(Wanted),
    /// All that the account did, written to the file of this name, by who has a disk.
    Export(String),
    /// To be spoken to in another language.
    Lang(Lang),
    /// To be called something else, which nobody can.
    NameStays,
    /// Nothing.
    Nothing,
    /// To leave.
    End,
    /// Something that cannot be asked so.
    Wrong(Misuse),
}

/// What a secret is wanted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// To log in as this one.
    Login {
        /// The name.
        user: String,
    },
    /// To make an account.
    Register {
        /// Its name.
        user: String,
        /// By which invitation.
        invitation: Option<Secret>,
    },
    /// To have no account any more.
    Unregister,
}

impl Wanted {
    /// What is asked, now that the secret was typed, with its line end or without.
    pub fn with(self, secret: &str) -> Ask {
        let password = Secret(secret.trim_end_matches(['\r', '\n']).to_owned());
        match self {
            Self::Login { user } => {
                let proof = Proof::Password { user, password };
                Ask::Login { proof, device: None, resume: None }
            }
            Self::Register { user, invitation } => {
                Ask::Register { user, password, invitation, device: None }
            }
            Self::Unregister => Ask::Unregister { password, said: Said::Stays },
        }
    }
}

/// What stands behind a command, and where it was typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typed<'a> {
    pub(super) rest: &'a str,
    pub(super) here: Option<&'a Place>,
}

impl<'a> Typed<'a> {
    /// Takes the next word off.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_start();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// The same, which may not be missing.
    pub(super) fn needed(&mut self, argument: Argument) -> Result<&'a str, Amiss> {
        self.word().ok_or(Amiss::Missing(argument))
    }

    /// Somebody's name, perhaps with its `@`.
    pub(super) fn user(&mut self) -> Result<String, Amiss> {
        let word = self.needed(argument::USER)?;
        Ok(word.strip_prefix('@').unwrap_or(word).to_owned())
    }

    /// A number.
    pub(super) fn number<T: std::str::FromStr>(
        &mut self,
        argument: Argument,
    ) -> Result<Option<T>, Amiss> {
        let Some(word) = self.word() else { return Ok(None) };
        word.parse().map(Some).map_err(|_| argument.not(word))
    }

    /// The place of what was said.
    pub(super) fn seq(&mut self) -> Result<Seq, Amiss> {
        let seq = self.number(argument::SEQ)?.map(Seq);
        seq.ok_or(Amiss::Missing(argument::SEQ))
    }

    /// All that follows, if something does.
    pub(super) fn rest(self) -> Option<String> {
        let rest = self.rest.trim();
        (!rest.is_empty()).then(|| rest.to_owned())
    }

    /// The same, which may not be missing.
    pub(super) fn text(self, argument: Argument) -> Result<String, Amiss> {
        self.rest().ok_or(Amiss::Missing(argument))
    }

    /// Where it was typed.
    pub(super) fn here(&self) -> Result<Place, Amiss> {
        self.here.cloned().ok_or(Amiss::Nowhere)
    }

    /// The room that is named next, with its `#` or without, or somebody with `@`.
    pub(super) fn room(&mut self) -> Option<Place> {
        let word = self.word()?;
        Some(Place::read(word).unwrap_or_else(|| Place::Room(format!("#{word}"))))
    }

    /// To say what follows where it was typed. What it begins with is part of it.
    pub(super) fn say(self, kind: Kind) -> Result<Line, Amiss> {
        if self.rest.trim().is_empty() {
            return Err(Amiss::Missing(argument::BODY));
        }
        let (to, body) = (self.here()?, self.rest.to_owned());
        Ok(Line::Ask(Ask::Message { to, kind, body, reply: None, cid: None }))
    }
}
