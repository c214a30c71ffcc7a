//! What `[hub.NAME]` means.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use relais_net::{Endpoint, Scheme};
use serde::Serialize;

use super::{
    Table,
    table::{Form, Lang, Registration},
};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    spelling::{BareEndpoint, Size},
    tree::Node,
};

/// A hub, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Messaging {
    /// The file of its log.
    pub store: PathBuf,
    /// Who may have an account.
    pub registration: Registration,
    /// Whether passwords are taken in the clear from other machines.
    pub clear_passwords: bool,
    /// How it speaks to people who do not say.
    pub lang: Lang,
    /// What its datagrams are like.
    pub udp: Form,
    /// How long a message may be.
    pub(crate) message_max: Size,
    /// How many messages an account may say at once.
    pub burst: u32,
    /// How many a second after that; 0, as many as it likes.
    pub messages_a_second: u32,
}

/// Where all that is said is kept, if nobody says.
const STORE: &str = "hub.db";

const MESSAGE_MAX: Size = Size(16 << 10);

/// Longer ones would not fit a frame.
const MESSAGE_MAX_MAX: Size = Size(32 << 10);

const BURST: u32 = 10;
const MESSAGES_A_SECOND: u32 = 2;

impl Messaging {
    /// Resolves `table`, which stands at `key`.
    pub(crate) fn plan(table: &Table, base: &Base, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        // Where it is to be found is for the plan as a whole to say.
        let Table {
            listen,
            store,
            registration,
            clear_passwords,
            lang,
            udp,
            message_max,
            burst,
            messages_a_second,
            tls: _,
        } = table;
        if listen.iter().all(|BareEndpoint(on)| on.scheme == Scheme::Udp) {
            let wrong =
                Wrong::expected("nobody could log in by datagrams alone", "tcp, tls or unix, too");
            return Err(vec![key.key("listen").wrong(wrong)]);
        }
        let message_max = message_max.unwrap_or(MESSAGE_MAX);
        if message_max < Size(1) || message_max > MESSAGE_MAX_MAX {
            let what = format!("no messages of {message_max}");
            let expected = format!("1 B to {MESSAGE_MAX_MAX}");
            return Err(vec![key.key("message_max").wrong(Wrong::expected(what, expected))]);
        }
        let burst = burst.unwrap_or(BURST);
        if burst == 0 {
            let wrong = Wrong::expected("nobody could say anything: 0", "1 or more");
            return Err(vec![key.key("burst").wrong(wrong)]);
        }
        Ok(Self {
            store: base.join(store.as_deref().unwrap_or(Path::new(STORE))),
            registration: *registration,
            clear_passwords: *clear_passwords,
            lang: *lang,
            udp: *udp,
            message_max,
            burst,
            messages_a_second: messages_a_second.unwrap_or(MESSAGES_A_SECOND),
        })
    }

    /// Whether it is spoken over `scheme`.
    pub(crate) fn judge(on: &Endpoint) -> Result<(), Wrong> {
        match on.scheme {
            Scheme::Tcp | Scheme::Tls | Scheme::Udp | Scheme::Unix => Ok(()),
            scheme => {
                let what = format!("no hub over {scheme}: {:?}", on.to_string());
                Err(Wrong::expected(what, "tcp, tls, udp or unix"))
            }
        }
    }

    /// What becomes of a caller, step by step.
    pub(crate) fn steps(&self) -> Vec<Node> {
        vec![Node::last(self.to_string())]
    }
}

impl fmt::Display for Messaging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hub, kept in {:?}", self.store.display())
    }
}
