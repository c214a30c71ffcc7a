//! The method `PURGE`: what a client may take out of the cache.
//!
//! No RFC has it; Squid, Varnish and the networks that serve others' sites do. Here it is answered by
//! the cache alone, and never passed on.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    time::SystemTime,
};

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ALLOW, AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE},
};
use relais_cache::{Cache, NoTags, Pattern, Purge, Tag, Url};
use relais_net::{Fault, Network};
use relais_wire::plural::plural;
use sha2::{Digest as _, Sha256};

use super::question::key;
use crate::{Accepts, Answer, Answering, Ask, Handler, Refused, Trust, handler::plain_text};

/// Answers `PURGE` for a cache, and asks `H` for all else.
///
/// *Shape*: `PURGE` of a URL takes out what is stored for it; with a `*` in it, which stands for any
/// text, of all URLs that look so. With `Surrogate-Key`, `Cache-Tag` or
/// `Cache-Groups`, which are read as in answers, it takes out what has one of these tags, of all URLs;
/// groups are those of the URL's origin. `Relais-Soft-Purge: 1` leaves all there, stale.
#[derive(Debug)]
pub struct Purging<H> {
    inner: H,
    cache: Cache,
    trust: Trust,
    clock: fn() -> SystemTime,
    /// `None`: nobody may.
    allowed: Option<Purgers>,
}

/// Who may purge.
#[derive(Debug)]
pub struct Purgers {
    /// Where from. Who calls over a Unix socket is at 127.0.0.1.
    pub from: Vec<Network>,
    /// With what.
    pub token: Token,
}

/// A secret that somebody knows. Only a hash of it is in memory, and nothing of it is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

/// Why nothing is purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("`PURGE` is not switched on here")]
    Off,
    #[error("`PURGE` is not for your address")]
    Address,
    #[error("`PURGE` wants `Authorization: Bearer` and the token")]
    Token,
    #[error("it is not said of which host")]
    Host,
    #[error("bad `Relais-Soft-Purge`: expected `1` or `0`")]
    Soft,
    #[error(transparent)]
    Tags(#[from] NoTags),
}

/// What is asked for.
type Order = (Vec<Pattern>, Purge);

const SOFT: HeaderName = HeaderName::from_static("relais-soft-purge");

impl<H> Purging<H> {
    /// Purges `cache`, whose keys depend on what is believed by `trust`, at the time that `clock`
    /// says. If nobody is `allowed`, all are told so.
    pub fn new(
        inner: H,
        (cache, trust): (Cache, Trust),
        allowed: Option<Purgers>,
        clock: fn() -> SystemTime,
    ) -> Self {
        Self { inner, cache, trust, clock, allowed }
    }

    fn order(&self, ask: &Ask) -> Result<Order, Refusal> {
        let Purgers { from, token } = self.allowed.as_ref().ok_or(Refusal::Off)?;
        let ip = ask.caller.peer.ip().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        if !from.iter().any(|network| network.contains(ip)) {
            return Err(Refusal::Address);
        }
        let headers = ask.request.headers();
        if !headers.get(AUTHORIZATION).is_some_and(|given| token.is_in(given)) {
            return Err(Refusal::Token);
        }
        let url = Url::from(key(ask, &self.trust, self.cache.settings()).ok_or(Refusal::Host)?);
        let purge = match headers.get(SOFT).map(HeaderValue::as_bytes) {
            None | Some(b"0") => Purge::Hard,
            Some(b"1") => Purge::Soft,
            Some(_) => return Err(Refusal::Soft),
        };
        Ok((patterns(headers, url)?, purge))
    }
}

/// What `url` chooses: with a `*` in it, all that looks so.
fn chosen_by(url: Url) -> Pattern {
    let text = url.key().as_str();
    let glob = text.contains('*').then(|| text.parse().ok()).flatten();
    glob.map_or(Pattern::Url(url), Pattern::Glob)
}

/// What is to be purged: of the tags that are there, else of the `url`.
fn patterns(headers: &HeaderMap, url: Url) -> Result<Vec<Pattern>, Refusal> {
    let tags = Tag::read(headers, url.key().origin())?;
    if tags.is_empty() {
        return Ok(vec![chosen_by(url)]);
    }
    Ok(tags.into_iter().map(Pattern::Tag).collect())
}

