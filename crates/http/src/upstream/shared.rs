//! Connections of HTTP/2: as few as there may be for each upstream and core, shared by all who ask.

use std::{
    cell::RefCell,
    collections::{HashMap, hash_map},
    error::Error,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use relais_net::{ByteCounts, CountedStream, Permit, Stream};
use tokio::sync::watch;

use super::{pool::Id, upload::Upload};
use crate::clock::coarse_now;

/// How large the head of an answer may be: as h2 counts, names and values and 32 bytes for each field.
const HEAD_BYTES_MAX: u32 = 64 * 1024;

/// How many requests share a connection, if its upstream takes so many. With one more there is another.
const STREAMS_MAX: usize = 64;

/// How much of an answer may come before somebody takes it.
const STREAM_WINDOW: u32 = 128 * 1024;

/// The same of all answers on a connection: each has its own, or who takes none would have others wait.
const CONN_WINDOW: u32 = 64 * STREAM_WINDOW;

/// How often the connections are looked at.
const SWEEP: Duration = Duration::from_secs(1);

thread_local! {
    static TABLE: RefCell<Table> = RefCell::default();
}

/// The connections of a core. Of each the table holds one handle: once that is dropped the connection
/// ends by itself, behind the last answer that still comes on it.
#[derive(Debug, Default)]
struct Table {
    /// By upstream: the first that has room is used, so that those behind come to rest. None is empty.
    conns: HashMap<Id, Vec<Entry>>,
    /// By upstream, whether somebody makes another. Closed if that comes to nothing.
    calls: HashMap<Id, watch::Receiver<()>>,
    /// Whether the task that sweeps is there.
    swept: bool,
}

#[derive(Debug)]
struct Entry {
    shared: Shared,
    owner: Owner,
    /// On the coarse clock, in milliseconds. Later for as long as somebody uses it.
    until: u64,
}

/// Whose connections these are.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub(super) id: Id,
    /// Dead once the upstream is gone.
    pub(super) is_there: Weak<()>,
    /// How long a connection is kept for the next request.
    pub(super) idle_max: Duration,
}

/// What requests are sent on. Who holds one uses the connection.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    id: Id,
    pub(super) sender: SendRequest<Upload>,
    /// Counts who holds it: the table, and all who use it.
    held: Arc<()>,
    /// How many requests the upstream takes at once.
    streams_max: Arc<AtomicUsize>,
    /// How much came, among the rest.
    passed: Arc<ByteCounts>,
    /// How much had come when this holder began to wait.
    heard_before: u64,
}

impl Shared {
    /// Waits from here on.
    pub(super) fn listen(&mut self) {
        self.heard_before = self.passed.received();
    }

    /// Waited in vain. If nothing came for anybody in that time, whoever was there may be gone without
    /// a word: the connection is nobody else's from here on.
    pub(super) fn doubt(&self) {
        if self.passed.received() == self.heard_before {
            self.retire();
        }
    }

    /// Has nobody else begin to use the connection.
    pub(super) fn retire(&self) {
        TABLE.with_borrow_mut(|table| table.remove_if(self.id, |there| there.is(self)));
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.held, &other.held)
    }
}

impl Entry {
    fn new(owner: Owner, shared: Shared, now: u64) -> Self {
        let mut entry = Self { shared, owner, until: 0 };
        entry.is_used(now);
        entry
    }

    fn is_used(&mut self, now: u64) {
        let idle_max = u64::try_from(self.owner.idle_max.as_millis()).unwrap_or(u64::MAX);
        self.until = now.saturating_add(idle_max);
    }

    fn has_room(&self) -> bool {
        let streams = Arc::strong_count(&self.shared.held) - 1;
        streams < self.shared.streams_max.load(Relaxed).clamp(1, STREAMS_MAX)
    }

    /// Whether it is kept.
    fn stays(&mut self, now: u64) -> bool {
        if self.shared.sender.is_closed() || self.owner.is_there.strong_count() == 0 {
            return false;
        }
        if Arc::strong_count(&self.shared.held) > 1 {
            self.is_used(now);
        }
        self.until > now
    }
}

impl Table {
    fn remove_if(&mut self, id: Id, is_it: impl Fn(&Shared) -> bool) {
        let Some(entries) = self.conns.get_mut(&id) else { return };
        entries.retain(|entry| !is_it(&entry.shared));
        if entries.is_empty() {
            self.conns.remove(&id);
        }
    }
}

