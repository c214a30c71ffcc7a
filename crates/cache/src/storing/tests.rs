//! One response each: whether it may be stored, and why not.

use std::time::Duration;

use super::*;
use crate::{
    rules::{KeyParts, Origin, Rule, Storing},
    terms::Ask,
    tests::{at, date, fields},
};

const FRESH: &str = "cache-control: max-age=60";

#[test]
fn any_final_status_with_a_lifetime_is_stored() {
    for status in [200, 203, 204, 299, 301, 302, 307, 404, 410, 499, 500, 503, 599] {
        check("", status, FRESH, "ok");
    }
    check("", 206, FRESH, "a part (206) that cannot be put in its place");
    let part = format!("{FRESH}\ncontent-range: bytes 0-1/9");
    check("", 206, &part, "a part (206) that cannot be put in its place");
    check("range: bytes=0-1", 206, &part, "ok");
    check("range: bytes=0-1", 206, FRESH, "a part (206) that cannot be put in its place");
    check("", 304, FRESH, "a status that is about another response");
    check("", 101, FRESH, "a status that is about another response");
}

#[test]
fn a_status_that_is_about_its_request_is_not_stored() {
    let refused = "a status that is about its own request";
    for status in [
        401, 403, 406, 407, 408, 409, 411, 412, 413, 415, 416, 417, 421, 422, 425, 426, 428, 429,
        431, 505, 506, 510, 511,
    ] {
        for lines in [FRESH, "cache-control: public, s-maxage=60", "cdn-cache-control: max-age=9"] {
            check("", status, lines, refused);
        }
    }
    check("range: bytes=9-", 404, FRESH, "ok");
    check("range: bytes=9-", 500, FRESH, "ok");
    check("range: bytes=9-", 200, FRESH, "ok");
    check("if-match: \"a\"", 200, FRESH, "ok");
}

#[test]
fn an_error_that_an_odd_request_may_have_made_is_not_stored() {
    let refused = "an error, and its request was out of the ordinary";
    let large = format!("x-large: {}", "x".repeat(2048));
    let parts = "x-part: x\n".repeat(300);
    for lines in [&*large, parts.trim_end(), "x-odd: \u{e4}", "cookie: a=\u{ff}"] {
        for status in [400, 404, 405, 414, 451, 499, 500, 501, 503, 599] {
            check(lines, status, FRESH, refused);
            check(lines, status, "cache-control: public, s-maxage=60", refused);
        }
        for status in [200, 204, 301, 302, 307] {
            check(lines, status, FRESH, "ok");
        }
    }
    for lines in ["range: bytes=x", "if-match: x", "if-none-match: x"] {
        check(lines, 400, FRESH, refused);
        check(lines, 404, FRESH, "ok");
    }
    let usual = format!("cookie: {}", "x".repeat(2000));
    check(&usual, 400, FRESH, "ok");
    check("", 400, FRESH, "ok");
}

#[test]
fn what_gives_no_lifetime_is_guessed_at_by_its_status() {
    check("", 200, "", "ok");
    check("", 404, "", "ok");
    check("", 302, "", "no lifetime is given, and the status allows no guess");
    check("", 599, "cache-control: public", "ok");
}

#[test]
fn requests_may_forbid_it() {
    check("cache-control: no-store", 200, FRESH, "the request says no-store");
    check("content-length: 3", 200, FRESH, "the request brought a body");
    check("X-HTTP-Method-Override: POST", 405, "", "only answers to GET are stored");
    check("x-http-method: DELETE", 200, FRESH, "only answers to GET are stored");
    check("x-method-override: PUT", 404, FRESH, "only answers to GET are stored");
    check("cache-control: no-cache", 200, FRESH, "ok");
    let headers = fields("");
    for method in [Method::HEAD, Method::POST, Method::OPTIONS] {
        let asked = Request::of(&method, &headers);
        let judged = judge(&asked, 200, FRESH, &Settings::default());
        assert_eq!(judged.err(), Some(NotStored::Method));
    }
}

