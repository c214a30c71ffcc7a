//! The handler that notes what another handler answers, and where the answer came from.

use std::time::SystemTime;

use http::{Method, Request};
use http_body::Body as _;
use relais_net::{Fault, Side};
use relais_wire::exchange::{Content, End, Exchange};

use super::{
    SniffLog,
    note::{Note, bytes, client, protocol, tls_version},
};
use crate::{Accepts, Answer, Ask, Caller, Handler, Inbound, Refused, Target, handler::status_of};

/// Notes every request that `H` is asked, once its answer has ended.
///
/// *Cost*: two allocations for each, on the way, and to print what is known of it as it comes.
#[derive(Debug)]
pub struct Sniffed<H> {
    inner: H,
    log: SniffLog,
    clock: fn() -> SystemTime,
}

impl<H> Sniffed<H> {
    /// Notes in `log` what `inner` answers, with the time that `clock` says.
    pub fn new(inner: H, log: SniffLog, clock: fn() -> SystemTime) -> Self {
        Self { inner, log, clock }
    }
}

impl<H: Handler> Handler for Sniffed<H> {
    fn accepts(&self) -> Accepts {
        self.inner.accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        ask.begun(self.clock);
        let answer = self.inner.at_once(ask)?;
        Some(Note::of(ask, &self.log, self.clock).follow(answer))
    }

