//! What it costs to answer with a small file from memory: nanoseconds a request, by kind.
//!
//! `cargo run --release -p relais-http --example files_cost`

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement for a person")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use http::Request;
use relais_http::{
    Ask, Caller, Handler, Inbound,
    files::{Asset, Files, Options, Root},
};
use relais_net::Peer;

const ROUNDS: u32 = 1_000_000;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = "what is said often is soon said shorter; ".repeat(100);
    for name in ["index.html", "a.txt", "big.txt"] {
        let text = if name == "big.txt" { text.repeat(50) } else { text.clone() };
        std::fs::write(folder.path().join(name), text).expect("a file to write");
    }
    std::thread::park_timeout(Duration::from_millis(100));
    let of_folder = Files::open(Options::of(Root::Folder(folder.path().into()), SystemTime::now));
    let of_folder = of_folder.expect("a folder");
    let assets = Box::leak(Box::new([Asset {
        path: "a.txt",
        bytes: Box::leak(text.into_bytes().into_boxed_slice()),
        modified_secs: Some(1_000_000_000),
    }]));
    let embedded = Files::open(Options::of(Root::Embedded(assets), SystemTime::now));
    let embedded = embedded.expect("assets");
    measure("folder, /a.txt", &of_folder, "/a.txt", &[]);
    measure("folder, /", &of_folder, "/", &[]);
    let browser = ("accept-encoding", "gzip, deflate, br, zstd");
    measure("folder, coded", &of_folder, "/a.txt", &[browser]);
    measure("folder, 304", &of_folder, "/a.txt", &[("if-none-match", "*")]);
    measure("folder, encoded path", &of_folder, "/%61.txt", &[]);
    measure("folder, range", &of_folder, "/a.txt", &[("range", "bytes=0-99")]);
    measure("without statx, /a.txt", &embedded, "/a.txt", &[]);
    measure("without statx, coded", &embedded, "/a.txt", &[browser]);
    measure("without statx, 304", &embedded, "/a.txt", &[("if-none-match", "*")]);
    measure("refusal, 405", &embedded, "POST", &[]);
    measure_disk("folder, big file", &of_folder, "/big.txt");
    measure_disk("folder, missing", &of_folder, "/missing");
}

fn measure(what: &str, files: &Files, path: &str, fields: &[(&str, &str)]) {
    let ask = || ask(path, fields);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    drop(runtime.block_on(files.answer(ask())));
    let asked = ask();
    let begun = Instant::now();
    let mut at_once = 0;
    for _ in 0..ROUNDS {
        match black_box(files.at_once(black_box(&asked))) {
            Some(_) => at_once += 1,
            // Once a second it is looked up anew.
            None => drop(runtime.block_on(files.answer(ask()))),
        }
    }
    let nanos = begun.elapsed() / ROUNDS;
    println!("{what:24} {nanos:?}  ({at_once} at once)");
}

fn measure_disk(what: &str, files: &Files, path: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let rounds = ROUNDS / 10;
    let nanos = runtime.block_on(async {
        let begun = Instant::now();
        for _ in 0..rounds {
            drop(black_box(files.answer(ask(path, &[])).await));
        }
        begun.elapsed() / rounds
    });
    println!("{what:24} {nanos:?}  (with the making of its request)");
}

fn ask(path: &str, fields: &[(&str, &str)]) -> Ask {
    let (method, path) = if path == "POST" { ("POST", "/") } else { ("GET", path) };
    let mut head = Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in fields {
        head = head.header(*name, *value);
    }
    let local = Arc::new("tcp://127.0.0.1:80".parse().expect("an endpoint"));
    let caller = Arc::new(Caller { peer: Peer::Local, local, tls: None });
    Ask::new(head.body(Inbound::Full(bytes::Bytes::new())).expect("a request"), caller)
}
