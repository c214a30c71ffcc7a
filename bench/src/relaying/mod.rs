//! The rows about relays: bytes passed on as they are.

mod far;
mod load;

use anyhow::{Context, Result};

use crate::{
    launch,
    origin::Origin,
    row::{Better, Column, Row, interleave},
    running::{Door, Kit, Running},
    stats::{float, percentile},
    subject::{Program, Subject, Task},
    target::{Against, Bound, Target},
};
use far::{Does, Far};

/// A row of this kind, to be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spec {
    /// Through so many connections.
    Bulk(usize),
    PingPong,
    Short,
    Idle,
}

/// Every row of this kind.
pub(crate) const SPECS: [Spec; 5] =
    [Spec::Bulk(1), Spec::Bulk(8), Spec::PingPong, Spec::Short, Spec::Idle];

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) seconds: u64,
    /// Idle connections.
    pub(crate) conns: usize,
}

impl Spec {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Bulk(1) => "Relay, bulk, one connection",
            Self::Bulk(_) => "Relay, bulk, eight connections",
            Self::PingPong => "Relay, 64 B there and back",
            Self::Short => "Relay, short connections",
            Self::Idle => "Relay, memory, idle connections",
        }
    }

    pub(crate) fn measure(self, kit: &Kit<'_>, effort: Effort) -> Row {
        let (columns, targets) = self.columns();
        let rounds =
            if self == Self::Idle { effort.rounds.min(IDLE_ROUNDS_MAX) } else { effort.rounds };
        let (series, skipped) =
            interleave(rounds, self.subjects(), |subject| self.sample(subject, kit, effort));
        Row {
            title: self.title(),
            how: self.how(effort),
            columns: columns.to_vec(),
            ours: RELAIS,
            series,
            skipped,
            targets,
        }
    }

    fn subjects(self) -> &'static [Subject] {
        match self {
            Self::Bulk(_) | Self::PingPong => &[RELAIS, HAPROXY, NGINX, SOCAT],
            // A process each is another question.
            Self::Short => &[RELAIS, HAPROXY, NGINX, NGINX_HALF_CLOSE],
            Self::Idle => &[RELAIS, HAPROXY, NGINX],
        }
    }

    fn sample(self, subject: Subject, kit: &Kit<'_>, effort: Effort) -> Result<Vec<f64>> {
        let far = Far::start(self.does())?;
        let origin = Origin::elsewhere(far.port);
        let kit = Kit { site: kit.site, relais: kit.relais, origin: &origin, head: None };
        let server = Running::start(subject, &kit).context("cannot start")?;
        launch::pause(SETTLE);
        let port = server.port(Door::Http);
        match self {
            Self::Bulk(conns) => {
                let flood = load::Flood::start(port, conns)?;
                launch::pause(SETTLE);
                let (before, at_first) = (server.cpu_seconds()?, flood.bytes());
                let begun = std::time::Instant::now();
                launch::pause(std::time::Duration::from_secs(effort.seconds));
                let gb = float(flood.bytes() - at_first) / 1e9;
                let took = begun.elapsed().as_secs_f64();
                let cpu = server.cpu_seconds()? - before;
                flood.end();
                Ok(vec![cpu / gb, gb / took, cpu / took])
            }
            Self::PingPong => {
                let before = server.cpu_seconds()?;
                let times = load::ping(port, effort.seconds)?;
                let cpu = server.cpu_seconds()? - before;
                let count = float(u64::try_from(times.len())?);
                Ok(vec![percentile(&times, 50), percentile(&times, 99), cpu / count * 1e6])
            }
            Self::Short => {
                let before = server.cpu_seconds()?;
                let count = load::short(port, effort.seconds)?;
                let cpu = server.cpu_seconds()? - before;
                let rate = count / float(effort.seconds);
                Ok(vec![rate, cpu / count * 1e6])
            }
            Self::Idle => {
                let base = server.memory()?;
                let held = load::hold(port, effort.conns)?;
                launch::pause(SILENCE);
                let full = server.memory()?;
                load::ensure_open(&held)?;
                let conns = float(u64::try_from(effort.conns)?);
                Ok(vec![(full.rss - base.rss) / conns, base.rss / 1024.0, full.rss / 1024.0])
            }
        }
    }

    fn does(self) -> Does {
        match self {
            Self::Bulk(_) => Does::Sends,
            Self::PingPong => Does::Echoes,
            Self::Short => Does::Closes,
            Self::Idle => Does::Holds,
        }
    }

    fn columns(self) -> (&'static [Column], &'static [Target]) {
        match self {
            Self::Bulk(_) => (&[CPU_GB, GB, CORE], &BULK_TARGETS),
            Self::PingPong => (&[MEDIAN, P99, CPU_EACH], &PING_TARGETS),
            Self::Short => (&[CONNS, CPU_EACH], &SHORT_TARGETS),
            Self::Idle => (&[KIB, BASE, FULL], &IDLE_TARGETS),
        }
    }

    fn how(self, Effort { seconds, conns, .. }: Effort) -> String {
        match self {
            Self::Bulk(conns) => format!(
                "What the far end sends for {seconds} s through {conns} at once, thrown away unread by the \
                 client (`MSG_TRUNC`); a fresh relay each."
            ),
            Self::PingPong => format!(
                "One connection, one message under way, for {seconds} s: from before it is written until it is \
                 back, relay, far end and the two ways between."
            ),
            Self::Short => format!(
                "{} clients for {seconds} s: connect, send 64 B, read them back, and the end.",
                load::CLIENTS
            ),
            Self::Idle => format!(
                "A fresh relay each, in at most {IDLE_ROUNDS_MAX} rounds; {conns} connections of two clients \
                 kept open after 64 B there and back, then {} s of silence.",
                SILENCE.as_secs()
            ),
        }
    }
}

