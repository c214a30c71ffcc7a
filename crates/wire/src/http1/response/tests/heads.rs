//! Status lines, fields, and how bodies are framed.

use super::*;
use crate::http1::{Refusal as Why, response::BadHead as Bad};

#[test]
fn heads_are_read() {
    let usual = Asked::Usual;
    reads("HTTP/1.1 200 OK\r\n\r\n", usual, "200 OK, UntilClose, Closes");
    reads("HTTP/1.1 200 \r\n\r\n", usual, "200 , UntilClose, Closes");
    reads("HTTP/1.1 200\r\n\r\n", usual, "200 , UntilClose, Closes");
    reads("HTTP/1.1 599 \t\u{e4} \r\n\r\n", usual, "599 \t\u{e4} , UntilClose, Closes");
    reads(
        with("Content-Length: 5\r\nSERVER:x y\t\r\nA: \t \r\nB:\r\nC: a:b \u{e4}\r\n"),
        usual,
        "200 OK, Length(5), Persists\nContent-Length=5\nSERVER=x y\nA=\nB=\nC=a:b \u{e4}",
    );
    reads(
        with("Set-Cookie: a\r\nset-cookie: a\r\ntransfer-ENCODING: Chunked\r\n"),
        usual,
        "200 OK, Chunked, Persists\nSet-Cookie=a\nset-cookie=a\ntransfer-ENCODING=Chunked",
    );
}

