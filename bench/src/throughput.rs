//! The rows that count CPU time under load.

use anyhow::{Context, Result};

use crate::{
    fleet::Fleet,
    load::{Ask, Done, Load, Work},
    row::{Better, Column, Row, interleave},
    running::Door,
    site::Served,
    subject::Subject,
    target::{Against, Bound, Target},
    usage,
};

/// A row of this kind, to be measured.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) title: &'static str,
    load: Load,
    ask: Ask,
    subjects: &'static [Subject],
    gauges: &'static [Gauge],
    targets: &'static [Target],
}

/// A column, and how it follows from a sample.
#[derive(Debug)]
struct Gauge {
    column: Column,
    read: fn(&Sample) -> f64,
}

#[derive(Debug)]
struct Sample {
    done: Done,
    /// CPU seconds of the server.
    cpu: f64,
    /// CPU seconds of the load generator.
    load_cpu: f64,
}

impl Spec {
    /// Runs it: every server warmed up once, then all in turn.
    pub(crate) fn measure(&self, fleet: &mut Fleet<'_>, rounds: usize, seconds: u64) -> Row {
        let site = fleet.kit().site;
        let mut skipped = Vec::new();
        let mut ready = Vec::new();
        for &subject in self.subjects {
            match self.sample(fleet, subject, Work { site, seconds: WARM_UP_SECONDS }) {
                Ok(_) => ready.push(subject),
                Err(why) => skipped.push((subject, format!("{why:#}"))),
            }
        }
        let (series, failed) = interleave(rounds, &ready, |subject| {
            let sample = self.sample(fleet, subject, Work { site, seconds })?;
            Ok(self.gauges.iter().map(|gauge| (gauge.read)(&sample)).collect())
        });
        skipped.extend(failed);
        Row {
            title: self.title,
            how: self.load.how(self.ask, seconds),
            columns: self.gauges.iter().map(|gauge| gauge.column).collect(),
            series,
            skipped,
            targets: self.targets,
        }
    }

    fn sample(&self, fleet: &mut Fleet<'_>, subject: Subject, work: Work<'_>) -> Result<Sample> {
        let server = fleet.server(subject).map_err(anyhow::Error::msg)?;
        let (before, load_before) = (server.cpu_seconds()?, usage::own_cpu_seconds()?);
        let done = self.load.run(server, self.ask, work).context("under load")?;
        let (after, load_after) = (server.cpu_seconds()?, usage::own_cpu_seconds()?);
        Ok(Sample { done, cpu: after - before, load_cpu: load_after - load_before })
    }
}

/// Every row of this kind.
pub(crate) const SPECS: [Spec; 7] = [
    Spec {
        title: "HTTP/1.1 1 KiB",
        load: Load::Wrk { connections: 64 },
        ask: Ask { door: Door::Http, served: Served::Small },
        subjects: &Subject::ALL,
        gauges: SMALL,
        targets: &[
            cheaper_than_nginx(CPU_PER_REQUEST.column, 0.80),
            Target {
                column: CPU_PER_REQUEST.column,
                against: Against::FloorOver,
                bound: Bound::AtLeast(0.90),
            },
        ],
    },
    Spec {
        title: "HTTP/1.1 100 KiB",
        load: Load::Wrk { connections: 64 },
        ask: Ask { door: Door::Http, served: Served::Medium },
        subjects: CLEAR,
        gauges: BULK,
        targets: &[
            cheaper_than_nginx(CPU_PER_GB.column, 0.65),
            faster_than_nginx(GB_PER_SECOND.column, 1.0),
        ],
    },
    Spec {
        title: "HTTP/1.1 10 MiB",
        load: Load::Wrk { connections: 16 },
        ask: Ask { door: Door::Http, served: Served::Large },
        subjects: CLEAR,
        gauges: BULK,
        targets: &[
            cheaper_than_nginx(CPU_PER_GB.column, 0.65),
            faster_than_nginx(GB_PER_SECOND.column, 1.0),
        ],
    },
    Spec {
        title: "HTTPS 1 KiB, HTTP/1.1",
        load: Load::Wrk { connections: 64 },
        ask: Ask { door: Door::Https, served: Served::Small },
        subjects: TLS,
        gauges: SMALL,
        targets: &[cheaper_than_nginx(CPU_PER_REQUEST.column, 1.0)],
    },
    Spec {
        title: "HTTPS 1 KiB, HTTP/2",
        load: Load::H2load { connections: 16, streams: 16 },
        ask: Ask { door: Door::Https, served: Served::Small },
        subjects: TLS,
        gauges: SMALL,
        targets: &[faster_than_nginx(REQUESTS_PER_SECOND.column, 1.0)],
    },
    Spec {
        title: "HTTPS 10 MiB, HTTP/1.1",
        load: Load::Wrk { connections: 16 },
        ask: Ask { door: Door::Https, served: Served::Large },
        subjects: TLS,
        gauges: BULK,
        targets: &[cheaper_than_nginx(CPU_PER_GB.column, 1.0)],
    },
    Spec {
        title: "Full TLS 1.3 handshakes",
        load: Load::Handshakes { threads: 16 },
        ask: Ask { door: Door::Https, served: Served::Small },
        subjects: TLS,
        gauges: HANDSHAKES,
        targets: &[faster_than_nginx(HANDSHAKES_PER_CPU_SECOND.column, 1.3)],
    },
];

