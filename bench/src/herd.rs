//! The row about a herd: all clients ask at once for one object that is not there.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
};

use crate::{
    client, launch,
    origin::{Origin, head},
    row::{Better, Column, Row, interleave},
    running::{Door, Kit, Running},
    stats::float,
    subject::{Program, Subject, Task},
    target::{Against, Bound, Target},
};

pub(crate) const TITLE: &str = "Cache, a herd for one missing 1 MiB";

/// Has `clients` ask at once, each round of a fresh server.
pub(crate) fn measure(kit: &Kit<'_>, rounds: usize, clients: usize) -> Row {
    // It takes long, and says much the same each time.
    let rounds = rounds.min(ROUNDS_MAX);
    let (series, skipped) = interleave(rounds, &SUBJECTS, |subject| ask(subject, kit, clients));
    Row {
        title: TITLE,
        how: format!(
            "{clients} connections are open before any asks; then all ask for the same. The origin \
             waits {} s, and sends it. Seconds are from the first request to the last client's first \
             byte, and to the last byte of all.",
            ORIGIN_WAITS.as_secs()
        ),
        columns: vec![REQUESTS, FIRST, WHOLE],
        ours: RELAIS,
        series,
        skipped,
        targets: &TARGETS,
    }
}

fn ask(subject: Subject, kit: &Kit<'_>, clients: usize) -> Result<Vec<f64>> {
    let slow = Slow::start()?;
    let origin = Origin::elsewhere(slow.port);
    let kit = Kit { site: kit.site, relais: kit.relais, origin: &origin, head: None };
    let server = Running::start(subject, &kit).context("cannot start")?;
    let mut herd = Vec::with_capacity(clients);
    for number in 0..clients {
        let stream = client::connect(server.port(Door::Http));
        let stream = stream.with_context(|| format!("opening connection {number}"))?;
        stream.set_nonblocking(true)?;
        herd.push(Asking { stream, came: Vec::new(), left: None });
    }
    launch::pause(SETTLE);
    let (first, whole) = run(&mut herd)?;
    Ok(vec![float(slow.asked.load(Ordering::Relaxed)), first.as_secs_f64(), whole.as_secs_f64()])
}

/// A client that asks.
struct Asking {
    stream: TcpStream,
    /// The beginning of its answer, until the head is there.
    came: Vec<u8>,
    /// How much of the body is still to come; `None` before the head.
    left: Option<usize>,
}

/// Has all ask; how long until the last had its first byte, and all of it.
fn run(herd: &mut [Asking]) -> Result<(Duration, Duration)> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    for (number, asking) in herd.iter().enumerate() {
        let number = EventData::new_u64(u64::try_from(number)?);
        epoll::add(&epoll, &asking.stream, number, EventFlags::IN)?;
    }
    let begin = Instant::now();
    for asking in &mut *herd {
        asking.stream.write_all(REQUEST)?;
    }
    let (mut waiting, mut unfinished) = (herd.len(), herd.len());
    let mut first = Duration::ZERO;
    let mut events = Vec::with_capacity(EVENTS_MAX);
    let mut scratch = vec![0; READ_BYTES_MAX];
    let tick = rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 };
    while unfinished > 0 {
        ensure!(begin.elapsed() < PATIENCE, "{unfinished} are not answered after {PATIENCE:?}");
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), Some(&tick))?;
        for event in &events {
            let asking = &mut herd[usize::try_from(event.data.u64())?];
            let had_none = asking.left.is_none() && asking.came.is_empty();
            let is_over = asking.read(&mut scratch)?;
            let has_some = asking.left.is_some() || !asking.came.is_empty();
            if had_none && has_some {
                waiting -= 1;
                if waiting == 0 {
                    first = begin.elapsed();
                }
            }
            if is_over {
                epoll::delete(&epoll, &asking.stream)?;
                unfinished -= 1;
            }
        }
    }
    Ok((first, begin.elapsed()))
}

impl Asking {
    /// Reads once. Whether it has all of its answer.
    fn read(&mut self, scratch: &mut [u8]) -> Result<bool> {
        let read = match self.stream.read(scratch) {
            Ok(0) => bail!("an answer broke off"),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error).context("reading an answer"),
        };
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(read).context("more than an answer")?;
            return Ok(*left == 0);
        }
        self.came.extend_from_slice(&scratch[..read]);
        let Some(end) = memchr::memmem::find(&self.came, b"\r\n\r\n") else { return Ok(false) };
        ensure!(self.came.starts_with(b"HTTP/1.1 200"), "an answer is no 200");
        let body = self.came.len() - end - 4;
        let left = OBJECT_BYTES.checked_sub(body).context("more than an answer")?;
        self.left = Some(left);
        Ok(left == 0)
    }
}

/// An origin that waits before each answer, and counts.
struct Slow {
    port: u16,
    asked: Arc<AtomicU64>,
}

impl Slow {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let asked: Arc<AtomicU64> = Arc::default();
        let counted = Arc::clone(&asked);
        // Ends with this program; if it fails, so does the row.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counted = Arc::clone(&counted);
                thread::spawn(move || answer(stream, &counted));
            }
        });
        Ok(Self { port, asked })
    }
}

/// Answers all that is asked on `stream`.
fn answer(mut stream: TcpStream, asked: &AtomicU64) -> Option<()> {
    let answer =
        [head(OBJECT_BYTES, &crate::machine::date()).into_bytes(), vec![b'x'; OBJECT_BYTES]]
            .concat();
    let mut heard = Vec::new();
    loop {
        let mut some = [0; 4096];
        let read = stream.read(&mut some).ok().filter(|&read| read > 0)?;
        heard.extend_from_slice(&some[..read]);
        if heard.ends_with(b"\r\n\r\n") {
            heard.clear();
            asked.fetch_add(1, Ordering::Relaxed);
            launch::pause(ORIGIN_WAITS);
            stream.write_all(&answer).ok()?;
        }
    }
}

const REQUEST: &[u8] = b"GET /herd HTTP/1.1\r\nHost: localhost\r\n\r\n";
const OBJECT_BYTES: usize = 1 << 20;
const ORIGIN_WAITS: Duration = Duration::from_secs(1);
const SETTLE: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_mins(2);
const ROUNDS_MAX: usize = 2;
const EVENTS_MAX: usize = 1024;
const READ_BYTES_MAX: usize = 256 * 1024;

const RELAIS: Subject = Program::Relais.at(Task::Cache);
const SUBJECTS: [Subject; 3] =
    [RELAIS, Program::Nginx.at(Task::Cache), Program::Varnish.at(Task::Cache)];

const REQUESTS: Column = Column { name: "origin requests", better: Better::Lower, digits: 0 };
const FIRST: Column = Column { name: "first bytes, s", better: Better::Lower, digits: 3 };
const WHOLE: Column = Column { name: "all, s", better: Better::Lower, digits: 3 };
const TARGETS: [Target; 3] = [
    Target { column: REQUESTS, of: RELAIS, against: Against::Nothing, bound: Bound::AtMost(1.0) },
    Target { column: FIRST, of: RELAIS, against: Against::Nothing, bound: Bound::AtMost(1.5) },
    Target { column: WHOLE, of: RELAIS, against: Against::Nothing, bound: Bound::AtMost(1.5) },
];