/// Who speaks it knows what HTTP/1.1 says, and was asked in that.
#[test]
fn a_later_minor_version_is_read_as_the_newest_that_is_known() {
    for version in ["1.2", "1.9"] {
        let head = format!("HTTP/{version} 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        reads(head, Asked::Usual, "200 OK, Chunked, Persists\nTransfer-Encoding=chunked");
    }
}

#[test]
fn what_comes_behind_a_head_is_left() {
    let mut reader = HeadReader::new(LIMITS);
    let both = b"HTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.0 204 No\r\nC: d\r\n\r\nrest";
    let interim = reader.read(both, Asked::Usual).unwrap().unwrap();
    assert_eq!((interim.status, interim.version), (103, Version::Http11));
    assert_eq!(&both[reader.fields()[0].value()], b"b");
    let behind = &both[interim.len..];
    let last = reader.read(behind, Asked::Usual).unwrap().unwrap();
    assert_eq!((last.status, last.version), (204, Version::Http10));
    assert_eq!(reader.fields().len(), 1);
    assert_eq!(&behind[reader.fields()[0].value()], b"d");
    assert_eq!(&behind[last.len..], b"rest");
}

#[test]
fn a_body_is_framed_by_what_was_asked_and_by_the_status() {
    let check = |asked, status: &str, fields: &str, expect: &str| {
        let input = format!("HTTP/1.1 {status} \r\n{fields}\r\n");
        let read = read_however_cut(input.as_bytes(), asked).0.unwrap().unwrap();
        assert_eq!(format!("{:?}, {:?}", read.framing, read.persistence), expect, "for {input:?}");
    };
    let (length, chunked) = ("Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n");
    let none = "Content-Length: 0\r\n";
    check(Asked::Usual, "200", length, "Length(7), Persists");
    check(Asked::Usual, "200", chunked, "Chunked, Persists");
    check(Asked::Usual, "200", none, "Length(0), Persists");
    check(Asked::Usual, "206", "", "UntilClose, Closes");
    check(Asked::Usual, "205", length, "Length(7), Persists");
    check(Asked::Usual, "404", length, "Length(7), Persists");
    for fields in [length, chunked, none, ""] {
        check(Asked::Usual, "304", fields, "Nothing, Persists");
        check(Asked::Head, "200", fields, "Nothing, Persists");
        check(Asked::Head, "404", fields, "Nothing, Persists");
        check(Asked::Connect, "200", fields, "Tunnel, Closes");
        check(Asked::Connect, "299", fields, "Tunnel, Closes");
        check(Asked::Upgrade, "101", fields, "Tunnel, Closes");
    }
    for fields in [none, ""] {
        check(Asked::Usual, "100", fields, "Nothing, Persists");
        check(Asked::Usual, "199", fields, "Nothing, Persists");
        check(Asked::Usual, "204", fields, "Nothing, Persists");
    }
    for misnamed in ["binary", "UTF-8", "none"] {
        let field = format!("Transfer-Encoding: {misnamed}\r\n");
        check(Asked::Usual, "200", &field, "UntilClose, Closes");
        check(Asked::Head, "200", &field, "Nothing, Closes");
        check(Asked::Usual, "304", &field, "Nothing, Closes");
    }
    check(Asked::Connect, "407", length, "Length(7), Persists");
    check(Asked::Connect, "300", chunked, "Chunked, Persists");
    check(Asked::Upgrade, "200", length, "Length(7), Persists");
}

#[test]
fn a_body_where_none_may_be_is_refused() {
    for (status, fields) in [
        (100, "Content-Length: 1\r\n"),
        (103, "Transfer-Encoding: chunked\r\n"),
        (204, "Content-Length: 5\r\n"),
        (204, "Transfer-Encoding: chunked\r\n"),
        (103, "Transfer-Encoding: binary\r\n"),
        (204, "Transfer-Encoding: binary\r\n"),
    ] {
        let input = format!("HTTP/1.1 {status} x\r\n{fields}\r\n");
        refuses(&input, Asked::Usual, Bad::BodyForbidden(status));
        refuses(&input, Asked::Head, Bad::BodyForbidden(status));
    }
    for asked in [Asked::Usual, Asked::Head, Asked::Connect] {
        refuses("HTTP/1.1 101 Switching\r\n\r\n", asked, Bad::SwitchUnasked);
    }
}

#[test]
fn the_connection_persists_unless_somebody_says_otherwise() {
    let check = |version: &str, fields: &str, expect| {
        let input = format!("HTTP/{version} 200 OK\r\nContent-Length: 0\r\n{fields}\r\n");
        let read = read_however_cut(input.as_bytes(), Asked::Usual).0.unwrap().unwrap();
        assert_eq!(read.persistence, expect, "for {input:?}");
    };
    check("1.1", "", Persistence::Persists);
    check("1.1", "Connection: keep-alive\r\n", Persistence::Persists);
    check("1.1", "Connection: x-close, closed\r\n", Persistence::Persists);
    check("1.1", "Connection: a ,\tCLOSE \r\n", Persistence::Closes);
    check("1.1", "Connection: keep-alive\r\nconnection: close\r\n", Persistence::Closes);
    check("1.1", "Connection: close\r\nConnection: keep-alive\r\n", Persistence::Closes);
    check("1.0", "", Persistence::Closes);
    check("1.0", "Connection: Keep-Alive\r\n", Persistence::Persists);
    check("1.0", "Connection: keep-alive, close\r\n", Persistence::Closes);
}

#[test]
fn status_lines_are_strict() {
    let refuses = |line: &str, expect: Bad| {
        refuses(format!("{line}\r\nA: b\r\n\r\n"), Asked::Usual, expect);
    };
    for other in ["", "\r\nHTTP/1.1 200 OK", " HTTP/1.1 200 OK", "http/1.1 200 OK", "ICY 200 OK"] {
        refuses(other, Bad::NotHttp);
    }
    refuses("220 mail.example ESMTP", Bad::NotHttp);
    refuses("SSH-2.0-OpenSSH", Bad::NotHttp);
    refuses("\0\0\u{12}\u{4}", Bad::NotHttp);
    refuses("HTTP 1.1 200 OK", Bad::NotHttp);
    for version in ["HTTP/2 200", "HTTP/2.0 200", "HTTP/0.9 200", "HTTP/3.0 200", "HTTP/", "HTTP/1"]
    {
        refuses(version, Bad::Version);
    }
    refuses("HTTP/01.1 200", Bad::Version);
    for line in [
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.10 200",
        "HTTP/1.22 200",
        "HTTP/1.1\t200 OK",
        "HTTP/1.1  200 OK",
    ] {
        refuses(line, Bad::StatusLine);
    }
    for line in
        ["HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 +20", "HTTP/1.1 2x0 OK", "HTTP/1.1 200OK"]
    {
        refuses(line, Bad::StatusLine);
    }
    refuses("HTTP/1.1 099 OK", Bad::Status(99));
    refuses("HTTP/1.1 000", Bad::Status(0));
    refuses("HTTP/1.1 600 OK", Bad::Status(600));
    refuses("HTTP/1.1 999 OK", Bad::Status(999));
    refuses("HTTP/1.1 200 a\0b", Bad::Reason(0));
    refuses("HTTP/1.1 200 a\u{7f}", Bad::Reason(0x7f));
    refuses("HTTP/1.1 200 a\rb", Why::BareCr.into());
}

#[test]
fn fields_are_strict() {
    let refuses = |fields: &str, expect: Why| refuses(with(fields), Asked::Usual, expect);
    refuses("A b: c\r\n", Why::FieldName(b' '));
    refuses("A : c\r\n", Why::FieldName(b' '));
    refuses("A\t: c\r\n", Why::FieldName(b'\t'));
    refuses("A\0: c\r\n", Why::FieldName(0));
    refuses("\u{e4}: c\r\n", Why::FieldName(0xc3));
    refuses(": c\r\n", Why::NoFieldName);
    refuses("A\r\n", Why::NoColon);
    refuses("A: b\r\n c\r\n", Why::FoldedLine);
    refuses("A: b\r\n\tc\r\n", Why::FoldedLine);
    refuses(" A: b\r\n", Why::FoldedLine);
    refuses("A: b\0\r\n", Why::FieldValue(0));
    refuses("A: \u{1b}[2J\r\n", Why::FieldValue(0x1b));
    refuses("A: b\u{7f}\r\n", Why::FieldValue(0x7f));
    refuses("A: b\rc\r\n", Why::BareCr);
    refuses("A\r: b\r\n", Why::BareCr);
    refuses("A: b\r\r\n", Why::BareCr);
    refuses("A: b\nC: d\r\n", Why::BareLf);
    refuses("A: b\n", Why::BareLf);
}

#[test]
fn a_bare_lf_ends_nothing() {
    refuses("HTTP/1.1 200 OK\nA: b\r\n\r\n", Asked::Usual, Why::BareLf);
    refuses("HTTP/1.1 200 OK\r\nA: b\r\n\n", Asked::Usual, Why::BareLf);
    refuses("HTTP/1.1 200 OK\n\n", Asked::Usual, Why::BareLf);
}

#[test]
fn lengths_are_strict() {
    let refuses = |fields: &str, expect: Why| {
        refuses(with(fields), Asked::Usual, expect);
        // Also where there is no body: the same answer to a GET would be read in two ways.
        refuses(with(fields), Asked::Head, expect);
    };
    for bad in ["", "-1", "+1", "0x1", "1 1", "1,1", "1, 1", "1.0", "a", "18446744073709551616"] {
        refuses(&format!("Content-Length: {bad}\r\n"), Why::ContentLength);
    }
    refuses("Content-Length: 1\r\nContent-Length: 2\r\n", Why::ContentLengthRepeated);
    refuses("Content-Length: 1\r\ncontent-length: 1\r\n", Why::ContentLengthRepeated);
    for bad in ["", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity"] {
        refuses(&format!("Transfer-Encoding: {bad}\r\n"), Why::TransferCoding);
    }
    for bad in ["trailers", "chunked, x", "x, chunked", "x chunked", "Xchunked", "unchunk", "x;a=b"]
    {
        refuses(&format!("Transfer-Encoding: {bad}\r\n"), Why::TransferCoding);
    }
    for bad in ["xchunked", "chunked;a=b", "chunked,", "\"chunked\"", "\u{b}chunked"] {
        let expect =
            if bad.starts_with('\u{b}') { Why::FieldValue(0xb) } else { Why::TransferCoding };
        refuses(&format!("Transfer-Encoding: {bad}\r\n"), expect);
    }
    let chunked = "Transfer-Encoding: chunked\r\n";
    let misnamed = "Transfer-Encoding: binary\r\n";
    refuses(&misnamed.repeat(2), Why::TransferCoding);
    refuses(&format!("Content-Length: 0\r\n{misnamed}"), Why::TransferCoding);
    refuses(&format!("{misnamed}{chunked}"), Why::TransferCoding);
    refuses(&format!("{chunked}{misnamed}"), Why::TransferCoding);
    refuses(&format!("{misnamed}Content-Length: 1\r\n"), Why::TransferCoding);
    refuses(&chunked.repeat(2), Why::TransferEncodingRepeated);
    refuses(&format!("{chunked}Content-Length: 1\r\n"), Why::TwoLengths);
    refuses(&format!("Content-Length: 0\r\n{chunked}"), Why::TwoLengths);
    let old = format!("HTTP/1.0 200 OK\r\n{chunked}\r\n");
    super::refuses(old, Asked::Usual, Why::TransferEncodingOn10);
    let old = format!("HTTP/1.0 200 OK\r\n{misnamed}\r\n");
    super::refuses(old, Asked::Usual, Why::TransferEncodingOn10);
}

#[test]
fn every_limit_is_reached() {
    let HeadLimits { head_bytes_max, line_bytes_max, fields_max } = LIMITS;
    let x = |bytes: u32| "x".repeat(usize::try_from(bytes).unwrap());

    let line = |bytes: u32| format!("HTTP/1.1 200 {}\r\n", x(bytes - 15));
    let whole = read_however_cut((line(line_bytes_max) + "\r\n").as_bytes(), Asked::Usual).0;
    assert!(matches!(whole, Ok(Some(_))));
    let long = Bad::StatusLineTooLong { max: line_bytes_max };
    refuses(line(line_bytes_max + 1), Asked::Usual, long);

    let field = |bytes: u32| format!("A: {}\r\n", x(bytes - 5));
    let whole = read_however_cut(with(&field(line_bytes_max)).as_bytes(), Asked::Usual).0;
    assert!(matches!(whole, Ok(Some(_))));
    let long = Why::LineTooLong { max: line_bytes_max };
    refuses(with(&field(line_bytes_max + 1)), Asked::Usual, long);

    let head = |bytes: u32| with(&(field(300) + &field(bytes - 300 - 17 - 2)));
    let whole = read_however_cut(head(head_bytes_max).as_bytes(), Asked::Usual).0;
    assert_eq!(whole.unwrap().unwrap().len, usize::try_from(head_bytes_max).unwrap());
    let large = Why::HeadTooLarge { max: head_bytes_max };
    refuses(head(head_bytes_max + 1), Asked::Usual, large);

    let fields = |count: u32| with(&"A: b\r\n".repeat(usize::try_from(count).unwrap()));
    let (whole, reader) = read_however_cut(fields(fields_max).as_bytes(), Asked::Usual);
    assert!(matches!(whole, Ok(Some(_))));
    assert_eq!(reader.fields().len(), 8);
    refuses(fields(fields_max + 1), Asked::Usual, Why::TooManyFields { max: fields_max });
}

#[test]
fn who_was_refused_stays_so() {
    let mut reader = HeadReader::new(LIMITS);
    let good = with("");
    let refused = reader.read(b"HTTP/1.1 200 OK\n", Asked::Usual);
    assert_eq!(refused, Err(Why::BareLf.into()));
    assert_eq!(reader.read(good.as_bytes(), Asked::Usual), refused);
}

#[test]
fn refusals_say_what_was_found_and_expected() {
    let check = |bad: Bad, expect: &str| assert_eq!(bad.to_string(), expect);
    check(Bad::NotHttp, "no answer in HTTP/1: expected \"HTTP/1.1\" first");
    check(Bad::Status(600), "bad status 600: expected 100 to 599");
    check(Bad::BodyForbidden(204), "a body with status 204: expected none");
    check(Why::NoColon.into(), "a field line without a colon");
}
