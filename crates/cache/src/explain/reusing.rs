//! Why a request is answered from the store or not.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{
    HeaderName,
    header::{ETAG, LAST_MODIFIED},
};

use super::{Counted, Explanation, Left, Reused, Step, Values, Wish, of_terms, ruling, said};
use crate::{
    cache::{Cache, Judged},
    cache_status::{Forward, Source},
    directives::{Control, Flag},
    freshness::{Head, lifetime},
    key::Key,
    request::{Request, Sender},
    reuse::{Failure, if_error_window, judge_failure},
    rules::{Query, rule_of},
    settings::ClientDirectives,
    stored::{Softened, Stored},
    terms::{Ask, Terms},
};

impl Cache {
    /// Tells why the request `asked` for `key` would be answered at `now` as it would be. Changes
    /// nothing.
    ///
    /// *Cost*: of a few allocations besides those of a look-up.
    pub fn explain(&self, key: &Key, asked: &Request<'_>, now: SystemTime) -> Explanation<Reused> {
        let asked_as = key;
        let key = &*self.searches.key_of(asked_as);
        let mut steps: Vec<_> = ruling(&self.settings, key).into_iter().collect();
        let (uri, apart_by) = (key.as_str().to_owned(), asked_as.apart_by().to_owned());
        steps.push(Step::Key { uri, apart_by, query: self.counted(asked_as, key) });
        let wishes = wishes(asked, self.settings.client_directives);
        if !wishes.is_empty() {
            steps.push(Step::Wish(wishes));
        }
        if asked.sender != Sender::Nobody {
            steps.push(Step::Sender(asked.sender));
        }
        let judged = self.judge(key, asked, now);
        if !matches!(
            judged,
            Judged::Ask(
                Forward::Method | Forward::Content | Forward::Upgrade | Forward::Bypassed,
                _
            )
        ) {
            steps.push(self.variants(key));
        }
        let (stored, verdict) = verdict(judged, asked);
        if let Some(stored) = stored {
            steps.extend(self.of_stored(key, &stored, now));
            let is_stale = matches!(steps.iter().rev().find_map(left), Some(Left::Stale(_)));
            if is_stale || stored.terms().ask == Ask::Always {
                steps.push(Step::Validator(validator(&stored)));
                steps.extend(self.stands_in(asked, stored.terms(), now));
            }
        }
        Explanation { steps, verdict }
    }

    /// What of the query of `asked_as` is in `key`.
    fn counted(&self, asked_as: &Key, key: &Key) -> Counted {
        if asked_as != key {
            return Counted::ByOrigin;
        }
        match rule_of(&self.settings.rules, key) {
            Some(rule) if rule.parts.query != Query::All => Counted::ByRule,
            _ => Counted::All,
        }
    }

    fn variants(&self, key: &Key) -> Step {
        let variants = self.store.variants(key);
        let mut by: Vec<_> =
            variants.iter().flat_map(|variant| variant.selecting().names()).cloned().collect();
        by.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        by.dedup();
        let values = |variant: &Arc<Stored>| -> Values {
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            let values = variant.selecting().values();
            values.map(|(name, value)| (name.clone(), value.map(text))).collect()
        };
        Step::Variants { count: variants.len(), by, of: variants.iter().map(values).collect() }
    }

    fn of_stored(&self, key: &Key, stored: &Stored, now: SystemTime) -> Vec<Step> {
        let terms = stored.terms();
        let headers = stored.headers();
        let bytes = stored.size();
        let received = terms.times.received;
        let mut steps = vec![Step::Response { status: stored.status(), bytes, received }];
        steps.push(said(&headers, &self.settings));
        let at = match stored.softened() {
            Softened::No => None,
            Softened::At(at) => Some(Some(at)),
            Softened::Before => Some(None),
        };
        match at {
            // Its terms have what became of it.
            Some(at) => {
                let rule = rule_of(&self.settings.rules, key);
                let control = Control::said_of(&headers, rule, &self.settings);
                let head = Head { status: stored.status(), headers: &headers, received };
                steps.push(Step::Lifetime(lifetime(head, &control, &self.settings)));
                steps.push(Step::Purged { at });
            }
            None => steps.push(Step::Lifetime(terms.lifetime)),
        }
        let age = terms.age(now, &self.settings);
        steps.push(Step::Age { age, initial: terms.initial_age });
        steps.extend(age.map(|age| Step::Left(Left::of(terms, age))));
        steps.extend(of_terms(terms));
        steps
    }

    /// For how long it stands in for an origin that cannot be reached.
    fn stands_in(&self, asked: &Request<'_>, terms: &Terms, now: SystemTime) -> Option<Step> {
        let when = (now, &*self.settings);
        let (age, _) = judge_failure(asked, terms, Failure::Unreachable, when).ok()?;
        let stale_for = age.saturating_sub(terms.lifetime.duration);
        let window = if_error_window(asked, terms, &self.settings);
        let most = window.unwrap_or(self.settings.disconnected_max);
        Some(Step::StandsIn(most.saturating_sub(stale_for)))
    }
}

/// What comes of it, and of what that is stored.
fn verdict(judged: Judged, asked: &Request<'_>) -> (Option<Arc<Stored>>, Reused) {
    match judged {
        Judged::Send(hit) | Judged::SendAndAsk(hit) => {
            let verdict = match hit.cache_status().source {
                Source::Stored(Some(excuse)) => Reused::Stale(excuse),
                _ => Reused::Fresh,
            };
            (Some(Arc::clone(hit.stored())), verdict)
        }
        Judged::Ask(why, stored) => {
            let may_ask = why == Forward::Method || !asked.directives.has(Flag::OnlyIfCached);
            (stored, if may_ask { Reused::Asks(why) } else { Reused::OnlyIfCached(why) })
        }
    }
}

fn left(step: &Step) -> Option<Left> {
    match step {
        Step::Left(left) => Some(*left),
        _ => None,
    }
}

/// By which field its origin is asked whether what is `stored` is still good.
fn validator(stored: &Stored) -> Option<HeaderName> {
    let has_date = || stored.headers().contains_key(LAST_MODIFIED);
    match stored.validators().tag {
        Some(_) => Some(ETAG),
        None => has_date().then_some(LAST_MODIFIED),
    }
}

impl Left {
    fn of(terms: &Terms, age: Duration) -> Self {
        let lifetime = terms.lifetime.duration;
        match lifetime.checked_sub(age) {
            Some(left) if !left.is_zero() => Self::Fresh(left),
            _ => Self::Stale(age.saturating_sub(lifetime)),
        }
    }
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
