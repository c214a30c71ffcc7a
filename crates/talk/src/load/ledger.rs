//! What a core has counted, and the sum of all.

use std::time::Duration;

use super::{
    failure::{Failure, Kind},
    histogram::Histogram,
    timeline::Timeline,
};

/// What was counted of a load: of what followed its warm-up.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// From when requests were due, or sent if there is no rate, to their whole answers.
    pub latency: Histogram,
    /// From when requests were sent, with a rate: what a load would show that is blind to waiting.
    pub since_sent: Histogram,
    /// From when requests were due to when their clients were awake, of those who were waiting for
    /// that: how late we are ourselves.
    pub woken_late: Histogram,
    /// From calling to being connected, TLS and the like included; of all calls, those before the
    /// start too.
    pub connect: Histogram,
    /// How many were answered before the time was over.
    pub in_time: u64,
    /// Bytes of whole answers, heads included.
    pub received: u64,
    /// Those of answers before the time was over.
    pub received_in_time: u64,
    /// Bytes of the requests to those.
    pub sent: u64,
    /// How many answers had a status from 100 on, from 200 on and so on.
    pub statuses: [u64; 5],
    /// How many streams of HTTP/2 the target lets be open at once on a connection: the fewest that it
    /// said.
    pub streams_max: Option<u64>,
    /// What happened when.
    pub timeline: Timeline,
    /// Of clients that keep dialogues, what came of those.
    pub dialogues: Dialogues,
    failures: [Failed; Kind::ALL.len()],
    /// Calls that were not answered: of all, those before the start too.
    calls: [Failed; Kind::ALL.len()],
}

/// What came of dialogues.
#[derive(Clone, Debug, Default)]
pub struct Dialogues {
    /// How many got all of their own answers.
    pub right: u64,
    /// How many got something else, or not all.
    pub wrong: u64,
    /// Some of these: their numbers, from 1, and what was wrong.
    pub samples: Vec<(usize, Failure)>,
}

/// Failures of one kind.
#[derive(Clone, Debug, Default)]
pub struct Failed {
    /// How many.
    pub count: u64,
    /// What one of them was about.
    pub sample: Option<String>,
}

/// A whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// How many bytes it had.
    pub bytes: u64,
    /// Its status, if it was one of HTTP.
    pub status: Option<u16>,
    /// How many bytes went out for it, where that is not always the same.
    pub sent: Option<u64>,
    /// Whether another may be asked for on the same connection.
    pub then: Then,
}

/// What becomes of a connection behind an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It can be used again.
    Goes,
    /// It is over.
    Closes,
}

/// When a request was answered, or given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// Since the warm-up's end.
    pub(super) at: Duration,
    /// Since it was due.
    pub(super) latency: Duration,
    /// Since it was sent, where that is something else.
    pub(super) since_sent: Option<Duration>,
    /// Whether the time was not over yet.
    pub(super) in_time: bool,
}

impl Ledger {
    /// Notes that a request of so many bytes was answered.
    pub(super) fn answered(&mut self, answer: &Answered, request_bytes: u64, times: Times) {
        self.latency.record(times.latency);
        if let Some(since_sent) = times.since_sent {
            self.since_sent.record(since_sent);
        }
        self.in_time += u64::from(times.in_time);
        self.received += answer.bytes;
        self.received_in_time += if times.in_time { answer.bytes } else { 0 };
        self.sent += request_bytes;
        if let Some(status) = answer.status {
            let class = usize::from(status / 100).clamp(1, self.statuses.len()) - 1;
            self.statuses[class] += 1;
        }
        self.timeline.answered(times.at, times.latency);
    }

    /// Notes that a request came to nothing.
    pub(super) fn failed(&mut self, failure: &Failure, at: Duration) {
        self.failures[failure.kind.index()].note(failure);
        self.timeline.failed(at);
    }

    /// Notes that a call was not answered.
    pub(super) fn not_connected(&mut self, failure: &Failure) {
        self.calls[failure.kind.index()].note(failure);
    }

    /// Notes how many streams a target lets be open at once on a connection, if it says that.
    pub(super) fn note_streams_max(&mut self, most: Option<u64>) {
        self.streams_max = self.streams_max.into_iter().chain(most).min();
    }

    /// Adds what another core has counted.
    pub(super) fn add(&mut self, other: &Self) {
        let Self {
            latency,
            since_sent,
            woken_late,
            connect,
            in_time,
            received,
            received_in_time,
            sent,
            statuses,
            streams_max,
            timeline,
            dialogues,
            failures,
            calls,
        } = other;
        self.latency.add(latency);
        self.since_sent.add(since_sent);
        self.woken_late.add(woken_late);
        self.connect.add(connect);
        self.in_time += in_time;
        self.received += received;
        self.received_in_time += received_in_time;
        self.sent += sent;
        self.statuses.iter_mut().zip(statuses).for_each(|(count, more)| *count += more);
        self.note_streams_max(*streams_max);
        self.timeline.add(timeline);
        self.dialogues.add(dialogues);
        self.failures.iter_mut().zip(failures).for_each(|(failed, more)| failed.add(more));
        self.calls.iter_mut().zip(calls).for_each(|(failed, more)| failed.add(more));
    }

