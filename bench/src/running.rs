//! A server that runs, checked before anything is measured.

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{
    client, floor,
    launch::{self, Process},
    origin::Origin,
    site::{Served, Site, Urls},
    subject::{self, Place, Program, Setup, Subject},
    usage::{self, Memory},
};

/// Clear, or under TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Http,
    Https,
}

impl Door {
    pub(crate) fn url(self, port: &str, served: Served) -> String {
        let scheme = match self {
            Self::Http => "http",
            Self::Https => "https",
        };
        format!("{scheme}://127.0.0.1:{port}/{}", served.name())
    }
}

/// A server, started by us on its own core, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    process: Process,
    http: u16,
    https: u16,
    scratch: TempDir,
}

/// What is needed to start any subject.
#[derive(Debug)]
pub(crate) struct Kit<'a> {
    pub(crate) site: &'a Site,
    /// The program to measure.
    pub(crate) relais: &'a Path,
    /// What is behind the proxies.
    pub(crate) origin: &'a Origin,
    /// The head that the floor answers with; without one it makes up a short one.
    pub(crate) head: Option<Vec<u8>>,
}

impl Running {
    /// Starts `subject` and waits until it accepts connections.
    pub(crate) fn start(subject: Subject, kit: &Kit<'_>) -> Result<Self> {
        Self::start_furnished(subject, kit, |_| Ok(()))
    }

    /// The same, with what `furnish_more` puts into its folder before.
    pub(crate) fn start_furnished(
        subject: Subject,
        kit: &Kit<'_>,
        furnish_more: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let mut running = Self::spawn(subject, kit, furnish_more)?;
        let end = Instant::now() + START_MAX;
        while client::connect(running.http).is_err()
            || (subject.speaks_tls() && client::connect(running.https).is_err())
        {
            running.process.expect_running()?;
            ensure!(Instant::now() < end, "accepts no connection after {START_MAX:?}");
            launch::pause(Duration::from_millis(5));
        }
        Ok(running)
    }

    /// Starts `subject`, and measures how long it takes from then until it has answered in full.
    pub(crate) fn time_to_answer(subject: Subject, kit: &Kit<'_>) -> Result<Duration> {
        let begin = Instant::now();
        let mut running = Self::spawn(subject, kit, |_| Ok(()))?;
        loop {
            if let Ok(mut stream) = client::connect(running.http) {
                client::ask(&mut stream, Served::Small)?;
                return Ok(begin.elapsed());
            }
            running.process.expect_running()?;
            ensure!(begin.elapsed() < START_MAX, "accepts no connection after {START_MAX:?}");
            launch::pause(Duration::from_micros(200));
        }
    }

    fn spawn(
        subject: Subject,
        kit: &Kit<'_>,
        furnish_more: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let scratch = scratch(subject, kit.site)?;
        let (http, https) = free_ports()?;
        let setup = subject.setup(&place(kit, scratch.path(), (http, https))?);
        furnish(scratch.path(), &setup)?;
        furnish_more(scratch.path())?;
        if subject.program == Program::Floor {
            let short = floor::short_head(Served::Small.len());
            let head = kit.head.as_deref().unwrap_or(short.as_bytes());
            fs::write(scratch.path().join(subject::HEAD), head)?;
        }
        let log = scratch.path().join("said");
        let process = Process::start(&[launch::SERVER_CORE], &setup, &log)?;
        Ok(Self { process, http, https, scratch })
    }

    pub(crate) fn port(&self, door: Door) -> u16 {
        match door {
            Door::Http => self.http,
            Door::Https => self.https,
        }
    }

    /// CPU seconds used so far, by it and its workers.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        usage::cpu_seconds(&self.family()?)
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        usage::memory(&self.family()?)
    }

    /// Asked for each time: some begin to work only when they are connected to.
    fn family(&self) -> Result<Vec<u32>> {
        usage::family(self.process.id())
    }

    /// Where its sniffer's log is, if it has one.
    pub(crate) fn sniffed(&self) -> PathBuf {
        self.scratch.path().join(subject::SNIFFED)
    }

    /// Asks for `served` and compares every byte of it; returns the head it came with.
    pub(crate) fn check(&self, door: Door, served: Served, site: &Site) -> Result<Vec<u8>> {
        let mut stream = client::connect(self.port(door))?;
        let answer = match door {
            Door::Http => client::ask(&mut stream, served)?,
            Door::Https => {
                let mut tls = client::wrap(stream, &client::tls_config()?)?;
                client::ask(&mut tls, served)?
            }
        };
        ensure!(answer.body == site.bytes(served)?, "{} differs from the file", served.name());
        Ok(answer.head)
    }
}

/// A folder for `subject` alone. Varnish writes its log to a mapped file there, and wants that to be
/// in memory, as nobody else does.
fn scratch(subject: Subject, site: &Site) -> io::Result<TempDir> {
    let in_memory = Path::new("/dev/shm");
    let is_wanted = subject.program == Program::Varnish && in_memory.is_dir();
    let folder = if is_wanted { in_memory.to_owned() } else { site.path(".") };
    tempfile::Builder::new().prefix("relais-bench-server-").tempdir_in(folder)
}

/// Writes what a server finds in its folder.
fn furnish(scratch: &Path, setup: &Setup) -> Result<()> {
    for folder in setup.folders {
        fs::create_dir(scratch.join(folder))?;
    }
    for (name, text) in &setup.files {
        let path = scratch.join(name);
        fs::create_dir_all(path.parent().context("a file in a folder")?)?;
        fs::write(path, text)?;
    }
    Ok(())
}

/// What `kit` has, as texts; what is to be searched is in its site.
pub(crate) fn place(kit: &Kit<'_>, scratch: &Path, (http, https): (u16, u16)) -> Result<Place> {
    let text = |path: &Path| {
        path.to_str().map(str::to_owned).with_context(|| format!("not UTF-8: {}", path.display()))
    };
    Ok(Place {
        relais: text(kit.relais)?,
        bench: text(&std::env::current_exe()?)?,
        root: text(&kit.site.root())?,
        cert: text(&kit.site.cert())?,
        key: text(&kit.site.key())?,
        rules: text(&kit.site.rules())?,
        log: text(&kit.site.log())?,
        exact: text(&kit.site.wrk_script(Urls::Same))?,
        scratch: text(scratch)?,
        http: http.to_string(),
        https: https.to_string(),
        origin: kit.origin.port.to_string(),
    })
}

/// Two ports that are free now, and most likely still are when a server binds them.
fn free_ports() -> Result<(u16, u16)> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (one, other) = (bind()?, bind()?);
    Ok((one.local_addr()?.port(), other.local_addr()?.port()))
}

/// How long a server may take to accept its first connection.
const START_MAX: Duration = Duration::from_secs(20);