#[test]
fn responses_may_forbid_it() {
    check("", 200, "cache-control: max-age=60, NO-STORE", "the response says no-store");
    check("", 200, "cache-control: max-age=60, Private", "the response says private");
    check("", 200, "cache-control: max-age=60, private=\"a\"", "ok");
    check("", 200, "cache-control: max-age=60\nvary: *", "the response varies by everything");
    check("", 200, "cache-control: max-age=60\nvary: a", "ok");
}

#[test]
fn targeted_fields_speak_for_themselves() {
    let no_store = "cache-control: no-store\ncdn-cache-control: max-age=60";
    check("", 200, no_store, "ok");
    let private = "cache-control: max-age=60\ncdn-cache-control: private";
    check("", 200, private, "the response says private");
    let broken = "cache-control: no-store\ncdn-cache-control: max-age=60, &&&";
    check("", 200, broken, "the response says no-store");
    let wrong = "cache-control: no-store\ncdn-cache-control: max-age=\"60\"";
    check("", 200, wrong, "the response says no-store");
}

#[test]
fn must_understand_counts_before_no_store() {
    let both = "cache-control: max-age=60, no-store, must-understand";
    check("", 200, both, "ok");
    check("", 404, both, "ok");
    let unknown = "the response says must-understand, and its status is unknown";
    check("", 599, both, unknown);
    check("", 299, "cache-control: max-age=60, must-understand", unknown);
}

#[test]
fn authorized_answers_are_stored_if_they_say_so() {
    let refused = "the request had authorization, and the response is not for others";
    let control = |rest: &str| format!("cache-control: max-age=60{rest}");
    check("authorization: x", 200, FRESH, refused);
    check("authorization: x", 200, "", refused);
    check("authorization: x", 200, &control(", proxy-revalidate"), refused);
    check("authorization: x", 200, &control(", public"), "ok");
    check("authorization: x", 200, &control(", must-revalidate"), "ok");
    check("authorization: x", 200, &control(", s-maxage=60"), "ok");
    check("authorization: x", 200, "cdn-cache-control: max-age=60", refused);
    check("authorization: x", 200, "cdn-cache-control: max-age=60, public", "ok");
}

#[test]
fn what_may_be_somebodys_own_is_not_given_a_lifetime() {
    let personal = "no lifetime is given, and the request may be somebody's own";
    check("cookie: a=b", 200, "", personal);
    check("cookie: a=b", 200, FRESH, "ok");
    let modified = date("last-modified", 0);
    check("cookie: a=b", 200, &modified, personal);
    check("cookie: a=b", 200, &format!("{modified}\netag: \"a\""), personal);
    check("cookie: a=b", 200, &format!("{modified}\ncache-control: must-revalidate"), personal);
    check("cookie: a=b", 200, &format!("{modified}\ncache-control: public"), "ok");
    check("cookie: a=b", 200, &format!("{modified}\n{FRESH}"), "ok");
    check("", 200, &modified, "ok");
    check("authorization: x", 200, "cache-control: public", personal);
    check(
        "authorization: x",
        200,
        &format!("cache-control: must-revalidate\n{modified}"),
        personal,
    );
    check("authorization: x", 200, &format!("cache-control: public\n{modified}"), "ok");
}

#[test]
fn cookies_are_set_for_everybody_only_on_purpose() {
    let cases = [
        ("", [false, false, false]),
        ("cache-control: max-age=60", [false, false, true]),
        ("cache-control: max-age=60, public", [false, true, true]),
        ("cache-control: s-maxage=60", [false, true, true]),
        ("cache-control: public", [false, false, false]),
        ("cdn-cache-control: max-age=60", [false, true, true]),
        ("cache-control: max-age=60, private=\"set-cookie\"", [true, true, true]),
    ];
    let headers = fields("");
    for (lines, expect) in cases {
        let policies = [SetCookie::Refused, SetCookie::SharedOnly, SetCookie::Explicit];
        let lines = format!("set-cookie: a=b\n{lines}");
        let stored = policies.map(|set_cookie| {
            let settings = Settings { set_cookie, ..Settings::default() };
            judge(&Request::of(&Method::GET, &headers), 200, &lines, &settings).is_ok()
        });
        assert_eq!(stored, expect, "for {lines:?}");
    }
}

