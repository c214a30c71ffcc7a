//! What clients say that keep a dialogue: each something else, each time.

use bytes::Bytes;

/// A line that nobody else sends, of so many bytes if that is enough to tell it from others.
pub(super) fn own_message(number: usize, nth: u64, size: usize) -> Bytes {
    let mut text = format!("client {number} message {nth}").into_bytes();
    let left = size.saturating_sub(text.len()).saturating_sub(2);
    if left > 0 {
        text.push(b' ');
        text.extend((b'a'..=b'z').cycle().take(left));
    }
    text.push(b'\n');
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_its_senders_own_and_as_long_as_asked_for() {
        let check = |number, nth, size, expect: &str| {
            assert_eq!(own_message(number, nth, size), expect.as_bytes());
        };
        check(7, 2, 0, "client 7 message 2\n");
        check(7, 2, 19, "client 7 message 2\n");
        check(7, 2, 24, "client 7 message 2 abcd\n");
        assert_eq!(own_message(1, 1, 1_000).len(), 1_000);
    }
}
