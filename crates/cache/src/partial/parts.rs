//! The parts of a response that are stored.

use std::{fmt, sync::Arc};

use http::HeaderValue;
use relais_wire::range::{ByteRange, Extent, print_content_range};

use crate::{
    room::{Held, Room},
    stored_body::StoredBody,
};

/// The parts of a response that are stored, and where they stand in the whole.
#[derive(Clone, Debug)]
pub struct Parts {
    /// How many bytes the whole has, if anybody said.
    size: Option<u64>,
    /// In order, none empty, and no byte in two of them: `1 <= spans.len() <= SPANS_MAX`
    spans: Vec<Span>,
    /// How the first of them was told of, while it is the only one.
    told: Option<Told>,
}

/// Bytes that follow each other.
#[derive(Clone, Debug)]
struct Span {
    first: u64,
    body: StoredBody,
}

/// What a part was asked for by, and what its `Content-Range` said, word for word.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub range: HeaderValue,
    pub content_range: HeaderValue,
}

/// Of one response no more pieces are stored than this.
pub(crate) const SPANS_MAX: usize = 16;

impl Parts {
    /// The one part that `body` is, which was said to be at `extent`; `None` if it has more bytes
    /// than that, or none.
    ///
    /// Fewer are its first ones, as of any body that ends too soon.
    pub(crate) fn of(extent: Extent, body: StoredBody, told: Told) -> Option<Self> {
        let Extent { part, size } = extent;
        let len = body.bytes().len() as u64;
        let span = Span { first: part.first, body };
        (1..=part.len()).contains(&len).then(|| Self { size, spans: vec![span], told: Some(told) })
    }

    /// How many bytes the whole has, if anybody said.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Which bytes are stored, in order.
    pub fn ranges(&self) -> impl Iterator<Item = ByteRange> {
        self.spans.iter().map(Span::range)
    }

    /// How many bytes are stored.
    pub fn bytes(&self) -> u64 {
        self.ranges().map(|range| range.len()).sum()
    }

    /// How much memory their list has, besides their bytes.
    pub(crate) fn list_bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.spans)
    }

    /// Whether the only part there is was the answer to this very `Range`, and has the first byte of it,
    /// if it names one: what is from another place was a mistake, and is for nobody else.
    pub(crate) fn answered(&self, range: &HeaderValue) -> bool {
        let has = |first: u64| self.missing(ByteRange { first, last: first }).is_none();
        self.told.as_ref().is_some_and(|told| told.range == range)
            && first_named(range).is_none_or(has)
    }

    /// The only part there is and its `Content-Range`, word for word.
    pub(crate) fn only_told(&self) -> Option<(&StoredBody, &HeaderValue)> {
        Some((&self.spans.first()?.body, &self.told.as_ref()?.content_range))
    }

    /// The least range that has all bytes of `wanted` which are not stored; `None` if all are.
    pub(crate) fn missing(&self, wanted: ByteRange) -> Option<ByteRange> {
        let mut gaps = Vec::with_capacity(2);
        let mut next = wanted.first;
        for range in self.ranges().filter(|range| range.last >= wanted.first) {
            if range.first > wanted.last {
                break;
            }
            if range.first > next {
                gaps.push((next, range.first - 1));
            }
            next = range.last + 1;
        }
        if next <= wanted.last {
            gaps.push((next, wanted.last));
        }
        let (first, last) = (gaps.first()?.0, gaps.last()?.1);
        Some(ByteRange { first, last })
    }

    /// The bytes of `wanted`, in the pieces that they are stored in: all of them, or none.
    pub(crate) fn cut(&self, wanted: ByteRange) -> Vec<StoredBody> {
        if self.missing(wanted).is_some() {
            return Vec::new();
        }
        self.spans.iter().filter_map(|span| span.cut(wanted)).collect()
    }

    /// What is stored by `self` or by `older`, which are of the same bytes. Where both have a byte,
    /// that of `self` counts; what does not fit is the shortest. `self`, if they disagree about the
    /// size.
    pub(crate) fn joined(&self, older: &Self) -> Self {
        let size = self.size.or(older.size);
        let end = self.ranges().chain(older.ranges()).map(|range| range.last).max();
        let agree = older.size.is_none_or(|theirs| size == Some(theirs));
        if !agree || end.zip(size).is_some_and(|(last, size)| last >= size) {
            return self.clone();
        }
        let mut spans = self.spans.clone();
        for old in &older.spans {
            let mut first = old.first;
            while let Some(gap) = self.missing_from(first, old.range().last) {
                spans.extend(old.cut(gap).map(|body| Span { first: gap.first, body }));
                first = gap.last + 1;
            }
        }
        while spans.len() > SPANS_MAX {
            let shortest = (0..spans.len()).min_by_key(|&at| spans[at].range().len());
            spans.swap_remove(shortest.unwrap_or_default());
        }
        spans.sort_unstable_by_key(|span| span.first);
        Self { size, spans, told: None }
    }

    /// The first bytes from `first` to `last` that are not stored, up to one that is.
    fn missing_from(&self, first: u64, last: u64) -> Option<ByteRange> {
        let mut first = first;
        for range in self.ranges() {
            if first < range.first {
                let last = last.min(range.first - 1);
                return (first <= last).then_some(ByteRange { first, last });
            }
            first = first.max(range.last + 1);
        }
        (first <= last).then_some(ByteRange { first, last })
    }

    /// The whole, if all of it is stored: in one piece, which is copied into `room` if it was not.
    pub(crate) fn whole(&self, room: &Arc<Room>) -> Option<StoredBody> {
        let size = self.size.filter(|&size| size > 0)?;
        if self.bytes() != size {
            return None;
        }
        if let [span] = &*self.spans {
            return Some(span.body.clone());
        }
        Self::copied(room, &self.spans)
    }

    /// The same parts with those that touch in one piece each, as far as there is `room`: where there
    /// are so many that some would have to go, soon.
    pub(crate) fn settled(self, room: &Arc<Room>) -> Self {
        if self.spans.len() < SPANS_MAX {
            return self;
        }
        let touch = |one: &Span, two: &Span| one.range().last + 1 == two.first;
        let runs = self.spans.chunk_by(touch);
        let spans = runs.flat_map(|run| match run {
            [alone] => vec![alone.clone()],
            run => match Self::copied(room, run) {
                Some(body) => vec![Span { first: run[0].first, body }],
                None => run.to_vec(),
            },
        });
        Self { spans: spans.collect(), ..self }
    }

    fn copied(room: &Arc<Room>, run: &[Span]) -> Option<StoredBody> {
        let mut held = Held::none(Arc::clone(room));
        held.take_room(run.iter().map(|span| span.range().len()).sum()).ok()?;
        held.reserve();
        for span in run {
            held.add(span.body.bytes());
        }
        Some(held.into_body())
    }
}

