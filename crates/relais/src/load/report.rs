//! What came of a load, and what has to be known to read that right.

use std::time::Duration;

use relais_talk::load::{Dialogues, Kind, Load, Outcome, Said, Task, Until};

use super::figures::brief;
use crate::{
    measure::{counted, said_count},
    stop::Stop,
};

/// A load, and what came of it.
#[derive(Debug)]
pub(super) struct Report<'a> {
    /// What the target is called.
    pub(super) title: &'a str,
    /// What is said to it, and when: without what may be a secret.
    pub(super) about: &'a str,
    pub(super) load: &'a Load,
    pub(super) measured: &'a Measured,
}

/// What came of a load, and what that took here.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) outcome: Outcome,
    /// How many cores were busy with it, on average.
    pub(super) cores_busy: f64,
    pub(super) ended: Ended,
}

/// What ended a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// What was asked for was done.
    Done,
    /// Somebody did not want to wait.
    Interrupted,
}

/// The shares that are told of: their names, and parts of a million.
pub(super) const PERCENTILES: [(&str, u32); 5] =
    [("50", 500_000), ("75", 750_000), ("90", 900_000), ("99", 990_000), ("99.9", 999_000)];

/// The part of a million that 99 % are.
const P99: u32 = 990_000;

/// What a machine with nothing else to do stays below.
const LATE_MAX: Duration = Duration::from_millis(1);

/// Above this share of its threads, what was measured is relais, too.
const BUSY: f64 = 0.9;

