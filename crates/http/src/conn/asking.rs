//! From a request that hyper parsed to the answer that hyper sends.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use arc_swap::{ArcSwap, Guard};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use hyper::{body::Incoming, service::Service};
use relais_net::{Fault, Gate, Permit, Side};
use tracing::{debug, warn};

use super::{
    Limits,
    admission::{self, Rules},
    outgoing::{Files, Outgoing},
    pulse::Pulse,
    refusal,
    stream_tunnel::Dig,
    switch::Switch,
};
use crate::{
    Accepts, Answer, Ask, Body, Caller, ConnBody, DynHandler, Ended, Inbound, Refused,
    handler::{plain_text, status_of, unfold},
    inbound::Uploading,
};

/// The handler behind a door. A slot, because a reload changes it under open connections: each
/// request meets the newest.
pub type HandlerSlot = Arc<ArcSwap<Arc<dyn DynHandler>>>;

/// One connection's side of asking: hyper calls it for each request.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) handler: HandlerSlot,
    pub(super) caller: Arc<Caller>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) files: Files,
    /// Places for bodies that are brought to memory beside others, of all connections.
    pub(super) shared: Gate,
    /// Places for tunnels that are streams of a connection, of all connections.
    pub(super) tunnels: Gate,
    /// Places for bodies of requests that are streams of a connection, of all connections.
    pub(super) uploads: Gate,
    pub(super) limits: Arc<Limits>,
}

impl Asking {
    /// Tells the handler of an answer that it was not asked for.
    pub(super) fn tell(&self, request: Option<&Request<()>>, status: StatusCode, ended: Ended) {
        let refused = Refused { caller: &self.caller, request, status, ended };
        self.handler.load().refused_dyn(&refused);
    }

    fn rules(&self, accepts: Accepts) -> Rules {
        let scheme = if self.caller.tls.is_some() { "https" } else { "http" };
        Rules { accepts, scheme, fields_max: self.limits.head.fields_max }
    }

    /// Answers a request that is not passed on with `answer`.
    fn refuse(&self, request: Request<Incoming>, mut answer: Answer) -> Answer {
        let (request, status) = (request.map(drop), answer.status());
        let bytes = if request.method() == Method::HEAD { None } else { answer.body().left() };
        self.tell(Some(&request), status, Ended::Whole(bytes.unwrap_or(0)));
        if request.version() < Version::HTTP_2 {
            answer.headers_mut().insert(header::CONNECTION, CLOSE);
        }
        answer
    }

    /// Sends the answer to what `asked` for.
    fn send(&self, mut answer: Answer, asked: Asked) -> Response<Outgoing> {
        unfold(&mut answer);
        // What follows may be meant for the far end of the tunnel, and is no request.
        if matches!(asked, Asked::Tunnel) && !answer.status().is_success() {
            answer.headers_mut().insert(header::CONNECTION, CLOSE);
        }
        if let Some((next, tell)) = answer.body_mut().take_next() {
            let switch = Switch { next, tell };
            match asked {
                Asked::Stream(dig) => dig.begin(switch, &self.limits),
                Asked::Message | Asked::Tunnel => self.pulse.switch_to(switch),
            }
        } else if self.pulse.stops() || self.pulse.has_long_body() {
            // Said here, as hyper can be told to stop only once it has asked for an answer, and one that is
            // there is begun by then. And as it ends the connection where a long body is given up, which it
            // may know only when this head is long sent.
            answer.headers_mut().insert(header::CONNECTION, CLOSE);
        }
        let Ok(place) = self.place(answer.body()) else {
            let busy = refusal::busy();
            answer.into_body().replace(busy.status(), busy.body().left().unwrap_or(0));
            return busy.map(|body| self.outgoing(body, None));
        };
        answer.map(|body| self.outgoing(body, place))
    }

    fn outgoing(&self, body: Body, place: Option<Permit>) -> Outgoing {
        Outgoing::new(body, self.files, Arc::clone(&self.pulse), place)
    }

    /// The place for `body`, if it needs one: it is brought to memory while others are, too, for as
    /// long as the client lets it stand.
    ///
    /// # Errors
    ///
    /// If there is none, or none for this client.
    fn place(&self, body: &Body) -> Result<Option<Permit>, Full> {
        if self.files != Files::ReadShared || body.is_shared() || body.left() == Some(0) {
            return Ok(None);
        }
        self.shared.enter(self.caller.peer.client(), 0).map(Some).map_err(|_| Full)
    }

