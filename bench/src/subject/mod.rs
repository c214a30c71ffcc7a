//! Who is measured, at what, and how each is set up: commands and configurations, as they are run
//! and as they are reported.

mod haproxy;
mod lighttpd;
mod messaging;
mod nginx;
mod plain;
mod relais;
mod squid;
mod traffic_server;
mod varnish;

use crate::site::Served;

/// A program, and what it is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) program: Program,
    pub(crate) task: Task,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Relais,
    /// nginx with `tcp_nopush on`: head and body leave in full segments.
    NginxNopush,
    /// nginx with `tcp_nopush off`, its default.
    Nginx,
    /// nginx that passes on the end of one direction as that, which its default does not.
    NginxHalfClose,
    Lighttpd,
    Haproxy,
    Varnish,
    TrafficServer,
    Squid,
    Mitmdump,
    Socat,
    Grep,
    Wrk,
    Ngircd,
    InspIrcd,
    NatsServer,
    /// What a server costs that does nothing ([`crate::floor`]).
    Floor,
}

/// What is asked of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Files.
    Serve,
    /// Each request passed on to the origin.
    Pass,
    /// Answers kept in memory, or in files that are in the page cache.
    Cache,
    /// Answers kept on disk, most of them in files that are in the page cache and not in memory.
    CacheOnDisk,
    /// [`Task::Pass`], with a line of a log for each exchange.
    Sniff,
    /// [`Task::Pass`], with a list of 100,000 rules.
    Block,
    /// Both.
    SniffAndBlock,
    /// Bytes as they are.
    Relay,
    /// Datagrams back to who sent them.
    EchoDatagrams,
    /// Datagrams as they are.
    RelayDatagrams,
    /// A word in such a log.
    Search,
    /// As many requests to a server as it answers.
    Load,
    /// Messages between many.
    Message,
}

/// Where a server finds and puts things: paths and ports, or names for them in a report.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) relais: String,
    pub(crate) bench: String,
    pub(crate) root: String,
    pub(crate) cert: String,
    pub(crate) key: String,
    /// The block list.
    pub(crate) rules: String,
    /// The log to be searched.
    pub(crate) log: String,
    /// What makes wrk print exact numbers.
    pub(crate) exact: String,
    /// A folder of the server's own.
    pub(crate) scratch: String,
    pub(crate) http: String,
    pub(crate) https: String,
    /// The port of the server behind it.
    pub(crate) origin: String,
}

/// How a subject is started.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    pub(crate) command: Vec<String>,
    /// What is added to the environment of its command.
    pub(crate) env: Vec<(&'static str, String)>,
    /// The names of files in its folder, and what they say.
    pub(crate) files: Vec<(&'static str, String)>,
    /// Empty folders in its folder.
    pub(crate) folders: &'static [&'static str],
}

impl Program {
    pub(crate) const fn at(self, task: Task) -> Subject {
        Subject { program: self, task }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Relais => "relais",
            Self::NginxNopush => "nginx, tcp_nopush on",
            Self::Nginx => "nginx, tcp_nopush off",
            Self::NginxHalfClose => "nginx stream, proxy_half_close on",
            Self::Lighttpd => "lighttpd",
            Self::Haproxy => "HAProxy",
            Self::Varnish => "Varnish",
            Self::TrafficServer => "Traffic Server",
            Self::Squid => "Squid",
            Self::Mitmdump => "mitmdump",
            Self::Socat => "socat",
            Self::Grep => "grep",
            Self::Wrk => "wrk",
            Self::Ngircd => "ngIRCd",
            Self::InspIrcd => "InspIRCd",
            Self::NatsServer => "nats-server",
            Self::Floor => "floor",
        }
    }
}

impl Task {
    /// As the heading of a setup.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Serve => "files",
            Self::Pass => "passing on",
            Self::Cache => "caching",
            Self::CacheOnDisk => "caching on disk",
            Self::Sniff => "sniffing",
            Self::Block => "blocking",
            Self::SniffAndBlock => "sniffing and blocking",
            Self::Relay => "relaying",
            Self::EchoDatagrams => "echoing datagrams",
            Self::RelayDatagrams => "relaying datagrams",
            Self::Search => "searching",
            Self::Load => "putting under load",
            Self::Message => "messages",
        }
    }
}

