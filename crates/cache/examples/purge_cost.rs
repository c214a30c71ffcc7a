//! What tags cost, and purging: `cargo run --release -p relais-cache --example purge_cost`.
#![expect(clippy::print_stdout, reason = "it is what this is for")]

use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use relais_cache::{
    Answered, Cache, Key, Lookup, Pattern, Purge, Request, Settings, Tag, Taken, Times,
};

const OBJECTS: usize = 100_000;

fn main() {
    let plain = filled(|_| String::new());
    let tagged = filled(|at| format!("all half{} s{} t{} u{at}", at % 2, at % 100, at % 1000));
    let more = (tagged.bytes() - plain.bytes()) / OBJECTS as u64;
    println!("{OBJECTS} objects, five tags each: {more} bytes more of memory an object");
    let now = SystemTime::UNIX_EPOCH;
    let timed = |what: &str, pattern: &Pattern, purge: Purge| {
        let begun = Instant::now();
        let purged = tagged.purge(pattern, purge, now);
        println!("{what}: {} in {:?}", purged.expect("no disk refuses it").count, begun.elapsed());
    };
    timed("tag, hard", &Pattern::Tag(Tag::named("t7")), Purge::Hard);
    timed("tag, soft", &Pattern::Tag(Tag::named("t8")), Purge::Soft);
    timed("no such tag", &Pattern::Tag(Tag::named("none")), Purge::Hard);
    timed("url", &Pattern::Url("http://a/object/9".parse().expect("a URL")), Purge::Hard);
    timed("pattern", &Pattern::Glob("*/object/*99".parse().expect("a pattern")), Purge::Hard);
    timed("half, by tag", &Pattern::Tag(Tag::named("half0")), Purge::Hard);
    timed("the rest", &Pattern::All, Purge::Hard);
    println!("left: {} bytes, {} tags", tagged.bytes(), tagged.tags());
}

/// A cache with objects that are tagged so.
fn filled(tags: impl Fn(usize) -> String) -> Cache {
    let cache = Cache::new(Settings { memory: 1 << 30, ..Settings::default() });
    let (asked_with, now) = (HeaderMap::new(), SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    let asked = Request::of(&Method::GET, &asked_with);
    for at in 0..OBJECTS {
        let key = Key::of("http", "a", &format!("/object/{at}")).expect("a key");
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", HeaderValue::from_static("max-age=60"));
        if let Some(tags) = Some(tags(at)).filter(|tags| !tags.is_empty()) {
            // Of the same length as without, so that it is the index that is measured.
            headers.insert("surrogate-key", HeaderValue::try_from(tags).expect("words"));
        } else {
            let same = format!("all half{} s{} t{} u{at}", at % 2, at % 100, at % 1000);
            headers.insert("another-name1", HeaderValue::try_from(same).expect("words"));
        }
        let Lookup::Ask(fetch) = cache.look(&key, &asked, now) else { continue };
        let times = Times { requested: now, received: now };
        let answered = Answered { status: StatusCode::OK, headers: &headers, times };
        if let Taken::Fill(mut recording) = cache.take(fetch, &asked, answered) {
            recording.add(&bytes::Bytes::from_static(b"body"));
            recording.finish();
        }
    }
    cache
}
