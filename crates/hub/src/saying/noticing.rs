//! What some of a room are told otherwise than all: who did it, who is to notice it, and two who speak
//! with each other.

use std::sync::Arc;

use super::place;
use crate::{
    model::{AccountId, Entry, Mark, State, Title, Why, Wish},
    outbox::Spoken,
    protocol::Event,
};

/// How an entry is told somebody, and why that is to notice it.
type Telling<'t> = &'t dyn Fn(Option<AccountId>, Option<Why>) -> Option<Arc<Spoken>>;

/// The same, which is to be noticed.
pub(crate) fn noticed(mut event: Event, why: Option<Why>) -> Event {
    if let Event::Message { notify, .. } = &mut event {
        *notify = why;
    }
    event
}

/// Who is told something else than all others, and what: who did it, if it has a name for that; who is
/// named, or is to notice it; and two who speak with each other, each of whom calls the room by the
/// other's name. In the order of accounts.
///
/// *Cost*: a spelling for each reason, however many have it.
pub(super) fn own(
    state: &State,
    entry: &Entry,
    told: Telling<'_>,
) -> Vec<(AccountId, Arc<Spoken>)> {
    let Some(room) = entry.room() else { return Vec::new() };
    let marks = state.marks(entry);
    if let Title::Talk(one, other) = state.room(room).title {
        let why = |who| marks.iter().find(|mark| mark.who == who).and_then(Mark::notify);
        let own = [one, other].map(|who| Some((who, told(Some(who), why(who))?)));
        let mut own: Vec<_> = own.into_iter().flatten().collect();
        own.sort_unstable_by_key(|(who, _)| *who);
        return own;
    }
    let mut own = Vec::new();
    if entry.cid.is_some() {
        own.extend(told(Some(entry.by), None).map(|spoken| (entry.by, spoken)));
    }
    let mut known: Vec<(Mark, Arc<Spoken>)> = Vec::new();
    // Who is not named is told what all are told, unless it is to notice it.
    for mark in marks.into_iter().filter(|mark| mark.notify().or(named(mark)).is_some()) {
        let is_same = |(one, _): &&(Mark, _)| (one.why, one.heed) == (mark.why, mark.heed);
        if let Some((_, spoken)) = known.iter().find(is_same) {
            own.push((mark.who, Arc::clone(spoken)));
        } else if let Some(spoken) = told(Some(mark.who), mark.notify()) {
            known.push((mark, Arc::clone(&spoken)));
            own.push((mark.who, spoken));
        }
    }
    own.sort_unstable_by_key(|(who, _)| *who);
    own
}

fn named(mark: &Mark) -> Option<Why> {
    Some(mark.why).filter(|why| *why == Why::Mention)
}

/// What an account is told of what it wants to notice.
pub(super) fn wish(state: &State, who: AccountId, wish: &Wish) -> Event {
    match wish {
        Wish::Level { room, level } => {
            Event::Notify { room: place(state, *room, Some(who)), level: *level }
        }
        Wish::Words(words) => Event::Keywords(words.clone()),
        Wish::Quiet(quiet) => Event::Quiet(*quiet),
    }
}
