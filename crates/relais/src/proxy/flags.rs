//! `relais proxy`: a `[proxy.front]` of one line.

use clap::Args;

use super::{
    Table, block, cache_flags, edits, forward,
    group::{self, Balance},
    limits, routes, sniff,
    upstream::{HostField, Speaks},
};
use crate::{
    complaint::{Complaint, KeyPath},
    front,
    spelling::{Addresses, HttpEndpoint, Time},
    upstream_tls as trust,
};

/// What `relais proxy` takes.
#[derive(Clone, Debug, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// Where to listen
    ///
    /// `9000` is port 9000 of this machine alone, `:9000` of every address. `https://` takes its
    /// certificate from `--cert`, or from the local authority (see `relais cert`).
    #[arg(value_name = "LISTEN")]
    first: HttpEndpoint,
    /// Who is asked: `http://`, `https://` or `unix://`; `8081` is `http://127.0.0.1:8081`
    #[arg(id = "asked", value_name = "UPSTREAM", required_unless_present = "forward")]
    upstream: Vec<HttpEndpoint>,
    /// Listen there, too; may be given again
    #[arg(short, long, value_name = "ENDPOINT")]
    listen: Vec<HttpEndpoint>,
    #[command(flatten)]
    front: front::Flags,
    #[command(flatten)]
    cache: cache_flags::Flags,
    #[command(flatten)]
    sniff: sniff::Flags,
    #[command(flatten)]
    block: block::Flags,
    #[command(flatten)]
    upstreams: Upstreams,
    #[command(flatten)]
    trust: trust::Flags,
    #[command(flatten)]
    edits: edits::Flags,
    #[command(flatten)]
    forward: forward::Flags,
}

/// The flags about upstreams.
#[derive(Clone, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Upstreams")]
struct Upstreams {
    /// What upstreams are told in `Host`: `client` for what the client said, `upstream` for the
    /// upstream's own name, or a name [default: client; upstream for https://]
    #[arg(long, value_name = "NAME")]
    upstream_host: Option<HostField>,
    /// Which HTTP is spoken with upstreams; 2 in the clear without asking [default: 1.1]
    #[arg(long, value_name = "VERSION")]
    upstream_http: Option<Speaks>,
    /// Ask another upstream for paths that begin so; may be given again
    #[arg(long, value_name = "PATH=UPSTREAM", value_parser = routes::route)]
    route: Vec<routes::Table>,
    /// Which of several is asked: the less busy of two, each in turn, or the same for the same client
    /// [default: least]
    #[arg(long, value_name = "WAY")]
    balance: Option<Balance>,
    /// Ask them for this now and then, and pass over who does not answer well
    #[arg(long, value_name = "PATH")]
    health: Option<String>,
    /// How often [default: 5s]
    #[arg(long, value_name = "TIME", requires = "health")]
    health_every: Option<Time>,
    /// Believe what clients there say of the way before, e.g. 10.0.0.0/8; may be given again
    #[arg(long, value_name = "ADDRESSES")]
    trust: Vec<Addresses>,
    /// Pass on fields of requests whose names have a `_`, or what else is no letter, no digit and no `-`
    ///
    /// Many servers take `X_A` for `X-A`, so that clients could say what relais tells them alone.
    #[arg(long)]
    underscores: bool,
    /// How long until one is reached [default: 5s]
    #[arg(long, value_name = "TIME")]
    connect_max: Option<Time>,
    /// How long its TLS handshake may take [default: 5s]
    #[arg(long, value_name = "TIME")]
    handshake_max: Option<Time>,
    /// How long until it begins to answer [default: 1m]
    #[arg(long, value_name = "TIME")]
    head_max: Option<Time>,
    /// How long its answer may be without a byte [default: 30s]
    #[arg(long, value_name = "TIME")]
    stall_max: Option<Time>,
    /// How long it may take in all, from when it is asked to the end of its answer [default: any time]
    #[arg(long, value_name = "TIME")]
    total_max: Option<Time>,
    /// How long a connection to it is kept for the next request [default: 15s]
    #[arg(long, value_name = "TIME")]
    idle_max: Option<Time>,
    /// How many requests each is given at once, tunnels included [default: any number]
    #[arg(long, value_name = "NUMBER")]
    in_flight_max: Option<u32>,
    /// How many more wait until one is over; the next is answered 503 [default: 1024]
    #[arg(long, value_name = "NUMBER")]
    queue_max: Option<u32>,
    /// How long each of them waits [default: 10s]
    #[arg(long, value_name = "TIME")]
    queue_wait_max: Option<Time>,
    /// What we are called in `Via` [default: drawn at the start]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// Written out: the parser knows habits, too, which make its own less sure of what is required.
const USAGE: &str = "\
relais proxy [OPTIONS] <LISTEN> <UPSTREAM>...
       relais proxy [OPTIONS] <LISTEN> --forward";

const EXAMPLES: &str = "\
Examples:
  relais proxy 9000 8081                       http://127.0.0.1:9000 before http://127.0.0.1:8081
  relais proxy https://:443 unix:///run/app.sock --host example.org
  relais proxy :8080 http://10.0.0.1:8080 http://10.0.0.2:8080 --access-log -
  relais proxy 9000 8081 --cache --sniff front.jsonl --block blocked.txt
  relais proxy 3128 --forward                  what a browser's proxy setting wants";

/// The name of the table that a command line is.
const NAME: &str = "front";

impl Flags {
    /// The table that says the same, and its name.
    ///
    /// # Errors
    ///
    /// What no table could say.
    pub(crate) fn table(self) -> Result<(String, Table), Box<Complaint>> {
        let Self {
            first,
            upstream,
            listen,
            front,
            cache,
            sniff,
            block,
            upstreams,
            trust,
            edits,
            forward,
        } = self;
        let listen = std::iter::once(first).chain(listen).collect();
        let front::Table { listen, hosts, own_names, tls, access_log, auth } = front.table(listen);
        let (limits, health) = (upstreams.limits(), upstreams.health());
        let Upstreams {
            upstream_host,
            upstream_http,
            route: routes,
            balance,
            trust: trusted,
            underscores,
            name,
            ..
        } = upstreams;
        let (request, response) = edits.tables();
        let table = Table {
            listen,
            upstream,
            routes,
            upstream_host,
            upstream_http,
            upstream_tls: trust.table(),
            balance,
            health,
            trust: trusted,
            underscores,
            forward: forward.table()?.into(),
            cache: cache.table().into(),
            sniff: sniff.table(),
            block: block.table(),
            request,
            response,
            limits,
            name,
            hosts,
            own_names,
            access_log,
            auth,
            tls,
        };
        Ok((NAME.to_owned(), table))
    }
}

impl Upstreams {
    fn limits(&self) -> limits::Table {
        limits::Table {
            connect_max: self.connect_max,
            handshake_max: self.handshake_max,
            head_max: self.head_max,
            stall_max: self.stall_max,
            total_max: self.total_max,
            idle_max: self.idle_max,
            in_flight_max: self.in_flight_max,
            queue_max: self.queue_max,
            queue_wait_max: self.queue_wait_max,
        }
    }

