//! What is told of why a request is answered as it is.

use http::{Method, StatusCode};

use super::{
    at, fields,
    world::{World, key},
};
use crate::{Answered, Request, Settings, Step, Times};

#[test]
fn what_is_fresh_is_told_with_its_numbers() {
    check(
        ("cache-control: max-age=60\nage: 5", 10),
        "",
        "key http://a/ | 1 stored by [] | 200 1 B at 0 | cache-control: max-age=60 | \
         fresh 60 s by MaxAge | age Some(15) of which 5 | left 45 | Fresh RFC 9111 §4",
    );
    check(
        ("vary: accept", 10),
        "accept: b",
        "key http://a/ | 1 stored by [\"accept\"] | Asks(OtherVariants) RFC 9111 §4.1",
    );
}

#[test]
fn what_is_stale_is_told_with_its_excuses() {
    check(
        ("cache-control: max-age=60, stale-while-revalidate=30", 70),
        "",
        "key http://a/ | 1 stored by [] | 200 1 B at 0 | \
         cache-control: max-age=60, stale-while-revalidate=30 | fresh 60 s by MaxAge | \
         age Some(70) of which 0 | left -10 | windows 30 0 | Stale(WhileRevalidate) RFC 5861 §3",
    );
    check(
        ("cache-control: s-maxage=60\netag: \"1\"", 60),
        "cache-control: max-stale=9",
        "key http://a/ | wish max-stale=9 | 1 stored by [] | 200 1 B at 0 | \
         cache-control: s-maxage=60 | fresh 60 s by SharedMaxAge | age Some(60) of which 0 | \
         left 0 | WhenStale | Asks(Ask(Stale)) RFC 9111 §4.2.4",
    );
}

#[test]
fn what_was_purged_softly_is_told() {
    let world = World::new();
    world.ask(0, "GET /", (200, "cache-control: max-age=60", "x"));
    drop(world.cache.purge(&crate::Pattern::All, crate::Purge::Soft, at(10)).unwrap());
    let headers = fields("");
    let asked = Request::of(&Method::GET, &headers);
    let told = world.cache.explain(&key("/"), &asked, at(15));
    let words: Vec<_> = told.steps.iter().skip(4).map(word).collect();
    let expect = "fresh 60 s by MaxAge | purged at 10 | age Some(15) of which 0 | left -5";
    assert_eq!(words.join(" | "), expect);
}

#[test]
fn what_the_request_wants_is_told() {
    let unsaid = "1 stored by [] | 200 1 B at 0 | unsaid | fresh 60 s by Default | \
                  age Some(1) of which 0 | left 59";
    let told = |rest: &str, verdict: &str| format!("key http://a/ | {rest}{unsaid} | {verdict}");
    check(("", 1), "cookie: a=b", &told("Cookie | ", "Asks(Ask(Personal)) RFC 9111 §4.2.2"));
    check(
        ("", 1),
        "cache-control: no-cache, only-if-cached",
        &told(
            "wish only-if-cached no-cache | ",
            "OnlyIfCached(Ask(RequestNoCache)) RFC 9111 §5.2.1.7",
        ),
    );
    check(("", 1), "content-length: 3", "key http://a/ | Asks(Content) RFC 9110 §9.3.1");
}

#[test]
fn what_is_not_there_is_told() {
    let world = World::new();
    let headers = fields("");
    let asked = Request::of(&Method::GET, &headers);
    let told = world.cache.explain(&key("/").apart("\nhost: b"), &asked, at(0));
    assert_eq!(told.steps.len(), 2);
    assert_eq!(
        told.steps[0],
        Step::Key { uri: "http://a/".to_owned(), apart_by: "\nhost: b".to_owned() }
    );
    assert_eq!(told.steps[1], Step::Variants { count: 0, by: Vec::new() });
}

