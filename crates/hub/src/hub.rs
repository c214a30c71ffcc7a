//! The hub, as a service behind listeners.

use std::{
    cell::RefCell,
    collections::HashMap,
    fmt, io,
    path::Path,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::SystemTime,
};

use relais_net::{Client, Conn, Drain, Fault, Service, Side};
use relais_tap::{By, Ending, Ends, Tap};
use thiserror::Error;
use tokio::{
    sync::{OnceCell, mpsc, oneshot},
    time::Instant,
};
use tracing::debug;

use crate::{
    archive::{Bounds, Reader},
    desk::{Desk, Furniture, Order},
    hall::Hall,
    limits::Limits,
    model::Millis,
    names::Names,
    proof::{HashLimits, LoginLimits, Passwords, Throttle},
    protocol::{Code, Refusal},
    session::{Session, Way},
    store::{self, Broken, Store},
    words::Lang,
};

/// A messaging server.
#[derive(Debug)]
pub struct Hub {
    inner: Arc<Inner>,
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

/// Who may have an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Whoever asks.
    #[default]
    Open,
    /// Nobody who asks.
    Closed,
}

/// Whether passwords may be said in the clear by who calls from elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClearPasswords {
    /// They may not.
    #[default]
    Refused,
    /// They may.
    Taken,
}

/// What calculates for clients.
pub trait Calculator: fmt::Debug + Send + Sync {
    /// What `expr` of `client` comes to, or why it comes to nothing. In bounded time and memory.
    fn calculate(
        &self,
        client: Client,
        expr: String,
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + '_>>;
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

/// What every connection of a hub shares.
#[derive(Debug)]
pub(crate) struct Inner {
    /// Which hub of this process it is.
    number: u64,
    pub(crate) server: String,
    pub(crate) lang: Lang,
    pub(crate) registration: Registration,
    pub(crate) clear_passwords: ClearPasswords,
    pub(crate) limits: Arc<Limits>,
    tap: Tap,
    clock: fn() -> SystemTime,
    pub(crate) random: fn(&mut [u8]),
    pub(crate) calculator: Option<Arc<dyn Calculator>>,
    pub(crate) passwords: Passwords,
    throttle: Mutex<Throttle>,
    orders: mpsc::UnboundedSender<Order>,
}

static HUBS: AtomicU64 = AtomicU64::new(0);

/// How many threads read what was said.
const READERS: usize = 2;

thread_local! {
    /// The hall that each hub has on this core.
    static HALLS: RefCell<HashMap<u64, Arc<OnceCell<Arc<Hall>>>>> = RefCell::default();
}

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
        let (orders, ordered) = mpsc::unbounded_channel();
        let clock = options.clock;
        let furniture =
            Furniture { state, store, reader, archive, names, limits: Arc::clone(&limits), clock };
        let desk = move || Desk::new(furniture).run(ordered);
        thread::Builder::new().name("hub-desk".into()).spawn(desk).map_err(OpenError::Thread)?;
        Ok(Self {
            inner: Arc::new(Inner {
                number: HUBS.fetch_add(1, Ordering::Relaxed),
                server: options.server,
                lang: options.lang,
                registration: options.registration,
                clear_passwords: options.clear_passwords,
                limits,
                tap: options.tap,
                clock,
                random: options.random,
                calculator: options.calculator,
                passwords: Passwords::new(HashLimits::default()),
                throttle: Mutex::new(Throttle::new(LoginLimits::default())),
                orders,
            }),
        })
    }
}

/// How much is told of what was missed, in bytes of JSON.
const MISSED_BYTES_MAX: usize = 1 << 20;

impl Service for Hub {
    async fn serve(&self, conn: Conn, drain: Drain) -> Result<(), Fault> {
        let Conn { stream, peer, local, .. } = conn;
        let inner = &*self.inner;
        let ends = || Ends { client: peer.to_string(), server: local.to_string() };
        let flow = inner.tap.open(ends, (inner.clock)());
        debug!("{peer} ▸ {local}: open");
        let is_private = !stream.is_plain();
        let hall = inner.hall().await?;
        let way = Way { peer, is_private };
        let session = Session::new(inner, hall, stream, (way, &flow));
        let (ended, heard, said) = session.serve(&drain).await;
        let (by, why) = match &ended {
            Ok((by, why)) => (*by, why.clone()),
            Err(fault) => (By::Client, fault.source.to_string().into()),
        };
        debug!("{peer} ▸ {local}: {why}, by {}; {heard} B there, {said} B back", by.name());
        let at = (inner.clock)();
        flow.close(Ending { at, by, why, to_server: heard, to_client: said });
        ended.map(|_| ())
    }

    fn refusal(&self) -> &'static [u8] {
        b"# too many are here already; try again later\n"
    }
}

impl Inner {
    /// What time it is.
    pub(crate) fn now(&self) -> Millis {
        let since = (self.clock)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// Has the desk do something.
    ///
    /// # Errors
    ///
    /// [`Code::Shutdown`], if it is gone.
    pub(crate) fn order(&self, order: Order) -> Result<(), Refusal> {
        self.orders.send(order).map_err(|_| Refusal::of(Code::Shutdown))
    }

    /// Who logs in how often.
    pub(crate) fn throttled<T>(&self, ask: impl FnOnce(&mut Throttle, Instant) -> T) -> T {
        // Nothing that holds the lock can panic half-way through a change.
        ask(&mut self.throttle.lock().unwrap_or_else(PoisonError::into_inner), Instant::now())
    }

    /// The hall of this core, made when it is first needed.
    async fn hall(&self) -> Result<Arc<Hall>, Fault> {
        let cell = HALLS.with_borrow_mut(|halls| Arc::clone(halls.entry(self.number).or_default()));
        let gone = |_| Fault::new(Side::Relais, "opening a hall", io::ErrorKind::BrokenPipe.into());
        let hall = cell.get_or_try_init(|| self.open_hall()).await.map_err(gone)?;
        Ok(Arc::clone(hall))
    }

    async fn open_hall(&self) -> Result<Arc<Hall>, Refusal> {
        let (group, mut groups) = mpsc::unbounded_channel();
        let (number, told) = oneshot::channel();
        self.order(Order::Open { hall: group, number })?;
        let number = told.await.map_err(|_| Refusal::of(Code::Shutdown))?;
        let hall = Hall::new(number);
        let hearing = Arc::clone(&hall);
        tokio::spawn(async move {
            while let Some(group) = groups.recv().await {
                hearing.hear(&group);
            }
        });
        Ok(hall)
    }
}

impl Registration {
    /// As clients are told.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}
