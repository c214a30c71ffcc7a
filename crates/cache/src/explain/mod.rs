//! Why a request is answered from the store or not, and why a response is stored or not: step by step,
//! as data.
//!
//! There are no rules here. The verdicts are those of the rules by which requests are answered; the
//! steps are what these looked at.

mod reusing;
mod sections;
mod storing;

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, StatusCode, header::CACHE_CONTROL};

use crate::{
    cache_status::Forward,
    directives::{Control, ControlSource},
    freshness::Lifetime,
    key::Key,
    request::Sender,
    reuse::WhyStale,
    rules::{Rule, meant_by, rule_of},
    settings::Settings,
    terms::{Ask, Terms},
};

/// Why a request is answered as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<V> {
    /// What was looked at, in this order.
    pub steps: Vec<Step>,
    /// What comes of it.
    pub verdict: V,
}

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This rule is the first that is for its path.
    Rule(Rule),
    /// Servers may read its path in more than one way: of the rules, only the first that bypasses
    /// counts, whose path this is, if there is one.
    ReadTwice(Option<String>),
    /// Under what the answer is looked for.
    Key {
        /// The URI.
        uri: String,
        /// What keeps it apart from others of the same URI; empty if nothing does.
        apart_by: String,
        /// What of its query is in it.
        query: Counted,
    },
    /// What the request says of caching, as far as that counts here.
    Wish(Vec<Wish>),
    /// The request may be somebody's own: it has cookies or `Authorization`.
    Sender(Sender),
    /// How many responses are stored under the key, and which fields they are chosen by.
    Variants {
        /// How many.
        count: usize,
        /// The fields that `Vary` names, of all of them.
        by: Vec<HeaderName>,
        /// The requests that they are for: the values of these fields, of each.
        of: Vec<Values>,
    },
    /// The stored response that is for this request, or the one that upstream answered.
    Response {
        /// Its status.
        status: StatusCode,
        /// The bytes of its body; `None` if that did not come.
        bytes: Option<u64>,
        /// When it came, or was last confirmed.
        received: SystemTime,
    },
    /// What the response says of caching.
    Said {
        /// In which field.
        field: HeaderName,
        /// What.
        value: String,
    },
    /// It says nothing of caching.
    Unsaid,
    /// It is for requests with the same values in these fields.
    Vary(Vec<HeaderName>),
    /// For how long it is fresh.
    Lifetime(Lifetime),
    /// How old it is.
    Age {
        /// All in all; `None` if the clock was set back since it came.
        age: Option<Duration>,
        /// When it came.
        initial: Duration,
    },
    /// It was purged softly, and is stale since then.
    Purged {
        /// When that was; `None` if it is only known that it was.
        at: Option<SystemTime>,
    },
    /// For how long it is still fresh, or since when it is not.
    Left(Left),
    /// When its origin has to be asked, whatever its age.
    Ask(Ask),
    /// For how long after that it may be sent all the same.
    Windows {
        /// While it is asked about.
        while_revalidate: Duration,
        /// When asking fails.
        if_error: Duration,
    },
    /// The field by which its origin can be asked whether it is still good; `None` if there is none.
    Validator(Option<HeaderName>),
    /// For how much longer it is sent if its origin cannot be reached.
    StandsIn(Duration),
}

impl Explanation<Reused> {
    /// Whether something is stored that is for the request.
    pub fn is_about_stored(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Response { .. }))
    }
}

/// What of a query tells answers apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// All of it.
    All,
    /// What the rule lets count.
    ByRule,
    /// What the origin lets count (`No-Vary-Search`).
    ByOrigin,
}

/// The values of some fields of a request; `None` for one that it did not have.
pub type Values = Vec<(HeaderName, Option<String>)>;

/// How far a response is from the end of its freshness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It is fresh for so long.
    Fresh(Duration),
    /// It has been stale for so long.
    Stale(Duration),
}

/// What a request says of caching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The directive.
    pub name: &'static str,
    /// Its seconds, if it has some.
    pub time: Option<Duration>,
}

/// What comes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reused {
    /// It is answered from the store, fresh.
    Fresh,
    /// It is answered from the store, stale, for a reason.
    Stale(WhyStale),
    /// Upstream is asked, for a reason.
    Asks(Forward),
    /// It is answered with 504: nobody is to be asked.
    OnlyIfCached(Forward),
}

/// What is said here of answers for `key`.
fn ruling(settings: &Settings, key: &Key) -> Option<Step> {
    if settings.rules.is_empty() {
        return None;
    }
    let rule = rule_of(&settings.rules, key);
    match meant_by(key) {
        Some(_) => rule.map(|rule| Step::Rule(rule.clone())),
        None => Some(Step::ReadTwice(rule.map(|rule| rule.path.clone()))),
    }
}

/// What a response says of caching, and where.
fn said(headers: &HeaderMap, settings: &Settings) -> Step {
    let control = Control::of(headers, &settings.targets);
    let field = match control.source {
        ControlSource::Targeted(name) => name,
        ControlSource::CacheControl => CACHE_CONTROL,
        ControlSource::Nowhere | ControlSource::Rule => return Step::Unsaid,
    };
    let lines = headers.get_all(&field).iter();
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    Step::Said { value: lines.join(", "), field }
}

fn of_terms(terms: &Terms) -> impl Iterator<Item = Step> {
    let Terms { ask, stale_while_revalidate: while_revalidate, stale_if_error, .. } = *terms;
    let if_error = stale_if_error.unwrap_or_default();
    let has_windows = !(while_revalidate.is_zero() && if_error.is_zero());
    let windows = has_windows.then_some(Step::Windows { while_revalidate, if_error });
    let ask = (ask != Ask::Unexcused).then_some(Step::Ask(ask));
    ask.into_iter().chain(windows)
}
