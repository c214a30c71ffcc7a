//! What it costs the cache that something is not there: for a count of instructions.
//!
//! `valgrind --tool=none` or `perf stat -e instructions:u` of this, less that of fewer misses.

#![expect(clippy::print_stdout, reason = "a measurement for a person")]

use std::{
    hint::black_box,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use relais_cache::{Answered, Cache, Key, Lookup, Request, Settings, Taken, Times};

fn main() {
    let misses = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(20_000);
    let cache = Cache::new(Settings::default());
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let (none, body) = (HeaderMap::new(), Bytes::from_static(&[b'x'; 1024]));
    let mut headers = HeaderMap::new();
    for (name, value) in
        [("content-type", "text/html"), ("etag", "\"1\""), ("content-length", "1024")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cache-control", HeaderValue::from_static("max-age=60"));
    let times = Times { requested: now, received: now };
    for number in 0..misses {
        let key =
            Key::of("http", "www.example.com", &format!("/some/path/{number}")).expect("a host");
        let asked = Request::of(&Method::GET, &none);
        let Lookup::Ask(fetch) = cache.look(&key, &asked, now) else { return };
        let answered = Answered { status: StatusCode::OK, headers: &headers, times };
        let Taken::Fill(mut writer) = cache.take(fetch, &asked, answered) else { return };
        writer.add(&body);
        black_box(writer.finish());
    }
    println!("{misses} misses, {} keys", cache.keys());
}
