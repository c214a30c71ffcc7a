//! A stored head, as HTTP/1 sends it: printed once, copied at every hit.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};

/// A head, printed.
///
/// *Shape*: a line for each field, with its line end. The status line before them and the empty one
/// behind are left out: there is more to come, `Age` and `Cache-Status`, and who sends it has a
/// status line of his own.
#[derive(Clone, Debug)]
pub(crate) struct Prebuilt {
    /// ASCII but for the values of fields.
    bytes: Bytes,
}

impl Prebuilt {
    /// Prints the head of a response of `status` with these `headers`, whose body has `len` bytes;
    /// `None` if nobody knows yet, or if each form of it has another length.
    ///
    /// `headers` have no `Content-Length`: it is printed here, where a response has one.
    pub(crate) fn print(status: StatusCode, headers: &HeaderMap, len: Option<u64>) -> Self {
        debug_assert!(!headers.contains_key(CONTENT_LENGTH));
        let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        let mut bytes = Vec::with_capacity(LENGTH_BYTES + lines.sum::<usize>());
        for (name, value) in headers {
            print_field(name.as_str(), value.as_bytes(), &mut bytes);
        }
        // A 204 must not have one (RFC 9110 §8.6).
        if let Some(len) = len.filter(|_| status != StatusCode::NO_CONTENT) {
            print_field(CONTENT_LENGTH.as_str(), len.to_string().as_bytes(), &mut bytes);
        }
        bytes.shrink_to_fit();
        Self { bytes: bytes.into() }
    }

    /// One that was [printed](Self::print) before.
    pub(crate) fn of_printed(bytes: Bytes) -> Self {
        Self { bytes }
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The names and values of its fields, in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut rest = &*self.bytes;
        std::iter::from_fn(move || {
            // No name and no value has one.
            let end = rest.iter().position(|&byte| byte == b'\r')?;
            let line = &rest[..end];
            rest = rest.get(end + 2..)?;
            let colon = line.iter().position(|&byte| byte == b':')?;
            Some((std::str::from_utf8(&line[..colon]).ok()?, line.get(colon + 2..)?))
        })
    }

    /// The value of the first field called `name`, shared.
    pub(crate) fn field(&self, name: &HeaderName) -> Option<Bytes> {
        let (_, value) = self.fields().find(|(other, _)| *other == name.as_str())?;
        Some(self.bytes.slice_ref(value))
    }

    /// Its fields as a map, but for those that `leave_out` names. Values are shared, not copied.
    pub(crate) fn headers(&self, leave_out: impl Fn(&str) -> bool) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(16);
        for (name, value) in self.fields().filter(|(name, _)| !leave_out(name)) {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("printed from a name");
            let value = HeaderValue::from_maybe_shared(self.bytes.slice_ref(value));
            headers.append(name, value.expect("printed from a value"));
        }
        headers
    }
}

/// Room for `Content-Length`.
const LENGTH_BYTES: usize = 40;

/// Appends a field's line.
pub(crate) fn print_field(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Whether a field tells of the content that comes with it, so that a 304 leaves it out.
pub(crate) fn is_of_content(name: &str) -> bool {
    [CONTENT_LENGTH.as_str(), CONTENT_TYPE.as_str(), "content-encoding", "content-language"]
        .contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fields;

    #[test]
    fn heads_are_printed_without_their_ends() {
        check(200, "a: 1\na: 2\nb: \u{e4}", "a: 1\r\na: 2\r\nb: \u{e4}\r\ncontent-length: 9\r\n");
        check(204, "", "");
        check(599, "", "content-length: 9\r\n");
        check(200, "a: ", "a: \r\ncontent-length: 9\r\n");
    }

    #[test]
    fn what_is_printed_reads_back() {
        let headers = fields("set-cookie: a\nset-cookie: b\ndate: c\nx: : y\nempty: ");
        let printed = Prebuilt::print(StatusCode::OK, &headers, Some(3));
        assert_eq!(printed.headers(|name| name == "content-length"), headers);
        assert_eq!(printed.field(&CONTENT_LENGTH), Some(Bytes::from_static(b"3")));
        assert_eq!(printed.field(&CONTENT_TYPE), None);
    }

    #[track_caller]
    fn check(status: u16, lines: &str, expect: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        let printed = Prebuilt::print(status, &fields(lines), Some(9));
        assert_eq!(String::from_utf8_lossy(printed.bytes()), expect);
    }
}
