//! A service: what is spoken with those who call at some endpoints, where that is not HTTP. Which
//! table of the configuration it is says what.

mod handler;

use relais_net::{Endpoint, Scheme};
use serde::Serialize;

pub(crate) use handler::{Lasting, Parts};

use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    hub, listen, relay,
    site::Written,
    spelling::BareEndpoint,
    tls,
    tree::Node,
};

/// A table with a name, word for word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Table {
    /// `[hub.NAME]`.
    Hub(Box<hub::Table>),
    /// `[listen.NAME]`.
    Listen(Box<listen::Table>),
    /// `[relay.NAME]`.
    Relay(Box<relay::Table>),
}

/// What a table with a name means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Its name in the configuration.
    pub name: String,
    /// What is spoken.
    #[serde(flatten)]
    pub job: Job,
}

/// What is spoken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Messages between those who call.
    Hub(Box<hub::Messaging>),
    /// A small dialogue.
    Listen(Box<listen::Dialogue>),
    /// Streams and datagrams passed on as they are.
    Relay(Box<relay::Relay>),
}

/// Where a service is to be found, and how it proves there who it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Where<'t> {
    /// The name of the key that says where.
    pub(crate) key: &'static str,
    /// What it says.
    pub(crate) on: &'t [BareEndpoint],
    pub(crate) tls: &'t tls::Table,
}

impl Table {
    /// Where it is to be found.
    pub(crate) fn at(&self) -> Where<'_> {
        match self {
            Self::Hub(table) => Where { key: "listen", on: &table.listen, tls: &table.tls },
            Self::Listen(table) => Where { key: "on", on: &table.on, tls: &table.tls },
            Self::Relay(table) => Where { key: "listen", on: &table.listen, tls: &table.tls },
        }
    }

    /// The flag of the command of the same name that says what `key` says in a file.
    pub(crate) fn flag_of(&self, key: &KeyPath) -> Option<&'static str> {
        match self {
            Self::Hub(_) => hub::flag_of(key),
            Self::Listen(_) => listen::flag_of(key),
            Self::Relay(_) => relay::flag_of(key),
        }
    }

    /// The command of the same name.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::Hub(_) => "hub",
            Self::Listen(_) => "listen",
            Self::Relay(_) => "relay",
        }
    }
}

impl Service {
    /// Resolves `table`, which is called `name`.
    pub(crate) fn plan(name: &str, table: &Table, base: &Base) -> Result<Self, Vec<Problem>> {
        let key = KeyPath::of([table.verb(), name]);
        let job = match table {
            Table::Hub(table) => {
                hub::Messaging::plan(table, base, &key).map(Box::new).map(Job::Hub)
            }
            Table::Listen(table) => {
                listen::Dialogue::plan(table, base, &key).map(Box::new).map(Job::Listen)
            }
            Table::Relay(table) => {
                relay::Relay::plan(table, base, &key).map(Box::new).map(Job::Relay)
            }
        };
        Ok(Self { name: name.to_owned(), job: job? })
    }

    /// Whether it is spoken over `scheme`.
    pub(crate) fn judge(&self, on: &Endpoint) -> Result<(), Wrong> {
        match (&self.job, on.scheme) {
            (Job::Listen(_), Scheme::Http | Scheme::Https) => {
                let what = format!("no dialogue over {}: {:?}", on.scheme, on.to_string());
                Err(Wrong::expected(what, "tcp, tls, udp, unix, ws or wss"))
            }
            (Job::Listen(_), _) => Ok(()),
            (Job::Hub(_), _) => hub::Messaging::judge(on),
            (Job::Relay(_), _) => relay::Relay::judge(on),
        }
    }

    /// Whether callers at `on` are asked for a certificate, whoever signed it.
    pub(crate) fn asks(&self, on: &Endpoint) -> tls::Asks {
        match &self.job {
            Job::Hub(messaging) => messaging.asks(on),
            Job::Listen(_) | Job::Relay(_) => tls::Asks::Nothing,
        }
    }

    /// The schemes over which it is spoken under TLS, for people.
    pub(crate) fn secure_schemes(&self) -> &'static str {
        match &self.job {
            Job::Hub(_) => "`tls://` or `https://`",
            Job::Listen(_) => "`tls://` or `wss://`",
            Job::Relay(_) => "`tls://`",
        }
    }

    /// The key of its table.
    pub fn key(&self) -> KeyPath {
        KeyPath::of([self.job.verb(), &self.name])
    }

    /// What it is called where people read: `listen echo`.
    pub(crate) fn title(&self) -> String {
        let verb = self.job.verb();
        // A hub that is called `hub` is one.
        if *self.name == *verb { verb.to_owned() } else { format!("{verb} {}", self.name) }
    }

    /// What it does for callers at `on`, in a few words.
    pub(crate) fn does(&self, on: &Endpoint) -> String {
        match &self.job {
            Job::Hub(messaging) => messaging.to_string(),
            Job::Listen(dialogue) => dialogue.to_string(),
            Job::Relay(relay) => relay.does(on),
        }
    }

    /// The logs that it writes; nobody else may have their files.
    pub(crate) fn logs(&self) -> Vec<Written> {
        let log = match &self.job {
            Job::Hub(_) | Job::Listen(_) => None,
            Job::Relay(relay) => relay.log.as_ref().filter(|log| log.as_os_str() != "-"),
        };
        let key = self.key().key("log");
        let written = |file| Written { how: key.to_string(), key: key.clone(), file };
        log.cloned().map(written).into_iter().collect()
    }

    /// What is shown on standard output while it runs.
    pub(crate) fn shows(&self) -> listen::Shows {
        match &self.job {
            Job::Hub(_) => listen::Shows::Nothing,
            Job::Listen(dialogue) => dialogue.shows(),
            Job::Relay(relay) => relay.shows(),
        }
    }

    /// What becomes of a caller at `on`, step by step.
    pub(crate) fn steps(&self, on: &Endpoint) -> Vec<Node> {
        match &self.job {
            Job::Hub(messaging) => messaging.steps(),
            Job::Listen(dialogue) => vec![Node::last(dialogue.to_string())],
            Job::Relay(relay) => relay.steps(on),
        }
    }
}

impl Job {
    /// The command of the same name.
    fn verb(&self) -> &'static str {
        match self {
            Self::Hub(_) => "hub",
            Self::Listen(_) => "listen",
            Self::Relay(_) => "relay",
        }
    }
}