impl Span {
    fn range(&self) -> ByteRange {
        let len = self.body.bytes().len() as u64;
        debug_assert!(len > 0, "no part is empty");
        ByteRange { first: self.first, last: self.first + len.saturating_sub(1) }
    }

    /// What it has of `wanted`.
    fn cut(&self, wanted: ByteRange) -> Option<StoredBody> {
        let range = self.range();
        let (first, last) = (range.first.max(wanted.first), range.last.min(wanted.last));
        let at = |byte: u64| usize::try_from(byte - self.first).expect("a place in memory");
        (first <= last).then(|| self.body.slice(at(first)..=at(last)))
    }
}

/// A range of a whole whose size may be unknown, as `Content-Range` has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizedRange {
    pub part: Option<ByteRange>,
    pub size: Option<u64>,
}

impl fmt::Display for SizedRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.size, self.part) {
            (Some(size), part) => print_content_range(part, size).fmt(f),
            (None, Some(ByteRange { first, last })) => write!(f, "bytes {first}-{last}/*"),
            (None, None) => f.write_str("bytes */*"),
        }
    }
}

/// The byte that a `Range` begins with, unless it is counted from the end.
fn first_named(range: &HeaderValue) -> Option<u64> {
    let (_unit, specs) = range.to_str().ok()?.split_once('=')?;
    specs.split('-').next()?.trim_ascii().parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: &[u8] = b"0123456789";

    #[test]
    fn no_byte_is_in_two_parts() {
        check(&[(0, 5), (3, 9)], "0-2 3-9");
        check(&[(3, 9), (0, 5)], "0-5 6-9");
        check(&[(0, 9), (4, 5)], "0-3 4-5 6-9");
        check(&[(4, 5), (0, 9)], "0-9");
        check(&[(0, 1), (5, 6), (1, 5)], "0-0 1-5 6-6");
        check(&[(0, 1), (8, 9)], "0-1 8-9");
    }

    #[test]
    fn those_that_disagree_about_the_size_are_not_joined() {
        let (short, long, beyond) = (part(0, 1, Some(5)), part(2, 3, Some(6)), part(7, 8, None));
        assert_eq!(text(&long.joined(&short)), "2-3");
        assert_eq!(text(&beyond.joined(&short)), "7-8");
        assert_eq!(text(&beyond.joined(&long.joined(&part(0, 0, None)))), "7-8");
        assert_eq!(beyond.joined(&part(0, 0, Some(9))).size(), Some(9));
    }

    proptest! {
        #[test]
        fn joined_parts_have_each_byte_once_and_in_its_place(
            all in proptest::collection::vec((0..10_u64, 0..10_u64), 1..6),
        ) {
            let ranges = all.iter().map(|&(one, two)| (one.min(two), one.max(two)));
            let joined = ranges.clone().map(|(first, last)| part(first, last, Some(10)));
            let joined = joined.reduce(|older, newer| newer.joined(&older)).unwrap();
            for byte in 0..10_u64 {
                let wanted = ByteRange { first: byte, last: byte };
                let cut: Vec<_> = joined.cut(wanted).iter().flat_map(|body| body.bytes().to_vec()).collect();
                let has = ranges.clone().any(|(first, last)| (first..=last).contains(&byte));
                let expect = if has { vec![WHOLE[usize::try_from(byte).unwrap()]] } else { vec![] };
                prop_assert_eq!(cut, expect);
            }
            let room = Arc::new(Room::of(100));
            let settled = joined.clone().settled(&room);
            prop_assert_eq!(settled.bytes(), joined.bytes());
            if let Some(whole) = joined.whole(&room) {
                prop_assert_eq!(&whole.bytes()[..], WHOLE);
            }
        }
    }

    #[track_caller]
    fn check(ranges: &[(u64, u64)], expect: &str) {
        let parts = ranges.iter().map(|&(first, last)| part(first, last, Some(10)));
        let joined = parts.reduce(|older, newer| newer.joined(&older)).unwrap();
        assert_eq!(text(&joined), expect, "for {ranges:?}");
    }

    fn part(first: u64, last: u64, size: Option<u64>) -> Parts {
        let at = |byte| usize::try_from(byte).unwrap();
        let body = StoredBody::guarded(WHOLE[at(first)..=at(last)].to_vec(), ());
        let value = HeaderValue::from_static("");
        let told = Told { range: value.clone(), content_range: value };
        Parts::of(Extent { part: ByteRange { first, last }, size }, body, told).unwrap()
    }

    fn text(parts: &Parts) -> String {
        let texts: Vec<_> =
            parts.ranges().map(|part| format!("{}-{}", part.first, part.last)).collect();
        texts.join(" ")
    }
}
