//! Whether a response may be stored ([RFC 9111 §3]).
//!
//! [RFC 9111 §3]: https://www.rfc-editor.org/rfc/rfc9111#section-3

use http::{
    HeaderMap, HeaderName, Method, StatusCode,
    header::{ETAG, LAST_MODIFIED, SET_COOKIE},
};
use relais_wire::range::Extent;

use crate::{
    age::{Times, date_in},
    directives::{Control, Flag},
    fields::OF_PART,
    freshness::{Basis, Head, lifetime},
    of_request::{is_of_request, may_be_of_odd_request},
    partial::{NoPlace, Told, place_of},
    request::{Content, Request, Sender, Switch},
    settings::{SetCookie, Settings},
    terms::Terms,
    vary::{Selecting, Vary},
};

/// Why a response is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStored {
    /// It answers another method than GET, or a GET that would be taken for another.
    #[error("only answers to GET are stored")]
    Method,
    /// Nothing is stored for its path, as was said here.
    #[error("nothing is stored for the path")]
    Bypassed,
    /// It answers a GET that brought a body: no key holds that.
    #[error("the request brought a body")]
    RequestContent,
    /// It answers a GET that asked for another protocol: others might get another answer.
    #[error("the request asked for another protocol")]
    Upgrade,
    /// The request says `no-store` ([RFC 9111 §5.2.1.5]).
    ///
    /// [RFC 9111 §5.2.1.5]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.5
    #[error("the request says no-store")]
    RequestNoStore,
    /// It is a part (206) of which nobody can tell where it stands, or of what
    /// ([RFC 9110 §14.4]).
    ///
    /// [RFC 9110 §14.4]: https://www.rfc-editor.org/rfc/rfc9110#section-14.4
    #[error("a part (206) that cannot be put in its place")]
    Partial,
    /// It is a part (206) of what is stored as a whole: what it says anew is stored with that.
    #[error("a part (206) of what is stored")]
    PartOfStored,
    /// It is a 304 for what the client has, or no answer at all (1xx).
    #[error("a status that is about another response")]
    NotAnAnswer,
    /// Its status is about who asked or how, which no key holds: others may ask in another way.
    #[error("a status that is about its own request")]
    OfRequest,
    /// It is an error, and its request was out of the ordinary: what is wrong may be that.
    #[error("an error, and its request was out of the ordinary")]
    OddRequest,
    /// It says `no-store` ([RFC 9111 §5.2.2.5]).
    ///
    /// [RFC 9111 §5.2.2.5]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.5
    #[error("the response says no-store")]
    NoStore,
    /// It says `must-understand`, and its status is unknown here ([RFC 9111 §5.2.2.3]).
    ///
    /// [RFC 9111 §5.2.2.3]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.3
    #[error("the response says must-understand, and its status is unknown")]
    NotUnderstood,
    /// It says `private` ([RFC 9111 §5.2.2.7]).
    ///
    /// [RFC 9111 §5.2.2.7]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.7
    #[error("the response says private")]
    Private,
    /// The request had `Authorization`, and the response does not say that others may have it
    /// ([RFC 9111 §3.5]).
    ///
    /// [RFC 9111 §3.5]: https://www.rfc-editor.org/rfc/rfc9111#section-3.5
    #[error("the request had authorization, and the response is not for others")]
    Authorization,
    /// It sets a cookie, and [`SetCookie`] does not let it.
    #[error("the response sets a cookie")]
    SetCookie,
    /// It varies by everything, or by more than we can tell ([RFC 9111 §4.1]).
    ///
    /// [RFC 9111 §4.1]: https://www.rfc-editor.org/rfc/rfc9111#section-4.1
    #[error("the response varies by everything")]
    VariesByEverything,
    /// It says nothing about its lifetime, and its status is none to guess at.
    #[error("no lifetime is given, and the status allows no guess")]
    NoLifetime,
    /// It says nothing about its lifetime, nor that it is for all, and may be one person's: the request
    /// had cookies or `Authorization`.
    #[error("no lifetime is given, and the request may be somebody's own")]
    Personal,
    /// It would never be fresh, and could never be validated.
    #[error("never fresh, and nothing to validate it by")]
    Useless,
    /// Its body has more than [`Settings::object_max`] bytes.
    #[error("larger than object_max")]
    TooLarge,
    /// There is no room for its body, beside those that come in and those that are being sent.
    #[error("no room for its body")]
    NoRoom,
    /// What it was asked for was invalidated while it came.
    #[error("invalidated while it came")]
    Invalidated,
    /// Its body does not pass through memory.
    #[error("its body is not in memory")]
    NotInMemory,
}

/// What is stored with a response that may be.
#[derive(Clone, Debug)]
pub(crate) struct Storable {
    /// What it may be used for.
    pub terms: Terms,
    /// Which requests it is for.
    pub selecting: Selecting,
    /// The fields of the response that are left out.
    pub withheld: Vec<HeaderName>,
    /// Where its body stands in the whole, if it is a part.
    pub place: Option<(Extent, Told)>,
}

