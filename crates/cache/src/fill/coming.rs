//! A body under way, as far as it came: one adds to it, many read it.
//!
//! What is to be stored is held from its beginning, and in one piece. Where it turns out that it is
//! not, since it has more bytes than are stored of one or finds no room, those who read it already
//! are to have all of it: the rest passes through a window, at the pace of the slowest of them.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use relais_wire::range::{RangeVerdict, parse_range};

use super::holding::{Holding, Limits, Next, Put, ToFile, Way, Whole};
use crate::{
    conditional::RANGES_MAX, outcome::Outcome, partial::Part, request::Request, room::Room,
    settings::Settings, stored::Stored, terms::Terms, vary::Selecting,
};

/// What came before a body.
#[derive(Debug)]
pub(crate) struct FillHead {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub terms: Terms,
    pub selecting: Selecting,
    /// What `Content-Length` says.
    pub declared: Option<u64>,
    /// Where the body stands in the whole, if it is a part: then nobody else reads it.
    pub part: Option<Part>,
}

/// A response under way.
#[derive(Debug)]
pub(crate) struct Coming {
    pub(super) head: Box<FillHead>,
    /// The same without a body, for those who read. Made for the first of them.
    pub(super) shown: Option<Arc<Stored>>,
    pub(super) body: Body,
}

impl Coming {
    /// Whether the part that `asked` wants can be told, and comes soon; so it is for who wants all.
    pub(super) fn has_range(&self, asked: &Request<'_>, settings: &Settings) -> bool {
        if self.body.outgrown().is_some() || self.head.part.is_some() {
            return false;
        }
        let Some(range) = asked.range.filter(|_| asked.method == Method::GET) else { return true };
        let Some(size) = self.head.declared else { return false };
        match parse_range(range.as_bytes(), size, RANGES_MAX) {
            RangeVerdict::One(part) => {
                part.first.saturating_sub(self.body.len()) <= settings.joining.ahead_max
            }
            RangeVerdict::Unsatisfiable | RangeVerdict::Ignore | RangeVerdict::Many(_) => true,
        }
    }

    /// The head, as if it were stored without its body.
    pub(super) fn shown(&mut self) -> Arc<Stored> {
        let FillHead { status, headers, terms, selecting, declared, part: _ } = &*self.head;
        let shown = self.shown.get_or_insert_with(|| {
            let how = (*terms, selecting.clone());
            Arc::new(Stored::of_head((*status, headers), *declared, how))
        });
        Arc::clone(shown)
    }
}

/// A body, as far as it came.
#[derive(Debug)]
pub(crate) struct Body {
    /// Its beginning.
    held: Holding,
    limits: Limits,
    room: Arc<Room>,
    /// The last piece as it came, for those who are that far: they need no copy.
    last: Bytes,
    /// How many bytes came: `held.len() <= len`.
    len: u64,
    /// There once no more is held.
    window: Option<Window>,
}

/// What came behind what is held, and was not read by all.
#[derive(Debug)]
struct Window {
    pieces: VecDeque<Bytes>,
    /// How many bytes came before them.
    start: u64,
    /// Why no more is held.
    why: Outcome,
    /// Whether all came.
    ended: bool,
}

/// Whether who reads at the same pace is to have a piece without a copy. It holds on to the memory
/// that it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    Nobody,
    Others,
}

/// How far the slowest of those who read a body that is not held may be behind.
pub(super) const WINDOW_BYTES_MAX: u64 = 1 << 20;

/// And in how many pieces, each of which may hold on to more memory than it has bytes.
const WINDOW_PIECES_MAX: usize = 256;

impl Body {
    /// Makes ready for a body of so many bytes, if it is known. Gives the file that it goes to, if it
    /// has one from its beginning.
    ///
    /// # Errors
    ///
    /// Why it will not be held, if that is known already.
    pub(crate) fn new(
        declared: Option<u64>,
        limits: Limits,
        room: Arc<Room>,
    ) -> Result<(Self, ToFile), Outcome> {
        let (held, file) = Holding::new(declared, &limits, Arc::clone(&room))?;
        Ok((Self { held, limits, room, last: Bytes::new(), len: 0, window: None }, file))
    }

    /// How many bytes came.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Why it is not held any more, if so.
    pub(super) fn outgrown(&self) -> Option<Outcome> {
        self.window.as_ref().map(|window| window.why)
    }

