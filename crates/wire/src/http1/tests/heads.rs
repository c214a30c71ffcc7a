//! Request lines, targets and fields.

use super::*;
use crate::host::BadHost;

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
    passes("CONNECT a:443 HTTP/1.1\r\nHost: A.:443\r\n\r\n", 1, Stage::Held);
    passes("CONNECT a:443 HTTP/1.0\r\n\r\n", 1, Stage::Held);
    let empty = "CONNECT [::1]:1 HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 0\r\n\r\n";
    passes(empty, 1, Stage::Held);
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
fn a_target_is_known_by_what_it_is_made_of() {
    for (target, expect) in [
        ("/a[b]|{c}?`d`?e", true),
        ("*", true),
        ("", true),
        ("/a?\"", false),
        ("/`", false),
        ("/a b", false),
        ("/a#b", false),
        ("/\u{e9}", false),
        ("/?\u{85}", false),
    ] {
        assert_eq!(is_of_target(target.as_bytes()), expect, "{target:?}");
    }
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
