//! The thread that prints what callers say.

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use relais_talk::Showcase;
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::Style;
use crate::output::Unbuffered;

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
    progress: Arc<Progress>,
    /// Says when all is printed.
    done: Mutex<Option<Receiver<()>>>,
}

/// What the thread lets be seen.
#[derive(Debug, Default)]
struct Progress {
    /// How many pieces were printed, or lost.
    pieces: AtomicU64,
    /// Whether some of what came was ever lost.
    is_lost: AtomicBool,
}

/// Bytes that came are not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unprinted {
    /// They wait for somebody who takes them.
    #[error("what came last is not written: nobody reads standard output")]
    Unread,
    /// They could not be written when they came.
    #[error("a part of what came is not written: standard output did not take it")]
    Lost,
}

impl Printing {
    pub(super) fn new(showcase: Showcase, style: Style) -> Self {
        let (once, progress, done) = (Once::new(), Arc::default(), Mutex::default());
        Self { showcase, style, once, progress, done }
    }

    /// Begins to print, once.
    pub(super) fn begin(&self) {
        self.once.call_once(|| {
            let (showcase, style) = (self.showcase.clone(), self.style);
            let paper = Paper::new(Unbuffered, style, Arc::clone(&self.progress));
            let (done, waited) = sync_channel(1);
            let work = move || {
                print_all(&showcase, style, paper);
                _ = done.send(());
            };
            match thread::Builder::new().name("printing".to_owned()).spawn(work) {
                Ok(_) => *self.done() = Some(waited),
                Err(error) => {
                    error!(%error, "cannot start a thread: nothing will be printed");
                    self.progress.is_lost.store(true, Ordering::Relaxed);
                }
            }
        });
    }

    /// Waits until all that came so far is printed, for as long as somebody takes some of it.
    ///
    /// # Errors
    ///
    /// [`Unprinted`], if nobody did for a while, or some was lost before, and it was to be whole.
    pub(super) async fn printed(&self) -> Result<(), Unprinted> {
        let is_raw = self.style == Style::Raw;
        let patience = if is_raw { LAST_BYTES_MAX } else { LAST_WORDS_MAX };
        let is_taken = self.done().is_none() || self.wait_until_taken(patience).await;
        if !is_raw {
            return Ok(());
        }
        if !is_taken {
            // It was waited for, and is told.
            self.done().take();
            return Err(Unprinted::Unread);
        }
        if self.progress.is_lost.load(Ordering::Relaxed) { Err(Unprinted::Lost) } else { Ok(()) }
    }

