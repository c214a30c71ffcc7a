//! `relais relay`: a `[relay.front]` of one line.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{
    Table, limits,
    names::{self, Named},
    shape,
    table::SendProxy,
};
use crate::{
    complaint::KeyPath,
    proxy::Balance,
    spelling::{Addresses, BareEndpoint, Rate, Size, Time},
    tls, upstream_tls,
};

/// The name of the table that a command line is.
const NAME: &str = "front";

/// What `relais relay` takes.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// Where to listen: `tcp://`, `tls://`, `udp://` or `unix://`; `9000` is TCP's port 9000 of this machine
    /// alone, `:9000` of every address
    #[arg(value_name = "LISTEN")]
    first: BareEndpoint,
    /// Who is called: `tcp://`, `tls://`, `udp://` or `unix://`; `8081` is `tcp://127.0.0.1:8081`
    #[arg(value_name = "UPSTREAM", required_unless_present = "sni")]
    upstream: Vec<BareEndpoint>,
    /// Listen there, too; may be given again
    #[arg(short, long, value_name = "ENDPOINT")]
    listen: Vec<BareEndpoint>,
    /// Call another upstream for callers who ask for this name under TLS, which is passed through as
    /// it is, or ends here where they call at `tls://`; `*.example.org` is every name below; may be
    /// given again
    #[arg(long, value_name = "NAME=UPSTREAM", value_parser = names::named)]
    sni: Vec<Named>,
    /// Which of several is called: the less busy of two, each in turn, or the same for the same caller
    /// [default: least]
    #[arg(long, value_name = "WAY")]
    balance: Option<Balance>,
    /// Call them so often to see whether they are there, and pass over who is not
    #[arg(long, value_name = "TIME")]
    check_every: Option<Time>,
    /// Let only callers from there in, e.g. 10.0.0.0/8; may be given again
    #[arg(long, value_name = "ADDRESSES")]
    allow: Vec<Addresses>,
    /// Let no callers from there in; may be given again
    #[arg(long, value_name = "ADDRESSES")]
    deny: Vec<Addresses>,
    /// Callers from there are relays, too, and tell first who called them (PROXY); may be given again
    #[arg(long, value_name = "ADDRESSES")]
    accept_proxy: Vec<Addresses>,
    /// Tell upstreams first who called (PROXY)
    #[arg(long, value_name = "VERSION")]
    send_proxy: Option<SendProxy>,
    /// Write a line of JSON for each connection, `-` to standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    log: Option<PathBuf>,
    /// How large that file may become before another is begun [default: 64MiB]
    #[arg(long, value_name = "SIZE", requires = "log")]
    log_size_max: Option<Size>,
    /// How many older ones are kept [default: 5]
    #[arg(long, value_name = "NUMBER", requires = "log")]
    log_keep: Option<u32>,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    impair: shape::Flags,
    #[command(flatten)]
    tls: tls::Flags,
    #[command(flatten)]
    upstream_tls: upstream_tls::Flags,
}

/// The flags about time and pace.
#[derive(Clone, Copy, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Limits")]
struct LimitFlags {
    /// How long until an upstream is reached [default: 5s]
    #[arg(long, value_name = "TIME")]
    connect_max: Option<Time>,
    /// How long its TLS handshake may take [default: 5s]
    #[arg(long, value_name = "TIME")]
    handshake_max: Option<Time>,
    /// How long a caller may take to say which name of `--sni` it wants [default: 5s]
    #[arg(long, value_name = "TIME", requires = "sni")]
    hello_max: Option<Time>,
    /// How long nothing may pass [default: 10m; of datagrams, before a sender is forgotten, 2m]
    #[arg(long, value_name = "TIME")]
    idle_max: Option<Time>,
    /// The same once one side has ended, and the other was told [default: 1m]
    #[arg(long, value_name = "TIME")]
    half_closed_max: Option<Time>,
    /// How long a connection may be open in all [default: any time]
    #[arg(long, value_name = "TIME")]
    total_max: Option<Time>,
    /// The most bytes a second of a connection, each way, e.g. 1Mbit or 64KiB [default: any number]
    #[arg(long, value_name = "RATE", conflicts_with_all = ["rate_up", "rate_down"])]
    rate: Option<Rate>,
    /// The same to the server
    #[arg(long, value_name = "RATE")]
    rate_up: Option<Rate>,
    /// The same from the server
    #[arg(long, value_name = "RATE")]
    rate_down: Option<Rate>,
    /// How many senders of datagrams are remembered at once [default: 10000, or what descriptors allow]
    #[arg(long, value_name = "NUMBER")]
    senders_max: Option<usize>,
}

