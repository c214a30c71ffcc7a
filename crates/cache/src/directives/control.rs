//! Which of a response's fields counts: a targeted one, or `Cache-Control`.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header::CACHE_CONTROL};

use super::{Directives, read_cache_control, read_targeted};
use crate::{
    rules::{Origin, Rule},
    settings::Settings,
};

/// A response's directives, and where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    /// What they say.
    pub directives: Directives,
    /// Where they stand.
    pub source: ControlSource,
    /// How long it is fresh by what is said here, if that is all that is said.
    pub ttl: Option<Duration>,
}

/// Where the directives of a response stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ControlSource {
    /// In this field, which speaks to caches like ours: `Cache-Control` and `Expires` are not for
    /// us ([RFC 9213 §2.2]).
    ///
    /// [RFC 9213 §2.2]: https://www.rfc-editor.org/rfc/rfc9213#section-2.2
    Targeted(HeaderName),
    /// In `Cache-Control`.
    CacheControl,
    /// Nowhere: there are none.
    Nowhere,
    /// Here: what the origin says does not count.
    Rule,
}

impl Control {
    /// Reads the directives in a response's `headers` for a cache that `targets` speak to, best
    /// first.
    pub(crate) fn of(headers: &HeaderMap, targets: &[HeaderName]) -> Self {
        for target in targets.iter().filter(|target| headers.contains_key(*target)) {
            let lines: Vec<_> = headers.get_all(target).iter().map(HeaderValue::as_bytes).collect();
            if let Some(directives) = read_targeted(&lines.join(&b", "[..])) {
                let source = ControlSource::Targeted(target.clone());
                return Self { directives, source, ttl: None };
            }
        }
        let source = if headers.contains_key(CACHE_CONTROL) {
            ControlSource::CacheControl
        } else {
            ControlSource::Nowhere
        };
        let lines = headers.get_all(CACHE_CONTROL).iter().map(HeaderValue::as_bytes);
        Self { directives: read_cache_control(lines), source, ttl: None }
    }

    /// The same for a response that a `rule` is for: what is said here of it counts besides, or in its place.
    pub(crate) fn said_of(headers: &HeaderMap, rule: Option<&Rule>, settings: &Settings) -> Self {
        let origin = rule.and_then(|rule| rule.origin).unwrap_or(settings.origin);
        let ttl = rule.and_then(|rule| rule.ttl);
        match origin {
            Origin::Heard => Self { ttl, ..Self::of(headers, &settings.targets) },
            Origin::Ignored => Self {
                directives: Directives::default(),
                source: ControlSource::Rule,
                ttl: Some(ttl.unwrap_or(settings.default_ttl)),
            },
        }
    }

    /// Whether they stand in a targeted field.
    pub(crate) fn is_targeted(&self) -> bool {
        matches!(self.source, ControlSource::Targeted(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fields;

    #[test]
    fn the_first_good_targeted_field_counts() {
        check("", "");
        check("cache-control: max-age=1", "cache-control max-age=1");
        check(
            "cache-control: no-store\ncdn-cache-control: max-age=2",
            "cdn-cache-control max-age=2",
        );
        check("ours: max-age=3\ncdn-cache-control: max-age=2", "ours max-age=3");
        check("ours: \ncdn-cache-control: max-age=2", "cdn-cache-control max-age=2");
        check("ours: max-age='3'\ncache-control: max-age=1", "cache-control max-age=1");
        check("ours: a\nours: max-age=3", "ours max-age=3");
        check("ours: a\nours: &\ncache-control: no-store", "cache-control no-store");
        check("ours: none\ncache-control: no-store", "ours ");
    }

    #[track_caller]
    fn check(lines: &str, expect: &str) {
        let targets = ["ours", "cdn-cache-control"].map(HeaderName::from_static);
        let control = Control::of(&fields(lines), &targets);
        let source = match &control.source {
            ControlSource::Targeted(name) => format!("{name} "),
            ControlSource::CacheControl => "cache-control ".to_owned(),
            ControlSource::Nowhere | ControlSource::Rule => String::new(),
        };
        let text = super::super::tests::text(&control.directives);
        assert_eq!(source + &text, expect, "for {lines:?}");
    }
}
