//! A stored response.

mod below;
mod parted;

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::SystemTime,
};

use bytes::Bytes;
use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_LENGTH, ETAG, LAST_MODIFIED},
};
use relais_wire::etag::EntityTag;

pub use self::below::Softened;
use self::below::millis;
pub(crate) use self::below::{Body, Head};
use crate::{
    age::{date_in, read_date},
    conditional::Validators,
    disk::FileBody,
    key::Key,
    partial::{Parts, SPANS_MAX},
    prebuilt::Prebuilt,
    room::HELD_BYTES,
    settings::Settings,
    stored_body::StoredBody,
    tags::{TagId, TagIndex, Tagged, TagsOf},
    terms::Terms,
    vary::Selecting,
};

/// A response in the store. It never changes: what makes it newer, makes another of it.
pub struct Stored {
    status: StatusCode,
    head: Prebuilt,
    /// The value of `ETag`, in `head`.
    tag: Option<Bytes>,
    /// `Last-Modified`, read.
    modified: Option<SystemTime>,
    /// `Date`, read.
    date: SystemTime,
    /// Nothing if there are `parts`, or it is in a `file`.
    body: StoredBody,
    /// What is stored of its body, if that is not all.
    parts: Option<Box<Parts>>,
    /// Where its body is on disk, if it is not in memory.
    file: Option<Box<FileBody>>,
    /// When its body came: Unix time in milliseconds. Newer heads do not change it.
    came_at: u64,
    terms: Terms,
    selecting: Selecting,
    softened: Softened,
    /// How many tags its server gave it, and where it is found by them.
    tags: usize,
    tagged: OnceLock<Tagged>,
    /// The minute in which the disk was told last that it is asked for, since 1970.
    told_minute: AtomicU64,
    /// Somebody is asking its origin about it, so that others need not.
    being_asked: AtomicBool,
    /// The second in which that began last, since 1970.
    asked_last: AtomicU64,
}

impl Stored {
    /// What is stored of a response: `headers` are those that are kept of it.
    pub(crate) fn new(
        status: StatusCode,
        headers: &HeaderMap,
        body: StoredBody,
        how: (Terms, Selecting),
    ) -> Self {
        let len = Some(body.bytes().len() as u64);
        Self::with_head(Prebuilt::print(status, headers, len), (status, headers), body, how)
    }

    /// The head alone of a response whose body, of so many bytes if that is known, still comes.
    pub(crate) fn of_head(
        (status, headers): (StatusCode, &HeaderMap),
        len: Option<u64>,
        how: (Terms, Selecting),
    ) -> Self {
        let head = Prebuilt::print(status, headers, len);
        Self::with_head(head, (status, headers), StoredBody::nothing(), how)
    }

