//! What somebody wants that is not stored, and how far that may be had from what others asked for.
//!
//! "A cache can use a response that is stored or storable to satisfy multiple requests, provided that
//! it is allowed to reuse that response for the requests in question" ([RFC 9111 §4]). Whether it is
//! allowed is judged of each request, when the head is there, as if the response were stored.
//!
//! [RFC 9111 §4]: https://www.rfc-editor.org/rfc/rfc9111#section-4

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::StatusCode;

use crate::{
    cache_status::Forward,
    directives::Flag,
    key::Key,
    request::{Condition, Request, Sender},
    reuse::{Failure, Reuse, WhyAsk, WhyStale, counted, judge_reuse},
    settings::Settings,
    stored::Stored,
    storing::judge_request,
    terms::{Ask, Terms},
};

/// What somebody wants that is not stored, or not to be sent without asking.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub key: &'a Key,
    /// What the client asked for, of which that is what counts.
    pub asked_as: &'a Key,
    pub asked: &'a Request<'a>,
    pub now: SystemTime,
    /// Why upstream is asked.
    pub why: Forward,
    /// What is stored, and to be asked about.
    pub stored: Option<&'a Arc<Stored>>,
    pub aim: Aim,
    pub tries: Tries,
    /// For how many fetches it waited.
    pub rounds: u32,
}

/// What became of those who tried in vain for others, in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tries {
    /// So many failed.
    pub failed: u32,
    /// So many were answered about their own requests.
    pub refused: u32,
}

/// Why something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// A client waits for it.
    Answer,
    /// What is stored is to be newer, while its client has it already.
    Revalidation,
}

/// What is known of a client that looks for an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turn {
    /// For how many fetches it waited.
    pub rounds: u32,
    pub tries: Tries,
    pub way: Way,
    pub below: Below,
}

/// What is known of the disk below the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Below {
    /// What it has is in memory, or it is looked for in vain.
    #[default]
    Known,
    /// It was not asked.
    Unasked,
    /// It does not answer.
    Late,
}

/// Whether a client may join others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    #[default]
    Any,
    /// What others asked for was not for it: the next would hardly be, and waiting for one after the
    /// other would never end.
    Alone,
    /// What it waited for failed.
    Failed(Failure, StatusCode),
}

/// Whether others may wait for what this request brings, before there is a head: it is likely to be
/// for them as well.
pub(crate) fn may_lead(wish: &Wish<'_>, settings: &Settings) -> bool {
    let Wish { asked, why, stored, .. } = *wish;
    if judge_request(asked).is_err() || asked.sender == Sender::Authorization {
        return false;
    }
    // What each request has to ask for itself.
    if matches!(why, Forward::Ask(WhyAsk::NoCache | WhyAsk::Personal | WhyAsk::Condition)) {
        return false;
    }
    // What is missing to parts is nothing for others, and hardly is what is said of them.
    if stored.is_some_and(|stored| stored.parts().is_some()) {
        return false;
    }
    if settings.joining.waiting_max == 0 {
        return false;
    }
    if wish.aim == Aim::Revalidation {
        return true;
    }
    // A part, or word that a client has it already, is nothing for others. Where something is
    // stored, it is asked about that, and not by the client's own conditions.
    asked.range.is_none()
        && match asked.condition {
            Condition::None => true,
            Condition::Cached => stored.is_some_and(|stored| stored.has_validator()),
            Condition::Origin => false,
        }
}

/// Whether the client may be had to wait for the head of what somebody else asked for.
pub(crate) fn may_wait(wish: &Wish<'_>, settings: &Settings) -> bool {
    let Wish { asked, why, .. } = *wish;
    // What would come is known not to be for it, or is hardly ever.
    let is_own = asked.condition == Condition::Origin || asked.sender == Sender::Authorization;
    let wants_anew = {
        let wishes = counted(asked, settings);
        wishes.has(Flag::NoCache) || wishes.max_age == Some(Duration::ZERO)
    };
    let is_shared = match why {
        Forward::Unknown | Forward::OtherVariants | Forward::Unread => true,
        Forward::Ask(why) => matches!(why, WhyAsk::Stale | WhyAsk::ClockSetBack),
        Forward::Method | Forward::Content | Forward::Upgrade | Forward::Bypassed => false,
    };
    is_shared && !is_own && !wants_anew
}

/// Whether the client may have a response on these terms that somebody else asked for.
pub(crate) fn may_read(wish: &Wish<'_>, terms: &Terms, settings: &Settings) -> bool {
    match judge_reuse(wish.asked, terms, wish.now, settings) {
        Reuse::Fresh { .. } => true,
        Reuse::Stale { excuse, .. } => excuse == WhyStale::WhileRevalidate,
        Reuse::Ask(_) => false,
    }
}

/// Whether others than who asked may have a response on these terms when it comes.
pub(crate) fn is_for_others(terms: &Terms) -> bool {
    match terms.ask {
        Ask::Always => false,
        Ask::WhenStale => terms.initial_age < terms.lifetime.duration,
        Ask::Unexcused => {
            terms.initial_age < terms.lifetime.duration.saturating_add(terms.stale_while_revalidate)
        }
    }
}