impl Token {
    /// One that is given as this text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Whether it is in `Authorization`. How long that takes says nothing of it: of hashes, no more
    /// can be told than whether they are the same.
    fn is_in(&self, given: &HeaderValue) -> bool {
        let Some((scheme, token)) = given.as_bytes().split_first_chunk::<7>() else { return false };
        let digest: [u8; 32] = Sha256::digest(token.trim_ascii()).into();
        let differ =
            digest.iter().zip(self.0).fold(0, |differ, (one, other)| differ | (one ^ other));
        scheme.eq_ignore_ascii_case(b"Bearer ") && std::hint::black_box(differ) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Refusal {
    fn answer(self) -> Answer {
        let status = match self {
            Self::Off => StatusCode::METHOD_NOT_ALLOWED,
            Self::Address => StatusCode::FORBIDDEN,
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Host | Self::Soft | Self::Tags(_) => StatusCode::BAD_REQUEST,
        };
        let mut answer = plain_text(status, &self.to_string());
        let (name, value) = match self {
            Self::Off => (ALLOW, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            Self::Token => (WWW_AUTHENTICATE, "Bearer realm=\"PURGE\""),
            _ => return answer,
        };
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
        answer
    }
}

/// Why a purge is not acknowledged.
#[derive(Debug, thiserror::Error)]
enum NotPurged {
    #[error("not purged: {0}")]
    Disk(#[from] relais_cache::disk::NotPurged),
    #[error("purged, but the disk did not take it down ({0}): it may be there again after a crash")]
    NotDurable(#[from] relais_cache::disk::NotDurable),
    #[error("not purged: relais stops")]
    Stopped,
}

/// Purges what `patterns` choose, for good. Says what there was.
fn purge_all(
    cache: &Cache,
    patterns: &[Pattern],
    (purge, now): (Purge, SystemTime),
) -> Result<String, NotPurged> {
    let mut count = 0;
    let mut all = Vec::new();
    for pattern in patterns {
        let purged = cache.purge(pattern, purge, now)?;
        count += purged.count;
        all.push(purged);
    }
    for purged in all {
        purged.wait()?;
    }
    let s = plural(count);
    // What is on disk alone is purged without being looked for.
    Ok(match (count, cache.disk()) {
        (_, None) => format!("purged {count} object{s}"),
        (0, Some(_)) => {
            "nothing like that is in memory; any on disk alone is purged, and not counted"
                .to_owned()
        }
        (_, Some(_)) => {
            format!(
                "purged {count} object{s} in memory; any on disk alone is purged, too, and not counted"
            )
        }
    })
}

fn is_purge(ask: &Ask) -> bool {
    ask.request.method().as_str() == "PURGE"
}

impl<H: Handler> Handler for Purging<H> {
    fn accepts(&self) -> Accepts {
        self.inner.accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        if is_purge(ask) {
            return self.order(ask).err().map(Refusal::answer);
        }
        self.inner.at_once(ask)
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        if !is_purge(&ask) {
            return self.inner.answer(ask).await;
        }
        let (patterns, purge) = match self.order(&ask) {
            Ok(order) => order,
            Err(refusal) => return Ok(refusal.answer()),
        };
        let (cache, now) = (self.cache.clone(), (self.clock)());
        // A tag may be on very much, for which nobody else on this core is to wait; nor for the disk.
        let purged =
            tokio::task::spawn_blocking(move || purge_all(&cache, &patterns, (purge, now)));
        Ok(match purged.await.unwrap_or(Err(NotPurged::Stopped)) {
            Ok(told) => plain_text(StatusCode::OK, &told),
            Err(error) => {
                let mut answer = plain_text(StatusCode::SERVICE_UNAVAILABLE, &error.to_string());
                answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
                answer
            }
        })
    }

    fn answering(&self, ask: Ask) -> Answering<'_> {
        if is_purge(&ask) { Box::pin(self.answer(ask)) } else { self.inner.answering(ask) }
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.inner.refused(refused);
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, Request, StatusCode};
    use relais_cache::{Answered, Lookup, Settings, Taken, Times};
    use relais_net::Peer;

    use super::*;
    use crate::says::{self, Says};

    const TOKEN: &str = "a-token-of-some-length";

    /// A cache before nobody, with two answers in it.
    fn purging(allowed: Option<Purgers>) -> Purging<Says> {
        let cache = Cache::new(Settings::default());
        store(&cache, "/1", "news");
        store(&cache, "/2", "news sport");
        let trust = Trust::default();
        Purging::new(Says::AtOnce("inner"), (cache, trust), allowed, || SystemTime::UNIX_EPOCH)
    }

    fn store(cache: &Cache, path: &str, tags: &'static str) {
        let ask = says::ask(Peer::Local, path, &[("host", "h")]);
        let key = key(&ask, &Trust::default(), cache.settings()).unwrap();
        let asked = relais_cache::Request::of(&Method::GET, ask.request.headers());
        let now = SystemTime::UNIX_EPOCH;
        let Lookup::Ask(fetch) = cache.look(&key, &asked, now) else { panic!("stored already") };
        let fields = [("cache-control", "max-age=60"), ("surrogate-key", tags)];
        let response = fields
            .iter()
            .fold(Request::builder(), |response, (name, value)| response.header(*name, *value));
        let response = response.header("cache-groups", "\"g\"").body(()).unwrap();
        let times = Times { requested: now, received: now };
        let answered = Answered { status: StatusCode::OK, headers: response.headers(), times };
        let Taken::Fill(recording) = cache.take(fetch, &asked, answered) else { panic!() };
        recording.finish();
    }

    fn allowed() -> Purgers {
        let from = vec!["192.0.2.0/24".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        Purgers { from, token: Token::of(TOKEN) }
    }

    async fn purged(
        purging: &Purging<Says>,
        (peer, path): (&str, &str),
        lines: &[(&str, &str)],
    ) -> String {
        let peer = peer.parse().map_or(Peer::Local, Peer::Net);
        let mut ask = says::ask(peer, path, &[&[("host", "h")], lines].concat());
        *ask.request.method_mut() = "PURGE".parse().unwrap();
        let answer = match purging.at_once(&ask) {
            Some(answer) => answer,
            None => purging.answer(ask).await.unwrap(),
        };
        let body = answer.body().memory().unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn who_may_not_is_told_why() {
        let check = async |purging: Purging<Says>, peer: &str, given: &str, expect: &str| {
            let lines = [("authorization", given)];
            let lines = if given.is_empty() { &[][..] } else { &lines };
            let told = purged(&purging, (peer, "/1"), lines).await;
            assert!(told.starts_with(expect), "{peer} {given}: {told}");
            let left = purging.cache.keys();
            assert_eq!(left == 2, !expect.starts_with("200"));
        };
        let right = format!("Bearer {TOKEN}");
        check(purging(None), "127.0.0.1:1", &right, "405 Method Not Allowed: ").await;
        check(purging(Some(allowed())), "192.0.3.1:1", &right, "403 Forbidden: ").await;
        check(purging(Some(allowed())), "192.0.3.1:1", "", "403 Forbidden: ").await;
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer x",
            TOKEN,
            &format!("Basic {TOKEN}"),
            &format!("{right}x"),
        ] {
            check(purging(Some(allowed())), "192.0.2.1:1", wrong, "401 Unauthorized: ").await;
        }
        check(purging(Some(allowed())), "192.0.2.1:1", &right, "200 OK: purged 1 object").await;
        check(purging(Some(allowed())), "local", &format!("bearer  {TOKEN}"), "200 OK: ").await;
    }

    #[tokio::test]
    async fn what_is_named_is_purged() {
        let check = async |path: &str, lines: &[(&str, &str)], expect: &str, left: usize| {
            let (purging, right) = (purging(Some(allowed())), format!("Bearer {TOKEN}"));
            let lines = [&[("authorization", &*right)], lines].concat();
            let told = purged(&purging, ("127.0.0.1:1", path), &lines).await;
            assert!(told.contains(expect), "{path} {lines:?}: {told}");
            assert_eq!(purging.cache.keys(), left, "{path} {lines:?}");
        };
        check("/1", &[], "200 OK: purged 1 object\n", 1).await;
        check("/3", &[], "200 OK: purged 0 objects\n", 2).await;
        check("/", &[("surrogate-key", "news")], "purged 2 objects", 0).await;
        check("/", &[("surrogate-key", "sport other")], "purged 1 object\n", 1).await;
        check("/", &[("cache-tag", "Sport, other")], "purged 1 object\n", 1).await;
        check("/", &[("cache-groups", "\"g\"")], "purged 2 objects", 0).await;
        check("http://other/", &[("cache-groups", "\"g\"")], "purged 0 objects", 2).await;
        check("/", &[("cache-groups", "g")], "400 Bad Request: no tag in them", 2).await;
        check("/", &[("surrogate-key", " ")], "400 Bad Request: no tag in them", 2).await;
        check("/1", &[("relais-soft-purge", "1")], "purged 1 object\n", 2).await;
        check("/1", &[("relais-soft-purge", "0")], "purged 1 object\n", 1).await;
        check("/1", &[("relais-soft-purge", "yes")], "400 Bad Request: bad `Relais-", 2).await;
    }

    #[test]
    fn all_else_is_for_who_is_behind() {
        let ask = says::ask(Peer::Local, "/1", &[("host", "h")]);
        assert!(purging(None).at_once(&ask).is_some());
    }

    #[test]
    fn nothing_of_a_token_is_printed() {
        assert_eq!(format!("{:?}", Token::of(TOKEN)), "Token");
    }
}