    fn with_head(
        head: Prebuilt,
        (status, headers): (StatusCode, &HeaderMap),
        body: StoredBody,
        (terms, selecting): (Terms, Selecting),
    ) -> Self {
        let received = terms.times.received;
        Self {
            status,
            tag: head.field(&ETAG),
            modified: date_in(headers, LAST_MODIFIED, received),
            date: read_date(headers, received),
            head,
            body,
            parts: None,
            file: None,
            came_at: millis(received),
            terms,
            selecting,
            softened: Softened::No,
            tags: TagsOf::read(headers).len(),
            tagged: OnceLock::new(),
            told_minute: AtomicU64::new(0),
            being_asked: AtomicBool::new(false),
            asked_last: AtomicU64::new(0),
        }
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its fields, with `Content-Length` unless it is [parts](Self::parts). *Cost*: a map is made of them.
    pub fn headers(&self) -> HeaderMap {
        self.head.headers(|_| false)
    }

    /// What is stored of its body, if that is not all of it; then [`body`](Self::body) is empty.
    pub fn parts(&self) -> Option<&Parts> {
        self.parts.as_deref()
    }

    /// Where its body is on disk, if it is not in memory; then [`body`](Self::body) is empty.
    pub fn file(&self) -> Option<&FileBody> {
        self.file.as_deref()
    }

    /// How many bytes the whole body has; `None` if nobody said.
    pub fn size(&self) -> Option<u64> {
        match (&self.parts, &self.file) {
            (Some(parts), _) => parts.size(),
            (None, Some(file)) => Some(file.len()),
            (None, None) => Some(self.body().len() as u64),
        }
    }

    /// How many bytes of its body are stored.
    pub fn bytes(&self) -> u64 {
        match (&self.parts, &self.file) {
            (Some(parts), _) => parts.bytes(),
            (None, Some(file)) => file.len(),
            (None, None) => self.body().len() as u64,
        }
    }

    /// Its body, as far as it is in memory.
    pub fn body(&self) -> &Bytes {
        self.body.bytes()
    }

    /// What it may be used for.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Which requests it is for.
    pub fn selecting(&self) -> &Selecting {
        &self.selecting
    }

    /// How many bytes of memory it has.
    pub fn weight(&self) -> u64 {
        // What the allocator adds to each of: it, its head, its body, its fields.
        const ALLOCATED: usize = 4 * 16 + HELD_BYTES;
        let texts = self.head.bytes().len() + self.body().len() + self.selecting.weight();
        let parts = self.parts.as_ref();
        let lists = parts.map_or(0, |parts| parts.list_bytes() + SPANS_MAX * HELD_BYTES)
            + self.file.as_ref().map_or(0, |file| size_of_val(&**file));
        let own = (size_of::<Self>() + texts + ALLOCATED + lists) as u64;
        own.saturating_add(parts.map_or(0, |parts| parts.bytes()))
    }

    /// How many tags its server gave it.
    pub fn tags(&self) -> usize {
        self.tags
    }

    /// Enters it into `index`, under which it is found from then on as long as it is anywhere. It is
    /// stored under `key`, and no other.
    pub(crate) fn enter(&self, index: &Arc<TagIndex>, key: &Key) {
        if self.tags > 0 || !key.apart_by().is_empty() {
            let ids = || TagsOf::read(&self.headers()).ids(key);
            self.tagged.get_or_init(|| index.enter(key, ids()));
        }
    }

    /// Whether it was purged softly.
    pub fn softened(&self) -> Softened {
        self.softened
    }

    /// Under what it was entered.
    pub(crate) fn tag_ids(&self) -> &[TagId] {
        self.tagged.get().map_or(&[], Tagged::ids)
    }

    /// The same, stale from `now` on. Nobody is asking about it yet.
    pub(crate) fn expired(&self, now: SystemTime, settings: &Settings) -> Self {
        // The length is printed anew.
        let headers = self.head.headers(|name| name == CONTENT_LENGTH);
        let mut terms = self.terms;
        let age = terms.age(now, settings).unwrap_or_default();
        terms.lifetime.duration = terms.lifetime.duration.min(age);
        let how = (terms, self.selecting.clone());
        let softened = Softened::At(now);
        Self { softened, ..self.with_fields(&headers, how) }
    }

    pub(crate) fn head(&self) -> &Prebuilt {
        &self.head
    }

    /// Whether its origin can be asked whether it is still good.
    pub(crate) fn has_validator(&self) -> bool {
        self.tag.is_some() || self.modified.is_some()
    }

    /// What tells it from others of its resource.
    pub(crate) fn validators(&self) -> Validators<'_> {
        Validators {
            tag: self.tag.as_ref().and_then(|tag| EntityTag::parse(tag).ok()),
            modified: self.modified,
            date: self.date,
        }
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("status", &self.status)
            .field("body", &self.body().len())
            .field("parts", &self.parts)
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}

/// Asks the origin about a stored response, for all who are content with it meanwhile.
#[derive(Debug)]
pub(crate) struct Revalidation {
    stored: Arc<Stored>,
}

impl Revalidation {
    /// Starts one at `now`; `None` if somebody is on it already, or was in this second: an origin
    /// that fails at once is not asked again at once.
    pub(crate) fn start(stored: &Arc<Stored>, now: SystemTime) -> Option<Self> {
        // First what does not change, so that hits do not fight over it.
        if !Self::is_due(stored, now) || stored.being_asked.swap(true, Ordering::Relaxed) {
            return None;
        }
        stored.asked_last.store(second(now), Ordering::Relaxed);
        Some(Self { stored: Arc::clone(stored) })
    }

    /// Whether one would be started at `now`, as far as can be told without doing it.
    pub(crate) fn is_due(stored: &Stored, now: SystemTime) -> bool {
        stored.asked_last.load(Ordering::Relaxed) != second(now)
            && !stored.being_asked.load(Ordering::Relaxed)
    }
}

/// The second of `now`, since 1970.
fn second(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Drop for Revalidation {
    fn drop(&mut self) {
        self.stored.being_asked.store(false, Ordering::Relaxed);
    }
}
