//! How a connection or an association ended, in a line for people.

use std::{fmt, time::Duration};

use relais_tap::Ending;

/// Prints `closed, by client; 4ms, 8 B there, 6 B back`.
#[derive(Debug)]
pub(crate) struct Ended<'e> {
    pub(crate) ending: &'e Ending,
    pub(crate) lasted: Duration,
}

impl fmt::Display for Ended<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ending { at: _, by, why, to_server, to_client } = self.ending;
        // As much of a time as people read.
        let millis = u64::try_from(self.lasted.as_millis()).unwrap_or(u64::MAX);
        let (by, lasted) = (by.name(), Duration::from_millis(millis));
        write!(f, "{why}, by {by}; {lasted:?}, {to_server} B there, {to_client} B back")
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use relais_tap::By;

    use super::*;

    #[test]
    fn an_end_is_a_line() {
        let (at, why) = (SystemTime::UNIX_EPOCH, "idle for 10m".into());
        let ending = Ending { at, by: By::Relais, why, to_server: 8, to_client: 6 };
        let ended = Ended { ending: &ending, lasted: Duration::from_micros(1_234_567) };
        let expect = "idle for 10m, by relais; 1.234s, 8 B there, 6 B back";
        assert_eq!(ended.to_string(), expect);
    }
}
