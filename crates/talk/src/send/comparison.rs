//! Whether what came back is what was said.

use std::collections::VecDeque;

use super::call::Unit;

/// How many bytes are shown from where two texts differ.
const SHOWN_BYTES: usize = 16;

/// How much may be said that did not come back yet.
const OUTSTANDING_BYTES_MAX: usize = 64 << 20;

/// How much is kept of a stream that was compared.
const COMPARED_BYTES_MAX: usize = 1 << 20;

/// Compares what comes back with what was said: byte by byte on streams, message by message else.
#[derive(Clone, Debug)]
pub struct Comparison {
    unit: Unit,
    /// Said, and not come back. On streams it is one message.
    outstanding: VecDeque<Vec<u8>>,
    outstanding_bytes: usize,
    /// How much of the first of them came back, and is still there. Less than its length, or it would not be there.
    matched: usize,
    /// How many bytes came back as they were said.
    at: u64,
    /// How many messages did, or how often on a stream all that was said.
    whole: u64,
    difference: Option<Difference>,
}

/// Where what came back first differs from what was said. Offsets count from 0, over all that was
/// said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Something else came.
    Other {
        /// The first byte that differs.
        at: u64,
        /// What should have come from there on, at most 16 bytes.
        expected: Vec<u8>,
        /// What came. Empty if it ended there.
        got: Vec<u8>,
    },
    /// More came than was said.
    Surplus {
        /// How much was said.
        at: u64,
        /// What came beyond, at most 16 bytes.
        got: Vec<u8>,
    },
    /// Nothing more came.
    Missing {
        /// How much came.
        at: u64,
        /// What should have come next, at most 16 bytes.
        expected: Vec<u8>,
        /// Of which message nothing came, counted from 1; on streams there are none.
        message: Option<u64>,
    },
}

impl Comparison {
    /// Nothing was said, and nothing came.
    pub fn new(unit: Unit) -> Self {
        let (outstanding, difference) = (VecDeque::new(), None);
        Self { unit, outstanding, outstanding_bytes: 0, matched: 0, at: 0, whole: 0, difference }
    }

    /// This is said.
    pub fn said(&mut self, message: &[u8]) {
        self.outstanding_bytes += message.len();
        match self.outstanding.back_mut() {
            Some(last) if self.unit == Unit::Bytes => last.extend_from_slice(message),
            _ if self.unit == Unit::Bytes && message.is_empty() => {}
            _ => self.outstanding.push_back(message.to_vec()),
        }
        if self.outstanding_bytes > OUTSTANDING_BYTES_MAX {
            self.end();
        }
    }

    /// This came back.
    pub fn heard(&mut self, bytes: &[u8]) {
        if self.difference.is_some() {
            return;
        }
        let Some(message) = self.outstanding.front() else {
            if self.unit != Unit::Bytes || !bytes.is_empty() {
                self.difference = Some(Difference::Surplus { at: self.at, got: first(bytes) });
            }
            return;
        };
        let expected = &message[self.matched..];
        let same = same_bytes(expected, bytes);
        let (is_over, is_cut) = (same == expected.len(), same == bytes.len());
        if !(is_over && is_cut) && (self.unit != Unit::Bytes || !(is_over || is_cut)) {
            let at = self.at + same as u64;
            let (expected, got) = (first(&expected[same..]), first(&bytes[same..]));
            self.difference = Some(if expected.is_empty() {
                Difference::Surplus { at, got }
            } else {
                Difference::Other { at, expected, got }
            });
            return;
        }
        self.at += same as u64;
        self.outstanding_bytes -= same;
        self.matched += same;
        if is_over {
            self.outstanding.pop_front();
            self.matched = 0;
            self.whole += 1;
            if !is_cut {
                self.heard(&bytes[same..]);
            }
        } else if self.matched > COMPARED_BYTES_MAX
            && let Some(message) = self.outstanding.front_mut()
        {
            message.drain(..self.matched);
            self.matched = 0;
        }
    }

    /// Nothing more comes.
    pub fn end(&mut self) {
        if let (None, Some(message)) = (&self.difference, self.outstanding.front()) {
            let expected = first(&message[self.matched..]);
            let message = (self.unit != Unit::Bytes).then_some(self.whole + 1);
            self.difference = Some(Difference::Missing { at: self.at, expected, message });
        }
    }