    fn answer(&self, mut ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send {
        let mut note = Note::of(&ask, &self.log, self.clock);
        if !ask.request.body().is_end_stream() {
            ask.request = ask.request.map(|body| Inbound::counted(body, note.taken()));
        }
        // Asked out here: within, the request would have a place in this future, too.
        let answering = self.inner.answering(ask);
        async move {
            match answering.await {
                Ok(answer) => Ok(note.follow(answer)),
                Err(fault) => {
                    let end = match fault.side {
                        Side::Client => End::CutByClient,
                        Side::Upstream => End::CutByUpstream,
                        Side::Relais => End::CutByUs,
                    };
                    note.fail(status_of(fault.side), end);
                    Err(fault)
                }
            }
        }
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.inner.refused(refused);
        let Refused { caller, request, status, ended } = *refused;
        let at = (self.clock)();
        let known = Exchange { status: Some(status.as_u16()), end: End::Refused, ..of(caller, at) };
        let response = Content { bytes: bytes(ended), media_type: None };
        let Some(request) = request else {
            return self.log.note(&Exchange { response, ..known });
        };
        let target = Target::read(request, caller);
        let (mut url, host) = (String::new(), target.host.into());
        print_url(request, target, &mut url);
        let (method, protocol) = (request.method().as_str().into(), protocol(request.version()));
        self.log.note(&Exchange { method, url: url.into(), host, protocol, response, ..known });
    }
}

/// Appends the URL that `request`, which is for `target`, is for; of a tunnel its end.
fn print_url<B>(request: &Request<B>, target: Target<'_>, text: &mut String) {
    if *request.method() == Method::CONNECT {
        text.push_str(request.uri().authority().map_or("", http::uri::Authority::as_str));
    } else {
        target.print(text);
    }
}

/// What is known of an exchange before anything was said.
fn of(caller: &Caller, at: SystemTime) -> Exchange<'static> {
    let tls = caller.tls.as_ref().map(|tls| tls_version(tls.version));
    Exchange { client: client(caller.peer), tls, ..Exchange::at(at) }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        sync::Arc,
        time::{Duration, UNIX_EPOCH},
    };

    use bytes::Bytes;
    use http::{Response, StatusCode, header::CONTENT_TYPE};
    use relais_net::Peer;
    use relais_wire::exchange::{Cached, Protocol, Timings};

    use super::*;
    use crate::{
        Body, Ended, Piece, Provenance,
        line_log::{Closed, LogFile},
    };

    #[derive(Debug)]
    struct Origin;

    impl Handler for Origin {
        async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
            let mut body = ask.request.into_body();
            while let Some(frame) =
                std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await
            {
                frame?;
            }
            let mut body = Body::of([Piece::Bytes(Bytes::from_static(b"hello"))]);
            body.came_from(Provenance {
                upstream: Some("http://127.0.0.1:1".into()),
                queue: Some(Duration::from_millis(2)),
                connect: Some(Duration::from_millis(3)),
                cached: Some(Cached::Miss),
                error: Some("dns_error"),
                ..Provenance::default()
            });
            let mut answer = Response::new(body);
            answer.headers_mut().insert(CONTENT_TYPE, "text/plain".parse().unwrap());
            Ok(answer)
        }
    }

    /// The lines of the log after `done`.
    async fn logged(done: impl AsyncFnOnce(&Sniffed<Origin>)) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = SniffLog::start(LogFile::at(&path)).unwrap();
        done(&Sniffed::new(Origin, log.clone(), || UNIX_EPOCH)).await;
        assert_eq!(log.shutdown(Duration::from_secs(10)), Closed::InTime);
        fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    fn ask(body: &'static [u8]) -> Ask {
        let request = Request::post("/a?b")
            .header("host", "a.example:8080")
            .header(CONTENT_TYPE, "x/y")
            .body(Inbound::Full(Bytes::from_static(body)));
        let local = Arc::new("http://127.0.0.1:8080".parse().unwrap());
        let peer = Peer::Net("192.0.2.1:1234".parse().unwrap());
        Ask::new(request.unwrap(), Arc::new(Caller { peer, local, tls: None }))
    }

    #[tokio::test]
    async fn an_exchange_is_noted_once_when_it_has_ended() {
        let lines = logged(async |sniffed: &Sniffed<Origin>| {
            let mut answer = sniffed.answer(ask(b"abc")).await.unwrap();
            let next = std::future::poll_fn(|cx| answer.body_mut().poll_piece(cx, 100)).await;
            assert_eq!(next.unwrap().unwrap().len(), 5);
        })
        .await;
        let [line] = &*lines else { panic!("one line: {lines:?}") };
        let read = Exchange::read(line.as_bytes()).unwrap();
        assert_eq!(
            Exchange { timings: Timings::default(), ..read.clone() },
            Exchange {
                client: Some("192.0.2.1:1234".parse().unwrap()),
                method: "POST".into(),
                url: "http://a.example:8080/a?b".into(),
                host: "a.example".into(),
                protocol: Some(Protocol::Http11),
                status: Some(200),
                request: Content { bytes: 3, media_type: Some("x/y".into()) },
                response: Content { bytes: 5, media_type: Some("text/plain".into()) },
                cached: Some(Cached::Miss),
                upstream: Some("http://127.0.0.1:1".into()),
                error: Some("dns_error".into()),
                end: End::Whole,
                ..Exchange::at(UNIX_EPOCH)
            }
        );
        assert_eq!(read.timings.queue, Some(Duration::from_millis(2)));
        assert_eq!(read.timings.connect, Some(Duration::from_millis(3)));
        assert!(read.timings.first_byte.is_some());
    }

    #[tokio::test]
    async fn who_leaves_early_is_noted_so() {
        let lines = logged(async |sniffed: &Sniffed<Origin>| {
            drop(sniffed.answer(ask(b"")).await.unwrap());
        })
        .await;
        let [line] = &*lines else { panic!("one line: {lines:?}") };
        let read = Exchange::read(line.as_bytes()).unwrap();
        assert_eq!((read.end, read.status, read.response.bytes), (End::CutByClient, Some(200), 0));
    }

    #[tokio::test]
    async fn what_is_asked_for_is_noted_by_its_url_though_it_is_refused() {
        let check = async |method: &str, uri: &str, expect: (&str, &str)| {
            let request = Request::builder().method(method).uri(uri).header("host", "a.example:81");
            let request = request.body(()).unwrap();
            let lines = logged(async |sniffed: &Sniffed<Origin>| {
                let (status, ended) = (StatusCode::BAD_REQUEST, Ended::Whole(3));
                let caller = &ask(b"").caller;
                sniffed.refused(&Refused { caller, request: Some(&request), status, ended });
                let request = request.clone().map(|()| Inbound::Full(Bytes::new()));
                drop(sniffed.answer(Ask::new(request, Arc::clone(caller))).await.unwrap());
            })
            .await;
            for (line, end) in lines.iter().zip([End::Refused, End::CutByClient]) {
                let read = Exchange::read(line.as_bytes()).unwrap();
                assert_eq!((&*read.url, &*read.host, read.end), (expect.0, expect.1, end));
            }
            assert_eq!(lines.len(), 2);
        };
        check("GET", "/a?b", ("http://a.example:81/a?b", "a.example")).await;
        check("GET", "http://b.example/", ("http://b.example/", "b.example")).await;
        check("GET", "https://u:p@b.example/@", ("https://b.example/@", "b.example")).await;
        check("CONNECT", "b.example:443", ("b.example:443", "b.example")).await;
    }
}