    /// Waits until all is printed, or nobody takes any of it for `patience`. Gives whether all is.
    async fn wait_until_taken(&self, patience: Duration) -> bool {
        loop {
            let before = self.progress.pieces.load(Ordering::Relaxed);
            if timeout(patience, self.showcase.printed()).await.is_ok() {
                return true;
            }
            if self.progress.pieces.load(Ordering::Relaxed) == before {
                return false;
            }
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
fn print_all(showcase: &Showcase, style: Style, mut paper: Paper<impl Write>) {
    paper.print(style.begin().as_bytes());
    while let Some(next) = showcase.next() {
        paper.print(&style.show(next));
    }
    paper.print(style.end().as_bytes());
}

/// Standard output. A reader that went away may have what it wanted; but callers go on, and whoever
/// watches is to know that nobody sees what they say.
struct Paper<W> {
    out: W,
    style: Style,
    /// How many messages were lost since it could be written last; `None` if it can.
    lost: Option<u64>,
    /// Whether what was written last is a part of a message.
    is_torn: bool,
    progress: Arc<Progress>,
}

impl<W: Write> Paper<W> {
    fn new(out: W, style: Style, progress: Arc<Progress>) -> Self {
        Self { out, style, lost: None, is_torn: false, progress }
    }

    /// Prints a message. One that is torn is ended first: what followed in its line would be taken for a
    /// part of it.
    fn print(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        let ended =
            if self.is_torn && self.style != Style::Raw { self.write(b"\n") } else { Ok(()) };
        let printed = ended.and_then(|()| self.write(text));
        self.judge(printed);
    }

    /// Writes all of it. Behind what is lost nothing follows.
    fn write(&mut self, mut text: &[u8]) -> io::Result<()> {
        while !text.is_empty() {
            let written = self.out.write(&text[..text.len().min(PIECE_BYTES)]);
            self.progress.pieces.fetch_add(1, Ordering::Relaxed);
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => {
                    text = &text[bytes..];
                    self.is_torn = !text.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Loud once; then silent until it passes.
    fn judge(&mut self, printed: io::Result<()>) {
        match (printed, &mut self.lost) {
            (Ok(()), None) => (),
            (Ok(()), lost) => {
                info!(lost = *lost, "writing to standard output again");
                *lost = None;
            }
            (Err(_), Some(lost)) => *lost += 1,
            (Err(error), lost) => {
                error!(%error, "cannot write to standard output: messages are lost until it passes");
                self.progress.is_lost.store(true, Ordering::Relaxed);
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
                raw.progress.pieces.fetch_add(1, Ordering::Relaxed);
            }
            raw.showcase.close();
        };
        let (printed, ()) = tokio::join!(raw.printed(), taking);
        assert_eq!(printed, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_who_takes_nothing() {
        for (style, patience, expect) in [
            (Style::Raw, LAST_BYTES_MAX, Err(Unprinted::Unread)),
            (Style::Json, LAST_WORDS_MAX, Ok(())),
        ] {
            let (printing, began) = (printing(style), Instant::now());
            assert_eq!(printing.printed().await, expect);
            assert_eq!(began.elapsed(), patience);
        }
    }

    /// A disk with room for so much.
    #[derive(Debug, Default)]
    struct Disk {
        room: usize,
        written: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let fits = bytes.len().min(self.room);
            if fits == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= fits;
            self.written.extend_from_slice(&bytes[..fits]);
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn paper(style: Style) -> Paper<Disk> {
        Paper::new(Disk::default(), style, Arc::default())
    }

    #[test]
    fn what_is_lost_is_counted_until_it_passes() {
        let mut paper = paper(Style::Plain);
        for (room, expect) in
            [(2, None), (0, Some(1)), (1, Some(2)), (9, None), (0, Some(1)), (9, None)]
        {
            paper.out.room = room;
            paper.print(b"a\n");
            assert_eq!(paper.lost, expect);
        }
        assert_eq!(paper.out.written, b"a\na\na\na\n");
    }

    #[test]
    fn what_is_torn_is_ended_before_the_next_is_printed() {
        for (style, room, expect) in [
            (Style::Json, 5, "{1}\n{\n{3}\n"),
            // Only its line end was missing.
            (Style::Json, 7, "{1}\n{2}\n{3}\n"),
            // Nothing of it was written.
            (Style::Json, 4, "{1}\n{3}\n"),
            (Style::Raw, 5, "{1}\n{{3}\n"),
        ] {
            let mut paper = paper(style);
            paper.out.room = room;
            paper.print(b"{1}\n");
            paper.print(b"{2}\n");
            // At first there is no room for the line end either.
            paper.print(b"{2}\n");
            paper.out.room = 100;
            paper.print(b"{3}\n");
            assert_eq!(String::from_utf8_lossy(&paper.out.written), expect, "{style:?} {room}");
        }
    }

    #[test]
    fn a_torn_line_that_is_ended_where_there_is_no_more_room_is_not_ended_again() {
        let mut paper = paper(Style::Plain);
        for (room, text) in [(1, b"ab\n"), (1, b"cd\n"), (100, b"ef\n")] {
            paper.out.room = room;
            paper.print(text);
        }
        assert_eq!(paper.out.written, b"a\nef\n");
    }

    #[tokio::test]
    async fn what_was_to_be_whole_and_is_not_is_told_at_the_end() {
        for (style, expect) in [(Style::Raw, Err(Unprinted::Lost)), (Style::Json, Ok(()))] {
            let printing = Printing::new(Showcase::new(1 << 20), style);
            let mut paper = Paper::new(Disk::default(), style, Arc::clone(&printing.progress));
            assert_eq!(printing.printed().await, Ok(()));
            paper.print(b"a");
            paper.out.room = 1;
            paper.print(b"b");
            assert_eq!((printing.printed().await, paper.lost), (expect, None));
        }
    }
}
