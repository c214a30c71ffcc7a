//! The hub's door for HTTP: a `WebSocket` that carries sessions, the page that speaks over it, and
//! hooks, by which programs say something without either.

mod hook;
mod hosts;
mod opening;

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use relais_http::{Answer, Ask, Body, Caller, DynHandler, GoingOn, Handler, Heir, Refused, unfold};
use relais_net::{Drain, Fault, Stream};

use crate::{
    hub::Hub,
    protocol::{Code, Refusal},
    session::{Link, Session, Way, shown},
};

/// Where the `WebSocket` is.
const SOCKET: &str = "/ws";

/// What the page may do: nothing but what is here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
    connect-src 'self'; img-src 'self' data:; manifest-src 'self'; worker-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is added to every file of the page. Browsers ask each time whether it was changed.
const GUARDS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-cache"),
];

/// A hub's door for HTTP: `/ws` opens a `WebSocket`, `/hook/TOKEN` takes what programs post, and all
/// else is of the page.
#[derive(Debug)]
pub struct Door {
    hub: Hub,
    /// Pages of which other sites may come in: `https://a.example`, or `*` for any. On this machine alone
    /// it is called by their names, too.
    origins: Vec<String>,
    page: Arc<dyn DynHandler>,
}

impl Door {
    /// The door of `hub` for its own `page`, and for the pages of `origins`.
    pub fn new(hub: Hub, origins: Vec<String>, page: Arc<dyn DynHandler>) -> Self {
        Self { hub, origins, page }
    }

    /// Opens a `WebSocket`, or says why not.
    fn open(&self, ask: &Ask) -> Answer {
        let request = &ask.request;
        let way = if ask.caller.tls.is_some() { opening::Way::Tls } else { opening::Way::Clear };
        let heir = Guest { hub: self.hub.clone(), caller: Arc::clone(&ask.caller) };
        match opening::judge(request, (way, &self.origins)) {
            Ok(accepted) => accepted.answer(Body::left_to(heir)),
            Err(refused) => {
                let (status, what) = refused.told();
                let mut answer = said(status, &what);
                refused.add_to(answer.headers_mut(), request.version());
                answer
            }
        }
    }
}

impl Door {
    /// Takes what a program posts. Where others could read its token, it is told so.
    async fn take(&self, token: &str, ask: Ask) -> Result<Answer, Fault> {
        let hub = self.hub.shared();
        let Caller { peer, tls, .. } = &*ask.caller;
        let certificate = shown(tls.as_ref());
        let way = Way { peer: *peer, is_private: tls.is_some(), certificate };
        if !way.is_for_secrets(hub.clear_passwords) {
            return Ok(hook::refuse(hub, &Refusal::of(Code::TlsRequired)));
        }
        hook::take(hub, token, ask.request).await
    }
}

impl Handler for Door {
    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        if let Some(answer) = hosts::misdirected(ask, &self.origins) {
            return Some(answer);
        }
        match ask.request.uri().path() {
            SOCKET => Some(self.open(ask)),
            path if path.starts_with(hook::PATH) => None,
            _ => self.page.at_once_dyn(ask).map(guarded),
        }
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        if let Some(answer) = hosts::misdirected(&ask, &self.origins) {
            return Ok(answer);
        }
        match ask.request.uri().path() {
            SOCKET => Ok(self.open(&ask)),
            path => match path.strip_prefix(hook::PATH).map(str::to_owned) {
                Some(token) => self.take(&token, ask).await,
                None => self.page.answer_boxed(ask).await.map(guarded),
            },
        }
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.page.refused_dyn(refused);
    }
}

/// `answer`, with what keeps a page to itself.
fn guarded(mut answer: Answer) -> Answer {
    unfold(&mut answer);
    for (name, value) in GUARDS {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// An answer in words.
fn said(status: StatusCode, what: &str) -> Answer {
    let mut answer = Response::new(Body::own(Bytes::from(format!("{what}\n"))));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}

/// Who came in for a session.
#[derive(Debug)]
struct Guest {
    hub: Hub,
    caller: Arc<Caller>,
}

impl Heir for Guest {
    fn go_on(self: Box<Self>, stream: Stream, early: Bytes, drain: Drain) -> GoingOn {
        Box::pin(async move {
            let Self { hub, caller } = *self;
            let Caller { peer, local, tls } = &*caller;
            let flow = hub.begin(*peer, local);
            let certificate = shown(tls.as_ref());
            let way = Way { peer: *peer, is_private: tls.is_some(), certificate };
            let hall = hub.shared().hall().await?;
            let link = Link::web_socket(stream, early, hub.frame_bytes_max()).await;
            let told = Session::new(hub.shared(), hall, link, way).serve(&drain).await;
            hub.end(flow, (*peer, local), told)
        })
    }
}

#[cfg(test)]
mod tests;
