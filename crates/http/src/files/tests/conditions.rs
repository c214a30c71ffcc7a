//! Heads, and requests with conditions.

use super::*;

#[test]
fn a_file_has_all_the_fields() {
    let site = Site::with(&[("a.txt", "text"), ("a.png", "image")], |options| {
        options.cache_control = vec![("*.txt".to_owned(), "max-age=60".parse().unwrap())];
    });
    for _ in 0..2 {
        let got = site.get("/a.txt");
        assert_eq!(got.field("content-type"), "text/plain; charset=utf-8");
        assert_eq!(got.field("content-length"), "4");
        assert_eq!(got.field("accept-ranges"), "bytes");
        assert_eq!(got.field("x-content-type-options"), "nosniff");
        assert_eq!(got.field("cache-control"), "max-age=60");
        assert_eq!(got.field("vary"), "accept-encoding");
        assert_eq!(got.field("etag"), "\"mC2ePrmW9VnmM_TRlN7zdg\"");
        assert!(got.field("last-modified").ends_with(" GMT"));
        assert!(!got.head.contains_key("content-encoding"));
    }
    let got = site.get("/a.png");
    assert_eq!((got.field("vary"), got.field("cache-control")), ("", ""));
}

#[test]
fn who_has_it_is_told_so() {
    let site = Site::with(&[("a.txt", "text"), ("big.txt", &prose(70_000))], |options| {
        options.cache_control = vec![("**".to_owned(), "no-cache".parse().unwrap())];
    });
    for path in ["/a.txt", "/big.txt", "/a.txt"] {
        let got = site.get(path);
        let (tag, date) = (got.field("etag"), got.field("last-modified"));
        for condition in [
            format!("if-none-match: {tag}"),
            format!("if-none-match: W/{tag}"),
            format!("if-none-match: \"x\", {tag}"),
            format!("if-modified-since: {date}"),
        ] {
            for method in ["GET", "HEAD"] {
                let got = site.check_status(&format!("{method} {path}\n{condition}"), 304);
                assert_eq!(got.body, b"");
                assert_eq!(got.field("etag"), tag);
                assert_eq!(got.field("vary"), "accept-encoding");
                assert_eq!(got.field("cache-control"), "no-cache");
                assert_eq!(got.field("content-length"), "");
            }
        }
        site.check_status(&format!("GET {path}\nif-none-match: \"x\""), 200);
        site.check_status(&format!("GET {path}\nif-match: {tag}"), 200);
        site.check_status(&format!("GET {path}\nif-match: \"x\""), 412);
        let past = "Sun, 06 Nov 1994 08:49:37 GMT";
        site.check_status(&format!("GET {path}\nif-unmodified-since: {past}"), 412);
        site.check_status(&format!("GET {path}\nif-modified-since: {past}"), 200);
    }
}

#[test]
fn conditions_do_not_hide_that_there_is_nothing() {
    let site = Site::of(&[("folder/x", "")]);
    site.check_status("GET /missing\nif-none-match: *", 404);
    site.check_status("GET /missing\nif-match: \"x\"", 404);
    site.check_status("GET /folder\nif-none-match: *", 301);
}

#[test]
fn a_big_file_that_was_just_written_has_a_weak_tag() {
    let site = Site::with(&[("big.bin", &prose(70_000))], |options| {
        // By this clock nothing has been left alone yet.
        options.clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    });
    let got = site.get("/big.bin");
    assert!(got.field("etag").starts_with("W/\""), "{got:?}");
    assert_eq!(got.field("last-modified"), "", "a date in the future");
    let tag = got.field("etag");
    site.check_status(&format!("GET /big.bin\nrange: bytes=0-1\nif-range: {tag}"), 200);
}
