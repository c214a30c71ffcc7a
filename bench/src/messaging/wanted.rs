//! What the rows about the hub tell, and what is wanted of that.

use super::{INSPIRCD, NATS, RELAIS, Spec};
use crate::{
    row::{Better, Column},
    running::Door,
    target::{Against, Bound, Target},
};

impl Spec {
    pub(super) fn columns(self) -> (&'static [Column], &'static [Target]) {
        match self {
            Self::FanOut(1) => (&FAN_OUT, &NARROW_TARGETS),
            Self::FanOut(_) => (&FAN_OUT, &WIDE_TARGETS),
            Self::Durable => (&DURABLE, &DURABLE_TARGETS),
            Self::Idle(Door::Http) => (&IDLE, &IDLE_TARGETS),
            Self::Idle(Door::Https) => (&IDLE, &IDLE_TLS_TARGETS),
            Self::Large => (&LARGE, &LARGE_TARGETS),
        }
    }
}

const FAN_OUT: [Column; 5] = [PER_CORE, RATE, CORE, MEDIAN, P99];
const PER_CORE: Column =
    Column { name: "1000 deliveries/core-s", better: Better::Higher, digits: 0 };
const RATE: Column = Column { name: "1000 deliveries/s", better: Better::Higher, digits: 0 };
const CORE: Column = Column { name: "server core", better: Better::Lower, digits: 2 };
const MEDIAN: Column = Column { name: "median ms", better: Better::Lower, digits: 2 };
const P99: Column = Column { name: "p99 ms", better: Better::Lower, digits: 2 };

const DURABLE: [Column; 5] = [ACKNOWLEDGED, MEDIAN, P99, CORE, CPU_EACH];
const ACKNOWLEDGED: Column = Column { name: "messages/s", better: Better::Higher, digits: 0 };
const CPU_EACH: Column = Column { name: "CPU µs each", better: Better::Lower, digits: 2 };

const IDLE: [Column; 3] = [KIB, BASE, FULL];
const KIB: Column = Column { name: "RSS KiB/session", better: Better::Lower, digits: 2 };
const BASE: Column = Column { name: "base RSS MiB", better: Better::Lower, digits: 1 };
const FULL: Column = Column { name: "RSS MiB with sessions", better: Better::Lower, digits: 1 };

const LARGE: [Column; 4] = [LOGIN, HISTORY, RARE, USUAL];
const LOGIN: Column = Column { name: "LOGIN p99 ms", better: Better::Lower, digits: 2 };
const HISTORY: Column = Column { name: "HISTORY p99 ms", better: Better::Lower, digits: 2 };
const RARE: Column = Column { name: "SEARCH, two words, p99 ms", better: Better::Lower, digits: 2 };
const USUAL: Column = Column { name: "SEARCH, one word, p99 ms", better: Better::Lower, digits: 2 };

const fn target(column: Column, against: Against, bound: Bound) -> Target {
    Target { column, of: RELAIS, against, bound }
}

const fn at_most(column: Column, most: f64) -> Target {
    target(column, Against::Nothing, Bound::AtMost(most))
}

const WIDE_TARGETS: [Target; 2] = [
    target(PER_CORE, Against::Nothing, Bound::AtLeast(1000.0)),
    target(P99, Against::Best(&[NATS]), Bound::AtMost(1.0)),
];
const NARROW_TARGETS: [Target; 2] = [
    target(PER_CORE, Against::Best(&[INSPIRCD]), Bound::AtLeast(1.3)),
    target(P99, Against::Best(&[NATS]), Bound::AtMost(1.0)),
];
const DURABLE_TARGETS: [Target; 2] =
    [target(ACKNOWLEDGED, Against::Nothing, Bound::AtLeast(50_000.0)), at_most(P99, 25.0)];
const IDLE_TARGETS: [Target; 1] = [at_most(KIB, 4.0)];
const IDLE_TLS_TARGETS: [Target; 1] = [at_most(KIB, 24.0)];
const LARGE_TARGETS: [Target; 4] =
    [at_most(LOGIN, 10.0), at_most(HISTORY, 10.0), at_most(RARE, 100.0), at_most(USUAL, 100.0)];
