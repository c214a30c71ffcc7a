//! What the floor answers, ready to be sent.

use memchr::memmem;

/// Responses, and which request gets which.
#[derive(Debug)]
pub(crate) struct Responses {
    first: Vec<u8>,
    /// What stands in the heads of requests that get another than the first, and that one.
    others: Vec<(&'static str, Vec<u8>)>,
}

impl Responses {
    /// The same for every request.
    pub(crate) fn one(head: &[u8], body: &[u8]) -> Self {
        Self { first: [head, body].concat(), others: Vec::new() }
    }

    /// Answers requests in whose head `name` stands with another.
    pub(crate) fn and(mut self, name: &'static str, head: &[u8], body: &[u8]) -> Self {
        self.others.push((name, [head, body].concat()));
        self
    }

    /// The number of the response to a request with this head.
    pub(super) fn pick(&self, head: &[u8]) -> usize {
        let named = |(name, _): &(&str, _)| memmem::find(head, name.as_bytes()).is_some();
        self.others.iter().position(named).map_or(0, |index| index + 1)
    }

    pub(super) fn bytes(&self, number: usize) -> &[u8] {
        match number.checked_sub(1) {
            None => &self.first,
            Some(other) => &self.others[other].1,
        }
    }
}

/// The least head that a body of `length` bytes can have.
pub(crate) fn short_head(length: usize) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n\
         content-length: {length}\r\n\r\n"
    )
}

pub(super) const HEAD_END: &[u8] = b"\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_gets_what_its_head_names_or_the_first() {
        let responses = Responses::one(b"a", b"1").and("100k.bin", b"b", b"2");
        let check = |head: &[u8], expect: &[u8]| {
            assert_eq!(responses.bytes(responses.pick(head)), expect);
        };
        check(b"GET /1k.bin HTTP/1.1", b"a1");
        check(b"GET /100k.bin HTTP/1.1", b"b2");
        check(b"", b"a1");
    }
}
