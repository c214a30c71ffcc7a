//! The `Date` of an answer, as a line of HTTP/1.

use std::{cell::RefCell, time::SystemTime};

use relais_wire::date::print_http_date;

use crate::clock::coarse_time;

/// Appends the line for now. It is printed once a second.
pub(crate) fn print_date(out: &mut Vec<u8>) {
    thread_local! {
        /// A second, and its line.
        static LINE: RefCell<(u64, Vec<u8>)> = const { RefCell::new((u64::MAX, Vec::new())) };
    }
    LINE.with_borrow_mut(|(second, line)| {
        let now = coarse_time();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if *second != since {
            *second = since;
            line.clear();
            line.extend_from_slice(b"date: ");
            line.extend_from_slice(print_http_date(now).as_bytes());
            line.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(line);
    });
}
