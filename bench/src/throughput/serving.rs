//! The rows of `relais serve`: files.

use super::{
    Spec,
    gauge::{
        BOTH_PER_GB, BOTH_PER_REQUEST, CORE_SHARE, CPU_PER_GB, CPU_PER_REQUEST, GB_PER_SECOND,
        Gauge, HANDSHAKES_PER_CPU_SECOND, HANDSHAKES_PER_SECOND, REQUESTS_PER_SECOND,
    },
};
use crate::{
    load::{Ask, Load},
    row::Column,
    running::Door,
    site::Served,
    subject::{Program, Subject, Task},
    target::{Against, Bound, Target},
};

pub(super) const SPECS: [Spec; 7] = [
    Spec {
        title: "HTTP/1.1 1 KiB",
        load: Load::Wrk { connections: 64 },
        ask: Ask::same(Door::Http, Served::Small),
        subjects: &[RELAIS, NGINX_NOPUSH, NGINX, LIGHTTPD, FLOOR],
        times: 1,
        gauges: SMALL,
        targets: &[
            cheaper_than_nginx(CPU_PER_REQUEST.column, 0.80),
            Target {
                column: CPU_PER_REQUEST.column,
                of: FLOOR,
                against: Against::Best(&[RELAIS]),
                bound: Bound::AtLeast(0.90),
            },
        ],
    },
    Spec {
        title: "HTTP/1.1 100 KiB",
        load: Load::Wrk { connections: 64 },
        ask: Ask::same(Door::Http, Served::Medium),
        subjects: CLEAR,
        times: 1,
        gauges: BULK,
        targets: &[
            cheaper_than_nginx(CPU_PER_GB.column, 0.65),
            faster_than_nginx(GB_PER_SECOND.column, 1.0),
        ],
    },
    Spec {
        title: "HTTP/1.1 10 MiB",
        load: Load::Wrk { connections: 16 },
        ask: Ask::same(Door::Http, Served::Large),
        subjects: CLEAR,
        times: 1,
        gauges: BULK,
        targets: &[
            cheaper_than_nginx(CPU_PER_GB.column, 0.65),
            faster_than_nginx(GB_PER_SECOND.column, 1.0),
        ],
    },
    Spec {
        title: "HTTPS 1 KiB, HTTP/1.1",
        load: Load::Wrk { connections: 64 },
        ask: Ask::same(Door::Https, Served::Small),
        subjects: TLS,
        times: 1,
        gauges: SMALL,
        targets: &[cheaper_than_nginx(CPU_PER_REQUEST.column, 1.0)],
    },
    Spec {
        title: "HTTPS 1 KiB, HTTP/2",
        load: Load::H2load { connections: 16, streams: 16 },
        ask: Ask::same(Door::Https, Served::Small),
        subjects: TLS,
        times: 1,
        gauges: SMALL,
        targets: &[faster_than_nginx(REQUESTS_PER_SECOND.column, 1.0)],
    },
    Spec {
        title: "HTTPS 10 MiB, HTTP/1.1",
        load: Load::Wrk { connections: 16 },
        ask: Ask::same(Door::Https, Served::Large),
        subjects: TLS,
        times: 1,
        gauges: BULK,
        targets: &[cheaper_than_nginx(CPU_PER_GB.column, 1.0)],
    },
    Spec {
        title: "Full TLS 1.3 handshakes",
        load: Load::Handshakes { threads: 16 },
        ask: Ask::same(Door::Https, Served::Small),
        subjects: TLS,
        times: 1,
        gauges: HANDSHAKES,
        targets: &[faster_than_nginx(HANDSHAKES_PER_CPU_SECOND.column, 1.3)],
    },
];

const fn cheaper_than_nginx(column: Column, most: f64) -> Target {
    Target { column, of: RELAIS, against: EITHER_NGINX, bound: Bound::AtMost(most) }
}

const fn faster_than_nginx(column: Column, least: f64) -> Target {
    Target { column, of: RELAIS, against: EITHER_NGINX, bound: Bound::AtLeast(least) }
}

const EITHER_NGINX: Against = Against::Best(&[NGINX_NOPUSH, NGINX]);

const CLEAR: &[Subject] = &[RELAIS, NGINX_NOPUSH, NGINX, LIGHTTPD];
const TLS: &[Subject] = &[RELAIS, NGINX_NOPUSH, NGINX];

const RELAIS: Subject = Program::Relais.at(Task::Serve);
const NGINX_NOPUSH: Subject = Program::NginxNopush.at(Task::Serve);
const NGINX: Subject = Program::Nginx.at(Task::Serve);
const LIGHTTPD: Subject = Program::Lighttpd.at(Task::Serve);
const FLOOR: Subject = Program::Floor.at(Task::Serve);

const SMALL: &[Gauge] = &[CPU_PER_REQUEST, REQUESTS_PER_SECOND, CORE_SHARE, BOTH_PER_REQUEST];
const BULK: &[Gauge] = &[CPU_PER_GB, GB_PER_SECOND, CORE_SHARE, BOTH_PER_GB];
const HANDSHAKES: &[Gauge] = &[HANDSHAKES_PER_CPU_SECOND, HANDSHAKES_PER_SECOND, CORE_SHARE];
