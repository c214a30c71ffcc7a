//! A limit on how many callers may be inside at once, in all and of one client; and the same of those
//! who are called for them.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use crate::{Client, Room};

/// Lets at most a fixed number of callers in, and at most a fixed number of one client.
#[derive(Clone, Debug)]
pub struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    descriptors: Arc<Room>,
    /// How many descriptors it may take though others have taken all.
    beyond: usize,
    inside: Mutex<Inside>,
    /// Whether more than half of the places are taken; for who looks without the lock.
    crowded: AtomicBool,
}

/// `all` is the sum of `clients`' values and of the local callers.
#[derive(Debug)]
struct Inside {
    places_max: usize,
    places_a_client_max: usize,
    all: usize,
    clients: HashMap<Client, usize>,
}

/// A place inside a [`Gate`], given back when dropped.
#[derive(Debug)]
pub struct Permit {
    shared: Arc<Shared>,
    client: Client,
    descriptors: usize,
}

/// Why a caller was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Every place is taken.
    #[error("no place left: {places_max} callers are inside")]
    Full {
        /// How many places there are.
        places_max: usize,
    },
    /// There are no descriptors for one more.
    #[error("no descriptors left: {descriptors_max} are in use")]
    Scarce {
        /// How many callers may take.
        descriptors_max: usize,
    },
    /// There are no descriptors for one more of its client.
    #[error("no descriptors left for {client}: {descriptors_max} are in use for it")]
    ClientScarce {
        /// Who called.
        client: Client,
        /// How many a client may take.
        descriptors_max: usize,
    },
    /// Every place that one client may have is taken.
    #[error("no place left for {client}: {places_max} of its callers are inside")]
    ClientFull {
        /// Who called.
        client: Client,
        /// How many places a client may have.
        places_max: usize,
    },
}

impl Refused {
    /// The same of a call that was to be made.
    pub(crate) fn of_calls(self) -> String {
        match self {
            Self::Full { places_max } => {
                format!("as many calls are under way as may be: {places_max}")
            }
            Self::ClientFull { client, places_max } => {
                format!("as many calls are under way for {client} as may be: {places_max}")
            }
            Self::Scarce { .. } | Self::ClientScarce { .. } => self.to_string(),
        }
    }
}

impl Gate {
    /// A gate with `places_max` places, `places_a_client_max` of them for any one client.
    pub fn new(places_max: usize, places_a_client_max: usize) -> Self {
        Self::of((places_max, places_a_client_max), Arc::new(Room::new(usize::MAX)), 0)
    }

    /// A gate with `places_max` places, of which any one client has [its share](Client::share_of).
    pub fn shared_by_clients(places_max: usize) -> Self {
        Self::new(places_max, Client::share_of(places_max))
    }

    /// A gate for calls that are made for clients, each of which takes one of the descriptors that
    /// callers have, too.
    ///
    /// They have half of them at most, so that callers still come in; and where callers have taken all,
    /// still an eighth as many beyond, so that who is inside is still called for.
    pub fn for_calls(descriptors: Arc<Room>) -> Self {
        let places_max = descriptors.places_max();
        let calls_max = (places_max / 2).max(1);
        Self::of((calls_max, Client::share_of(calls_max)), descriptors, places_max / 8)
    }

    /// The same, whose callers have so many descriptors, which they may share with others. One client has
    /// [its share](Client::share_of) of those, or as many as it may have places, if that is more.
    #[must_use]
    pub fn with_descriptors(self, descriptors: Arc<Room>) -> Self {
        let Inside { places_max, places_a_client_max, .. } = *self.shared.lock();
        descriptors.grant_a_client(places_a_client_max);
        Self::of((places_max, places_a_client_max), descriptors, self.shared.beyond)
    }

    fn of(
        (places_max, places_a_client_max): (usize, usize),
        descriptors: Arc<Room>,
        beyond: usize,
    ) -> Self {
        let inside =
            Inside { places_max, places_a_client_max, all: 0, clients: HashMap::default() };
        let (inside, crowded) = (Mutex::new(inside), AtomicBool::new(false));
        Self { shared: Arc::new(Shared { descriptors, beyond, inside, crowded }) }
    }

    /// Has so many places from now on, and so many of them for any one client. Whoever is inside
    /// stays; where that is more than there are places now, newcomers wait until enough have left.
    pub fn resize(&self, places_max: usize, places_a_client_max: usize) {
        let mut inside = self.shared.lock();
        (inside.places_max, inside.places_a_client_max) = (places_max, places_a_client_max);
        self.shared.descriptors.grant_a_client(places_a_client_max);
    }

    /// Takes a place for `client`, who needs so many `descriptors`. [`Client::Local`] has only the limits of
    /// all.
    ///
    /// # Errors
    ///
    /// Which limit is reached.
    pub fn enter(&self, client: Client, descriptors: usize) -> Result<Permit, Refused> {
        self.shared.has_descriptors(client)?;
        let mut inside = self.shared.lock();
        let places_max = inside.places_max;
        if inside.all >= places_max {
            return Err(Refused::Full { places_max });
        }
        inside.count(client)?;
        inside.all += 1;
        self.shared.look(&inside);
        drop(inside);
        self.shared.descriptors.take(client, descriptors);
        Ok(Permit { shared: Arc::clone(&self.shared), client, descriptors })
    }

