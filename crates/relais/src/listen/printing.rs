//! The thread that prints what callers say.

use std::{
    io,
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use relais_talk::Showcase;
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::Style;
use crate::output::{Reader, print_on};

/// How long the end may take to be printed: a terminal that stands still does not hold us.
const LAST_WORDS_MAX: Duration = Duration::from_secs(1);

/// The same of bytes that are to be whole, of which somebody may have taken some just before.
const LAST_BYTES_MAX: Duration = Duration::from_secs(5);

/// How much is printed at once, before it is seen that some was.
const PIECE_BYTES: usize = 64 << 10;

/// Prints messages, from when it begins until it is dropped.
#[derive(Debug)]
pub(super) struct Printing {
    showcase: Showcase,
    style: Style,
    once: Once,
    /// How many pieces were printed.
    pieces: Arc<AtomicU64>,
    /// Says when all is printed.
    done: Mutex<Option<Receiver<()>>>,
}

/// Bytes that came are not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what came last is not written: nobody reads standard output")]
pub(crate) struct Unprinted;

impl Printing {
    pub(super) fn new(showcase: Showcase, style: Style) -> Self {
        let (once, pieces, done) = (Once::new(), Arc::default(), Mutex::default());
        Self { showcase, style, once, pieces, done }
    }

    /// Begins to print, once.
    pub(super) fn begin(&self) {
        self.once.call_once(|| {
            let (showcase, style) = (self.showcase.clone(), self.style);
            let paper = Paper { lost: None, pieces: Arc::clone(&self.pieces) };
            let (done, waited) = sync_channel(1);
            let work = move || {
                print_all(&showcase, style, paper);
                _ = done.send(());
            };
            match thread::Builder::new().name("printing".to_owned()).spawn(work) {
                Ok(_) => *self.done() = Some(waited),
                Err(error) => error!(%error, "cannot start a thread: nothing will be printed"),
            }
        });
    }

    /// Waits until all that came so far is printed, for as long as somebody takes some of it.
    ///
    /// # Errors
    ///
    /// [`Unprinted`], if nobody did for a while, and it was to be whole.
    pub(super) async fn printed(&self) -> Result<(), Unprinted> {
        if self.done().is_none() {
            return Ok(());
        }
        let is_raw = self.style == Style::Raw;
        let patience = if is_raw { LAST_BYTES_MAX } else { LAST_WORDS_MAX };
        loop {
            let before = self.pieces.load(Ordering::Relaxed);
            if timeout(patience, self.showcase.printed()).await.is_ok() {
                return Ok(());
            }
            if self.pieces.load(Ordering::Relaxed) > before {
                continue;
            }
            if is_raw {
                // It was waited for, and is told.
                self.done().take();
                return Err(Unprinted);
            }
            return Ok(());
        }
    }

    /// Prints what is left, and no more, once. Blocks.
    pub(super) fn end(&self) {
        self.showcase.close();
        if let Some(done) = self.done().take()
            && done.recv_timeout(LAST_WORDS_MAX).is_err()
        {
            warn!("what came last is not printed: nobody reads standard output");
        }
    }

    fn done(&self) -> std::sync::MutexGuard<'_, Option<Receiver<()>>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Printing {
    fn drop(&mut self) {
        self.end();
    }
}

/// Prints to the end. What cannot be printed is dropped, and that is said: callers are none the wiser.
fn print_all(showcase: &Showcase, style: Style, mut paper: Paper) {
    paper.print(style.begin().as_bytes());
    while let Some(next) = showcase.next() {
        paper.print(&style.show(next));
    }
    paper.print(style.end().as_bytes());
}

/// Standard output. A reader that went away may have what it wanted; but callers go on, and whoever
/// watches is to know that nobody sees what they say.
struct Paper {
    /// How many messages were lost since it could be written last; `None` if it can.
    lost: Option<u64>,
    /// How many pieces were printed, or lost.
    pieces: Arc<AtomicU64>,
}

impl Paper {
    fn print(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        let piece = |piece| {
            let printed = print_on(piece);
            self.pieces.fetch_add(1, Ordering::Relaxed);
            printed
        };
        let mut pieces = text.chunks(PIECE_BYTES).map(piece);
        // Behind one that is lost nothing follows.
        let is_bad = |printed: &io::Result<Reader>| !matches!(printed, Ok(Reader::Reads));
        let printed = pieces.find(is_bad).unwrap_or(Ok(Reader::Reads));
        self.judge(printed);
    }

    /// Loud once; then silent until it passes.
    fn judge(&mut self, printed: io::Result<Reader>) {
        let printed = printed.and_then(|reader| match reader {
            Reader::Reads => Ok(()),
            Reader::HasEnough => Err(io::ErrorKind::BrokenPipe.into()),
        });
        match (printed, &mut self.lost) {
            (Ok(()), None) => (),
            (Ok(()), lost) => {
                info!(lost = *lost, "writing to standard output again");
                *lost = None;
            }
            (Err(_), Some(lost)) => *lost += 1,
            (Err(error), lost) => {
                error!(%error, "cannot write to standard output: messages are lost until it passes");
                *lost = Some(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use relais_net::Peer;
    use relais_talk::{LineEnd, Shown};
    use tokio::time::{Instant, sleep};

    use super::*;

    /// A printer's side that prints nothing by itself, with something to be printed.
    fn printing(style: Style) -> Printing {
        let printing = Printing::new(Showcase::new(1 << 20), style);
        // Begun, as far as can be told.
        *printing.done() = Some(sync_channel(1).1);
        printing.showcase.show(Shown {
            at: SystemTime::UNIX_EPOCH,
            on: Arc::new("tcp://127.0.0.1:1".parse().unwrap()),
            from: Peer::Local,
            bytes: vec![b'x'],
            end: LineEnd::None,
            is_cut: false,
        });
        printing
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_to_be_whole_is_waited_for_while_some_of_it_is_taken() {
        let raw = printing(Style::Raw);
        let taking = async {
            for _ in 0..10 {
                sleep(LAST_BYTES_MAX / 2).await;
                raw.pieces.fetch_add(1, Ordering::Relaxed);
            }
            raw.showcase.close();
        };
        let (printed, ()) = tokio::join!(raw.printed(), taking);
        assert_eq!(printed, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_who_takes_nothing() {
        for (style, patience, expect) in
            [(Style::Raw, LAST_BYTES_MAX, Err(Unprinted)), (Style::Json, LAST_WORDS_MAX, Ok(()))]
        {
            let (printing, began) = (printing(style), Instant::now());
            assert_eq!(printing.printed().await, expect);
            assert_eq!(began.elapsed(), patience);
        }
    }

    #[test]
    fn what_is_lost_is_counted_until_it_passes() {
        let mut paper = Paper { lost: None, pieces: Arc::default() };
        let full = || Err(io::ErrorKind::StorageFull.into());
        for (printed, expect) in [
            (Ok(Reader::Reads), None),
            (full(), Some(1)),
            (full(), Some(2)),
            (Ok(Reader::Reads), None),
            (full(), Some(1)),
            (Ok(Reader::Reads), None),
            (Ok(Reader::HasEnough), Some(1)),
            (Ok(Reader::HasEnough), Some(2)),
        ] {
            paper.judge(printed);
            assert_eq!(paper.lost, expect);
        }
    }
}
