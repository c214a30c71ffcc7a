//! Parts of files.

use super::*;

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

fn site() -> Site {
    let big = LETTERS.repeat(4000);
    Site::of(&[("a.txt", LETTERS), ("empty.txt", ""), ("big.bin", &big)])
}

#[test]
fn one_part_is_sent() {
    let site = site();
    for path in ["/a.txt", "/a.txt", "/big.bin"] {
        let whole = if path == "/a.txt" { 26 } else { 104_000 };
        let got = site.check_status(&format!("GET {path}\nrange: bytes=1-3"), 206);
        assert_eq!(got.text(), "bcd");
        assert_eq!(got.field("content-range"), format!("bytes 1-3/{whole}"));
        assert_eq!(got.field("content-length"), "3");
        assert!(got.head.contains_key("etag"));
        let got = site.check_status(&format!("GET {path}\nrange: bytes=-2"), 206);
        assert_eq!(got.text(), "yz");
        let got = site.check_status(&format!("GET {path}\nrange: bytes=0-"), 206);
        assert_eq!(got.body.len(), whole);
    }
    assert_eq!(site.ask("GET /big.bin\nrange: bytes=1-3").from, From::Disk);
}

#[test]
fn several_parts_are_sent_as_one_body() {
    let site = site();
    for path in ["/a.txt", "/big.bin"] {
        let got = site.check_status(&format!("GET {path}\nrange: bytes=0-1, 5-6"), 206);
        let kind = got.field("content-type").to_owned();
        let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
        let whole = site.get(path);
        let (len, media) = (whole.field("content-length"), whole.field("content-type"));
        let expect = format!(
            "--{boundary}\r\nContent-Type: {media}\r\nContent-Range: bytes 0-1/{len}\r\n\r\nab\r\n\
             --{boundary}\r\nContent-Type: {media}\r\nContent-Range: bytes 5-6/{len}\r\n\r\nfg\r\n\
             --{boundary}--\r\n"
        );
        assert_eq!(got.text(), expect);
        assert_eq!(got.field("content-length"), expect.len().to_string());
        assert_eq!(got.field("content-range"), "");
    }
}

#[test]
fn what_is_beyond_the_end_is_refused() {
    let site = site();
    let got = site.check_status("GET /a.txt\nrange: bytes=26-", 416);
    assert_eq!(got.field("content-range"), "bytes */26");
    let got = site.check_status("GET /empty.txt\nrange: bytes=0-", 200);
    assert_eq!(got.body, b"");
}

#[test]
fn ranges_that_do_not_count_are_ignored() {
    let site = site();
    let whole = site.get("/a.txt");
    let (tag, date) = (whole.field("etag"), whole.field("last-modified"));
    for fields in [
        "range: bytes=x".to_owned(),
        "range: lines=0-1".to_owned(),
        "range: bytes=0-0\nrange: bytes=1-1".to_owned(),
        "range: bytes=0-0\nif-range: \"x\"".to_owned(),
        format!("range: bytes=0-0\nif-range: W/{tag}"),
        "range: bytes=0-0\nif-range: Sun, 06 Nov 1994 08:49:37 GMT".to_owned(),
        format!("range: bytes={}", "0-0,".repeat(17)),
    ] {
        let got = site.check_status(&format!("GET /a.txt\n{fields}"), 200);
        assert_eq!(got.text(), LETTERS, "for {fields:?}");
    }
    for validator in [tag, date] {
        site.check_status(&format!("GET /a.txt\nrange: bytes=0-0\nif-range: {validator}"), 206);
    }
    let got = site.check_status("HEAD /a.txt\nrange: bytes=0-0", 200);
    assert_eq!(got.field("content-length"), "26");
    site.check_status(&format!("GET /a.txt\nrange: bytes=0-0\nif-none-match: {tag}"), 304);
}
