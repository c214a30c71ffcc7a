//! A limit on how many callers may be inside at once, in all and from one address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Lets at most a fixed number of callers in, and at most a fixed number from one address.
#[derive(Clone, Debug)]
pub struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    places_max: usize,
    places_a_client_max: usize,
    inside: Mutex<Inside>,
}

/// `all` is the sum of `clients`' values and of the callers without an address.
#[derive(Debug, Default)]
struct Inside {
    all: usize,
    clients: HashMap<IpAddr, usize>,
}

/// A place inside a [`Gate`], given back when dropped.
#[derive(Debug)]
pub struct Permit {
    shared: Arc<Shared>,
    client: Option<IpAddr>,
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
    /// Every place that one client may have is taken.
    #[error("no place left for {client}: {places_max} callers from there are inside")]
    ClientFull {
        /// Who called.
        client: IpAddr,
        /// How many places a client may have.
        places_max: usize,
    },
}

impl Gate {
    /// A gate with `places_max` places, `places_a_client_max` of them for any one address.
    pub fn new(places_max: usize, places_a_client_max: usize) -> Self {
        let inside = Mutex::default();
        Self { shared: Arc::new(Shared { places_max, places_a_client_max, inside }) }
    }

    /// Takes a place for `client`, who is `None` on a Unix socket.
    ///
    /// # Errors
    ///
    /// Which limit is reached.
    pub fn enter(&self, client: Option<IpAddr>) -> Result<Permit, Refused> {
        let Shared { places_max, places_a_client_max, .. } = *self.shared;
        let mut inside = self.shared.lock();
        if inside.all >= places_max {
            return Err(Refused::Full { places_max });
        }
        if let Some(client) = client {
            let places = inside.clients.entry(client).or_default();
            if *places >= places_a_client_max {
                return Err(Refused::ClientFull { client, places_max: places_a_client_max });
            }
            *places += 1;
        }
        inside.all += 1;
        drop(inside);
        Ok(Permit { shared: Arc::clone(&self.shared), client })
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.shared.lock().all
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inside> {
        // Nothing that holds the lock can panic half-way through a change.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut inside = self.shared.lock();
        debug_assert!(inside.all > 0, "a permit was inside");
        inside.all -= 1;
        let Some(client) = self.client else { return };
        if let Some(places) = inside.clients.get_mut(&client) {
            *places -= 1;
            if *places == 0 {
                inside.clients.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
    const B: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));

    #[test]
    fn a_full_gate_refuses_until_someone_leaves() {
        let gate = Gate::new(2, 2);
        let first = gate.enter(A).unwrap();
        let _second = gate.enter(None).unwrap();
        assert_eq!(gate.enter(B).unwrap_err(), Refused::Full { places_max: 2 });
        drop(first);
        assert!(gate.enter(B).is_ok());
    }

    #[test]
    fn one_client_does_not_take_every_place() {
        let gate = Gate::new(3, 1);
        let first = gate.enter(A).unwrap();
        assert!(matches!(gate.enter(A), Err(Refused::ClientFull { .. })));
        assert!(gate.enter(B).is_ok());
        drop(first);
        assert!(gate.enter(A).is_ok());
        assert_eq!(gate.inside(), 0);
    }
}
