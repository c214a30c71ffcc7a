//! By which names a site is called that is on this machine alone.

use std::future::ready;

use http::{
    Method, Response, StatusCode,
    header::{CACHE_CONTROL, HeaderValue, VIA},
};
use relais_net::Fault;
use relais_wire::host::is_here;

use crate::{
    Accepts, Answer, Answering, Ask, Body, Handler, Refused, Target,
    page::{Language, Page},
};

/// Answers with 421 who asks for a name that this machine does not have, where only this machine can
/// call, and in the clear; asks `H` for the rest.
///
/// A page of any site can have its own name lead to 127.0.0.1 once it is open (DNS rebinding), and could
/// read then what is served there. Under TLS the certificate says who it is; and what another server
/// passes on says so in `Via`, which no page can have a browser send ([Fetch]).
///
/// [Fetch]: https://fetch.spec.whatwg.org/#forbidden-request-header
///
/// *Cost*: to read the name that is asked for, where only this machine can call.
#[derive(Debug)]
pub struct OwnNames<H> {
    inner: H,
}

impl<H> OwnNames<H> {
    /// Puts itself before `inner`.
    pub fn new(inner: H) -> Self {
        Self { inner }
    }
}

/// The name that is asked for, if it is none of this machine where only this machine can call, in the
/// clear: under TLS the certificate says who it is.
pub fn strange_name(ask: &Ask) -> Option<&str> {
    let caller = &*ask.caller;
    if caller.tls.is_some() || !caller.local.is_on_this_machine() {
        return None;
    }
    Some(Target::of(ask).host).filter(|host| !is_here(host))
}

/// The answer to who asks for another's name.
fn misdirected(ask: &Ask) -> Option<Answer> {
    let host = strange_name(ask)?;
    if ask.request.headers().contains_key(VIA) {
        return None;
    }
    let hint = format!(
        "{host:?} is no name of this server, which is on this machine alone: expected localhost, a name \
         below it, or an address. So `own_names` of its configuration (--own-names) asks; `hosts` (--host) \
         lets other names in."
    );
    let status = StatusCode::MISDIRECTED_REQUEST;
    let page = Page::of_error(status, &hint, Language::asked_for(ask.request.headers()));
    let mut head = page.head();
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let is_head = *ask.request.method() == Method::HEAD;
    let body = if is_head { Body::empty() } else { Body::full(page.text.into()) };
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = head;
    Some(answer)
}

impl<H: Handler> Handler for OwnNames<H> {
    fn accepts(&self) -> Accepts {
        self.inner.accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        misdirected(ask).or_else(|| self.inner.at_once(ask))
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        match misdirected(&ask) {
            Some(answer) => Ok(answer),
            None => self.inner.answer(ask).await,
        }
    }

    fn answering(&self, ask: Ask) -> Answering<'_> {
        match misdirected(&ask) {
            Some(answer) => Box::pin(ready(Ok(answer))),
            None => self.inner.answering(ask),
        }
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.inner.refused(refused);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use http::{Request, header::HOST};
    use relais_net::Peer;

    use super::*;
    use crate::{Caller, Inbound};

    fn asked(local: &str, host: &str) -> Ask {
        let request = Request::builder().uri("/").header(HOST, host);
        let local = Arc::new(local.parse().unwrap());
        let caller = Arc::new(Caller { peer: Peer::Local, local, tls: None });
        Ask::new(request.body(Inbound::Full(Bytes::new())).unwrap(), caller)
    }

    #[track_caller]
    fn check(local: &str, host: &str, expect: Option<u16>) {
        let answer = misdirected(&asked(local, host));
        assert_eq!(answer.map(|it| it.status().as_u16()), expect, "{host} at {local}");
    }

    #[test]
    fn on_this_machine_it_answers_to_names_that_no_site_can_have() {
        for local in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"] {
            for host in ["localhost", "LOCALHOST.:80", "a.localhost:1", "127.1.2.3:9", "[::1]:1"] {
                check(local, host, None);
            }
            for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:1"] {
                check(local, host, Some(421));
            }
        }
    }

    #[test]
    fn where_others_can_call_it_answers_to_any_name() {
        for local in ["http://:1", "http://192.0.2.1:1", "unix:///run/relais.sock"] {
            check(local, "evil.example", None);
        }
    }

    #[test]
    fn what_another_server_passes_on_says_so_and_is_answered() {
        let mut ask = asked("http://127.0.0.1:1", "site.example");
        ask.request.headers_mut().insert(VIA, HeaderValue::from_static("1.1 front"));
        assert!(misdirected(&ask).is_none());
    }

    #[test]
    fn the_page_names_what_was_asked_for_and_does_not_let_it_out() {
        let mut ask = asked("http://127.0.0.1:1", "evil.example");
        ask.request.headers_mut().insert("accept", HeaderValue::from_static("text/html"));
        let answer = misdirected(&ask).unwrap();
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        *ask.request.method_mut() = Method::HEAD;
        assert_eq!(misdirected(&ask).unwrap().body().left(), Some(0));
    }
}
