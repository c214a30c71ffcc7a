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
use tracing::info;

use super::stops::listen_for;

/// What a SIGHUP means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The file is to be read again.
    Reload,
    /// Our controlling terminal is gone.
    End,
}

/// The signal.
pub(super) struct HangUp {
    signal: Signal,
    terminal: Terminal,
}

/// What is known of our controlling terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Terminal {
    /// We do not end with it: there was none at the start, SIGHUP was ignored then, or we outlived it.
    Apart,
    /// It was there when we looked.
    There { look_at: Instant },
    /// It was there when SIGHUP came, which may have told us that it goes.
    Told { look_at: Instant },
    /// It is gone. Who tells us does so soon.
    Gone { told_until: Instant },
}

/// How long after SIGHUP the terminal may still be there: some terminals tell the shell, and the shell its
/// jobs, a moment before they are gone. As long after its end SIGHUP may come.
const GONE_WITHIN: Duration = Duration::from_secs(1);

/// How often to look whether we outlived the terminal.
const LOOK_EVERY: Duration = Duration::from_secs(10);

impl HangUp {
    /// Listens from now on. To be called on a runtime, once: it looks at how we were started.
    pub(super) fn listen() -> anyhow::Result<Self> {
        // Before we listen: from then on it is not ignored.
        let terminal = if open_terminal().is_ok() && !is_ignored() {
            Terminal::There { look_at: Instant::now() + LOOK_EVERY }
        } else {
            Terminal::Apart
        };
        Ok(Self { signal: listen_for(SignalKind::hangup())?, terminal })
    }

    /// Waits for one, and gives what it means.
    ///
    /// Cancel safe.
    pub(super) async fn one(&mut self) -> Meaning {
        loop {
            let is_told = match self.terminal.until() {
                Some(until) => timeout_at(until, self.signal.recv()).await.is_ok(),
                None => self.signal.recv().await.is_some(),
            };
            let (is_gone, now) = (is_gone(&open_terminal()), Instant::now());
            if is_told {
                return self.terminal.hang_up(is_gone, now);
            }
            if let Some(meaning) = self.terminal.look(is_gone, now) {
                return meaning;
            }
        }
    }
}

impl Terminal {
    /// Until when SIGHUP is waited for before the next look, if there is one.
    fn until(self) -> Option<Instant> {
        match self {
            Self::Apart => None,
            Self::There { look_at: until }
            | Self::Told { look_at: until }
            | Self::Gone { told_until: until } => Some(until),
        }
    }

    /// What SIGHUP means that comes `now`.
    fn hang_up(&mut self, is_gone: bool, now: Instant) -> Meaning {
        match self {
            Self::Apart => Meaning::Reload,
            Self::Gone { .. } => Meaning::End,
            Self::There { .. } | Self::Told { .. } if is_gone => Meaning::End,
            Self::There { .. } | Self::Told { .. } => {
                *self = Self::Told { look_at: now + GONE_WITHIN };
                Meaning::Reload
            }
        }
    }

    /// What the last SIGHUP means after all, if something else.
    fn look(&mut self, is_gone: bool, now: Instant) -> Option<Meaning> {
        *self = match self {
            Self::Told { .. } if is_gone => return Some(Meaning::End),
            Self::There { .. } if is_gone => Self::Gone { told_until: now + GONE_WITHIN },
            Self::There { .. } | Self::Told { .. } => Self::There { look_at: now + LOOK_EVERY },
            Self::Gone { .. } => {
                info!("the terminal is gone, and nobody said so: SIGHUP is a reload from now on");
                Self::Apart
            }
            Self::Apart => Self::Apart,
        };
        None
    }
}

/// Opens our controlling terminal.
fn open_terminal() -> io::Result<File> {
    File::open("/dev/tty")
}

/// Whether there is none any more. What else keeps us from looking, such as descriptors that are used up,
/// says nothing about it.
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

    /// What happens to who was started in a terminal that is there.
    #[derive(Clone, Copy)]
    enum Event {
        /// SIGHUP comes.
        HangUp,
        /// It is time to look.
        Look,
    }

    #[test]
    fn who_outlives_the_terminal_without_a_word_is_told_to_reload_for_good() {
        use Event::{HangUp, Look};
        use Meaning::{End, Reload};
        for (events, expect) in [
            // While it is there.
            (&[(HangUp, false), (Look, false), (HangUp, false)][..], &[Reload, Reload][..]),
            // Told when it is gone, before we saw it or after.
            (&[(HangUp, true)], &[End]),
            (&[(Look, false), (Look, true), (HangUp, true)], &[End]),
            (&[(Look, true), (HangUp, false)], &[End]),
            // Told a moment before.
            (&[(HangUp, false), (Look, true)], &[Reload, End]),
            (&[(HangUp, false), (HangUp, false), (Look, true)], &[Reload, Reload, End]),
            // Not told: it was left behind.
            (&[(Look, true), (Look, true), (HangUp, true), (HangUp, true)], &[Reload, Reload]),
            (
                &[(HangUp, false), (Look, false), (Look, true), (Look, true), (HangUp, true)],
                &[Reload, Reload],
            ),
        ] {
            let mut now = Instant::now();
            let mut terminal = Terminal::There { look_at: now };
            let mut meanings = Vec::new();
            for &(event, is_gone) in events {
                match event {
                    HangUp => meanings.push(terminal.hang_up(is_gone, now)),
                    Look => {
                        now = terminal.until().unwrap();
                        meanings.extend(terminal.look(is_gone, now));
                    }
                }
            }
            assert_eq!(meanings, expect, "{terminal:?}");
        }
    }

    #[test]
    fn a_terminal_is_looked_for_now_and_then_and_soon_again_where_it_may_be_going() {
        let now = Instant::now();
        for (terminal, is_gone, expect) in [
            (Terminal::There { look_at: now }, false, Some(LOOK_EVERY)),
            (Terminal::Told { look_at: now }, false, Some(LOOK_EVERY)),
            (Terminal::There { look_at: now }, true, Some(GONE_WITHIN)),
            (Terminal::Gone { told_until: now }, true, None),
        ] {
            let mut looked = terminal;
            assert_eq!(looked.look(is_gone, now), None);
            assert_eq!(looked.until(), expect.map(|time| now + time), "{terminal:?}");
        }
        let mut told = Terminal::There { look_at: now + LOOK_EVERY };
        told.hang_up(false, now);
        assert_eq!(told.until(), Some(now + GONE_WITHIN));
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
