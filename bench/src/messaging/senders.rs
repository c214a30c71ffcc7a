//! Many who say something at once, each in a room of its own, and wait until it is acknowledged: then
//! it is on the disk.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, Event, EventData, EventFlags},
    time::Timespec,
};

use super::{
    entering,
    tongue::{BODY_BYTES, Tongue},
};

/// All who speak.
#[derive(Debug)]
pub(super) struct Senders {
    poll: OwnedFd,
    all: Vec<Sender>,
    window: usize,
    room: Vec<u8>,
}

#[derive(Debug)]
struct Sender {
    stream: TcpStream,
    message: String,
    /// When what is not acknowledged yet was said.
    said: VecDeque<Instant>,
    /// The beginning of a line.
    rest: Vec<u8>,
}

impl Senders {
    /// One for each of `tokens`, with so many messages on their way each.
    pub(super) fn start(port: u16, tokens: &[String], window: usize) -> Result<Self> {
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut senders = Vec::new();
        for (number, token) in tokens.iter().enumerate() {
            let stream = entering::enter(port, Tongue::Hub, (number, token))?;
            stream.set_nonblocking(true)?;
            epoll::add(&poll, &stream, EventData::new_u64(number as u64), EventFlags::IN)?;
            let body = "x".repeat(BODY_BYTES);
            let message = format!(
                "{{\"cmd\":\"MESSAGE\",\"id\":2,\"room\":\"#room-{number}\",\"body\":\"{body}\"}}\n"
            );
            senders.push(Sender { stream, message, said: VecDeque::new(), rest: Vec::new() });
        }
        Ok(Self { poll, all: senders, window, room: vec![0; 64 << 10] })
    }

    /// Has them speak for `duration`. Gives after how many microseconds each message was acknowledged,
    /// in no order.
    pub(super) fn speak(&mut self, duration: Duration) -> Result<Vec<f64>> {
        let (begin, mut after) = (Instant::now(), Vec::new());
        for sender in &mut self.all {
            sender.say(self.window)?;
        }
        let patience = Timespec::try_from(PATIENCE)?;
        while self.all.iter().any(|sender| !sender.said.is_empty()) {
            let mut events: Vec<Event> = Vec::with_capacity(EVENTS_MAX);
            epoll::wait(&self.poll, spare_capacity(&mut events), Some(&patience))?;
            ensure!(!events.is_empty(), "nothing was acknowledged for {PATIENCE:?}");
            let goes_on = begin.elapsed() < duration;
            for event in events {
                let sender = &mut self.all[usize::try_from(event.data.u64())?];
                let heard = sender.hear(&mut self.room, &mut after)?;
                sender.say(if goes_on { heard } else { 0 })?;
            }
        }
        Ok(after)
    }
}

impl Sender {
    fn say(&mut self, many: usize) -> Result<()> {
        if many == 0 {
            return Ok(());
        }
        // A few hundred bytes each, to who has read all that came before.
        self.stream.write_all(self.message.repeat(many).as_bytes())?;
        self.said.extend(std::iter::repeat_n(Instant::now(), many));
        Ok(())
    }

    /// Hears what came; how many acknowledgements were in it.
    fn hear(&mut self, room: &mut [u8], after: &mut Vec<f64>) -> Result<usize> {
        let bytes = match self.stream.read(room) {
            Ok(0) => bail!("a sender was sent away"),
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        self.rest.extend(&room[..bytes]);
        let end = memchr::memrchr(b'\n', &self.rest).map_or(0, |at| at + 1);
        let (now, mut heard) = (Instant::now(), 0);
        for line in self.rest[..end].split(|byte| *byte == b'\n') {
            if !line.starts_with(b"{\"re\":") {
                continue;
            }
            let is_written = memchr::memmem::find(line, b"\"seq\":").is_some();
            ensure!(is_written, "refused: {}", String::from_utf8_lossy(line));
            let Some(said) = self.said.pop_front() else { bail!("acknowledged twice") };
            after.push((now - said).as_secs_f64() * 1e6);
            heard += 1;
        }
        self.rest.drain(..end);
        Ok(heard)
    }
}

const EVENTS_MAX: usize = 256;

/// No acknowledgement takes so long.
const PATIENCE: Duration = Duration::from_secs(20);
