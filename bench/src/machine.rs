//! What a measurement was made with.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A line for each fact that a number depends on.
pub(crate) fn facts(relais: &Path) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("date", said("date", &["-u", "+%F %R UTC"])),
        ("cores", std::thread::available_parallelism().map_or(0, usize::from).to_string()),
        ("CPU", cpu_model()),
        ("kernel", said("uname", &["-sr"])),
        ("load before", read("/proc/loadavg")),
        ("commit", said("git", &["describe", "--always", "--dirty", "--exclude", "*"])),
    ];
    facts.push(("relais", said(&relais.to_string_lossy(), &["--version"])));
    for other in PEERS.iter().chain(&TOOLS) {
        facts.push((other.command, said(other.command, &[other.version])));
    }
    facts
}

/// The peers that are not there, with how each is installed: rows go on without them.
pub(crate) fn missing_peers() -> Vec<String> {
    missing(&PEERS).map(|peer| format!("{} ({})", peer.command, peer.install)).collect()
}

/// Fails with what to install if a load generator is missing.
pub(crate) fn check_tools() -> Result<()> {
    let missing: Vec<&str> = missing(&TOOLS).map(|tool| tool.install).collect();
    ensure!(missing.is_empty(), "not installed: {}", missing.join(", "));
    Ok(())
}

fn missing(others: &[Other]) -> impl Iterator<Item = &Other> {
    others.iter().filter(|other| Command::new(other.command).arg(other.version).output().is_err())
}

/// The date as HTTP has it (RFC 9110, section 5.6.7).
pub(crate) fn date() -> String {
    said("date", &["-u", "+%a, %d %b %Y %T GMT"])
}

/// How many connections relais passes on at once on this machine: it gives callers three of four
/// descriptors, all but 128, and one that is passed on has two. At most `wanted`; a round number.
pub(crate) fn relayed_at_once(wanted: usize) -> usize {
    let Some(files) = getrlimit(Resource::Nofile).maximum else { return wanted };
    let pairs = files.saturating_sub(128) / 4 * 3 / 2;
    usize::try_from(pairs / 100 * 100).map_or(wanted, |room| room.min(wanted))
}

/// Lets this process and its children hold `files` open each.
pub(crate) fn raise_files_max(files: u64) -> Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let wanted = maximum.map_or(files, |maximum| maximum.max(files));
    let limit = Rlimit { current: Some(wanted), maximum: Some(wanted) };
    setrlimit(Resource::Nofile, limit)
        .with_context(|| format!("raising the limit of open files to {wanted} (`ulimit -Hn`)"))
}

/// Fails if there is no core for each side.
pub(crate) fn check_cores() -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    ensure!(cores >= 2, "{cores} core: expected one for the server and one for the load");
    Ok(())
}

/// Somebody else's program.
struct Other {
    command: &'static str,
    /// The flag that makes it say its version.
    version: &'static str,
    install: &'static str,
}

const PEERS: [Other; 11] = [
    Other { command: "nginx", version: "-v", install: "apt-get install nginx-light" },
    Other { command: "lighttpd", version: "-v", install: "apt-get install lighttpd" },
    Other { command: "haproxy", version: "-v", install: "apt-get install haproxy" },
    Other { command: "varnishd", version: "-V", install: "apt-get install varnish" },
    Other { command: "traffic_server", version: "-V", install: "apt-get install trafficserver" },
    Other { command: "squid", version: "-v", install: "apt-get install squid" },
    Other { command: "socat", version: "-V", install: "apt-get install socat" },
    Other { command: "ngircd", version: "--version", install: "apt-get install ngircd" },
    Other { command: "inspircd", version: "--version", install: "apt-get install inspircd" },
    Other { command: "nats-server", version: "--version", install: "apt-get install nats-server" },
    Other { command: "mitmdump", version: "--version", install: "pip install mitmproxy" },
];

const TOOLS: [Other; 3] = [
    Other { command: "wrk", version: "-v", install: "apt-get install wrk" },
    Other { command: "h2load", version: "--version", install: "apt-get install nghttp2-client" },
    Other { command: "openssl", version: "version", install: "apt-get install openssl" },
];

/// The first line that a command prints, on whichever output.
fn said(command: &str, args: &[&str]) -> String {
    let output = Command::new(command).args(args).env("LC_ALL", "C").output();
    let Ok(output) = output else { return UNKNOWN.to_owned() };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    text.lines().next().map_or(UNKNOWN.to_owned(), |line| line.trim().to_owned())
}

fn cpu_model() -> String {
    let info = read("/proc/cpuinfo");
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(':').nth(1));
    model.map_or(UNKNOWN.to_owned(), |model| model.trim().to_owned())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map_or(UNKNOWN.to_owned(), |text| text.trim().to_owned())
}

const UNKNOWN: &str = "unknown";
