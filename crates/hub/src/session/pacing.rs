//! How much a client may have its own session do: what the desk does, the desk counts.

use std::{ops::ControlFlow, time::Duration};

use relais_tap::By;
use tokio::time::Instant;

use super::{End, Session};
use crate::{
    limits::Limits,
    outbox::Spoken,
    protocol::{Ask, Code, Event, Refusal, Told},
};

/// What a client had done.
#[derive(Debug, Default)]
pub(super) struct Purse {
    /// When all that would have come at its pace.
    paid: Option<Instant>,
    /// How much of it before the client was somebody.
    unknown: u32,
    /// How many lines were not understood since the last that was.
    misread: u32,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Somebody,
    Nobody,
}

/// Why a client has something not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unpaid {
    /// It may ask again in so many milliseconds.
    Later(u64),
    /// So much is for who has logged in.
    Never,
}

impl Purse {
    /// A line was understood.
    pub(super) fn understood(&mut self) {
        self.misread = 0;
    }

    /// Takes out what counts for so many at `now`.
    fn pay(
        &mut self,
        who: Asking,
        (cost, now): (u32, Instant),
        limits: &Limits,
    ) -> Result<(), Unpaid> {
        if who == Asking::Nobody {
            // A line at least, whoever else would count it.
            self.unknown = self.unknown.saturating_add(cost.max(1));
            return if self.unknown > limits.unknown_asks_max {
                Err(Unpaid::Never)
            } else {
                Ok(())
            };
        }
        if limits.lookups_a_second == 0 || cost == 0 {
            return Ok(());
        }
        let each = Duration::from_secs(1) / limits.lookups_a_second;
        let most = limits.lookups.max(1);
        let due = self.paid.unwrap_or(now).max(now) + each * cost.min(most);
        if let Some(early) =
            due.checked_duration_since(now + each * most).filter(|it| !it.is_zero())
        {
            let ms = early.as_nanos().div_ceil(1_000_000);
            return Err(Unpaid::Later(u64::try_from(ms).unwrap_or(u64::MAX)));
        }
        self.paid = Some(due);
        Ok(())
    }
}

impl Session<'_> {
    /// Counts `ask`, if its client's own session is to do it. If that is too much, gives how the
    /// connection goes on: it is told.
    pub(super) fn pay_for(&mut self, re: Option<u64>, ask: &Ask) -> Option<ControlFlow<End>> {
        self.purse.understood();
        self.pay(re, cost(ask))
    }

    /// Tells the client that a line could not be understood. Who says nothing else is sent away.
    pub(super) fn misread(&mut self, re: Option<u64>, refusal: Refusal) -> ControlFlow<End> {
        if self.may_be_told(re)? {
            self.answer(re, Err(refusal));
        }
        ControlFlow::Continue(())
    }

    /// Counts a line that could not be understood, and says whether what is wrong with it is to be told.
    pub(super) fn may_be_told(&mut self, re: Option<u64>) -> ControlFlow<End, bool> {
        self.purse.misread += 1;
        if self.purse.misread > self.hub.limits.misread_max {
            let why = "none of what came last could be understood";
            self.send_away(Refusal::of(Code::BadFrame).why(why), "said nothing we know")?;
        }
        match self.pay(re, 1) {
            None => ControlFlow::Continue(true),
            Some(goes_on) => goes_on.map_continue(|()| false),
        }
    }

    fn pay(&mut self, re: Option<u64>, cost: u32) -> Option<ControlFlow<End>> {
        let who = if self.who.is_some() { Asking::Somebody } else { Asking::Nobody };
        match self.purse.pay(who, (cost, Instant::now()), &self.hub.limits).err()? {
            Unpaid::Later(ms) => {
                self.answer(re, Err(Refusal::of(Code::RateLimited).retry_ms(ms)));
                Some(ControlFlow::Continue(()))
            }
            Unpaid::Never => {
                let why = Refusal::of(Code::RateLimited).why("this much is for who has logged in");
                Some(self.send_away(why, "asked too much before it logged in"))
            }
        }
    }

    /// Tells the client that it is over, and why, behind all that it is told yet.
    fn send_away(&mut self, refusal: Refusal, why: &'static str) -> ControlFlow<End> {
        self.taken.push_back(Spoken::new(Told::Event(Event::Bye(refusal))));
        ControlFlow::Break((By::Relais, why.into()))
    }
}

/// For how many lookups `ask` counts, which its client's own session does; nothing, if the desk does it,
/// which counts it itself.
fn cost(ask: &Ask) -> u32 {
    match ask {
        Ask::Hello { .. } | Ask::Ping { .. } => 1,
        Ask::Calc { .. } => 4,
        // Some kilobytes for a few bytes.
        Ask::Help => 20,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        let (unknown_asks_max, lookups, lookups_a_second) = (30, 40, 10);
        Limits { lookups, lookups_a_second, unknown_asks_max, ..Limits::default() }
    }

    #[test]
    fn who_is_somebody_has_so_much_at_once_and_then_so_much_a_second() {
        let (mut purse, limits, begin) = (Purse::default(), limits(), Instant::now());
        let mut pay = |cost, ms| {
            purse.pay(Asking::Somebody, (cost, begin + Duration::from_millis(ms)), &limits)
        };
        assert_eq!([pay(20, 0), pay(19, 0)], [Ok(()), Ok(())]);
        assert_eq!(pay(20, 0), Err(Unpaid::Later(1900)));
        assert_eq!([pay(1, 0), pay(1, 0)], [Ok(()), Err(Unpaid::Later(100))]);
        assert_eq!([pay(1, 99), pay(1, 100)], [Err(Unpaid::Later(1)), Ok(())]);
        assert_eq!(pay(99, 60_000), Ok(()), "everything, once in a while");
        assert_eq!([0; 99].map(|cost| pay(cost, 60_000)), [Ok(()); 99], "what others count");
    }

    #[test]
    fn without_a_pace_somebody_is_as_fast_as_may_be() {
        let limits = Limits { lookups_a_second: 0, ..limits() };
        let (mut purse, now) = (Purse::default(), Instant::now());
        assert!((0..1000).all(|_| purse.pay(Asking::Somebody, (20, now), &limits).is_ok()));
    }

    #[test]
    fn who_is_nobody_has_so_much_in_all() {
        let (mut purse, limits, now) = (Purse::default(), limits(), Instant::now());
        let mut pay = |cost| purse.pay(Asking::Nobody, (cost, now), &limits);
        assert_eq!([pay(20), pay(4), pay(0), pay(5)], [Ok(()); 4]);
        assert_eq!([pay(0), pay(u32::MAX), pay(0)], [Err(Unpaid::Never); 3]);
        assert_eq!(purse.pay(Asking::Somebody, (40, now), &limits), Ok(()), "who it is now");
    }
}
