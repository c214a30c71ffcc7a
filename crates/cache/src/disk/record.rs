//! What stands in a segment: records, each with its sums.
//!
//! *Shape*, all numbers little-endian, each record at a multiple of 8 bytes:
//!
//! ```text
//! 0 mark  4 kind  5 flags  6 tags (count)  8 sum of the front  16 sequence  24 removals before
//! 32 hash of the key  40 variant  44 key (bytes)  48 selection (bytes)  52 head (bytes)
//! 56 body (bytes)  64 sum of the body  72 file  80 stored at  88 fresh until
//! 96 tags (8 bytes each), key, selection, head: the front ends here
//!    body, if it has no file of its own; zeros up to a multiple of 8
//! ```
//!
//! Kinds are 1 for an object, 2 for a removal, 3 for a purge. Flags are 1 for a soft one, and 2 for a
//! removal of that variant alone: a program that does not know that takes it for one of all.
//!
//! The front's sum is about its place, too: what was copied elsewhere is no record.

use bytes::Bytes;

use super::secret::Secret;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A stored object, or a newer head of one.
    Object,
    /// All that a key has is removed, or stale.
    Removal,
    /// The same of one variant of a key.
    RemovalOfOne,
    /// A purge of many.
    Purge,
}

/// The numbers that a record begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub kind: Kind,
    /// For an object: whether a purge made it stale. For the others: whether they do no more.
    pub is_soft: bool,
    /// The order in which changes were asked for.
    pub seq: u64,
    /// How many removals and purges stand in the log before this: if one of them cannot be read, it
    /// shows.
    pub removals: u64,
    pub key_hash: u64,
    pub variant: u32,
    pub body_len: u64,
    /// Of the body, or of the sums of its file's chunks.
    pub body_sum: u64,
    /// The body's file; 0 if it stands behind the front.
    pub file: u32,
    /// Unix time in milliseconds.
    pub stored_at: u64,
    pub fresh_until: u64,
}

/// A record but for an inline body: its numbers, and the bytes they are about.
#[derive(Clone, Debug)]
pub(super) struct Front {
    pub header: Header,
    bytes: Bytes,
    lens: Lens,
}

#[derive(Clone, Copy, Debug)]
struct Lens {
    tags: usize,
    key: usize,
    selection: usize,
    head: usize,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub segment: u32,
    /// In units of 8 bytes.
    pub unit: u32,
}

/// What a record says besides its numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts<'a> {
    pub tags: &'a [u64],
    pub key: &'a [u8],
    pub selection: &'a [u8],
    pub head: &'a [u8],
    /// Empty if it has a file.
    pub body: &'a [u8],
}

pub(super) const ALIGN: u64 = 8;
pub(super) const HEADER_BYTES: usize = 96;
/// No front has more bytes, nor is one read that says so.
pub(super) const FRONT_BYTES_MAX: usize = 256 << 10;
/// No object has more tags.
pub const TAGS_MAX: usize = 512;
pub(super) const MARK: [u8; 4] = *b"rlR1";

const SOFT: u8 = 1;
const OF_ONE: u8 = 2;

impl Place {
    pub(super) fn new(segment: u32, offset: u64) -> Self {
        debug_assert!(offset.is_multiple_of(ALIGN), "records stand at multiples of 8");
        Self { segment, unit: u32::try_from(offset / ALIGN).expect("a segment's bytes, in eights") }
    }

    pub(super) fn offset(self) -> u64 {
        u64::from(self.unit) * ALIGN
    }

    fn number(self) -> u64 {
        u64::from(self.segment) << 32 | u64::from(self.unit)
    }
}

impl Parts<'_> {
    /// How many bytes the front has.
    pub(super) fn front_len(&self) -> usize {
        let texts = self.key.len() + self.selection.len() + self.head.len();
        HEADER_BYTES + self.tags.len() * 8 + texts
    }

    /// How many bytes the record has.
    pub(super) fn record_len(&self) -> u64 {
        ((self.front_len() + self.body.len()) as u64).next_multiple_of(ALIGN)
    }
}

