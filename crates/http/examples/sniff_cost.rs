//! What it costs to note an exchange: nanoseconds on the core that saw it, and what was dropped.
//!
//! `cargo run --release -p relais-http --example sniff_cost [FILE]`

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement for a person")]

use std::{
    path::Path,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant, SystemTime},
};

use relais_http::{
    line_log::{LogFile, Tally},
    sniff::SniffLog,
};
use relais_wire::exchange::{Cached, Content, End, Exchange, Protocol, Timings, Tls};

/// How many exchanges each thread notes in a round, and how many rounds there are.
const BURST: u32 = 1_000;
const ROUNDS: u32 = 200;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = std::env::args().nth(1).map_or_else(|| folder.path().join("log"), Into::into);
    for threads in [1, 2, 4] {
        measure(&file, threads);
    }
}

/// Notes at about 100,000 exchanges a second and thread, and in bursts, as busy cores do.
fn measure(file: &Path, threads: u32) {
    let log = SniffLog::start(LogFile::at(file)).expect("a log");
    let busy: Duration = thread::scope(|scope| {
        let notes: Vec<_> = (0..threads).map(|_| scope.spawn(|| note(&log))).collect();
        notes.into_iter().map(|note| note.join().expect("a thread")).sum()
    });
    let ended = log.shutdown(Duration::from_secs(10));
    let Tally { written, dropped, lost } = log.tally();
    let [written, dropped, lost] =
        [written, dropped, lost].map(|count| count.load(Ordering::Relaxed));
    let nanos = busy.as_nanos() / u128::from(threads * ROUNDS * BURST);
    println!(
        "{threads} threads: {nanos} ns, {written} written, {dropped} dropped, {lost} lost, {ended:?}"
    );
}

/// How long it was about it.
fn note(log: &SniffLog) -> Duration {
    let exchange = Exchange {
        client: Some(([192, 0, 2, 1], 4711).into()),
        method: "GET".into(),
        url: "https://example.org/static/js/app-3a5b9f.js?v=20260101".into(),
        host: "example.org".into(),
        protocol: Some(Protocol::Http2),
        tls: Some(Tls::V13),
        status: Some(200),
        response: Content { bytes: 2326, media_type: Some("text/javascript".into()) },
        timings: Timings {
            first_byte: Some(Duration::from_micros(1900)),
            total: Some(Duration::from_micros(12_034)),
            ..Timings::default()
        },
        cached: Some(Cached::Miss),
        upstream: Some("http://127.0.0.1:8081".into()),
        end: End::Whole,
        ..Exchange::at(SystemTime::now())
    };
    let mut busy = Duration::ZERO;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..BURST {
            log.note(&exchange);
        }
        busy += start.elapsed();
        thread::park_timeout(Duration::from_millis(10));
    }
    busy
}
