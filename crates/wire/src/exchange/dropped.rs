//! What stands in a log where lines are missing.

use std::time::SystemTime;

use super::{Broken, cursor::Cursor, ink::number};
use crate::timestamp::{Timestamp, parse_timestamp};

/// Says that lines are missing from here: more came than could be written, or the disk was full.
///
/// *Shape*: `{"dropped":12,"time":"2000-10-10T13:55:36.123456Z"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// How many are missing.
    pub lines: u64,
    /// When that was noted, which is after the last of them. Kept to the microsecond.
    pub at: SystemTime,
}

impl Dropped {
    /// What such lines begin with, and others do not.
    pub const START: &[u8; 11] = b"{\"dropped\":";

    /// Appends the line to `out`, with its end.
    pub fn print(&self, out: &mut Vec<u8>) {
        number(out, Self::START, self.lines);
        out.extend_from_slice(b",\"time\":\"");
        out.extend_from_slice(Timestamp::of(self.at).as_bytes());
        out.extend_from_slice(b"\"}\n");
    }

    /// Reads a line, with or without its end.
    ///
    /// # Errors
    ///
    /// [`Broken`] if it is anything else.
    pub fn read(line: &[u8]) -> Result<Self, Broken> {
        let (mut lines, mut at) = (None, None);
        Cursor::read_object(line, |key, cursor| {
            match key {
                "dropped" => lines = Some(cursor.number("dropped")?),
                "time" => {
                    let time = parse_timestamp(&cursor.text("time")?);
                    at = Some(time.ok_or(Broken::Value { key: "time", expected: "a time" })?);
                }
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
        let lines = lines.ok_or(Broken::Lacks("dropped"))?;
        Ok(Self { lines, at: at.ok_or(Broken::Lacks("time"))? })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn what_is_printed_reads_back() {
        let at = UNIX_EPOCH + Duration::from_micros(971_186_136_123_456);
        let dropped = Dropped { lines: 12, at };
        let mut line = Vec::new();
        dropped.print(&mut line);
        let expect = "{\"dropped\":12,\"time\":\"2000-10-10T13:55:36.123456Z\"}\n";
        assert_eq!(str::from_utf8(&line), Ok(expect));
        assert_eq!(Dropped::read(&line), Ok(dropped));
        assert_eq!(Dropped::read(b"{\"dropped\":1}"), Err(Broken::Lacks("time")));
        assert_eq!(Dropped::read(b"{}"), Err(Broken::Lacks("dropped")));
    }
}