const fn cheaper_than_nginx(column: Column, most: f64) -> Target {
    Target { column, against: Against::BetterNginx, bound: Bound::AtMost(most) }
}

const fn faster_than_nginx(column: Column, least: f64) -> Target {
    Target { column, against: Against::BetterNginx, bound: Bound::AtLeast(least) }
}

const CLEAR: &[Subject] =
    &[Subject::Relais, Subject::NginxNopush, Subject::Nginx, Subject::Lighttpd];
const TLS: &[Subject] = &[Subject::Relais, Subject::NginxNopush, Subject::Nginx];

const SMALL: &[Gauge] = &[CPU_PER_REQUEST, REQUESTS_PER_SECOND, CORE_SHARE, BOTH_PER_REQUEST];
const BULK: &[Gauge] = &[CPU_PER_GB, GB_PER_SECOND, CORE_SHARE, BOTH_PER_GB];
const HANDSHAKES: &[Gauge] = &[HANDSHAKES_PER_CPU_SECOND, HANDSHAKES_PER_SECOND, CORE_SHARE];

const CPU_PER_REQUEST: Gauge = Gauge {
    column: Column { name: "CPU µs/request", better: Better::Lower, digits: 2 },
    read: |sample| sample.cpu * 1e6 / sample.done.requests,
};
const REQUESTS_PER_SECOND: Gauge = Gauge {
    column: Column { name: "requests/s", better: Better::Higher, digits: 0 },
    read: |sample| sample.done.requests / sample.done.seconds,
};
const CPU_PER_GB: Gauge = Gauge {
    column: Column { name: "CPU ms/GB", better: Better::Lower, digits: 1 },
    read: |sample| sample.cpu * 1e12 / sample.done.bytes,
};
const GB_PER_SECOND: Gauge = Gauge {
    column: Column { name: "GB/s", better: Better::Higher, digits: 2 },
    read: |sample| sample.done.bytes / 1e9 / sample.done.seconds,
};
const HANDSHAKES_PER_CPU_SECOND: Gauge = Gauge {
    column: Column { name: "handshakes/CPU s", better: Better::Higher, digits: 0 },
    read: |sample| sample.done.requests / sample.cpu,
};
const HANDSHAKES_PER_SECOND: Gauge = Gauge {
    column: Column { name: "handshakes/s", better: Better::Higher, digits: 0 },
    read: |sample| sample.done.requests / sample.done.seconds,
};
/// With the load generator's: on loopback, the kernel does part of one side's work when it serves
/// the other, and counts it there.
const BOTH_PER_REQUEST: Gauge = Gauge {
    column: Column { name: "both sides' CPU µs/request", better: Better::Lower, digits: 2 },
    read: |sample| (sample.cpu + sample.load_cpu) * 1e6 / sample.done.requests,
};
const BOTH_PER_GB: Gauge = Gauge {
    column: Column { name: "both sides' CPU ms/GB", better: Better::Lower, digits: 1 },
    read: |sample| (sample.cpu + sample.load_cpu) * 1e12 / sample.done.bytes,
};
/// How busy the server's core was: much below 1, the load generator was the limit, and what counts
/// is the CPU time, not the rate.
const CORE_SHARE: Gauge = Gauge {
    column: Column { name: "server core", better: Better::Lower, digits: 2 },
    read: |sample| sample.cpu / sample.done.seconds,
};

/// For caches, heaps and the processor to find their state.
const WARM_UP_SECONDS: u64 = 1;