/// Stores an answer with these fields at 0 and asks for it so many seconds later.
#[track_caller]
fn check((response, seconds): (&str, i64), request: &str, expect: &str) {
    let world = World::new();
    world.ask(0, "GET /", (200, response, "x"));
    let headers = fields(request);
    let asked = Request::of(&Method::GET, &headers);
    let told = world.cache.explain(&key("/"), &asked, at(seconds));
    let mut words: Vec<_> = told.steps.iter().map(word).collect();
    words.push(format!("{:?} {}", told.verdict, told.verdict.section()));
    assert_eq!(words.join(" | "), expect);
}

#[test]
fn why_a_response_is_stored_is_told() {
    check_storing(
        (200, "cdn-cache-control: max-age=9\ncache-control: no-store\nvary: accept"),
        "",
        "200 at 0 | cdn-cache-control: max-age=9 | vary [\"accept\"] | fresh 9 s by MaxAge | Ok(())",
    );
    check_storing(
        (200, "cache-control: no-store"),
        "",
        "200 at 0 | cache-control: no-store | fresh 60 s by Default | Err(NoStore)",
    );
    check_storing((302, ""), "", "302 at 0 | unsaid | fresh 0 s by Nothing | Err(NoLifetime)");
    check_storing(
        (200, ""),
        "cookie: a",
        "200 at 0 | unsaid | fresh 60 s by Default | Cookie | Err(Personal)",
    );
    check_storing(
        (200, "content-length: 11"),
        "",
        "200 at 0 | unsaid | fresh 60 s by Default | Err(TooLarge)",
    );
}

#[track_caller]
fn check_storing((status, response): (u16, &str), request: &str, expect: &str) {
    let world = World::with(Settings { object_max: 10, ..Settings::default() });
    let (headers, answered) = (fields(request), fields(response));
    for method in [Method::GET, Method::HEAD] {
        let asked = Request::of(&method, &headers);
        let times = Times { requested: at(0), received: at(0) };
        let status = StatusCode::from_u16(status).unwrap();
        let answered = Answered { status, headers: &answered, times };
        let told = world.cache.explain_storing(&asked, answered);
        let mut words: Vec<_> = told.steps.iter().map(word).collect();
        words.push(format!("{:?}", told.verdict));
        assert_eq!(words.join(" | "), expect);
    }
}

fn word(step: &Step) -> String {
    match step {
        Step::Key { uri, .. } => format!("key {uri}"),
        Step::Wish(wishes) => wishes.iter().fold("wish".to_owned(), |text, wish| match wish.time {
            Some(time) => format!("{text} {}={}", wish.name, time.as_secs()),
            None => format!("{text} {}", wish.name),
        }),
        Step::Sender(sender) => format!("{sender:?}"),
        Step::Variants { count, by } => format!("{count} stored by {by:?}"),
        Step::Response { status, bytes, received } => {
            let bytes = bytes.map_or(String::new(), |bytes| format!(" {bytes} B"));
            let seconds = received.duration_since(at(0)).unwrap().as_secs();
            format!("{}{bytes} at {seconds}", status.as_u16())
        }
        Step::Said { field, value } => format!("{field}: {value}"),
        Step::Unsaid => "unsaid".to_owned(),
        Step::Vary(names) => format!("vary {names:?}"),
        Step::Lifetime(lifetime) => {
            format!("fresh {} s by {:?}", lifetime.duration.as_secs(), lifetime.basis)
        }
        Step::Age { age, initial } => {
            let age = age.map(|age| age.as_secs());
            format!("age {age:?} of which {}", initial.as_secs())
        }
        Step::Purged { at: when } => {
            format!("purged at {}", when.unwrap().duration_since(at(0)).unwrap().as_secs())
        }
        Step::Left(left) => format!("left {left}"),
        Step::Ask(ask) => format!("{ask:?}"),
        Step::Windows { while_revalidate, if_error } => {
            format!("windows {} {}", while_revalidate.as_secs(), if_error.as_secs())
        }
    }
}
