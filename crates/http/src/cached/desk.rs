//! What can be asked of a cache that runs, besides requests of clients.

use std::{fmt::Debug, future::poll_fn, io, path::PathBuf, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use relais_cache::{Answered, Cache, Explanation, NotStored, Reused, Times};
use relais_net::{
    Endpoint, Fault, Peer, Place, Scheme, Side,
    tls::{Handshake, Protocol, Session, Version},
};

use super::{
    Cached, Shared,
    question::{Question, key, sent_by},
};
use crate::{Accepts, Answer, Ask, Caller, Handler as _, Inbound, handler::unfold, proxy::Onward};

/// A cache, and the handler behind it, for who looks after them.
pub trait Desk: Debug + Send + Sync {
    /// The cache.
    fn cache(&self) -> &Cache;

    /// A request as one that came here for `uri`, a whole URL, with these fields. `None` if `uri` is
    /// no URL of `http` or `https`.
    fn request(&self, method: Method, uri: &Uri, headers: &HeaderMap) -> Option<Ask>;

    /// Why `ask` would be answered now as it would be. `None` if nothing is looked for: it names no
    /// host. What the disk alone has of it is brought to memory first, as for a client, and counts as
    /// asked for; else nothing changes.
    fn explain(&self, ask: Ask) -> Explaining<'_>;

    /// Has `ask`, which has no body, answered as a client's, up to `bytes_max` of the answer's body,
    /// and tells of it.
    ///
    /// *Cancel safety*: what is dropped, was a client that left.
    fn fetch(&self, ask: Ask, bytes_max: u64) -> Fetching<'_>;
}

/// An answer on its way.
pub type Fetching<'d> = Pin<Box<dyn Future<Output = Result<Fetched, Fault>> + Send + 'd>>;

/// An explanation, once the disk was read.
pub type Explaining<'d> = Pin<Box<dyn Future<Output = Option<Explanation<Reused>>> + Send + 'd>>;

/// What was answered.
#[derive(Debug)]
pub struct Fetched {
    /// Its status.
    pub status: StatusCode,
    /// What the cache says of it, as its client would be told: behind what others said on its way.
    pub cache_status: Option<HeaderValue>,
    /// How many bytes of its body came.
    pub bytes: u64,
    /// Whether it is ours, in the place of one that did not come.
    pub stands_in: StandsIn,
    /// Whether its head lets it be stored, and why.
    pub storing: Explanation<Result<(), NotStored>>,
}

/// Whether an answer is ours, in the place of one that did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandsIn {
    /// It is upstream's, or was.
    No,
    /// It is, for this reason if that has a name (RFC 9209 §2.3).
    For(Option<&'static str>),
}

impl<H: Onward> Desk for Cached<H> {
    fn cache(&self) -> &Cache {
        &self.shared.cache
    }

    fn request(&self, method: Method, uri: &Uri, headers: &HeaderMap) -> Option<Ask> {
        let is_secure = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let mut request = Request::new(Inbound::Full(Bytes::new()));
        *request.method_mut() = method;
        *request.headers_mut() = headers.clone();
        let host = uri.authority()?.as_str();
        let host = host.rsplit_once('@').map_or(host, |(_user, host)| host);
        request.headers_mut().insert(header::HOST, HeaderValue::from_str(host).ok()?);
        let is_forward = self.shared.inner.accepts() == Accepts::Forward;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = if is_forward { uri.clone() } else { path.parse().ok()? };
        let tls = (is_secure && !is_forward).then(|| as_spoken(host));
        let nowhere = Place::Path(PathBuf::new());
        let local = Arc::new(Endpoint { scheme: Scheme::Unix, place: nowhere });
        let caller = Arc::new(Caller { peer: Peer::Local, local, tls });
        Some(Ask::new(request, caller))
    }

    fn explain(&self, ask: Ask) -> Explaining<'_> {
        Box::pin(self.explained(ask))
    }

    fn fetch(&self, ask: Ask, bytes_max: u64) -> Fetching<'_> {
        Box::pin(self.fetched(ask, bytes_max))
    }
}

impl<H: Onward> Cached<H> {
    async fn explained(&self, ask: Ask) -> Option<Explanation<Reused>> {
        let Shared { inner, cache, trust, clock, .. } = &*self.shared;
        let key = key(&ask, trust, cache.settings())?;
        // What is not read in time is explained as what is not there.
        _ = self.shared.bring_up_in_time(&key, &ask).await;
        Some(cache.explain(&key, &sent_by(&ask, inner).asked(), clock()))
    }

    async fn fetched(&self, ask: Ask, bytes_max: u64) -> Result<Fetched, Fault> {
        let Shared { trust, cache, .. } = &*self.shared;
        let key = key(&ask, trust, cache.settings()).ok_or_else(no_host)?;
        let question = Question::of(&ask);
        let requested = (self.shared.clock)();
        let mut answer = self.answer(ask).await?;
        let times = Times { requested, received: (self.shared.clock)() };
        unfold(&mut answer);
        let answered = Answered { status: answer.status(), headers: answer.headers(), times };
        let sent = question.sent_by(&self.shared.inner);
        let storing = self.shared.cache.explain_storing(&key, &sent.asked(), answered);
        let stands_in = match answer.body().provenance() {
            Some(provenance) if provenance.fault.is_some() => StandsIn::For(provenance.error),
            _ => StandsIn::No,
        };
        let status = answer.status();
        let cache_status =
            answer.headers().get_all(header::CACHE_STATUS).iter().next_back().cloned();
        let bytes = taken(answer, bytes_max).await?;
        Ok(Fetched { status, cache_status, bytes, stands_in, storing })
    }
}

fn no_host() -> Fault {
    let error = io::Error::new(io::ErrorKind::InvalidInput, "no host");
    Fault::new(Side::Client, "finding what is asked for", error)
}

/// Takes the body of `answer`, up to `bytes_max`. Gives how many bytes came.
async fn taken(answer: Answer, bytes_max: u64) -> Result<u64, Fault> {
    let mut body = answer.into_body();
    let mut taken = 0_u64;
    while taken < bytes_max {
        let Some(piece) = poll_fn(|cx| body.poll_piece(cx, u64::MAX)).await else { break };
        taken = taken.saturating_add(piece?.len());
    }
    Ok(taken)
}

/// As if it had come over TLS.
fn as_spoken(host: &str) -> Session {
    Session {
        protocol: Protocol::Unsaid,
        server_name: Some(host.to_ascii_lowercase().into()),
        version: Version::Tls13,
        cipher: "",
        handshake: Handshake::Resumed,
        caller: None,
    }
}
