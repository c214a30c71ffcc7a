//! What a cache may be told: sizes, and the choices that HTTP leaves to it.

use std::time::Duration;

use http::{HeaderMap, HeaderName, header::CDN_CACHE_CONTROL};

use crate::{
    key::Key,
    rules::{Origin, Rule, rule_of},
};

/// What caches like this one are told by many a server, since before there was a better name for it.
pub(crate) const SURROGATE_CONTROL: HeaderName = HeaderName::from_static("surrogate-control");

/// What a cache is told.
///
/// Where a default is not the most that RFC 9111 permits, the field says why.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes of memory for what is stored, its heads and its index.
    pub memory: u64,
    /// A body with more bytes is not stored.
    pub object_max: u64,
    /// Bytes of memory besides those for bodies that are still coming in, and for those that are
    /// stored no longer while clients are not done with them. A body that finds no room is passed on
    /// and not stored.
    pub filling_max: u64,
    /// How long an answer is fresh that says nothing about it: no lifetime, and no date of
    /// modification to guess one from. Answers that may be one person's are exempt: see
    /// [`NotStored::Personal`](crate::NotStored::Personal).
    pub default_ttl: Duration,
    /// How much of the time since its modification an answer without a lifetime is taken to be
    /// fresh, in percent ([RFC 9111 §4.2.2]). Those to requests with cookies are exempt, unless they are
    /// `public`.
    ///
    /// [RFC 9111 §4.2.2]: https://www.rfc-editor.org/rfc/rfc9111#section-4.2.2
    pub heuristic_percent: u32,
    /// But no longer than this.
    pub heuristic_max: Duration,
    /// How long an answer may have been stale and still be sent when the upstream cannot be
    /// reached, where nothing forbids it ([RFC 9111 §4.2.4]).
    ///
    /// [RFC 9111 §4.2.4]: https://www.rfc-editor.org/rfc/rfc9111#section-4.2.4
    pub disconnected_max: Duration,
    /// How long an answer that says nothing about it may be sent when it is stale, while its origin
    /// is asked: as if it said `stale-while-revalidate`. RFC 9111 lets no cache do so that is not told
    /// to (§4.2.4): so by default none.
    pub grace: Duration,
    /// How long an answer is fresh that says there is nothing (404, 405, 410, 414, 501) or that
    /// the origin fails (500, 502, 503, 504), and nothing about its lifetime. `None` for what is usual:
    /// a guess for the former ([RFC 9110 §15.1]), nothing for the latter.
    ///
    /// [RFC 9110 §15.1]: https://www.rfc-editor.org/rfc/rfc9110#section-15.1
    pub negative_ttl: Option<Duration>,
    /// How one fetch serves many who ask at once.
    pub joining: Joining,
    /// How far the clock of an origin may be behind ours, and ours may jump back, without a
    /// meaning: an answer that seems to be that old without an `Age` is taken to be new.
    pub clock_skew: Duration,
    /// Fields that speak to caches like this one ([RFC 9213]); the first that an answer has in good
    /// form counts instead of `Cache-Control` and `Expires`.
    ///
    /// [RFC 9213]: https://www.rfc-editor.org/rfc/rfc9213
    pub targets: Vec<HeaderName>,
    /// Whether what origins say counts, where no rule says another thing.
    pub origin: Origin,
    /// What is said of some paths: the first that fits counts.
    pub rules: Vec<Rule>,
    /// Whether answers that set cookies are stored.
    pub set_cookie: SetCookie,
    /// Whether the clients' `Cache-Control` and `Pragma` count.
    pub client_directives: ClientDirectives,
}

/// How one fetch serves many who ask at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joining {
    /// How long all wait for the head of one fetch. After that one more is begun.
    pub head_wait_max: Duration,
    /// How long a client waits for a head, whatever is begun meanwhile. After that it is told that
    /// there is none (504).
    pub wait_max: Duration,
    /// How many clients wait for heads at once. More are told to come again (503). With 0 nobody
    /// waits: each asks for himself.
    pub waiting_max: usize,
    /// How many fetches may fail in a row before all who wait are told so.
    pub tries_max: u32,
    /// How long it is remembered that what answers a request is for one client alone, so that nobody
    /// waits for it in vain. Such memories are bounded: there are some 16,000.
    pub uncacheable_ttl: Duration,
    /// How far behind what came so far a part may begin that somebody waits for.
    pub ahead_max: u64,
    /// What becomes of a fetch that nobody waits for any more.
    pub abandoned: Abandoned,
}

/// What becomes of a fetch that nobody waits for any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Abandoned {
    /// It ends: what it brought is forgotten.
    #[default]
    Ended,
    /// It goes on, and what it brings is stored.
    Finished,
}

impl Default for Joining {
    fn default() -> Self {
        Self {
            head_wait_max: Duration::from_secs(5),
            wait_max: Duration::from_secs(30),
            waiting_max: 65_536,
            tries_max: 3,
            uncacheable_ttl: Duration::from_mins(2),
            ahead_max: 8 << 20,
            abandoned: Abandoned::default(),
        }
    }
}

/// Which answers with `Set-Cookie` are stored. One that is stored gives its cookie to everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SetCookie {
    /// None.
    Refused,
    /// Those that speak of shared caches: `public`, `s-maxage`, or a targeted field. RFC 9111 has
    /// no such limit, but a session handed to strangers is worse than a request more.
    #[default]
    SharedOnly,
    /// All that state their lifetime ([RFC 9111 §7.3]: it is for servers to restrict caching).
    ///
    /// [RFC 9111 §7.3]: https://www.rfc-editor.org/rfc/rfc9111#section-7.3
    Explicit,
}

/// Whether clients have a say in what is reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientDirectives {
    /// They do ([RFC 9111 §5.2.1]).
    ///
    /// [RFC 9111 §5.2.1]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1
    #[default]
    Honoured,
    /// Only `no-store` and `only-if-cached` count: nobody can make the cache ask its upstream.
    Ignored,
}

impl Settings {
    /// The key of a request for `key` with these `headers`, where a rule says that something else
    /// counts of its query, or something besides; `besides` is what counts in any case.
    #[must_use]
    pub fn key_of(&self, key: Key, headers: &HeaderMap, besides: &str) -> Key {
        let Some(rule) = rule_of(&self.rules, &key) else { return key.apart(besides) };
        let by = besides.to_owned() + &rule.parts.apart(headers);
        key.with_target(|target| rule.parts.target(target)).apart(&by)
    }
}

impl Default for Settings {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        const DAY: Duration = Duration::from_hours(24);
        Self {
            memory: 256 * MIB,
            object_max: 8 * MIB,
            filling_max: 64 * MIB,
            default_ttl: Duration::from_mins(1),
            heuristic_percent: 10,
            heuristic_max: DAY,
            disconnected_max: DAY,
            grace: Duration::ZERO,
            negative_ttl: None,
            joining: Joining::default(),
            clock_skew: Duration::from_secs(1),
            targets: vec![CDN_CACHE_CONTROL, SURROGATE_CONTROL],
            origin: Origin::default(),
            rules: Vec::new(),
            set_cookie: SetCookie::default(),
            client_directives: ClientDirectives::default(),
        }
    }
}
