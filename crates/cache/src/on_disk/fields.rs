//! Numbers and texts, one after the other.

use std::time::{Duration, SystemTime};

/// Bytes that are being written. All numbers are little-endian.
#[derive(Debug, Default)]
pub(super) struct Out(Vec<u8>);

impl Out {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// So many bytes, and these.
    pub(super) fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text);
    }

    pub(super) fn optional_text(&mut self, text: Option<&[u8]>) {
        self.byte(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    pub(super) fn duration(&mut self, duration: Duration) {
        self.number(duration.as_secs());
        self.number(duration.subsec_nanos().into());
    }

    pub(super) fn optional_duration(&mut self, duration: Option<Duration>) {
        self.byte(u8::from(duration.is_some()));
        if let Some(duration) = duration {
            self.duration(duration);
        }
    }

    /// A time since 1970.
    pub(super) fn time(&mut self, time: SystemTime) {
        self.duration(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
    }

    pub(super) fn optional_time(&mut self, time: Option<SystemTime>) {
        self.byte(u8::from(time.is_some()));
        if let Some(time) = time {
            self.time(time);
        }
    }

    pub(super) fn rest(mut self, rest: &[u8]) -> Vec<u8> {
        self.0.extend_from_slice(rest);
        self.0
    }

    pub(super) fn end(self) -> Vec<u8> {
        self.0
    }
}

/// What is left to read of them. Each gives `None` if that is not what it should be.
#[derive(Debug)]
pub(super) struct In<'a>(pub &'a [u8]);

impl<'a> In<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        self.take(len)
    }

    #[expect(clippy::option_option, reason = "it may be broken, or not be there")]
    pub(super) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    pub(super) fn duration(&mut self) -> Option<Duration> {
        let (secs, nanos) = (self.number()?, u32::try_from(self.number()?).ok()?);
        (nanos < 1_000_000_000).then(|| Duration::new(secs, nanos))
    }

    pub(super) fn time(&mut self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(self.duration()?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_printed_is_read_again() {
        let times = [Duration::ZERO, Duration::new(5, 999_999_999), Duration::new(1 << 40, 1)];
        for duration in times {
            let time = SystemTime::UNIX_EPOCH + duration;
            let mut out = Out::default();
            out.byte(7);
            out.number(u64::MAX);
            out.text(b"text");
            out.optional_text(None);
            out.optional_text(Some(b""));
            out.duration(duration);
            out.time(time);
            out.optional_time(Some(time));
            let printed = out.rest(b"rest");
            let mut read = In(&printed);
            assert_eq!((read.byte(), read.number()), (Some(7), Some(u64::MAX)));
            assert_eq!(read.text(), Some(&b"text"[..]));
            assert_eq!(read.optional(In::text), Some(None));
            assert_eq!(read.optional(In::text), Some(Some(&b""[..])));
            assert_eq!((read.duration(), read.time()), (Some(duration), Some(time)));
            assert_eq!((read.optional(In::time), read.0), (Some(Some(time)), &b"rest"[..]));
        }
    }

    #[test]
    fn what_is_not_whole_is_nothing() {
        let mut out = Out::default();
        out.text(b"text");
        let printed = out.end();
        for at in 0..printed.len() {
            assert_eq!(In(&printed[..at]).text(), None);
        }
        assert_eq!(In(&[2, 0]).optional(In::byte), None);
        let mut out = Out::default();
        out.number(1);
        out.number(1_000_000_000);
        assert_eq!(In(&out.end()).duration(), None);
        // Before 1970 there was nothing.
        let mut out = Out::default();
        out.time(SystemTime::UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(In(&out.end()).time(), Some(SystemTime::UNIX_EPOCH));
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            _ = (In(&bytes).text(), In(&bytes).time(), In(&bytes).duration());
            _ = In(&bytes).optional(In::time);
        }
    }
}
