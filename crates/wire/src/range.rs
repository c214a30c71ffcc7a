//! Which bytes of a file are asked for: `Range` and `Content-Range` ([RFC 9110 §14]).
//!
//! [RFC 9110 §14]: https://www.rfc-editor.org/rfc/rfc9110#section-14

use std::fmt;

use crate::list;

/// Bytes `first` to `last` of a representation, both included: `first <= last < size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte, counted from 0.
    pub first: u64,
    /// The last byte, not the one after it.
    pub last: u64,
}

impl ByteRange {
    /// How many bytes these are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
    pub fn len(&self) -> u64 {
        debug_assert!(self.first <= self.last);
        (self.last - self.first).saturating_add(1)
    }
}

/// What to send to somebody who asks for ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeVerdict {
    /// Everything, as if there were no `Range` (200).
    Ignore,
    /// Nothing: no byte asked for exists (416, with [`print_content_range`] of `None`).
    Unsatisfiable,
    /// This part (206).
    One(ByteRange),
    /// These parts, at least two, as `multipart/byteranges` (206): ascending, with gaps between
    /// them, so that together they are always less than everything.
    Many(Vec<ByteRange>),
}

/// Judges the value of a `Range` field for a representation of `size` bytes.
///
/// *Shape*: `bytes=first-last, first-, -suffix`. What is in another unit or malformed is ignored,
/// as [RFC 9110 §14.2] says, and so is what names more than `ranges_max` ranges. Ranges that
/// overlap or touch become one; parts come in ascending order, whatever order was asked for.
///
/// *Cost*: an allocation of at most `ranges_max` ranges, none for a single one.
///
/// [RFC 9110 §14.2]: https://www.rfc-editor.org/rfc/rfc9110#section-14.2
pub fn parse_range(value: &[u8], size: u64, ranges_max: usize) -> RangeVerdict {
    let Some(specs) = specs(value) else { return RangeVerdict::Ignore };
    let mut one = None;
    let mut many = Vec::new();
    let mut count = 0;
    for spec in list::parts(specs, b',') {
        count += 1;
        if count > ranges_max {
            return RangeVerdict::Ignore;
        }
        match resolve(spec, size) {
            Resolved::Malformed => return RangeVerdict::Ignore,
            Resolved::Outside => {}
            Resolved::Inside(range) if one.is_none() => one = Some(range),
            Resolved::Inside(range) => many.push(range),
        }
    }
    let Some(one) = one else {
        // An empty file has no range to send, but all of it can be sent.
        return if count == 0 || size == 0 {
            RangeVerdict::Ignore
        } else {
            RangeVerdict::Unsatisfiable
        };
    };
    if many.is_empty() {
        return RangeVerdict::One(one);
    }
    many.push(one);
    coalesce(&mut many);
    if many.len() == 1 { RangeVerdict::One(many[0]) } else { RangeVerdict::Many(many) }
}

/// Writes the value of a `Content-Range` field: `bytes 0-9/100`, or `bytes */100` without a part.
pub fn print_content_range(part: Option<ByteRange>, size: u64) -> ContentRange {
    ContentRange { part, size }
}

/// The value of a `Content-Range` field, to be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRange {
    /// What is sent; `None` if nothing could be (416).
    pub part: Option<ByteRange>,
    /// How long the whole is.
    pub size: u64,
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Some(ByteRange { first, last }) => write!(f, "bytes {first}-{last}/{}", self.size),
            None => write!(f, "bytes */{}", self.size),
        }
    }
}

/// Where the bytes of a part stand in the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The bytes.
    pub part: ByteRange,
    /// How long the whole is; `None` if that was not known (`*`). More than `part.last`.
    pub size: Option<u64>,
}

/// Reads the value of a `Content-Range` field that comes with a part.
///
/// *Shape*: `bytes first-last/size`, or `*` for a size that is unknown. `None` for what is malformed,
/// in another unit, of no bytes, or contradicts itself: then nothing may be put together with it
/// ([RFC 9110 §14.4]).
///
/// [RFC 9110 §14.4]: https://www.rfc-editor.org/rfc/rfc9110#section-14.4
pub fn parse_content_range(value: &[u8]) -> Option<Extent> {
    let space = value.iter().position(|&byte| byte == b' ')?;
    let (unit, rest) = (&value[..space], &value[space + 1..]);
    let slash = rest.iter().position(|&byte| byte == b'/')?;
    let (part, size) = (&rest[..slash], &rest[slash + 1..]);
    let dash = part.iter().position(|&byte| byte == b'-')?;
    let (Number::Is(first), Number::Is(last)) = (number(&part[..dash]), number(&part[dash + 1..]))
    else {
        return None;
    };
    let size = match number(size) {
        Number::Is(size) => Some(size),
        _ if size == b"*" => None,
        _ => return None,
    };
    // The greatest number stands for those that do not fit: nothing is beyond it.
    let is_sound = first <= last && last < size.unwrap_or(u64::MAX);
    let part = ByteRange { first, last };
    (unit.eq_ignore_ascii_case(b"bytes") && is_sound).then_some(Extent { part, size })
}

