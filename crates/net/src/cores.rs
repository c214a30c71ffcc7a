//! One runtime per core. A connection stays on its core: no lock and no cache line is shared on
//! its way.

use std::{
    cell::Cell,
    io,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle},
    time::Instant,
};

use crate::Drained;

/// The threads that connections live on, each with a runtime of its own.
///
/// They run until the process ends, until they are [ended](Cores::end), or until the last clone is gone;
/// what is still on them ends then, too.
#[derive(Clone, Debug)]
pub struct Cores {
    cores: Arc<[Core]>,
}

#[derive(Debug)]
struct Core {
    handle: Handle,
    seated: Arc<AtomicUsize>,
    /// `None` once it was ended.
    life: Mutex<Option<Life>>,
}

/// A core's thread.
#[derive(Debug)]
struct Life {
    /// It leaves when this is dropped.
    stay: tokio::sync::oneshot::Sender<()>,
    /// Closed once it has left.
    left: mpsc::Receiver<()>,
}

/// A connection's place on one core. Counted until it is dropped.
#[derive(Debug)]
pub struct Seat {
    handle: Handle,
    seated: Arc<AtomicUsize>,
}

impl Cores {
    /// Starts `count` threads.
    ///
    /// # Errors
    ///
    /// What the system says when it has no thread or no descriptor for us.
    pub fn start(count: NonZeroUsize) -> io::Result<Self> {
        let cores = (0..count.get()).map(Core::start).collect::<io::Result<_>>()?;
        Ok(Self { cores })
    }

    /// A seat on the core that has the fewest.
    ///
    /// Counting beats hashing by the kernel (`SO_REUSEPORT`) when connections are few and long:
    /// four callers on two cores are two and two, never four and none.
    pub fn seat(&self) -> Seat {
        let core = self
            .cores
            .iter()
            .min_by_key(|core| core.seated.load(Ordering::Relaxed))
            .expect("at least one core");
        core.seated.fetch_add(1, Ordering::Relaxed);
        Seat { handle: core.handle.clone(), seated: Arc::clone(&core.seated) }
    }

    /// Ends all that is still on the cores, and waits until it is dropped, but no longer than `patience`.
    /// Blocks; not to be called on a core. Nothing is served after that.
    pub fn end(&self, patience: Duration) -> Drained {
        let end = Instant::now() + patience;
        // All are told before one is waited for.
        let left: Vec<_> = self.cores.iter().filter_map(Core::leave).collect();
        let is_late = |left: mpsc::Receiver<()>| {
            let left = left.recv_timeout(end.saturating_duration_since(Instant::now()));
            left == Err(mpsc::RecvTimeoutError::Timeout)
        };
        if left.into_iter().any(is_late) { Drained::TimedOut } else { Drained::InTime }
    }

    /// The first core: where listeners wait.
    pub fn first(&self) -> &Handle {
        &self.cores[0].handle
    }
}

/// How many events tokio takes from the kernel at once.
const EVENTS_MAX: u32 = 1024;

thread_local! {
    static TURN: Cell<u64> = const { Cell::new(0) };
    static ENDS: Cell<bool> = const { Cell::new(false) };
}

/// Whether what is dropped now is so because its core ends, and not because somebody is done with it.
pub fn core_ends() -> bool {
    ENDS.get()
}

/// Which turn the current core is at: one wait for events, and the tasks that they woke.
///
/// What was true of the world since a turn began is true for every request of that turn, as each
/// was on its way before it: so a file's state is asked for once a turn, not once a request. 0 on a
/// thread that is no core, where there are no turns. Two cores never have the same.
///
/// A core that never waits, because tasks yield to each other, may keep its turn while new events
/// come. Who relies on turns bounds their age, too.
pub fn turn() -> u64 {
    TURN.get()
}

/// Where the turns of a core begin: no two cores have one in common.
fn first_turn(index: usize) -> u64 {
    (u64::try_from(index).expect("a number of cores") << 48) + 1
}

