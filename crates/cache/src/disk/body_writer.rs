//! A body that is written to a file while it comes, and read from it by as many as like.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt as _},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    body_file::{BodyFile, CHUNK_BYTES, file_len},
    found::FileBody,
    health::Counts,
    open_error::naming,
    queue::{Job, Meta, NotQueued, WrittenFile},
    record::{FRONT_BYTES_MAX, Parts},
    secret::Summing,
    segment::read_from_memory,
    store::Store,
};

/// Writes a body as it comes. What is dropped before [`finish`](Self::finish) is deleted.
#[derive(Debug)]
pub struct BodyWriter {
    store: Arc<Store>,
    number: u32,
    shared: Arc<Shared>,
    /// Bytes that came, all in the file.
    len: u64,
    /// The sums of whole chunks, and of the one that is coming.
    sums: Vec<u64>,
    chunk: Summing,
    chunk_left: u64,
    /// Bytes that were taken of the folder's.
    taken: u64,
    /// Once all came, and the sums are written.
    sealed: Option<WrittenFile>,
    is_finished: bool,
}

/// Reads a body that is being written, from any position. It can be read to its end when it is
/// stored or given up meanwhile.
#[derive(Clone, Debug)]
pub struct BodyReader(Arc<Shared>);

/// How far a body has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// So many bytes can be read.
    pub written: u64,
    /// How it ended, if it did.
    pub end: Option<End>,
}

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All of it is there.
    Whole,
    /// No more of it comes, and it is not whole.
    GivenUp,
}

/// Why no more of a body is taken.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// The folder has all the bytes that it may have.
    #[error("the cache's folder is full")]
    NoRoom,
    /// The disk fails.
    #[error("the disk fails")]
    Degraded,
    /// The disk does not take it.
    #[error("writing a body to the cache's folder")]
    Disk(#[from] io::Error),
}

#[derive(Debug)]
struct Shared {
    file: Arc<File>,
    progress: Mutex<Progress>,
}

impl BodyWriter {
    /// Begins a file for a body of so many bytes, if it is known.
    pub(super) fn begin(store: &Arc<Store>, declared: Option<u64>) -> Result<Self, NotWritten> {
        let declared = declared.unwrap_or(0);
        if declared > store.space.max() / 4 {
            return Err(NotWritten::NoRoom);
        }
        if store.space.lacking(declared) > 0 {
            store.queue.nudge();
        }
        let number = store.bodies.next();
        let path = store.bodies.part_path(number);
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| degrade(store, &path, error))?;
        let progress = Mutex::new(Progress { written: 0, end: None });
        Ok(Self {
            store: Arc::clone(store),
            number,
            shared: Arc::new(Shared { file: Arc::new(file), progress }),
            len: 0,
            sums: Vec::new(),
            chunk: store.folder.secret.summing(),
            chunk_left: CHUNK_BYTES,
            taken: 0,
            sealed: None,
            is_finished: false,
        })
    }

    /// One more who reads what comes.
    pub fn reader(&self) -> BodyReader {
        BodyReader(Arc::clone(&self.shared))
    }

    /// How many bytes came.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether none came.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds what came: it is in the file, which means in the system's page cache, when this returns,
    /// and can be read.
    ///
    /// # Errors
    ///
    /// [`NotWritten`]: drop it then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), NotWritten> {
        let after = self.len + bytes.len() as u64;
        self.take_space(file_len(after))?;
        let written = self.shared.file.write_all_at(bytes, self.len);
        written.map_err(|error| self.failed(error))?;
        self.len = after;
        self.sum(bytes);
        self.shared.lock().written = after;
        Ok(())
    }

    /// Ends the body: all of it came. From here on it can be sent; it is deleted unless it is
    /// [finished](Self::finish). `key` is what it will be stored under.
    ///
    /// # Errors
    ///
    /// [`NotWritten`]: drop it then.
    pub fn seal(&mut self, key: &[u8]) -> Result<FileBody, NotWritten> {
        let written = self.write_sums();
        let written = written.map_err(|error| self.failed(error))?;
        let WrittenFile { body_len, body_sum, .. } = written;
        let secret = &self.store.folder.secret;
        // Nothing is opened, nor read again: what was just written is right.
        let (file, sums) = (Arc::clone(&self.shared.file), self.sums.clone());
        let body = BodyFile::of(self.number, (file, body_len), sums.into(), secret);
        body.is_right();
        let body = Arc::new(body);
        let hash = secret.hash(key);
        let sealed = FileBody::new(&self.store, hash, (self.number, body_len, body_sum));
        sealed.note(&body);
        self.store.keep_open(body);
        Ok(sealed)
    }

    /// Stores the object: all of its body came. It is found once the writer got to it. Then this may be
    /// dropped, and whoever holds a lock need not do that under it.
    ///
    /// # Errors
    ///
    /// [`NotQueued`], and it is not stored; whoever reads the body still can.
    pub fn finish(&mut self, meta: Meta) -> Result<(), NotQueued> {
        check_meta(&meta)?;
        let written = self.write_sums();
        let file = written.map_err(|error| {
            self.failed(error);
            NotQueued::Degraded
        })?;
        self.shared.lock().end = Some(End::Whole);
        self.store.push(Job::InsertFile(meta, file))?;
        self.is_finished = true;
        Ok(())
    }

    /// Writes the sums behind the body, if they are not there yet.
    fn write_sums(&mut self) -> io::Result<WrittenFile> {
        if let Some(written) = self.sealed {
            return Ok(written);
        }
        if self.chunk_left < CHUNK_BYTES {
            self.sums.push(self.chunk.sum());
        }
        let sums: Vec<u8> = self.sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
        self.shared.file.write_all_at(&sums, self.len)?;
        let file_len = self.len + sums.len() as u64;
        // Room for the sums was taken with their chunks.
        debug_assert_eq!(file_len, self.taken, "what is written was taken before");
        let body_sum = self.store.folder.secret.sum_about(self.len, &sums);
        let written = WrittenFile { file: self.number, body_len: self.len, body_sum, file_len };
        self.sealed = Some(written);
        Ok(written)
    }

    fn failed(&self, error: io::Error) -> io::Error {
        degrade(&self.store, &self.store.bodies.part_path(self.number), error)
    }

    fn take_space(&mut self, bytes: u64) -> Result<(), NotWritten> {
        let more = bytes.saturating_sub(self.taken);
        let was_taken = bytes <= self.store.space.max() / 4 && self.store.space.take(more);
        if self.store.space.lacking(0) > 0 {
            self.store.queue.nudge();
        }
        if !was_taken {
            return Err(NotWritten::NoRoom);
        }
        self.taken += more;
        Ok(())
    }

    fn sum(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let left = usize::try_from(self.chunk_left).expect("less than a chunk");
            let (now, later) = bytes.split_at(left.min(bytes.len()));
            self.chunk.add(now);
            self.chunk_left -= now.len() as u64;
            if self.chunk_left == 0 {
                self.sums.push(self.chunk.sum());
                (self.chunk, self.chunk_left) = (self.store.folder.secret.summing(), CHUNK_BYTES);
            }
            bytes = later;
        }
    }
}

