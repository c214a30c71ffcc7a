//! Whether a stored response may answer a request ([RFC 9111 §4]).
//!
//! [RFC 9111 §4]: https://www.rfc-editor.org/rfc/rfc9111#section-4

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use http::StatusCode;

use crate::{
    directives::{Directives, Flag},
    request::{Condition, Request, Sender},
    settings::{ClientDirectives, Settings},
    terms::{Ask, Terms},
};

/// What to do with a request, given what is stored for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// Answer with it.
    Fresh {
        /// How old it is.
        age: Duration,
    },
    /// Answer with it, though it is stale.
    Stale {
        /// How old it is.
        age: Duration,
        /// Why that is allowed.
        excuse: WhyStale,
    },
    /// Ask upstream first, whether it is still good.
    Ask(WhyAsk),
}

/// Why a stale response may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyStale {
    /// The client is content with it: `max-stale` ([RFC 9111 §5.2.1.2]).
    ///
    /// [RFC 9111 §5.2.1.2]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.2
    MaxStale,
    /// The origin is: `stale-while-revalidate` ([RFC 5861 §3]). It has to be asked meanwhile.
    ///
    /// [RFC 5861 §3]: https://www.rfc-editor.org/rfc/rfc5861#section-3
    WhileRevalidate,
    /// The origin fails, and said that this would do then: `stale-if-error` ([RFC 5861 §4]).
    ///
    /// [RFC 5861 §4]: https://www.rfc-editor.org/rfc/rfc5861#section-4
    IfError,
    /// The origin cannot be reached ([RFC 9111 §4.2.4]).
    ///
    /// [RFC 9111 §4.2.4]: https://www.rfc-editor.org/rfc/rfc9111#section-4.2.4
    Disconnected,
}

/// Why upstream has to be asked about a stored response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhyAsk {
    /// It says `no-cache`.
    #[error("the stored response says no-cache")]
    NoCache,
    /// The request does.
    #[error("the request says no-cache")]
    RequestNoCache,
    /// It is older than the request wants it.
    #[error("older than the max-age of the request")]
    RequestMaxAge,
    /// It will not be fresh for as long as the request wants it.
    #[error("fresh for less than the min-fresh of the request")]
    RequestMinFresh,
    /// It is stale.
    #[error("stale")]
    Stale,
    /// Not all of it is stored that the request wants ([RFC 9111 §3.3]).
    ///
    /// [RFC 9111 §3.3]: https://www.rfc-editor.org/rfc/rfc9111#section-3.3
    #[error("only other parts of it are stored")]
    Incomplete,
    /// The request makes a condition that only the origin can judge.
    #[error("the request has a condition for its origin")]
    Condition,
    /// It was given its lifetime by us, and the request may be somebody's own.
    #[error("fresh by default only, and the request may be somebody's own")]
    Personal,
    /// Our clock was set back since it came: its age is unknown.
    #[error("the clock was set back")]
    ClockSetBack,
}

impl WhyAsk {
    /// Whether it is the request that wants it, and not the stored response.
    pub fn is_of_request(self) -> bool {
        matches!(
            self,
            Self::RequestNoCache
                | Self::RequestMaxAge
                | Self::RequestMinFresh
                | Self::Condition
                | Self::Personal
        )
    }
}

/// Judges whether what is stored on these `terms` answers `asked` at `now`.
pub(crate) fn judge_reuse(
    asked: &Request<'_>,
    terms: &Terms,
    now: SystemTime,
    settings: &Settings,
) -> Reuse {
    let wish = &*counted(asked, settings);
    let Some(age) = terms.age(now, settings) else { return Reuse::Ask(WhyAsk::ClockSetBack) };
    if terms.ask == Ask::Always {
        return Reuse::Ask(WhyAsk::NoCache);
    }
    if wish.has(Flag::NoCache) {
        return Reuse::Ask(WhyAsk::RequestNoCache);
    }
    if asked.condition == Condition::Origin {
        return Reuse::Ask(WhyAsk::Condition);
    }
    if is_personal(asked, terms) {
        return Reuse::Ask(WhyAsk::Personal);
    }
    // Ages are told in whole seconds; but who asks for 0 does not want what is stored.
    if wish.max_age.is_some_and(|max| max.is_zero() || age.as_secs() > max.as_secs()) {
        return Reuse::Ask(WhyAsk::RequestMaxAge);
    }
    let fresh_for = terms.lifetime.duration.saturating_sub(age);
    if wish.min_fresh.is_some_and(|min| fresh_for < min) {
        return Reuse::Ask(WhyAsk::RequestMinFresh);
    }
    if !fresh_for.is_zero() {
        return Reuse::Fresh { age };
    }
    let stale_for = age.saturating_sub(terms.lifetime.duration);
    match excuse(terms, wish, stale_for) {
        Some(excuse) => Reuse::Stale { age, excuse },
        None => Reuse::Ask(WhyAsk::Stale),
    }
}