    fn health(&self) -> Option<group::Table> {
        let Self { health, health_every: every, .. } = self;
        health.clone().map(|path| group::Table { path, every: *every, answer_max: None })
    }
}

/// The flag that says what `key` says in a file.
pub(crate) fn flag_of(key: &KeyPath) -> Option<&'static str> {
    Some(match key.names().get(2..)? {
        ["listen"] => "LISTEN",
        ["upstream"] => "UPSTREAM",
        ["routes", ..] => "--route",
        ["upstream_host"] => "--upstream-host",
        ["upstream_http"] => "--upstream-http",
        ["upstream_tls", "ca"] => "--ca",
        ["upstream_tls", "key"] => "--upstream-key",
        ["upstream_tls", "cert"] => "--upstream-cert",
        ["upstream_tls", ..] => "--insecure",
        ["balance"] => "--balance",
        ["health", "every"] => "--health-every",
        ["health", ..] => "--health",
        ["trust"] => "--trust",
        ["underscores"] => "--underscores",
        ["name"] => "--name",
        ["forward", "ports"] => "--connect-port",
        ["forward", "clients"] => "--client",
        ["forward", ..] => "--forward",
        ["cache"]
        | [
            "cache",
            "set_cookie" | "target" | "ignore_origin" | "client_directives" | "rules",
            ..,
        ] => "--cache",
        [table @ ("limits" | "cache" | "sniff" | "block"), key] => of_table(table, key)?,
        ["cache", "purge", "from"] => "--cache-purge-from",
        ["cache", "purge", ..] => "--cache-purge-token",
        ["sniff"] => "--sniff",
        ["block"] => "--block",
        ["request", verb, ..] => {
            of_edits(verb, ["--request-set", "--request-add", "--request-remove"])?
        }
        ["response", verb, ..] => {
            of_edits(verb, ["--response-set", "--response-add", "--response-remove"])?
        }
        _ => return front::flag_of(key),
    })
}

fn of_table(table: &str, key: &str) -> Option<&'static str> {
    Some(match (table, key) {
        ("limits", "connect_max") => "--connect-max",
        ("limits", "handshake_max") => "--handshake-max",
        ("limits", "head_max") => "--head-max",
        ("limits", "stall_max") => "--stall-max",
        ("limits", "total_max") => "--total-max",
        ("limits", "idle_max") => "--idle-max",
        ("limits", "in_flight_max") => "--in-flight-max",
        ("limits", "queue_max") => "--queue-max",
        ("limits", "queue_wait_max") => "--queue-wait-max",
        ("cache", "default_ttl") => "--cache-ttl",
        ("cache", "memory") => "--cache-memory",
        ("cache", "disk") => "--cache-disk",
        ("cache", "disk_max") => "--cache-disk-max",
        ("cache", "object_max") => "--cache-object-max",
        ("cache", "grace") => "--cache-grace",
        ("cache", "negative_ttl") => "--cache-negative-ttl",
        ("cache", "wait_max") => "--cache-wait-max",
        ("cache", "waiting_max") => "--cache-waiting-max",
        ("cache", "abandoned") => "--cache-abandoned",
        ("cache", "purge") => "--cache-purge-token",
        ("sniff", "log") => "--sniff",
        ("sniff", "size_max") => "--sniff-size-max",
        ("sniff", "keep") => "--sniff-keep",
        ("block", "list") => "--block",
        ("block", "log") => "--block-log",
        ("block", "status") => "--block-status",
        ("block", "by") => "--block-by",
        _ => return None,
    })
}

