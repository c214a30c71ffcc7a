//! A request on a connection of HTTP/1, until its answer is whole.

use std::{
    io,
    task::{Context, Poll, ready},
    time::Duration,
};

use relais_net::{Fault, Patience, Side};
use relais_wire::http1::{self, response::BadHead};

use super::{
    link::Link,
    sending::{Sending, Unsent},
};

/// How many heads of 1xx are passed over before an answer.
pub(super) const INTERIM_MAX: u32 = 16;

/// How long a client may be silent within its body, if its connection lets it be silent for longer.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// Why there is no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Why {
    #[error("the connection was closed before an answer came")]
    Closed,
    #[error("the connection broke")]
    Io(#[source] io::Error),
    #[error("the answer is not well-formed")]
    Head(#[source] BadHead),
    #[error("the answer has more fields than there is room for")]
    Fields,
    #[error("the answer's body is not well-formed")]
    Body(#[source] http1::Refusal),
    #[error("too many interim answers: expected at most {INTERIM_MAX}")]
    Interim,
    #[error("interim answers of more than {max} bytes together: expected as many as of one head")]
    InterimBytes { max: u32 },
    #[error("101 within a request: expected none before its end")]
    Switch,
    #[error("101 to another protocol: expected one that was asked for")]
    Protocol,
    #[error("no answer came in time")]
    Late,
    #[error("the request's body broke off")]
    Request(#[source] Fault),
    #[error("the connection took no request")]
    Unsent(#[source] hyper::Error),
    #[error("the request was not begun with")]
    Unprocessed(#[source] hyper::Error),
    #[error("the stream was ended before its answer")]
    Cut,
    #[error("HTTP/2 went wrong")]
    Http2(#[source] hyper::Error),
}

/// An exchange under way.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) link: Box<Link>,
    pub(super) sending: Sending,
    /// The upstream stopped taking the request: what it answers is read, and the link not used again.
    pub(super) deaf: bool,
    pub(super) whose: Whose,
    patience: Patience<Waits>,
}

/// Whom a connection may stand for once a request was sent on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// For nobody: anyone's next request may be sent on it.
    Anyones,
    /// For this client, from here on: it is not another's to use.
    OneClient,
}

/// What an exchange waits for. It takes too long if that is the same for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// The upstream, which was sent so much of the request's body.
    Upstream(u64),
    /// The client, which sent so much of it.
    Client(u64),
}

impl Waits {
    /// Waits for what takes longer than `upstream_max` if it is the upstream's turn, or longer than is `left`
    /// for all of it. Who is sent a body has its time from the last of it on.
    pub(super) fn poll_late(
        self,
        patience: &mut Patience<Self>,
        cx: &mut Context<'_>,
        (upstream_max, left): (Duration, Duration),
    ) -> Poll<Why> {
        let max = if let Self::Client(_) = self { SILENCE_MAX } else { upstream_max };
        ready!(patience.poll(cx, self, max.min(left)));
        Poll::Ready(self.late())
    }

    /// What is said of it where there is no more time.
    pub(super) fn late(self) -> Why {
        match self {
            Self::Upstream(_) => Why::Late,
            Self::Client(_) => {
                let error = io::ErrorKind::TimedOut.into();
                Why::Request(Fault::new(Side::Client, "waiting for a request's body", error))
            }
        }
    }
}

impl Exchange {
    pub(super) fn new(link: Box<Link>, sending: Sending, whose: Whose) -> Self {
        Self { link, sending, deaf: false, whose, patience: Patience::default() }
    }

    /// Sends what can be sent.
    pub(super) fn send(&mut self, cx: &mut Context<'_>) -> Result<(), Why> {
        if self.deaf {
            return Ok(());
        }
        match self.sending.poll(cx, &mut self.link.stream) {
            Poll::Ready(Err(Unsent::Body(fault))) => Err(Why::Request(fault)),
            // It may have answered before, and closed.
            Poll::Ready(Err(Unsent::Upstream)) => {
                self.deaf = true;
                Ok(())
            }
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// Waits for what takes too long, as [`Waits::poll_late`] has it.
    pub(super) fn poll_late(
        &mut self,
        cx: &mut Context<'_>,
        max: (Duration, Duration),
    ) -> Poll<Why> {
        self.waits().poll_late(&mut self.patience, cx, max)
    }

    /// What it waits for.
    pub(super) fn waits(&self) -> Waits {
        if self.sending.waits_for_body() && !self.deaf {
            Waits::Client(self.sending.sent)
        } else {
            Waits::Upstream(self.sending.sent)
        }
    }

    /// Counts the time anew from when somebody waits again.
    pub(super) fn moved(&mut self) {
        self.patience.moved();
    }
}