const RELAIS: Subject = Program::Relais.at(Task::Relay);
const HAPROXY: Subject = Program::Haproxy.at(Task::Relay);
const NGINX: Subject = Program::Nginx.at(Task::Relay);
const NGINX_HALF_CLOSE: Subject = Program::NginxHalfClose.at(Task::Relay);
const SOCAT: Subject = Program::Socat.at(Task::Relay);

const CPU_GB: Column = Column { name: "CPU s/GB", better: Better::Lower, digits: 3 };
const GB: Column = Column { name: "GB/s", better: Better::Higher, digits: 2 };
const CORE: Column = Column { name: "server core", better: Better::Lower, digits: 2 };
const MEDIAN: Column = Column { name: "median µs", better: Better::Lower, digits: 1 };
const P99: Column = Column { name: "p99 µs", better: Better::Lower, digits: 1 };
const CPU_EACH: Column = Column { name: "CPU µs each", better: Better::Lower, digits: 2 };
const CONNS: Column = Column { name: "connections/s", better: Better::Higher, digits: 0 };
const KIB: Column = Column { name: "KiB a connection", better: Better::Lower, digits: 2 };
const BASE: Column = Column { name: "base MiB", better: Better::Lower, digits: 1 };
const FULL: Column = Column { name: "full MiB", better: Better::Lower, digits: 1 };

const fn target(column: Column, against: Against, bound: Bound) -> Target {
    Target { column, of: RELAIS, against, bound }
}

const BULK_TARGETS: [Target; 2] = [
    target(CPU_GB, Against::Best(&[HAPROXY]), Bound::AtMost(0.95)),
    target(GB, Against::Best(&[HAPROXY]), Bound::AtLeast(1.0)),
];
const PING_TARGETS: [Target; 1] = [target(MEDIAN, Against::Best(&[HAPROXY]), Bound::AtMost(1.0))];
const SHORT_TARGETS: [Target; 1] = [target(CONNS, Against::Best(&[NGINX]), Bound::AtLeast(1.0))];
const IDLE_TARGETS: [Target; 2] = [
    target(KIB, Against::Nothing, Bound::AtMost(8.0)),
    target(BASE, Against::Nothing, Bound::AtMost(12.0)),
];

const IDLE_ROUNDS_MAX: usize = 2;
const SETTLE: std::time::Duration = std::time::Duration::from_millis(300);
const SILENCE: std::time::Duration = std::time::Duration::from_secs(3);
