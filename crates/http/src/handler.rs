//! What answers a request.

use std::{
    fmt::Debug,
    num::NonZeroU64,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use relais_net::{Endpoint, Fault, Peer, Side, tls::Session};
use tokio::time::Instant;

use crate::{Body, Ended, Inbound, interim::Interim};

/// A request, and who asks.
///
/// The request is well-formed: its framing is unambiguous, and it names its host exactly once.
#[derive(Debug)]
pub struct Ask {
    /// The request. Its target is as it came: not decoded, not normalised.
    pub request: Request<Inbound>,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// Where interim answers go; `None` if the client takes none.
    pub(crate) interim: Option<Interim>,
    /// What was found out when it was asked at once, for when it is asked again.
    noted: Noted,
}

/// What is found out about a request once, though handlers are asked twice.
#[derive(Debug, Default)]
struct Noted {
    /// When the first who wanted to know looked at the clocks.
    begun: OnceLock<(SystemTime, Instant)>,
    /// The number of the rules that let it pass; none have 0.
    passed: AtomicU64,
}

impl Ask {
    /// A request of `caller`'s.
    pub fn new(request: Request<Inbound>, caller: Arc<Caller>) -> Self {
        Self { request, caller, interim: None, noted: Noted::default() }
    }

    /// When it came: as `clock` said, or another's before, when this was asked first.
    pub(crate) fn begun(&self, clock: fn() -> SystemTime) -> (SystemTime, Instant) {
        *self.noted.begun.get_or_init(|| (clock(), Instant::now()))
    }

    /// Notes that these rules let it pass, and those before no more.
    pub(crate) fn note_passed(&self, rules: NonZeroU64) {
        self.noted.passed.store(rules.get(), Relaxed);
    }

    /// Whether these rules let it pass.
    pub(crate) fn has_passed(&self, rules: NonZeroU64) -> bool {
        self.noted.passed.load(Relaxed) == rules.get()
    }
}

/// The connection a request came on.
#[derive(Debug)]
pub struct Caller {
    /// Who called.
    pub peer: Peer,
    /// Where the call came in.
    pub local: Arc<Endpoint>,
    /// What the TLS handshake agreed on; `None` in the clear.
    pub tls: Option<Session>,
}

/// An answer that the connection gave by itself: to what is no request or none for us, or came too
/// slowly.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// Who was refused.
    pub caller: &'a Caller,
    /// What was refused, without its body; `None` if it was not read as a request.
    pub request: Option<&'a Request<()>>,
    /// The status of the answer.
    pub status: StatusCode,
    /// How much of the answer's body was sent, as far as is known when this is told.
    pub ended: Ended,
}

/// What the targets of requests may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accepts {
    /// What is here: a path, or a whole URL of the scheme that is spoken (RFC 9112 §3.2.1, §3.2.2).
    #[default]
    Origin,
    /// What is elsewhere: a whole URL of `http` or `https`, whatever is spoken, and over HTTP/1 the
    /// far end of a tunnel (RFC 9112 §3.2.3). A path is let through, too, for the handler to explain.
    Forward,
}

/// An answer. An error status is an answer; a [`Fault`] is the lack of one.
pub type Answer = Response<Body>;

/// The value of `Content-Type` of `answer`.
pub fn media_type(answer: &Answer) -> Option<HeaderValue> {
    let own = answer.headers().get(CONTENT_TYPE).cloned();
    own.or_else(|| answer.body().head()?.media_type())
}

/// Brings all fields of `answer` to its map, for those who change or look at them.
///
/// *Cost*: nothing, if they are there; else a map is made.
pub fn unfold(answer: &mut Answer) {
    let Some(head) = answer.body_mut().take_head() else { return };
    let added = std::mem::replace(answer.headers_mut(), head.fields());
    answer.headers_mut().extend(added);
}