impl Subject {
    /// As in a table whose rows have one task, or say otherwise.
    pub(crate) fn name(self) -> &'static str {
        match self.task {
            Task::Sniff => "relais --sniff",
            Task::Block => "relais --block",
            Task::SniffAndBlock => "relais --sniff --block",
            Task::CacheOnDisk => "relais, from disk",
            Task::Relay if self.program == Program::Nginx => "nginx stream",
            Task::Serve
            | Task::Pass
            | Task::Cache
            | Task::Relay
            | Task::EchoDatagrams
            | Task::RelayDatagrams
            | Task::Load
            | Task::Message
            | Task::Search => self.program.name(),
        }
    }

    /// As the heading of its setup.
    pub(crate) fn heading(self) -> String {
        format!("{}: {}", self.program.name(), self.task.name())
    }

    /// Whether it has a TLS listener here.
    pub(crate) fn speaks_tls(self) -> bool {
        let can = matches!(self.program, Program::Relais | Program::NginxNopush | Program::Nginx);
        (can && self.task == Task::Serve)
            || (self.program == Program::Relais && self.task == Task::Message)
    }

    /// Whether there is an origin behind it.
    pub(crate) fn passes_on(self) -> bool {
        !matches!(
            self.task,
            Task::Serve | Task::Search | Task::EchoDatagrams | Task::Load | Task::Message
        )
    }

    /// What can be asked for.
    pub(crate) fn files(self) -> &'static [Served] {
        match self.program {
            // It sends one file whatever is asked for; rows ask it for no other.
            Program::Floor => &[Served::Small],
            Program::Relais | Program::Nginx | Program::NginxNopush
                if matches!(self.task, Task::Cache | Task::CacheOnDisk) =>
            {
                &Served::ALL
            }
            _ if self.passes_on() => &[Served::Small, Served::Medium],
            _ => &Served::ALL,
        }
    }

    /// The most seconds that it is loaded for: who is far slower needs no long look.
    pub(crate) fn seconds(self, usual: u64) -> u64 {
        if self.program == Program::Mitmdump { usual.min(MITMDUMP_SECONDS) } else { usual }
    }

    pub(crate) fn setup(self, place: &Place) -> Setup {
        match self.program {
            Program::Relais => relais::setup(self.task, place),
            Program::NginxNopush => nginx::setup(self.task, "on", place),
            Program::NginxHalfClose => nginx::relay("on", place),
            Program::Nginx => nginx::setup(self.task, "off", place),
            Program::Lighttpd => lighttpd::setup(place),
            Program::Haproxy => haproxy::setup(self.task, place),
            Program::Varnish => varnish::setup(self.task, place),
            Program::TrafficServer => traffic_server::setup(self.task, place),
            Program::Squid => squid::setup(self.task, place),
            Program::Mitmdump => plain::mitmdump(place),
            Program::Socat => plain::socat(place),
            Program::Grep => plain::grep(place),
            Program::Wrk => plain::wrk(place),
            Program::Ngircd => messaging::ngircd(place),
            Program::InspIrcd => messaging::inspircd(place),
            Program::NatsServer => messaging::nats_server(place),
            Program::Floor => plain::floor(self.task, place),
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The name of the file with the floor's response head.
pub(crate) const HEAD: &str = "head";
/// The name of the sniffer's log in relais's folder.
pub(crate) const SNIFFED: &str = "sniffed.jsonl";
/// The name of a hub's store in relais's folder.
pub(crate) const STORE: &str = "hub.db";
/// The connections of who puts a server under load.
pub(crate) const LOAD_CONNECTIONS: &str = "64";
/// What is searched for: letters that are not rare.
pub(crate) const WORD: &str = "invoice";

/// How many connections a peer is told to expect: more than any row opens.
const CONNECTIONS_MAX: u32 = 12_000;
const MITMDUMP_SECONDS: u64 = 2;
