//! Echo over a stream: bytes go back as they came, as fast as they come, but for the word that ends
//! it.

use std::{cell::RefCell, future::poll_fn, io, ops::ControlFlow, pin::Pin, task::Poll};

use relais_net::{Drain, Fault, Stream};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use super::reading::is_end;
use crate::{
    dialogues::Dialogues,
    lines::SILENCE,
    passing::{End, Passed, closed, fault, idle, last_word, linger, send, told_to_stop},
    watching::{Seen, Watching},
};

/// How much is on its way back at once.
const BUFFER_BYTES: usize = 64 << 10;

thread_local! {
    /// Every dialogue of a core reads here: one that waits has no buffer.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER_BYTES]);
}

/// A dialogue.
struct Echoing<'e> {
    stream: Stream,
    watching: Watching,
    /// What could not be sent at once. Mostly nothing.
    unsent: Vec<u8>,
    passed: &'e mut Passed,
}

pub(super) async fn serve(
    all: &Dialogues,
    stream: Stream,
    drain: &Drain,
    passed: &mut Passed,
) -> Result<End, Fault> {
    let watching = Watching::of(all.word.bytes());
    let mut echoing = Echoing { stream, watching, unsent: Vec::new(), passed };
    let idle_max = all.limits.idle_max;
    let end: End = loop {
        let may_be_whole = echoing.watching.may_be_whole();
        let patience = if may_be_whole { SILENCE } else { idle_max };
        // Asked before bytes are: somebody who never stops is not to keep us from it.
        if drain.is_requested() {
            break told_to_stop();
        }
        let step = tokio::select! {
            biased;
            step = poll_fn(|cx| echoing.poll_step(cx)) => step,
            () = drain.requested() => break told_to_stop(),
            () = tokio::time::sleep(patience) => {
                break if may_be_whole { last_word() } else { idle(idle_max) };
            }
        };
        let step = step.map_err(|error| fault("passing bytes back", error))?;
        // TLS may keep a part of what it took until it is asked.
        if !echoing.unsent.is_empty() || matches!(echoing.stream, Stream::Tls(_)) {
            let unsent = std::mem::take(&mut echoing.unsent);
            send(&mut echoing.stream, &unsent, idle_max).await?;
            echoing.passed.say(&unsent);
        }
        if let ControlFlow::Break(end) = step {
            break end;
        }
    };
    linger(&mut echoing.stream).await;
    Ok(end)
}

impl Echoing<'_> {
    /// Reads once and sends back at once what the socket takes; the rest is `unsent`.
    fn poll_step(&mut self, cx: &mut std::task::Context<'_>) -> Poll<io::Result<ControlFlow<End>>> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            match Pin::new(&mut self.stream).poll_read(cx, &mut read) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) if is_end(&error) => {
                    return Poll::Ready(Ok(ControlFlow::Break(closed())));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => (),
            }
            let bytes = read.filled();
            if bytes.is_empty() {
                return Poll::Ready(Ok(ControlFlow::Break(closed())));
            }
            self.passed.hear(bytes);
            let Seen { late, now, is_over } = self.watching.watch(bytes);
            let step =
                if is_over { ControlFlow::Break(last_word()) } else { ControlFlow::Continue(()) };
            // What was held back of a read before has to go first.
            self.unsent.extend_from_slice(&late);
            if let Err(error) = self.send(cx, &bytes[..now]) {
                return Poll::Ready(Err(error));
            }
            Poll::Ready(Ok(step))
        })
    }

    fn send(&mut self, cx: &mut std::task::Context<'_>, bytes: &[u8]) -> io::Result<()> {
        let mut sent = 0;
        if self.unsent.is_empty() && !bytes.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, bytes) {
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Ready(Ok(count)) => sent = count,
                Poll::Pending => (),
            }
        }
        self.passed.say(&bytes[..sent]);
        self.unsent.extend_from_slice(&bytes[sent..]);
        Ok(())
    }
}
