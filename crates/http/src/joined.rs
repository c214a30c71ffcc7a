//! A field that stands in several lines, as one.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};

/// The lines of the field `name` as the one list that they are (RFC 9110 §5.3).
///
/// *Cost*: of one line none.
pub(crate) fn joined(headers: &HeaderMap, name: HeaderName) -> Option<Cow<'_, [u8]>> {
    let mut values = headers.get_all(name).iter();
    let mut joined = Cow::Borrowed(values.next()?.as_bytes());
    for value in values {
        let joined = joined.to_mut();
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(value.as_bytes());
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;

    use super::*;

    #[test]
    fn lines_are_one_list_in_their_order() {
        check(&[], None);
        check(&["a"], Some("a"));
        check(&["a;q=0.5, b", "c"], Some("a;q=0.5, b, c"));
    }

    #[track_caller]
    fn check(lines: &[&'static str], expect: Option<&str>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, line.parse().unwrap());
        }
        assert_eq!(joined(&headers, ACCEPT).as_deref(), expect.map(str::as_bytes));
    }
}
