//! The handler that notes what another handler answers.

use std::time::SystemTime;

use http::{Method, StatusCode};
use relais_net::Fault;
use tokio::time::Instant;

use super::{
    entry::{Entry, client_left},
    log::AccessLog,
};
use crate::{Accepts, Answer, Ask, Ended, Handler, Refused, auth::User, handler::status_of};

/// Notes every request that `H` is asked, when its answer has ended.
///
/// Who was let in is read from the answer's [`User`]. A request that was left without an answer is
/// noted as what the connection makes of it: 502 or 500; or 499, if the caller left before. So is
/// one whose body the connection refused; the refusal, as any other, is an entry by itself.
///
/// *Cost*: two allocations and some 300 ns; see [`AccessLog`] for the rest, which is not waited for.
#[derive(Debug)]
pub struct Logged<H> {
    inner: H,
    log: AccessLog,
    clock: fn() -> SystemTime,
}

impl<H> Logged<H> {
    /// Notes in `log` what `inner` answers, with the time that `clock` says.
    pub fn new(inner: H, log: AccessLog, clock: fn() -> SystemTime) -> Self {
        Self { inner, log, clock }
    }

    fn note(&self, ask: &Ask) -> Note {
        let (at, start) = ask.begun(self.clock);
        Note {
            log: self.log.clone(),
            bodiless: *ask.request.method() == Method::HEAD,
            start,
            entry: Some(Entry::of(ask, at)),
        }
    }
}

impl<H: Handler> Handler for Logged<H> {
    fn accepts(&self) -> Accepts {
        self.inner.accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        ask.begun(self.clock);
        let answer = self.inner.at_once(ask)?;
        Some(self.note(ask).follow(answer))
    }

    fn answer(&self, ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send {
        let note = self.note(&ask);
        // Asked out here: within, the request would have a place in this future, too.
        let answering = self.inner.answering(ask);
        async move {
            match answering.await {
                Ok(answer) => Ok(note.follow(answer)),
                Err(fault) => {
                    note.end(status_of(fault.side).unwrap_or_else(client_left));
                    Err(fault)
                }
            }
        }
    }

    /// Noted as taking no time: nobody knows when what is no request began.
    fn refused(&self, refused: &Refused<'_>) {
        self.inner.refused(refused);
        self.log.push(Entry::refused(refused, (self.clock)()));
    }
}

/// An entry on its way. Written once: when it ends, or when it is dropped.
struct Note {
    log: AccessLog,
    /// Whether no body is sent, whatever the answer has.
    bodiless: bool,
    start: Instant,
    /// `None` once it is given to the log.
    entry: Option<Entry>,
}

impl Note {
    /// Ends when the body of `answer` does.
    fn follow(mut self, mut answer: Answer) -> Answer {
        let status = answer.status();
        if let Some(entry) = &mut self.entry {
            entry.status = status;
            entry.cached = answer.body().provenance().and_then(|provenance| provenance.cached);
            entry.user = answer.extensions().get::<User>().cloned();
        }
        self.bodiless |= matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        answer.body_mut().on_end(move |ended| {
            let ended = if self.bodiless { Ended::Whole(0) } else { ended };
            self.finish(|entry| {
                entry.ended = ended;
                if let Ended::Instead { status, .. } = ended {
                    entry.status = status;
                }
            });
        });
        answer
    }

    /// Ends without an answer of the handler.
    fn end(mut self, status: StatusCode) {
        self.finish(|entry| entry.status = status);
    }

    fn finish(&mut self, last: impl FnOnce(&mut Entry)) {
        if let Some(mut entry) = self.entry.take() {
            last(&mut entry);
            entry.took = self.start.elapsed();
            self.log.push(entry);
        }
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let broken = std::thread::panicking();
        self.finish(|entry| {
            if broken {
                entry.status = StatusCode::INTERNAL_SERVER_ERROR;
            }
        });
    }
}

#[cfg(test)]
mod tests;
