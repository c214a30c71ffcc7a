//! What becomes of those who waited for what somebody else asked for.

use std::{sync::Arc, time::SystemTime};

use http::StatusCode;

use crate::{
    cache::{Cache, Lookup, ttl},
    cache_status::{CacheStatus, Forward, Kept, Source},
    counts::Counted,
    fill::{Fill, Over, Reader, Suits, Waiter},
    hit::Hit,
    request::{Request, Sender},
    reuse::Failure,
    stored::Stored,
    vary::NormalForms,
    wish::{Aim, Tries, Turn, Way, Wish},
};

/// Who has waited for so many fetches goes on by himself.
const ROUNDS_MAX: u32 = 8;

impl Cache {
    /// Looks again for the answer to a request that waited: its fetch has a head, or never will, or
    /// takes too long.
    ///
    /// Who may have what came gets it. If it is for others, all who waited go on at once: each by
    /// himself, or one for each other variant. If it is about how it was asked for, one of them asks;
    /// and all do if that is answered so, too. If it failed, what is stored stands in, or one of them
    /// tries again, and all are told after [`tries_max`](crate::Joining::tries_max).
    pub fn resume(&self, waiter: Box<Waiter>, asked: &Request<'_>, now: SystemTime) -> Lookup {
        let (fill, rounds, why) = (Arc::clone(waiter.fill()), waiter.rounds, waiter.why());
        let asked_as = waiter.asked_as().clone();
        let mut turn = Turn { rounds, tries: fill.tries, ..Turn::default() };
        match fill.over() {
            // It takes too long: the next who looks asks anew, and the others wait for that.
            None if fill.is_asked() => self.store.leave(&fill),
            Some(Over::Alone) => turn.way = Way::Alone,
            Some(Over::Personal) if asked.sender != Sender::Nobody => turn.way = Way::Alone,
            Some(Over::OfRequest) => {
                turn.tries = Tries { failed: 0, refused: fill.tries.refused + 1 };
            }
            Some(Over::Failed(failure, status)) => {
                turn.tries = Tries { failed: fill.tries.failed + 1, refused: 0 };
                turn.way = Way::Failed(failure, status);
            }
            Some(Over::Cut) => {
                turn.tries = Tries { failed: fill.tries.failed + 1, refused: 0 };
                turn.way = Way::Failed(Failure::Unreachable, StatusCode::BAD_GATEWAY);
            }
            Some(Over::Left | Over::Personal) => (),
            None | Some(Over::Whole(_)) => match self.have(&fill, (asked, now, why)) {
                Ok(lookup) => return lookup,
                Err(way) => turn.way = way,
            },
        }
        // Now that the next one has begun to read, or has a place of its own.
        drop(waiter);
        if rounds >= ROUNDS_MAX && turn.way == Way::Any {
            turn.way = Way::Alone;
        }
        self.look_as(&asked_as, asked, (now, turn))
    }

    /// What comes of `fill`, for who asked so.
    ///
    /// # Errors
    ///
    /// How to go on, if it is not for that.
    fn have(
        &self,
        fill: &Arc<Fill>,
        (asked, now, why): (&Request<'_>, SystemTime, Forward),
    ) -> Result<Lookup, Way> {
        let (aim, stored) = (Aim::Answer, None);
        let (key, tries, rounds) = (&fill.key, Tries::default(), 0);
        let wish = Wish { key, asked_as: key, asked, now, why, stored, aim, tries, rounds };
        match fill.suits((&wish, &mut NormalForms::default()), &self.settings) {
            Suits::Whole(stored) => match self.joined(stored, asked, (now, why)) {
                Ok(hit) => Ok(Lookup::Hit(hit)),
                Err(_parts) => Err(Way::Alone),
            },
            Suits::Reading(head, reader, takeover) => {
                if let Some(takeover) = takeover {
                    takeover();
                }
                Ok(self.shared(head, reader, (asked, now, why)))
            }
            Suits::OtherVariant | Suits::Waiting => Err(Way::Any),
            Suits::Not => Err(Way::Alone),
        }
    }

    /// An answer whose body still comes, to one who did not ask for it.
    pub(crate) fn shared(
        &self,
        head: Arc<Stored>,
        reader: Reader,
        (asked, now, why): (&Request<'_>, SystemTime, Forward),
    ) -> Lookup {
        self.counters.count(Counted::Collapsed);
        let (age, status) = self.told(&head, (now, why));
        let hit = Hit::of_coming((head, reader.size), asked, now, (age, status));
        let reader = match hit.span() {
            Some((first, end)) => reader.of(first, end),
            None => reader.of(0, Some(0)),
        };
        Lookup::Shared(hit, Box::new(reader))
    }

    /// An answer that is here, to one who waited for it.
    ///
    /// # Errors
    ///
    /// What is here, if it is parts that do not answer it.
    pub(crate) fn joined(
        &self,
        stored: Arc<Stored>,
        asked: &Request<'_>,
        (now, why): (SystemTime, Forward),
    ) -> Result<Hit, Arc<Stored>> {
        let told = self.told(&stored, (now, why));
        let hit = Hit::of(stored, asked, now, told)?;
        self.counters.count(Counted::Collapsed);
        Ok(hit)
    }

    fn told(&self, stored: &Stored, (now, why): (SystemTime, Forward)) -> (u64, CacheStatus) {
        let terms = stored.terms();
        let age = terms.age(now, &self.settings).unwrap_or(terms.initial_age);
        let source = Source::Joined(why, stored.status());
        let cache_status = CacheStatus { source, ttl: Some(ttl(terms, age)), kept: Kept::Unsaid };
        (age.as_secs(), cache_status)
    }
}
