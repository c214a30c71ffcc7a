//! Why a request is answered from the store or not, and why a response is stored or not: step by step,
//! as data.
//!
//! There are no rules here. The verdicts are those of the rules by which requests are answered; the
//! steps are what these looked at.

mod sections;

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, Method, StatusCode, header::CACHE_CONTROL};

use crate::{
    age::Times,
    cache::{Cache, Judged, ttl},
    cache_status::{Forward, Source},
    directives::{Control, ControlSource, Flag},
    freshness::{Head, Lifetime, lifetime},
    key::Key,
    request::{Request, Sender},
    reuse::WhyStale,
    settings::ClientDirectives,
    stored::{Softened, Stored},
    storing::{NotStored, judge_storing},
    taking::Answered,
    terms::{Ask, Terms},
    vary::Vary,
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
    /// Under what the answer is looked for.
    Key {
        /// The URI.
        uri: String,
        /// What keeps it apart from others of the same URI; empty if nothing does.
        apart_by: String,
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
    /// For how long it is still fresh, in seconds; below 0, since when it is not.
    Left(i64),
    /// When its origin has to be asked, whatever its age.
    Ask(Ask),
    /// For how long after that it may be sent all the same.
    Windows {
        /// While it is asked about.
        while_revalidate: Duration,
        /// When asking fails.
        if_error: Duration,
    },
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

impl Cache {
    /// Tells why the request `asked` for `key` would be answered at `now` as it would be. Changes
    /// nothing.
    ///
    /// *Cost*: of a few allocations besides those of a look-up.
    pub fn explain(&self, key: &Key, asked: &Request<'_>, now: SystemTime) -> Explanation<Reused> {
        let (uri, apart_by) = (key.as_str().to_owned(), key.apart_by().to_owned());
        let mut steps = vec![Step::Key { uri, apart_by }];
        let wishes = wishes(asked, self.settings.client_directives);
        if !wishes.is_empty() {
            steps.push(Step::Wish(wishes));
        }
        if asked.sender != Sender::Nobody {
            steps.push(Step::Sender(asked.sender));
        }
        let key = &*self.searches.key_of(key);
        let judged = self.judge(key, asked, now);
        if !matches!(judged, Judged::Ask(Forward::Method | Forward::Content | Forward::Upgrade, _))
        {
            steps.push(self.variants(key));
        }
        let (stored, verdict) = match judged {
            Judged::Send(hit) | Judged::SendAndAsk(hit) => {
                let verdict = match hit.cache_status().source {
                    Source::Stored(Some(excuse)) => Reused::Stale(excuse),
                    _ => Reused::Fresh,
                };
                (Some(std::sync::Arc::clone(hit.stored())), verdict)
            }
            Judged::Ask(why, stored) => {
                let may_ask = why == Forward::Method || !asked.directives.has(Flag::OnlyIfCached);
                (stored, if may_ask { Reused::Asks(why) } else { Reused::OnlyIfCached(why) })
            }
        };
        if let Some(stored) = stored {
            steps.extend(self.of_stored(&stored, now));
        }
        Explanation { steps, verdict }
    }

    fn variants(&self, key: &Key) -> Step {
        let variants = self.store.variants(key);
        let mut by: Vec<_> =
            variants.iter().flat_map(|variant| variant.selecting().names()).cloned().collect();
        by.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        by.dedup();
        Step::Variants { count: variants.len(), by }
    }

    fn of_stored(&self, stored: &Stored, now: SystemTime) -> Vec<Step> {
        let terms = stored.terms();
        let headers = stored.headers();
        let control = Control::of(&headers, &self.settings.targets);
        let bytes = stored.size();
        let received = terms.times.received;
        let mut steps = vec![Step::Response { status: stored.status(), bytes, received }];
        steps.push(said(&headers, &control));
        let at = match stored.softened() {
            Softened::No => None,
            Softened::At(at) => Some(Some(at)),
            Softened::Before => Some(None),
        };
        match at {
            // Its terms have what became of it.
            Some(at) => {
                let head = Head { status: stored.status(), headers: &headers, received };
                steps.push(Step::Lifetime(lifetime(head, &control, &self.settings)));
                steps.push(Step::Purged { at });
            }
            None => steps.push(Step::Lifetime(terms.lifetime)),
        }
        let age = terms.age(now, &self.settings);
        steps.push(Step::Age { age, initial: terms.initial_age });
        steps.extend(age.map(|age| Step::Left(ttl(terms, age))));
        steps.extend(of_terms(terms));
        steps
    }

    /// Tells why what upstream `answered` to the request `asked` would be stored, or would not be, as
    /// far as its head tells. A request with HEAD is taken for a GET. Changes nothing.
    pub fn explain_storing(
        &self,
        asked: &Request<'_>,
        answered: Answered<'_>,
    ) -> Explanation<Result<(), NotStored>> {
        let get = Request { method: &Method::GET, ..asked.clone() };
        let asked = if *asked.method == Method::HEAD { &get } else { asked };
        let Answered { status, headers, times } = answered;
        let head = Head { status, headers, received: times.received };
        let control = Control::said_of(headers, asked.rule, &self.settings);
        let mut steps = vec![Step::Response { status, bytes: None, received: times.received }];
        steps.push(said(headers, &control));
        if let Vary::Fields(names) = Vary::of(headers) {
            steps.push(Step::Vary(names));
        }
        steps.push(Step::Lifetime(lifetime(head, &control, &self.settings)));
        if asked.sender != Sender::Nobody {
            steps.push(Step::Sender(asked.sender));
        }
        let verdict =
            self.judge_head(asked, head, times).map(|terms| steps.extend(of_terms(&terms)));
        Explanation { steps, verdict }
    }

    fn judge_head(
        &self,
        asked: &Request<'_>,
        head: Head<'_>,
        times: Times,
    ) -> Result<Terms, NotStored> {
        let storable = judge_storing(asked, head, times, &self.settings)?;
        let length = head.headers.get(http::header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let most = self.settings.object_max.min(self.store.body_max());
        if length.is_some_and(|length| length > most) {
            return Err(NotStored::TooLarge);
        }
        Ok(storable.terms)
    }
}

/// What a response says of caching, and where.
fn said(headers: &HeaderMap, control: &Control) -> Step {
    let field = match &control.source {
        ControlSource::Targeted(name) => name.clone(),
        ControlSource::CacheControl => CACHE_CONTROL,
        ControlSource::Nowhere | ControlSource::Rule => return Step::Unsaid,
    };
    let lines = headers.get_all(&field).iter();
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    Step::Said { value: lines.join(", "), field }
}

fn of_terms(terms: &Terms) -> impl Iterator<Item = Step> {
    let Terms { ask, stale_while_revalidate: while_revalidate, stale_if_error: if_error, .. } =
        *terms;
    let has_windows = !(while_revalidate.is_zero() && if_error.is_zero());
    let windows = has_windows.then_some(Step::Windows { while_revalidate, if_error });
    let ask = (ask != Ask::Unexcused).then_some(Step::Ask(ask));
    ask.into_iter().chain(windows)
}

/// What a request says of caching, as far as it counts.
fn wishes(asked: &Request<'_>, counts: ClientDirectives) -> Vec<Wish> {
    let directives = &asked.directives;
    let flag = |flag, name| directives.has(flag).then_some(Wish { name, time: None });
    let number = |time: Option<Duration>, name| time.map(|time| Wish { name, time: Some(time) });
    let always = [flag(Flag::NoStore, "no-store"), flag(Flag::OnlyIfCached, "only-if-cached")];
    let honoured = [
        flag(Flag::NoCache, "no-cache"),
        number(directives.max_age, "max-age"),
        number(directives.min_fresh, "min-fresh"),
        number(directives.max_stale, "max-stale"),
        number(directives.stale_if_error, "stale-if-error"),
    ];
    let honoured = match counts {
        ClientDirectives::Honoured => &honoured[..],
        ClientDirectives::Ignored => &[],
    };
    always.iter().chain(honoured).copied().flatten().collect()
}