    /// What goes with the body of `request`, if it comes over HTTP/2: a place, as much of it may come
    /// before it is asked for.
    ///
    /// # Errors
    ///
    /// If there is none, or none for this client.
    fn uploading(&self, request: &Request<Incoming>) -> Result<Option<Uploading>, Full> {
        if request.version() != Version::HTTP_2 || request.body().is_end_stream() {
            return Ok(None);
        }
        let Limits { stall_max, rate_min, .. } = *self.limits;
        let place = self.uploads.enter(self.caller.peer.client(), 0).map_err(|_| Full)?;
        Ok(Some(Uploading::new(place, (stall_max, rate_min))))
    }

    /// Asks the handler that is there now.
    ///
    /// # Errors
    ///
    /// The fault itself, if it was the client's: then nobody waits for an answer.
    pub(super) fn answer(
        &self,
        ask: Ask,
    ) -> impl Future<Output = Result<Answer, Fault>> + Send + use<> {
        self.answer_of(self.handler.load_full(), ask)
    }

    /// The same, of this handler.
    fn answer_of(
        &self,
        handler: Arc<Arc<dyn DynHandler>>,
        ask: Ask,
    ) -> impl Future<Output = Result<Answer, Fault>> + Send + use<> {
        let under_way = UnderWay { pulse: Some(Arc::clone(&self.pulse)) };
        async move { under_way.end(handler.answer_boxed(ask).await) }
    }

    /// The same, for hyper.
    ///
    /// What it waits for is not [`Asking::answer_of`], whose state would be a part of this one's; nor is
    /// it an `async fn`, which has what it is given twice.
    fn ask(
        self,
        handler: Arc<Arc<dyn DynHandler>>,
        (ask, asked): (Ask, Asked),
    ) -> impl Future<Output = Result<Response<Outgoing>, Fault>> + Send {
        let under_way = UnderWay { pulse: Some(Arc::clone(&self.pulse)) };
        async move {
            let answer = under_way.end(handler.answer_boxed(ask).await)?;
            let interims = self.pulse.interims();
            // What hyper has of an answer is written before anything else.
            poll_fn(|cx| interims.poll_sent(cx)).await;
            interims.close();
            Ok(self.send(answer, asked))
        }
    }
}

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// What a request is for, as far as its connection is concerned.
#[derive(Debug)]
enum Asked {
    Message,
    /// To be a tunnel from here on.
    Tunnel,
    /// To have its stream of HTTP/2 be one, which leaves the others be.
    Stream(Box<Dig>),
}

impl Asked {
    fn by<B>(request: &mut Request<B>) -> Self {
        if *request.method() != Method::CONNECT {
            Self::Message
        } else if request.version() < Version::HTTP_2 {
            Self::Tunnel
        } else {
            Self::Stream(Box::new(Dig::new(hyper::upgrade::on(request))))
        }
    }

    /// Takes the place that it needs, if it needs one.
    fn take_place(&mut self, asking: &Asking) -> Result<(), Full> {
        let Self::Stream(dig) = self else { return Ok(()) };
        let Asking { pulse, tunnels, caller, limits, .. } = asking;
        let has_place = dig.take_place(pulse, (tunnels, caller.peer.client()), limits.streams_max);
        if has_place { Ok(()) } else { Err(Full) }
    }
}

/// Every place is taken, or every one that the client may have.
struct Full;

/// A request under way. Counted out if it is given up before there is an answer, whose body takes
/// over the counting.
struct UnderWay {
    /// `None` once there is an answer.
    pulse: Option<Arc<Pulse>>,
}

impl UnderWay {
    /// The answer it has now, whatever its handler made of it.
    ///
    /// # Errors
    ///
    /// See [`excuse`].
    fn end(mut self, answered: Result<Answer, Fault>) -> Result<Answer, Fault> {
        let answer = answered.or_else(excuse)?;
        drop(self.pulse.take());
        Ok(answer)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(pulse) = &self.pulse {
            // What goes on without its client may still speak, and the connection may be told its end.
            pulse.interims().close();
            pulse.given_up();
        }
    }
}

