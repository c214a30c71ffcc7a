//! The handler that notes what another handler answers, and where the answer came from.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use http::{HeaderValue, Method, Request, StatusCode, Version, header::CONTENT_TYPE};
use http_body::Body as _;
use relais_net::{Fault, Peer, Side, tls};
use relais_wire::{
    decimal::Decimal,
    exchange::{Answered, Closing, Content, Draft, End, Exchange, Opening, Protocol, Source, Tls},
    timestamp::Stamper,
};
use tokio::time::Instant;

use super::SniffLog;
use crate::{
    Accepts, Answer, Ask, Caller, Ended, Handler, Inbound, Refused, Target, handler::status_of,
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
        let (at, start) = ask.begun(self.clock);
        let mut under_way = UnderWay::begun(start);
        open(&mut under_way.draft, ask, at);
        under_way.is_head = *ask.request.method() == Method::HEAD;
        Note { log: self.log.clone(), under_way: Some(under_way) }
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

/// Begins the line of an exchange whose request came `at` this time.
///
/// What is known of it is printed, not kept: whoever holds a field's value holds the whole buffer that
/// its head was read into.
fn open(draft: &mut Draft, Ask { request, caller, .. }: &Ask, at: SystemTime) {
    thread_local! {
        static STAMPER: Cell<Stamper> = Cell::default();
    }
    let mut stamper = STAMPER.get();
    let at = stamper.stamp(at);
    STAMPER.set(stamper);
    let target = Target::read(request, caller);
    let port = target.port.map(Decimal::of);
    let (colon, port) = port.as_ref().map_or(("", ""), |port| (":", port.as_str()));
    let Target { scheme, host, path_and_query: path, .. } = target;
    let url: &[&str] = match scheme {
        // Of a tunnel its end: the authority, but for the user that it may have.
        _ if *request.method() == Method::CONNECT => &[host, colon, port],
        "http" if port.is_empty() => &["http://", host, path],
        "https" if port.is_empty() => &["https://", host, path],
        _ => &[scheme, "://", host, colon, port, path],
    };
    let opening = Opening {
        at,
        client: client(caller.peer),
        method: request.method().as_str(),
        url,
        host,
        protocol: protocol(request.version()),
        tls: caller.tls.as_ref().map(|tls| tls_version(tls.version)),
    };
    let is_bodiless = request.body().is_end_stream();
    let media_type = if is_bodiless { None } else { request.headers().get(CONTENT_TYPE) };
    draft.open(&opening, media_type.map(HeaderValue::as_bytes));
}

/// Appends the URL that `request`, which is for `target`, is for; of a tunnel its end.
fn print_url<B>(request: &Request<B>, target: Target<'_>, text: &mut String) {
    if *request.method() == Method::CONNECT {
        text.push_str(request.uri().authority().map_or("", http::uri::Authority::as_str));
    } else {
        target.print(text);
    }
}

/// An exchange under way. Noted once: when it ends, or when it is dropped.
struct Note {
    log: SniffLog,
    /// `None` once it is noted. Boxed: it changes hands more than once on its way.
    under_way: Option<Box<UnderWay>>,
}

/// What is known of an exchange.
struct UnderWay {
    draft: Draft,
    start: Instant,
    is_head: bool,
    /// How much of the request's body was taken; `None` if it has none.
    taken: Option<Arc<AtomicU64>>,
    status: Option<StatusCode>,
}

impl Note {
    /// Counts what is taken of the request's body.
    fn taken(&mut self) -> Arc<AtomicU64> {
        let taken = self.under_way.as_mut().map(|it| it.taken.get_or_insert_default());
        taken.map(|taken| Arc::clone(taken)).unwrap_or_default()
    }

    /// Ends when the body of `answer` does.
    fn follow(mut self, mut answer: Answer) -> Answer {
        let is_head = self.under_way.as_mut().is_some_and(|it| {
            it.see(&answer);
            it.is_head
        });
        let is_bodiless =
            is_head || matches!(answer.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        answer.body_mut().on_end(move |ended| {
            self.end(if is_bodiless { Ended::Whole(0) } else { ended });
        });
        answer
    }

    /// Ends without an answer of the handler, but perhaps with this one.
    fn fail(&mut self, status: Option<StatusCode>, end: End) {
        if let Some(it) = &mut self.under_way {
            it.status = status;
        }
        self.finish(0, end);
    }

    /// Ends with an answer that ended so.
    fn end(&mut self, ended: Ended) {
        let Some(it) = &mut self.under_way else { return };
        let end = match ended {
            Ended::Whole(_) => End::Whole,
            Ended::Short(_) | Ended::Broken(_, Side::Client) => End::CutByClient,
            Ended::Broken(_, Side::Upstream) => End::CutByUpstream,
            Ended::Broken(_, Side::Relais) => End::CutByUs,
            Ended::Instead { status, .. } => {
                it.status = Some(status);
                End::Refused
            }
        };
        self.finish(bytes(ended), end);
    }

    fn finish(&mut self, sent: u64, end: End) {
        if let Some(it) = self.under_way.take() {
            self.log.note_closed(&it.draft, &it.closing(sent, end));
            it.keep();
        }
    }
}

/// How many are kept on each core for whoever needs the next: each costs two allocations.
const KEPT_MAX: usize = 16;

/// Lines that grew larger, in bytes, are not kept.
const KEPT_BYTES_MAX: usize = 4 << 10;

thread_local! {
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    static SPARE: RefCell<Vec<Box<UnderWay>>> = const { RefCell::new(Vec::new()) };
}

impl UnderWay {
    /// One of which no more is known than when it began. Its line is that of another, to be begun anew.
    #[expect(clippy::unnecessary_box_returns, reason = "it may be an old one")]
    fn begun(start: Instant) -> Box<Self> {
        let spare = SPARE.with_borrow_mut(Vec::pop);
        let mut it = spare.unwrap_or_else(|| {
            let draft = Draft::default();
            Box::new(Self { draft, start, is_head: false, taken: None, status: None })
        });
        it.start = start;
        it
    }

    /// Keeps it for another, as nobody needs it any more.
    fn keep(mut self: Box<Self>) {
        (self.taken, self.status) = (None, None);
        // At the end of a thread there may be nobody who keeps it.
        _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < KEPT_MAX && self.draft.memory() <= KEPT_BYTES_MAX {
                spare.push(self);
            }
        });
    }

    /// Goes on with what the head of `answer` says, and where that came from.
    fn see(&mut self, answer: &Answer) {
        self.status = Some(answer.status());
        let first_byte = Some(self.start.elapsed());
        let own = answer.headers().get(CONTENT_TYPE);
        // The fields of a hit are elsewhere.
        let stored = if own.is_none() { crate::media_type(answer) } else { None };
        let media_type = own.or(stored.as_ref()).map(HeaderValue::as_bytes);
        let (mut source, mut connect) = (Source::default(), None);
        if let Some(provenance) = answer.body().provenance() {
            connect = provenance.connect;
            source = Source {
                cached: provenance.cached,
                upstream: provenance.upstream.as_deref(),
                error: provenance.error,
                blocked: provenance.blocked.as_deref(),
            };
        }
        let answered = Answered { media_type, queue: None, connect, first_byte };
        self.draft.answer(&answered, &source);
    }

    /// What is known as it ends now.
    fn closing(&self, sent: u64, end: End) -> Closing {
        Closing {
            status: self.status.map(|status| status.as_u16()),
            request_bytes: self.taken.as_ref().map_or(0, |taken| taken.load(Relaxed)),
            bytes: sent,
            total: self.start.elapsed(),
            end,
        }
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        self.finish(0, if std::thread::panicking() { End::CutByUs } else { End::CutByClient });
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
    use std::{
        fs,
        time::{Duration, UNIX_EPOCH},
    };

    use bytes::Bytes;
    use http::Response;
    use relais_wire::exchange::{Cached, Timings};

    use super::*;
    use crate::{
        Body, Piece, Provenance,
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