    /// Where `more` bytes go to.
    pub(super) fn way(&self, more: u64) -> Way {
        match &self.window {
            Some(window) => Way::Not(window.why),
            None => self.held.way(more, &self.limits),
        }
    }

    /// Adds what came, and was `put` there.
    pub(super) fn add(&mut self, bytes: &Bytes, put: Put, audience: Audience) {
        if self.window.is_none()
            && let Err(why) = self.held.add(bytes, put, &self.limits)
        {
            let pieces = VecDeque::new();
            self.window = Some(Window { pieces, start: self.len, why, ended: false });
        }
        self.len += bytes.len() as u64;
        if let Some(window) = &mut self.window {
            window.pieces.push_back(bytes.clone());
            return;
        }
        self.last = match audience {
            Audience::Others => bytes.clone(),
            Audience::Nobody => Bytes::new(),
        };
    }

    /// What there is behind the first `at` bytes.
    ///
    /// *Cost*: a copy of up to 64 KiB for who does not read at the pace at which it comes.
    pub(super) fn after(&self, at: u64) -> Next {
        let index = |at: u64| usize::try_from(at).expect("a place in memory");
        if at < self.held.len() {
            let last = self.held.len() - self.last.len() as u64;
            if let Some(skipped) = at.checked_sub(last) {
                return Next::Bytes(self.last.slice(index(skipped)..));
            }
            return self.held.after(at);
        }
        let Some(window) = &self.window else { return Next::Later };
        let Some(mut skipped) = at.checked_sub(window.start) else { return Next::Lost };
        for piece in &window.pieces {
            match piece.len() as u64 {
                len if len <= skipped => skipped -= len,
                _ => return Next::Bytes(piece.slice(index(skipped)..)),
            }
        }
        if window.ended { Next::End } else { Next::Later }
    }

    /// Whether there is room in the window, given how far the slowest is.
    pub(super) fn has_room(&self, slowest: u64) -> bool {
        self.window.as_ref().is_none_or(|window| {
            // What is held is no burden: the window begins behind it.
            let behind = self.len - slowest.max(window.start).min(self.len);
            behind < WINDOW_BYTES_MAX && window.pieces.len() < WINDOW_PIECES_MAX
        })
    }

    /// Lets go of what all have read who are left. What it gives is to be dropped without a lock.
    pub(super) fn let_go_before(&mut self, slowest: u64) -> Option<Holding> {
        let window = self.window.as_mut()?;
        let mut gone = None;
        if slowest >= self.held.len() && self.held.len() > 0 {
            gone = Some(self.held.take(&self.room));
            self.last = Bytes::new();
        }
        while let Some(piece) = window.pieces.front() {
            let end = window.start + piece.len() as u64;
            if end > slowest {
                break;
            }
            window.start = end;
            window.pieces.pop_front();
        }
        gone
    }

    /// All of a body that is not held came.
    pub(super) fn end_window(&mut self) {
        if let Some(window) = &mut self.window {
            window.ended = true;
        }
    }

    /// Whether all of a body that is not held came.
    pub(super) fn has_ended(&self) -> bool {
        self.window.as_ref().is_some_and(|window| window.ended)
    }

