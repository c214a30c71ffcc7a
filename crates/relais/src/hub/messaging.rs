//! What `[hub.NAME]` means.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use relais_net::{Endpoint, Scheme};
use serde::Serialize;

use super::{
    Table,
    table::{Lang, Registration},
};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    spelling::{BareEndpoint, Size, strange_origin},
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
    /// How long a message may be.
    pub(crate) message_max: Size,
    /// How many messages an account may say at once.
    pub burst: u32,
    /// How many a second after that; 0, as many as it likes.
    pub messages_a_second: u32,
    /// Pages of which other sites may come in over HTTP.
    pub origins: Vec<String>,
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
        let Table {
            listen,
            store,
            registration,
            clear_passwords,
            lang,
            message_max,
            burst,
            messages_a_second,
            origins,
            tls: _,
        } = table;
        let strange = strange_origins((listen, origins), key);
        if !strange.is_empty() {
            return Err(strange);
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
            message_max,
            burst,
            messages_a_second: messages_a_second.unwrap_or(MESSAGES_A_SECOND),
            origins: origins.clone(),
        })
    }

    /// Whether it is spoken over `scheme`.
    pub(crate) fn judge(on: &Endpoint) -> Result<(), Wrong> {
        match on.scheme {
            Scheme::Tcp | Scheme::Tls | Scheme::Unix | Scheme::Http | Scheme::Https => Ok(()),
            scheme => {
                let what = format!("no hub over {scheme}: {:?}", on.to_string());
                Err(Wrong::expected(what, "tcp, tls, unix, http or https"))
            }
        }
    }

    /// What becomes of a caller, step by step.
    pub(crate) fn steps(&self) -> Vec<Node> {
        vec![Node::last(self.to_string())]
    }
}

/// The origins that no browser ever sends, and all of them where no browser comes in.
fn strange_origins((listen, origins): (&[BareEndpoint], &[String]), key: &KeyPath) -> Vec<Problem> {
    let is_http =
        |BareEndpoint(on): &BareEndpoint| matches!(on.scheme, Scheme::Http | Scheme::Https);
    if !origins.is_empty() && !listen.iter().any(is_http) {
        let expected = "an endpoint of http:// or https://";
        let wrong = Wrong::expected("`origins` means nothing here", expected);
        return vec![key.key("origins").wrong(wrong)];
    }
    let strange = origins.iter().filter_map(|origin| strange_origin(origin));
    strange.map(|wrong| key.key("origins").wrong(wrong)).collect()
}

impl fmt::Display for Messaging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hub, kept in {:?}", self.store.display())
    }
}