/// Answers requests: files, an upstream, a page of our own.
///
/// What adds something to a handler (a log line, a password, a limit) is a struct that holds the
/// handler and is one itself. The order is read from the constructor calls, outermost first.
pub trait Handler: Debug + Send + Sync + 'static {
    /// What it may be asked for. Others are refused by the connection. What holds a handler passes
    /// it on.
    fn accepts(&self) -> Accepts {
        Accepts::Origin
    }

    /// Answers `ask` if that takes no waiting: from memory, or by refusing.
    ///
    /// Asked first, and spares such answers the cost of a future. Must not block.
    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        let _ = ask;
        None
    }

    /// Answers one request.
    ///
    /// # Errors
    ///
    /// The [`Fault`] that left it without an answer. The connection then sends 502 if it was
    /// [`Side::Upstream`]'s, 500 if it was ours, and ends if it was the client's own.
    fn answer(&self, ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send;

    /// The same, as a future whose type is forgotten. What lets a request pass to the handler that it
    /// holds, and adds nothing to the answer, gives that one's future.
    fn answering(&self, ask: Ask) -> Answering<'_> {
        Box::pin(self.answer(ask))
    }

    /// Learns of an answer that no handler was asked for. What holds a handler passes it on.
    ///
    /// A request whose body is refused was asked for as well, and is left with a client's [`Fault`]
    /// or dropped. Must not block.
    fn refused(&self, refused: &Refused<'_>) {
        let _ = refused;
    }
}

/// An answer on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, Fault>> + Send + 'a>>;

/// A [`Handler`] whose type is forgotten, for tables of them. Implemented for every one.
pub trait DynHandler: Debug + Send + Sync + 'static {
    /// See [`Handler::accepts`]. Named apart, so that both traits may be in scope.
    fn accepts_dyn(&self) -> Accepts;

    /// See [`Handler::at_once`]. Named apart, as above.
    fn at_once_dyn(&self, ask: &Ask) -> Option<Answer>;

    /// See [`Handler::answering`]. Named apart, as above.
    fn answer_boxed(&self, ask: Ask) -> Answering<'_>;

    /// See [`Handler::refused`]. Named apart, as above.
    fn refused_dyn(&self, refused: &Refused<'_>);
}

impl<H: Handler> DynHandler for H {
    fn accepts_dyn(&self) -> Accepts {
        self.accepts()
    }

    fn at_once_dyn(&self, ask: &Ask) -> Option<Answer> {
        self.at_once(ask)
    }

    fn answer_boxed(&self, ask: Ask) -> Answering<'_> {
        self.answering(ask)
    }

    fn refused_dyn(&self, refused: &Refused<'_>) {
        self.refused(refused);
    }
}

/// One whose type is forgotten, within another: of layers that may be there or not, there is then one
/// type each, and not one for each choice of them.
impl Handler for Arc<dyn DynHandler> {
    fn accepts(&self) -> Accepts {
        (**self).accepts_dyn()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        (**self).at_once_dyn(ask)
    }

    fn answer(&self, ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send {
        (**self).answer_boxed(ask)
    }

    fn answering(&self, ask: Ask) -> Answering<'_> {
        (**self).answer_boxed(ask)
    }

    fn refused(&self, refused: &Refused<'_>) {
        (**self).refused_dyn(refused);
    }
}

/// A short answer that says `why`, after its status.
pub(crate) fn plain_text(status: StatusCode, why: &str) -> Answer {
    let reason = status.canonical_reason().unwrap_or("Refused");
    let text = Bytes::from(format!("{} {reason}: {why}\n", status.as_u16()));
    let mut answer = Response::new(Body::full(text));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}

/// What the connection answers where a handler failed on this side; `None` if the client left, and
/// nobody waits.
pub(crate) fn status_of(side: Side) -> Option<StatusCode> {
    match side {
        Side::Client => None,
        Side::Upstream => Some(StatusCode::BAD_GATEWAY),
        Side::Relais => Some(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
