//! A site: what answers the requests that come to some hosts at some listeners. Which table of the
//! configuration it is says how it answers.

mod handler;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub(crate) use handler::{Lasting, Parts};

use crate::{
    access_log::{AccessLog, To},
    base::Base,
    complaint::{KeyPath, Problem},
    front::{self, Front},
    proxy, serve,
    tree::Node,
};

/// A table with a name, word for word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Table {
    /// `[serve.NAME]`.
    Serve(Box<serve::Table>),
    /// `[proxy.NAME]`.
    Proxy(Box<proxy::Table>),
}

/// What a table with a name means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Site {
    /// Its name in the configuration.
    pub name: String,
    /// What it shows to callers.
    #[serde(flatten)]
    pub front: Front,
    /// How it answers.
    #[serde(flatten)]
    pub job: Job,
}

/// How a site answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Job {
    /// With files.
    Serve(serve::Files),
    /// With what other servers answer.
    Proxy(Box<proxy::Proxy>),
}

/// A log of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The key that names the file.
    pub(crate) key: KeyPath,
    /// The file.
    pub(crate) file: PathBuf,
    /// What is written there: logs of which this is the same may share a file.
    pub(crate) how: String,
}

impl Table {
    /// What it has of every site.
    pub(crate) fn front(&self) -> front::Table {
        match self {
            Self::Serve(table) => table.front(),
            Self::Proxy(table) => table.front(),
        }
    }

    /// The flag of the command of the same name that says what `key` says in a file.
    pub(crate) fn flag_of(&self, key: &KeyPath) -> Option<&'static str> {
        match self {
            Self::Serve(_) => serve::flag_of(key),
            Self::Proxy(_) => proxy::flag_of(key),
        }
    }

    /// The command of the same name.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::Serve(_) => "serve",
            Self::Proxy(_) => "proxy",
        }
    }
}

impl Site {
    /// Whether its clients name whom to ask.
    pub(crate) fn is_forward(&self) -> bool {
        matches!(&self.job, Job::Proxy(proxy) if proxy.is_forward())
    }

    /// Resolves `table`, which is called `name`.
    pub(crate) fn plan(name: &str, table: &Table, base: &Base) -> Result<Self, Vec<Problem>> {
        let key = KeyPath::of([table.verb(), name]);
        let front = Front::plan(table.front(), base, &key);
        let job = match table {
            Table::Serve(table) => serve::Files::plan(table, base, &key).map(Job::Serve),
            Table::Proxy(table) => {
                proxy::Proxy::plan(table, base, &key).map(Box::new).map(Job::Proxy)
            }
        };
        match (front, job) {
            (Ok(front), Ok(job)) => Ok(Self { name: name.to_owned(), front, job }),
            (front, job) => {
                Err(front.err().into_iter().chain(job.err().into_iter().flatten()).collect())
            }
        }
    }

    /// The key of its table.
    pub fn key(&self) -> KeyPath {
        KeyPath::of([self.job.verb(), &self.name])
    }

    /// What it is called where people read: `serve files for example.org`.
    pub(crate) fn title(&self) -> String {
        let mut title = format!("{} {}", self.job.verb(), self.name);
        let hosts: Vec<String> = self.front.hosts.iter().map(|host| host.0.to_string()).collect();
        if !hosts.is_empty() {
            title += " for ";
            title += &hosts.join(", ");
        }
        title
    }

    /// The files that it writes to.
    pub(crate) fn logs(&self) -> Vec<Written> {
        let key = self.key();
        let written =
            |key: KeyPath, file: &Path, how: String| Written { key, file: file.to_owned(), how };
        let mut logs = Vec::new();
        if let Some(log @ AccessLog { to: To::File(file), .. }) = &self.front.access_log {
            logs.push(written(
                key.key("access_log").key("file"),
                file,
                format!("access log {log}"),
            ));
        }
        let Job::Proxy(proxy) = &self.job else { return logs };
        let proxy::Proxy { sniff, block, .. } = &**proxy;
        let block = block.as_ref().and_then(|block| block.log.as_ref());
        for (name, log) in [("sniff", sniff.as_ref()), ("block", block)] {
            logs.extend(log.map(|log| {
                written(key.key(name).key("log"), &log.path, format!("{name} {log:?}"))
            }));
        }
        logs
    }

    /// Each step of a request behind the one before it.
    pub(crate) fn steps(&self) -> Vec<Node> {
        let mut steps = match &self.job {
            Job::Serve(files) => vec![Node::last(files.to_string())],
            Job::Proxy(proxy) => proxy.steps(),
        };
        let Front { hosts: _, own_names: _, access_log, auth } = &self.front;
        let auth = auth.as_ref().map(|auth| format!("auth: {auth}"));
        let log = access_log.as_ref().map(|log| format!("log: {log}"));
        for text in auth.into_iter().chain(log) {
            steps = vec![Node::before(text, steps)];
        }
        steps
    }
}

impl Job {
    /// The command of the same name.
    fn verb(&self) -> &'static str {
        match self {
            Self::Serve(_) => "serve",
            Self::Proxy(_) => "proxy",
        }
    }
}
