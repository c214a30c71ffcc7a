//! What is told of why a request is answered as it is.

use http::{Method, StatusCode};

use super::{
    at, fields,
    world::{World, key},
};
use crate::{
    Answered, Counted, KeyParts, Left, Name, Origin, Query, Request, Rule, Settings, Step, Storing,
    Times,
};

#[test]
fn what_stands_in_for_a_server_that_is_gone_does_so_for_as_long_as_was_said() {
    let world = World::new();
    let lines = "cache-control: max-age=5, stale-if-error=9\netag: \"1\"";
    world.ask(0, "GET /", (200, lines, "x"));
    let stands_in = |seconds: i64, line: &str| {
        let headers = fields(line);
        let asked = Request::of(&Method::GET, &headers);
        let steps = world.cache.explain(&key("/"), &asked, at(seconds)).steps;
        steps.into_iter().find_map(|step| match step {
            Step::StandsIn(time) => Some(time.as_secs()),
            _ => None,
        })
    };
    assert_eq!(stands_in(6, ""), Some(8));
    assert_eq!(stands_in(6, "cache-control: stale-if-error=3"), Some(2));
    assert_eq!(stands_in(8, "cache-control: stale-if-error=3"), None);
    assert_eq!(stands_in(14, ""), None);
}

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
         age Some(70) of which 0 | stale 10 | windows 30 0 | by None | stands in 86390 | Stale(WhileRevalidate) RFC 5861 §3",
    );
    check(
        ("cache-control: s-maxage=60\netag: \"1\"", 60),
        "cache-control: max-stale=9",
        "key http://a/ | wish max-stale=9 | 1 stored by [] | 200 1 B at 0 | \
         cache-control: s-maxage=60 | fresh 60 s by SharedMaxAge | age Some(60) of which 0 | \
         stale 0 | WhenStale | by Some(\"etag\") | Asks(Ask(Stale)) RFC 9111 §4.2.4",
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
    let expect = "fresh 60 s by MaxAge | purged at 10 | age Some(15) of which 0 | stale 5 | \
                  by None | stands in 86395";
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
        Step::Key {
            uri: "http://a/".to_owned(),
            apart_by: "\nhost: b".to_owned(),
            query: Counted::All
        }
    );
    assert_eq!(told.steps[1], Step::Variants { count: 0, by: Vec::new(), of: Vec::new() });
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

/// Both halves are judged by the rule by which a request is.
#[test]
fn the_rule_that_counts_is_told_and_judged_by() {
    check_ruled(
        ("/account/a", "cache-control: max-age=9"),
        "rule /account | key http://a/account/a | Asks(Bypassed)",
        "rule /account | 200 at 0 | cache-control: max-age=9 | fresh 9 s by MaxAge | Err(Bypassed)",
    );
    check_ruled(
        ("/all/a", "cache-control: no-store, private"),
        "rule /all | key http://a/all/a | 0 stored by [] | Asks(Unknown)",
        "rule /all | 200 at 0 | cache-control: no-store, private | fresh 86400 s by Imposed | Ok(())",
    );
    check_ruled(
        ("/all/a", "cache-control: max-age=9\nset-cookie: a=b"),
        "rule /all | key http://a/all/a | 0 stored by [] | Asks(Unknown)",
        "rule /all | 200 at 0 | cache-control: max-age=9 | fresh 86400 s by Imposed | Err(SetCookie)",
    );
    check_ruled(
        ("/two", ""),
        "rule /two | key http://a/two ByRule | 0 stored by [] | Asks(Unknown)",
        "rule /two | 200 at 0 | unsaid | fresh 7200 s by Rule | Ok(())",
    );
    check_ruled(
        ("/a/..%252fb", ""),
        "read twice Some(\"/account\") | key http://a/a/..%252fb | Asks(Bypassed)",
        "read twice Some(\"/account\") | 200 at 0 | unsaid | fresh 60 s by Default | Err(Bypassed)",
    );
    check_ruled(
        ("/", ""),
        "key http://a/ | 0 stored by [] | Asks(Unknown)",
        "200 at 0 | unsaid | fresh 60 s by Default | Ok(())",
    );
}

