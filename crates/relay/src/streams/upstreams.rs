//! Who is called for a caller: one of several that can do the same, and another if that fails.

use std::{
    error::Error,
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use relais_net::{
    Balance, Candidate, Checked, Choice, Client, DialError, Dialed, Dialer, Endpoint, Health, News,
    Side, tls::Protocols,
};
use relais_wire::proxy_header::{self, Told, Version};
use tokio::{task::JoinSet, time::Instant};
use tracing::{debug, info, warn};

/// How many upstreams are called for one caller.
const CALLS_MAX: usize = 3;

/// Upstreams that can do the same.
#[derive(Debug)]
pub struct Upstreams {
    /// At least one.
    all: Vec<Arc<Upstream>>,
    choice: Choice,
    dialer: Arc<Dialer>,
    /// How they are told first who called.
    tells: Option<Version>,
    /// Where the milliseconds of `Health` begin.
    start: Instant,
}

/// One of them, and how it does.
#[derive(Debug)]
pub struct Upstream {
    endpoint: Endpoint,
    open: AtomicU32,
    health: Health,
}

/// A connection with an upstream. Counted until it is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    upstream: Arc<Upstream>,
}

impl Taken {
    fn of(upstream: &Arc<Upstream>) -> Self {
        upstream.open.fetch_add(1, Relaxed);
        Self { upstream: Arc::clone(upstream) }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.upstream.endpoint
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.upstream.open.fetch_sub(1, Relaxed);
    }
}

impl Upstream {
    /// Where it is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn answered(&self) {
        if self.health.answered().is_some() {
            info!("{} answers again", self.endpoint);
        }
    }

    /// Connections that it has.
    pub fn open(&self) -> u32 {
        self.open.load(Relaxed)
    }
}

impl Upstreams {
    /// Those at `endpoints`, called by `dialer`; `None` if there are none.
    pub fn new(endpoints: Vec<Endpoint>, balance: Balance, dialer: Arc<Dialer>) -> Option<Self> {
        let upstream = |endpoint| {
            Arc::new(Upstream { endpoint, open: AtomicU32::new(0), health: Health::default() })
        };
        let all: Vec<_> = endpoints.into_iter().map(upstream).collect();
        let (choice, start) = (Choice::new(balance), Instant::now());
        (!all.is_empty()).then_some(Self { all, choice, dialer, tells: None, start })
    }

    /// The same, each told first who called, by a PROXY header before all else.
    #[must_use]
    pub fn telling(self, version: Version) -> Self {
        Self { tells: Some(version), ..self }
    }

    /// Whether they are told who called.
    pub(super) fn are_told(&self) -> bool {
        self.tells.is_some()
    }

    /// All of them.
    pub fn all(&self) -> &[Arc<Upstream>] {
        &self.all
    }

    /// Calls one for `client`, of whom it is `told` if they are to be; another if that does not answer, at most three.
    ///
    /// Cancel safe: a call given up is hung up.
    ///
    /// # Errors
    ///
    /// Why the last came to nothing.
    pub(super) async fn call(
        &self,
        client: Client,
        told: Told,
    ) -> Result<(Dialed, Taken), DialError> {
        let mut tried = Vec::new();
        loop {
            let place = self.choose(&tried, client);
            let upstream = &self.all[place];
            let taken = Taken::of(upstream);
            match self.dial(upstream, told).await {
                Ok(dialed) => {
                    upstream.answered();
                    return Ok((dialed, taken));
                }
                Err(error) => {
                    self.failed(upstream, &error);
                    tried.push(place);
                    let is_theirs = error.side() == Side::Upstream;
                    if !is_theirs || tried.len() == self.all.len().min(CALLS_MAX) {
                        return Err(error);
                    }
                }
            }
        }
    }

    async fn dial(&self, upstream: &Upstream, told: Told) -> Result<Dialed, DialError> {
        let mut first = Vec::new();
        if let Some(version) = self.tells {
            proxy_header::print(told, version, &mut first);
        }
        self.dialer.dial_saying(&upstream.endpoint, Protocols::Plain, &first).await
    }

    /// The place of one that was not `tried`, of which there are some.
    fn choose(&self, tried: &[usize], client: Client) -> usize {
        if self.all.len() == 1 {
            return 0;
        }
        let now = self.now();
        let untried = (0..self.all.len()).filter(|place| !tried.contains(place));
        let candidates = untried.map(|place| {
            let Upstream { open, health, .. } = &*self.all[place];
            Candidate { place, in_flight: open.load(Relaxed), is_well: health.is_well(now) }
        });
        self.choice.among(candidates, client).expect("one that was not tried")
    }