    /// How many requests were answered, whatever with.
    pub fn answers(&self) -> u64 {
        self.latency.total()
    }

    /// How many requests came to nothing.
    pub fn failures(&self) -> u64 {
        self.failures.iter().map(|failed| failed.count).sum()
    }

    /// How many calls were answered.
    pub fn connects(&self) -> u64 {
        self.connect.total()
    }

    /// What requests came to nothing for, of kinds that there were.
    pub fn failed_requests(&self) -> impl Iterator<Item = (Kind, &Failed)> {
        of_kinds(&self.failures)
    }

    /// What calls came to nothing for, of kinds that there were. A request that was to be sent on
    /// such a connection is counted among the requests, too.
    pub fn failed_calls(&self) -> impl Iterator<Item = (Kind, &Failed)> {
        of_kinds(&self.calls)
    }
}

/// How many dialogues that went wrong are told of.
const SAMPLES_MAX: usize = 10;

impl Dialogues {
    /// Notes what came of that of the client with this number.
    pub(super) fn ended(&mut self, number: usize, ended: Result<(), Failure>) {
        match ended {
            Ok(()) => self.right += 1,
            Err(failure) => {
                self.wrong += 1;
                self.sample(number, failure);
            }
        }
    }

    fn sample(&mut self, number: usize, failure: Failure) {
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push((number, failure));
        }
    }

    fn add(&mut self, other: &Self) {
        let Self { right, wrong, samples } = other;
        self.right += right;
        self.wrong += wrong;
        for (number, failure) in samples {
            self.sample(*number, failure.clone());
        }
        self.samples.sort_by_key(|(number, _)| *number);
    }
}

impl Failed {
    fn note(&mut self, failure: &Failure) {
        self.count += 1;
        if self.sample.is_none() {
            self.sample = Some(failure.what.clone());
        }
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        if self.sample.is_none() {
            self.sample.clone_from(&other.sample);
        }
    }
}

fn of_kinds(failures: &[Failed; Kind::ALL.len()]) -> impl Iterator<Item = (Kind, &Failed)> {
    Kind::ALL.into_iter().zip(failures).filter(|(_, failed)| failed.count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn answer(status: u16) -> Answered {
        Answered { bytes: 10, status: Some(status), sent: None, then: Then::Goes }
    }

    #[test]
    fn two_cores_are_counted_as_one() {
        let (mut one, mut other) = (Ledger::default(), Ledger::default());
        let times = Times { at: MS, latency: MS, since_sent: None, in_time: true };
        one.answered(&answer(200), 5, times);
        one.failed(&Failure::new(Kind::Reset, "first"), MS);
        other.answered(&answer(503), 5, Times { in_time: false, ..times });
        other.failed(&Failure::new(Kind::Reset, "second"), MS);
        other.not_connected(&Failure::new(Kind::Refused, "third"));
        other.note_streams_max(Some(128));
        other.note_streams_max(Some(100));
        one.add(&other);
        assert_eq!((one.answers(), one.in_time, one.received, one.sent), (2, 1, 20, 10));
        assert_eq!(one.received_in_time, 10);
        assert_eq!((one.statuses, one.failures()), ([0, 1, 0, 0, 1], 2));
        let (kind, failed) = one.failed_requests().next().unwrap();
        assert_eq!((kind, failed.count, failed.sample.as_deref()), (Kind::Reset, 2, Some("first")));
        assert_eq!((one.failed_calls().count(), one.streams_max), (1, Some(100)));
        assert_eq!(one.timeline.steps()[0].answered, 2);
    }

    #[test]
    fn of_many_dialogues_that_went_wrong_some_are_told_of() {
        let (mut one, mut other) = (Ledger::default(), Ledger::default());
        for number in 1..=30 {
            let ledger = if number % 2 == 0 { &mut one } else { &mut other };
            let ended = if number % 3 == 0 { Ok(()) } else { Err(Failure::new(Kind::Wrong, "no")) };
            ledger.dialogues.ended(number, ended);
        }
        one.add(&other);
        let Dialogues { right, wrong, samples } = one.dialogues;
        assert_eq!((right, wrong, samples.len()), (10, 20, SAMPLES_MAX));
        assert!(samples.is_sorted_by_key(|(number, _)| *number));
    }

    #[test]
    fn what_waiting_hides_is_counted_apart() {
        let mut ledger = Ledger::default();
        let times = Times { at: MS, latency: MS * 9, since_sent: Some(MS), in_time: true };
        ledger.answered(&answer(200), 5, times);
        assert_eq!(ledger.latency.most(), Some(MS * 9));
        assert_eq!(ledger.since_sent.most(), Some(MS));
    }
}
