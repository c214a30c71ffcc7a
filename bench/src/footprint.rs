//! The rows about what a server takes before and between requests: memory, time to start, disk.

use std::{io, net::TcpStream, time::Duration};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    client, launch,
    row::{Better, Column, Row, interleave},
    running::{Door, Kit, Running},
    site::Served,
    stats::float,
    subject::{Program, Subject, Task},
    target::{Against, Bound, Target},
};

/// A row of this kind, to be measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spec {
    Idle(Door),
    IdleThroughProxy,
    Start,
    Size,
}

/// Every row of this kind.
pub(crate) const SPECS: [Spec; 5] = [
    Spec::Idle(Door::Http),
    Spec::Idle(Door::Https),
    Spec::IdleThroughProxy,
    Spec::Start,
    Spec::Size,
];

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// Idle connections in the clear.
    pub(crate) clear_conns: usize,
    /// Idle connections under TLS.
    pub(crate) tls_conns: usize,
}

impl Spec {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Idle(Door::Http) => "Memory, idle HTTP connections",
            Self::Idle(Door::Https) => "Memory, idle HTTPS connections",
            Self::IdleThroughProxy => "Proxy, memory, idle clients",
            Self::Start => "Start to first answer",
            Self::Size => "Binary size",
        }
    }

    pub(crate) fn measure(self, kit: &Kit<'_>, effort: Effort) -> Row {
        let rounds = effort.rounds;
        let (series, skipped) = match self {
            Self::Idle(_) | Self::IdleThroughProxy => {
                let (door, conns) = (self.door(), self.conns(effort));
                // A round takes long, and memory does not vary as time does.
                let rounds = rounds.min(IDLE_ROUNDS_MAX);
                interleave(rounds, self.subjects(), |subject| idle(subject, kit, door, conns))
            }
            Self::Start => interleave(rounds * STARTS_PER_ROUND, self.subjects(), |subject| {
                Ok(vec![Running::time_to_answer(subject, kit)?.as_secs_f64() * 1e3])
            }),
            Self::Size => interleave(1, self.subjects(), |_| {
                let file = std::fs::metadata(kit.relais).context("no release build")?;
                Ok(vec![float(file.len()) / 1e6])
            }),
        };
        let (columns, targets) = self.columns();
        let how = self.how(effort);
        let (title, ours) = (self.title(), self.subjects()[0]);
        Row { title, how, columns: columns.to_vec(), ours, series, skipped, targets }
    }

    /// Who is measured, ours first.
    fn subjects(self) -> &'static [Subject] {
        match self {
            Self::Idle(Door::Http) | Self::Start => &PEERS,
            Self::Idle(Door::Https) => &PEERS[..2],
            Self::IdleThroughProxy => &PROXIES,
            Self::Size => &PEERS[..1],
        }
    }

    /// Which door idle connections come by.
    fn door(self) -> Door {
        match self {
            Self::Idle(door) => door,
            _ => Door::Http,
        }
    }

    fn conns(self, effort: Effort) -> usize {
        match self.door() {
            Door::Http => effort.clear_conns,
            Door::Https => effort.tls_conns,
        }
    }

    fn columns(self) -> (&'static [Column], &'static [Target]) {
        match self {
            Self::Idle(Door::Http) => (&IDLE, &IDLE_HTTP_TARGETS),
            Self::Idle(Door::Https) => (&IDLE, &IDLE_HTTPS_TARGETS),
            Self::IdleThroughProxy => (&IDLE, &IDLE_CLIENTS_TARGETS),
            Self::Start => (&[START], &START_TARGETS),
            Self::Size => (&[SIZE], &SIZE_TARGETS),
        }
    }

    fn how(self, effort: Effort) -> String {
        match self {
            Self::Idle(_) | Self::IdleThroughProxy => format!(
                "A fresh server each, in at most {IDLE_ROUNDS_MAX} rounds; {} connections kept open after one request for 1 KiB each, \
                 then {} s of silence. RSS is summed over its processes, Pss counts shared pages \
                 in parts.",
                self.conns(effort),
                SILENCE.as_secs()
            ),
            Self::Start => "From spawning the process, pinning included, until a request for \
                 1 KiB is answered in full; a new data folder each time."
                .to_owned(),
            Self::Size => "The release build, as it is.".to_owned(),
        }
    }
}

