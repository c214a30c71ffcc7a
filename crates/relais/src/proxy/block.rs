//! `block = { list, log, status, by }`: what must not be asked for.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueHint};
use relais_http::{
    Handler,
    block::{BlockList, Blocked, BlockedBy, BlockedRequest, ListError, Notice},
    line_log::LineLog,
};
use relais_net::Peer;
use relais_wire::exchange::{End, Exchange};
use serde::{Deserialize, Serialize};

use super::log_file::LogFile;
use crate::{
    base::Base,
    clock,
    complaint::{KeyPath, Problem, Wrong},
};

/// The table, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ list = \"blocked.txt\" }`")]
pub(crate) struct Table {
    /// One rule a line.
    list: PathBuf,
    /// Where a line goes for each request that is blocked.
    log: Option<PathBuf>,
    /// As what it is answered.
    status: Option<u16>,
    /// The page of who wants it blocked.
    by: Option<String>,
}

/// The flags that say the same.
#[derive(Clone, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Block list")]
pub(crate) struct Flags {
    /// Refuse what the rules in this file name: a host suffix, a URL part or a glob a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    block: Option<PathBuf>,
    /// Write a line of JSON for each request that is refused so
    #[arg(long, value_name = "FILE", requires = "block", value_hint = ValueHint::FilePath)]
    block_log: Option<PathBuf>,
    /// As what it is answered: 403 or 451 [default: 403]
    #[arg(long, value_name = "STATUS", requires = "block")]
    block_status: Option<u16>,
    /// The page of who wants that, told along with 451
    #[arg(long, value_name = "URL", requires = "block_status", value_hint = ValueHint::Url)]
    block_by: Option<String>,
}

/// What must not be asked for, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Block {
    /// One rule a line. Read again when it changes.
    pub list: PathBuf,
    /// Where a line goes for each request that is blocked.
    pub log: Option<LogFile>,
    /// As what it is answered: 403 or 451.
    pub status: u16,
    /// The page of who wants it blocked, for 451.
    pub by: Option<String>,
}

impl Flags {
    /// The table that says the same.
    pub(super) fn table(self) -> Option<Table> {
        let Self { block, block_log: log, block_status: status, block_by: by } = self;
        block.map(|list| Table { list, log, status, by })
    }
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(&self, base: &Base, key: &KeyPath) -> Result<Block, Vec<Problem>> {
        let Self { list, log, status, by } = self;
        let mut problems = Vec::new();
        let status = status.unwrap_or(FORBIDDEN);
        if ![FORBIDDEN, LEGAL].contains(&status) {
            let wrong = Wrong::expected(format!("bad status {status}"), "403 or 451");
            problems.push(key.key("status").wrong(wrong));
        }
        if let Some(Err(error)) = by.as_deref().map(str::parse::<BlockedBy>) {
            problems.push(key.key("by").wrong(Wrong::from_error(&error)));
        } else if let Some(by) = by.as_ref().filter(|_| status != LEGAL) {
            let wrong = Wrong::expected(
                format!("nothing is done with {by:?}"),
                "`status` to be 451, which tells it",
            );
            problems.push(key.key("by").wrong(wrong));
        }
        let list = base.join(list);
        let log = log.as_ref().map(|log| base.join(log));
        if log.as_ref() == Some(&list) {
            let what = format!("the list and its log are the same file: {:?}", list.display());
            problems.push(key.key("log").wrong(Wrong::expected(what, "another")));
        }
        let log = log.map(LogFile::at);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Block { list, log, status, by: by.clone() })
    }
}

/// A list that was read, and as what it is answered.
#[derive(Debug)]
pub(super) struct Read {
    list: Arc<BlockList>,
    notice: Notice,
}

/// How often lists are looked at for changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Block {
    /// Reads the list.
    pub(super) fn read(&self, key: &KeyPath) -> Result<Read, Vec<Problem>> {
        let Self { list, log: _, status, by } = self;
        let by = by.as_deref().map(|by| by.parse().expect("a URL that was read before"));
        let notice = if *status == LEGAL { Notice::Legal(by) } else { Notice::Forbidden };
        let list = BlockList::load(list.clone());
        let list = list.map_err(|error| {
            let wrong = self.malformed(&error);
            wrong.into_iter().map(|wrong| key.key("list").wrong(wrong)).collect::<Vec<_>>()
        })?;
        Ok(Read { list: Arc::new(list), notice })
    }
}

impl Block {
    /// What is wrong with the list, line by line.
    fn malformed(&self, error: &ListError) -> Vec<Wrong> {
        let ListError::Malformed { path, source } = error else {
            return vec![Wrong::from_error(error).at_home(&self.list)];
        };
        let lines = source
            .lines
            .iter()
            .map(|bad| Wrong::from_message(&format!("{}:{}: {bad}", path.display(), bad.line)));
        lines.collect()
    }
}

impl Read {
    /// The list.
    pub(super) fn list(&self) -> &Arc<BlockList> {
        &self.list
    }

    /// Keeps from `inner` what is blocked, and tells `log` of it; follows the changes of the list.
    /// `key` is its table's.
    pub(super) fn before<H: Handler>(
        self,
        inner: H,
        log: Option<LineLog>,
        key: &KeyPath,
    ) -> Result<Blocked<H>, Problem> {
        let Self { list, notice } = self;
        let status = if notice == Notice::Forbidden { FORBIDDEN } else { LEGAL };
        BlockList::watch(&list, LOOK_EVERY).map_err(|error| {
            let why = Wrong::from_error(&error).what;
            let what = format!("cannot follow {:?}: {why}", list.path().display());
            key.key("list").wrong(Wrong { what, expected: None, hint: None })
        })?;
        let blocked = Blocked::new(inner, list, notice);
        Ok(match log {
            Some(log) => blocked.telling(Arc::new(move |request| note(request, status, &log))),
            None => blocked,
        })
    }
}

/// Notes a request that was blocked like any other exchange, so that both are searched alike.
fn note(request: &BlockedRequest<'_>, status: u16, log: &LineLog) {
    let BlockedRequest { caller, method, target, rule, list: _ } = *request;
    let client = match caller.peer {
        Peer::Net(address) => Some(address),
        Peer::Local => None,
    };
    let exchange = Exchange {
        client,
        method: method.as_str().into(),
        url: target.to_string().into(),
        host: target.host.into(),
        status: Some(status),
        blocked: Some(rule.text.into()),
        end: End::Whole,
        ..Exchange::at(clock::now())
    };
    log.note(|line| exchange.print(line));
}

/// What is answered if nothing is said.
const FORBIDDEN: u16 = 403;

/// 451 Unavailable For Legal Reasons (RFC 7725).
const LEGAL: u16 = 451;

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { list, log, status, by } = self;
        write!(f, "{}, answered with {status}", list.display())?;
        if let Some(by) = by {
            write!(f, " by {by}")?;
        }
        match log {
            Some(log) => write!(f, ", log {log}"),
            None => Ok(()),
        }
    }
}