fn of_edits(verb: &str, [set, add, remove]: [&'static str; 3]) -> Option<&'static str> {
    Some(match verb {
        "set" => set,
        "add" => add,
        "remove" => remove,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::{config::Said, flags::Cli, plan::Plan};

    #[test]
    fn help_tells_the_defaults_that_count() {
        let text = "[proxy.front]\nlisten = '9000'\nupstream = '8081'\ncache = true\n\
                    sniff.log = 'a'\nblock.list = 'b'\nhealth.path = '/'\n\
                    [proxy.forward]\nlisten = '3128'\nforward = true\n";
        let said = Said::parse("/etc/relais.toml".into(), text.to_owned()).unwrap();
        let plan = Plan::new(&said.config).unwrap().json();
        let of = |listener: usize, path: &str| {
            let proxy = &plan["listeners"][listener]["proxy"][0];
            proxy.pointer(path).unwrap().to_string().replace('"', "")
        };
        let mut command = Cli::command();
        let proxy = command.find_subcommand_mut("proxy").unwrap();
        let help = |flag: &str| {
            let arg = proxy.get_arguments().find(|arg| arg.get_long() == Some(flag)).unwrap();
            let help = arg.get_help().unwrap().to_string();
            let default = help.split_once("[default: ").unwrap().1;
            default.split([']', ';']).next().unwrap().to_owned()
        };
        for (flag, listener, path) in [
            ("upstream-host", 0, ""),
            ("upstream-http", 0, "/upstream_http"),
            ("balance", 0, "/balance"),
            ("health-every", 0, "/health/every"),
            ("connect-max", 0, "/limits/connect_max"),
            ("handshake-max", 0, "/limits/handshake_max"),
            ("head-max", 0, "/limits/head_max"),
            ("stall-max", 0, "/limits/stall_max"),
            ("idle-max", 0, "/limits/idle_max"),
            ("cache-ttl", 0, "/cache/default_ttl"),
            ("cache-memory", 0, "/cache/memory"),
            ("cache-object-max", 0, "/cache/object_max"),
            ("cache-grace", 0, "/cache/grace"),
            ("cache-wait-max", 0, "/cache/wait_max"),
            ("cache-waiting-max", 0, "/cache/waiting_max"),
            ("cache-abandoned", 0, "/cache/abandoned"),
            ("queue-max", 0, "/limits/queue_max"),
            ("queue-wait-max", 0, "/limits/queue_wait_max"),
            ("sniff-size-max", 0, "/sniff/size_max"),
            ("sniff-keep", 0, "/sniff/keep"),
            ("block-status", 0, "/block/status"),
            ("connect-port", 1, "/forward/ports/0"),
        ] {
            // No word of the plan's: it is no host then.
            let expect = if path.is_empty() { "client".to_owned() } else { of(listener, path) };
            assert_eq!(help(flag), expect, "--{flag}");
        }
    }

    #[test]
    fn every_key_has_its_flag() {
        let keys = |table: &str| {
            let text = format!("[proxy.front{table}]\nzzz = 1\n");
            let found = Said::parse("relais.toml".into(), text).unwrap_err();
            let wrong = found.into_iter().find(|found| found.wrong.what.contains("zzz")).unwrap();
            let expected = wrong.wrong.expected.unwrap();
            let keys = expected.split('`').skip(1).step_by(2).map(str::to_owned);
            keys.collect::<Vec<_>>()
        };
        let tables = ["upstream_tls", "health", "forward", "cache", "sniff", "block", "limits"];
        let top = keys("").into_iter().map(|key| vec![key]);
        let below = tables.iter().flat_map(|table| {
            keys(&format!(".{table}")).into_iter().map(|key| vec![(*table).to_owned(), key])
        });
        let all: Vec<_> = top.chain(below).collect();
        assert!(all.len() > 40, "{all:?}");
        for path in all {
            let front = KeyPath::of(["proxy", "front"]);
            let key = path.iter().fold(front, |key, step| key.key(step));
            let is_whole = matches!(&*path, [table] if ["limits", "request", "response", "tls"].contains(&&**table));
            let flag = flag_of(&key);
            assert!(is_whole || flag.is_some(), "{key}");
            let known = Cli::command().find_subcommand("proxy").unwrap().clone();
            let is_known =
                |flag: &str| known.get_arguments().any(|arg| arg.get_long() == Some(flag));
            assert!(flag.is_none_or(|flag| flag.strip_prefix("--").is_none_or(is_known)), "{key}");
        }
    }
}