/// What comes after `bytes=`, if it is that.
fn specs(value: &[u8]) -> Option<&[u8]> {
    let equals = value.iter().position(|&byte| byte == b'=')?;
    value[..equals].eq_ignore_ascii_case(b"bytes").then_some(&value[equals + 1..])
}

enum Resolved {
    Malformed,
    /// It holds no byte of the file.
    Outside,
    Inside(ByteRange),
}

/// Reads one `first-last`, `first-` or `-suffix`.
fn resolve(spec: &[u8], size: u64) -> Resolved {
    let Some(dash) = spec.iter().position(|&byte| byte == b'-') else { return Resolved::Malformed };
    let (first, last) = match (number(&spec[..dash]), number(&spec[dash + 1..])) {
        (Number::Is(first), Number::Is(last)) if first <= last => (first, last),
        (Number::Is(first), Number::Absent) => (first, u64::MAX),
        (Number::Absent, Number::Is(0)) => return Resolved::Outside,
        (Number::Absent, Number::Is(suffix)) => (size.saturating_sub(suffix), u64::MAX),
        _ => return Resolved::Malformed,
    };
    if first >= size {
        return Resolved::Outside;
    }
    Resolved::Inside(ByteRange { first, last: last.min(size - 1) })
}

enum Number {
    Absent,
    Malformed,
    Is(u64),
}

/// Reads digits. What is beyond 64 bits is beyond every file: the greatest number stands for it.
fn number(digits: &[u8]) -> Number {
    if digits.is_empty() {
        return Number::Absent;
    }
    if !digits.iter().all(u8::is_ascii_digit) {
        return Number::Malformed;
    }
    let append =
        |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Number::Is(digits.iter().fold(0, append))
}

