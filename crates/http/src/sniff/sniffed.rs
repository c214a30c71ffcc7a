//! The handler that notes what another handler answers, and where the answer came from.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use http::{HeaderMap, Method, Request, StatusCode, Version, header::CONTENT_TYPE};
use http_body::Body as _;
use relais_net::{Fault, Peer, Side, tls};
use relais_wire::exchange::{Content, End, Exchange, Protocol, Timings, Tls};
use tokio::time::Instant;

use super::SniffLog;
use crate::{
    Accepts, Answer, Ask, Caller, Ended, Handler, Inbound, Provenance, Refused, Target,
    handler::status_of,
};

/// Notes every request that `H` is asked, once its answer has ended.
///
/// *Cost*: a few allocations for each, on the way; see [`SniffLog::note`] for its end.
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

    fn note(&self, ask: &Ask) -> Note {
        let begun = Begun::of(ask, ask.begun(self.clock));
        let under_way = UnderWay { begun, so_far: SoFar::default() };
        Note { log: self.log.clone(), under_way: Some(Box::new(under_way)) }
    }
}

impl<H: Handler> Handler for Sniffed<H> {
    fn accepts(&self) -> Accepts {
        self.inner.accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        ask.begun(self.clock);
        let answer = self.inner.at_once(ask)?;
        Some(self.note(ask).follow(answer))
    }