impl Report<'_> {
    /// In one line, what was done.
    pub(super) fn how(&self) -> String {
        let Load { connections, threads, schedule, .. } = self.load;
        let connections = counted(count(connections.get()), "connection");
        let connections = match self.streams() {
            Some(streams) => format!("{connections} with {} each", counted(streams, "stream")),
            None => connections,
        };
        let threads = counted(count(threads.get().min(self.load.connections.get())), "thread");
        let pace = match schedule.rate {
            Some(rate) => format!("{} due each second", counted(rate.get(), "request")),
            None => "each asks again once it is answered".to_owned(),
        };
        if let Task::Talk { messages } = self.load.task {
            let messages = counted(messages, "message");
            return format!("{connections} on {threads}, {messages} each");
        }
        let until = match schedule.until {
            Until::Time(time) => brief(time),
            Until::Requests(count) => counted(count, "request"),
        };
        format!("{connections} on {threads}, {until}, {pace}")
    }

    /// How many requests are under way at once on each connection, over HTTP/2.
    pub(super) fn streams(&self) -> Option<u64> {
        let Load { target, streams, .. } = self.load;
        matches!(target.said, Said::Http2(_)).then(|| count(streams.get()))
    }

    pub(super) fn clients(&self) -> u64 {
        count(self.load.connections.get())
    }

    /// How many requests came to nothing, and connections that were never there. One that was lost
    /// later is counted with its request.
    pub(super) fn errors(&self) -> u64 {
        let Outcome { ledger, reached, .. } = &self.measured.outcome;
        let calls = ledger.failed_calls().map(|(_, failed)| failed.count).sum::<u64>();
        let missed = self.clients().saturating_sub(count(*reached));
        ledger.failures() + calls.min(missed)
    }

    /// What has to be known to read the numbers right.
    pub(super) fn notes(&self) -> Vec<String> {
        let Measured { outcome, cores_busy, ended } = self.measured;
        let mut notes = Vec::new();
        if *ended == Ended::Interrupted {
            notes.push("interrupted: what was measured until then is shown".to_owned());
        }
        for (kind, hint) in HINTS {
            let all = outcome.ledger.failed_calls();
            if all.into_iter().any(|(found, _)| found == *kind) {
                notes.push((*hint).to_owned());
            }
        }
        if self.load.schedule.rate.is_none()
            && self.load.task == Task::Ask
            && outcome.ledger.answers() > 0
        {
            notes.push(CLOSED.to_owned());
        }
        notes.extend(self.refusals());
        notes.extend(self.waiting_streams());
        let due = outcome.ledger.answers() + outcome.ledger.failures() + outcome.unsent;
        // Fewer are for want of a core here.
        if outcome.unsent > due / 100 {
            let unsent = counted(outcome.unsent, "request");
            notes.push(format!(
                "{unsent} due and never sent: the target does not keep up with {} a second",
                self.rate()
            ));
        }
        notes.extend(self.lateness());
        let threads = self.load.threads.get().min(self.load.connections.get());
        let busy = cores_busy / f64::from(u32::try_from(threads).unwrap_or(u32::MAX));
        if busy > BUSY {
            notes.push(format!(
                "relais itself was busy {:.0} % of the time: what was measured is relais, too",
                busy * 100.0
            ));
        }
        notes
    }

    /// That nothing but errors came back, if so: they are often fast.
    fn refusals(&self) -> Option<String> {
        let ledger = &self.measured.outcome.ledger;
        let [.., of_client, of_server] = ledger.statuses;
        let (refused, answers) = (of_client + of_server, ledger.answers());
        (answers > 0 && refused == answers).then(|| {
            "every answer has a status of 4xx or 5xx: what was measured is how fast the target \
             refuses"
                .to_owned()
        })
    }

    /// That streams waited for others, if the target lets fewer be open than were asked for.
    fn waiting_streams(&self) -> Option<String> {
        let streams = self.streams()?;
        let most = self.measured.outcome.ledger.streams_max.filter(|most| *most < streams)?;
        let most = counted(most, "stream");
        Some(format!(
            "the target lets {most} be open at once on a connection: of {} the others waited, and \
             that is in the latencies, too",
            said_count(streams)
        ))
    }

    /// That we are late ourselves, if so much that it can be seen in what was measured.
    fn lateness(&self) -> Option<String> {
        let ledger = &self.measured.outcome.ledger;
        let (late, latency) = (ledger.woken_late.within(P99)?, ledger.latency.within(P99)?);
        (late > LATE_MAX && late * 4 > latency).then(|| {
            format!(
                "relais itself was late, within {} in 99 % of cases: others keep the cores of this \
                 machine busy, and that is in the latencies, too",
                brief(late)
            )
        })
    }

    fn rate(&self) -> String {
        said_count(self.load.schedule.rate.map_or(0, std::num::NonZeroU64::get))
    }

    /// Whether anything was measured.
    pub(super) fn verdict(&self) -> Result<(), Stop> {
        let outcome = &self.measured.outcome;
        let is_interrupted = self.measured.ended == Ended::Interrupted;
        if self.load.task != Task::Ask && (outcome.reached > 0 || is_interrupted) {
            let Dialogues { right, wrong, .. } = outcome.ledger.dialogues;
            return match (right == self.clients(), wrong) {
                (true, _) => Ok(()),
                (false, 0) if is_interrupted => {
                    Err(anyhow::anyhow!("interrupted before all got their own answers").into())
                }
                (false, _) => Err(Stop::No),
            };
        }
        if outcome.ledger.answers() > 0 {
            return Ok(());
        }
        let calls = outcome.ledger.failed_calls().find_map(|(_, failed)| failed.sample.clone());
        let requests = outcome.ledger.failed_requests().find_map(|(_, f)| f.sample.clone());
        let why = if outcome.reached == 0 { calls.or(requests) } else { requests.or(calls) };
        let nothing = if is_interrupted { "interrupted" } else { "nothing was asked" };
        let why = why.unwrap_or_else(|| nothing.to_owned());
        Err(anyhow::anyhow!("no request was answered: {why}").into())
    }
}

/// What is told of percentiles without a rate.
const CLOSED: &str = "latencies are those of a closed loop: who waits for an answer does not ask \
                      meanwhile; with `--rate` they are told as users would see them";

/// What to do about what was missing here.
const HINTS: &[(Kind, &str)] = &[
    (
        Kind::Descriptors,
        "no descriptor is left: `ulimit -n` and `sysctl fs.file-max` show the limits",
    ),
    (
        Kind::Ports,
        "no source port is left: one address can call one target some 28,000 times; \
         `sysctl net.ipv4.ip_local_port_range` shows the ports, and those of closed connections \
         are free again after a minute",
    ),
];

/// A count in memory as one that is told.
pub(super) fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