/// The directives of a request, as far as they count.
pub(crate) fn counted<'a>(asked: &'a Request<'_>, settings: &Settings) -> Cow<'a, Directives> {
    match settings.client_directives {
        ClientDirectives::Honoured => Cow::Borrowed(&asked.directives),
        ClientDirectives::Ignored => Cow::Owned(Directives::default()),
    }
}

fn excuse(terms: &Terms, wish: &Directives, stale_for: Duration) -> Option<WhyStale> {
    if terms.ask != Ask::Unexcused {
        return None;
    }
    if stale_for < terms.stale_while_revalidate {
        return Some(WhyStale::WhileRevalidate);
    }
    wish.max_stale.is_some_and(|max| stale_for <= max).then_some(WhyStale::MaxStale)
}

/// Whether it was us who gave the response its lifetime, and the request may be somebody's own.
fn is_personal(asked: &Request<'_>, terms: &Terms) -> bool {
    terms.lifetime.basis.is_ours() && asked.sender != Sender::Nobody
}

/// What went wrong upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no answer: nobody could be reached, or nobody answered.
    Unreachable,
    /// There is an answer, with this status.
    Status(StatusCode),
}

impl Failure {
    /// Whether RFC 5861 calls it an error.
    pub(crate) fn is_error(self) -> bool {
        match self {
            Self::Unreachable => true,
            Self::Status(status) => matches!(status.as_u16(), 500 | 502 | 503 | 504),
        }
    }
}

/// Why a stale response may not stand in for a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoStandIn {
    /// It is no failure.
    #[error("no error")]
    NoError,
    /// There is nothing stored.
    #[error("nothing is stored")]
    NothingStored,
    /// There is, but not all of it that the request wants.
    #[error("only other parts of it are stored")]
    Incomplete,
    /// It was invalidated while upstream was asked.
    #[error("what was stored is invalid by now")]
    Invalidated,
    /// What is stored must not be sent without asking, or not to this client.
    #[error("what is stored must not be sent without asking")]
    Forbidden,
    /// It has been stale for too long.
    #[error("stale for too long")]
    TooStale,
}

/// Judges whether what is stored on these `terms` may stand in for a `failure` to answer `asked`:
/// how old it is then, and why.
///
/// # Errors
///
/// [`NoStandIn`]: why it may not.
pub(crate) fn judge_failure(
    asked: &Request<'_>,
    terms: &Terms,
    failure: Failure,
    (now, settings): (SystemTime, &Settings),
) -> Result<(Duration, WhyStale), NoStandIn> {
    if !failure.is_error() {
        return Err(NoStandIn::NoError);
    }
    let wish = counted(asked, settings);
    let wants_answer = wish.has(Flag::NoCache) || asked.condition == Condition::Origin;
    if wants_answer || is_personal(asked, terms) || terms.ask == Ask::Always {
        return Err(NoStandIn::Forbidden);
    }
    let age = terms.age(now, settings).ok_or(NoStandIn::Forbidden)?;
    let stale_for = age.saturating_sub(terms.lifetime.duration);
    if terms.ask == Ask::WhenStale && age >= terms.lifetime.duration {
        return Err(NoStandIn::Forbidden);
    }
    let window = if_error_window(asked, terms, settings);
    if window.is_some_and(|window| stale_for < window) {
        return Ok((age, WhyStale::IfError));
    }
    // RFC 5861 §4: staler than was said, it is not used, whatever the failure.
    let is_over = window.is_some() && age >= terms.lifetime.duration;
    if failure == Failure::Unreachable && !is_over && stale_for <= settings.disconnected_max {
        return Ok((age, WhyStale::Disconnected));
    }
    Err(NoStandIn::TooStale)
}