#[test]
fn what_can_never_be_sent_is_useless() {
    let useless = "never fresh, and nothing to validate it by";
    check("", 200, "cache-control: max-age=0", useless);
    check("", 200, "expires: 0", useless);
    check("", 200, "cache-control: max-age=60\nage: 60", useless);
    check("", 200, "cache-control: no-cache, max-age=60", useless);
    check("", 200, "cache-control: max-age=0\nlast-modified: long ago", useless);
    check("", 200, "cache-control: max-age=0\netag: \"a\"", "ok");
    check("", 200, "cache-control: no-cache\netag: W/\"a\"", "ok");
    check("", 200, &format!("cache-control: max-age=0\n{}", date("last-modified", 0)), "ok");
    check("", 200, "cache-control: max-age=0, stale-while-revalidate=9", "ok");
    check("", 200, "cache-control: max-age=0, stale-if-error=9", "ok");
    let forbidden = "cache-control: max-age=0, stale-if-error=9, must-revalidate";
    check("", 200, forbidden, useless);
}

#[test]
fn a_rule_counts_beside_or_instead_of_the_origin() {
    let rule = |origin, storing| Rule {
        path: "/".to_owned(),
        storing,
        ttl: Some(Duration::from_secs(9)),
        origin,
        parts: KeyParts::default(),
    };
    let judged = |rule: &Rule, request: &str, status, response: &str| {
        let headers = fields(request);
        let asked = Request { rule: Some(rule), ..Request::of(&Method::GET, &headers) };
        let judged = judge(&asked, status, response, &Settings::default());
        judged.map(|storable| (storable.terms.lifetime.duration.as_secs(), storable.terms.ask))
    };
    let heard = rule(None, Storing::Usual);
    assert_eq!(judged(&heard, "", 200, FRESH), Ok((60, Ask::Unexcused)));
    assert_eq!(judged(&heard, "", 200, ""), Ok((9, Ask::Unexcused)));
    assert_eq!(judged(&heard, "", 200, &date("last-modified", 0)), Ok((9, Ask::Unexcused)));
    assert_eq!(judged(&heard, "cookie: a", 200, ""), Err(NotStored::Personal));
    assert_eq!(judged(&heard, "", 302, ""), Err(NotStored::NoLifetime));
    assert_eq!(judged(&heard, "", 200, "cache-control: no-store"), Err(NotStored::NoStore));
    let ignored = rule(Some(Origin::Ignored), Storing::Usual);
    for lines in [
        FRESH,
        "",
        "cache-control: no-store",
        "cache-control: private, no-cache",
        "cdn-cache-control: max-age=99",
        "expires: 0",
        "pragma: no-cache",
    ] {
        assert_eq!(judged(&ignored, "cookie: a", 200, lines), Ok((9, Ask::Unexcused)));
    }
    assert_eq!(judged(&ignored, "authorization: x", 200, ""), Err(NotStored::Authorization));
    assert_eq!(judged(&ignored, "", 200, "set-cookie: a"), Err(NotStored::SetCookie));
    assert_eq!(judged(&ignored, "", 500, FRESH), Err(NotStored::NoLifetime));
    assert_eq!(judged(&ignored, "", 200, "vary: *"), Err(NotStored::VariesByEverything));
    let bypassed = rule(None, Storing::Bypassed);
    assert_eq!(judged(&bypassed, "", 200, FRESH), Err(NotStored::Bypassed));
}

#[track_caller]
fn check(request: &str, status: u16, response: &str, expect: &str) {
    let headers = fields(request);
    let asked = Request::of(&Method::GET, &headers);
    let judged = judge(&asked, status, response, &Settings::default());
    let text = judged.map_or_else(|why| why.to_string(), |_| "ok".to_owned());
    assert_eq!(text, expect, "for {request:?} and {status} {response:?}");
}

fn judge(
    asked: &Request<'_>,
    status: u16,
    response: &str,
    settings: &Settings,
) -> Result<Storable, NotStored> {
    let headers = fields(response);
    let status = StatusCode::from_u16(status).unwrap();
    let head = Head { status, headers: &headers, received: at(1000) };
    let times = Times { requested: at(1000), received: at(1000) };
    judge_storing(asked, head, times, settings)
}
