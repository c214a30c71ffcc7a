//! How far a load is, in one line of a terminal.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use relais_talk::load::{Load, Progress, Schedule, Stage};

use super::report::count;
use crate::{
    bar::bar,
    measure::{counted, said_count},
    output::{Telling, tell_over},
};

/// A bar that fills, if somebody can see it.
#[derive(Debug)]
pub(super) struct Bar {
    title: String,
    connections: usize,
    schedule: Schedule,
    is_seen: bool,
    /// What was shown last, to tell how fast it goes.
    last: Option<(Duration, u64)>,
}

impl Bar {
    pub(super) fn of(load: &Load, title: &str, telling: Telling) -> Self {
        Self {
            title: title.to_owned(),
            connections: load.connections.get(),
            schedule: load.schedule,
            is_seen: telling != Telling::Less && io::stderr().is_terminal(),
            last: None,
        }
    }

    /// Shows how far it is.
    pub(super) fn show(&mut self, progress: &Progress) {
        if self.is_seen {
            tell_over(self.line(progress));
        }
    }

    /// Leaves the line to others.
    pub(super) fn clear(&self) {
        if self.is_seen {
            tell_over("");
        }
    }

    fn line(&mut self, progress: &Progress) -> String {
        let Progress { stage, reached, missed, answered, failed } = *progress;
        let Stage::Asking(time) = stage else {
            let (done, of) = (reached + missed, self.connections);
            let missed =
                if missed > 0 { format!(", {missed} not answered") } else { String::new() };
            return format!(
                "{} {} of {}{missed}",
                filled(count(done), count(of)),
                self.title_and(done),
                counted(count(of), "connection"),
            );
        };
        let Schedule { warmup, until: _, rate: _ } = self.schedule;
        if time < warmup {
            let bar = filled(millis(time), millis(warmup));
            return format!("{bar} warming up, {} s of {} s", time.as_secs(), warmup.as_secs());
        }
        let speed = self.speed(time, answered);
        let (bar, part) = if let Some(end) = self.schedule.end() {
            let (time, end) = (time.saturating_sub(warmup), end.saturating_sub(warmup));
            let part = format!("{:.1} s of {:.1} s", time.as_secs_f64(), end.as_secs_f64());
            (filled(millis(time), millis(end)), part)
        } else {
            let of = self.schedule.requests().unwrap_or_default();
            let part = format!("{} of {}", said_count(answered + failed), said_count(of));
            (filled(answered + failed, of), part)
        };
        format!("{bar} {part}, {} a second, {}", said_count(speed), counted(failed, "error"))
    }

    fn title_and(&self, done: usize) -> String {
        format!("{}: {done}", self.title)
    }

    /// How many were answered a second since the last look.
    fn speed(&mut self, time: Duration, answered: u64) -> u64 {
        let (then, before) = self.last.replace((time, answered)).unwrap_or_default();
        let since = millis(time.saturating_sub(then)).max(1);
        answered.saturating_sub(before).saturating_mul(1_000) / since
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn filled(done: u64, of: u64) -> String {
    bar(done, of, '░')
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU64, NonZeroUsize};

    use relais_talk::load::{Said, Target, Task, Until};

    use super::*;
    use crate::bar::COLUMNS;

    fn bar_of(until: Until) -> Bar {
        let load = Load {
            target: Target {
                endpoint: "tcp://127.0.0.1:9".parse().unwrap(),
                path: String::new(),
                said: Said::Message(b"hi"[..].into()),
            },
            task: Task::Ask,
            connections: NonZeroUsize::new(10).unwrap(),
            streams: NonZeroUsize::MIN,
            threads: NonZeroUsize::MIN,
            schedule: Schedule { rate: NonZeroU64::new(5), warmup: Duration::from_secs(2), until },
            timeout: Duration::from_secs(1),
        };
        Bar::of(&load, "tcp://127.0.0.1:9", Telling::Usual)
    }

    #[test]
    fn each_stage_has_its_line() {
        let check = |bar: &mut Bar, stage, answered, expect: &str| {
            let progress = Progress { stage, reached: 5, missed: 1, answered, failed: 1 };
            let line = bar.line(&progress);
            let (filled, text) = line.split_once(' ').unwrap();
            assert_eq!(filled.chars().count(), COLUMNS);
            let filled = filled.chars().filter(|char| *char == '█').count();
            assert_eq!(format!("{filled} {text}"), expect);
        };
        let at = |seconds| Stage::Asking(Duration::from_secs(seconds));
        let mut timed = bar_of(Until::Time(Duration::from_secs(4)));
        let calling = "14 tcp://127.0.0.1:9: 6 of 10 connections, 1 not answered";
        check(&mut timed, Stage::Calling, 0, calling);
        check(&mut timed, at(1), 0, "12 warming up, 1 s of 2 s");
        check(&mut timed, at(3), 3_000, "6 1.0 s of 4.0 s, 1,000 a second, 1 error");
        check(&mut timed, at(4), 9_000, "12 2.0 s of 4.0 s, 6,000 a second, 1 error");
        check(&mut timed, at(9), 9_000, "24 7.0 s of 4.0 s, 0 a second, 1 error");
        let mut counted = bar_of(Until::Requests(2_000));
        check(&mut counted, at(4), 999, "12 1,000 of 2,000, 249 a second, 1 error");
    }
}
