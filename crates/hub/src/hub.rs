//! The hub, as a service behind listeners.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use relais_net::{Conn, Drain, Endpoint, Fault, Peer, Service};
use relais_tap::{By, Ending, Ends, Flow, Tap};
use thiserror::Error;
use tokio::{runtime::Builder, sync::mpsc};
use tracing::debug;

use crate::{
    archive::{Bounds, Reader},
    counts::Counts,
    datagram::{Form, Post},
    desk::{Before, Desk, Devices, Furniture, Order},
    limits::Limits,
    model::Millis,
    names::Names,
    proof::{HashLimits, LoginLimits, Passwords},
    session::{End, Link, Session, Way, shown},
    shared::{Calculator, ClearPasswords, Registration, Shared, Throttled},
    store::{self, Broken, Store},
    words::Lang,
};

/// A messaging server. A clone is the same.
#[derive(Clone, Debug)]
pub struct Hub {
    pub(crate) shared: Arc<Shared>,
    /// Its store's.
    pub(crate) file: PathBuf,
    /// Whether nobody had an account when it was opened.
    is_new: bool,
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
        let (mut store, state) = Store::open(file, store::Sync::Full).map_err(OpenError::Store)?;
        let before = Before::of(&store).map_err(OpenError::Store)?;
        let devices = Devices::after(&mut store).map_err(OpenError::Store)?;
        let is_new = state.admins().next().is_none();
        let limits = Arc::new(options.limits.clone());
        let names = Arc::new(Names::of(&state));
        let reader = start_readers(&store, &names, &limits)?;
        let (orders, ordered) = mpsc::unbounded_channel();
        let (tap, clock) = (options.tap.clone(), options.clock);
        let counts = Arc::new(Counts::new(Millis::of(clock())));
        let shared = shared(options, (&limits, &counts), orders);
        let furniture =
            Furniture { state, store, reader, names, limits, clock, before, devices, counts };
        start_desk(furniture, ordered)?;
        Ok(Self { shared: Arc::new(shared), file: file.to_owned(), is_new, tap })
    }
}

/// What connections share of a hub whose desk hears `orders`.
fn shared(
    options: Options,
    (limits, counts): (&Arc<Limits>, &Arc<Counts>),
    orders: mpsc::UnboundedSender<Order>,
) -> Shared {
    Shared {
        number: HUBS.fetch_add(1, Ordering::Relaxed),
        server: options.server,
        lang: options.lang,
        registration: options.registration,
        clear_passwords: options.clear_passwords,
        post: Post::new(options.datagrams, limits),
        limits: Arc::clone(limits),
        counts: Arc::clone(counts),
        clock: options.clock,
        random: options.random,
        calculator: options.calculator,
        passwords: Passwords::new(HashLimits::default()),
        throttled: Mutex::new(Throttled::new(LoginLimits::default())),
        orders,
    }
}

/// Starts the threads that read what was said.
fn start_readers(store: &Store, names: &Arc<Names>, limits: &Limits) -> Result<Reader, OpenError> {
    let archives = (0..READERS).map(|_| store.archive()).collect::<Result<_, _>>();
    let bounds =
        Bounds { each: limits.missed_a_room_max, all: limits.missed_max, bytes: MISSED_BYTES_MAX };
    Reader::start(archives.map_err(OpenError::Store)?, names, bounds).map_err(OpenError::Thread)
}

/// Starts the thread of the desk, which ends once nobody is there to order anything.
fn start_desk(
    furniture: Furniture,
    mut ordered: mpsc::UnboundedReceiver<Order>,
) -> Result<(), OpenError> {
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
    let started = thread::Builder::new().name("hub-desk".into()).spawn(desk);
    started.map(drop).map_err(OpenError::Thread)
}

impl Hub {
    /// Whether nobody had an account when it was opened: the first one administers.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Brings all that was written into the store's one file, for who copies that; the process ends.
    /// Blocks, but no longer than `patience`.
    pub fn close(&self, patience: Duration) {
        self.begin_to_close().wait(patience);
    }

    /// The same; what is given waits for it.
    pub fn begin_to_close(&self) -> Closing {
        let (closed, done) = std::sync::mpsc::channel();
        // A desk that is gone has nothing to write, and nobody who would tell.
        _ = self.shared.order(Order::Close { closed });
        Closing { done }
    }
}

/// A hub that was told to bring all that was written into its store's file.
#[derive(Debug)]
pub struct Closing {
    done: std::sync::mpsc::Receiver<()>,
}

impl Closing {
    /// Waits until that is done. Blocks, but no longer than `patience`.
    pub fn wait(self, patience: Duration) {
        // Whoever is later is none the worse: the log beside the store has it.
        _ = self.done.recv_timeout(patience);
    }
}

/// How much is told of what was missed, in bytes of JSON.
const MISSED_BYTES_MAX: usize = 1 << 20;

impl Service for Hub {
    // The future has no room for all of `conn`, and for its parts once more.
    fn serve(&self, conn: Conn, drain: Drain) -> impl Future<Output = Result<(), Fault>> + Send {
        let Conn { stream, peer, local, tls, .. } = conn;
        let flow = self.begin(peer, &local);
        let certificate = shown(tls.as_ref());
        let way = Way { peer, is_private: !stream.is_plain(), certificate };
        let link = Link::lines(stream, self.frame_bytes_max());
        async move {
            let hall = self.shared.hall().await?;
            let told = Session::new(&self.shared, hall, link, way).serve(&drain).await;
            self.end(flow, (peer, &local), told)
        }
    }

    fn refusal(&self) -> &'static [u8] {
        b"# too many are here already; try again later\n"
    }
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

    /// What its connections share.
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Tells of a call of `peer`'s at `local`.
    pub(crate) fn begin(&self, peer: Peer, local: &Endpoint) -> Flow {
        debug!("{peer} ▸ {local}: open");
        let ends = || Ends { client: peer.to_string(), server: local.to_string() };
        self.tap.open(ends, (self.shared.clock)())
    }

    /// Tells how the session ended that it led to.
    ///
    /// # Errors
    ///
    /// What ended it other than well.
    pub(crate) fn end(
        &self,
        flow: Flow,
        (peer, local): (Peer, &Endpoint),
        (ended, heard, said): (Result<End, Fault>, u64, u64),
    ) -> Result<(), Fault> {
        let (by, why) = match &ended {
            Ok((by, why)) => (*by, why.clone()),
            Err(fault) => (By::Client, fault.source.to_string().into()),
        };
        debug!("{peer} ▸ {local}: {why}, by {}; {heard} B there, {said} B back", by.name());
        let at = (self.shared.clock)();
        flow.close(Ending { at, by, why, to_server: heard, to_client: said });
        ended.map(|_| ())
    }
}
