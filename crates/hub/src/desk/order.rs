//! What clients' tasks ask of the desk.

use std::{fmt, sync::Arc};

use tokio::sync::{mpsc, oneshot};

use super::{Chore, Outcome};
use crate::{
    hall::{ClientId, Group},
    model::{AccountId, Said},
    proof::TokenHash,
    protocol::{Ask, Code, EventsBy, Place, Refusal, Resume, Secret},
    store::Stays,
};

/// Who asks, and what it calls what it asks.
pub(super) type Asked = (ClientId, Option<u64>);

/// What was looked for, if it is there; refused, where the store cannot be read.
pub(crate) type Found<T> = Result<Option<T>, Refusal>;

/// Something that is to be done in its turn.
#[derive(Debug)]
pub(crate) enum Order {
    /// Another core has clients: from here on it is told all.
    Open { hall: mpsc::UnboundedSender<Arc<Group>>, number: oneshot::Sender<usize> },
    /// Who has this name, and what its password is held against.
    Find { name: String, found: oneshot::Sender<Found<(AccountId, String)>> },
    /// A client is to have a new account.
    Register {
        client: ClientId,
        re: Option<u64>,
        name: String,
        phc: Secret,
        admission: Admission,
        device: NewDevice,
        entered: oneshot::Sender<Entering>,
    },
    /// Whose hook it is that hashes to this.
    Hooked { hash: TokenHash, found: oneshot::Sender<Found<Hooked>> },
    /// An account is to have a hook for a room.
    Hook { client: ClientId, account: AccountId, re: Option<u64>, room: Place, hook: NewDevice },
    /// An account is to be known by the certificate of this fingerprint, which its client has shown.
    Certify {
        client: ClientId,
        account: AccountId,
        re: Option<u64>,
        name: String,
        fingerprint: TokenHash,
    },
    /// A client showed who it is.
    Enter { client: ClientId, re: Option<u64>, entry: Entrance, entered: oneshot::Sender<Entering> },
    /// An account has another password from here on.
    Repassword { client: ClientId, re: Option<u64>, shown: Shown, phc: Secret },
    /// A client's account is to be deleted, which showed its password.
    Unregister { client: ClientId, re: Option<u64>, shown: Shown, said: Said },
    /// Who runs the hub has something done.
    Run { chore: Chore, done: oneshot::Sender<Result<Outcome, Refusal>> },
    /// All that was written is to be in the store's one file: the process ends.
    Close { closed: std::sync::mpsc::Sender<()> },
    /// A client that speaks by datagrams showed where it is.
    Wake { client: ClientId, waking: Waking, woken: oneshot::Sender<Result<(), Refusal>> },
    /// A client is gone.
    Leave { client: ClientId },
    /// A client of an account asks.
    Ask { client: ClientId, account: AccountId, re: Option<u64>, ask: Ask },
    /// A program asks by the hook of an account that hashes to this.
    Post { client: ClientId, account: AccountId, hash: TokenHash, ask: Ask },
}

/// A password that a client showed, as far as it is known where it is acted on: it may be good no more.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Whose it was.
    pub(crate) account: AccountId,
    /// What it was held against.
    pub(crate) phc: Secret,
}

/// What a hook is for.
#[derive(Debug)]
pub(crate) struct Hooked {
    /// Whose it is.
    pub(crate) account: AccountId,
    /// Where it speaks.
    pub(crate) room: Place,
    /// What it is called.
    pub(crate) name: String,
}

/// By what somebody may have an account.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Admission {
    /// Whoever asks may, or who runs the hub.
    Anybody,
    /// By an invitation.
    Invited(TokenHash),
}

/// Who a client is, once that is written down.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) account: AccountId,
    pub(crate) user: String,
    pub(crate) session: String,
}

/// Who a client is, or for what it was refused. The desk tells it of that; of what was undone nothing is said here.
pub(crate) type Entering = Result<Entered, Code>;

/// How somebody comes in.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) proof: Proof,
    pub(crate) resume: Option<Resume>,
}

/// Who speaks by datagrams.
#[derive(Debug)]
pub(crate) struct Waking {
    pub(crate) account: AccountId,
    /// What its session is called.
    pub(crate) session: String,
    /// By which way it hears events.
    pub(crate) events: EventsBy,
    /// Who heard them until then.
    pub(crate) from: ClientId,
}

/// By what a client showed who it is. Looked at again when it enters: it may be good no more.
pub(crate) enum Proof {
    /// By a token that hashes to this, by which it is known from here on, too.
    Token(TokenHash),
    /// By a certificate of this fingerprint, of which it has the key.
    Certificate(TokenHash),
    /// By a password, held against what is kept of it. From here on it is known by what it is given.
    Password { account: AccountId, phc: String, device: NewDevice },
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(hash) => f.debug_tuple("Token").field(hash).finish(),
            Self::Certificate(hash) => f.debug_tuple("Certificate").field(hash).finish(),
            Self::Password { account, .. } => f.debug_tuple("Password").field(account).finish(),
        }
    }
}

/// What a device is given, to be known by.
#[derive(Debug)]
pub(crate) struct NewDevice {
    /// What it is called by its owner.
    pub(crate) name: String,
    /// What its session is called.
    pub(crate) session: String,
    /// What it shows next time. Told once, or never.
    pub(crate) token: Secret,
    /// What is kept of that.
    pub(crate) hash: TokenHash,
    /// Whether it is told what to show: who types is not.
    pub(crate) stays: Stays,
}
