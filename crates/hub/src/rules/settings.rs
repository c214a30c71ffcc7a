//! What may be said to hold in a room.

use super::{Judge, Past, Verdict};
use crate::{
    model::{Act, Deed, SLOW_SECONDS_MAX},
    protocol::{Code, Place, Refusal},
    text,
};

/// The longest that a room keeps what is said, but for good: about a hundred years.
const RETAIN_DAYS_MAX: u32 = 36_500;

impl<P: Past> Judge<'_, P> {
    pub(super) fn topic(&self, place: &Place, topic: &str) -> Verdict {
        let room = self.moderated(place)?;
        self.has_a_voice(self.state.room(room))?;
        let text = text::topic(topic, self.limits)?;
        Ok(vec![Deed::In { room, act: Act::Topic { text } }])
    }

    pub(super) fn slow(&self, place: &Place, seconds: u32) -> Verdict {
        let room = self.moderated(place)?;
        if seconds > SLOW_SECONDS_MAX {
            let hours = SLOW_SECONDS_MAX / 3600;
            let why = format!("{seconds}: expected at most {SLOW_SECONDS_MAX}, {hours} hours");
            return Err(Refusal::of(Code::BadField).field("seconds").why(why));
        }
        Ok(vec![Deed::In { room, act: Act::Slow { seconds } }])
    }

    pub(super) fn retain(&self, place: &Place, days: Option<u32>) -> Verdict {
        let room = self.moderated(place)?;
        self.owns(self.state.room(room))?;
        may_be_kept(days)?;
        Ok(vec![Deed::In { room, act: Act::Retain { days } }])
    }
}

/// Whether what is said may be kept so long; for good without.
///
/// # Errors
///
/// [`Code::BadField`] of what is longer than anybody means, and of no day: all would be gone at once.
pub(crate) fn may_be_kept(days: Option<u32>) -> Result<(), Refusal> {
    let refuse = |why| Err(Refusal::of(Code::BadField).field("days").why(why));
    match days {
        Some(days @ 0) => {
            let why = format!("{days}: expected 1 or more, or none, for good");
            refuse(why)
        }
        Some(days) if days > RETAIN_DAYS_MAX => {
            let why = format!("{days}: expected at most {RETAIN_DAYS_MAX}, or none, for good");
            refuse(why)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(days: Option<u32>, expect: &str) {
        let why = may_be_kept(days).err().map(|refusal| refusal.why);
        assert_eq!(why.unwrap_or_default(), expect, "{days:?}");
    }

    #[test]
    fn what_is_said_is_kept_for_a_day_or_more() {
        check(Some(0), "0: expected 1 or more, or none, for good");
        check(Some(1), "");
        check(Some(36_500), "");
        check(Some(36_501), "36501: expected at most 36500, or none, for good");
        check(None, "");
    }
}
