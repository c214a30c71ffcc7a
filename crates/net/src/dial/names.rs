//! Names become addresses, and stay so for a few seconds; where the resolver is away, for longer.

use std::{
    collections::HashMap,
    fmt,
    io::{self, ErrorKind},
    net::{IpAddr, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, timeout},
};

mod known;

use known::{Answer, Found, Known, Recalled};

use crate::Client;

/// How many threads may wait for the resolver at once: a name that is answered slowly, or many that
/// somebody made up, hold up no more of the others. One client has [its share](Client::share_of).
const LOOKUPS_MAX: usize = 32;

/// How long the resolver may take where something is known of a name from before.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most addresses of one name that are looked at.
const ADDRESSES_MAX: usize = 64;

/// Asks for the addresses of a name. Blocks.
pub type Lookup = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

/// Asks the system's resolver, and remembers for a few seconds what it says; and for some minutes in case
/// that it says nothing then. Failures are not remembered.
pub struct Names {
    lookup: Lookup,
    /// Held by the threads, not by those who wait for them, and may give up.
    lookups: Arc<Semaphore>,
    /// The same, of each client for which names are looked up.
    clients: Mutex<HashMap<Client, Arc<Semaphore>>>,
    known: Arc<Mutex<Known>>,
}

/// A name that is being asked for. However that ends, it is told, and is no more under way.
struct Asking {
    name: Box<str>,
    /// What the resolver said.
    answer: Option<Answer>,
    tell: watch::Sender<Option<Answer>>,
    known: Arc<Mutex<Known>>,
    _places: (Option<OwnedSemaphorePermit>, OwnedSemaphorePermit),
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
        Self { lookup, lookups, clients: Mutex::default(), known: Arc::default() }
    }

    /// The addresses of `name`, in the resolver's order, each once: at least one. Where the resolver says
    /// nothing of it, or takes longer than a second, what it said some minutes ago.
    ///
    /// Cancel safe; the thread that waits for the resolver goes on to its end.
    ///
    /// # Errors
    ///
    /// What the resolver says, or the system that has no thread for it.
    pub async fn resolve(&self, name: &str) -> io::Result<Found> {
        self.resolve_for(Client::Local, name).await
    }

    /// The same for `client`, who chose the name: where those of one client are answered slowly, names of
    /// others are still asked for.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn resolve_for(&self, client: Client, name: &str) -> io::Result<Found> {
        let recalled = lock(&self.known).recall(name, Instant::now());
        let old = match recalled {
            Some(Recalled::Fresh(found)) => return Ok(found),
            Some(Recalled::Old(found)) => found,
            None => return self.ask(client, name).await,
        };
        if let Ok(Ok(found)) = timeout(PATIENCE, self.ask(client, name)).await {
            return Ok(found);
        }
        // Others do not have to wait for the same.
        lock(&self.known).believe(name, Instant::now());
        Ok(old)
    }

    /// Waits for the resolver, whoever asked it.
    async fn ask(&self, client: Client, name: &str) -> io::Result<Found> {
        let under_way = lock(&self.known).under_way(name);
        let mut answer = match under_way {
            Some(answer) => answer,
            None => self.begin(client, name).await?,
        };
        let told = answer.wait_for(Option::is_some).await.map_err(io::Error::other)?;
        match told.as_ref().expect("waited for") {
            Ok(found) => Ok(Arc::clone(found)),
            Err(error) => Err(same(error)),
        }
    }

    /// Has the resolver asked, once there is a place for that.
    async fn begin(
        &self,
        client: Client,
        name: &str,
    ) -> io::Result<watch::Receiver<Option<Answer>>> {
        let places = self.places_for(client).await?;
        let now = Instant::now();
        let (tell, answer) = watch::channel(None);
        {
            let mut known = lock(&self.known);
            // Others may have asked for the same meanwhile.
            if let Some(Recalled::Fresh(found)) = known.recall(name, now) {
                return Ok(watch::channel(Some(Ok(found))).1);
            }
            if let Some(answer) = known.under_way(name) {
                return Ok(answer);
            }
            known.begin(name, answer.clone());
        }
        let known = Arc::clone(&self.known);
        let asking = Asking { name: name.into(), answer: None, tell, known, _places: places };
        let lookup = Arc::clone(&self.lookup);
        // Not tokio's, which panics where the system has no thread.
        let thread = thread::Builder::new().name("resolver".to_owned());
        thread.spawn(move || asking.run(&lookup, now)).map_err(no_thread)?;
        Ok(answer)
    }

    /// A place for one more thread, and one of those of `client`, where it is held to a share.
    async fn places_for(
        &self,
        client: Client,
    ) -> io::Result<(Option<OwnedSemaphorePermit>, OwnedSemaphorePermit)> {
        let own = match client {
            Client::Local => None,
            client => Some(self.places_of(client).acquire_owned().await.map_err(io::Error::other)?),
        };
        let shared = Arc::clone(&self.lookups).acquire_owned().await.map_err(io::Error::other)?;
        Ok((own, shared))
    }

    fn places_of(&self, client: Client) -> Arc<Semaphore> {
        let mut clients = lock(&self.clients);
        if clients.len() == clients.capacity() {
            // Before it grows: those for whom nobody waits.
            clients.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let places = || Arc::new(Semaphore::new(Client::share_of(LOOKUPS_MAX)));
        Arc::clone(clients.entry(client).or_insert_with(places))
    }
}