    /// Takes a place for somebody who will tell whom it is for: until then it has only the limit of all.
    ///
    /// # Errors
    ///
    /// That every place is taken, or every descriptor.
    pub fn enter_untold(&self, descriptors: usize) -> Result<Permit, Refused> {
        self.enter(Client::Local, descriptors)
    }

    /// Whether more than half of the places are taken. Costs one load.
    pub fn is_crowded(&self) -> bool {
        self.shared.crowded.load(Relaxed)
    }

    /// How many callers are inside now.
    pub fn inside(&self) -> usize {
        self.shared.lock().all
    }
}

impl Permit {
    /// Whether more than half of the gate's places are taken. Costs one load.
    pub fn is_of_a_crowd(&self) -> bool {
        self.shared.crowded.load(Relaxed)
    }

    /// Has the place, which was [nobody's](Gate::enter_untold), count as one of `client`.
    ///
    /// # Errors
    ///
    /// That every place is taken that the client may have, or every descriptor. The permit is as it was.
    pub fn count_for(&mut self, client: Client) -> Result<(), Refused> {
        debug_assert!(self.client == Client::Local, "counted for nobody before");
        self.shared.has_descriptors_of(client)?;
        self.shared.lock().count(client)?;
        self.shared.descriptors.count_for(client, self.descriptors);
        self.client = client;
        Ok(())
    }
}

