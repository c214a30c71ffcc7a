//! Where it is written: the sections of the RFCs behind verdicts and steps.

use super::{Counted, Reused, Step};
use crate::{
    cache_status::Forward,
    freshness::Basis,
    request::Sender,
    reuse::{WhyAsk, WhyStale},
    storing::NotStored,
    terms::Ask,
};

impl Step {
    /// Where the rule is written that looks at it; `None` for what is ours to choose.
    pub fn section(&self) -> Option<&'static str> {
        Some(match self {
            Self::Sender(Sender::Authorization) => "RFC 9111 §3.5",
            // Cookies have no part in the RFC: what is guessed of their answers is ours to choose.
            Self::Rule(_) | Self::ReadTwice(_) | Self::Sender(_) => return None,
            Self::Key { query: Counted::ByOrigin, .. } => "draft-ietf-httpbis-no-vary-search",
            Self::Key { .. } => "RFC 9111 §2",
            Self::Wish(_) => "RFC 9111 §5.2.1",
            Self::Variants { .. } | Self::Vary(_) => "RFC 9111 §4.1",
            Self::Response { .. } | Self::Unsaid => "RFC 9111 §3",
            Self::Said { field, .. } if field == http::header::CACHE_CONTROL => "RFC 9111 §5.2.2",
            Self::Said { .. } => "RFC 9213 §2",
            Self::Lifetime(lifetime) => lifetime.basis.section(),
            Self::Age { .. } => "RFC 9111 §4.2.3",
            Self::Purged { .. } | Self::Left(_) => "RFC 9111 §4.2",
            Self::Ask(Ask::Always) => "RFC 9111 §5.2.2.4",
            Self::Ask(Ask::WhenStale | Ask::Unexcused) | Self::StandsIn(_) => "RFC 9111 §4.2.4",
            Self::Windows { .. } => "RFC 5861",
            Self::Validator(_) => "RFC 9111 §4.3.1",
        })
    }
}

impl Basis {
    /// Where it is written.
    pub fn section(self) -> &'static str {
        match self {
            Self::SharedMaxAge => "RFC 9111 §5.2.2.10",
            Self::MaxAge => "RFC 9111 §5.2.2.1",
            Self::Expires => "RFC 9111 §5.3",
            Self::Heuristic | Self::Default | Self::Negative | Self::Rule | Self::Imposed => {
                "RFC 9111 §4.2.2"
            }
            Self::Nothing => "RFC 9111 §4.2.1",
        }
    }
}

impl Reused {
    /// Where it is written.
    pub fn section(self) -> &'static str {
        match self {
            Self::Fresh => "RFC 9111 §4",
            Self::Stale(why) => why.section(),
            Self::Asks(why) => why.section(),
            Self::OnlyIfCached(_) => "RFC 9111 §5.2.1.7",
        }
    }
}

impl WhyStale {
    /// Where it is written.
    pub fn section(self) -> &'static str {
        match self {
            Self::MaxStale => "RFC 9111 §5.2.1.2",
            Self::WhileRevalidate => "RFC 5861 §3",
            Self::IfError => "RFC 5861 §4",
            Self::Disconnected => "RFC 9111 §4.2.4",
        }
    }
}

impl Forward {
    /// Where it is written.
    pub fn section(self) -> &'static str {
        match self {
            Self::Method | Self::Unknown | Self::Bypassed | Self::Unread => "RFC 9111 §4",
            Self::Content => "RFC 9110 §9.3.1",
            Self::Upgrade => "RFC 9110 §7.8",
            Self::OtherVariants => "RFC 9111 §4.1",
            Self::Ask(why) => why.section(),
        }
    }
}

impl WhyAsk {
    /// Where it is written.
    pub fn section(self) -> &'static str {
        match self {
            Self::NoCache => "RFC 9111 §5.2.2.4",
            Self::RequestNoCache => "RFC 9111 §5.2.1.4",
            Self::RequestMaxAge => "RFC 9111 §5.2.1.1",
            Self::RequestMinFresh => "RFC 9111 §5.2.1.3",
            Self::Stale => "RFC 9111 §4.2.4",
            Self::Incomplete => "RFC 9111 §3.3",
            Self::Condition => "RFC 9111 §4.3.2",
            Self::Personal => "RFC 9111 §4.2.2",
            Self::ClockSetBack => "RFC 9111 §4.2.3",
        }
    }
}

impl NotStored {
    /// Where it is written; `None` for what is ours to choose.
    pub fn section(self) -> Option<&'static str> {
        Some(match self {
            Self::Method | Self::RequestContent | Self::NotAnAnswer | Self::Useless => {
                "RFC 9111 §3"
            }
            Self::Upgrade => "RFC 9110 §7.8",
            Self::RequestNoStore => "RFC 9111 §5.2.1.5",
            Self::Partial => "RFC 9111 §3.3",
            Self::PartOfStored => "RFC 9111 §3.4",
            Self::Invalidated => "RFC 9111 §4.4",
            Self::OfRequest => "RFC 9110 §15.1",
            Self::NoStore => "RFC 9111 §5.2.2.5",
            Self::NotUnderstood => "RFC 9111 §5.2.2.3",
            Self::Private => "RFC 9111 §5.2.2.7",
            Self::Authorization => "RFC 9111 §3.5",
            Self::SetCookie => "RFC 9111 §7.3",
            Self::VariesByEverything => "RFC 9111 §4.1",
            Self::NoLifetime | Self::Personal => "RFC 9111 §4.2.2",
            Self::TooLarge
            | Self::NoRoom
            | Self::NotInMemory
            | Self::Bypassed
            | Self::OddRequest => return None,
        })
    }
}
