//! Ctrl-C while a client waits: it gives up what it waits for, and what came is kept.
//!
//! It is heard on a thread of its own: the others may be waiting for somebody who reads what they print.

use std::{io, process, sync::Arc, thread, time::Duration};

use anyhow::Context as _;
use tokio::{
    runtime::Builder,
    select,
    signal::unix::SignalKind,
    sync::{Notify, mpsc},
    task::spawn_blocking,
    time::timeout,
};

use crate::{
    output::{Reader, print_on},
    run::Stops,
};

/// How long what is still told or done may take: who is to read it may have stopped reading.
const LAST_WORDS_MAX: Duration = Duration::from_secs(2);

/// Hears it from when it is made on, whatever is done meanwhile. Once this is dropped, the next one ends
/// the program.
#[derive(Debug)]
pub(crate) struct Interrupt {
    /// One that nobody has waited for yet, at most.
    came: mpsc::Receiver<()>,
    /// Told once nothing but last words follows.
    gives_up: Arc<Notify>,
}

/// Somebody did not want to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

impl Interrupt {
    /// Has signals of these `kinds` end nothing any more but who waits for them here. One that nobody
    /// waits for, for so long or until there is another, ends the program all the same.
    pub(crate) fn heard(kinds: &[SignalKind]) -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.context("starting a runtime")?;
        let stops = {
            let _entered = runtime.enter();
            Stops::of(kinds)?
        };
        let (waiting, came) = mpsc::channel(1);
        let gives_up = Arc::new(Notify::new());
        let told = Arc::clone(&gives_up);
        let watching = move || {
            runtime.block_on(pass_on(stops, waiting, &told));
            // The main thread may wait for a reader for ever.
            process::exit(1);
        };
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(watching);
        thread.context("starting a thread")?;
        Ok(Self { came, gives_up })
    }

    /// Waits for it. Cancel safe.
    pub(crate) async fn came(&mut self) {
        self.came.recv().await;
    }

    /// What comes of `work`, unless this comes before: then last words have [`LAST_WORDS_MAX`], or until
    /// it comes again.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Interrupted> {
        select! {
            biased;
            () = self.came() => {
                self.gives_up.notify_one();
                Err(Interrupted)
            }
            done = work => Ok(done),
        }
    }

    /// The same of `work` that waits for somebody who reads, or opens a pipe. If this comes before, it is
    /// left where it is, until the process ends: what it has is not to be touched any more.
    pub(crate) async fn or_blocking<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Interrupted> {
        let done = self.or(spawn_blocking(work)).await?;
        Ok(done.expect("work that neither panics nor is aborted"))
    }

    /// Prints `text` as it is, unless this comes before: then nothing may be printed any more.
    pub(crate) async fn or_printing(
        &mut self,
        text: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<io::Result<Reader>, Interrupted> {
        self.or_blocking(move || print_on(text.as_ref())).await
    }
}

/// Passes signals on to who waits for them, until the program is to end.
async fn pass_on(mut stops: Stops, waiting: mpsc::Sender<()>, gives_up: &Notify) {
    loop {
        select! {
            () = stops.one() => {
                if waiting.try_send(()).is_err() || !is_taken(&waiting, &mut stops).await {
                    return;
                }
            }
            () = gives_up.notified() => {
                _ = timeout(LAST_WORDS_MAX, stops.one()).await;
                return;
            }
        }
    }
}

/// Whether somebody takes what he was sent, or needs it no more, in time and before another comes.
async fn is_taken(waiting: &mpsc::Sender<()>, stops: &mut Stops) -> bool {
    select! {
        taken = timeout(LAST_WORDS_MAX, waiting.reserve()) => taken.is_ok(),
        () = stops.one() => false,
    }
}