impl Drop for BodyWriter {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        self.shared.lock().end.get_or_insert(End::GivenUp);
        self.store.bodies.delete_part(self.number, &self.store.folder);
        self.store.space.give(self.taken);
        Counts::add(&self.store.counts.not_stored, 1);
    }
}

impl BodyReader {
    /// How far it has come.
    pub fn progress(&self) -> Progress {
        *self.0.lock()
    }

    /// Reads what is there from `offset` on and fits in `out`; 0 if nothing is there yet.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let len = self.there_from(offset).min(out.len());
        self.0.file.read_exact_at(&mut out[..len], offset)?;
        Ok(len)
    }

    /// The same of what the system has in its memory.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if it is to be waited for; else what the system says.
    pub(crate) fn read_now(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let len = self.there_from(offset).min(out.len());
        if len == 0 { Ok(0) } else { read_from_memory(&self.0.file, &mut out[..len], offset) }
    }

    /// How many bytes are there from `offset` on.
    pub(crate) fn there_from(&self, offset: u64) -> usize {
        let left = self.progress().written.saturating_sub(offset);
        usize::try_from(left).unwrap_or(usize::MAX)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it fits in a record.
pub(super) fn check_meta(meta: &Meta) -> Result<(), NotQueued> {
    let Meta { key, selection, head, tags, .. } = meta;
    let parts = Parts { tags, key, selection, head, body: &[] };
    if parts.front_len() > FRONT_BYTES_MAX || tags.len() > super::record::TAGS_MAX {
        return Err(NotQueued::TooLarge);
    }
    Ok(())
}

/// Writes a body that came as a whole. `None` if there is no room for it.
pub(super) fn write_body(store: &Arc<Store>, body: &[u8]) -> io::Result<Option<WrittenFile>> {
    let written = BodyWriter::begin(store, Some(body.len() as u64)).and_then(|mut writer| {
        writer.append(body)?;
        Ok(writer)
    });
    let mut writer = match written {
        Ok(writer) => writer,
        Err(NotWritten::NoRoom | NotWritten::Degraded) => return Ok(None),
        Err(NotWritten::Disk(error)) => return Err(error),
    };
    let written = writer.write_sums()?;
    writer.is_finished = true;
    Ok(Some(written))
}

/// Says that writing to the file at `path` failed, and gives why.
fn degrade(store: &Store, path: &Path, error: io::Error) -> io::Error {
    const TOO_MANY_OPEN: [Option<i32>; 2] = [Some(23), Some(24)];
    if TOO_MANY_OPEN.contains(&error.raw_os_error()) {
        // No fault of the disk.
        return error;
    }
    let error = naming(path)(error);
    store.health.fails(&error);
    store.queue.nudge();
    error
}
