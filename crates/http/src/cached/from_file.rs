//! Answers whose body stands in a file of the cache.

use std::{
    collections::VecDeque,
    fmt,
    fs::File,
    io,
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use relais_cache::{
    FilePiece, Hit,
    disk::{BodyFile, FileBody, Unread},
};
use relais_net::{Client, Fault, Side};

use super::disk_reads::DiskReads;
use crate::{FileSpan, OpenFile, OpenFiles, Piece, Pieces, Stamp, file::Hold};

/// So much is held against its sums at once, before it is sent for the first time.
const CHECKED_AT_ONCE: u64 = 1 << 20;

/// How files of the cache are sent. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    /// Places of files that are sent.
    pub open_files: OpenFiles,
    pub reads: DiskReads,
}

/// What is sent of a file. If that is open already, it stays so, whatever becomes of what is stored.
#[derive(Debug)]
pub(super) struct FromFile {
    file: FileBody,
    left: VecDeque<FilePiece>,
    state: State,
    reads: DiskReads,
    /// Among the files that are sent.
    hold: Arc<Hold>,
}

enum State {
    Closed,
    Open(Arc<BodyFile>),
    /// Somebody waits for the disk.
    Reading(Pin<Box<dyn Future<Output = Result<Arc<BodyFile>, NotRead>> + Send>>),
}

/// Why a body is not sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotRead {
    #[error(transparent)]
    Unread(#[from] Unread),
    #[error("reading what is stored on disk")]
    Io(#[from] io::Error),
    #[error("the disk did not answer in time")]
    Late,
}

impl FromFile {
    /// `None` if too many files are sent already, or to `client`.
    pub(super) fn new(
        file: &FileBody,
        pieces: Vec<FilePiece>,
        (sending, client): (&Sending, Client),
    ) -> Option<Self> {
        let hold = Arc::new(sending.open_files.enter(client)?);
        let state = file.opened().map_or(State::Closed, State::Open);
        let (left, reads) = (pieces.into(), sending.reads.clone());
        Some(Self { file: file.clone(), left, state, reads, hold })
    }

    /// As much of `part` as is known to be right.
    fn span(&self, body: &BodyFile, part: &Range<u64>) -> io::Result<Option<FileSpan>> {
        let len = body.checked_from(part.start).min(part.end - part.start);
        if len == 0 {
            return Ok(None);
        }
        let file = body.beside(open_file)?;
        let hold = Some(Arc::clone(&self.hold));
        Ok(Some(FileSpan { file, offset: part.start, len, hold }))
    }

    fn poll_span(
        &mut self,
        cx: &mut Context<'_>,
        part: &Range<u64>,
    ) -> Poll<Result<FileSpan, NotRead>> {
        loop {
            match &mut self.state {
                State::Reading(reading) => {
                    let read = ready!(reading.as_mut().poll(cx));
                    self.state = State::Closed;
                    self.state = State::Open(read?);
                }
                State::Open(body) => {
                    let body = Arc::clone(body);
                    if let Some(span) = self.span(&body, part)? {
                        return Poll::Ready(Ok(span));
                    }
                    // It is held meanwhile: taken out, it could not be opened again.
                    self.state = self.read(Some(body), part);
                }
                State::Closed => {
                    self.state = match self.file.opened() {
                        Some(body) => State::Open(body),
                        None => self.read(None, part),
                    };
                }
            }
        }
    }

    /// Its client is waited for in the usual way, however long that takes: its head has left.
    fn read(&self, open: Option<Arc<BodyFile>>, part: &Range<u64>) -> State {
        let file = (self.file.clone(), open);
        State::Reading(Box::pin(read(file, part.clone(), self.reads.clone())))
    }
}

impl Pieces for FromFile {
    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, Fault>>> {
        let part = match self.left.front() {
            None => return Poll::Ready(None),
            Some(FilePiece::Part(part)) => part.clone(),
            Some(FilePiece::Text(text)) => {
                let text = text.bytes().clone();
                self.left.pop_front();
                return Poll::Ready(Some(Ok(Piece::Bytes(text))));
            }
        };
        let span = match ready!(self.poll_span(cx, &part)) {
            Ok(span) => span,
            Err(error) => {
                let doing = "sending what is stored on disk";
                return Poll::Ready(Some(Err(Fault::new(
                    Side::Relais,
                    doing,
                    io::Error::other(error),
                ))));
            }
        };
        self.left.pop_front();
        if span.len < part.end - part.start {
            self.left.push_front(FilePiece::Part(part.start + span.len..part.end));
        }
        Poll::Ready(Some(Ok(Piece::File(span))))
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "Closed",
            Self::Open(_) => "Open",
            Self::Reading(_) => "Reading",
        })
    }
}

