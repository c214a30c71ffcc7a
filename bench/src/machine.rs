//! What a measurement was made with.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail, ensure};
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
    for peer in PEERS {
        facts.push((peer.command, said(peer.command, &[peer.version])));
    }
    facts
}

/// Fails with what to install if a peer or a load generator is missing.
pub(crate) fn check_peers() -> Result<()> {
    let missing: Vec<&str> = PEERS
        .iter()
        .filter(|peer| Command::new(peer.command).arg(peer.version).output().is_err())
        .map(|peer| peer.package)
        .collect();
    if !missing.is_empty() {
        bail!("not installed: apt-get install {}", missing.join(" "));
    }
    Ok(())
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

struct Peer {
    command: &'static str,
    /// The flag that makes it say its version.
    version: &'static str,
    package: &'static str,
}

const PEERS: [Peer; 5] = [
    Peer { command: "nginx", version: "-v", package: "nginx-light" },
    Peer { command: "lighttpd", version: "-v", package: "lighttpd" },
    Peer { command: "wrk", version: "-v", package: "wrk" },
    Peer { command: "h2load", version: "--version", package: "nghttp2-client" },
    Peer { command: "openssl", version: "version", package: "openssl" },
];

/// The first line that a command prints, on whichever output.
fn said(command: &str, args: &[&str]) -> String {
    let Ok(output) = Command::new(command).args(args).output() else { return UNKNOWN.to_owned() };
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