    /// Milliseconds since it was made.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn failed(&self, upstream: &Upstream, error: &DialError) {
        if error.side() != Side::Upstream {
            return;
        }
        let news = upstream.health.failed(self.now());
        let error: &dyn Error = error;
        match news {
            Some(News::Fails) => warn!(error, "an upstream gave no answer"),
            Some(News::Rests) => warn!(
                error,
                "an upstream gave no answer again and again: others, if there are any, go first"
            ),
            Some(News::Answers) | None => (),
        }
    }

    /// Calls the upstream at `place` and hangs up. If that fails, it is passed over until it does not.
    async fn look(&self, place: usize) {
        let upstream = &self.all[place];
        let found = self.dial(upstream, Told::Nothing).await;
        if let Err(error) = &found
            && error.side() != Side::Upstream
        {
            // That nobody could be called from here says nothing of it.
            let error: &dyn Error = error;
            return debug!(error, "an upstream was not looked at");
        }
        let checked = if found.is_ok() { Checked::Well } else { Checked::Ill };
        if checked == Checked::Well {
            upstream.answered();
        }
        if upstream.health.checked(checked).is_none() {
            return;
        }
        match found {
            Ok(_) => info!("{} is well again", upstream.endpoint),
            Err(error) => {
                let error: &dyn Error = &error;
                warn!(error, "an upstream is not well, and passed over");
            }
        }
    }
}

/// Looks `every` so often whether each of `upstreams` can be called, until they are gone. Must be
/// called on a runtime.
pub async fn watch(upstreams: Weak<Upstreams>, every: Duration) {
    let count = upstreams.upgrade().map_or(0, |there| there.all.len());
    // Each by itself: one that gives no answer for long does not hold up who looks at others.
    let each = (0..count).map(|place| watch_one(upstreams.clone(), place, every));
    let mut watching = each.collect::<JoinSet<()>>();
    while watching.join_next().await.is_some() {}
}

