//! How many different things of one kind a client has, and that none has too many.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use relais_net::Client;

/// What clients have. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Shares {
    a_client_max: usize,
    had: Arc<Mutex<Had>>,
}

/// `clients` says for each client of how many things it is in `things`; none has none.
#[derive(Debug, Default)]
struct Had {
    /// How often each client has each thing.
    things: HashMap<(Client, u64), usize>,
    clients: HashMap<Client, usize>,
}

/// That a client has a thing, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    had: Arc<Mutex<Had>>,
    /// Who has what.
    what: (Client, u64),
}

impl Shares {
    /// Of `places` for things any one client has [its share](Client::share_of).
    pub(crate) fn of(places: usize) -> Self {
        Self { a_client_max: Client::share_of(places), had: Arc::default() }
    }

    /// Has `client` have `thing`, unless it has too many others. What it has twice counts once.
    pub(crate) fn take(&self, client: Client, thing: u64) -> Option<Share> {
        let mut had = lock(&self.had);
        let what = (client, thing);
        let is_new = !had.things.contains_key(&what);
        let count = had.clients.get(&client).copied().unwrap_or(0);
        if is_new && count >= self.a_client_max && client != Client::Local {
            return None;
        }
        *had.things.entry(what).or_default() += 1;
        if is_new {
            had.clients.insert(client, count + 1);
        }
        Some(Share { had: Arc::clone(&self.had), what })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut had = lock(&self.had);
        let (client, _) = self.what;
        if is_last(&mut had.things, &self.what) {
            is_last(&mut had.clients, &client);
        }
    }
}

/// Counts one of `what` less, and says whether it was the last.
fn is_last<K: Hash + Eq>(counts: &mut HashMap<K, usize>, what: &K) -> bool {
    let Some(count) = counts.get_mut(what) else { return false };
    *count -= 1;
    let is_last = *count == 0;
    if is_last {
        counts.remove(what);
    }
    is_last
}

fn lock(had: &Mutex<Had>) -> MutexGuard<'_, Had> {
    // Nothing that holds the lock can panic half-way through a change.
    had.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const A: Client = Client::V4(Ipv4Addr::new(192, 0, 2, 1));
    const B: Client = Client::V6([0; 8]);

    #[test]
    fn a_client_has_three_quarters_at_most_and_others_are_left_alone() {
        let shares = Shares::of(4);
        let mut of_a: Vec<_> = (0..3).map(|thing| shares.take(A, thing).unwrap()).collect();
        assert!(shares.take(A, 3).is_none());
        let of_b = shares.take(B, 3).unwrap();
        of_a.pop();
        let again = shares.take(A, 3).unwrap();
        drop((of_a, of_b, again));
        let had = lock(&shares.had);
        assert!(had.things.is_empty() && had.clients.is_empty(), "{had:?}");
    }

    #[test]
    fn what_a_client_has_twice_counts_once() {
        let shares = Shares::of(2);
        let first = [shares.take(A, 1).unwrap(), shares.take(A, 1).unwrap()];
        let second = shares.take(A, 2).unwrap();
        assert!(shares.take(A, 3).is_none());
        let third = shares.take(A, 1).unwrap();
        drop(first);
        assert!(shares.take(A, 3).is_none(), "it has the first still");
        drop(third);
        assert!(shares.take(A, 3).is_some());
        drop(second);
    }

    #[test]
    fn local_clients_have_no_limit_of_their_own() {
        let shares = Shares::of(1);
        let all: Vec<_> = (0..9).map(|thing| shares.take(Client::Local, thing)).collect();
        assert!(all.iter().all(Option::is_some));
    }
}
