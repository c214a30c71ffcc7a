//! Good messages, and some hundred and more bad ones, each whole and cut at every place.

use proptest::prelude::*;

use super::*;
use crate::host::BadHost;

const LIMITS: HeadLimits = HeadLimits { head_bytes_max: 600, line_bytes_max: 400, fields_max: 8 };

#[test]
fn an_idle_guard_is_small() {
    assert!(size_of::<Guard>() <= 96, "{} bytes", size_of::<Guard>());
    let mut guard = Guard::new(LIMITS);
    for byte in b"POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n." {
        assert_eq!(guard.feed(&[*byte]), Fed { passed: 1, refusal: None });
    }
    assert_eq!(guard.stage(), Stage::BetweenMessages);
    assert_eq!(guard.line.capacity(), 0);
}

#[test]
fn heads_without_a_body_pass() {
    passes("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1, Stage::BetweenMessages);
    passes("GET / HTTP/1.0\r\n\r\n", 1, Stage::BetweenMessages);
    passes("GET / HTTP/1.0\r\nHost: a\r\n\r\n", 1, Stage::BetweenMessages);
    passes("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 1, Stage::BetweenMessages);
    passes("get /~a\"{|}^\\?b=[c]&`{|}^\\ HTTP/1.1\r\nhOST:a\r\n\r\n", 1, Stage::BetweenMessages);
    passes("M-SEARCH //a HTTP/1.1\r\nHost: \t [::1]:80 \t\r\n\r\n", 1, Stage::BetweenMessages);
    passes("DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1, Stage::BetweenMessages);
    passes(with("X: \r\nY:\r\nZ: a:b \t \u{e4}\r\n"), 1, Stage::BetweenMessages);
    passes(with("Cookie: a\r\nCookie: a\r\n"), 1, Stage::BetweenMessages);
    passes(with("Expect: 100-Continue\r\n"), 1, Stage::BetweenMessages);
    passes(with("TE: trailers, gzip\r\nConnection: te, close\r\n"), 1, Stage::BetweenMessages);
}

#[test]
fn every_form_of_target_has_its_method() {
    passes("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 1, Stage::BetweenMessages);
    passes("CONNECT a:443 HTTP/1.1\r\nHost: A.:443\r\n\r\n", 1, Stage::BetweenMessages);
    passes("CONNECT a:443 HTTP/1.0\r\n\r\n", 1, Stage::BetweenMessages);
    passes(
        "CONNECT [::1]:1 HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 0\r\n\r\n",
        1,
        Stage::BetweenMessages,
    );
    for (target, host) in [
        ("http://a/", "a"),
        ("http://a", "a"),
        ("http://a?b:c", "A"),
        ("http://a:80/", "a"),
        ("HTTP://a/", "a:80"),
        ("https://a:/", "a:443"),
        ("wss://a.b:1/", "a.b.:1"),
        ("x+1.-://a/", "a"),
        ("http://[::1]:8080/http://b/", "[::1]:8080"),
    ] {
        passes(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"), 1, Stage::BetweenMessages);
    }
}

#[test]
fn the_first_bytes_tell_a_request() {
    for (first, expect) in [
        ("GET / HTTP/1.1\r\n", true),
        ("OPTIONS * HTTP/1", true),
        ("GET http://a/ HT", true),
        ("M /", true),
        ("GET ", false),
        ("GET", false),
        (" /", false),
        ("", false),
        ("PROXY TCP4 192.0", false),
        ("SSH-2.0-OpenSSH_", false),
        ("get / HTTP/1.1\r\n", false),
        ("\x16\x03\x01", false),
    ] {
        assert_eq!(starts_like_request(first.as_bytes()), expect, "{first:?}");
    }
}

#[test]
fn stages_follow_the_bytes() {
    passes("", 0, Stage::BetweenMessages);
    passes("\r\n", 0, Stage::BetweenMessages);
    passes("\r", 0, Stage::Head);
    passes("G", 0, Stage::Head);
    passes("GET / HTTP/1.1\r\n", 0, Stage::Head);
    passes("GET / HTTP/1.1\r\nHost: a\r\n\r", 0, Stage::Head);
    passes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 1, Stage::Body);
    passes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\r\n", 1, Stage::Body);
    passes(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\r\n\n",
        1,
        Stage::BetweenMessages,
    );
    passes(chunked(""), 1, Stage::Body);
    passes(chunked("0\r\n"), 1, Stage::Body);
    passes(chunked("0\r\n\r"), 1, Stage::Body);
    passes(chunked("0\r\n\r\n"), 1, Stage::BetweenMessages);
}

#[test]
fn messages_in_a_row_pass() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    passes(get.repeat(3), 3, Stage::BetweenMessages);
    passes(format!("{get}\r\n{get}\r\n"), 2, Stage::BetweenMessages);
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /";
    passes(format!("{post}\r\n{get}{post}{get}P"), 4, Stage::Head);
    let chunks = chunked("5\r\nGET /\r\n0\r\n\r\n");
    passes(format!("{chunks}{get}{chunks}\r\n{post}"), 4, Stage::BetweenMessages);
}

#[test]
fn chunks_pass() {
    for body in [
        "1\r\na\r\n0\r\n\r\n",
        "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
        "2\r\n\r\n\r\n0\r\n\r\n",
        "0000000000000001\r\na\r\n0000000000000000\r\n\r\n",
        "1;a\r\nx\r\n0;b=c;d=\"e\"\r\n\r\n",
        "1;a=\"; \\\" \t\\\\\";b\r\nx\r\n0\r\n\r\n",
        "0\r\nX: a\r\nY:\r\n\r\n",
    ] {
        passes(chunked(body), 1, Stage::BetweenMessages);
    }
    passes(chunked("ffffffffffffffff\r\n0\r\n\r\n"), 1, Stage::Body);
    passes(with("Content-Length: 9999999999999999999\r\n"), 1, Stage::Body);
    passes(with("Transfer-Encoding:\tCHUNKED \r\n") + "0\r\n\r\n", 1, Stage::BetweenMessages);
    let extension = ";".to_owned() + &"a".repeat(255);
    passes(
        chunked(&format!("1{extension}\r\nx\r\n0{extension}\r\n\r\n")),
        1,
        Stage::BetweenMessages,
    );
}

#[test]
fn request_lines_are_strict() {
    let line = |line: &str| format!("{line}\r\nHost: a\r\n\r\n");
    for bad in [
        "GET",
        "GET ",
        "GET /",
        "GET / ",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET / a HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1",
        "GET / HTTP/1.",
        "GET / HTTP/11",
        "GET / HTTP/1.10",
        "GET / HTTP/01.1",
        "GET / HTTP/1.1x",
        "GET / HTTP/1,1",
        "GET / HTTP/+.1",
        "GET / HTTPS/1.1",
        "GET / TTP/1.1",
        "GET / HTTP/1.1\t",
        "GET / HTTP/1.\u{661}",
        "Host: a",
    ] {
        let expect = if bad == "Host: a" { Refusal::Method(b':') } else { Refusal::RequestLine };
        refuses(line(bad), expect);
    }
    for bad in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3.0", "HTTP/9.9"] {
        refuses(line(&format!("GET / {bad}")), Refusal::Version);
    }
    refuses("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal::Version);
    refuses(line("G\tET / HTTP/1.1"), Refusal::Method(b'\t'));
    refuses(line("GET\t/ HTTP/1.1"), Refusal::Method(b'\t'));
    refuses(line("G(T / HTTP/1.1"), Refusal::Method(b'('));
    refuses(line("GET\0 / HTTP/1.1"), Refusal::Method(0));
    refuses(line("\u{feff}GET / HTTP/1.1"), Refusal::Method(0xEF));
    refuses(line("{\"a\":1}"), Refusal::Method(b'{'));
    refuses("\x16\x03\x01\n", Refusal::BareLf);
}

#[test]
fn targets_are_strict() {
    let target = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    refuses(target("/\t"), Refusal::Target(b'\t'));
    refuses(target("/\0"), Refusal::Target(0));
    refuses(target("/\x7f"), Refusal::Target(0x7F));
    refuses(target("/\u{e4}"), Refusal::Target(0xC3));
    refuses(target("/\x0b"), Refusal::Target(0x0B));
    for bad in ["/a<", "/a?b<", "http://a/<", "http://a<b/", "<"] {
        refuses(target(bad), Refusal::Target(b'<'));
    }
    refuses(target("/>?"), Refusal::Target(b'>'));
    refuses(target("/?>"), Refusal::Target(b'>'));
    refuses(target("/a`?b"), Refusal::Target(b'`'));
    refuses(target("/a?b\"c"), Refusal::Target(b'"'));
    refuses(target("/a?b?\""), Refusal::Target(b'"'));
    refuses(target("/a?b#c"), Refusal::Fragment);
    refuses(target(&format!("{}://a/", "a".repeat(65))), Refusal::TargetForm);
    refuses(target("/a#b"), Refusal::Fragment);
    refuses(target("#"), Refusal::Fragment);
    refuses(target("http://a/#"), Refusal::Fragment);
    for bad in [
        "*",
        "a",
        "a:80",
        "?a",
        ":",
        "://a/",
        "http:/a",
        "http:a",
        "1http://a/",
        "ht_tp://a/",
        "a/b://a/",
        "\\",
        "..",
        "%2F",
        "@a",
        "[::1]",
    ] {
        refuses(target(bad), Refusal::TargetForm);
    }
    refuses("POST * HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::TargetForm);
    refuses("options * HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::TargetForm);
    refuses("OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::TargetForm);
    refuses(target("http:///"), Refusal::TargetHost(BadHost::Empty));
    refuses(target("http://?a"), Refusal::TargetHost(BadHost::Empty));
    refuses(target("http://u@a/"), Refusal::TargetHost(BadHost::Byte(b'@')));
    refuses(target("http://u:p@a/"), Refusal::TargetHost(BadHost::Port));
    refuses(target("http://a:x/"), Refusal::TargetHost(BadHost::Port));
    refuses(target("http://a\\b/"), Refusal::TargetHost(BadHost::Byte(b'\\')));
    refuses(target("http://:80/"), Refusal::TargetHost(BadHost::NoName));
    let connect = |target: &str| format!("CONNECT {target} HTTP/1.1\r\nHost: a:1\r\n\r\n");
    refuses(connect("a"), Refusal::TargetForm);
    refuses(connect("a:"), Refusal::TargetForm);
    refuses(connect("/"), Refusal::TargetHost(BadHost::Byte(b'/')));
    refuses(connect("*:x"), Refusal::TargetHost(BadHost::Port));
    refuses(connect("http://a:1"), Refusal::TargetHost(BadHost::Port));
    refuses(connect("a:1/"), Refusal::TargetHost(BadHost::Port));
}

#[test]
fn lines_end_in_cr_lf_alone() {
    refuses("\n", Refusal::BareLf);
    refuses("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BareLf);
    refuses("GET / HTTP/1.1\nHost: a\r\n\r\n", Refusal::BareLf);
    refuses("GET / HTTP/1.1\r\nHost: a\n\r\n", Refusal::BareLf);
    refuses("GET / HTTP/1.1\r\nHost: a\r\n\n", Refusal::BareLf);
    refuses("GET / HTTP/1.1\r\nHost: a\n\n", Refusal::BareLf);
    refuses("GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n", Refusal::BareLf);
    refuses("GET / HTTP/1.1\n\n", Refusal::BareLf);
    refuses("\r\r\n", Refusal::BareCr);
    refuses("GET /\rHTTP/1.1\r\n\r\n", Refusal::BareCr);
    refuses("GET\r/ HTTP/1.1\r\n\r\n", Refusal::BareCr);
    refuses("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", Refusal::BareCr);
    refuses("GET / HTTP/1.1\rHost: a\r\n\r\n", Refusal::BareCr);
    refuses(with("X: a\rY: b\r\n"), Refusal::BareCr);
    refuses(with("X: a\r\r\n"), Refusal::BareCr);
    refuses(with("X\r: a\r\n"), Refusal::BareCr);
    refuses(with("\rX: a\r\n"), Refusal::BareCr);
    refuses(with("X: a\r\n\r\r\n"), Refusal::BareCr);
    refuses(with("Transfer-Encoding: chunked\r, a\r\n"), Refusal::BareCr);
    refuses("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::EmptyLines);
    refuses("\r\n\n", Refusal::BareLf);
}

#[test]
fn fields_are_strict() {
    refuses(with(" folded\r\n"), Refusal::FoldedLine);
    refuses(with("X: a\r\n\tfolded\r\n"), Refusal::FoldedLine);
    refuses(with(" \r\n"), Refusal::FoldedLine);
    refuses("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Refusal::FoldedLine);
    refuses(with("Transfer-Encoding:\r\n chunked\r\n"), Refusal::TransferCoding);
    refuses(with("X:\r\n chunked\r\n"), Refusal::FoldedLine);
    refuses(with("Content-Length : 1\r\n"), Refusal::FieldName(b' '));
    refuses(with("Transfer-Encoding\t: chunked\r\n"), Refusal::FieldName(b'\t'));
    refuses(with("a b: c\r\n"), Refusal::FieldName(b' '));
    refuses(with("a\0: c\r\n"), Refusal::FieldName(0));
    refuses(with("a\u{e4}: c\r\n"), Refusal::FieldName(0xC3));
    refuses(with("\"a\": c\r\n"), Refusal::FieldName(b'"'));
    refuses(with("a;b: c\r\n"), Refusal::FieldName(b';'));
    refuses(with("\x0bContent-Length: 1\r\n"), Refusal::FieldName(0x0B));
    refuses(with("[a]: c\r\n"), Refusal::FieldName(b'['));
    refuses(with(": a\r\n"), Refusal::NoFieldName);
    refuses(with("::\r\n"), Refusal::NoFieldName);
    refuses(with("a\r\n"), Refusal::NoColon);
    refuses(with("a b\r\n"), Refusal::FieldName(b' '));
    refuses(with("GET / HTTP/1.1\r\n"), Refusal::FieldName(b' '));
    refuses(with("X: a\0b\r\n"), Refusal::FieldValue(0));
    refuses(with("X: \x1b[0m\r\n"), Refusal::FieldValue(0x1B));
    refuses(with("X: \x7f\r\n"), Refusal::FieldValue(0x7F));
    refuses(with("X:\x0b\r\n"), Refusal::FieldValue(0x0B));
    refuses(with("X: a\x0c\r\n"), Refusal::FieldValue(0x0C));
    refuses(with("Transfer-Encoding: \x0bchunked\r\n"), Refusal::FieldValue(0x0B));
}

#[test]
fn a_length_is_one_number_told_once() {
    for bad in [
        "",
        "+1",
        "-1",
        "1,1",
        "1, 1",
        "1;",
        "1 1",
        "0x1",
        "1e1",
        "1.0",
        "a",
        "\"1\"",
        "1,",
        "\u{661}",
        "18446744073709551616",
        "00000000000000000001",
    ] {
        refuses(with(&format!("Content-Length: {bad}\r\n")), Refusal::ContentLength);
    }
    let repeated = Refusal::ContentLengthRepeated;
    refuses(with("Content-Length: 1\r\nContent-Length: 2\r\n"), repeated);
    refuses(with("Content-Length: 1\r\ncontent-length: 1\r\n"), repeated);
    refuses(with("Content-Length: 0\r\nX: a\r\nContent-Length: 0\r\n"), repeated);
}

#[test]
fn a_transfer_coding_is_chunked_alone() {
    for bad in [
        "",
        "gzip",
        "identity",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        "chunked;a",
        "chunked;q=1",
        "xchunked",
        "chunke",
        "chunked x",
        "\"chunked\"",
        "chun ked",
        "'chunked'",
        "chunked\u{a0}",
    ] {
        refuses(with(&format!("Transfer-Encoding: {bad}\r\n")), Refusal::TransferCoding);
    }
    refuses(
        with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        Refusal::TransferEncodingRepeated,
    );
    refuses(
        with("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n"),
        Refusal::TransferEncodingRepeated,
    );
    refuses(with("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), Refusal::TwoLengths);
    refuses(with("Content-Length: 0\r\ntransfer-encoding: Chunked\r\n"), Refusal::TwoLengths);
    refuses(
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        Refusal::TransferEncodingOn10,
    );
    refuses(
        "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n",
        Refusal::ConnectBody,
    );
    refuses("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 1\r\n\r\n", Refusal::ConnectBody);
}

#[test]
fn a_host_is_named_once_and_agrees() {
    refuses("GET / HTTP/1.1\r\n\r\n", Refusal::HostMissing);
    refuses("GET http://a/ HTTP/1.1\r\n\r\n", Refusal::HostMissing);
    refuses("GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", Refusal::HostMissing);
    refuses(with("Host: a\r\n"), Refusal::HostRepeated);
    refuses(with("HOST: b\r\n"), Refusal::HostRepeated);
    refuses("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", Refusal::HostRepeated);
    let host = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    refuses(host(""), Refusal::Host(BadHost::Empty));
    refuses(host(" \t"), Refusal::Host(BadHost::Empty));
    refuses(host("a, b"), Refusal::Host(BadHost::Byte(b' ')));
    refuses(host("a b"), Refusal::Host(BadHost::Byte(b' ')));
    refuses(host("a@b"), Refusal::Host(BadHost::Byte(b'@')));
    refuses(host("a/b"), Refusal::Host(BadHost::Byte(b'/')));
    refuses(host("http://a"), Refusal::Host(BadHost::Port));
    refuses(host("a:99999"), Refusal::Host(BadHost::Port));
    refuses(host("a:80a"), Refusal::Host(BadHost::Port));
    refuses(host("[::1"), Refusal::Host(BadHost::Ipv6));
    refuses(host("a%00"), Refusal::Host(BadHost::Byte(b'%')));
    refuses(host("\u{e4}"), Refusal::Host(BadHost::Byte(0xC3)));
    refuses("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", Refusal::Host(BadHost::Byte(b' ')));
    for (target, host) in [
        ("http://a/", "b"),
        ("http://a/", "a:8080"),
        ("http://a:8080/", "a"),
        ("http://a/", "a:443"),
        ("https://a/", "a:80"),
        ("x://a/", "a:80"),
        ("http://a/", "a.b"),
        ("http://a..", "a"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        refuses(request, Refusal::HostDisagrees);
    }
    refuses("CONNECT a:1 HTTP/1.1\r\nHost: a:2\r\n\r\n", Refusal::HostDisagrees);
    refuses("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::HostDisagrees);
    refuses("GET http://a/ HTTP/1.0\r\nHost: b\r\n\r\n", Refusal::HostDisagrees);
}

#[test]
fn other_expectations_are_not_met() {
    for bad in ["", "100", "100-continue, 100-continue", "200-ok", "100-continue;a", "x"] {
        refuses(with(&format!("Expect: {bad}\r\n")), Refusal::Expectation);
    }
    refuses(with("Expect: 100-continue\r\nExpect: x\r\n"), Refusal::Expectation);
}

#[test]
fn chunks_are_strict() {
    for (body, passed, expect) in [
        ("\r\n", 0, Refusal::ChunkSize(b'\r')),
        ("\n", 0, Refusal::ChunkSize(b'\n')),
        ("g\r\n", 0, Refusal::ChunkSize(b'g')),
        (" 1\r\n", 0, Refusal::ChunkSize(b' ')),
        ("+1\r\n", 0, Refusal::ChunkSize(b'+')),
        ("-1\r\n", 0, Refusal::ChunkSize(b'-')),
        ("0x1\r\n", 1, Refusal::ChunkSize(b'x')),
        ("1 \r\n", 1, Refusal::ChunkSize(b' ')),
        ("1\t;a\r\n", 1, Refusal::ChunkSize(b'\t')),
        ("1\n", 1, Refusal::ChunkSize(b'\n')),
        ("1,1\r\n", 1, Refusal::ChunkSize(b',')),
        ("1\0\r\n", 1, Refusal::ChunkSize(0)),
        (";a\r\n", 0, Refusal::ChunkSize(b';')),
        ("00000000000000001\r\n", 16, Refusal::ChunkSizeTooLong),
        ("10000000000000000\r\n", 16, Refusal::ChunkSizeTooLong),
        ("1\rx", 2, Refusal::ChunkLineEnd(b'x')),
        ("1\r\r\n", 2, Refusal::ChunkLineEnd(b'\r')),
        ("0\r\r\n\n", 2, Refusal::ChunkLineEnd(b'\r')),
        ("1;\r\n", 2, Refusal::ChunkExtension(b'\r')),
        ("1;\n", 2, Refusal::ChunkExtension(b'\n')),
        ("1;;a\r\n", 2, Refusal::ChunkExtension(b';')),
        ("1; a\r\n", 2, Refusal::ChunkExtension(b' ')),
        ("1;a \r\n", 3, Refusal::ChunkExtension(b' ')),
        ("1;a\n", 3, Refusal::ChunkExtension(b'\n')),
        ("1;a=\r\n", 4, Refusal::ChunkExtension(b'\r')),
        ("1;=a\r\n", 2, Refusal::ChunkExtension(b'=')),
        ("1;a=b=c\r\n", 5, Refusal::ChunkExtension(b'=')),
        ("1;a=\"b\r\n", 6, Refusal::ChunkExtension(b'\r')),
        ("1;a=\"b\n\"\r\n", 6, Refusal::ChunkExtension(b'\n')),
        ("1;a=\"\\\n\"\r\n", 6, Refusal::ChunkExtension(b'\n')),
        ("1;a=\"\0\"\r\n", 5, Refusal::ChunkExtension(0)),
        ("1;a=\"b\"c\r\n", 7, Refusal::ChunkExtension(b'c')),
        ("1;a=b\"c\"\r\n", 5, Refusal::ChunkExtension(b'"')),
        ("1;a\rX\n", 4, Refusal::ChunkLineEnd(b'X')),
        ("1\r\nab\r\n", 4, Refusal::ChunkDataEnd(b'b')),
        ("1\r\na\n", 4, Refusal::ChunkDataEnd(b'\n')),
        ("1\r\na0\r\n", 4, Refusal::ChunkDataEnd(b'0')),
        ("1\r\na\r0\r\n", 5, Refusal::ChunkDataEnd(b'0')),
        ("1\r\na\r\r\n", 5, Refusal::ChunkDataEnd(b'\r')),
        ("1\r\na\r\n\r\n", 6, Refusal::ChunkSize(b'\r')),
        ("0\r\n\n", 3, Refusal::BareLf),
        ("0\r\n\r\r\n", 3, Refusal::BareCr),
        ("0\r\nX: a\n\r\n", 3, Refusal::BareLf),
        ("0\r\nX: a\r\n\n", 9, Refusal::BareLf),
        ("0\r\nX: a\r\n b\r\n\r\n", 9, Refusal::FoldedLine),
        ("0\r\nX : a\r\n\r\n", 3, Refusal::FieldName(b' ')),
        ("0\r\nX: \0\r\n\r\n", 3, Refusal::FieldValue(0)),
        ("0\r\nGET / HTTP/1.1\r\n\r\n", 3, Refusal::FieldName(b' ')),
        ("0\r\nContent-Length: 1\r\n\r\n", 3, Refusal::TrailerFraming),
        ("0\r\nA: a\r\nTransfer-Encoding: chunked\r\n\r\n", 9, Refusal::TrailerFraming),
        ("0\r\nHOST: b\r\n\r\n", 3, Refusal::TrailerFraming),
    ] {
        let head = chunked("");
        refuses_after(format!("{head}{body}"), head.len() + passed, expect);
    }
    let extension = ";".to_owned() + &"a".repeat(256);
    let expect = Refusal::ChunkExtensionTooLong { max: 256 };
    refuses(chunked(&format!("1{extension}\r\n")), expect);
}

#[test]
fn what_comes_after_a_sound_message_is_judged_for_itself() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    for sound in [get.to_owned(), post.to_owned(), chunked("1\r\na\r\n0\r\n\r\n"), get.repeat(3)] {
        refuses_after(format!("{sound}x\r\n"), sound.len(), Refusal::RequestLine);
        refuses_after(format!("{sound}GET / HTTP/1.1\r\n\r\n"), sound.len(), Refusal::HostMissing);
        refuses_after(format!("{sound}\r\n\r\n{get}"), sound.len(), Refusal::EmptyLines);
        refuses_after(format!("{sound}0\r\n\r\n{get}"), sound.len(), Refusal::RequestLine);
    }
}

#[test]
fn limits_are_reached() {
    let fields = |count: usize| "X: a\r\n".repeat(count);
    passes(with(&fields(7)), 1, Stage::BetweenMessages);
    refuses(with(&fields(8)), Refusal::TooManyFields { max: 8 });
    passes(chunked(&format!("0\r\n{}\r\n", fields(8))), 1, Stage::BetweenMessages);
    refuses(chunked(&format!("0\r\n{}\r\n", fields(9))), Refusal::TooManyFields { max: 8 });

    let target = |len: usize| {
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(len - "GET / HTTP/1.1\r\n".len()))
    };
    passes(target(400), 1, Stage::BetweenMessages);
    refuses(target(401), Refusal::TargetTooLong { max: 400 });
    refuses(target(4010), Refusal::TargetTooLong { max: 400 });

    let field = |len: usize| format!("X:{}\r\n", "a".repeat(len - "X:\r\n".len()));
    passes(with(&field(400)), 1, Stage::BetweenMessages);
    refuses(with(&field(401)), Refusal::LineTooLong { max: 400 });
    passes(chunked(&format!("0\r\n{}\r\n", field(400))), 1, Stage::BetweenMessages);
    refuses(chunked(&format!("0\r\n{}\r\n", field(401))), Refusal::LineTooLong { max: 400 });

    let head = |len: usize| with(&(field(300) + &field(len - with("").len() - 300)));
    passes(head(600), 1, Stage::BetweenMessages);
    refuses(head(601), Refusal::HeadTooLarge { max: 600 });
    refuses(head(602), Refusal::HeadTooLarge { max: 600 });
    refuses(head(650), Refusal::HeadTooLarge { max: 600 });
    let trailers = |len: usize| chunked(&format!("0\r\n{}{}\r\n", field(300), field(len - 302)));
    passes(trailers(600), 1, Stage::BetweenMessages);
    refuses(trailers(601), Refusal::HeadTooLarge { max: 600 });
}

#[test]
fn a_flood_without_line_ends_is_cut_at_the_limit() {
    let mut guard = Guard::new(LIMITS);
    for _ in 0..399 {
        assert_eq!(guard.feed(b"a").refusal, None);
    }
    assert!(guard.line.capacity() <= 800);
    assert_eq!(guard.feed(b"a").refusal, Some(Refusal::TargetTooLong { max: 400 }));
    assert_eq!(guard.line.capacity(), 0);
}

#[test]
fn a_refusal_is_final() {
    let mut guard = Guard::new(LIMITS);
    let refused = Fed { passed: 0, refusal: Some(Refusal::BareLf) };
    assert_eq!(guard.feed(b"\n"), refused);
    guard.tunnel();
    assert_eq!(guard.stage(), Stage::Refused);
    assert_eq!(guard.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), refused);
    assert_eq!(guard.heads(), 0);
}

#[test]
fn a_tunnel_passes_everything() {
    let mut guard = Guard::new(LIMITS);
    let head = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
    assert_eq!(guard.feed(head), Fed { passed: head.len(), refusal: None });
    guard.tunnel();
    assert_eq!(guard.stage(), Stage::Tunnel);
    assert_eq!(guard.feed(b"\n\0\r\xFF"), Fed { passed: 4, refusal: None });
    assert_eq!(guard.heads(), 1);
}

#[test]
fn refusals_have_their_status() {
    assert_eq!(Refusal::BareLf.status(), 400);
    assert_eq!(Refusal::TargetTooLong { max: 1 }.status(), 414);
    assert_eq!(Refusal::Expectation.status(), 417);
    assert_eq!(Refusal::LineTooLong { max: 1 }.status(), 431);
    assert_eq!(Refusal::HeadTooLarge { max: 1 }.status(), 431);
    assert_eq!(Refusal::TooManyFields { max: 1 }.status(), 431);
    assert_eq!(Refusal::TransferCoding.status(), 501);
    assert_eq!(Refusal::Version.status(), 505);
}

#[test]
fn refusals_say_what_was_found_and_expected() {
    assert_eq!(
        Refusal::FieldName(b' ').to_string(),
        "' ' in a field name: expected a token with a colon right after it"
    );
    assert_eq!(
        Refusal::ChunkDataEnd(0).to_string(),
        "'\\0' after the data of a chunk: expected CR LF"
    );
    assert_eq!(
        Refusal::ChunkExtensionTooLong { max: 256 }.to_string(),
        "chunk extensions longer than 256 bytes"
    );
}

/// Pieces that messages, good and bad, are made of.
fn connection() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => Just("GET / HTTP/1.1\r\nHost: a\r\n"),
        2 => Just("POST http://a/b HTTP/1.1\r\nHost: a\r\n"),
        1 => Just("GET / HTTP/1.0\r\n"),
        1 => Just("GET /\u{e4} HTTP/1.1\r\nHost: a\r\n"),
        1 => Just("GET /`?`\" HTTP/1.1\r\nHost: a\r\n"),
        2 => Just("Transfer-Encoding: chunked\r\n"),
        2 => Just("Content-Length: 7\r\n"),
        1 => Just("X: \u{e4} \"a\"\t\r\n"),
        1 => Just(" a\r\n"),
        6 => Just("\r\n"),
        1 => Just("\n"),
        1 => Just("\r"),
        1 => Just("\0"),
        2 => Just("7\r\n1234567\r\n"),
        2 => Just("0\r\n"),
        1 => Just("3;a=\"b\"\r\nabc\r\n"),
        1 => Just("1234567"),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn nothing_panics(bytes: Vec<u8>, tail: Vec<u8>) {
        for start in ["", "GET ", "GET / HTTP/1.1\r\n", &with("")[..20], &chunked("")] {
            let mut guard = Guard::new(LIMITS);
            for piece in [start.as_bytes(), &bytes, &tail] {
                prop_assert!(guard.feed(piece).passed <= piece.len());
            }
        }
    }

    #[test]
    fn pieces_do_not_change_the_verdict(bytes in connection(), cuts: Vec<u8>) {
        let (refusal, heads, stage) = judge(&[&bytes]);
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts {
            let (piece, after) = rest.split_at(rest.len().min(cut.into()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        prop_assert_eq!(judge(&pieces), (refusal, heads, stage));
    }

    #[test]
    fn what_passes_is_read_alike_by_the_parser_behind(bytes in connection()) {
        let mut guard = Guard::new(LIMITS);
        let mut passed = Vec::new();
        for (at, byte) in bytes.iter().enumerate() {
            let heads = guard.heads();
            let before = guard.stage();
            if guard.feed(&[*byte]).refusal.is_some() {
                break;
            }
            if before == Stage::BetweenMessages {
                passed.clear();
            }
            passed.push(*byte);
            let mut fields = [httparse::EMPTY_HEADER; 32];
            let mut request = httparse::Request::new(&mut fields);
            let read = request.parse(&passed);
            if guard.heads() > heads {
                prop_assert_eq!(read, Ok(httparse::Status::Complete(passed.len())), "at {}", at);
            } else if guard.stage() == Stage::Head {
                let complete = matches!(read, Ok(httparse::Status::Complete(_)));
                prop_assert!(!complete, "at {}", at);
            }
        }
    }
}

/// A request with `fields` after its `Host`.
fn with(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// A request with the chunked `body`.
fn chunked(body: &str) -> String {
    with("Transfer-Encoding: chunked\r\n") + body
}

#[track_caller]
fn passes(input: impl AsRef<[u8]>, heads: u64, stage: Stage) {
    let input = input.as_ref();
    let fed = Guard::new(LIMITS).feed(input);
    assert_eq!(fed, Fed { passed: input.len(), refusal: None }, "for {}", input.escape_ascii());
    judge_however_cut(input, (None, heads, stage));
}

/// Everything is refused but what is sound before the last message, or within its body.
#[track_caller]
fn refuses(input: impl AsRef<[u8]>, expect: Refusal) {
    let input = input.as_ref();
    let fed = Guard::new(LIMITS).feed(input);
    assert_eq!(fed.refusal, Some(expect), "for {}", input.escape_ascii());
    let mut guard = Guard::new(LIMITS);
    let _ = guard.feed(input);
    judge_however_cut(input, (Some(expect), guard.heads(), Stage::Refused));
    // What passes of a refused head is nothing; what passes of a body comes after a whole head.
    assert_eq!(fed.passed == 0, guard.heads() == 0, "for {}", input.escape_ascii());
}

#[track_caller]
fn refuses_after(input: impl AsRef<[u8]>, passed: usize, expect: Refusal) {
    let input = input.as_ref();
    let fed = Guard::new(LIMITS).feed(input);
    assert_eq!(fed, Fed { passed, refusal: Some(expect) }, "for {}", input.escape_ascii());
    refuses(input, expect);
}

#[track_caller]
fn judge_however_cut(input: &[u8], expect: (Option<Refusal>, u64, Stage)) {
    for cut in 0..=input.len() {
        let (start, end) = input.split_at(cut);
        assert_eq!(judge(&[start, end]), expect, "cut at {cut} of {}", input.escape_ascii());
    }
    let bytes: Vec<_> = input.chunks(1).collect();
    assert_eq!(judge(&bytes), expect, "byte by byte for {}", input.escape_ascii());
}

fn judge(pieces: &[&[u8]]) -> (Option<Refusal>, u64, Stage) {
    let mut guard = Guard::new(LIMITS);
    let refusal = pieces.iter().find_map(|piece| guard.feed(piece).refusal);
    (refusal, guard.heads(), guard.stage())
}
