//! Members of a room, one of whom speaks: what it says has to come to all others.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, Event, EventData, EventFlags},
    net::{RecvFlags, recv},
    time::Timespec,
};

use super::{
    entering::{come_in, told},
    tongue::Tongue,
};

/// All who are in a room.
#[derive(Debug)]
pub(super) struct Crowd {
    poll: OwnedFd,
    members: Vec<Member>,
    speaker: TcpStream,
    tongue: Tongue,
    room: Vec<u8>,
    /// How many messages were said.
    said: u64,
    /// Of those that are on their way, how many members did not hear them yet.
    missing: Vec<usize>,
    /// How many messages all have heard.
    heard: u64,
}

#[derive(Debug)]
struct Member {
    stream: TcpStream,
    /// Lines, all of them of messages.
    lines: u64,
}

/// What was heard.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) deliveries: u64,
    /// After how many microseconds each was, in order.
    pub(super) after: Vec<u32>,
}

/// No room is longer than that silent while something was said.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often is looked for what came.
const PACE: Duration = Duration::from_micros(100);

/// Where what comes to the speaker is known by.
const SPEAKER: u64 = u64::MAX;

impl Crowd {
    /// `members`, and one who speaks, of the server at `port`.
    pub(super) fn gather(
        port: u16,
        tongue: Tongue,
        tokens: &[String],
        members: usize,
    ) -> Result<Self> {
        let mut streams = come_in(port, tongue, tokens, members + 1)?;
        let speaker = streams.pop().context("somebody who speaks")?;
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut all = Vec::with_capacity(members);
        for (number, stream) in streams.into_iter().enumerate() {
            stream.set_nonblocking(true)?;
            epoll::add(&poll, &stream, EventData::new_u64(number as u64), EventFlags::IN)?;
            all.push(Member { stream, lines: 0 });
        }
        epoll::add(&poll, &speaker, EventData::new_u64(SPEAKER), EventFlags::IN)?;
        let mut crowd = Self {
            poll,
            members: all,
            speaker,
            tongue,
            room: Vec::with_capacity(ROOM_BYTES),
            said: 0,
            missing: Vec::new(),
            heard: 0,
        };
        crowd.settle()?;
        crowd.check()?;
        Ok(crowd)
    }

    /// Throws away what was told of who came in.
    fn settle(&mut self) -> Result<()> {
        loop {
            let events = self.wait(SETTLED)?;
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                let who = event.data.u64();
                let stream = self.members.get(usize::try_from(who)?);
                let stream = stream.map_or(&self.speaker, |member| &member.stream);
                let (_, bytes) = recv(stream, &mut [0; 1 << 14][..], RecvFlags::DONTWAIT)?;
                ensure!(bytes > 0, "member {who} was sent away");
            }
        }
    }

    /// Says something, which all members have to hear as it was said.
    fn check(&mut self) -> Result<()> {
        let message = self.tongue.message(0);
        let body = format!("{:.<100}", 0);
        self.speaker.write_all(message.as_bytes())?;
        for (number, member) in self.members.iter_mut().enumerate() {
            member.stream.set_nonblocking(false)?;
            let (mut heard, mut room) = (Vec::new(), [0; 4 << 10]);
            while memchr::memmem::find(&heard, body.as_bytes()).is_none() || !heard.ends_with(b"\n")
            {
                let bytes = member.stream.read(&mut room);
                let bytes = bytes.with_context(|| format!("member {number} heard nothing"))?;
                ensure!(bytes > 0, "member {number} was sent away");
                heard.extend(&room[..bytes]);
            }
            let lines = memchr::memchr_iter(b'\n', &heard).count() as u64;
            ensure!(lines == self.tongue.lines_each(), "member {number} heard {:?}", told(&heard));
            member.stream.set_nonblocking(true)?;
        }
        Ok(())
    }

    /// Has `window` messages be on their way for `duration`.
    pub(super) fn talk(&mut self, window: usize, duration: Duration) -> Result<Heard> {
        let begin = Instant::now();
        let (said_before, mut deliveries, mut after) = (self.said, 0, vec![0_u32; AFTER_MAX]);
        let mut sent = vec![begin; window];
        self.missing = vec![0; window];
        loop {
            let is_over = begin.elapsed() >= duration;
            while !is_over && self.said - self.heard < window as u64 {
                let place = usize::try_from(self.said % window as u64)?;
                (sent[place], self.missing[place]) = (Instant::now(), self.members.len());
                self.speaker.write_all(self.tongue.message(self.said).as_bytes())?;
                self.said += 1;
            }
            if is_over && self.heard == self.said {
                break;
            }
            let events = self.watch()?;
            for event in events {
                deliveries += self.hear(event.data.u64(), &sent, &mut after)?;
            }
        }
        ensure!(self.said > said_before, "nothing was said");
        Ok(Heard { deliveries, after })
    }

    /// Hears what came to one; how many messages that were.
    fn hear(&mut self, who: u64, sent: &[Instant], after: &mut [u32]) -> Result<u64> {
        self.room.clear();
        if who == SPEAKER {
            // Answers, and perhaps what it said.
            recv(&self.speaker, spare_capacity(&mut self.room), RecvFlags::DONTWAIT)?;
            return Ok(0);
        }
        let member = &mut self.members[usize::try_from(who)?];
        match recv(&member.stream, spare_capacity(&mut self.room), RecvFlags::empty()) {
            Ok((_, 0)) => bail!("member {who} was sent away"),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error.into()),
        }
        let each = self.tongue.lines_each();
        let first = member.lines / each;
        member.lines += memchr::memchr_iter(b'\n', &self.room).count() as u64;
        let (last, now, window) = (member.lines / each, Instant::now(), sent.len() as u64);
        for number in first..last {
            let place = usize::try_from(number % window)?;
            let micros = usize::try_from((now - sent[place]).as_micros())?;
            after[micros.min(AFTER_MAX - 1)] += 1;
            self.missing[place] -= 1;
            self.heard += u64::from(self.missing[place] == 0);
        }
        Ok(last - first)
    }

    /// What there is to be heard, looked for every [`PACE`], and not slept for. Who sleeps has to be woken by
    /// who sends: on loopback that is the server, and the slower it is the more often.
    fn watch(&mut self) -> Result<Vec<Event>> {
        let begin = Instant::now();
        loop {
            let next = Instant::now() + PACE;
            while Instant::now() < next {
                std::hint::spin_loop();
            }
            let events = self.wait(Duration::ZERO)?;
            if !events.is_empty() {
                return Ok(events);
            }
            ensure!(begin.elapsed() < PATIENCE, "nothing was heard for {PATIENCE:?}");
        }
    }

    fn wait(&mut self, patience: Duration) -> Result<Vec<Event>> {
        let mut events = Vec::with_capacity(EVENTS_MAX);
        let patience = Timespec::try_from(patience)?;
        epoll::wait(&self.poll, spare_capacity(&mut events), Some(&patience))?;
        Ok(events)
    }
}

impl Heard {
    /// After how many milliseconds so many of a hundred deliveries were.
    pub(super) fn percentile(&self, percent: u64) -> f64 {
        let wanted = self.deliveries * percent / 100;
        let mut seen = 0;
        let found = self.after.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        crate::stats::float(found.unwrap_or(AFTER_MAX) as u64) / 1e3
    }
}

/// How much is read at once.
const ROOM_BYTES: usize = 256 << 10;

const EVENTS_MAX: usize = 256;

/// Longer than that, in microseconds, is as long as this.
const AFTER_MAX: usize = 2_000_000;

/// After so long a silence all was told of who came in.
const SETTLED: Duration = Duration::from_millis(300);
