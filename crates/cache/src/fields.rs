//! Which fields of a response are stored, and what a newer response changes in them ([RFC 9111
//! §3.1, §3.2]).
//!
//! [RFC 9111 §3.1, §3.2]: https://www.rfc-editor.org/rfc/rfc9111#section-3.1

use std::time::SystemTime;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        AGE, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    },
};
use relais_wire::{
    date::{parse_http_date, print_http_date},
    list,
};

/// The fields of `headers` that are stored, in their order; never those that are `withheld`.
///
/// Those of one connection are left out ([RFC 9110 §7.6.1]), those of one proxy, `Age`, which is
/// counted anew each time, and `Content-Length`, which is told by the body that came. A `Date` is
/// added where there is none to be read: `received`.
///
/// [RFC 9110 §7.6.1]: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
pub(crate) fn kept(
    headers: &HeaderMap,
    withheld: &[HeaderName],
    received: SystemTime,
) -> HeaderMap {
    let of_connection = named_by_connection(headers);
    let mut kept = HeaderMap::with_capacity(headers.keys_len() + 1);
    for (name, value) in headers {
        let is_out = is_of_connection(name) || withheld.contains(name);
        if !is_out && !of_connection.contains(name) {
            kept.append(name.clone(), value.clone());
        }
    }
    let date = kept.get(DATE).and_then(|date| parse_http_date(date.as_bytes(), received));
    if date.is_none() {
        let date = HeaderValue::from_str(print_http_date(received).as_str());
        kept.insert(DATE, date.expect("a date is ASCII"));
    }
    kept
}

/// `stored` fields, changed by those of a `newer` response about the same content: each that is
/// in it replaces those of its name.
///
/// Not replaced is what tells how to read the content that is stored: its length, coding and range, and
/// its digest.
pub(crate) fn updated(mut stored: HeaderMap, newer: &HeaderMap) -> HeaderMap {
    for name in newer.keys() {
        if !is_of_bytes(name) {
            stored.remove(name);
        }
    }
    for (name, value) in newer {
        if !is_of_bytes(name) {
            stored.append(name.clone(), value.clone());
        }
    }
    stored
}

/// Those of the fields of a `newer` response about what is stored that are `withheld` from the store:
/// they are for the client that had asked about it, and for nobody else.
pub(crate) fn for_who_asked(newer: &HeaderMap, withheld: &[HeaderName]) -> HeaderMap {
    let of_connection = named_by_connection(newer);
    let is_own = |name: &HeaderName| {
        let is_out = is_of_bytes(name) || OF_PART.contains(name) || is_of_connection(name);
        withheld.contains(name) && !is_out && !of_connection.contains(name)
    };
    let fields = newer.iter().filter(|(name, _)| is_own(name));
    fields.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Of the bytes that come with it, in any message ([RFC 9530 §2]).
///
/// [RFC 9530 §2]: https://www.rfc-editor.org/rfc/rfc9530#section-2
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// The same, of old. With a 304, or to a HEAD, it is that of the bytes which would come.
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// What a 206 says of the part that comes with it, and not of the whole.
pub(crate) static OF_PART: [HeaderName; 3] = [CONTENT_RANGE, CONTENT_DIGEST, CONTENT_MD5];

/// What a 206 with these `headers` says of the whole.
pub(crate) fn of_whole(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in &OF_PART {
        headers.remove(name);
    }
    headers
}

/// Whether a field called `name` tells a digest of the bytes that come with it.
pub(crate) fn is_digest(name: &str) -> bool {
    name == CONTENT_DIGEST.as_str() || name == CONTENT_MD5.as_str()
}

/// Whether a field tells how to read the content that it comes with.
fn is_of_bytes(name: &HeaderName) -> bool {
    [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_DIGEST].contains(name)
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let lines = headers.get_all(CONNECTION).iter();
    let names = lines.flat_map(|line| list::parts(line.as_bytes(), b','));
    names.filter_map(|name| HeaderName::from_bytes(name).ok()).collect()
}

fn is_of_connection(name: &HeaderName) -> bool {
    const OTHERS: [&str; 4] =
        ["proxy-authentication-info", "keep-alive", "proxy-connection", "http2-settings"];
    [
        AGE,
        CONNECTION,
        CONTENT_LENGTH,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ]
    .contains(name)
        || OTHERS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{at, date, fields};

    #[test]
    fn fields_of_a_connection_are_not_kept() {
        let here = date("date", 0);
        check(
            &format!("{here}\na: 1\na: 2\nset-cookie: b"),
            &format!("{here}\na: 1\na: 2\nset-cookie: b"),
        );
        let lines = "connection: A, b, close\nconnection: c\na: 1\nb: 2\nc: 3\nd: 4";
        check(&format!("{here}\n{lines}"), &format!("{here}\nd: 4"));
        for name in [
            "keep-alive",
            "proxy-authenticate",
            "proxy-authentication-info",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "age",
            "content-length",
            "http2-settings",
        ] {
            check(&format!("{here}\n{name}: 1"), &here);
        }
        check(&format!("{here}\nheld: 1\nkeep: 2"), &format!("{here}\nkeep: 2"));
    }

    #[test]
    fn what_has_no_date_gets_one() {
        check("a: 1", &format!("a: 1\n{}", date("date", 7)));
        check("date: today", &date("date", 7));
    }

    #[test]
    fn newer_fields_replace_those_of_their_name() {
        let stored = "a: 1\na: 2\nb: 3\ncontent-encoding: gzip\ncontent-type: x\ncontent-digest: d";
        let newer = "a: 4\nc: 5\nc: 6\ncontent-encoding: br\ncontent-length: 9\ncontent-type: y\n\
                     content-digest: of-nothing";
        let updated = updated(fields(stored), &fields(newer));
        let expect = "a: 4\nb: 3\nc: 5\nc: 6\ncontent-encoding: gzip\ncontent-type: y\n\
                      content-digest: d";
        assert_eq!(updated, fields(expect));
    }

    #[test]
    fn what_is_withheld_is_for_who_asked() {
        let newer = "set-cookie: a\nset-cookie: b\nx: c\ny: d\nconnection: y\n\
                     content-encoding: br\nage: 1\netag: \"e\"\ncontent-md5: m";
        let withheld = ["set-cookie", "x", "y", "content-encoding", "age", "z", "content-md5"];
        let own = for_who_asked(&fields(newer), &withheld.map(HeaderName::from_static));
        assert_eq!(own, fields("set-cookie: a\nset-cookie: b\nx: c"));
        assert_eq!(for_who_asked(&fields(newer), &[]), HeaderMap::new());
    }

    #[track_caller]
    fn check(lines: &str, expect: &str) {
        let kept = kept(&fields(lines), &[HeaderName::from_static("held")], at(7));
        assert_eq!(kept, fields(expect), "for {lines:?}");
    }
}