/// Whether `hit` can be sent, as far as that is known without the disk.
#[derive(Debug)]
pub(super) enum AtHand {
    /// It can: it has no body in a file, or the beginning of that is what was stored. So it is for as
    /// long as this is held.
    Yes(Option<Arc<BodyFile>>),
    /// The disk has to be waited for first.
    No,
}

/// Whether `hit` can be sent at once.
pub(super) fn at_hand(hit: &Hit) -> AtHand {
    let Some((file, first)) = hit.first_in_file() else { return AtHand::Yes(None) };
    checked(file, &first).map_or(AtHand::No, |body| AtHand::Yes(Some(body)))
}

/// `file`, if it is open and what is at the beginning of `part` is known to be right.
fn checked(file: &FileBody, part: &Range<u64>) -> Option<Arc<BodyFile>> {
    file.opened().filter(|body| part.is_empty() || body.checked_from(part.start) > 0)
}

/// Waits until the beginning of `part`, which is sent of `file`, can be sent: it is there, and what
/// was stored. It is for as long as what this gives is held.
///
/// # Errors
///
/// [`NotRead`]: nobody finds it any more then, unless it is late, or too many files are open.
pub(super) async fn readable(
    file: &FileBody,
    part: Range<u64>,
    reads: &DiskReads,
) -> Result<Arc<BodyFile>, NotRead> {
    if let Some(body) = checked(file, &part) {
        return Ok(body);
    }
    let reading = read((file.clone(), file.opened()), part, reads.clone());
    reads.in_time(file.number(), reading).await.unwrap_or(Err(NotRead::Late))
}

/// Opens `file`, if it is not `open`, and holds the beginning of `part` against its sums, where a disk may be waited for.
async fn read(
    (file, open): (FileBody, Option<Arc<BodyFile>>),
    part: Range<u64>,
    reads: DiskReads,
) -> Result<Arc<BodyFile>, NotRead> {
    let turn = reads.turn(file.number()).await;
    // Who waited for others may have waited for the same.
    if let Some(body) = checked(&file, &part) {
        return Ok(body);
    }
    let read = turn.read(move || {
        let body = open.map_or_else(|| file.open(), Ok)?;
        let checked = body.check(part.start..part.end.min(part.start + CHECKED_AT_ONCE));
        checked.inspect_err(|_| file.give_up())?;
        Ok(body)
    });
    // What panicked was not read.
    read.await.map_err(io::Error::other)?
}

/// `file`, ready to be sent.
fn open_file(file: &Arc<File>) -> io::Result<OpenFile> {
    Ok(OpenFile::sealed(Arc::clone(file), Stamp::of(file)?))
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use relais_cache::disk::{Body, Disk, DiskSettings, Meta, Object, Patience};

    use super::*;

    const BYTES: u64 = 3_000_000;

    #[tokio::test]
    async fn what_is_taken_out_while_it_is_sent_for_the_first_time_is_sent_whole() {
        let folder = tempfile::tempdir().unwrap();
        let disk = || Disk::open(folder.path(), DiskSettings::of(64 << 20)).unwrap();
        let before = disk();
        let meta = Meta { key: "k".into(), ..Meta::default() };
        before.insert(Object { meta, body: vec![7; 3_000_000].into() }).unwrap();
        before.close(Duration::from_mins(1)).unwrap();
        drop(before);
        let disk = disk();
        let found = disk.find(b"k", Patience::Waits).unwrap().pop().unwrap();
        let Ok(Body::File(file)) = found.body() else { panic!("no file") };
        let places = Sending { open_files: OpenFiles::at_most(1), reads: DiskReads::new() };
        let mut sent =
            FromFile::new(&file, vec![FilePiece::Part(0..BYTES)], (&places, Client::Local))
                .unwrap();
        let (mut bytes, mut last) = (0, None);
        while let Some(piece) = poll_fn(|cx| Pin::new(&mut sent).poll_next(cx)).await {
            let Ok(Piece::File(span)) = piece else { panic!("cut off at {bytes}") };
            bytes += span.len;
            last = Some(span);
            disk.remove(b"k").wait().unwrap();
        }
        assert_eq!(bytes, BYTES);
        // What is still on its way has the place.
        drop(sent);
        assert!(places.open_files.enter(Client::Local).is_none());
        drop(last);
        assert!(places.open_files.enter(Client::Local).is_some());
    }
}