fn idle(subject: Subject, kit: &Kit<'_>, door: Door, conns: usize) -> Result<Vec<f64>> {
    let server = Running::start(subject, kit).context("cannot start")?;
    launch::pause(SETTLE);
    let base = server.memory()?;
    let held = hold(server.port(door), door, conns)?;
    launch::pause(SILENCE);
    let full = server.memory()?;
    ensure_open(&held)?;
    let conns = float(u64::try_from(conns)?);
    Ok(vec![
        base.rss / 1024.0,
        base.pss / 1024.0,
        full.rss / 1024.0,
        (full.rss - base.rss) / conns,
        (full.pss - base.pss) / conns,
    ])
}

/// Opens connections, each with one request answered.
fn hold(port: u16, door: Door, conns: usize) -> Result<Vec<TcpStream>> {
    let config = client::tls_config()?;
    let mut held = Vec::with_capacity(conns);
    for number in 0..conns {
        let mut stream =
            client::connect(port).with_context(|| format!("opening connection {number}"))?;
        // Our side of TLS is given up after the answer: only the socket has to stay.
        stream = match door {
            Door::Http => {
                client::ask(&mut stream, Served::Small)?;
                stream
            }
            Door::Https => {
                let mut tls = client::wrap(stream, &config)?;
                client::ask(&mut tls, Served::Small)?;
                tls.sock
            }
        };
        held.push(stream);
    }
    Ok(held)
}

/// Fails if a server saved memory by closing connections.
pub(crate) fn ensure_open(held: &[TcpStream]) -> Result<()> {
    let mut closed = 0;
    for stream in held {
        stream.set_nonblocking(true)?;
        // Bytes may have come, such as session tickets; the end may not.
        match stream.peek(&mut [0]) {
            Ok(0) => closed += 1,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => bail!("an idle connection broke: {error}"),
        }
    }
    ensure!(closed == 0, "{closed} of {} idle connections were closed", held.len());
    Ok(())
}

const fn at_most(column: Column, most: f64) -> Target {
    Target { column, of: RELAIS, against: Against::Nothing, bound: Bound::AtMost(most) }
}

const RELAIS: Subject = Program::Relais.at(Task::Serve);
const PEERS: [Subject; 3] =
    [RELAIS, Program::Nginx.at(Task::Serve), Program::Lighttpd.at(Task::Serve)];
const PROXIES: [Subject; 3] = [
    Program::Relais.at(Task::Pass),
    Program::Nginx.at(Task::Pass),
    Program::Haproxy.at(Task::Pass),
];

const IDLE: [Column; 5] = [
    BASE,
    Column { name: "base Pss MiB", better: Better::Lower, digits: 2 },
    Column { name: "RSS MiB with connections", better: Better::Lower, digits: 1 },
    PER_CONN,
    Column { name: "Pss KiB/connection", better: Better::Lower, digits: 2 },
];
const BASE: Column = Column { name: "base RSS MiB", better: Better::Lower, digits: 2 };
const PER_CONN: Column = Column { name: "RSS KiB/connection", better: Better::Lower, digits: 2 };
const START: Column = Column { name: "start ms", better: Better::Lower, digits: 1 };
const SIZE: Column = Column { name: "size MB", better: Better::Lower, digits: 2 };

const IDLE_HTTP_TARGETS: [Target; 2] = [at_most(BASE, 12.0), at_most(PER_CONN, 6.0)];
const IDLE_HTTPS_TARGETS: [Target; 1] = [at_most(PER_CONN, 24.0)];
const IDLE_CLIENTS_TARGETS: [Target; 1] = [Target { of: PROXIES[0], ..at_most(PER_CONN, 8.0) }];
const START_TARGETS: [Target; 1] = [at_most(START, 50.0)];
const SIZE_TARGETS: [Target; 1] = [at_most(SIZE, 12.0)];

const IDLE_ROUNDS_MAX: usize = 3;
const STARTS_PER_ROUND: usize = 4;
/// From accepting to standing still.
const SETTLE: Duration = Duration::from_secs(1);
/// A server may use the silence to give back what idle connections do not need.
const SILENCE: Duration = Duration::from_secs(3);
