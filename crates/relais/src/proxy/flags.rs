//! `relais proxy`: a `[proxy.front]` of one line.

use clap::Args;

use super::{Table, limits, upstream::HostField};
use crate::{
    complaint::KeyPath,
    front,
    spelling::{HttpEndpoint, Time},
};

/// What `relais proxy` takes.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// Where to listen
    ///
    /// `9000` is port 9000 of this machine alone, `:9000` of every address. `https://` takes its
    /// certificate from `--cert`, or from the local authority (see `relais cert`).
    #[arg(value_name = "LISTEN")]
    first: HttpEndpoint,
    /// Who is asked: `http://`, `https://` or `unix://`; `8081` is `http://127.0.0.1:8081`
    #[arg(value_name = "UPSTREAM", required = true)]
    upstream: Vec<HttpEndpoint>,
    /// Listen there, too; may be given again
    #[arg(short, long, value_name = "ENDPOINT")]
    listen: Vec<HttpEndpoint>,
    /// What upstreams are told in `Host`: `client` for what the client said, `upstream` for the
    /// upstream's own name, or a name [default: client; upstream for https://]
    #[arg(long, value_name = "NAME")]
    upstream_host: Option<HostField>,
    #[command(flatten)]
    front: front::Flags,
    /// How long until an upstream is reached [default: 5s]
    #[arg(long, value_name = "TIME")]
    connect_max: Option<Time>,
    /// How long until it begins to answer [default: 1m]
    #[arg(long, value_name = "TIME")]
    head_max: Option<Time>,
    /// How long its answer may be without a byte [default: 30s]
    #[arg(long, value_name = "TIME")]
    stall_max: Option<Time>,
    /// How long a connection to it is kept for the next request [default: 15s]
    #[arg(long, value_name = "TIME")]
    idle_max: Option<Time>,
    /// What we are called in `Via` [default: drawn at the start]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  relais proxy 9000 8081                       http://127.0.0.1:9000 before http://127.0.0.1:8081
  relais proxy https://:443 unix:///run/app.sock --host example.org
  relais proxy :8080 http://10.0.0.1:8080 http://10.0.0.2:8080 --access-log -";

/// The name of the table that a command line is.
const NAME: &str = "front";

impl Flags {
    /// The table that says the same, and its name.
    pub(crate) fn table(self) -> (String, Table) {
        let Self {
            first,
            upstream,
            listen,
            upstream_host,
            front,
            connect_max,
            head_max,
            stall_max,
            idle_max,
            name,
        } = self;
        let listen = std::iter::once(first).chain(listen).collect();
        let front::Table { listen, hosts, tls, access_log, auth } = front.table(listen);
        let limits = limits::Table { connect_max, head_max, stall_max, idle_max };
        let table =
            Table { listen, upstream, upstream_host, limits, name, hosts, access_log, auth, tls };
        (NAME.to_owned(), table)
    }
}

/// The flag that says what `key` says in a file.
pub(crate) fn flag_of(key: &KeyPath) -> Option<&'static str> {
    Some(match key.names().get(2..)? {
        ["listen"] => "LISTEN",
        ["upstream"] => "UPSTREAM",
        ["upstream_host"] => "--upstream-host",
        ["limits", "connect_max"] => "--connect-max",
        ["limits", "head_max"] => "--head-max",
        ["limits", "stall_max"] => "--stall-max",
        ["limits", "idle_max"] => "--idle-max",
        ["name"] => "--name",
        _ => return front::flag_of(key),
    })
}
