//! Connections of HTTP/2: one for each upstream and core, shared by all who ask.

use std::{
    cell::RefCell,
    collections::HashMap,
    error::Error,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use relais_net::Stream;

use super::{heard::Heard, pool::Id, upload::Upload};
use crate::clock::coarse_now;

/// How large the head of an answer may be: as h2 counts, names and values and 32 bytes for each field.
const HEAD_BYTES_MAX: u32 = 64 * 1024;

/// How much of answers may come before somebody takes it: of each, and of all on a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONN_WINDOW: u32 = 4 * 1024 * 1024;

/// How often the connections are looked at.
const SWEEP: Duration = Duration::from_secs(1);

thread_local! {
    static TABLE: RefCell<Table> = RefCell::default();
}

/// The connections of a core. Of each the table holds one handle: once that is dropped the connection
/// ends by itself, behind the last answer that still comes on it.
#[derive(Debug, Default)]
struct Table {
    conns: HashMap<Id, Entry>,
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
    /// How often something came.
    heard: Arc<AtomicU64>,
    /// The same when this holder began to wait.
    heard_before: u64,
}

impl Shared {
    /// Waits from here on.
    pub(super) fn listen(&mut self) {
        self.heard_before = self.heard.load(Relaxed);
    }

    /// Waited in vain. If nothing came for anybody in that time, whoever was there may be gone without
    /// a word: the connection is nobody else's from here on.
    pub(super) fn doubt(&self) {
        if self.heard.load(Relaxed) == self.heard_before {
            TABLE.with_borrow_mut(|table| table.remove_if(self.id, |there| there.is(self)));
        }
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
    fn remove_if(&mut self, id: Id, is_it: impl FnOnce(&Shared) -> bool) {
        if self.conns.get(&id).is_some_and(|entry| is_it(&entry.shared)) {
            self.conns.remove(&id);
        }
    }
}

/// The connection that there is, if it takes requests.
pub(super) fn there(upstream: Id) -> Option<Shared> {
    TABLE.with_borrow_mut(|table| {
        let entry = table.conns.get_mut(&upstream)?;
        if entry.shared.sender.is_closed() {
            table.conns.remove(&upstream);
            return None;
        }
        entry.is_used(coarse_now());
        Some(entry.shared.clone())
    })
}

/// Begins to speak HTTP/2 on `stream`, for all who ask its owner on this core.
///
/// # Errors
///
/// If the other side does not.
pub(super) async fn share(owner: Owner, stream: Stream) -> Result<Shared, hyper::Error> {
    let heard = Arc::default();
    let stream = Heard::new(stream, Arc::clone(&heard));
    let (sender, conn) = Builder::new(TokioExecutor::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONN_WINDOW)
        .max_header_list_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await?;
    let id = owner.id;
    tokio::spawn(async move {
        if let Err(error) = conn.await {
            let error: &dyn Error = &error;
            tracing::debug!(error, "an upstream's HTTP/2 connection ended");
        }
        // Another may have taken its place.
        TABLE.with_borrow_mut(|table| table.remove_if(id, |there| there.sender.is_closed()));
    });
    let shared = Shared { id, sender, held: Arc::default(), heard, heard_before: 0 };
    TABLE.with_borrow_mut(|table| {
        table.conns.insert(id, Entry::new(owner, shared.clone(), coarse_now()));
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
        table.conns.retain(|_, entry| entry.stays(now));
        table.swept = !table.conns.is_empty();
        !table.swept
    })
}