    /// The body, if it is all there; its `file`, if it has one.
    pub(super) fn end(self, declared: Option<u64>, file: ToFile) -> Result<Whole, Outcome> {
        if let Some(window) = self.window {
            return Err(window.why);
        }
        if declared.is_some_and(|declared| declared != self.len) {
            return Err(Outcome::CutShort);
        }
        self.held.into_whole(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_held_up_to_the_most_of_one_object() {
        let room = room(1000);
        let mut body = body_of(None, Limits::memory(10), Arc::clone(&room));
        add(&mut body, "0123456789");
        assert_eq!(body.outgrown(), None);
        add(&mut body, "x");
        assert_eq!(body.outgrown(), Some(Outcome::TooLarge));
        assert_eq!(body.end(None, None).unwrap_err(), Outcome::TooLarge);
        assert_eq!(room.left(), 1000);
        assert_eq!(
            Body::new(Some(11), Limits::memory(10), Arc::clone(&room)).err(),
            Some(Outcome::TooLarge)
        );
    }

    #[test]
    fn all_bodies_hold_no_more_than_there_is_room() {
        let room = room(10);
        let one = body_of(Some(6), Limits::memory(100), Arc::clone(&room));
        let mut two = body_of(None, Limits::memory(100), Arc::clone(&room));
        assert_eq!(
            Body::new(Some(5), Limits::memory(100), Arc::clone(&room)).err(),
            Some(Outcome::NoRoom)
        );
        add(&mut two, "0123");
        assert_eq!((two.outgrown(), room.left()), (None, 0));
        add(&mut two, "4");
        assert_eq!(two.outgrown(), Some(Outcome::NoRoom));
        two.let_go_before(4);
        assert_eq!(room.left(), 4);
        drop(one);
        assert_eq!(room.left(), 10);
    }

    #[test]
    fn a_body_is_as_long_as_it_says() {
        let end = |declared| {
            let mut body = body_of(declared, Limits::memory(100), room(100));
            add(&mut body, "012");
            add(&mut body, "34");
            body.end(declared, None).map(|whole| bytes_of(&whole))
        };
        assert_eq!(end(None), Ok(Bytes::from_static(b"01234")));
        assert_eq!(end(Some(5)), Ok(Bytes::from_static(b"01234")));
        assert_eq!(end(Some(6)), Err(Outcome::CutShort));
        assert_eq!(end(Some(4)), Err(Outcome::CutShort));
    }

    #[test]
    fn what_came_is_read_from_anywhere() {
        let mut body = body_of(Some(8), Limits::memory(100), room(100));
        assert_eq!(told(&body, 0), "later");
        add(&mut body, "0123");
        add(&mut body, "45");
        check(&body, 0, "012345");
        check(&body, 3, "345");
        check(&body, 4, "45");
        check(&body, 5, "5");
        assert_eq!((told(&body, 6), told(&body, 99)), ("later".into(), "later".into()));
    }

    #[test]
    fn what_is_not_held_passes_through_a_window() {
        let room = room(4);
        let mut body = body_of(None, Limits::memory(100), Arc::clone(&room));
        for piece in ["0123", "45", "67"] {
            add(&mut body, piece);
        }
        check(&body, 1, "123");
        check(&body, 4, "45");
        check(&body, 5, "5");
        check(&body, 6, "67");
        body.let_go_before(3);
        check(&body, 3, "3");
        body.let_go_before(6);
        assert_eq!((told(&body, 3), told(&body, 5)), ("lost".into(), "lost".into()));
        assert_eq!(room.left(), 4);
        check(&body, 6, "67");
        assert_eq!(told(&body, 8), "later");
        body.end_window();
        assert_eq!(told(&body, 8), "end");
    }

    #[test]
    fn the_window_has_room_for_so_much_behind_the_slowest() {
        let mut body = body_of(None, Limits::memory(0), room(0));
        let piece = Bytes::from(vec![0; 1 << 16]);
        let mut added = 0;
        while body.has_room(0) {
            body.add(&piece, Put::Nowhere, Audience::Others);
            added += 1;
        }
        assert_eq!(added * 65536, WINDOW_BYTES_MAX);
        assert!(body.has_room(65536));
        let mut body = body_of(None, Limits::memory(0), room(0));
        for _ in 0..WINDOW_PIECES_MAX {
            assert!(body.has_room(0));
            add(&mut body, "x");
        }
        assert!(!body.has_room(0));
        body.let_go_before(1);
        assert!(body.has_room(1));
    }

    fn body_of(declared: Option<u64>, limits: Limits, room: Arc<Room>) -> Body {
        Body::new(declared, limits, room).unwrap().0
    }

    fn bytes_of(whole: &Whole) -> Bytes {
        let Whole::Memory(body) = whole else { panic!("a file without a disk") };
        body.bytes().clone()
    }

    fn add(body: &mut Body, piece: &str) {
        let bytes = Bytes::copy_from_slice(piece.as_bytes());
        let put = match body.way(bytes.len() as u64) {
            Way::Not(why) => Put::Not(why),
            _ => Put::Nowhere,
        };
        body.add(&bytes, put, Audience::Others);
    }

    /// What there is behind the first `at` bytes.
    fn told(body: &Body, at: u64) -> String {
        match body.after(at) {
            Next::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Next::File(_) => panic!("a file without a disk"),
            Next::Later => "later".into(),
            Next::End => "end".into(),
            Next::Lost => "lost".into(),
        }
    }

    #[track_caller]
    fn check(body: &Body, at: u64, expect: &str) {
        assert_eq!(told(body, at), expect);
    }

    fn room(bytes: u64) -> Arc<Room> {
        Arc::new(Room::of(bytes))
    }
}