/// Sorts `ranges` and makes one of those that overlap or touch.
fn coalesce(ranges: &mut Vec<ByteRange>) {
    ranges.sort_unstable_by_key(|range| range.first);
    ranges.dedup_by(|next, kept| {
        let joined = next.first <= kept.last.saturating_add(1);
        if joined {
            kept.last = kept.last.max(next.last);
        }
        joined
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn single_ranges_are_cut_to_the_file() {
        check("bytes=0-0", 10, "0-0");
        check("bytes=2-4", 10, "2-4");
        check("bytes=2-", 10, "2-9");
        check("bytes=2-100", 10, "2-9");
        check("bytes=-3", 10, "7-9");
        check("bytes=-100", 10, "0-9");
        check("bytes=9-9", 10, "9-9");
        check("BYTES=0-0", 10, "0-0");
        check("bytes= 0-0 ", 10, "0-0");
        check("bytes=,0-0,", 10, "0-0");
        check("bytes=007-008", 10, "7-8");
    }

    #[test]
    fn nothing_inside_is_unsatisfiable() {
        check("bytes=10-", 10, "unsatisfiable");
        check("bytes=10-12", 10, "unsatisfiable");
        check("bytes=-0", 10, "unsatisfiable");
        check("bytes=10-, -0", 10, "unsatisfiable");
        check("bytes=10-, 1-1", 10, "1-1");
    }

    #[test]
    fn an_empty_file_is_sent_whole() {
        check("bytes=0-", 0, "ignore");
        check("bytes=-1", 0, "ignore");
    }

    #[test]
    fn what_is_malformed_or_in_other_units_is_ignored() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-",
            "bytes=1",
            "bytes=1-a",
            "bytes=2-1",
            "bytes=0-0,2-1",
            "bytes=0-0,x",
            "bytes=--1",
            "bytes=1--2",
            "bytes=+1-2",
            "bytes=0x1-2",
            "bytes=1 - 2",
            "bytes 0-1",
            "bytes =0-1",
            " bytes=0-1",
            "items=0-1",
            "=0-1",
            "bytes=0-1;",
            "bytes=\"0-1\"",
            "bytes:0-1",
        ] {
            check(value, 10, "ignore");
        }
    }

    #[test]
    fn numbers_beyond_64_bits_are_beyond_the_file() {
        check("bytes=0-99999999999999999999999", 10, "0-9");
        check("bytes=99999999999999999999999-", 10, "unsatisfiable");
        check("bytes=-99999999999999999999999", 10, "0-9");
        check("bytes=18446744073709551614-", u64::MAX, "18446744073709551614-18446744073709551614");
        check("bytes=18446744073709551615-", u64::MAX, "unsatisfiable");
    }

    #[test]
    fn ranges_that_overlap_or_touch_become_one() {
        check("bytes=0-1,3-4", 10, "0-1,3-4");
        check("bytes=3-4,0-1", 10, "0-1,3-4");
        check("bytes=0-1,2-4", 10, "0-4");
        check("bytes=0-5,2-3", 10, "0-5");
        check("bytes=0-,0-,0-", 10, "0-9");
        check("bytes=0-0,-1,4-4", 10, "0-0,4-4,9-9");
        check("bytes=5-,-1", u64::MAX, "5-18446744073709551614");
    }

    #[test]
    fn more_ranges_than_allowed_are_ignored() {
        check("bytes=0-0,2-2,4-4,6-6", 10, "0-0,2-2,4-4,6-6");
        check("bytes=0-0,2-2,4-4,6-6,8-8", 10, "ignore");
        check("bytes=99-,99-,99-,99-,99-", 10, "ignore");
        assert_eq!(parse_range(b"bytes=0-0", 10, 0), RangeVerdict::Ignore);
    }

    #[test]
    fn content_ranges_tell_the_part_and_the_whole() {
        let part = ByteRange { first: 2, last: 4 };
        assert_eq!(part.len(), 3);
        assert_eq!(print_content_range(Some(part), 10).to_string(), "bytes 2-4/10");
        assert_eq!(print_content_range(None, 10).to_string(), "bytes */10");
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(first in 0..1000_u64, len in 1..1000_u64, size in 2000..3000_u64) {
            let range = ByteRange { first, last: first + len - 1 };
            let printed = print_content_range(Some(range), size).to_string();
            let extent = Extent { part: range, size: Some(size) };
            prop_assert_eq!(parse_content_range(printed.as_bytes()), Some(extent));
            let asked = printed.replace("bytes ", "bytes=");
            let asked = asked.split('/').next().unwrap();
            prop_assert_eq!(parse_range(asked.as_bytes(), size, 1), RangeVerdict::One(range));
        }

        #[test]
        fn nothing_panics(value: Vec<u8>, text in "bytes=[0-9, -]{0,40}", size: u64) {
            parse_range(&value, size, 8);
            parse_content_range(&value);
            if let RangeVerdict::Many(parts) = parse_range(text.as_bytes(), size, 8) {
                prop_assert!(parts.len() >= 2 && parts.len() <= 8);
                prop_assert!(parts.iter().all(|part| part.first <= part.last && part.last < size));
                prop_assert!(parts.windows(2).all(|two| two[0].last + 1 < two[1].first));
            }
        }
    }

    #[test]
    fn what_a_part_says_of_its_place_is_read() {
        let extent = |first, last, size| Some(Extent { part: ByteRange { first, last }, size });
        let check = |value: &str, expect| {
            assert_eq!(parse_content_range(value.as_bytes()), expect, "for {value:?}");
        };
        check("bytes 0-4/10", extent(0, 4, Some(10)));
        check("Bytes 9-9/10", extent(9, 9, Some(10)));
        check("bytes 0-4/*", extent(0, 4, None));
        for none in [
            "",
            "bytes",
            "bytes */10",
            "bytes 4-0/10",
            "bytes 0-10/10",
            "bytes 0-4",
            "bytes=0-4/10",
            "bytes -4/10",
            "bytes 0-/10",
            "lines 0-4/10",
            "bytes 0-4/",
            "bytes 0-4/1x",
            "bytes 0-4/10/",
            "bytes  0-4/10",
            "bytes 0-99999999999999999999/*",
        ] {
            check(none, None);
        }
    }

    #[track_caller]
    fn check(value: &str, size: u64, expect: &str) {
        let text = |range: &ByteRange| format!("{}-{}", range.first, range.last);
        let got = match parse_range(value.as_bytes(), size, 4) {
            RangeVerdict::Ignore => "ignore".to_owned(),
            RangeVerdict::Unsatisfiable => "unsatisfiable".to_owned(),
            RangeVerdict::One(range) => text(&range),
            RangeVerdict::Many(ranges) => ranges.iter().map(text).collect::<Vec<_>>().join(","),
        };
        assert_eq!(got, expect, "for {value:?}");
    }
}