/// For how long what is stored on these `terms` may be stale and stand in for failures to answer
/// `asked`, if its origin or the client says so: the shorter, if both do ([RFC 5861 §4]).
///
/// [RFC 5861 §4]: https://www.rfc-editor.org/rfc/rfc5861#section-4
pub(crate) fn if_error_window(
    asked: &Request<'_>,
    terms: &Terms,
    settings: &Settings,
) -> Option<Duration> {
    let wished = counted(asked, settings).stale_if_error;
    wished.into_iter().chain(terms.stale_if_error).min()
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::{
        age::Times,
        directives::Control,
        freshness::Head,
        tests::{at, fields},
    };

    #[test]
    fn what_is_fresh_is_sent_until_it_is_not() {
        check("", "max-age=60", 0, "fresh");
        check("", "max-age=60", 59, "fresh");
        check("", "max-age=60", 60, "stale");
        check("", "max-age=60", -1, "fresh");
        check("", "max-age=60", -2, "the clock was set back");
        check("", "max-age=60, no-cache", 0, "the stored response says no-cache");
        check("", "max-age=60, no-cache=\"a\"", 0, "fresh");
        check("", "max-age=60, must-revalidate", 59, "fresh");
        check("", "max-age=2147483648", 2_000_000_000, "fresh");
    }

    #[test]
    fn requests_may_want_it_newer() {
        check("cache-control: no-cache", "max-age=60", 0, "the request says no-cache");
        check("pragma: no-cache", "max-age=60", 0, "the request says no-cache");
        let too_old = "older than the max-age of the request";
        check("cache-control: max-age=0", "max-age=60", 0, too_old);
        check("cache-control: max-age=5", "max-age=60", 5, "fresh");
        check("cache-control: max-age=5", "max-age=60", 6, too_old);
        let too_short = "fresh for less than the min-fresh of the request";
        check("cache-control: min-fresh=10", "max-age=60", 50, "fresh");
        check("cache-control: min-fresh=10", "max-age=60", 51, too_short);
        check("cache-control: no-store", "max-age=60", 0, "fresh");
    }

    #[test]
    fn requests_may_do_with_older() {
        check("cache-control: max-stale", "max-age=60", 9999, "MaxStale");
        check("cache-control: max-stale=5", "max-age=60", 65, "MaxStale");
        check("cache-control: max-stale=5", "max-age=60", 66, "stale");
        for strict in ["must-revalidate", "proxy-revalidate", "s-maxage=60"] {
            check("cache-control: max-stale", &format!("max-age=60, {strict}"), 61, "stale");
        }
    }

    #[test]
    fn origins_may_allow_it_while_they_are_asked() {
        check("", "max-age=60, stale-while-revalidate=5", 59, "fresh");
        check("", "max-age=60, stale-while-revalidate=5", 64, "WhileRevalidate");
        check("", "max-age=60, stale-while-revalidate=5", 65, "stale");
        check("", "max-age=60, stale-while-revalidate=5, must-revalidate", 61, "stale");
        check(
            "cache-control: no-cache",
            "max-age=60, stale-while-revalidate=5",
            61,
            "the request says no-cache",
        );
    }

    #[test]
    fn what_is_fresh_by_default_is_for_nobody_in_particular() {
        let personal = "fresh by default only, and the request may be somebody's own";
        check("", "", 0, "fresh");
        check("cookie: a=b", "", 0, personal);
        check("authorization: x", "", 0, personal);
        check("cookie: a=b", "max-age=60", 0, "fresh");
    }

    #[test]
    fn conditions_for_the_origin_are_not_ours_to_judge() {
        let condition = "the request has a condition for its origin";
        check("if-match: \"a\"", "max-age=60", 0, condition);
        check("if-unmodified-since: x", "max-age=60", 0, condition);
        check("if-none-match: \"a\"", "max-age=60", 0, "fresh");
    }

    #[test]
    fn clients_may_have_no_say() {
        let settings =
            Settings { client_directives: ClientDirectives::Ignored, ..Settings::default() };
        let headers = fields("cache-control: no-cache, max-age=0, stale-if-error=99999");
        let asked = Request::of(&Method::GET, &headers);
        let terms = terms("max-age=60");
        let reuse = judge_reuse(&asked, &terms, at(1000), &settings);
        assert_eq!(reuse, Reuse::Fresh { age: Duration::ZERO });
        let failure = Failure::Status(StatusCode::BAD_GATEWAY);
        let judged = judge_failure(&asked, &terms, failure, (at(1061), &settings));
        assert_eq!(judged, Err(NoStandIn::TooStale));
    }

    #[test]
    fn what_is_stale_stands_in_for_failures() {
        check_failure("", "max-age=60, stale-if-error=5", (64, 503), Ok(WhyStale::IfError));
        check_failure("", "max-age=60, stale-if-error=5", (65, 503), Err(NoStandIn::TooStale));
        check_failure("", "max-age=60, stale-if-error=5", (64, 0), Ok(WhyStale::IfError));
        check_failure("", "max-age=60, stale-if-error=5", (59, 0), Ok(WhyStale::IfError));
        check_failure("", "max-age=60", (61, 503), Err(NoStandIn::TooStale));
        check_failure("", "max-age=60", (86_460, 0), Ok(WhyStale::Disconnected));
        check_failure("", "max-age=60", (86_461, 0), Err(NoStandIn::TooStale));
        let wish = "cache-control: stale-if-error=9";
        check_failure(wish, "max-age=60", (61, 500), Ok(WhyStale::IfError));
        for status in [200, 404, 501, 505] {
            check_failure(wish, "max-age=60", (61, status), Err(NoStandIn::NoError));
        }
    }

    #[test]
    fn but_not_staler_than_was_said_whatever_the_failure() {
        let too_stale = Err(NoStandIn::TooStale);
        for status in [0, 503] {
            check_failure("", "max-age=60, stale-if-error=5", (65, status), too_stale);
            check_failure("", "max-age=60, stale-if-error=0", (60, status), too_stale);
            let wish = "cache-control: stale-if-error=5";
            check_failure(wish, "max-age=60", (64, status), Ok(WhyStale::IfError));
            check_failure(wish, "max-age=60", (65, status), too_stale);
            // The shorter counts.
            check_failure(wish, "max-age=60, stale-if-error=9", (65, status), too_stale);
            let wish = "cache-control: stale-if-error=9";
            check_failure(wish, "max-age=60, stale-if-error=5", (65, status), too_stale);
        }
        // What is fresh is not stale at all.
        let wish = "cache-control: max-age=0, stale-if-error=0";
        check_failure(wish, "max-age=60", (59, 0), Ok(WhyStale::Disconnected));
    }

    #[test]
    fn but_not_against_its_terms() {
        let forbidden = Err(NoStandIn::Forbidden);
        for strict in ["must-revalidate", "proxy-revalidate", "s-maxage=60", "no-cache"] {
            let control = format!("max-age=60, stale-if-error=9, {strict}");
            check_failure("", &control, (61, 0), forbidden);
            check_failure("", &control, (61, 503), forbidden);
        }
        check_failure("cache-control: no-cache", "max-age=60", (61, 0), forbidden);
        check_failure("if-match: \"a\"", "max-age=60", (61, 0), forbidden);
        check_failure("cookie: a=b", "", (61, 0), forbidden);
        check_failure("", "max-age=60", (-9, 0), forbidden);
    }

    #[track_caller]
    fn check(request: &str, control: &str, age: i64, expect: &str) {
        let headers = fields(request);
        let asked = Request::of(&Method::GET, &headers);
        let now = at(1000 + age);
        let reuse = match judge_reuse(&asked, &terms(control), now, &Settings::default()) {
            Reuse::Fresh { .. } => "fresh".to_owned(),
            Reuse::Stale { excuse, .. } => format!("{excuse:?}"),
            Reuse::Ask(why) => why.to_string(),
        };
        assert_eq!(reuse, expect, "for {request:?} and {control:?}");
    }

    /// A `status` of 0 is no answer.
    #[track_caller]
    fn check_failure(
        request: &str,
        control: &str,
        (age, status): (i64, u16),
        expect: Result<WhyStale, NoStandIn>,
    ) {
        let headers = fields(request);
        let asked = Request::of(&Method::GET, &headers);
        let failure = StatusCode::from_u16(status).map_or(Failure::Unreachable, Failure::Status);
        let when = (at(1000 + age), &Settings::default());
        let judged = judge_failure(&asked, &terms(control), failure, when);
        assert_eq!(judged.map(|(_, excuse)| excuse), expect, "for {request:?} and {control:?}");
    }

    fn terms(control: &str) -> Terms {
        let line =
            if control.is_empty() { String::new() } else { format!("cache-control: {control}") };
        let headers = fields(&line);
        let settings = Settings::default();
        let head = Head { status: StatusCode::OK, headers: &headers, received: at(1000) };
        let times = Times { requested: at(1000), received: at(1000) };
        Terms::of(head, times, &Control::of(&headers, &settings.targets), &settings)
    }
}