/// The answer to a request that its handler left without one.
///
/// # Errors
///
/// The fault itself, if it was the client's: then nobody waits for an answer.
fn excuse(fault: Fault) -> Result<Answer, Fault> {
    let Some(status) = status_of(fault.side) else { return Err(fault) };
    let error: &dyn std::error::Error = &fault;
    match fault.side {
        Side::Relais => warn!(error, "a request failed"),
        Side::Client | Side::Upstream => debug!(error, "a request failed"),
    }
    Ok(plain_text(status, "the request could not be answered"))
}

impl Service<Request<Incoming>> for Asking {
    type Response = Response<Outgoing>;
    type Error = Fault;
    type Future = Answering;

    fn call(&self, mut request: Request<Incoming>) -> Answering {
        self.pulse.asked();
        let mut asked = Asked::by(&mut request);
        if request.version() == Version::HTTP_10 {
            self.pulse.speaks_old();
        }
        if let Some(answer) = self.pulse.prepared() {
            return Answering::Ready(Some(self.send(*answer, asked)));
        }
        // One for both, or what one of them accepts could reach another.
        let handler = self.handler.load();
        if let Err(refused) = admission::judge(&request, self.rules(handler.accepts_dyn())) {
            let answer = self.refuse(request, plain_text(refused.status, refused.why));
            return Answering::Ready(Some(self.send(answer, asked)));
        }
        // Before the handler is asked, who would call the far end for nothing.
        let places = asked.take_place(self).and_then(|()| self.uploading(&request));
        let Ok(uploading) = places else {
            let answer = self.refuse(request, refusal::busy());
            return Answering::Ready(Some(self.send(answer, asked)));
        };
        let version = request.version();
        let request = request.map(|body| Inbound::Conn(ConnBody::new(body, uploading)));
        let mut ask = Ask::new(request, Arc::clone(&self.caller));
        if let Some(answer) = handler.at_once_dyn(&ask) {
            return Answering::Ready(Some(self.send(answer, asked)));
        }
        // Clients of HTTP/1.0 know of none (RFC 9110 §15.2); to those of HTTP/2 hyper sends none.
        ask.interim = (version == Version::HTTP_11).then(|| self.pulse.interims().open());
        Answering::Waiting(Box::pin(self.clone().ask(Guard::into_inner(handler), (ask, asked))))
    }
}

/// An answer, now or later.
#[expect(
    clippy::large_enum_variant,
    reason = "boxing it would cost each answer from memory an allocation"
)]
pub(super) enum Answering {
    Ready(Option<Response<Outgoing>>),
    Waiting(Pin<Box<dyn Future<Output = Result<Response<Outgoing>, Fault>> + Send>>),
}

impl Future for Answering {
    type Output = Result<Response<Outgoing>, Fault>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Ready(answer) => Poll::Ready(Ok(answer.take().expect("polled until ready"))),
            Self::Waiting(answer) => answer.as_mut().poll(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use arc_swap::ArcSwap;
    use relais_net::Peer;

    use super::*;
    use crate::says::{Says, ask};

    /// Longer pieces of memory take an allocator ten times as long.
    #[test]
    fn what_waits_for_an_answer_is_no_longer_than_an_allocator_has_at_hand() {
        let handler: Arc<dyn DynHandler> = Arc::new(Says::InTime("a"));
        let ask = ask(Peer::Local, "/", &[]);
        let asking = Asking {
            handler: Arc::new(ArcSwap::from_pointee(Arc::clone(&handler))),
            caller: Arc::clone(&ask.caller),
            pulse: Arc::new(Pulse::new()),
            files: Files::Sent,
            shared: Gate::new(1, 1),
            tunnels: Gate::new(1, 1),
            uploads: Gate::new(1, 1),
            limits: Arc::default(),
        };
        let answer = size_of_val(&asking.answer(ask));
        assert!(answer <= crate::says::AT_HAND_BYTES, "{answer}");
        let ask = crate::says::ask(Peer::Local, "/", &[]);
        let for_hyper = size_of_val(&asking.ask(Arc::new(handler), (ask, Asked::Message)));
        assert!(for_hyper <= crate::says::AT_HAND_BYTES, "{for_hyper}");
    }
}