const EXAMPLES: &str = "\
Examples:
  relais relay 9000 8081                        tcp://127.0.0.1:9000 before tcp://127.0.0.1:8081
  relais relay tls://:6697 unix:///run/irc.sock TLS ends here
  relais relay 9000 tls://example.org:443       TLS begins here
  relais relay :443 --sni a.example=10.0.0.1:443 --sni '*.b.example=10.0.0.2:443'
  relais relay udp://:53 udp://10.0.0.1:53      datagrams
  relais relay :5432 10.0.0.1:5432 10.0.0.2:5432 --check-every 5s --log -";

impl Flags {
    /// The table that says the same, and its name.
    pub(crate) fn table(self) -> (String, Table) {
        let Self {
            first,
            upstream,
            listen,
            sni,
            balance,
            check_every,
            allow,
            deny,
            accept_proxy,
            send_proxy,
            log,
            log_size_max,
            log_keep,
            limits,
            impair,
            tls,
            upstream_tls,
        } = self;
        let table = Table {
            listen: std::iter::once(first).chain(listen).collect(),
            upstream,
            sni: names::table(sni),
            upstream_tls: upstream_tls.table(),
            balance,
            check_every,
            allow,
            deny,
            accept_proxy,
            send_proxy,
            log,
            log_size_max,
            log_keep,
            limits: limits.table(),
            impair: impair.table(),
            tls: tls.table(),
        };
        (NAME.to_owned(), table)
    }
}

impl LimitFlags {
    /// The table that says the same.
    fn table(self) -> limits::Table {
        limits::Table {
            connect_max: self.connect_max,
            handshake_max: self.handshake_max,
            hello_max: self.hello_max,
            idle_max: self.idle_max,
            half_closed_max: self.half_closed_max,
            total_max: self.total_max,
            rate_up: self.rate_up.or(self.rate),
            rate_down: self.rate_down.or(self.rate),
            senders_max: self.senders_max,
        }
    }
}

/// The flag that says what `key` says in a file.
pub(crate) fn flag_of(key: &KeyPath) -> Option<&'static str> {
    Some(match key.names().get(2..)? {
        ["listen"] => "LISTEN",
        ["upstream"] => "UPSTREAM",
        ["sni", ..] => "--sni",
        ["balance"] => "--balance",
        ["check_every"] => "--check-every",
        ["allow"] => "--allow",
        ["deny"] => "--deny",
        ["accept_proxy"] => "--accept-proxy",
        ["send_proxy"] => "--send-proxy",
        ["log"] => "--log",
        ["log_size_max"] => "--log-size-max",
        ["log_keep"] => "--log-keep",
        ["limits", "connect_max"] => "--connect-max",
        ["limits", "handshake_max"] => "--handshake-max",
        ["limits", "hello_max"] => "--hello-max",
        ["limits", "idle_max"] => "--idle-max",
        ["limits", "half_closed_max"] => "--half-closed-max",
        ["limits", "total_max"] => "--total-max",
        ["limits", "rate_up"] => "--rate-up",
        ["limits", "rate_down"] => "--rate-down",
        ["limits", "senders_max"] => "--senders-max",
        ["impair", "delay"] => "--delay",
        ["impair", "reset_after"] => "--reset-after",
        ["impair", "close_after"] => "--close-after",
        ["impair", "corrupt"] => "--corrupt",
        ["impair", "slice"] => "--slice",
        ["impair", "seed"] => "--seed",
        ["impair", "loss"] => "--loss",
        ["impair", "duplicate"] => "--duplicate",
        ["impair", "reorder"] => "--reorder",
        ["upstream_tls", "ca"] => "--ca",
        ["upstream_tls", "insecure"] => "--insecure",
        ["upstream_tls", "key"] => "--upstream-key",
        ["upstream_tls", ..] => "--upstream-cert",
        ["tls", keys @ ..] => tls::flag_of(keys.first().copied()),
        _ => return None,
    })
}
