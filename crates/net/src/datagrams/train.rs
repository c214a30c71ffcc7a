//! Datagrams that travel together.

use std::num::NonZeroU16;

/// One datagram, or several of one length, one behind the other; the last of several may be
/// shorter.
///
/// What came as one is sent on as one, which costs the kernel hardly more than one datagram does.
/// To those who receive it they are datagrams like others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Train<'a> {
    /// Longer than `segment`, if there is one.
    bytes: &'a [u8],
    /// How long each of several is. `None` of one alone.
    segment: Option<NonZeroU16>,
}

impl<'a> Train<'a> {
    /// One datagram.
    pub fn of_one(bytes: &'a [u8]) -> Self {
        Self { bytes, segment: None }
    }

    /// `bytes` cut into datagrams that are `segment` bytes long, but for the last.
    pub fn of_segments(bytes: &'a [u8], segment: NonZeroU16) -> Self {
        let is_one = bytes.len() <= usize::from(segment.get());
        Self { bytes, segment: if is_one { None } else { Some(segment) } }
    }

    /// All bytes of it, one datagram behind the other.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// How long each datagram is, but for the last of several.
    pub fn segment_bytes(&self) -> usize {
        self.segment.map_or(self.bytes.len(), |segment| segment.get().into())
    }

    /// How many datagrams it is. At least 1.
    pub fn count(&self) -> usize {
        self.segment.map_or(1, |segment| self.bytes.len().div_ceil(segment.get().into()))
    }

    /// Each datagram by itself; an empty one is one, too.
    pub fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let Self { bytes, segment } = *self;
        let alone = if segment.is_none() { Some(bytes) } else { None };
        let several = segment.map(|segment| bytes.chunks(segment.get().into()));
        alone.into_iter().chain(several.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_train_is_cut_into_its_datagrams() {
        check(b"", None, &[b""]);
        check(b"abc", None, &[b"abc"]);
        check(b"abc", NonZeroU16::new(3), &[b"abc"]);
        check(b"", NonZeroU16::new(3), &[b""]);
        check(b"abcdef", NonZeroU16::new(3), &[b"abc", b"def"]);
        check(b"abcdefg", NonZeroU16::new(3), &[b"abc", b"def", b"g"]);
    }

    #[track_caller]
    fn check(bytes: &[u8], segment: Option<NonZeroU16>, expect: &[&[u8]]) {
        let train = segment.map_or(Train::of_one(bytes), |size| Train::of_segments(bytes, size));
        assert_eq!(train.datagrams().collect::<Vec<_>>(), expect);
        assert_eq!((train.count(), train.segment_bytes()), (expect.len(), expect[0].len()));
    }
}