async fn watch_one(upstreams: Weak<Upstreams>, place: usize, every: Duration) {
    while let Some(there) = upstreams.upgrade() {
        there.look(place).await;
        drop(there);
        tokio::time::sleep(every).await;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use relais_net::{DialLimits, Stream, tls};
    use tokio::net::TcpListener;

    use super::*;

    /// Calls in the clear.
    pub(in crate::streams) fn dialer() -> Arc<Dialer> {
        let (server_name, own) = (None, None);
        let demand = tls::Demand { trust: tls::Trust::Roots(tls::Roots::none()), server_name, own };
        let limits = DialLimits {
            connect_max: Duration::from_secs(5),
            handshake_max: Duration::from_secs(5),
            source: None,
            keepalive: None,
        };
        Arc::new(Dialer::new(limits, tls::Connector::new(&demand).unwrap()))
    }

    const ANN: Client = Client::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const BOB: Client = Client::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    /// Servers, of which the kernel answers, and where they are.
    async fn servers(count: usize) -> (Vec<TcpListener>, Vec<Endpoint>) {
        let mut listeners = Vec::new();
        for _ in 0..count {
            listeners.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
        }
        let at = |listener: &TcpListener| {
            format!("tcp://{}", listener.local_addr().unwrap()).parse().unwrap()
        };
        let endpoints = listeners.iter().map(at).collect();
        (listeners, endpoints)
    }

    fn upstreams(endpoints: &[Endpoint], balance: Balance) -> Upstreams {
        Upstreams::new(endpoints.to_vec(), balance, dialer()).unwrap()
    }

    /// Which is called, by its place in `endpoints`.
    async fn called(
        upstreams: &Upstreams,
        endpoints: &[Endpoint],
        client: Client,
    ) -> (usize, Stream, Taken) {
        let (dialed, taken) = upstreams.call(client, Told::Nothing).await.unwrap();
        let place = endpoints.iter().position(|endpoint| endpoint == taken.endpoint()).unwrap();
        (place, dialed.stream, taken)
    }

    #[tokio::test]
    async fn each_is_called_in_turn() {
        let (_listeners, endpoints) = servers(3).await;
        let upstreams = upstreams(&endpoints, Balance::Round);
        let mut places = Vec::new();
        for _ in 0..6 {
            places.push(called(&upstreams, &endpoints, ANN).await.0);
        }
        assert_eq!(places, [0, 1, 2, 0, 1, 2]);
    }

    #[tokio::test]
    async fn who_has_fewer_connections_is_called_and_they_are_counted_to_their_end() {
        let (_listeners, endpoints) = servers(2).await;
        let upstreams = upstreams(&endpoints, Balance::Least);
        let mut open = Vec::new();
        for _ in 0..8 {
            open.push(called(&upstreams, &endpoints, ANN).await);
        }
        let count = |upstreams: &Upstreams| {
            upstreams.all().iter().map(|upstream| upstream.open()).collect::<Vec<_>>()
        };
        assert_eq!(count(&upstreams), [4, 4]);
        open.retain(|(place, ..)| *place == 1);
        assert_eq!(count(&upstreams), [0, 4]);
        assert_eq!(called(&upstreams, &endpoints, ANN).await.0, 0);
    }

    #[tokio::test]
    async fn a_source_stays_where_it_was() {
        let (_listeners, endpoints) = servers(4).await;
        let upstreams = upstreams(&endpoints, Balance::Source);
        for client in [ANN, BOB] {
            let place = called(&upstreams, &endpoints, client).await.0;
            for _ in 0..5 {
                assert_eq!(called(&upstreams, &endpoints, client).await.0, place);
            }
        }
    }

    #[tokio::test]
    async fn who_does_not_answer_is_passed_over_for_a_while() {
        let (mut listeners, endpoints) = servers(2).await;
        drop(listeners.remove(0));
        let upstreams = upstreams(&endpoints, Balance::Round);
        for _ in 0..6 {
            assert_eq!(called(&upstreams, &endpoints, ANN).await.0, 1);
        }
        assert!(!upstreams.all()[0].health.is_well(upstreams.now()));
        let at = upstreams.all()[0].endpoint().to_string();
        let _back = TcpListener::bind(at.strip_prefix("tcp://").unwrap()).await.unwrap();
        for _ in 0..2 {
            assert_eq!(called(&upstreams, &endpoints, ANN).await.0, 1);
        }
        // What a look finds counts as an answer.
        upstreams.look(0).await;
        let mut places = [
            called(&upstreams, &endpoints, ANN).await.0,
            called(&upstreams, &endpoints, ANN).await.0,
        ];
        places.sort_unstable();
        assert_eq!(places, [0, 1]);
    }

    #[tokio::test]
    async fn where_nobody_answers_the_last_says_why() {
        let (listeners, mut endpoints) = servers(4).await;
        // The same twice are two.
        endpoints.push(endpoints[0].clone());
        drop(listeners);
        let upstreams = upstreams(&endpoints, Balance::Round);
        assert!(matches!(upstreams.call(ANN, Told::Nothing).await, Err(DialError::Refused(_))));
        let failed = |upstream: &&Arc<Upstream>| upstream.health.answered().is_some();
        assert_eq!(upstreams.all().iter().filter(failed).count(), CALLS_MAX);
        assert!(Upstreams::new(Vec::new(), Balance::Round, dialer()).is_none());
    }

    #[tokio::test]
    async fn who_gives_no_answer_does_not_hold_up_a_look_at_others() {
        let (listeners, mut endpoints) = servers(2).await;
        // Its kernel answers, and nobody shakes hands for as long as may be.
        let silent = endpoints[0].to_string().replace("tcp://", "tls://");
        endpoints[0] = silent.parse().unwrap();
        let (there, start) = (Arc::new(upstreams(&endpoints, Balance::Round)), Instant::now());
        let watching = tokio::spawn(watch(Arc::downgrade(&there), Duration::from_millis(1)));
        for _ in 0..3 {
            listeners[1].accept().await.unwrap();
        }
        assert!(start.elapsed() < Duration::from_secs(5));
        watching.abort();
    }

    #[tokio::test]
    async fn a_watch_finds_who_is_not_well_and_ends_with_them() {
        let (mut listeners, endpoints) = servers(2).await;
        drop(listeners.remove(1));
        let there = Arc::new(upstreams(&endpoints, Balance::Round));
        let watching = tokio::spawn(watch(Arc::downgrade(&there), Duration::from_millis(1)));
        let is_well = |place: usize| there.all()[place].health.is_well(there.now());
        while is_well(1) {
            tokio::task::yield_now().await;
        }
        assert!(is_well(0));
        drop(there);
        watching.await.unwrap();
    }
}
