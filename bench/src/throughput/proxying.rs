//! The rows of `relais proxy`: passing on, answering from the cache, sniffing and blocking.

use super::{
    Spec,
    gauge::{
        BOTH_PER_GB, BOTH_PER_REQUEST, CORE_SHARE, CPU_PER_GB, CPU_PER_REQUEST, GB_PER_SECOND,
        Gauge, NOTED, P99, REQUESTS_PER_SECOND, REUSED,
    },
};
use crate::{
    load::{Ask, Load},
    row::Column,
    running::Door,
    site::{Served, Urls},
    subject::{
        Program::{Haproxy, Mitmdump, Nginx, NginxNopush, Relais, Squid, TrafficServer, Varnish},
        Subject,
        Task::{Block, Cache, CacheOnDisk, Pass, Sniff, SniffAndBlock},
    },
    target::{Against, Bound, Target},
};

pub(super) const SPECS: [Spec; 10] = [
    Spec {
        title: "Proxy, passing on 1 KiB",
        load: Load::Wrk { connections: 64 },
        ask: Ask::same(Door::Http, Served::Small),
        subjects: PASSING,
        times: 1,
        gauges: PASSING_SMALL,
        targets: &[
            passing(CPU_PER_REQUEST.column, PASSING_NGINX, 1.05),
            passing(CPU_PER_REQUEST.column, &[Haproxy.at(Pass)], 1.0),
            REUSING,
        ],
    },
    Spec {
        title: "Proxy, passing on 100 KiB",
        load: Load::Wrk { connections: 64 },
        ask: Ask::same(Door::Http, Served::Medium),
        subjects: PASSING,
        times: 1,
        gauges: PASSING_BULK,
        targets: &[passing(CPU_PER_GB.column, PASSING_NGINX, 1.0), REUSING],
    },
    steady(
        "Proxy, 20,000 requests a second for 1 KiB",
        Load::Steady { connections: 50, each_second: 400 },
        Served::Small,
    ),
    steady(
        "Proxy, 5,000 requests a second for 100 KiB",
        Load::Steady { connections: 50, each_second: 100 },
        Served::Medium,
    ),
    Spec {
        title: "Proxy, passing on 10 MiB",
        load: Load::Wrk { connections: 8 },
        ask: Ask::same(Door::Http, Served::Large),
        subjects: PASSING_LARGE,
        times: 1,
        gauges: LARGE,
        targets: &[passing(CPU_PER_GB.column, PASSING_NGINX, 1.0)],
    },
    Spec {
        title: "Proxy, cache hit 1 KiB",
        load: Load::Wrk { connections: 64 },
        ask: Ask::same(Door::Http, Served::Small),
        subjects: CACHING,
        times: 1,
        gauges: &[CPU_PER_REQUEST, REQUESTS_PER_SECOND, CORE_SHARE, P99, BOTH_PER_REQUEST],
        targets: &[caching(CPU_PER_REQUEST.column, 0.55)],
    },
    Spec {
        title: "Proxy, cache hit 100 KiB",
        load: Load::Wrk { connections: 64 },
        ask: Ask::same(Door::Http, Served::Medium),
        subjects: CACHING,
        times: 1,
        gauges: &[CPU_PER_GB, GB_PER_SECOND, CORE_SHARE, P99, BOTH_PER_GB],
        targets: &[caching(CPU_PER_GB.column, 0.85)],
    },
    Spec {
        title: "Proxy, cache hit on disk 1 KiB",
        load: Load::Wrk { connections: 64 },
        ask: Ask { door: Door::Http, served: Served::Small, urls: Urls::Varied },
        subjects: ON_DISK,
        times: 1,
        gauges: &[CPU_PER_REQUEST, REQUESTS_PER_SECOND, CORE_SHARE, P99, BOTH_PER_REQUEST],
        targets: &[on_disk(CPU_PER_REQUEST.column, 0.75)],
    },
    Spec {
        title: "Proxy, cache hit on disk 10 MiB",
        load: Load::Wrk { connections: 16 },
        ask: Ask::same(Door::Http, Served::Large),
        subjects: ON_DISK,
        times: 1,
        gauges: &[CPU_PER_GB, GB_PER_SECOND, CORE_SHARE, P99, BOTH_PER_GB],
        targets: &[on_disk(CPU_PER_GB.column, 0.6)],
    },
    Spec {
        title: "Proxy, sniffing and blocking",
        load: Load::Wrk { connections: 64 },
        ask: Ask { door: Door::Http, served: Served::Small, urls: Urls::Varied },
        subjects: WATCHING,
        times: 4,
        gauges: &[CPU_PER_REQUEST, REQUESTS_PER_SECOND, CORE_SHARE, NOTED],
        targets: &[
            costing(Relais.at(Sniff), 1.10),
            costing(Relais.at(Block), 1.05),
            Target {
                column: REQUESTS_PER_SECOND.column,
                of: Relais.at(SniffAndBlock),
                against: Against::Best(&[Mitmdump.at(Pass)]),
                bound: Bound::AtLeast(40.0),
            },
        ],
    },
];

