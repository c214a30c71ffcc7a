//! Names become addresses, and stay so for a few seconds.

use std::{
    collections::HashMap,
    fmt,
    io::{self, ErrorKind},
    net::{IpAddr, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::{
    sync::{Semaphore, oneshot},
    time::Instant,
};

/// How long an answer is believed: short beside what the zones of servers that move say, long beside
/// the time in which a pool opens its connections.
const KEPT: Duration = Duration::from_secs(10);

/// How many names are kept.
const NAMES_MAX: usize = 256;

/// How many threads may wait for the resolver at once: a name that is answered slowly, or many that
/// somebody made up, hold up no more of the others.
const LOOKUPS_MAX: usize = 32;

/// The most addresses of one name that are looked at.
const ADDRESSES_MAX: usize = 64;

/// Asks for the addresses of a name. Blocks.
pub type Lookup = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

/// Asks the system's resolver, and remembers for a few seconds what it says. Failures are not remembered.
pub struct Names {
    lookup: Lookup,
    /// Held by the threads, not by those who wait for them, and may give up.
    lookups: Arc<Semaphore>,
    known: Mutex<Known>,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Names {
    /// Those that the system's resolver knows.
    pub fn of_system() -> Self {
        Self::asking(Arc::new(|name| {
            let found = (name, 0).to_socket_addrs()?;
            Ok(found.map(|at| at.ip()).collect())
        }))
    }

    /// Those that `lookup` knows. It is called on a thread of its own.
    pub fn asking(lookup: Lookup) -> Self {
        let lookups = Arc::new(Semaphore::new(LOOKUPS_MAX));
        Self { lookup, lookups, known: Mutex::new(Known::default()) }
    }

    /// The addresses of `name`, in the resolver's order, each once: at least one.
    ///
    /// Cancel safe; the thread that waits for the resolver goes on to its end.
    ///
    /// # Errors
    ///
    /// What the resolver says, or the system that has no thread for it.
    pub async fn resolve(&self, name: &str) -> io::Result<Arc<[IpAddr]>> {
        if let Some(found) = self.recall(name) {
            return Ok(found);
        }
        let place = Arc::clone(&self.lookups).acquire_owned().await.map_err(io::Error::other)?;
        // Others may have asked for the same meanwhile.
        if let Some(found) = self.recall(name) {
            return Ok(found);
        }
        let (lookup, asked) = (Arc::clone(&self.lookup), name.to_owned());
        let (tell, answered) = oneshot::channel();
        let look = move || {
            let found = lookup(&asked);
            drop(place);
            _ = tell.send(found);
        };
        // Not tokio's, which panics where the system has no thread.
        thread::Builder::new().name("resolver".to_owned()).spawn(look).map_err(no_thread)?;
        let found = distinct(&answered.await.map_err(io::Error::other)??);
        if found.is_empty() {
            return Err(io::Error::new(ErrorKind::NotFound, "the name has no address"));
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.keep(name, &found, Instant::now());
        Ok(found)
    }

    fn recall(&self, name: &str) -> Option<Arc<[IpAddr]>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.recall(name, Instant::now())
    }
}

/// That the system has no thread for a name.
fn no_thread(error: io::Error) -> io::Error {
    #[derive(Debug, thiserror::Error)]
    #[error("starting a thread for it")]
    struct NoThread(#[source] io::Error);
    io::Error::new(error.kind(), NoThread(error))
}

/// The first of `found`, each once and none an IPv4 address in IPv6 clothes: that would be called
/// as IPv4, and has to be judged so.
fn distinct(found: &[IpAddr]) -> Arc<[IpAddr]> {
    let mut distinct = Vec::new();
    for ip in found.iter().map(IpAddr::to_canonical) {
        if distinct.len() < ADDRESSES_MAX && !distinct.contains(&ip) {
            distinct.push(ip);
        }
    }
    distinct.into()
}

/// What is known of names.
#[derive(Debug, Default)]
struct Known {
    /// At most [`NAMES_MAX`].
    names: HashMap<Box<str>, Entry>,
}

#[derive(Debug)]
struct Entry {
    found: Arc<[IpAddr]>,
    until: Instant,
}

impl Known {
    fn recall(&self, name: &str, now: Instant) -> Option<Arc<[IpAddr]>> {
        let entry = self.names.get(name)?;
        (now < entry.until).then(|| Arc::clone(&entry.found))
    }

    /// Keeps what was found, in place of what ends first if there is no room.
    fn keep(&mut self, name: &str, found: &Arc<[IpAddr]>, now: Instant) {
        if self.names.len() >= NAMES_MAX {
            self.names.retain(|_, entry| now < entry.until);
        }
        if self.names.len() >= NAMES_MAX && !self.names.contains_key(name) {
            let first = self.names.iter().min_by_key(|(_, entry)| entry.until);
            let first = first.map(|(name, _)| name.clone());
            first.and_then(|name| self.names.remove(&name));
        }
        let entry = Entry { found: Arc::clone(found), until: now + KEPT };
        self.names.insert(name.into(), entry);
        debug_assert!(self.names.len() <= NAMES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_known_is_forgotten_in_time() {
        let (mut known, start) = (Known::default(), Instant::now());
        let found: Arc<[_]> = [ip("192.0.2.1")].into();
        known.keep("a", &found, start);
        let last = start + KEPT - Duration::from_nanos(1);
        assert_eq!(known.recall("a", last).as_deref(), Some(&found[..]));
        assert_eq!(known.recall("a", start + KEPT), None);
        assert_eq!(known.recall("b", start), None);
    }

    #[test]
    fn who_was_asked_for_first_makes_room() {
        let (mut known, start) = (Known::default(), Instant::now());
        let found: Arc<[_]> = [ip("192.0.2.1")].into();
        let tick = Duration::from_millis(1);
        for n in 0..u32::try_from(NAMES_MAX).unwrap() {
            known.keep(&n.to_string(), &found, start + tick * n);
        }
        let now = start + KEPT - tick;
        known.keep("1", &found, now);
        assert!(known.recall("0", now).is_some());
        known.keep("more", &found, now);
        assert_eq!(known.names.len(), NAMES_MAX);
        assert_eq!(known.recall("0", now), None);
        assert!(known.recall("1", now).is_some() && known.recall("more", now).is_some());
        known.keep("later", &found, now + KEPT);
        assert_eq!(known.names.len(), 1);
    }

    #[test]
    fn addresses_are_told_once_and_as_they_are_called() {
        let check = |found: &[&str], expect: &[&str]| {
            let found: Vec<_> = found.iter().copied().map(ip).collect();
            let expect: Vec<_> = expect.iter().copied().map(ip).collect();
            assert_eq!(distinct(&found)[..], expect[..]);
        };
        check(&["::1", "192.0.2.1", "::1"], &["::1", "192.0.2.1"]);
        check(&["::ffff:127.0.0.1", "127.0.0.1"], &["127.0.0.1"]);
        check(&[], &[]);
        let many: Vec<_> =
            (0..1000).map(|n| IpAddr::from(std::net::Ipv4Addr::from_bits(n))).collect();
        assert_eq!(distinct(&many).len(), ADDRESSES_MAX);
    }

    #[tokio::test]
    async fn a_name_is_asked_for_once_and_a_failure_again() {
        let (asked, counted) = mpsc::channel();
        let names = Names::asking(Arc::new(move |name| {
            asked.send(name.to_owned()).unwrap();
            match name {
                "a.example" => Ok(vec![ip("192.0.2.1")]),
                "empty.example" => Ok(vec![]),
                _ => Err(io::Error::other("name or service not known")),
            }
        }));
        for _ in 0..2 {
            assert_eq!(names.resolve("a.example").await.unwrap()[..], [ip("192.0.2.1")]);
            names.resolve("b.example").await.unwrap_err();
            let empty = names.resolve("empty.example").await.unwrap_err();
            assert_eq!(empty.kind(), ErrorKind::NotFound);
        }
        let asked: Vec<_> = counted.try_iter().collect();
        let expect = ["a.example", "b.example", "empty.example", "b.example", "empty.example"];
        assert_eq!(asked, expect);
    }

    #[tokio::test]
    async fn who_gives_up_leaves_a_thread_behind_that_counts() {
        let (go, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let names = Arc::new(Names::asking(Arc::new(move |name| {
            if name != "quick" {
                _ = wait.lock().unwrap().recv();
            }
            Ok(vec![ip("192.0.2.1")])
        })));
        let ask = |name: String| {
            let names = Arc::clone(&names);
            tokio::spawn(async move { names.resolve(&name).await.map(drop) })
        };
        let slow: Vec<_> = (0..LOOKUPS_MAX).map(|n| ask(n.to_string())).collect();
        while names.lookups.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        slow.iter().for_each(tokio::task::JoinHandle::abort);
        for task in slow {
            task.await.unwrap_err();
        }
        assert_eq!(names.lookups.available_permits(), 0);
        let next = ask("quick".to_owned());
        tokio::task::yield_now().await;
        assert!(!next.is_finished());
        go.send(()).unwrap();
        next.await.unwrap().unwrap();
        drop(go);
    }
}
