//! The hub, as a service behind listeners.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use relais_net::{Conn, Drain, Endpoint, Fault, Peer, Service};
use relais_tap::{By, Ending, Ends, Tap};
use thiserror::Error;
use tokio::{runtime::Builder, sync::mpsc};
use tracing::debug;

use crate::{
    archive::{Bounds, Reader},
    datagram::{Form, Post},
    desk::{Desk, Furniture, Order},
    limits::Limits,
    names::Names,
    proof::{HashLimits, LoginLimits, Passwords},
    session::{Link, Session, Way},
    shared::{Calculator, ClearPasswords, Registration, Shared, Throttled},
    store::{self, Broken, Store},
    words::Lang,
};

/// A messaging server. A clone is the same.
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
    tap: Tap,
}

/// What a hub is like.
#[derive(Debug)]
pub struct Options {
    /// What it calls itself: name and version.
    pub server: String,
    /// How it speaks to people who do not say.
    pub lang: Lang,
    /// Who may have an account.
    pub registration: Registration,
    /// Whether passwords are taken where others could read them, but for this machine.
    pub clear_passwords: ClearPasswords,
    /// What its datagrams are like.
    pub datagrams: Form,
    /// How much of anything there may be.
    pub limits: Limits,
    /// Where its connections are told of.
    pub tap: Tap,
    /// What time it is.
    pub clock: fn() -> SystemTime,
    /// Bytes that nobody can guess.
    pub random: fn(&mut [u8]),
    /// What calculates, if anything does.
    pub calculator: Option<Arc<dyn Calculator>>,
}

/// Why there is no hub.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Its store.
    #[error("opening the hub's store")]
    Store(#[source] Broken),
    /// A thread of its own.
    #[error("starting a thread of the hub")]
    Thread(#[source] io::Error),
}

static HUBS: AtomicU64 = AtomicU64::new(0);

/// How many threads read what was said.
const READERS: usize = 2;

impl Hub {
    /// The hub whose log is in `file`.
    ///
    /// # Errors
    ///
    /// If that cannot be had, or another process has it.
    pub fn open(file: &Path, options: Options) -> Result<Self, OpenError> {
        let (store, state) = Store::open(file, store::Sync::Full).map_err(OpenError::Store)?;
        let limits = Arc::new(options.limits);
        let names = Arc::new(Names::of(&state));
        let archives = (0..READERS).map(|_| store.archive()).collect::<Result<_, _>>();
        let bounds = Bounds {
            each: limits.missed_a_room_max,
            all: limits.missed_max,
            bytes: MISSED_BYTES_MAX,
        };
        let archives = archives.map_err(OpenError::Store)?;
        let archive = store.archive().map_err(OpenError::Store)?;
        let reader = Reader::start(archives, &names, bounds).map_err(OpenError::Thread)?;
        let (orders, mut ordered) = mpsc::unbounded_channel();
        let clock = options.clock;
        let furniture =
            Furniture { state, store, reader, archive, names, limits: Arc::clone(&limits), clock };
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(OpenError::Thread)?;
        let desk = move || {
            let mut desk = Desk::new(furniture);
            loop {
                let run = AssertUnwindSafe(|| runtime.block_on(desk.run(&mut ordered)));
                match panic::catch_unwind(run) {
                    Ok(()) => return,
                    // The state is read anew, so nothing is half changed.
                    Err(_) => desk.recover(),
                }
            }
        };
        thread::Builder::new().name("hub-desk".into()).spawn(desk).map_err(OpenError::Thread)?;
        Ok(Self {
            tap: options.tap,
            shared: Arc::new(Shared {
                number: HUBS.fetch_add(1, Ordering::Relaxed),
                server: options.server,
                lang: options.lang,
                registration: options.registration,
                clear_passwords: options.clear_passwords,
                post: Post::new(options.datagrams, &limits),
                limits,
                clock,
                random: options.random,
                calculator: options.calculator,
                passwords: Passwords::new(HashLimits::default()),
                throttled: Mutex::new(Throttled::new(LoginLimits::default())),
                orders,
            }),
        })
    }
}

impl Hub {
    /// Brings all that was written into the store's one file, for who copies that; the process ends.
    /// Blocks, but no longer than `patience`.
    pub fn close(&self, patience: Duration) {
        let (closed, done) = std::sync::mpsc::channel();
        if self.shared.order(Order::Close { closed }).is_ok() {
            // Whoever is later is none the worse: the log beside the store has it.
            _ = done.recv_timeout(patience);
        }
    }
}

/// How much is told of what was missed, in bytes of JSON.
const MISSED_BYTES_MAX: usize = 1 << 20;

impl Service for Hub {
    async fn serve(&self, conn: Conn, drain: Drain) -> Result<(), Fault> {
        let Conn { stream, peer, local, .. } = conn;
        let call = Call { peer, local: &local, is_private: !stream.is_plain() };
        self.attend(Link::lines(stream, self.frame_bytes_max()), call, &drain).await
    }

    fn refusal(&self) -> &'static [u8] {
        b"# too many are here already; try again later\n"
    }
}

/// Who calls, where, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'c> {
    pub(crate) peer: Peer,
    pub(crate) local: &'c Endpoint,
    /// Whether others cannot read along.
    pub(crate) is_private: bool,
}

impl Hub {
    /// The longest frame or line.
    pub(crate) fn frame_bytes_max(&self) -> usize {
        self.shared.limits.frame_bytes_max
    }

    /// Who speaks with it by datagrams.
    pub(crate) fn post(&self) -> &Post {
        &self.shared.post
    }

    /// After how long a silence who does is gone.
    pub(crate) fn datagrams_gone_after(&self) -> Duration {
        self.shared.limits.datagrams_gone_after
    }

    /// Holds a session over `link`, to its end.
    ///
    /// # Errors
    ///
    /// What ended it other than well.
    pub(crate) async fn attend(
        &self,
        link: Link,
        call: Call<'_>,
        drain: &Drain,
    ) -> Result<(), Fault> {
        let Call { peer, local, is_private } = call;
        let shared = &*self.shared;
        let ends = || Ends { client: peer.to_string(), server: local.to_string() };
        let flow = self.tap.open(ends, (shared.clock)());
        debug!("{peer} ▸ {local}: open");
        let hall = shared.hall().await?;
        let way = Way { peer, is_private };
        let session = Session::new(shared, hall, link, way);
        let (ended, heard, said) = session.serve(drain).await;
        let (by, why) = match &ended {
            Ok((by, why)) => (*by, why.clone()),
            Err(fault) => (By::Client, fault.source.to_string().into()),
        };
        debug!("{peer} ▸ {local}: {why}, by {}; {heard} B there, {said} B back", by.name());
        let at = (shared.clock)();
        flow.close(Ending { at, by, why, to_server: heard, to_client: said });
        ended.map(|_| ())
    }
}
