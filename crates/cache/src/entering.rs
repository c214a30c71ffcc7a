//! The way into a fetch under way, or to one of one's own.

use std::{sync::Arc, time::SystemTime};

use crate::{
    cache_status::Forward,
    fill::{Crowd, Fill, Reader, Suits, Waiter, mark},
    part::Generation,
    request::Sender,
    settings::Settings,
    store::{Found, Store, VARIANTS_MAX},
    stored::Stored,
    vary::{NormalForms, Selecting},
    wish::{Aim, Wish, may_lead},
};

/// What becomes of a wish.
#[derive(Debug)]
pub(crate) enum Entered {
    /// Upstream is to be asked, and others may join.
    Lead(Arc<Fill>, Generation),
    /// The same, and nobody joins before there is a head.
    Alone(Generation),
    /// Somebody asks already.
    Wait(Waiter),
    /// Somebody asked already, and this is what comes.
    Read(Arc<Stored>, Reader),
    /// What somebody asked for is here this moment.
    Whole(Arc<Stored>),
    /// Something else is stored by now.
    Again,
    /// Somebody asks already, and nobody else is to wait for that.
    Crowded,
}

impl Store {
    /// Has what is wished for asked for once: gives a place with those who wait for it already, or
    /// with none.
    pub(crate) fn enter(&self, wish: &Wish<'_>, (settings, crowd): (&Settings, &Crowd)) -> Entered {
        let hash = self.hash(wish.key);
        // Counted first: what is purged in between is taken for later.
        let purges = self.recent().count();
        let mut part = self.lock(hash);
        let generation = part.generation().after_purges(purges);
        let (mut same, mut forms) = (0, NormalForms::default());
        for fill in part.in_flight.fills.iter().filter(|fill| fill.key == *wish.key) {
            same += 1;
            match fill.suits((wish, &mut forms), settings) {
                Suits::Not | Suits::OtherVariant => (),
                Suits::Waiting if wish.aim == Aim::Revalidation => {
                    return Entered::Crowded;
                }
                Suits::Waiting => {
                    let Some(place) = crowd.enter() else { return Entered::Crowded };
                    return Entered::Wait(Waiter::new(fill.join(0), wish, place));
                }
                Suits::Whole(stored) => return Entered::Whole(stored),
                Suits::Reading(head, reader, takeover) => {
                    drop(part);
                    if let Some(takeover) = takeover {
                        takeover();
                    }
                    return Entered::Read(head, reader);
                }
            }
        }
        if !self.is_as_found(wish) {
            return Entered::Again;
        }
        let alone = !may_lead(wish, settings) || same >= VARIANTS_MAX;
        if alone || part.in_flight.passes_by(self.own_hash(wish.key), wish) {
            return Entered::Alone(generation);
        }
        let presumed = self.presumed(wish, &part.in_flight.fills);
        let fill = Arc::new(Fill::new((wish.key.clone(), hash), presumed, wish.tries));
        part.in_flight.fills.push(Arc::clone(&fill));
        Entered::Lead(fill, generation)
    }

    /// Has others join `fill`, whose head came, if it was not invalidated since it was asked for and
    /// there is no other for the same requests.
    pub(crate) fn list(&self, fill: &Arc<Fill>, since: Generation) {
        // What was purged may be it, or not.
        let is_purged = self.recent().count() != since.purges();
        let mut part = self.lock(fill.hash);
        if is_purged || part.was_invalidated(fill.hash, since) {
            return;
        }
        let fills = &mut part.in_flight.fills;
        let is_there = fills.iter().any(|other| {
            Arc::ptr_eq(other, fill) || (other.key == fill.key && other.is_for_as_many_as(fill))
        });
        if !is_there {
            fills.push(Arc::clone(fill));
        }
        part.in_flight.forget_passed(self.own_hash(&fill.key));
    }

    /// Has nobody join `fill` any more.
    pub(crate) fn leave(&self, fill: &Arc<Fill>) {
        let mut part = self.lock(fill.hash);
        part.in_flight.fills.retain(|other| !Arc::ptr_eq(other, fill));
    }

    /// Remembers for a while that answers for the key of `fill` are for one client each: those who
    /// want it are not to wait for each other. `sender` is who that holds for; nobody for all.
    pub(crate) fn pass_by(&self, fill: &Fill, sender: Sender, now: SystemTime) {
        let until = now.checked_add(self.uncacheable_ttl).filter(|until| *until > now);
        let Some(until) = until else { return };
        let mut part = self.lock(fill.hash);
        part.in_flight.pass_by(mark(self.own_hash(&fill.key), sender), (now, until));
    }

    /// Whether what is stored is what the wish was made of. What somebody stored in between may do.
    fn is_as_found(&self, wish: &Wish<'_>) -> bool {
        match (self.find(wish.key, wish.asked), wish.stored) {
            (Found::Variant(stored), Some(found)) => Arc::ptr_eq(&stored, found),
            (Found::Nothing | Found::OtherVariants, None) => true,
            _ => false,
        }
    }

    /// For whom the answer will be, as far as can be told from others under the same key.
    fn presumed(&self, wish: &Wish<'_>, fills: &[Arc<Fill>]) -> Selecting {
        let same = fills.iter().filter(|fill| fill.key == *wish.key);
        let known = same.map(|fill| fill.selecting()).find(|selecting| !selecting.is_empty());
        let known = known.or_else(|| match wish.why {
            Forward::Unknown => None,
            _ => self.selecting_of(wish.key),
        });
        known.and_then(|known| known.of_other(wish.asked)).unwrap_or_default()
    }
}