impl Inside {
    /// Counts one more of `client`, if there may be one more.
    fn count(&mut self, client: Client) -> Result<(), Refused> {
        let places_max = self.places_a_client_max;
        if client != Client::Local {
            let places = self.clients.entry(client).or_default();
            if *places >= places_max {
                return Err(Refused::ClientFull { client, places_max });
            }
            *places += 1;
        }
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inside> {
        // Nothing that holds the lock can panic half-way through a change.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there are descriptors for one more, and for one more of `client`.
    fn has_descriptors(&self, client: Client) -> Result<(), Refused> {
        if self.descriptors.is_full_beyond(self.beyond) {
            return Err(Refused::Scarce { descriptors_max: self.descriptors.places_max() });
        }
        self.has_descriptors_of(client)
    }

    fn has_descriptors_of(&self, client: Client) -> Result<(), Refused> {
        match self.descriptors.is_full_of(client, self.beyond) {
            Some(descriptors_max) => Err(Refused::ClientScarce { client, descriptors_max }),
            None => Ok(()),
        }
    }

    /// Notes how many are `inside`, which is held locked.
    fn look(&self, inside: &Inside) {
        self.crowded.store(inside.all > inside.places_max / 2, Relaxed);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.descriptors.give_back(self.client, self.descriptors);
        let mut inside = self.shared.lock();
        debug_assert!(inside.all > 0, "a permit was inside");
        inside.all -= 1;
        self.shared.look(&inside);
        if let Some(places) = inside.clients.get_mut(&self.client) {
            *places -= 1;
            if *places == 0 {
                inside.clients.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::Peer;

    const A: Client = Client::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: Client = Client::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_full_gate_refuses_until_someone_leaves() {
        let gate = Gate::new(2, 2);
        let first = gate.enter(A, 1).unwrap();
        let _second = gate.enter(Client::Local, 1).unwrap();
        assert_eq!(gate.enter(B, 1).unwrap_err(), Refused::Full { places_max: 2 });
        drop(first);
        assert!(gate.enter(B, 1).is_ok());
    }

    #[test]
    fn other_numbers_hold_for_newcomers_and_nobody_inside_has_to_leave() {
        let gate = Gate::new(1, 1);
        let first = gate.enter(A, 1).unwrap();
        gate.resize(3, 2);
        let second = gate.enter(A, 1).unwrap();
        let full = Refused::ClientFull { client: A, places_max: 2 };
        assert_eq!(gate.enter(A, 1).unwrap_err(), full);
        gate.resize(1, 1);
        assert_eq!(gate.inside(), 2);
        drop(first);
        assert_eq!(gate.enter(B, 1).unwrap_err(), Refused::Full { places_max: 1 });
        drop(second);
        assert!(gate.enter(B, 1).is_ok());
    }

    #[test]
    fn one_client_does_not_take_every_place() {
        let gate = Gate::new(3, 1);
        let first = gate.enter(A, 1).unwrap();
        assert!(matches!(gate.enter(A, 1), Err(Refused::ClientFull { .. })));
        assert!(gate.enter(B, 1).is_ok());
        drop(first);
        assert!(gate.enter(A, 1).is_ok());
        let inside = gate.shared.lock();
        assert_eq!((inside.all, inside.clients.len()), (0, 0));
    }

    #[test]
    fn who_takes_two_descriptors_leaves_fewer_to_others() {
        let descriptors = Arc::new(Room::new(4));
        let gate = Gate::new(9, 9).with_descriptors(Arc::clone(&descriptors));
        let (relayed, _plain) = (gate.enter(A, 2).unwrap(), gate.enter(B, 1).unwrap());
        // Somebody else's.
        descriptors.take(Client::Local, 1);
        assert_eq!(gate.enter(B, 1).unwrap_err(), Refused::Scarce { descriptors_max: 4 });
        drop(relayed);
        assert!(gate.enter(B, 1).is_ok());
    }

    #[test]
    fn one_client_does_not_take_every_descriptor_with_two_of_each() {
        let descriptors = Arc::new(Room::new(12));
        let gate = Gate::new(12, 9).with_descriptors(Arc::clone(&descriptors));
        let mut of_a: Vec<_> = std::iter::from_fn(|| gate.enter(A, 2).ok()).collect();
        let scarce = Refused::ClientScarce { client: A, descriptors_max: 9 };
        assert_eq!((of_a.len(), gate.enter(A, 1).unwrap_err()), (5, scarce));
        // Nor has it more by who calls for it.
        let mut told = gate.enter_untold(1).unwrap();
        assert_eq!(told.count_for(A), Err(scarce));
        drop(told);
        let _other = gate.enter(B, 1).unwrap();
        of_a.pop();
        let mut told = gate.enter_untold(1).unwrap();
        told.count_for(A).unwrap();
        assert_eq!(gate.enter(A, 1).unwrap_err(), scarce);
        // Where one client may have all places, it has their descriptors, too.
        gate.resize(12, 12);
        assert!(gate.enter(A, 1).is_ok());
    }

    #[test]
    fn calls_leave_half_of_the_descriptors_to_callers_and_have_some_where_those_took_all() {
        let descriptors = Arc::new(Room::new(16));
        let callers = Gate::new(99, 99).with_descriptors(Arc::clone(&descriptors));
        let calls = Gate::for_calls(Arc::clone(&descriptors));
        let of_a: Vec<_> = (0..6).map(|_| calls.enter(A, 1).unwrap()).collect();
        assert_eq!(
            calls.enter(A, 1).unwrap_err(),
            Refused::ClientFull { client: A, places_max: 6 },
            "others are called for, too"
        );
        let mut all = of_a;
        all.extend((0..2).map(|_| calls.enter(B, 1).unwrap()));
        assert!(all[0].is_of_a_crowd());
        assert_eq!(calls.enter(B, 1).unwrap_err(), Refused::Full { places_max: 8 });
        let inside: Vec<_> = (0..8).map(|_| callers.enter(A, 1).unwrap()).collect();
        assert_eq!(callers.enter(B, 1).unwrap_err(), Refused::Scarce { descriptors_max: 16 });
        all.truncate(4);
        assert!(!all[0].is_of_a_crowd());
        let more: Vec<_> = (0..4).map(|_| callers.enter(A, 1).unwrap()).collect();
        all.extend((0..2).map(|_| calls.enter(B, 1).unwrap()));
        assert_eq!(calls.enter(B, 1).unwrap_err(), Refused::Scarce { descriptors_max: 16 });
        drop((all, inside, more));
        assert!(!descriptors.is_full_beyond(0) && calls.inside() == 0);
    }

    #[test]
    fn who_is_told_of_counts_from_then_on() {
        let gate = Gate::new(3, 1);
        let _direct = gate.enter(A, 1).unwrap();
        let mut told = gate.enter_untold(1).unwrap();
        assert!(matches!(told.count_for(A), Err(Refused::ClientFull { .. })));
        assert_eq!(told.count_for(B), Ok(()));
        assert!(matches!(gate.enter(B, 1), Err(Refused::ClientFull { .. })));
        drop(told);
        assert!(gate.enter(B, 1).is_ok());
        assert_eq!(gate.inside(), 1);
    }

    #[test]
    fn one_household_is_one_client() {
        check("2001:db8::1", "2001:db8::ffff:2", Some("2001:db8::/64"));
        check("2001:db8::1", "2001:db8:0:1::1", None);
        check("::ffff:192.0.2.1", "192.0.2.1", Some("192.0.2.1"));
        check("::ffff:192.0.2.1", "::ffff:192.0.2.2", None);
    }

    /// Whether the second has no place because the first has it, and who both are.
    #[track_caller]
    fn check(first: &str, second: &str, expect: Option<&str>) {
        let client = |ip: &str| Peer::Net((ip.parse::<IpAddr>().unwrap(), 1).into()).client();
        let gate = Gate::new(2, 1);
        let _inside = gate.enter(client(first), 1).unwrap();
        let refused = gate.enter(client(second), 1).err();
        let expect =
            expect.map(|client| format!("no place left for {client}: 1 of its callers are inside"));
        assert_eq!(refused.map(|refused| refused.to_string()), expect);
    }
}