/// Prints a record that is to stand at `place`. `header.body_sum` is as it should be.
pub(super) fn print(
    header: &Header,
    parts: &Parts<'_>,
    (place, secret): (Place, &Secret),
    out: &mut Vec<u8>,
) {
    let start = out.len();
    let len = |text: &[u8]| u32::try_from(text.len()).expect("less than a front has");
    let tags = u16::try_from(parts.tags.len()).expect("no more than TAGS_MAX");
    out.extend_from_slice(&MARK);
    out.push(match header.kind {
        Kind::Object => 1,
        Kind::Removal | Kind::RemovalOfOne => 2,
        Kind::Purge => 3,
    });
    let of_one = if header.kind == Kind::RemovalOfOne { OF_ONE } else { 0 };
    out.push(of_one | if header.is_soft { SOFT } else { 0 });
    out.extend_from_slice(&tags.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    for word in [header.seq, header.removals, header.key_hash] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    for word in [header.variant, len(parts.key), len(parts.selection), len(parts.head)] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    let file = u64::from(header.file);
    let words = [header.body_len, header.body_sum, file, header.stored_at, header.fresh_until];
    for word in words.iter().chain(parts.tags) {
        out.extend_from_slice(&word.to_le_bytes());
    }
    for text in [parts.key, parts.selection, parts.head] {
        out.extend_from_slice(text);
    }
    debug_assert_eq!(out.len() - start, parts.front_len());
    let sum = front_sum(&out[start..], place, secret);
    out[start + 8..start + 16].copy_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(parts.body);
    let len = (out.len() - start).next_multiple_of(8);
    out.resize(start + len, 0);
}

/// How many bytes the front that starts with `bytes` has, and the whole record, if a front it may
/// be.
pub(super) fn lens(bytes: &[u8]) -> Option<(usize, u64)> {
    if bytes.len() < HEADER_BYTES || bytes[..4] != MARK {
        return None;
    }
    let lens = Lens::of(bytes);
    let front = lens.front();
    if front > FRONT_BYTES_MAX || lens.tags > TAGS_MAX {
        return None;
    }
    let inline = if u64_at(bytes, 72) == 0 { u64_at(bytes, 56) } else { 0 };
    let record = (front as u64).checked_add(inline)?.checked_next_multiple_of(ALIGN)?;
    Some((front, record))
}

/// Reads the front that `bytes` begin with and that stands at `place`. `None` if there is none.
pub(super) fn parse(bytes: &Bytes, place: Place, secret: &Secret) -> Option<Front> {
    let (front, _) = lens(bytes)?;
    let bytes = bytes.get(..front).map(|_| bytes.slice(..front))?;
    if u64_at(&bytes, 8) != front_sum(&bytes, place, secret) {
        return None;
    }
    let kind = match bytes[4] {
        1 => Kind::Object,
        2 if bytes[5] & OF_ONE != 0 => Kind::RemovalOfOne,
        2 => Kind::Removal,
        3 => Kind::Purge,
        _ => return None,
    };
    let header = Header {
        kind,
        is_soft: bytes[5] & SOFT != 0,
        seq: u64_at(&bytes, 16),
        removals: u64_at(&bytes, 24),
        key_hash: u64_at(&bytes, 32),
        variant: u32_at(&bytes, 40),
        body_len: u64_at(&bytes, 56),
        body_sum: u64_at(&bytes, 64),
        file: u32::try_from(u64_at(&bytes, 72)).ok()?,
        stored_at: u64_at(&bytes, 80),
        fresh_until: u64_at(&bytes, 88),
    };
    let lens = Lens::of(&bytes);
    Some(Front { header, bytes, lens })
}

impl Lens {
    /// What `bytes`, of a whole header, say.
    fn of(bytes: &[u8]) -> Self {
        let len = |at| usize::try_from(u32_at(bytes, at)).unwrap_or(usize::MAX);
        let tags = usize::from(u16::from_le_bytes([bytes[6], bytes[7]]));
        Self { tags, key: len(44), selection: len(48), head: len(52) }
    }

    fn front(self) -> usize {
        let texts = self.key.saturating_add(self.selection).saturating_add(self.head);
        texts.saturating_add(HEADER_BYTES + self.tags * 8)
    }
}

impl Front {
    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many bytes the record has.
    pub(super) fn record_len(&self) -> u64 {
        let inline = if self.header.file == 0 { self.header.body_len } else { 0 };
        (self.len() as u64 + inline).next_multiple_of(ALIGN)
    }

    pub(super) fn tags(&self) -> impl Iterator<Item = u64> {
        let tags = &self.bytes[HEADER_BYTES..HEADER_BYTES + self.lens.tags * 8];
        tags.chunks_exact(8).map(|tag| u64_at(tag, 0))
    }

    pub(super) fn key(&self) -> Bytes {
        self.text(0, self.lens.key)
    }

    pub(super) fn selection(&self) -> Bytes {
        self.text(self.lens.key, self.lens.selection)
    }

    pub(super) fn head(&self) -> Bytes {
        self.text(self.lens.key + self.lens.selection, self.lens.head)
    }

    fn text(&self, after: usize, len: usize) -> Bytes {
        let start = HEADER_BYTES + self.lens.tags * 8 + after;
        self.bytes.slice(start..start + len)
    }
}

/// The sum of the front that is `bytes`, all but the sum itself.
fn front_sum(bytes: &[u8], place: Place, secret: &Secret) -> u64 {
    let first = u64_at(bytes, 0);
    secret.sum_about(place.number() ^ first.rotate_left(32), &bytes[16..])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: Place = Place { segment: 3, unit: 5 };

    #[test]
    fn what_is_printed_is_read_again_and_nothing_else() {
        let secret = Secret::random();
        let printed = printed(&secret);
        assert_eq!(printed.len() % 8, 0);
        let front = parse(&printed, PLACE, &secret).unwrap();
        assert_eq!(front.header, header());
        assert_eq!((&*front.key(), &*front.selection(), &*front.head()), PARTS);
        assert_eq!(front.tags().collect::<Vec<_>>(), [7, 8]);
        assert_eq!(front.record_len(), printed.len() as u64);
        assert_eq!(&printed[front.len()..][..4], b"body");
        let elsewhere = Place { unit: 6, ..PLACE };
        assert!(parse(&printed, elsewhere, &secret).is_none());
        assert!(parse(&printed, PLACE, &Secret::random()).is_none());
        for at in 0..front.len() {
            assert!(parse(&printed.slice(..at), PLACE, &secret).is_none(), "cut at {at}");
            for bit in 0..8 {
                let mut flipped = printed.to_vec();
                flipped[at] ^= 1 << bit;
                assert!(parse(&flipped.into(), PLACE, &secret).is_none(), "bit {bit} of {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let len = bytes.len().min(4);
            bytes[..len].copy_from_slice(&MARK[..len]);
            lens(&bytes);
            prop_assert!(parse(&bytes.into(), PLACE, &Secret::of([0; 24])).is_none());
        }
    }

    const PARTS: (&[u8], &[u8], &[u8]) = (b"key", b"", b"head");

    fn printed(secret: &Secret) -> Bytes {
        let (key, selection, head) = PARTS;
        let parts = Parts { tags: &[7, 8], key, selection, head, body: b"body" };
        let mut out = Vec::new();
        print(&header(), &parts, (PLACE, secret), &mut out);
        out.into()
    }

    fn header() -> Header {
        Header {
            kind: Kind::Object,
            is_soft: true,
            seq: 1 << 40,
            removals: 2,
            key_hash: 3,
            variant: 4,
            body_len: 4,
            body_sum: 5,
            file: 0,
            stored_at: 6,
            fresh_until: 7,
        }
    }
}
