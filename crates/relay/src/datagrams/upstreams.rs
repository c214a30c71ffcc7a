//! To whom a sender's datagrams go: one of several that can do the same.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use relais_net::{
    Balance, Candidate, Choice, Client, Endpoint, Health, Host, HostPort, Names, Place, Scheme,
};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tracing::debug;

/// Upstreams that can do the same.
#[derive(Debug)]
pub struct Upstreams {
    /// At least one.
    all: Vec<Arc<Upstream>>,
    choice: Choice,
    names: Arc<Names>,
    /// Where the milliseconds of `Health` begin.
    start: Instant,
}

#[derive(Debug)]
struct Upstream {
    at: HostPort,
    /// Where it is, as far as is known: at the port of `at`, never an IPv4 address in IPv6 clothes. The
    /// first is used.
    addresses: Mutex<Vec<SocketAddr>>,
    senders: AtomicU32,
    health: Health,
}

/// Where the next sender goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// There, too: there is nobody else.
    Same,
    /// Maybe elsewhere.
    Other,
}

/// How long a name may take to be resolved.
const RESOLVE_MAX: Duration = Duration::from_secs(5);

/// How often names are resolved: the servers behind them move.
const RESOLVE_EVERY: Duration = Duration::from_secs(30);

/// How soon that is tried again where nothing is known.
const RESOLVE_AGAIN: Duration = Duration::from_secs(1);

/// The most addresses of one name.
const ADDRESSES_MAX: usize = 16;

impl Upstreams {
    /// Those at `endpoints`; `None` if there are none, or one that is not of datagrams.
    pub fn new(endpoints: &[Endpoint], balance: Balance) -> Option<Self> {
        let all = endpoints.iter().map(|endpoint| Upstream::new(endpoint).map(Arc::new));
        let all = all.collect::<Option<Vec<_>>>()?;
        let (choice, names) = (Choice::new(balance), Arc::new(Names::of_system()));
        (!all.is_empty()).then_some(Self { all, choice, names, start: Instant::now() })
    }

    /// Which one a sender of `client` is to have, and where that is, but none that was `tried` there.
    /// `None` if nobody knows where another is.
    pub(super) fn choose(
        &self,
        client: Client,
        tried: &[(usize, SocketAddr)],
    ) -> Option<(usize, SocketAddr)> {
        let now = self.now();
        let known = self.all.iter().enumerate().filter_map(|(place, upstream)| {
            let Upstream { senders, health, .. } = &**upstream;
            let first = upstream.first()?;
            if tried.contains(&(place, first)) {
                return None;
            }
            let in_flight = senders.load(Relaxed);
            Some(Candidate { place, in_flight, is_well: health.is_well(now) })
        });
        let place = self.choice.among(known, client)?;
        Some((place, self.all[place].first()?))
    }

    /// Whether one of them is where `sender` says it is, as far as is known. What we passed on for it
    /// would come back to us, to be passed on again.
    pub(super) fn are_at(&self, sender: SocketAddr) -> bool {
        self.all.iter().any(|upstream| upstream.is_at(sender))
    }

    /// Notes that a sender is associated with the one at `place`, or no more.
    pub(super) fn associate(&self, place: usize) {
        self.all[place].senders.fetch_add(1, Relaxed);
    }

    pub(super) fn dissociate(&self, place: usize) {
        self.all[place].senders.fetch_sub(1, Relaxed);
    }

    /// Notes that the one at `place` answered.
    pub(super) fn answered(&self, place: usize) {
        self.all[place].health.answered();
    }

    /// Notes that nobody is at `address`, which is the one's at `place`. Tells where who is associated
    /// anew goes.
    pub(super) fn refused(&self, place: usize, address: SocketAddr) -> Next {
        let upstream = &self.all[place];
        upstream.health.failed(self.now());
        let next = upstream.pass_over(address);
        if self.all.len() > 1 { Next::Other } else { next }
    }

    #[cfg(test)]
    pub(super) fn is_well(&self, place: usize) -> bool {
        self.all[place].health.is_well(self.now())
    }

    #[cfg(test)]
    pub(super) fn with_names(self, names: Names) -> Self {
        Self { names: Arc::new(names), ..self }
    }

    /// Resolves names, and again every half minute, until dropped; nothing where nobody has a name. Calls
    /// `resolved` behind each time. Not only where something new was found: others who keep names resolved
    /// may have found it first.
    pub(super) async fn keep_resolved(&self, resolved: impl Fn()) {
        while self.all.iter().any(|upstream| upstream.has_name()) {
            self.resolve().await;
            resolved();
            let is_known = self.all.iter().all(|upstream| upstream.first().is_some());
            tokio::time::sleep(if is_known { RESOLVE_EVERY } else { RESOLVE_AGAIN }).await;
        }
    }

