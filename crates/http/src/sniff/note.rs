//! What is noted of an exchange while it is under way.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use http::{HeaderValue, Method, StatusCode, Version, header::CONTENT_TYPE};
use http_body::Body as _;
use relais_net::{Peer, Side, core_ends, tls};
use relais_wire::{
    decimal::Decimal,
    exchange::{Answered, Closing, Draft, End, Opening, Protocol, Source, Tls},
    timestamp::Stamper,
};
use tokio::time::Instant;

use super::SniffLog;
use crate::{Answer, Ask, Ended, Target};

/// An exchange under way. Noted once: when it ends, or when it is dropped.
pub(super) struct Note {
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
    /// Of `ask`, to be noted in `log`. It came when `clock` says, or was asked before.
    pub(super) fn of(ask: &Ask, log: &SniffLog, clock: fn() -> SystemTime) -> Self {
        let (at, start) = ask.begun(clock);
        let mut under_way = UnderWay::begun(start);
        open(&mut under_way.draft, ask, at);
        under_way.is_head = *ask.request.method() == Method::HEAD;
        Self { log: log.clone(), under_way: Some(under_way) }
    }

    /// Counts what is taken of the request's body.
    pub(super) fn taken(&mut self) -> Arc<AtomicU64> {
        let taken = self.under_way.as_mut().map(|it| it.taken.get_or_insert_default());
        taken.map(|taken| Arc::clone(taken)).unwrap_or_default()
    }

    /// Ends when the body of `answer` does.
    pub(super) fn follow(mut self, mut answer: Answer) -> Answer {
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
    pub(super) fn fail(&mut self, status: Option<StatusCode>, end: End) {
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
        let (mut source, mut queue, mut connect) = (Source::default(), None, None);
        if let Some(provenance) = answer.body().provenance() {
            (queue, connect) = (provenance.queue, provenance.connect);
            source = Source {
                cached: provenance.cached,
                upstream: provenance.upstream.as_deref(),
                error: provenance.error,
                blocked: provenance.blocked.as_deref(),
            };
        }
        let answered = Answered { media_type, queue, connect, first_byte };
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
        let is_ours = std::thread::panicking() || core_ends();
        self.finish(0, if is_ours { End::CutByUs } else { End::CutByClient });
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

pub(super) fn client(peer: Peer) -> Option<std::net::SocketAddr> {
    match peer {
        Peer::Net(address) => Some(address),
        Peer::Local => None,
    }
}

pub(super) fn protocol(version: Version) -> Option<Protocol> {
    match version {
        Version::HTTP_10 => Some(Protocol::Http10),
        Version::HTTP_11 => Some(Protocol::Http11),
        Version::HTTP_2 => Some(Protocol::Http2),
        _ => None,
    }
}

pub(super) fn tls_version(version: tls::Version) -> Tls {
    match version {
        tls::Version::Tls12 => Tls::V12,
        tls::Version::Tls13 => Tls::V13,
    }
}

pub(super) fn bytes(ended: Ended) -> u64 {
    match ended {
        Ended::Whole(bytes)
        | Ended::Short(bytes)
        | Ended::Broken(bytes, _)
        | Ended::Instead { bytes, .. } => bytes,
    }
}
