//! `Cache-Status`: what a cache did about a request, told to its client ([RFC 9211]).
//!
//! [RFC 9211]: https://www.rfc-editor.org/rfc/rfc9211

use std::fmt;

use http::StatusCode;
use relais_wire::{decimal::Decimal, exchange::Cached};

use crate::{
    reuse::{WhyAsk, WhyStale},
    storing::NotStored,
};

/// What the cache did about a request. Printed, it is the value of a `Cache-Status` field, which
/// goes after those that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheStatus {
    /// Where the answer came from.
    pub source: Source,
    /// For how many seconds more it is fresh; below 0, since when it is not.
    pub ttl: Option<i64>,
    /// What became of it.
    pub kept: Kept,
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the store; stale with an excuse.
    Stored(Option<WhyStale>),
    /// From upstream, for a reason, with a status; `None` where there was no answer yet.
    Upstream(Forward, Option<StatusCode>),
    /// From upstream, where somebody else had asked for it, for a reason; with a status.
    Joined(Forward, StatusCode),
    /// From nobody: it is not stored, and the client wants nobody to be asked.
    Nobody,
}

/// Why a request goes upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forward {
    /// No method that a cache answers.
    #[error("the method is not for caches")]
    Method,
    /// A GET that brings a body.
    #[error("the request brings a body")]
    Content,
    /// A GET that would have its connection speak another protocol.
    #[error("the request asks for another protocol")]
    Upgrade,
    /// Nothing is stored for its path, as was said here.
    #[error("nothing is stored for the path")]
    Bypassed,
    /// Nothing is stored under its key.
    #[error("nothing is stored for the URI")]
    Unknown,
    /// What is stored under its key is for requests with other fields.
    #[error("nothing is stored for such a request")]
    OtherVariants,
    /// What is stored is on disk alone, and was not read in time.
    #[error("the disk does not answer")]
    Unread,
    /// Something is stored that may not be sent without asking.
    #[error("{0}")]
    Ask(WhyAsk),
}

/// Whether an answer from upstream is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is; or it will be, if all of it comes, and is not too large where no length was declared.
    Stored,
    /// It is not, for a reason.
    NotStored(NotStored),
    /// There is nothing to say about that.
    Unsaid,
}

impl CacheStatus {
    /// For an answer that came in the place of one from upstream, and is nobody's: upstream was asked
    /// for this reason, and gave none.
    pub fn unanswered(why: Forward) -> Self {
        Self { source: Source::Upstream(why, None), ttl: None, kept: Kept::Unsaid }
    }

    /// For the 504 to a client that wants nobody to be asked.
    pub fn only_if_cached() -> Self {
        Self { source: Source::Nobody, ttl: None, kept: Kept::Unsaid }
    }

    /// The same in a word, for logs.
    pub fn verdict(&self) -> Cached {
        match self.source {
            Source::Stored(None) => Cached::Hit,
            Source::Stored(Some(_)) => Cached::Stale,
            Source::Upstream(Forward::Ask(_), Some(StatusCode::NOT_MODIFIED)) => {
                Cached::Revalidated
            }
            Source::Upstream(
                Forward::Method | Forward::Content | Forward::Upgrade | Forward::Bypassed,
                _,
            ) => Cached::Bypass,
            Source::Joined(..) => Cached::Collapsed,
            Source::Upstream(..) | Source::Nobody => Cached::Miss,
        }
    }
}

impl Forward {
    /// The word that RFC 9211 has for it.
    fn token(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Content | Self::Upgrade | Self::Bypassed => "bypass",
            Self::Unknown => "uri-miss",
            Self::OtherVariants => "vary-miss",
            // For who cannot tell which of the two it is (§2.2).
            Self::Unread => "miss",
            Self::Ask(WhyAsk::Incomplete) => "partial",
            Self::Ask(why) if why.is_of_request() => "request",
            Self::Ask(_) => "stale",
        }
    }

    /// What no word of RFC 9211 says.
    fn detail(self) -> &'static str {
        if self == Self::Unread { "; detail=disk-late" } else { "" }
    }
}