    /// Resolves every name once, all at the same time.
    pub(super) async fn resolve(&self) {
        let resolve = |upstream: &Arc<Upstream>| {
            let (upstream, names) = (Arc::clone(upstream), Arc::clone(&self.names));
            async move { upstream.resolve(&names).await }
        };
        let those = self.all.iter().filter(|upstream| upstream.has_name());
        let mut resolving = those.map(resolve).collect::<JoinSet<_>>();
        // Whatever ends one of them: the others, and it, are asked for again.
        while resolving.join_next().await.is_some() {}
    }

    /// Milliseconds since it was made.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Upstream {
    fn new(endpoint: &Endpoint) -> Option<Self> {
        let (Scheme::Udp, Place::Net(at)) = (endpoint.scheme, &endpoint.place) else { return None };
        let known = match at.host {
            Host::Any => return None,
            Host::Ip(ip) => vec![SocketAddr::new(ip.to_canonical(), at.port)],
            Host::Name(_) => Vec::new(),
        };
        let (senders, health) = (AtomicU32::new(0), Health::default());
        Some(Self { at: at.clone(), addresses: Mutex::new(known), senders, health })
    }

    fn has_name(&self) -> bool {
        matches!(self.at.host, Host::Name(_))
    }

    fn first(&self) -> Option<SocketAddr> {
        self.lock().first().copied()
    }

    fn is_at(&self, sender: SocketAddr) -> bool {
        // What is sent to 0.0.0.0 or :: goes to this machine.
        let is = |ip: IpAddr| ip == sender.ip() || ip.is_unspecified() && sender.ip().is_loopback();
        // All that are known have this port: most senders have another.
        sender.port() == self.at.port && self.lock().iter().any(|known| is(known.ip()))
    }

    /// Puts `address` behind the others, if it is the first and there are others.
    fn pass_over(&self, address: SocketAddr) -> Next {
        let mut addresses = self.lock();
        if addresses.len() > 1 && addresses.first() == Some(&address) {
            addresses.rotate_left(1);
        }
        match addresses.first() {
            Some(first) if *first != address => Next::Other,
            _ => Next::Same,
        }
    }

    async fn resolve(&self, names: &Names) {
        let Host::Name(name) = &self.at.host else { return };
        let at = |ip: &IpAddr| SocketAddr::new(ip.to_canonical(), self.at.port);
        match timeout(RESOLVE_MAX, names.resolve(name)).await {
            Ok(Ok(found)) => self.learn(found.iter().map(at).collect()),
            Ok(Err(error)) => debug!(name, %error, "an upstream's name was not resolved"),
            Err(_) => debug!(name, "an upstream's name was not resolved in time"),
        }
    }