/// Judges the `head` of a response to `asked`: what is stored with it, or why it is not stored.
///
/// # Errors
///
/// [`NotStored`], the first reason there is.
pub(crate) fn judge_storing(
    asked: &Request<'_>,
    head: Head<'_>,
    times: Times,
    settings: &Settings,
) -> Result<Storable, NotStored> {
    judge_request(asked)?;
    let place = place_of(asked, head).map_err(|NoPlace| NotStored::Partial)?;
    if head.status.is_informational() || head.status == StatusCode::NOT_MODIFIED {
        return Err(NotStored::NotAnAnswer);
    }
    if is_of_request(head.status) {
        return Err(NotStored::OfRequest);
    }
    if may_be_of_odd_request(asked, head.status) {
        return Err(NotStored::OddRequest);
    }
    let control = Control::said_of(head.headers, asked.rule, settings);
    judge_directives(&control, head.status)?;
    if asked.sender == Sender::Authorization && !is_for_others(&control) {
        return Err(NotStored::Authorization);
    }
    let selecting = match Vary::of(head.headers) {
        Vary::Nothing => Some(Selecting::default()),
        Vary::Fields(names) => {
            Selecting::of(&names, asked).map(|selecting| selecting.of_response(head.headers))
        }
        Vary::Everything => None,
    };
    let selecting = selecting.ok_or(NotStored::VariesByEverything)?;
    let lifetime = lifetime(head, &control, settings);
    if sets_cookie(head.headers, &control) && !may_set_cookie(&control, lifetime.basis, settings) {
        return Err(NotStored::SetCookie);
    }
    match lifetime.basis {
        Basis::Nothing => return Err(NotStored::NoLifetime),
        basis if basis.is_ours() && asked.sender != Sender::Nobody => {
            return Err(NotStored::Personal);
        }
        // When it was modified says nothing of whom it is for.
        Basis::Heuristic
            if asked.sender != Sender::Nobody && !control.directives.has(Flag::Public) =>
        {
            return Err(NotStored::Personal);
        }
        _ => (),
    }
    let terms = Terms::of(head, times, &control, settings);
    if !terms.can_be_sent_unasked() && !has_validator(head.headers, times) {
        return Err(NotStored::Useless);
    }
    let mut withheld = control.directives.withheld;
    if place.is_some() {
        // It speaks of the part that came, and not of what is stored.
        withheld.extend_from_slice(&OF_PART);
    }
    Ok(Storable { terms, selecting, withheld, place })
}

/// Judges whether any answer to `asked` may be stored.
pub(crate) fn judge_request(asked: &Request<'_>) -> Result<(), NotStored> {
    if asked.is_bypassed() {
        return Err(NotStored::Bypassed);
    }
    if asked.method != Method::GET || names_another_method(asked.headers) {
        return Err(NotStored::Method);
    }
    if asked.content == Content::Some {
        return Err(NotStored::RequestContent);
    }
    if asked.switch == Switch::Wanted {
        return Err(NotStored::Upgrade);
    }
    if asked.directives.has(Flag::NoStore) {
        return Err(NotStored::RequestNoStore);
    }
    Ok(())
}

/// Whether a request says that its method is not meant: there are servers that believe it, and
/// answer a GET as if it were a DELETE.
fn names_another_method(headers: &HeaderMap) -> bool {
    OTHER_METHOD.iter().any(|name| headers.contains_key(name))
}

static OTHER_METHOD: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];

fn judge_directives(control: &Control, status: StatusCode) -> Result<(), NotStored> {
    let directives = &control.directives;
    let understood = is_understood(status);
    if directives.has(Flag::MustUnderstand) && !understood {
        return Err(NotStored::NotUnderstood);
    }
    // `no-store` beside it is for caches that do not know `must-understand`.
    if directives.has(Flag::NoStore) && !directives.has(Flag::MustUnderstand) {
        return Err(NotStored::NoStore);
    }
    if directives.has(Flag::Private) {
        return Err(NotStored::Private);
    }
    Ok(())
}

/// Whether the rules for caching `status` are known here: those of [RFC 9110 §15].
///
/// [RFC 9110 §15]: https://www.rfc-editor.org/rfc/rfc9110#section-15
fn is_understood(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200..=206 | 300..=303 | 305 | 307 | 308 | 400..=417 | 421 | 422 | 426 | 500..=505
    )
}

/// Whether an answer to one who was authorized may be given to others.
fn is_for_others(control: &Control) -> bool {
    let directives = &control.directives;
    directives.s_maxage.is_some()
        || directives.has(Flag::Public)
        || directives.has(Flag::MustRevalidate)
}

/// Whether what is stored of a response would set a cookie.
fn sets_cookie(headers: &HeaderMap, control: &Control) -> bool {
    headers.contains_key(SET_COOKIE) && !control.directives.withheld.contains(&SET_COOKIE)
}

fn may_set_cookie(control: &Control, basis: Basis, settings: &Settings) -> bool {
    let directives = &control.directives;
    match settings.set_cookie {
        SetCookie::Refused => false,
        SetCookie::Explicit => basis.is_explicit(),
        SetCookie::SharedOnly => {
            let speaks_of_us = control.is_targeted()
                || directives.s_maxage.is_some()
                || directives.has(Flag::Public);
            basis.is_explicit() && speaks_of_us
        }
    }
}

fn has_validator(headers: &HeaderMap, times: Times) -> bool {
    headers.contains_key(ETAG) || date_in(headers, LAST_MODIFIED, times.received).is_some()
}

#[cfg(test)]
mod tests {
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
            401, 403, 406, 407, 408, 409, 411, 412, 413, 415, 416, 417, 421, 422, 425, 426, 428,
            429, 431, 505, 506, 510, 511,
        ] {
            for lines in
                [FRESH, "cache-control: public, s-maxage=60", "cdn-cache-control: max-age=9"]
            {
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
}