impl Core {
    fn start(index: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // As many tasks as the kernel reports events at once: all of a turn run before the next.
            .event_interval(EVENTS_MAX)
            .on_thread_unpark(|| TURN.set(TURN.get() + 1))
            .build()?;
        let handle = runtime.handle().clone();
        let (stay, leave) = tokio::sync::oneshot::channel();
        let (leaves, left) = mpsc::channel();
        thread::Builder::new().name(format!("relais-core-{index}")).spawn(move || {
            TURN.set(first_turn(index));
            // An error is the sender's end, which is what is waited for.
            _ = runtime.block_on(leave);
            ENDS.set(true);
            // What a thread of its own does for it is not waited for.
            runtime.shutdown_background();
            drop(leaves);
        })?;
        let life = Mutex::new(Some(Life { stay, left }));
        Ok(Self { handle, seated: Arc::default(), life })
    }

    /// Tells its thread to leave, if nobody did. Gives what tells when it has.
    fn leave(&self) -> Option<mpsc::Receiver<()>> {
        let life = self.life.lock().unwrap_or_else(PoisonError::into_inner).take();
        life.map(|Life { stay, left }| {
            drop(stay);
            left
        })
    }
}

impl Seat {
    /// The runtime of the seat's core. Spawning there gives up nothing: hold the seat in the task.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seated.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says whether its core ended when it was dropped.
    struct Dropped(mpsc::Sender<bool>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.send(core_ends()).unwrap();
        }
    }

    #[test]
    fn what_is_on_a_core_is_dropped_once_it_is_ended_and_knows_why() {
        let cores = Cores::start(NonZeroUsize::MIN).unwrap();
        let (tell, told) = mpsc::channel();
        let (done, cut) = (Dropped(tell.clone()), Dropped(tell));
        cores.first().spawn(async move { drop(done) });
        assert_eq!(told.recv_timeout(Duration::from_secs(5)), Ok(false));
        cores.first().spawn(async move {
            let _cut = cut;
            std::future::pending::<()>().await;
        });
        assert_eq!(cores.end(Duration::from_secs(5)), Drained::InTime);
        assert_eq!(told.try_recv(), Ok(true));
        assert_eq!(cores.end(Duration::ZERO), Drained::InTime, "there is nobody any more");
    }

    #[test]
    fn who_does_not_leave_a_core_is_not_waited_for_any_longer() {
        let cores = Cores::start(NonZeroUsize::MIN).unwrap();
        let (go, told) = mpsc::channel::<()>();
        let (say, on_core) = mpsc::channel();
        cores.first().spawn(async move {
            say.send(()).unwrap();
            _ = told.recv();
        });
        on_core.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(cores.end(Duration::from_millis(10)), Drained::TimedOut);
        drop(go);
    }

    #[test]
    fn each_wait_begins_a_turn() {
        assert_eq!(turn(), 0);
        let cores = Cores::start(NonZeroUsize::MIN).unwrap();
        let (tell, told) = mpsc::channel();
        let ask = || {
            let tell = tell.clone();
            cores.first().spawn(async move { tell.send(turn()).unwrap() });
            told.recv_timeout(Duration::from_secs(5)).unwrap()
        };
        let first = ask();
        assert!(first > 0);
        // The core waits sooner or later, as nothing keeps it from that.
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            let next = ask();
            assert!(next >= first && Instant::now() < end, "still at {next}, as at {first}");
            if next > first {
                break;
            }
        }
    }

    #[test]
    fn cores_have_no_turn_in_common() {
        let (first, second) = (first_turn(0), first_turn(1));
        assert!(first > 0 && second - first > 1 << 40, "{first} {second}");
    }

    #[test]
    fn few_and_long_connections_are_shared_out_evenly() {
        let cores = Cores::start(NonZeroUsize::new(2).unwrap()).unwrap();
        let seats: Vec<_> = (0..4).map(|_| cores.seat()).collect();
        let counts = |cores: &Cores| {
            cores.cores.iter().map(|core| core.seated.load(Ordering::Relaxed)).collect::<Vec<_>>()
        };
        assert_eq!(counts(&cores), [2, 2]);
        drop(seats);
        assert_eq!(counts(&cores), [0, 0]);
    }
}
