//! How a client comes to its line: by a call of its own, or with others on one connection.

use std::sync::atomic::Ordering;

use tokio::time::{Instant, timeout};

use super::{Client, Shared};
use crate::load::{
    failure::{Failure, Kind},
    http2::Conn,
    line::Line,
};

/// After so many calls none of which was answered, the others are not tried before the start.
const MISSED_MAX: usize = 256;

impl Client {
    /// Opens a line before the start, unless it is clear that nobody is there, or the first stream of
    /// the connection does.
    pub(super) async fn open_early(&self) -> Option<Line> {
        if self.stream > 0 {
            return None;
        }
        let Shared { calling, reached, missed, .. } = &*self.shared;
        let _permit = calling.acquire().await.ok()?;
        let is_hopeless =
            reached.load(Ordering::Relaxed) == 0 && missed.load(Ordering::Relaxed) >= MISSED_MAX;
        if is_hopeless {
            return None;
        }
        let line = self.open().await;
        let count = if line.is_ok() { reached } else { missed };
        count.fetch_add(1, Ordering::Relaxed);
        line.ok()
    }

    /// Gives the line that the other streams of its connection have, or opens one.
    pub(super) async fn open(&self) -> Result<Line, Failure> {
        let Some(slot) = &self.slot else { return self.call().await };
        // One of them calls, and the others wait for it.
        let Ok(mut slot) = timeout(self.shared.timeout, slot.lock()).await else {
            return Err(self.shared.not_connected());
        };
        if let Some(conn) = slot.clone().and_then(Conn::still_open) {
            return Ok(Line::Http2(conn));
        }
        let line = self.call().await?;
        if let Line::Http2(conn) = &line {
            *slot = Some(conn.clone());
        }
        Ok(line)
    }

    /// Calls, and counts that.
    async fn call(&self) -> Result<Line, Failure> {
        let begun = Instant::now();
        let Shared { target, dialer, timeout: most, .. } = &*self.shared;
        let opened = timeout(*most, Line::open(target, dialer)).await;
        let opened = opened.unwrap_or_else(|_| Err(self.shared.not_connected()));
        self.with_ledger(|ledger| match &opened {
            Ok(line) => {
                ledger.connect.record(begun.elapsed());
                ledger.note_streams_max(line.streams_max());
            }
            Err(failure) => ledger.not_connected(failure),
        });
        opened
    }
}

impl Shared {
    fn not_connected(&self) -> Failure {
        Failure::new(Kind::TimedOut, format!("not connected in {:?}", self.timeout))
    }
}