    /// Whether all that was said came back, or something else did.
    pub fn is_settled(&self) -> bool {
        self.difference.is_some() || self.outstanding.is_empty()
    }

    /// What is compared at a time.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// How many bytes came back as they were said.
    pub fn matched_bytes(&self) -> u64 {
        self.at
    }

    /// Where it first differs, if it does.
    pub fn difference(&self) -> Option<&Difference> {
        self.difference.as_ref()
    }
}

/// How many bytes both begin with.
fn same_bytes(one: &[u8], other: &[u8]) -> usize {
    let most = one.len().min(other.len());
    // Mostly all are the same, which is seen at once.
    if one[..most] == other[..most] {
        return most;
    }
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

fn first(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(SHOWN_BYTES)].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of it if `said` and then `heard` are told, and then the end.
    #[track_caller]
    fn check(unit: Unit, said: &[&str], heard: &[&str], expect: &Result<u64, Difference>) {
        let mut comparison = Comparison::new(unit);
        for message in said {
            comparison.said(message.as_bytes());
        }
        for bytes in heard {
            comparison.heard(bytes.as_bytes());
        }
        comparison.end();
        let found = comparison.difference().cloned().map_or(Ok(comparison.at), Err);
        assert_eq!(&found, expect);
    }

    fn other(at: u64, expected: &str, got: &str) -> Result<u64, Difference> {
        Err(Difference::Other { at, expected: expected.into(), got: got.into() })
    }

    fn surplus(at: u64, got: &str) -> Result<u64, Difference> {
        Err(Difference::Surplus { at, got: got.into() })
    }

    fn missing(at: u64, expected: &str) -> Result<u64, Difference> {
        Err(Difference::Missing { at, expected: expected.into(), message: None })
    }

    fn lost(at: u64, expected: &str, message: u64) -> Result<u64, Difference> {
        Err(Difference::Missing { at, expected: expected.into(), message: Some(message) })
    }

    #[test]
    fn bytes_are_compared_however_they_were_cut() {
        check(Unit::Bytes, &["abc", "", "def"], &["ab", "cdef"], &Ok(6));
        check(Unit::Bytes, &["abcdef"], &["abXdef"], &other(2, "cdef", "Xdef"));
        check(Unit::Bytes, &["abc"], &["abc", "d"], &surplus(3, "d"));
        check(Unit::Bytes, &["abc"], &["abcd"], &surplus(3, "d"));
        check(Unit::Bytes, &["abc"], &["ab"], &missing(2, "c"));
        check(Unit::Bytes, &["abc"], &[], &missing(0, "abc"));
        check(Unit::Bytes, &[""], &[], &Ok(0));
        let long = "x".repeat(100);
        check(Unit::Bytes, &[&long], &[], &missing(0, &long[..16]));
    }

    #[test]
    fn messages_are_compared_one_by_one() {
        for unit in [Unit::Datagrams, Unit::Messages] {
            check(unit, &["abc", "", "def"], &["abc", "", "def"], &Ok(6));
            check(unit, &["abc", "def"], &["abcdef"], &surplus(3, "def"));
            check(unit, &["abc"], &["ab", "c"], &other(2, "c", ""));
            check(unit, &["abc"], &["abc", ""], &surplus(3, ""));
            check(unit, &["abc", "def"], &["abc"], &lost(3, "def", 2));
        }
    }

    #[test]
    fn what_was_compared_is_let_go_of() {
        let mut comparison = Comparison::new(Unit::Bytes);
        let block = vec![7; 64 << 10];
        comparison.said(b"\x07");
        for _ in 0..1000 {
            comparison.said(&block);
            comparison.heard(&block);
        }
        assert!(comparison.outstanding[0].len() <= COMPARED_BYTES_MAX + 2 * block.len());
        comparison.heard(b"\x07");
        assert!(comparison.is_settled() && comparison.difference().is_none());
        assert_eq!(comparison.matched_bytes(), 1 + 1000 * (64 << 10));
    }

    #[test]
    fn what_never_comes_back_is_not_kept_forever() {
        let mut comparison = Comparison::new(Unit::Bytes);
        let block = vec![0; 1 << 20];
        for _ in 0..64 {
            comparison.said(&block);
        }
        assert!(comparison.difference().is_none());
        comparison.said(&block);
        assert!(matches!(comparison.difference(), Some(Difference::Missing { at: 0, .. })));
    }
}