impl Asking {
    /// Asks `lookup`, as was meant to `since`.
    fn run(mut self, lookup: &Lookup, since: Instant) {
        let began = Instant::now();
        let found = lookup(&self.name).map(|found| distinct(&found)).and_then(|found| {
            let none = || io::Error::new(ErrorKind::NotFound, "the name has no address");
            if found.is_empty() { Err(none()) } else { Ok(found) }
        });
        if let Ok(found) = &found {
            lock(&self.known).keep(&self.name, found, since + began.elapsed());
        }
        self.answer = Some(found.map_err(Arc::new));
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // First: who was told of a failure may ask again at once.
        lock(&self.known).end(&self.name);
        if let Some(answer) = self.answer.take() {
            self.tell.send_replace(Some(answer));
        }
    }
}

/// What holds these locks cannot panic half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `error` says, for one more who waited.
fn same(error: &io::Error) -> io::Error {
    let said = || io::Error::new(error.kind(), error.to_string());
    error.raw_os_error().map_or_else(said, io::Error::from_raw_os_error)
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
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

    /// Moves the clock on, and has it go on by itself again: threads take real time.
    async fn after(time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }

    #[tokio::test]
    async fn what_was_known_stands_in_for_a_resolver_that_fails_or_is_slow() {
        let (go, wait) = mpsc::channel::<io::Result<Vec<IpAddr>>>();
        let wait = Mutex::new(wait);
        let names = Names::asking(Arc::new(move |_| wait.lock().unwrap().recv().unwrap()));
        let (one, two) = (ip("192.0.2.1"), ip("192.0.2.2"));
        go.send(Ok(vec![one])).unwrap();
        assert_eq!(names.resolve("a").await.unwrap()[..], [one]);
        after(known::KEPT).await;
        go.send(Err(io::Error::other("away"))).unwrap();
        assert_eq!(names.resolve("a").await.unwrap()[..], [one]);
        // For a moment nobody asks again, nor waits.
        assert_eq!(names.resolve("a").await.unwrap()[..], [one]);
        after(known::KEPT).await;
        assert_eq!(names.resolve("a").await.unwrap()[..], [one], "it takes too long");
        after(known::KEPT).await;
        // What it says at last is of the question before.
        go.send(Ok(vec![two])).unwrap();
        assert_eq!(names.resolve("a").await.unwrap()[..], [two]);
        after(known::KEPT + known::OLD_MAX).await;
        go.send(Err(io::Error::other("away"))).unwrap();
        names.resolve("a").await.unwrap_err();
    }

    #[tokio::test]
    async fn many_who_wait_for_one_name_ask_once() {
        let (asked, counted) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let names = Arc::new(Names::asking(Arc::new(move |name| {
            asked.send(name.to_owned()).unwrap();
            _ = wait.lock().unwrap().recv();
            Err(io::Error::other("not known"))
        })));
        // Few enough to be all waiting once the first asked.
        let waiting: Vec<_> = (0..9)
            .map(|_| {
                let names = Arc::clone(&names);
                tokio::spawn(async move { names.resolve("a").await.unwrap_err().to_string() })
            })
            .collect();
        while counted.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        drop(go);
        for task in waiting {
            assert_eq!(task.await.unwrap(), "not known");
        }
        assert!(counted.try_recv().is_err(), "once for all");
    }

    #[tokio::test]
    async fn slow_names_of_one_client_hold_up_no_others() {
        let client = |last| Client::V4(std::net::Ipv4Addr::new(192, 0, 2, last));
        let (go, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let names = Arc::new(Names::asking(Arc::new(move |name| {
            if name != "quick" {
                _ = wait.lock().unwrap().recv();
            }
            Ok(vec![ip("192.0.2.1")])
        })));
        let slow: Vec<_> = (0..LOOKUPS_MAX + 8)
            .map(|n| {
                let names = Arc::clone(&names);
                tokio::spawn(async move { names.resolve_for(client(1), &n.to_string()).await })
            })
            .collect();
        while names.lookups.available_permits() > LOOKUPS_MAX - Client::share_of(LOOKUPS_MAX) {
            tokio::task::yield_now().await;
        }
        names.resolve_for(client(2), "quick").await.unwrap();
        drop(go);
        for task in slow {
            task.await.unwrap().unwrap();
        }
        let few = lock(&names.clients).capacity();
        for last in 3..200 {
            names.resolve_for(client(last), &format!("of {last}")).await.unwrap();
        }
        assert!(lock(&names.clients).len() <= few.max(8));
    }
}