#[test]
fn a_path_that_is_read_in_two_ways_is_told() {
    let world = ruled(&rules()[1..]);
    let headers = fields("");
    let told = world.cache.explain(&key("/a/..;/b"), &Request::of(&Method::GET, &headers), at(0));
    assert_eq!(word(&told.steps[0]), "read twice None");
}

fn rules() -> [Rule; 3] {
    let rule = |path: &str, storing, ttl: Option<u64>, origin| Rule {
        path: path.to_owned(),
        storing,
        ttl: ttl.map(std::time::Duration::from_secs),
        origin,
        parts: KeyParts::default(),
    };
    let query = Query::Dropped(vec![Name("x".to_owned())]);
    let two = rule("/two", Storing::Usual, Some(7200), None);
    [
        rule("/account", Storing::Bypassed, None, None),
        rule("/all", Storing::Usual, Some(86_400), Some(Origin::Ignored)),
        Rule { parts: KeyParts { query, ..KeyParts::default() }, ..two },
    ]
}

fn ruled(rules: &[Rule]) -> World {
    let set_cookie = crate::SetCookie::Explicit;
    World::with(Settings { rules: rules.to_vec(), set_cookie, ..Settings::default() })
}

#[track_caller]
fn check_ruled((path, response): (&str, &str), reused: &str, stored: &str) {
    let world = ruled(&rules());
    let headers = fields("");
    let asked = Request::of(&Method::GET, &headers);
    let told = world.cache.explain(&key(path), &asked, at(0));
    let mut words: Vec<_> = told.steps.iter().map(word).collect();
    words.push(format!("{:?}", told.verdict));
    assert_eq!(words.join(" | "), reused);
    let answered = fields(response);
    let times = Times { requested: at(0), received: at(0) };
    let answered = Answered { status: StatusCode::OK, headers: &answered, times };
    let told = world.cache.explain_storing(&key(path), &asked, answered);
    let mut words: Vec<_> = told.steps.iter().map(word).collect();
    words.push(format!("{:?}", told.verdict));
    assert_eq!(words.join(" | "), stored);
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
        let told = world.cache.explain_storing(&key("/"), &asked, answered);
        let mut words: Vec<_> = told.steps.iter().map(word).collect();
        words.push(format!("{:?}", told.verdict));
        assert_eq!(words.join(" | "), expect);
    }
}

fn word(step: &Step) -> String {
    match step {
        Step::Rule(rule) => format!("rule {}", rule.path),
        Step::ReadTwice(path) => format!("read twice {path:?}"),
        Step::Key { uri, query: Counted::All, .. } => format!("key {uri}"),
        Step::Key { uri, query, .. } => format!("key {uri} {query:?}"),
        Step::Wish(wishes) => wishes.iter().fold("wish".to_owned(), |text, wish| match wish.time {
            Some(time) => format!("{text} {}={}", wish.name, time.as_secs()),
            None => format!("{text} {}", wish.name),
        }),
        Step::Sender(sender) => format!("{sender:?}"),
        Step::Variants { count, by, of } => {
            assert_eq!(of.len(), *count);
            format!("{count} stored by {by:?}")
        }
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
        Step::Left(Left::Fresh(left)) => format!("left {}", left.as_secs()),
        Step::Left(Left::Stale(since)) => format!("stale {}", since.as_secs()),
        Step::Validator(name) => format!("by {name:?}"),
        Step::StandsIn(time) => format!("stands in {}", time.as_secs()),
        Step::Ask(ask) => format!("{ask:?}"),
        Step::Windows { while_revalidate, if_error } => {
            format!("windows {} {}", while_revalidate.as_secs(), if_error.as_secs())
        }
    }
}