impl CacheStatus {
    /// Appends it, as it prints. Of what is stored and fresh, as most is, without formatting.
    pub(crate) fn print(&self, out: &mut Vec<u8>) {
        let ttl = self.ttl.and_then(|ttl| u64::try_from(ttl).ok());
        if let (Source::Stored(_), Some(ttl), Kept::Unsaid) = (self.source, ttl, self.kept) {
            out.extend_from_slice(b"relais; hit; ttl=");
            out.extend_from_slice(Decimal::of(ttl).as_bytes());
        } else {
            out.extend_from_slice(self.to_string().as_bytes());
        }
    }
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("relais")?;
        match self.source {
            Source::Stored(_) => f.write_str("; hit")?,
            Source::Joined(why, status) => {
                write!(f, "; fwd={}; fwd-status={}; collapsed", why.token(), status.as_u16())?;
            }
            Source::Nobody => f.write_str("; detail=only-if-cached")?,
            Source::Upstream(why, status) => {
                write!(f, "; fwd={}", why.token())?;
                if let Some(status) = status {
                    write!(f, "; fwd-status={}", status.as_u16())?;
                }
            }
        }
        if let Some(ttl) = self.ttl {
            write!(f, "; ttl={ttl}")?;
        }
        if self.kept == Kept::Stored {
            f.write_str("; stored")?;
        }
        match self.source {
            Source::Upstream(why, _) | Source::Joined(why, _) => f.write_str(why.detail()),
            Source::Stored(_) | Source::Nobody => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told() {
        let hit = CacheStatus { source: Source::Stored(None), ttl: Some(59), kept: Kept::Unsaid };
        check(hit, "relais; hit; ttl=59", "hit");
        let excuse = Source::Stored(Some(WhyStale::IfError));
        check(CacheStatus { source: excuse, ttl: Some(-5), ..hit }, "relais; hit; ttl=-5", "stale");
        let upstream = |why, status| {
            let status = StatusCode::from_u16(status).ok();
            CacheStatus { source: Source::Upstream(why, status), ttl: None, kept: Kept::Unsaid }
        };
        check(upstream(Forward::Method, 201), "relais; fwd=method; fwd-status=201", "bypass");
        check(upstream(Forward::Content, 0), "relais; fwd=bypass", "bypass");
        check(CacheStatus::unanswered(Forward::Upgrade), "relais; fwd=bypass", "bypass");
        check(CacheStatus::only_if_cached(), "relais; detail=only-if-cached", "miss");
        let missed = upstream(Forward::Unknown, 200);
        let stored = CacheStatus { ttl: Some(60), kept: Kept::Stored, ..missed };
        check(stored, "relais; fwd=uri-miss; fwd-status=200; ttl=60; stored", "miss");
        let joined = Source::Joined(Forward::Unknown, StatusCode::OK);
        let joined = CacheStatus { source: joined, ttl: Some(60), kept: Kept::Unsaid };
        check(joined, "relais; fwd=uri-miss; fwd-status=200; collapsed; ttl=60", "collapsed");
        check(upstream(Forward::OtherVariants, 0), "relais; fwd=vary-miss", "miss");
        check(
            upstream(Forward::Unread, 200),
            "relais; fwd=miss; fwd-status=200; detail=disk-late",
            "miss",
        );
        let validated = upstream(Forward::Ask(WhyAsk::Stale), 304);
        check(validated, "relais; fwd=stale; fwd-status=304", "revalidated");
        let wanted = upstream(Forward::Ask(WhyAsk::RequestNoCache), 200);
        check(wanted, "relais; fwd=request; fwd-status=200", "miss");
    }

    #[track_caller]
    fn check(status: CacheStatus, expect: &str, word: &str) {
        assert_eq!((status.to_string().as_str(), status.verdict().as_str()), (expect, word));
        let mut printed = Vec::new();
        status.print(&mut printed);
        assert_eq!(printed, expect.as_bytes());
    }
}
