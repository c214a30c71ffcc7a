//! What the rows under load have in their columns.

use super::Sample;
use crate::{
    row::{Better, Column},
    stats::float,
};

/// A column, and how it follows from a sample.
#[derive(Debug)]
pub(super) struct Gauge {
    pub(super) column: Column,
    pub(super) read: fn(&Sample) -> f64,
}

pub(super) const CPU_PER_REQUEST: Gauge = Gauge {
    column: Column { name: "CPU µs/request", better: Better::Lower, digits: 2 },
    read: |sample| sample.cpu * 1e6 / sample.done.requests,
};
pub(super) const REQUESTS_PER_SECOND: Gauge = Gauge {
    column: Column { name: "requests/s", better: Better::Higher, digits: 0 },
    read: |sample| sample.done.requests / sample.done.seconds,
};
pub(super) const CPU_PER_GB: Gauge = Gauge {
    column: Column { name: "CPU ms/GB", better: Better::Lower, digits: 1 },
    read: |sample| sample.cpu * 1e12 / sample.done.bytes,
};
pub(super) const GB_PER_SECOND: Gauge = Gauge {
    column: Column { name: "GB/s", better: Better::Higher, digits: 2 },
    read: |sample| sample.done.bytes / 1e9 / sample.done.seconds,
};
pub(super) const HANDSHAKES_PER_CPU_SECOND: Gauge = Gauge {
    column: Column { name: "handshakes/CPU s", better: Better::Higher, digits: 0 },
    read: |sample| sample.done.requests / sample.cpu,
};
pub(super) const HANDSHAKES_PER_SECOND: Gauge = Gauge {
    column: Column { name: "handshakes/s", better: Better::Higher, digits: 0 },
    read: |sample| sample.done.requests / sample.done.seconds,
};
/// With the load generator's and the origin's: on loopback, the kernel does part of one side's work
/// when it serves the other, and counts it there.
pub(super) const BOTH_PER_REQUEST: Gauge = Gauge {
    column: Column { name: "both sides' CPU µs/request", better: Better::Lower, digits: 2 },
    read: |sample| (sample.cpu + sample.load_cpu) * 1e6 / sample.done.requests,
};
pub(super) const BOTH_PER_GB: Gauge = Gauge {
    column: Column { name: "both sides' CPU ms/GB", better: Better::Lower, digits: 1 },
    read: |sample| (sample.cpu + sample.load_cpu) * 1e12 / sample.done.bytes,
};
/// How busy the server's core was: much below 1, the load generator was the limit, and what counts
/// is the CPU time, not the rate.
pub(super) const CORE_SHARE: Gauge = Gauge {
    column: Column { name: "server core", better: Better::Lower, digits: 2 },
    read: |sample| sample.cpu / sample.done.seconds,
};
pub(super) const P99: Gauge = Gauge {
    column: Column { name: "p99 ms", better: Better::Lower, digits: 2 },
    read: |sample| sample.done.p99_ms.unwrap_or(f64::NAN),
};
/// How many of a hundred requests went on over a connection that had carried one before.
pub(super) const REUSED: Gauge = Gauge {
    column: Column { name: "upstream connections reused %", better: Better::Higher, digits: 3 },
    read: |sample| {
        let (connections, requests) = (sample.asked.connections, sample.asked.requests);
        100.0 * (1.0 - float(connections) / float(requests))
    },
};
/// Less than 1: the log says that lines are missing.
pub(super) const NOTED: Gauge = Gauge {
    column: Column { name: "log lines/request", better: Better::Higher, digits: 3 },
    read: |sample| sample.noted / sample.done.requests,
};