/// A connection that takes one more request, if there is one.
pub(super) fn there(upstream: Id) -> Option<Shared> {
    TABLE.with_borrow_mut(|table| {
        table.remove_if(upstream, |there| there.sender.is_closed());
        let entries = table.conns.get_mut(&upstream)?;
        let entry = entries.iter_mut().find(|entry| entry.has_room())?;
        entry.is_used(coarse_now());
        Some(entry.shared.clone())
    })
}

/// Whose it is to make a connection: of all who need one, one at a time.
#[derive(Debug)]
pub(super) enum Turn {
    /// Nobody's: there is one.
    There(Shared),
    Ours(Calling),
}

/// Somebody makes a connection. If this is dropped, it came to nothing.
#[derive(Debug)]
pub(super) struct Calling {
    id: Id,
    /// `None` if others wait for somebody else.
    told: Option<watch::Sender<()>>,
}

/// Waits for a connection that takes one more request, or for leave to make it.
pub(super) async fn turn(upstream: Id) -> Turn {
    loop {
        if let Some(shared) = there(upstream) {
            return Turn::There(shared);
        }
        let call = TABLE.with_borrow(|table| table.calls.get(&upstream).cloned());
        let Some(mut call) = call else { return Turn::Ours(Calling::new(upstream)) };
        // Who waited for nothing does not wait for the next one as well.
        if call.changed().await.is_err() {
            return Turn::Ours(Calling::new(upstream));
        }
    }
}

impl Calling {
    fn new(id: Id) -> Self {
        let told = TABLE.with_borrow_mut(|table| match table.calls.entry(id) {
            hash_map::Entry::Occupied(_) => None,
            hash_map::Entry::Vacant(vacant) => {
                let (told, call) = watch::channel(());
                vacant.insert(call);
                Some(told)
            }
        });
        Self { id, told }
    }

    /// The connection is there.
    pub(super) fn done(mut self) {
        if let Some(told) = self.leave() {
            told.send_replace(());
        }
    }

    fn leave(&mut self) -> Option<watch::Sender<()>> {
        let told = self.told.take()?;
        // The table may be gone where all of its core ends.
        _ = TABLE.try_with(|table| table.borrow_mut().calls.remove(&self.id));
        Some(told)
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Begins to speak HTTP/2 on `stream`, for all who ask its owner on this core. Its place is held for as
/// long as it is open.
///
/// # Errors
///
/// If the other side does not.
pub(super) async fn share(
    owner: Owner,
    (stream, permit): (Stream, Option<Permit>),
) -> Result<Shared, hyper::Error> {
    let passed = Arc::default();
    let stream = CountedStream::new(stream, Arc::clone(&passed));
    let (sender, conn) = Builder::new(TokioExecutor::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONN_WINDOW)
        .max_header_list_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await?;
    let id = owner.id;
    let streams_max = Arc::new(AtomicUsize::new(STREAMS_MAX));
    let told_max = Arc::clone(&streams_max);
    tokio::spawn(async move {
        let (mut conn, _permit) = (conn, permit);
        let ended = poll_fn(|cx| {
            let ended = Pin::new(&mut conn).poll(cx);
            told_max.store(conn.current_max_send_streams(), Relaxed);
            ended
        });
        if let Err(error) = ended.await {
            let error: &dyn Error = &error;
            tracing::debug!(error, "an upstream's HTTP/2 connection ended");
        }
        TABLE.with_borrow_mut(|table| table.remove_if(id, |there| there.sender.is_closed()));
    });
    let held = Arc::default();
    let shared = Shared { id, sender, held, streams_max, passed, heard_before: 0 };
    TABLE.with_borrow_mut(|table| {
        let entry = Entry::new(owner, shared.clone(), coarse_now());
        table.conns.entry(id).or_default().push(entry);
        if !std::mem::replace(&mut table.swept, true) {
            tokio::spawn(sweep());
        }
    });
    Ok(shared)
}

/// Ends when nothing is left.
async fn sweep() {
    loop {
        tokio::time::sleep(SWEEP).await;
        if sweep_at(coarse_now()) {
            return;
        }
    }
}

/// Drops the connections that nobody used for long, or will. Gives whether nothing is left.
pub(super) fn sweep_at(now: u64) -> bool {
    TABLE.with_borrow_mut(|table| {
        table.conns.retain(|_, entries| {
            entries.retain_mut(|entry| entry.stays(now));
            !entries.is_empty()
        });
        table.swept = !table.conns.is_empty();
        !table.swept
    })
}
