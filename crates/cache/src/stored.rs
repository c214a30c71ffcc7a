//! A stored response.

mod parted;

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_LENGTH, ETAG, LAST_MODIFIED},
};
use relais_wire::etag::EntityTag;

use crate::{
    age::{date_in, read_date},
    conditional::Validators,
    disk::FileBody,
    key::Key,
    on_disk::{Body, Head},
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

    /// The same, purged softly before it was read from disk. Since when it is stale is not known there,
    /// so it is as if it had never been fresh: it is sent no longer than it may be.
    pub(crate) fn softened_before(mut self) -> Self {
        self.terms.lifetime.duration = Duration::ZERO;
        Self { softened: Softened::Before, ..self }
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

/// `time` in milliseconds since 1970.
fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
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
