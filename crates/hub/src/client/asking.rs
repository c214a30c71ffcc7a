//! What is asked of the hub, one after the other, until it is answered.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::{
    model::Cid,
    protocol::{Ask, Request},
};

/// What was not answered yet, in its order. At most the first of it is under way: what is said keeps
/// its order even where something of it is to be said later.
#[derive(Debug, Default)]
pub(super) struct Asking {
    waiting: VecDeque<Asked>,
}

#[derive(Debug)]
struct Asked {
    ask: Ask,
    /// By what its answer is known, while it is under way.
    id: Option<u64>,
    /// Not before.
    at: Option<Instant>,
}

impl Asking {
    pub(super) fn push(&mut self, ask: Ask) {
        self.waiting.push_back(Asked { ask, id: None, at: None });
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What is to be asked now, as `id`.
    pub(super) fn next(&mut self, id: u64, now: Instant) -> Option<Request> {
        let first = self.waiting.front_mut()?;
        if first.id.is_some() || first.at.is_some_and(|at| at > now) {
            return None;
        }
        first.id = Some(id);
        Some(Request { id: Some(id), ask: first.ask.clone() })
    }

    /// When there may be something to ask that is not under way.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.waiting.front().filter(|first| first.id.is_none())?.at
    }

    /// Takes off what was asked as `id`.
    pub(super) fn answered(&mut self, id: u64) -> Option<Ask> {
        let is_meant = |first: &mut Asked| first.id == Some(id);
        self.waiting.pop_front_if(is_meant).map(|asked| asked.ask)
    }

    /// Takes off what is under way.
    pub(super) fn under_way(&mut self) -> Option<Ask> {
        self.waiting.pop_front_if(|first| first.id.is_some()).map(|asked| asked.ask)
    }

    /// Has what was asked as `id` asked again, but not before `at`. Whether that was asked.
    pub(super) fn later(&mut self, id: u64, at: Instant) -> bool {
        match self.waiting.front_mut().filter(|first| first.id == Some(id)) {
            Some(first) => {
                (first.id, first.at) = (None, Some(at));
                true
            }
            None => false,
        }
    }

    /// The connection is lost: what was under way is asked again, where doing it twice does no harm.
    /// Gives it, where it would.
    pub(super) fn lost(&mut self) -> Option<Ask> {
        let first = self.waiting.front_mut()?;
        let was_under_way = first.id.take().is_some();
        first.at = None;
        let is_unsure = was_under_way && !is_repeatable(&first.ask);
        if is_unsure { self.waiting.pop_front().map(|asked| asked.ask) } else { None }
    }
}

/// Whether asking twice comes to the same as asking once.
fn is_repeatable(ask: &Ask) -> bool {
    match ask {
        Ask::Announce { .. }
        | Ask::Create { .. }
        | Ask::Password { .. }
        | Ask::Unregister { .. }
        // Of a second one nobody would know what the first is called.
        | Ask::Hook { .. }
        // Meanwhile the other may have ended a dialogue, or begun one; have come back, or declined.
        | Ask::Dialogue { .. }
        | Ask::Kick { .. }
        | Ask::Invite { .. }
        | Ask::Part { .. } => false,
        // A time would begin anew.
        Ask::Ban { seconds, .. } | Ask::Mute { seconds, .. } => seconds.is_none(),
        _ => true,
    }
}

/// Has what `ask` writes down called `cid`, if it is called nothing yet. So it is done once, however
/// often it is asked.
pub(super) fn name(ask: &mut Ask, drawn: impl FnOnce() -> Cid) {
    if let Ask::Message { cid, .. }
    | Ask::Edit { cid, .. }
    | Ask::Redact { cid, .. }
    | Ask::React { cid, .. } = ask
    {
        cid.get_or_insert_with(drawn);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::Place;

    fn calc(expr: &str) -> Ask {
        Ask::Calc { expr: expr.into() }
    }

    fn asked(asking: &mut Asking, id: u64, now: Instant) -> Option<Ask> {
        asking.next(id, now).map(|request| request.ask)
    }

    #[test]
    fn one_is_under_way_and_the_next_waits_for_its_answer() {
        let (mut asking, now) = (Asking::default(), Instant::now());
        asking.push(calc("1"));
        asking.push(calc("2"));
        assert_eq!(asked(&mut asking, 7, now), Some(calc("1")));
        assert_eq!(asked(&mut asking, 8, now), None);
        assert_eq!(asking.answered(6), None);
        assert_eq!(asking.answered(7), Some(calc("1")));
        assert_eq!(asked(&mut asking, 8, now), Some(calc("2")));
    }

    #[test]
    fn what_is_asked_later_holds_back_what_comes_after_it() {
        let (mut asking, now) = (Asking::default(), Instant::now());
        asking.push(calc("1"));
        asking.push(calc("2"));
        asked(&mut asking, 1, now);
        let later = now + Duration::from_millis(500);
        assert!(asking.later(1, later) && !asking.later(9, later));
        assert_eq!((asked(&mut asking, 2, now), asking.wakes_at()), (None, Some(later)));
        assert_eq!(asked(&mut asking, 3, later), Some(calc("1")));
    }

    #[test]
    fn what_was_under_way_is_asked_again_unless_twice_would_be_too_often() {
        let (mut asking, now) = (Asking::default(), Instant::now());
        asking.push(calc("1"));
        asked(&mut asking, 1, now);
        assert_eq!(asking.lost(), None);
        assert_eq!(asked(&mut asking, 2, now), Some(calc("1")));
        asking.answered(2);
        let announce = Ask::Announce { body: "back at noon".into() };
        asking.push(announce.clone());
        assert_eq!(asking.lost(), None, "it was not asked yet");
        asked(&mut asking, 3, now);
        assert_eq!(asking.lost(), Some(announce));
        assert_eq!(asking.len(), 0);
    }

    #[test]
    fn what_another_may_have_answered_meanwhile_is_not_asked_again() {
        let (room, user) = (|| Place::Room("#lab".into()), || "bob".to_owned());
        let ban = |seconds| Ask::Ban { room: room(), user: user(), seconds, reason: None };
        let mute = |seconds| Ask::Mute { room: room(), user: user(), on: true, seconds };
        let check = |ask: Ask, expect| assert_eq!(is_repeatable(&ask), expect, "{ask:?}");
        check(Ask::Hook { room: room(), name: "build".into() }, false);
        check(Ask::Kick { room: room(), user: user(), reason: None }, false);
        check(Ask::Invite { room: room(), user: user() }, false);
        check(Ask::Part { room: room() }, false);
        check(ban(Some(60)), false);
        check(mute(Some(60)), false);
        check(ban(None), true);
        check(mute(None), true);
        check(Ask::Join { room: room() }, true);
    }
}
