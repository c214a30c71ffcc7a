//! SIGHUP, which says two things: that the file is to be read again, as services have it, and that the
//! terminal is gone.

use std::{
    fs::{self, File},
    io,
    time::Duration,
};

use rustix::io::Errno;
use tokio::{
    signal::unix::{Signal, SignalKind},
    time::{Instant, timeout_at},
};

use super::stops::listen_for;

/// What a SIGHUP means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The file is to be read again.
    Reload,
    /// The terminal that we were started in is gone.
    End,
}

/// The signal.
pub(super) struct HangUp {
    signal: Signal,
    /// Whether we end with our terminal: there was one at the start, and SIGHUP was not ignored.
    ends_with_terminal: bool,
    /// When to look once more whether the terminal is there.
    look_again: Option<Instant>,
}

/// Within this the terminal is gone for which somebody was told so: some terminals tell the shell, and the
/// shell its jobs, a moment before.
const GONE_WITHIN: Duration = Duration::from_secs(1);

impl HangUp {
    /// Listens from now on. To be called on a runtime, once: it looks at how we were started.
    pub(super) fn listen() -> anyhow::Result<Self> {
        // Before we listen: from then on it is not ignored.
        let ends_with_terminal = terminal().is_ok() && !is_ignored();
        let signal = listen_for(SignalKind::hangup())?;
        Ok(Self { signal, ends_with_terminal, look_again: None })
    }

    /// Waits for one, and gives what it means.
    ///
    /// Cancel safe.
    pub(super) async fn one(&mut self) -> Meaning {
        loop {
            let is_told = if let Some(at) = self.look_again {
                timeout_at(at, self.signal.recv()).await.is_ok()
            } else {
                self.signal.recv().await;
                true
            };
            self.look_again = None;
            if self.ends_with_terminal && is_gone(&terminal()) {
                return Meaning::End;
            }
            if is_told {
                self.look_again = self.ends_with_terminal.then(|| Instant::now() + GONE_WITHIN);
                return Meaning::Reload;
            }
        }
    }
}

/// The terminal that we would be told the end of.
fn terminal() -> io::Result<File> {
    File::open("/dev/tty")
}

/// Whether there is none any more. What else keeps us from looking, as descriptors that are used up, says
/// nothing about it.
fn is_gone(looked: &io::Result<File>) -> bool {
    let why = looked.as_ref().err().and_then(Errno::from_io_error);
    matches!(why, Some(Errno::NXIO | Errno::IO))
}

/// Whether who started us said that SIGHUP is nothing to us, as `nohup` does; where the system does not say
/// so, it is taken for said.
fn is_ignored() -> bool {
    fs::read_to_string("/proc/self/status").map_or(true, |status| is_ignored_by(&status))
}

/// The same of a process whose status reads so: a line of it has a bit for each signal, from 1.
fn is_ignored_by(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let bits = ignored.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_none_or(|bits| bits & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_gone_only_where_the_system_says_so() {
        for (why, expect) in [
            (Errno::NXIO, true),
            (Errno::IO, true),
            (Errno::MFILE, false),
            (Errno::NFILE, false),
            (Errno::ACCESS, false),
            (Errno::NOENT, false),
        ] {
            assert_eq!(is_gone(&Err(why.into())), expect, "{why}");
        }
        assert!(!is_gone(&File::open("/dev/null")));
    }

    #[test]
    fn whether_the_signal_was_ignored_is_read_from_the_status() {
        for (ignored, expect) in [
            ("SigIgn:\t0000000000001000", false),
            ("SigIgn:\t0000000000001001", true),
            ("SigIgn:\t0000000000000000", false),
            ("SigIgn:\t", true),
            ("SigCgt:\t0000000000000000", true),
        ] {
            let status = format!("Name:\trelais\nSigBlk:\t0000000000000001\n{ignored}\n");
            assert_eq!(is_ignored_by(&status), expect, "{ignored}");
        }
    }
}
