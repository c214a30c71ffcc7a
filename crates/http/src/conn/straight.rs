//! The straight way of a request: read, asked and answered in one go, without hyper.
//!
//! Most requests are a GET whose head comes in one read, with nothing behind it, and whose answer
//! is one piece of memory, or so many bytes that come from an upstream. What hyper does for all others costs more than answering these. So a
//! connection begins here and waits here, and hyper is called in for what is out of the ordinary:
//! it reads what was read as if nobody had, and gets the answer if there is one already.

use std::{
    cell::RefCell,
    future::{poll_fn, ready},
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use relais_net::{Drain, Fault};
use relais_wire::http1::Guard;
use tokio::io::{AsyncWrite as _, ReadBuf};

use super::{
    Limits,
    asking::Asking,
    head::{self, Behind},
    limits::SWEEP,
    pulse::Judged,
    sweep::{Stop, Sweep},
    transport::Transport,
    unsent::{Cut, Payload, Unsent},
};
use crate::{Answer, Ask, spare};

/// A longer head takes the long way.
const HEAD_BYTES_MAX: usize = 8 * 1024;

thread_local! {
    /// Where requests are read, one at a time.
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; HEAD_BYTES_MAX]);
    /// Where heads of answers are printed.
    static PRINTED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Why a connection leaves the straight way.
#[derive(Debug)]
pub(super) enum Left {
    /// For hyper, which is to read what comes next.
    Long,
    /// To rest: nothing was asked for a while.
    AtRest,
    /// It is over: we are to stop, or the client has gone or is broken.
    Over(io::Result<()>),
    /// The same, as the last answer says, behind which a client may have said more.
    Last,
    /// An answer broke off that the client knows the length of.
    Cut(io::Error),
    /// It took too long.
    Judged(Judged),
}

/// Answers what is asked on `transport`, which stands between two requests, until one needs more.
pub(super) async fn walk(
    transport: &mut Transport,
    asking: &Asking,
    limits: &Limits,
    drain: &Drain,
) -> Left {
    let (mut timer, mut word) = (pin!(tokio::time::sleep(SWEEP)), pin!(drain.requested()));
    let mut sweep = Sweep::new(timer.as_mut());
    let mut stop = Stop::new(drain, word.as_mut());
    let seen = asking.pulse.answers();
    let mut walk = Walk {
        transport,
        asking,
        waiting: None,
        drain,
        unsent: Unsent::default(),
        answering: false,
        behind: Behind::Next,
        seen,
    };
    poll_fn(|cx| match walk.poll(cx, &mut stop) {
        Poll::Pending => walk.poll_sweep(cx, &mut sweep, limits),
        left @ Poll::Ready(_) => left,
    })
    .await
}

struct Walk<'a> {
    transport: &'a mut Transport,
    asking: &'a Asking,
    drain: &'a Drain,
    /// A request whose answer is waited for.
    waiting: Option<Waiting>,
    unsent: Unsent,
    /// An answer was begun, and is not flushed.
    answering: bool,
    /// What the last answer says of the connection.
    behind: Behind,
    /// Answers there had been at the last sweep.
    seen: u64,
}

/// A request whose answer is waited for.
struct Waiting {
    answer: Pin<Box<dyn Future<Output = Result<Answer, Fault>> + Send>>,
    /// What was read.
    head: Bytes,
    /// What the guard is after that.
    passed: Guard,
}

/// What the straight way makes of what came in.
enum Taken {
    /// A request; its answer is on its way, or waited for.
    Asked,
    /// Nothing: it is for hyper.
    Nothing,
}

