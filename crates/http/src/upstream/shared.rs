//! Connections of HTTP/2: one for each upstream and core, shared by all who ask.

use std::{cell::RefCell, collections::HashMap, error::Error};

use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use relais_net::Stream;

use super::pool::Id;
use crate::Inbound;

/// How large the head of an answer may be: as h2 counts, names and values and 32 bytes for each field.
const HEAD_BYTES_MAX: u32 = 64 * 1024;

/// How much of answers may come before somebody takes it: of each, and of all on a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONN_WINDOW: u32 = 4 * 1024 * 1024;

thread_local! {
    /// Connections of this core, by upstream.
    static SHARED: RefCell<HashMap<Id, SendRequest<Inbound>>> = RefCell::default();
}

/// What requests are sent on.
pub(super) type Shared = SendRequest<Inbound>;

/// The connection that there is, if it takes requests.
pub(super) fn there(upstream: Id) -> Option<Shared> {
    SHARED.with_borrow_mut(|shared| {
        let found = shared.get(&upstream)?;
        if found.is_closed() {
            shared.remove(&upstream);
            return None;
        }
        Some(found.clone())
    })
}

/// Begins to speak HTTP/2 on `stream`, for all who ask `upstream` on this core.
///
/// # Errors
///
/// If the other side does not.
pub(super) async fn share(upstream: Id, stream: Stream) -> Result<Shared, hyper::Error> {
    let (shared, conn) = Builder::new(TokioExecutor::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONN_WINDOW)
        .max_header_list_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(async move {
        if let Err(error) = conn.await {
            let error: &dyn Error = &error;
            tracing::debug!(error, "an upstream's HTTP/2 connection ended");
        }
        SHARED.with_borrow_mut(|shared| {
            // Another may have taken its place.
            if shared.get(&upstream).is_some_and(SendRequest::is_closed) {
                shared.remove(&upstream);
            }
        });
    });
    SHARED.with_borrow_mut(|all| all.insert(upstream, shared.clone()));
    Ok(shared)
}