/// How long requests take where all keep up: where servers are asked for as much as they can give,
/// the queue is waited in, and who is faster waits for the load.
const fn steady(title: &'static str, load: Load, served: Served) -> Spec {
    Spec {
        title,
        load,
        ask: Ask::same(Door::Http, served),
        subjects: PASSING_LARGE,
        times: 4,
        gauges: &[P99, CPU_PER_REQUEST, REQUESTS_PER_SECOND, CORE_SHARE],
        targets: PROMPTLY,
    }
}

const fn passing(column: Column, peers: &'static [Subject], most: f64) -> Target {
    let (of, against) = (Relais.at(Pass), Against::Best(peers));
    Target { column, of, against, bound: Bound::AtMost(most) }
}

const fn caching(column: Column, most: f64) -> Target {
    let (of, against) = (Relais.at(Cache), Against::Best(NGINX_CACHE));
    Target { column, of, against, bound: Bound::AtMost(most) }
}

const fn on_disk(column: Column, most: f64) -> Target {
    let (of, against) = (Relais.at(CacheOnDisk), Against::Best(NGINX_CACHES));
    Target { column, of, against, bound: Bound::AtMost(most) }
}

const fn costing(of: Subject, most: f64) -> Target {
    let (column, against) = (CPU_PER_REQUEST.column, Against::Best(PLAIN));
    Target { column, of, against, bound: Bound::AtMost(most) }
}

const REUSING: Target = Target {
    column: REUSED.column,
    of: Relais.at(Pass),
    against: Against::Nothing,
    bound: Bound::AtLeast(99.9),
};

/// No worse, as far as it can be told: so far apart are two runs of the same program.
const P99_MOST: f64 = 1.05;

const PASSING: &[Subject] = &[
    Relais.at(Pass),
    NginxNopush.at(Pass),
    Nginx.at(Pass),
    Haproxy.at(Pass),
    Varnish.at(Pass),
    TrafficServer.at(Pass),
    Squid.at(Pass),
    Mitmdump.at(Pass),
];
/// Without those that would need a minute for it.
const PASSING_LARGE: &[Subject] =
    &[Relais.at(Pass), NginxNopush.at(Pass), Nginx.at(Pass), Haproxy.at(Pass)];
const PASSING_NGINX: &[Subject] = &[NginxNopush.at(Pass), Nginx.at(Pass)];
const PROMPT: &[Subject] = &[NginxNopush.at(Pass), Nginx.at(Pass), Haproxy.at(Pass)];
const CACHING: &[Subject] = &[
    Relais.at(Cache),
    NginxNopush.at(Cache),
    Nginx.at(Cache),
    Haproxy.at(Cache),
    Varnish.at(Cache),
    TrafficServer.at(Cache),
    Squid.at(Cache),
];
/// With `tcp_nopush off`: with 100 KiB it has the lower CPU time.
const NGINX_CACHE: &[Subject] = &[Nginx.at(Cache)];
const NGINX_CACHES: &[Subject] = &[NginxNopush.at(Cache), Nginx.at(Cache)];
const ON_DISK: &[Subject] =
    &[Relais.at(CacheOnDisk), NginxNopush.at(Cache), Nginx.at(Cache), TrafficServer.at(Cache)];
const PLAIN: &[Subject] = &[Relais.at(Pass)];
const WATCHING: &[Subject] = &[
    Relais.at(Pass),
    Relais.at(Sniff),
    Relais.at(Block),
    Relais.at(SniffAndBlock),
    Mitmdump.at(Pass),
];

const PASSING_SMALL: &[Gauge] =
    &[CPU_PER_REQUEST, REQUESTS_PER_SECOND, CORE_SHARE, P99, REUSED, BOTH_PER_REQUEST];
const PROMPTLY: &[Target] = &[passing(P99.column, PROMPT, P99_MOST)];

const LARGE: &[Gauge] = &[CPU_PER_GB, GB_PER_SECOND, CORE_SHARE, BOTH_PER_GB];
const PASSING_BULK: &[Gauge] = &[CPU_PER_GB, GB_PER_SECOND, CORE_SHARE, P99, REUSED, BOTH_PER_GB];