    /// Takes `found` for where it is. What is known to be there stays first.
    fn learn(&self, mut found: Vec<SocketAddr>) {
        let mut addresses = self.lock();
        if let Some(place) = found.iter().position(|found| addresses.first() == Some(found)) {
            found.rotate_left(place);
        }
        found.truncate(ADDRESSES_MAX);
        if !found.is_empty() {
            *addresses = found;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SocketAddr>> {
        // Nothing that holds the lock can panic half-way through a change.
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tokio::sync::Notify;

    use super::*;

    fn upstreams(endpoints: &[&str], balance: Balance) -> Option<Upstreams> {
        let endpoints: Vec<_> = endpoints.iter().map(|text| text.parse().unwrap()).collect();
        Upstreams::new(&endpoints, balance)
    }

    fn client(last: u8) -> Client {
        Client::V4([192, 0, 2, last].into())
    }

    const THREE: [&str; 3] = ["udp://192.0.2.1:1", "udp://192.0.2.2:1", "udp://192.0.2.3:1"];

    #[test]
    fn only_what_takes_datagrams_and_is_somewhere_is_an_upstream() {
        for none in [&[][..], &["tcp://192.0.2.1:1"], &["udp://:1"]] {
            assert!(upstreams(none, Balance::Round).is_none(), "{none:?}");
        }
    }

    #[test]
    fn who_says_it_is_where_an_upstream_is_known_to_be_is_known_by_address_and_port() {
        let check = |endpoints: &[&str], sender: &str, expect| {
            let upstreams = upstreams(endpoints, Balance::Round).unwrap();
            assert_eq!(upstreams.are_at(sender.parse().unwrap()), expect, "{endpoints:?} {sender}");
        };
        check(&THREE, "192.0.2.1:1", true);
        check(&THREE, "192.0.2.3:1", true);
        check(&THREE, "192.0.2.4:1", false);
        // A client at the same machine.
        check(&THREE, "192.0.2.1:2", false);
        check(&["udp://[::ffff:192.0.2.1]:1"], "192.0.2.1:1", true);
        check(&["udp://[2001:db8::1]:1"], "[2001:db8::1]:1", true);
        check(&["udp://0.0.0.0:1"], "127.0.0.1:1", true);
        check(&["udp://0.0.0.0:1"], "192.0.2.1:1", false);
        check(&["udp://name.example:1"], "192.0.2.1:1", false);
    }

    #[test]
    fn senders_are_shared_out_as_asked() {
        let places = |balance, clients: [u8; 6]| {
            let upstreams = upstreams(&THREE, balance).unwrap();
            clients.map(|n| {
                let (place, _) = upstreams.choose(client(n), &[]).unwrap();
                upstreams.associate(place);
                place
            })
        };
        assert_eq!(places(Balance::Round, [1; 6]), [0, 1, 2, 0, 1, 2]);
        let source = places(Balance::Source, [1, 2, 1, 2, 1, 2]);
        assert_eq!(source, [source[0], source[1], source[0], source[1], source[0], source[1]]);
        let mut least = places(Balance::Least, [1; 6]);
        least.sort_unstable();
        assert!(least[0] == 0 && least[5] == 2, "{least:?}");
    }

    #[test]
    fn who_refuses_again_and_again_is_passed_over_until_it_answers() {
        let upstreams = upstreams(&THREE, Balance::Round).unwrap();
        for _ in 0..3 {
            assert_eq!(upstreams.refused(1, "192.0.2.2:1".parse().unwrap()), Next::Other);
        }
        let chosen =
            || (0..6).map(|_| upstreams.choose(client(1), &[]).unwrap().0).collect::<Vec<_>>();
        assert!(!chosen().contains(&1));
        upstreams.answered(1);
        assert!(chosen().contains(&1));
    }

    #[test]
    fn of_several_addresses_the_next_is_taken_where_nobody_is() {
        let upstreams = upstreams(&["udp://name.example:1"], Balance::Round).unwrap();
        assert_eq!(upstreams.choose(client(1), &[]), None);
        let [one, two]: [SocketAddr; 2] = ["[::1]:1", "127.0.0.1:1"].map(|at| at.parse().unwrap());
        upstreams.all[0].learn(vec![one, two]);
        assert_eq!(upstreams.choose(client(1), &[]), Some((0, one)));
        assert_eq!(upstreams.refused(0, one), Next::Other);
        assert_eq!(upstreams.choose(client(1), &[]), Some((0, two)));
        assert_eq!(upstreams.choose(client(1), &[(0, two)]), None);
        assert_eq!(upstreams.choose(client(1), &[(0, one)]), Some((0, two)));
        // Told late of the one that is no more used.
        assert_eq!(upstreams.refused(0, one), Next::Other);
        assert_eq!(upstreams.choose(client(1), &[]), Some((0, two)));
        upstreams.all[0].learn(vec![one, two]);
        assert_eq!(upstreams.choose(client(1), &[]), Some((0, two)));
        let many = (0..100).map(|port| SocketAddr::new(two.ip(), port)).collect();
        upstreams.all[0].learn(many);
        assert_eq!(upstreams.all[0].lock().len(), ADDRESSES_MAX);
        upstreams.all[0].learn(Vec::new());
        upstreams.all[0].learn(vec![one]);
        assert_eq!(upstreams.choose(client(1), &[]), Some((0, one)));
        assert_eq!(upstreams.refused(0, one), Next::Same);
    }

    /// One at port 7 of a name whose resolver breaks the first time.
    fn of_a_name() -> Upstreams {
        let upstreams = upstreams(&["udp://name.example:7"], Balance::Round).unwrap();
        let has_broken = AtomicBool::new(false);
        let names = Names::asking(Arc::new(move |_| {
            assert!(has_broken.swap(true, Relaxed), "asked to break");
            Ok(vec!["::ffff:192.0.2.7".parse().unwrap()])
        }));
        upstreams.with_names(names)
    }

    #[tokio::test]
    async fn a_resolver_that_breaks_once_is_asked_again() {
        let upstreams = of_a_name();
        upstreams.resolve().await;
        assert_eq!(upstreams.choose(client(1), &[]), None);
        upstreams.resolve().await;
        let at = SocketAddr::from(([192, 0, 2, 7], 7));
        assert_eq!(upstreams.choose(client(1), &[]), Some((0, at)));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_told_each_time_that_names_were_resolved() {
        let (upstreams, resolved) = (of_a_name(), Notify::new());
        let at = ([192, 0, 2, 7], 7).into();
        tokio::select! {
            () = upstreams.keep_resolved(|| resolved.notify_one()) => panic!("it has a name"),
            () = async {
                while !upstreams.are_at(at) {
                    resolved.notified().await;
                }
                // Nothing new is found from here on.
                for _ in 0..2 {
                    resolved.notified().await;
                }
            } => (),
        }
    }

    #[tokio::test]
    async fn a_name_is_resolved() {
        let upstreams = upstreams(&["udp://localhost:7"], Balance::Round).unwrap();
        upstreams.resolve().await;
        let (_, at) = upstreams.choose(client(1), &[]).unwrap();
        assert!(at.ip().is_loopback() && at.port() == 7);
    }
}
