//! What is on disk, too, or there alone.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use http::{HeaderMap, StatusCode, header::ETAG};

use super::{Stored, second};
use crate::{
    disk::FileBody, prebuilt::Prebuilt, stored_body::StoredBody, terms::Terms, vary::Selecting,
};

/// A head that was read from disk: what is stored, but for what tells it from others and its body.
#[derive(Debug)]
pub(crate) struct Head {
    pub status: StatusCode,
    pub terms: Terms,
    pub date: SystemTime,
    pub modified: Option<SystemTime>,
    pub softened: Softened,
    /// How many.
    pub tags: usize,
    pub printed: Prebuilt,
}

/// Where a body is.
#[derive(Debug)]
pub(crate) enum Body {
    Memory(StoredBody),
    File(FileBody),
}

/// Whether what is stored was purged softly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Softened {
    /// It was not.
    #[default]
    No,
    /// Then: it is stale since.
    At(SystemTime),
    /// Before it was read from disk.
    Before,
}

impl Stored {
    /// What was on disk; its body came at that time.
    pub(crate) fn restored(head: Head, selecting: Selecting, (body, came_at): (Body, u64)) -> Self {
        let Head { status, terms, date, modified, softened, tags, printed } = head;
        let (body, file) = match body {
            Body::Memory(body) => (body, None),
            Body::File(file) => (StoredBody::nothing(), Some(Box::new(file))),
        };
        Self {
            status,
            tag: printed.field(&ETAG),
            modified,
            date,
            head: printed,
            body,
            parts: None,
            file,
            came_at,
            terms,
            selecting,
            softened,
            tags,
            tagged: OnceLock::new(),
            told_minute: AtomicU64::new(0),
            being_asked: AtomicBool::new(false),
            asked_last: AtomicU64::new(0),
        }
    }

    /// What is stored of a response whose body is in a `file`.
    pub(crate) fn in_file(
        status: StatusCode,
        headers: &HeaderMap,
        file: FileBody,
        how: (Terms, Selecting),
    ) -> Self {
        let head = Prebuilt::print(status, headers, Some(file.len()));
        let whole = Self::with_head(head, (status, headers), StoredBody::nothing(), how);
        Self { file: Some(Box::new(file)), ..whole }
    }

    /// The same, purged softly before it was read from disk. Since when it is stale is not known there,
    /// so it is as if it had never been fresh: it is sent no longer than it may be.
    pub(crate) fn softened_before(mut self) -> Self {
        self.terms.lifetime.duration = Duration::ZERO;
        Self { softened: Softened::Before, ..self }
    }

    /// When its body came, in Unix milliseconds: with key and selection that tells it from others.
    pub(crate) fn came_at(&self) -> u64 {
        self.came_at
    }

    /// Whether it has the body of `other`, whatever their heads say.
    pub(crate) fn has_body_of(&self, other: &Self) -> bool {
        self.came_at == other.came_at
            && self.size() == other.size()
            && (self.file.is_some() || self.body().as_ptr() == other.body().as_ptr())
    }

    /// When it was made, as it says.
    pub(crate) fn date(&self) -> SystemTime {
        self.date
    }

    /// When its resource was modified, as it says.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// Whether the disk is to be told at `now` that it is asked for: once a minute is enough.
    pub(crate) fn is_to_be_told(&self, now: SystemTime) -> bool {
        let minute = second(now) / 60;
        self.told_minute.load(Ordering::Relaxed) != minute
            && self.told_minute.swap(minute, Ordering::Relaxed) != minute
    }

    /// The same, with what memory it is in.
    pub(crate) fn stored_body(&self) -> &StoredBody {
        &self.body
    }
}

/// `time` in milliseconds since 1970.
pub(super) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
