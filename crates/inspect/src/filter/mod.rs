//! Which exchanges are wanted.

mod client;
mod host;
mod status;
mod word;

use std::time::{Duration, SystemTime};

use relais_wire::{
    exchange::{Cached, Exchange, Protocol, Tls},
    timestamp::Timestamp,
};

use crate::needle::{Case, Needle};

pub use client::Net;
pub use host::HostName;
pub use status::Statuses;
pub use word::Word;

/// Conditions on an exchange. All of them must hold; those that are `None` do.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A text in what can be seen of it: time, client, method, URL, host, protocol, TLS, status,
    /// media types, cache, upstream, rule or end, spelled as the log has them. Sizes and how long
    /// things took are not looked at.
    pub word: Option<Word>,
    /// A text in the URL.
    pub url: Option<Word>,
    /// Who was asked for.
    pub host: Option<HostName>,
    /// Who asked.
    pub client: Option<Net>,
    /// What the answer was.
    pub status: Option<Statuses>,
    /// The method, in any case.
    pub method: Option<String>,
    /// The request came then or later.
    pub since: Option<SystemTime>,
    /// The request came then or before.
    pub until: Option<SystemTime>,
    /// What the cache had to do with it.
    pub cached: Option<Cached>,
    /// Whether it met a rule.
    pub blocked: Option<Blocked>,
    /// It took so long in all, or longer.
    pub took_min: Option<Duration>,
    /// The response's body was so many bytes, or more.
    pub bytes_min: Option<u64>,
}

/// That an exchange met a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked;

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseFilterError {
    /// No address.
    #[error("bad client {0:?}: expected an address or its first bits, e.g. \"192.0.2.0/24\"")]
    Net(String),
    /// No status.
    #[error("bad status {0:?}: expected e.g. \"404\", \"4xx\" or \"400-499\"")]
    Status(String),
    /// No host.
    #[error("bad host {0:?}: expected a name or an address, e.g. \"example.org\"")]
    Host(String),
}

impl Filter {
    /// Whether all conditions hold.
    pub fn matches(&self, exchange: &Exchange<'_>) -> bool {
        let Self { word, url, host, client, status, method, .. } = self;
        status.as_ref().is_none_or(|Statuses(range)| {
            exchange.status.is_some_and(|status| range.contains(&status))
        }) && self.measures_match(exchange)
            && method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&exchange.method))
            && client.is_none_or(|net| exchange.client.is_some_and(|client| net.has(client.ip())))
            && host.as_ref().is_none_or(|host| host.has(&exchange.host))
            && url.as_ref().is_none_or(|url| url.is_in_url(&exchange.url))
            && word.as_ref().is_none_or(|word| is_seen(word, exchange))
    }

    fn measures_match(&self, exchange: &Exchange<'_>) -> bool {
        let Self { since, until, cached, blocked, took_min, bytes_min, .. } = *self;
        since.is_none_or(|since| exchange.at >= since)
            && until.is_none_or(|until| exchange.at <= until)
            && cached.is_none_or(|cached| exchange.cached == Some(cached))
            && blocked.is_none_or(|Blocked| exchange.blocked.is_some())
            && took_min.is_none_or(|min| exchange.timings.total.is_some_and(|took| took >= min))
            && bytes_min.is_none_or(|min| exchange.response.bytes >= min)
    }

    /// What every line has that can match, if there is such a text: the longest of them, or else one of
    /// some.
    ///
    /// Of lines as relais prints them: others may have spelled the same otherwise.
    pub(crate) fn needle(&self) -> Option<Needle> {
        let quoted = |text: &str| format!("\"{text}\"");
        let Self { word, url, host, client, status, method, cached, blocked, .. } = self;
        let texts = [
            word.as_ref().and_then(Word::in_line),
            url.as_ref().and_then(Word::in_line),
            host.as_ref().map(|host| (host.as_str().to_owned(), Case::Same)),
            client.and_then(|net| Some((quoted(&net.only()?.to_string()), Case::Apart))),
            status.as_ref().and_then(|status| Some((status.only()?.to_string(), Case::Apart))),
            method.as_deref().map(|method| (quoted(method), Case::Same)),
            cached.map(|cached| (quoted(cached.as_str()), Case::Apart)),
            blocked.map(|Blocked| (quoted("blocked"), Case::Apart)),
        ];
        let longest = texts.into_iter().flatten().max_by_key(|(text, _)| text.len());
        match longest.filter(|(text, _)| !text.is_empty()) {
            Some((text, case)) => Some(Needle::new(text.as_bytes(), case)),
            None => word.iter().chain(url).find_map(Word::needle_in_line),
        }
    }
}

/// Whether `word` is in something that can be seen of `exchange`.
fn is_seen(word: &Word, exchange: &Exchange<'_>) -> bool {
    let Exchange { method, url, host, request, response, upstream, error, .. } = exchange;
    let texts = [Some(host), Some(method)].into_iter();
    let blocked = &exchange.blocked;
    let named = [&request.media_type, &response.media_type, upstream, error, blocked];
    let mut texts = texts.flatten().chain(named.into_iter().flatten());
    let Exchange { protocol, tls, cached, end, .. } = exchange;
    let words = [
        protocol.map(Protocol::as_str),
        tls.map(Tls::as_str),
        cached.map(Cached::as_str),
        Some(end.as_str()),
    ];
    word.is_in_url(url)
        || texts.any(|text| word.is_in(text))
        || words.into_iter().flatten().any(|text| word.is_in(text))
        || exchange.status.is_some_and(|status| word.is_in(&status.to_string()))
        || exchange.client.is_some_and(|client| word.is_in(&client.ip().to_string()))
        || word.is_in(Timestamp::of(exchange.at).as_str())
}

#[cfg(test)]
mod tests;
