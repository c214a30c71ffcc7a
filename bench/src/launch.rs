//! Processes: pinned to a core, ended when nobody needs them, ended with this program at the latest.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::{
    process::{Pid, Signal, kill_process, kill_process_group, set_parent_process_death_signal},
    thread::{CpuSet, sched_setaffinity},
};

use crate::subject::Setup;

/// The core of every server.
pub(crate) const SERVER_CORE: usize = 0;
/// The core of this program and of every load generator it starts.
pub(crate) const LOAD_CORE: usize = 1;

/// A program to become, and the cores it may run on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    core: Vec<usize>,
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Becomes the program that `args` names. Returns only to say why that failed.
///
/// The detour through this program replaces `taskset` and adds what only a child can ask for: to
/// be told to end when its parent has died, however it died.
pub(crate) fn become_pinned(args: &Args) -> Result<()> {
    pin(&args.core)?;
    set_parent_process_death_signal(Some(Signal::TERM))?;
    let error = Command::new(&args.command[0]).args(&args.command[1..]).exec();
    Err(error).with_context(|| format!("starting {}", args.command[0].display()))
}

/// Keeps this thread, and what it starts from now on, on `cores`.
pub(crate) fn pin(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for &core in cores {
        set.set(core);
    }
    sched_setaffinity(None, &set).with_context(|| format!("moving to cores {cores:?}"))
}

/// A child process that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Where what it says on both outputs goes.
    log: PathBuf,
}

impl Process {
    /// Starts the command of `setup` on `cores`; what it says goes to `log`.
    pub(crate) fn start(cores: &[usize], setup: &Setup, log: &Path) -> Result<Self> {
        let Setup { command, env, .. } = setup;
        let said = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let child = Command::new(std::env::current_exe()?)
            .arg("pinned")
            .args(cores.iter().map(|core| format!("--core={core}")))
            .arg("--")
            .args(command)
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            // A group of its own: `Drop` reaches its workers, a Ctrl-C reaches only us.
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {:?}", command[0]))?;
        Ok(Self { child, log: log.to_owned() })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself, and returns what it said.
    ///
    /// # Errors
    ///
    /// If it is not done after `patience`, or says by its exit code that it failed.
    pub(crate) fn finish(mut self, patience: Duration) -> Result<String> {
        let Some(status) = self.wait(patience)? else {
            bail!("not done after {patience:?}: {}", self.said());
        };
        if !status.success() {
            bail!("{status}: {}", self.said());
        }
        Ok(self.said())
    }

    /// Fails if it has ended, with what it said.
    pub(crate) fn expect_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{status}: {}", self.said()),
        }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default().trim().to_owned()
    }

    fn wait(&mut self, patience: Duration) -> io::Result<Option<std::process::ExitStatus>> {
        let end = Instant::now() + patience;
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() || Instant::now() >= end {
                return Ok(status);
            }
            pause(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // While it is not waited for, its number stays its own: no stranger is ever signalled.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else { return };
        let _ = kill_process(pid, Signal::TERM);
        if let Ok(None) = self.wait(GRACE) {
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Does nothing for a while.
#[expect(clippy::disallowed_methods, reason = "this program has no runtime that could be blocked")]
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// How long a server may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(3);
