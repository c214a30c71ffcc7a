//! How many files are open at once, and for whom.

use std::{
    fs::File,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{AcqRel, Relaxed, Release},
        },
    },
};

use relais_net::Client;

use super::{FileSpan, OpenFile, Stamp};
use crate::{
    one_each::{Entry, OneEach},
    places::{Place, Places},
    shares::{Share, Shares},
};

/// How many files may be open for longer than it takes to read them: while they are sent, while they
/// wait to be coded, and for those who ask next. A file is open once, however many are sent it; any one
/// client is sent [its share](Client::share_of) of as many at most. Clones share the places.
#[derive(Clone, Debug)]
pub struct OpenFiles {
    places: Places,
    /// Places for files that nobody is being sent: never more than a quarter of all.
    lent: Places,
    shares: Shares,
    /// Those that have places, by their states: two files that are in the same one are the same.
    open: OneEach<Stamp, OpenFile>,
    /// How many numbers were given out.
    numbers: Arc<AtomicU64>,
}

/// A file's place, until it is closed.
#[derive(Debug)]
pub(crate) struct Opened {
    _entry: Entry<Stamp, OpenFile>,
    /// No other has it.
    number: u64,
    is_lent: AtomicBool,
    _place: Place,
}

/// That a client is sent a file: what is sent of it holds this.
#[derive(Debug)]
pub(crate) struct Hold {
    _share: Share,
    /// Of files that have none themselves.
    _place: Option<Place>,
}

/// A file that is kept open for who asks next, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lent {
    span: FileSpan,
    _place: Place,
}

impl OpenFiles {
    /// Places for `max` files.
    pub fn at_most(max: usize) -> Self {
        let (places, lent) = (Places::at_most(max), Places::at_most(max / 4));
        let (open, numbers) = (OneEach::default(), Arc::default());
        Self { places, lent, shares: Shares::of(max), open, numbers }
    }

    /// `file`, which was opened in the state `stamp`: as it is open already, if it is; else with a
    /// place, if one is left.
    ///
    /// *Cost*: what is open is locked for a moment, twice if it is not open yet; and once at its end.
    pub fn open(&self, file: impl Into<Arc<File>>, stamp: Stamp) -> Arc<OpenFile> {
        if let Some(known) = self.open.find(&stamp) {
            return known;
        }
        let file = file.into();
        let Some(place) = self.places.take() else { return Arc::new(OpenFile::of(file, stamp)) };
        self.open.get_or(stamp, |entry| {
            let (number, is_lent) = (self.number(), AtomicBool::new(false));
            let opened = Opened { _entry: entry, number, is_lent, _place: place };
            OpenFile { opened: Some(opened), ..OpenFile::of(file, stamp) }
        })
    }

    /// `file`, which is to stay open, with a place as by [`OpenFiles::open`], unless it has one.
    pub(crate) fn place(&self, file: &Arc<OpenFile>) -> Arc<OpenFile> {
        match file.opened() {
            Some(_) => Arc::clone(file),
            None => self.open(Arc::clone(&file.file), file.stamp),
        }
    }

    /// All of `file` for `client`, if it has a place, and the client is not sent too many others.
    pub(crate) fn hold(&self, client: Client, file: &Arc<OpenFile>) -> Option<FileSpan> {
        let share = self.shares.take(client, file.opened()?.number)?;
        let hold = Some(Arc::new(Hold { _share: share, _place: None }));
        Some(FileSpan { file: Arc::clone(file), offset: 0, len: file.stamp.len, hold })
    }

    /// A place for a file that `client` is sent and that has none itself, if there is one for it.
    pub(crate) fn enter(&self, client: Client) -> Option<Hold> {
        let share = self.shares.take(client, self.number())?;
        Some(Hold { _share: share, _place: Some(self.places.take()?) })
    }

    /// Has the file of `span` stay open for who asks next, if there is a place for that and it does
    /// not already. Its client has it as if it were sent it.
    pub(crate) fn lend(&self, span: &FileSpan) -> Option<Lent> {
        let opened = span.file.opened()?;
        if opened.is_lent.load(Relaxed) {
            return None;
        }
        let place = self.lent.take()?;
        let was_lent = opened.is_lent.swap(true, AcqRel);
        (!was_lent).then(|| Lent { span: span.clone(), _place: place })
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(opened) = self.span.file.opened() {
            opened.is_lent.store(false, Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, net::Ipv4Addr};

    use super::*;

    const A: Client = Client::V4(Ipv4Addr::new(192, 0, 2, 1));
    const B: Client = Client::V4(Ipv4Addr::new(192, 0, 2, 2));

    fn file() -> (File, Stamp) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"some").unwrap();
        let stamp = Stamp::of(&file).unwrap();
        (file, stamp)
    }

    #[test]
    fn a_file_is_open_once_however_often_it_is_opened() {
        let files = OpenFiles::at_most(1);
        let (file, stamp) = file();
        let first = files.open(file.try_clone().unwrap(), stamp);
        let second = files.open(file.try_clone().unwrap(), stamp);
        assert!(Arc::ptr_eq(&first, &second) && second.opened().is_some());
        // In another state it is another, for which there is no place.
        (&file).write_all(b"more").unwrap();
        let changed = files.open(file.try_clone().unwrap(), Stamp::of(&file).unwrap());
        assert!(changed.opened().is_none() && files.hold(A, &changed).is_none());
        drop((first, second));
        assert_eq!(files.open.count(), 0);
        assert!(files.open(file, stamp).opened().is_some());
    }

    #[test]
    fn one_client_does_not_take_every_place_and_may_be_sent_what_it_is_sent_again() {
        let files = OpenFiles::at_most(4);
        let opened = [(); 4].map(|()| file()).map(|(file, stamp)| files.open(file, stamp));
        let of_a: Vec<_> = opened.iter().map_while(|file| files.hold(A, file)).collect();
        assert_eq!(of_a.len(), 3);
        assert!(files.hold(A, &opened[0]).is_some());
        assert!(files.enter(A).is_none());
        assert!(files.hold(B, &opened[3]).is_some());
        assert!(files.enter(B).is_none(), "every place is taken");
    }

    #[test]
    fn what_has_no_place_itself_takes_one() {
        let files = OpenFiles::at_most(4);
        let of_a: Vec<_> = std::iter::from_fn(|| files.enter(A)).collect();
        assert_eq!(of_a.len(), 3);
        let _of_b = files.enter(B).unwrap();
        assert!(files.enter(B).is_none());
        drop(of_a);
        assert!(files.enter(A).is_some());
    }

    #[test]
    fn a_quarter_stays_open_for_who_asks_next_and_counts_for_whom_it_was_opened() {
        let files = OpenFiles::at_most(4);
        let spans = [(); 2]
            .map(|()| file())
            .map(|(file, stamp)| files.hold(A, &files.open(file, stamp)).unwrap());
        let lent = files.lend(&spans[0]).unwrap();
        assert!(files.lend(&spans[0]).is_none(), "it is lent already");
        assert!(files.lend(&spans[1]).is_none(), "no place is left");
        let file = Arc::clone(&spans[0].file);
        drop(spans);
        let more = [files.enter(A).unwrap(), files.enter(A).unwrap()];
        assert!(files.enter(A).is_none());
        drop(lent);
        assert!(files.enter(A).is_some());
        drop(more);
        let again = files.hold(A, &file).unwrap();
        assert!(files.lend(&again).is_some());
    }
}