    fn answer(&self, mut ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send {
        let mut note = self.note(&ask);
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

/// What is known of an exchange from its beginning, copied: whoever holds a field's value holds the
/// whole buffer that its head was read into.
struct Begun {
    at: SystemTime,
    start: Instant,
    peer: Peer,
    tls: Option<tls::Version>,
    version: Version,
    method: Method,
    /// URL, host and media type, one behind the other.
    text: String,
    /// Where the first two end.
    ends: (usize, usize),
}

impl Begun {
    fn of(ask: &Ask, (at, start): (SystemTime, Instant)) -> Self {
        let Ask { request, caller, .. } = ask;
        let target = Target::of(ask);
        let media_type = media_type(request.headers()).unwrap_or_default();
        let mut text = String::with_capacity(
            target.host.len() * 2 + target.path_and_query.len() + media_type.len() + 16,
        );
        print_url(request, target, &mut text);
        let url_end = text.len();
        text.push_str(target.host);
        let host_end = text.len();
        text.push_str(&media_type);
        Self {
            at,
            start,
            peer: caller.peer,
            tls: caller.tls.as_ref().map(|tls| tls.version),
            version: request.version(),
            method: request.method().clone(),
            text,
            ends: (url_end, host_end),
        }
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

/// What came to be known since.
#[derive(Default)]
struct SoFar {
    /// How much of the request's body was taken; `None` if it has none.
    taken: Option<Arc<AtomicU64>>,
    first_byte: Option<Duration>,
    status: Option<StatusCode>,
    media_type: Option<String>,
    provenance: Provenance,
    sent: u64,
}

/// An exchange under way. Noted once: when it ends, or when it is dropped.
struct Note {
    log: SniffLog,
    /// `None` once it is noted. Boxed: it changes hands more than once on its way.
    under_way: Option<Box<UnderWay>>,
}

/// What is known of an exchange.
struct UnderWay {
    begun: Begun,
    so_far: SoFar,
}

impl Note {
    /// Counts what is taken of the request's body.
    fn taken(&mut self) -> Arc<AtomicU64> {
        let taken = self.under_way.as_mut().map(|it| it.so_far.taken.get_or_insert_default());
        taken.map(|taken| Arc::clone(taken)).unwrap_or_default()
    }

    /// Ends when the body of `answer` does.
    fn follow(mut self, mut answer: Answer) -> Answer {
        let is_bodiless = self.under_way.as_mut().is_some_and(|it| {
            it.see(&answer);
            it.begun.method == Method::HEAD
        });
        let is_bodiless = is_bodiless
            || matches!(answer.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        answer.body_mut().on_end(move |ended| {
            self.end(if is_bodiless { Ended::Whole(0) } else { ended });
        });
        answer
    }

    /// Ends without an answer of the handler, but perhaps with this one.
    fn fail(&mut self, status: Option<StatusCode>, end: End) {
        if let Some(it) = &mut self.under_way {
            it.so_far.status = status;
        }
        self.finish(end);
    }

    /// Ends with an answer that ended so.
    fn end(&mut self, ended: Ended) {
        let Some(it) = &mut self.under_way else { return };
        it.so_far.sent = bytes(ended);
        let end = match ended {
            Ended::Whole(_) => End::Whole,
            Ended::Short(_) | Ended::Broken(_, Side::Client) => End::CutByClient,
            Ended::Broken(_, Side::Upstream) => End::CutByUpstream,
            Ended::Broken(_, Side::Relais) => End::CutByUs,
            Ended::Instead { status, .. } => {
                it.so_far.status = Some(status);
                End::Refused
            }
        };
        self.finish(end);
    }

    fn finish(&mut self, end: End) {
        if let Some(it) = self.under_way.take() {
            self.log.note(&it.exchange(end));
        }
    }
}

impl UnderWay {
    /// Keeps what the head of `answer` says.
    fn see(&mut self, answer: &Answer) {
        let Self { begun, so_far } = self;
        so_far.first_byte = Some(begun.start.elapsed());
        so_far.status = Some(answer.status());
        // Not from its map: the fields of a hit are elsewhere.
        let media_type = crate::media_type(answer);
        so_far.media_type =
            media_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        so_far.provenance = answer.body().provenance().cloned().unwrap_or_default();
    }

    /// All of it, as it ends now.
    fn exchange(&self, end: End) -> Exchange<'_> {
        let Self { begun, so_far } = self;
        let SoFar { taken, first_byte, status, media_type, provenance, sent } = so_far;
        let (url, rest) = begun.text.split_at(begun.ends.0);
        let (host, asked_type) = rest.split_at(begun.ends.1 - begun.ends.0);
        Exchange {
            at: begun.at,
            client: client(begun.peer),
            method: begun.method.as_str().into(),
            url: url.into(),
            host: host.into(),
            protocol: protocol(begun.version),
            tls: begun.tls.map(tls_version),
            status: status.map(|status| status.as_u16()),
            request: Content {
                bytes: taken.as_ref().map_or(0, |taken| taken.load(Relaxed)),
                media_type: (!asked_type.is_empty()).then(|| asked_type.into()),
            },
            response: Content { bytes: *sent, media_type: media_type.as_deref().map(Into::into) },
            timings: Timings {
                queue: None,
                connect: provenance.connect,
                first_byte: *first_byte,
                total: begun.start.elapsed(),
            },
            cached: provenance.cached,
            upstream: provenance.upstream.as_deref().map(Into::into),
            error: provenance.error.map(Into::into),
            blocked: provenance.blocked.as_deref().map(Into::into),
            end,
        }
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        self.finish(if std::thread::panicking() { End::CutByUs } else { End::CutByClient });
    }
}

/// What is known of an exchange before anything was said.
fn of(caller: &Caller, at: SystemTime) -> Exchange<'static> {
    let tls = caller.tls.as_ref().map(|tls| tls_version(tls.version));
    Exchange { client: client(caller.peer), tls, ..Exchange::at(at) }
}

fn client(peer: Peer) -> Option<std::net::SocketAddr> {
    match peer {
        Peer::Net(address) => Some(address),
        Peer::Local => None,
    }
}

fn protocol(version: Version) -> Option<Protocol> {
    match version {
        Version::HTTP_10 => Some(Protocol::Http10),
        Version::HTTP_11 => Some(Protocol::Http11),
        Version::HTTP_2 => Some(Protocol::Http2),
        _ => None,
    }
}

fn tls_version(version: tls::Version) -> Tls {
    match version {
        tls::Version::Tls12 => Tls::V12,
        tls::Version::Tls13 => Tls::V13,
    }
}

fn media_type(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

fn bytes(ended: Ended) -> u64 {
    match ended {
        Ended::Whole(bytes)
        | Ended::Short(bytes)
        | Ended::Broken(bytes, _)
        | Ended::Instead { bytes, .. } => bytes,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::UNIX_EPOCH};

    use bytes::Bytes;
    use http::Response;
    use relais_wire::exchange::Cached;

    use super::*;
    use crate::{
        Body, Piece,
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
    async fn what_is_refused_is_noted_by_its_url() {
        let check = async |method: &str, uri: &str, expect: (&str, &str)| {
            let request = Request::builder().method(method).uri(uri).header("host", "a.example:81");
            let request = request.body(()).unwrap();
            let lines = logged(async |sniffed: &Sniffed<Origin>| {
                let (status, ended) = (StatusCode::BAD_REQUEST, Ended::Whole(3));
                let caller = &ask(b"").caller;
                sniffed.refused(&Refused { caller, request: Some(&request), status, ended });
            })
            .await;
            let read = Exchange::read(lines[0].as_bytes()).unwrap();
            assert_eq!((&*read.url, &*read.host, read.end), (expect.0, expect.1, End::Refused));
        };
        check("GET", "/a?b", ("http://a.example:81/a?b", "a.example")).await;
        check("GET", "http://b.example/", ("http://b.example/", "b.example")).await;
        check("CONNECT", "b.example:443", ("b.example:443", "b.example")).await;
    }
}
