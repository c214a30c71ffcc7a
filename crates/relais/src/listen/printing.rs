//! The thread that prints what callers say.

use std::{
    io,
    sync::{
        Mutex, Once, PoisonError,
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use relais_talk::Showcase;
use tracing::{error, info, warn};

use super::Style;
use crate::output::{Reader, print_on};

/// How long the end may take to be printed: a terminal that stands still does not hold us.
const LAST_WORDS_MAX: Duration = Duration::from_secs(1);

/// Prints messages, from when it begins until it is dropped.
#[derive(Debug)]
pub(super) struct Printing {
    showcase: Showcase,
    style: Style,
    once: Once,
    /// Says when all is printed.
    done: Mutex<Option<Receiver<()>>>,
}

impl Printing {
    pub(super) fn new(showcase: Showcase, style: Style) -> Self {
        Self { showcase, style, once: Once::new(), done: Mutex::default() }
    }

    /// Begins to print, once.
    pub(super) fn begin(&self) {
        self.once.call_once(|| {
            let (showcase, style) = (self.showcase.clone(), self.style);
            let (done, waited) = sync_channel(1);
            let work = move || {
                print_all(&showcase, style);
                _ = done.send(());
            };
            match thread::Builder::new().name("printing".to_owned()).spawn(work) {
                Ok(_) => *self.done() = Some(waited),
                Err(error) => error!(%error, "cannot start a thread: nothing will be printed"),
            }
        });
    }

    /// Prints what is left, and no more, once. Blocks.
    pub(super) fn end(&self) {
        self.showcase.close();
        if let Some(done) = self.done().take()
            && done.recv_timeout(LAST_WORDS_MAX).is_err()
        {
            warn!("the last messages are not printed: nobody reads standard output");
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
fn print_all(showcase: &Showcase, style: Style) {
    let mut paper = Paper { lost: None };
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
}

impl Paper {
    fn print(&mut self, text: &[u8]) {
        if !text.is_empty() {
            self.judge(print_on(text));
        }
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
    use super::*;

    #[test]
    fn what_is_lost_is_counted_until_it_passes() {
        let mut paper = Paper { lost: None };
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