impl Walk<'_> {
    fn poll<F: Future<Output = ()>>(
        &mut self,
        cx: &mut Context<'_>,
        stop: &mut Stop<'_, F>,
    ) -> Poll<Left> {
        loop {
            if self.answering
                && let Err(cut) = ready!(self.poll_send(cx))
            {
                return Poll::Ready(match cut {
                    Cut::Connection(error) => Left::Over(Err(error)),
                    Cut::Body(error) => Left::Cut(error),
                });
            }
            if self.behind == Behind::End {
                return Poll::Ready(Left::Last);
            }
            if self.waiting.is_some() {
                match ready!(self.poll_waiting(cx)) {
                    Some(left) => return Poll::Ready(left),
                    // What is left of its answer is sent before anything else is read.
                    None => continue,
                }
            }
            let left = READ.with_borrow_mut(|room| {
                let mut room = ReadBuf::new(room);
                if let Err(error) = ready!(self.transport.poll_read_unjudged(cx, &mut room)) {
                    return Poll::Ready(Some(Left::Over(Err(error))));
                }
                let came = room.filled();
                if came.is_empty() {
                    return Poll::Ready(Some(Left::Over(Ok(()))));
                }
                match self.take(cx, came) {
                    Ok(Taken::Asked) => Poll::Ready(None),
                    Ok(Taken::Nothing) => {
                        self.transport.put_back(came);
                        Poll::Ready(Some(Left::Long))
                    }
                    Err(error) => Poll::Ready(Some(Left::Over(Err(error)))),
                }
            });
            match left {
                Poll::Ready(None) => (),
                Poll::Ready(Some(left)) => return Poll::Ready(left),
                // What was asked before we were told to stop is answered.
                Poll::Pending if stop.is_requested(cx) && !self.transport.has_unread() => {
                    return Poll::Ready(Left::Over(Ok(())));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Answers the request that `came` is, if it is one for the straight way.
    fn take(&mut self, cx: &mut Context<'_>, came: &[u8]) -> io::Result<Taken> {
        let Some(passed) = self.transport.guard_after(came) else { return Ok(Taken::Nothing) };
        let Some((request, head)) = head::read(came) else { return Ok(Taken::Nothing) };
        let Asking { handler, caller, pulse, .. } = self.asking;
        let mut ask = Ask::new(request, Arc::clone(caller));
        let Some(answer) = handler.load().at_once_dyn(&ask) else {
            pulse.asked();
            ask.interim = Some(pulse.interims().open());
            let answer = Box::pin(self.asking.answer(ask));
            self.waiting = Some(Waiting { answer, head, passed });
            return Ok(Taken::Asked);
        };
        spare::keep(ask.request.into_parts().0.headers);
        match plain(answer) {
            Ok((answer, body)) => {
                pulse.asked();
                self.send(cx, passed, (answer, body))?;
                Ok(Taken::Asked)
            }
            Err(answer) => {
                pulse.prepare(answer);
                Ok(Taken::Nothing)
            }
        }
    }

    /// Waits for the answer that is waited for, if one is, and begins to send it.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Option<Left>> {
        let Some(Waiting { answer, .. }) = &mut self.waiting else { return Poll::Ready(None) };
        let polled = answer.as_mut().poll(cx);
        let interims = self.asking.pulse.interims();
        if interims.are_due() {
            // They go before the answer, which is looked at again then.
            if let Poll::Ready(answered) = polled {
                *answer = Box::pin(ready(answered));
            }
            let flushed = ready!(Pin::new(&mut *self.transport).poll_flush(cx));
            return Poll::Ready(flushed.err().map(|error| Left::Over(Err(error))));
        }
        let answer = ready!(polled);
        interims.close();
        let Some(Waiting { head, passed, .. }) = self.waiting.take() else {
            return Poll::Ready(None);
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(fault) => return Poll::Ready(Some(Left::Over(Err(fault.source)))),
        };
        Poll::Ready(match plain(answer) {
            Ok(plain) => {
                if let Err(error) = self.send(cx, passed, plain) {
                    return Poll::Ready(Some(Left::Over(Err(error))));
                }
                // Many may have waited for the same: their heads go out before any long body.
                if self.unsent.is_lent() || self.unsent.is_coming() {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                None
            }
            Err(answer) => {
                // hyper is asked again, and counts it then.
                self.asking.pulse.given_up();
                self.asking.pulse.prepare(answer);
                self.transport.put_back(&head);
                Some(Left::Long)
            }
        })
    }

    /// Begins to send an answer with this body.
    fn send(
        &mut self,
        cx: &mut Context<'_>,
        passed: Guard,
        (answer, body): (Answer, Payload),
    ) -> io::Result<()> {
        self.transport.pass(passed);
        self.asking.pulse.answering();
        self.answering = true;
        self.behind = if self.drain.is_requested() { Behind::End } else { Behind::Next };
        PRINTED.with_borrow_mut(|printed| {
            printed.clear();
            head::print(&answer, body.len(), self.behind, printed);
            self.unsent = Unsent::begin(self.transport, cx, printed, body)?;
            spare::keep(answer.into_parts().0.headers);
            Ok(())
        })
    }

    /// Sends the rest of an answer.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cut>> {
        ready!(self.unsent.poll_send(self.transport, cx))?;
        ready!(Pin::new(&mut *self.transport).poll_flush(cx)).map_err(Cut::Connection)?;
        self.answering = false;
        self.asking.pulse.answered();
        Poll::Ready(Ok(()))
    }

    fn poll_sweep(
        &mut self,
        cx: &mut Context<'_>,
        sweep: &mut Sweep<'_>,
        limits: &Limits,
    ) -> Poll<Left> {
        ready!(sweep.poll_due(cx));
        let answers = self.asking.pulse.answers();
        let is_unused = !self.answering && self.waiting.is_none() && answers == self.seen;
        self.seen = answers;
        // A client that is only done with asking waits on: its end is none. Reset, it is gone, and who
        // was asked for it need not be waited for.
        if (self.waiting.is_some() || self.unsent.is_coming()) && self.transport.is_reset() {
            return Poll::Ready(Left::Over(Err(io::ErrorKind::ConnectionReset.into())));
        }
        match self.asking.pulse.judge(limits) {
            Judged::Well if is_unused => Poll::Ready(Left::AtRest),
            Judged::Well => Poll::Pending,
            judged => Poll::Ready(Left::Judged(judged)),
        }
    }
}

/// An answer and its body, if both are plain, and that is in memory or comes there.
///
/// # Errors
///
/// The answer, if they are not.
fn plain(mut answer: Answer) -> Result<(Answer, Payload), Box<Answer>> {
    let body = if head::is_plain(&answer) { Payload::take(&mut answer) } else { None };
    match body {
        Some(body) => Ok((answer, body)),
        None => Err(Box::new(answer)),
    }
}
