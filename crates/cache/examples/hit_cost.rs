//! What it costs to answer from the cache: nanoseconds a request, by kind.
//!
//! `cargo run --release -p relais-cache --example hit_cost`

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement for a person")]

use std::{
    hint::black_box,
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use relais_cache::{Answered, Cache, Key, Lookup, Request, Settings, Taken, Times};

/// The quickest of these counts: in the others, something else ran as well.
const TRIES: u32 = 30;
const KEYS: usize = 1000;

/// What a browser sends, but for its cookies.
const BROWSER: &[(&str, &str)] = &[
    ("host", "www.example.com"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("accept-language", "en-US,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("connection", "keep-alive"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
];

type Fields<'a> = &'a [(&'static str, &'static str)];

const PLAIN: &[(&str, &str)] = &[
    ("cache-control", "public, max-age=3600"),
    ("content-type", "text/html; charset=utf-8"),
    ("etag", "\"65a1b2c3-400\""),
    ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("server", "origin"),
    ("x-content-type-options", "nosniff"),
];

fn main() {
    let varied = [PLAIN, &[("vary", "accept-encoding")]].concat();
    let (no_fields, tag) = ([], [BROWSER, &[("if-none-match", "\"65a1b2c3-400\"")]].concat());
    let other = [("accept-encoding", "br,gzip,zstd,deflate")];
    let control = [BROWSER, &[("cache-control", "max-age=600")]].concat();
    measure("bare", PLAIN, &no_fields);
    measure("browser", PLAIN, BROWSER);
    measure("browser, Cache-Control", PLAIN, &control);
    measure("browser, Vary", &varied, BROWSER);
    measure("Vary, spelled otherwise", &varied, &other);
    measure("browser, 304", PLAIN, &tag);
    measure("range", PLAIN, &[("range", "bytes=0-9")]);
}

fn measure(what: &str, response: Fields<'_>, request: Fields<'_>) {
    let now = SystemTime::now();
    let cache = filled(response, now);
    let headers = fields(request);
    let paths: Vec<_> = (0..KEYS).map(|at| format!("/folder/page-{at}.html?lang=en")).collect();
    let time = |round: &mut dyn FnMut(&str)| {
        let tries = (0..TRIES).map(|_| {
            let start = Instant::now();
            for path in &paths {
                round(path);
            }
            start.elapsed()
        });
        tries.min().expect("tries").as_nanos() / KEYS as u128
    };
    let key = time(&mut |path| _ = black_box(key_of(path)));
    let mut out = Vec::with_capacity(4096);
    let look = |path: &str| {
        let asked = Request::of(&Method::GET, &headers);
        cache.look(&key_of(path), &asked, now)
    };
    let looked = time(&mut |path| _ = black_box(look(path)));
    let printed = time(&mut |path| {
        let Lookup::Hit(hit) = look(path) else { panic!("no hit") };
        out.clear();
        hit.print_fields(&mut out);
        black_box((&out, hit.body()));
    });
    let mapped = time(&mut |path| {
        let Lookup::Hit(hit) = look(path) else { panic!("no hit") };
        black_box((hit.headers(), hit.body()));
    });
    println!(
        "{what:24} key {key:4}  + look {looked:4}  + print {printed:4}  (or map {mapped:4}) ns"
    );
}

fn filled(response: Fields<'_>, now: SystemTime) -> Cache {
    let cache = Cache::new(Settings::default());
    let (headers, request) = (fields(response), fields(BROWSER));
    for at in 0..KEYS {
        let asked = Request::of(&Method::GET, &request);
        let key = key_of(&format!("/folder/page-{at}.html?lang=en"));
        let Lookup::Ask(asking) = cache.look(&key, &asked, now) else { panic!("a hit") };
        let times = Times { requested: now, received: now };
        let answered = Answered { status: StatusCode::OK, headers: &headers, times };
        let Taken::Fill(mut writer) = cache.take(asking, &asked, answered) else {
            panic!("not stored")
        };
        writer.add(&Bytes::from_static(&[b'x'; 1024]));
        writer.finish();
    }
    cache
}

fn key_of(path: &str) -> Key {
    Key::of("http", "www.example.com", path).expect("a host")
}

fn fields(fields: Fields<'_>) -> HeaderMap {
    let field = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    fields.iter().map(field).collect()
}
