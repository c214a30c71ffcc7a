//! Coded forms: sidecars, and what we code ourselves.

use relais_wire::accept::Coding;
use sha2::{Digest, Sha256};

use super::{super::pack::unpack, *};

#[test]
fn text_is_coded_as_is_most_welcome() {
    let text = prose(5000);
    let site = Site::of(&[("a.txt", &text), ("a.png", &text), ("small.txt", "small")]);
    let identity = site.get("/a.txt");
    let mut tags = vec![identity.field("etag").to_owned()];
    for (accept, coding) in [
        ("gzip", Coding::Gzip),
        ("gzip, br", Coding::Br),
        ("gzip, deflate, br, zstd", Coding::Zstd),
        ("zstd;q=0.5, gzip", Coding::Gzip),
    ] {
        for from in [From::Memory, From::AtOnce] {
            let got = site.check_status(&format!("GET /a.txt\naccept-encoding: {accept}"), 200);
            assert_eq!(got.field("content-encoding"), coding.as_str());
            assert_eq!(got.field("vary"), "accept-encoding");
            assert_eq!(got.field("content-length"), got.body.len().to_string());
            assert_eq!(unpack(&got.body, coding), text.as_bytes());
            assert!(got.field("etag").ends_with(&format!("-{}\"", coding.as_str())));
            assert!(got.from == from || accept.contains("0.5"), "{accept}: {got:?}");
            tags.push(got.field("etag").to_owned());
        }
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4);
    for path in ["/a.png", "/small.txt"] {
        let got = site.check_status(&format!("GET {path}\naccept-encoding: br"), 200);
        assert_eq!(got.field("content-encoding"), "");
    }
    assert_eq!(site.get("/small.txt").field("vary"), "accept-encoding");
}

#[test]
fn parts_and_conditions_are_of_the_coded_form() {
    let site = Site::of(&[("a.txt", &prose(5000))]);
    let whole = site.ask("GET /a.txt\naccept-encoding: br");
    let tag = whole.field("etag");
    let got = site.check_status("GET /a.txt\naccept-encoding: br\nrange: bytes=2-5", 206);
    assert_eq!(got.body, whole.body[2..6]);
    assert_eq!(got.field("content-range"), format!("bytes 2-5/{}", whole.body.len()));
    site.check_status(&format!("GET /a.txt\naccept-encoding: br\nif-none-match: {tag}"), 304);
    site.check_status(&format!("GET /a.txt\nif-none-match: {tag}"), 200);
}

#[test]
fn nothing_acceptable_is_told() {
    let site = Site::of(&[("a.txt", &prose(5000)), ("a.png", "image")]);
    site.check_status("GET /a.txt\naccept-encoding: identity;q=0", 406);
    site.check_status("GET /a.txt\naccept-encoding: *;q=0", 406);
    site.check_status("GET /a.txt\naccept-encoding: br, identity;q=0", 200);
    site.check_status("GET /a.png\naccept-encoding: br, *;q=0", 406);
    site.check_status("GET /a.png\naccept-encoding: br", 200);
    site.check_status("GET /a.png\naccept-encoding: deflate", 200);
}

#[test]
fn who_finds_nothing_acceptable_is_told_what_that_depends_on() {
    let text = prose(5000);
    let files = [("a.txt", &*text), ("none.html", "nothing")];
    let own = Site::with(&files, |options| {
        options.error_pages = [(StatusCode::NOT_ACCEPTABLE, "/none.html".to_owned())].into();
    });
    for (site, expect) in
        [(Site::of(&files), &["accept", "accept-encoding"][..]), (own, &["accept-encoding"])]
    {
        let got = site.check_status("GET /a.txt\naccept-encoding: identity;q=0", 406);
        let vary: Vec<_> = got.head.get_all("vary").iter().collect();
        assert_eq!(vary, expect);
    }
}

#[test]
fn a_sidecar_is_sent() {
    let site = Site::of(&[("a.js", &prose(5000)), ("a.js.gz", "packed"), ("a.js.br", "Packed")]);
    for from in [From::Memory, From::AtOnce] {
        let got = site.check_status("GET /a.js\naccept-encoding: gzip", 200);
        assert_eq!((got.text().as_str(), got.field("content-encoding")), ("packed", "gzip"));
        assert_eq!(got.field("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(got.from, from);
    }
    // Of equals what is there already.
    let got = site.check_status("GET /a.js\naccept-encoding: gzip, br, zstd", 200);
    assert_eq!(got.field("content-encoding"), "br");
    let got = site.check_status("GET /a.js.gz", 200);
    assert_eq!(
        (got.field("content-type"), got.field("content-encoding")),
        ("application/gzip", "")
    );
}

#[test]
fn a_sidecar_that_is_older_is_ignored() {
    let site = Site::of(&[("a.js.gz", "packed"), ("a.js", "original")]);
    let old = fs::metadata(site.path("a.js")).unwrap().modified().unwrap() - Duration::from_secs(1);
    fs::File::open(site.path("a.js.gz")).unwrap().set_modified(old).unwrap();
    let got = site.check_status("GET /a.js\naccept-encoding: gzip", 200);
    assert_eq!((got.text().as_str(), got.field("content-encoding")), ("original", ""));
}

#[test]
fn a_sidecar_that_changes_or_goes_is_noticed() {
    let site = Site::of(&[("a.js", "original"), ("a.js.gz", "packed")]);
    let ask = || {
        let got = site.check_status("GET /a.js\naccept-encoding: gzip", 200);
        (got.text(), got.field("content-encoding").to_owned())
    };
    let (gzip, none) = ("gzip".to_owned(), String::new());
    assert_eq!(ask(), ("packed".to_owned(), gzip.clone()));
    assert_eq!(ask(), ("packed".to_owned(), gzip.clone()));
    site.write("a.js.gz", "packed anew");
    let (text, coding) = ask();
    assert!(text == "packed anew" || (text == "original" && coding == none), "{text}");
    assert_eq!(ask(), ("packed anew".to_owned(), gzip));
    fs::remove_file(site.path("a.js.gz")).unwrap();
    assert_eq!(ask().0, "original");
    assert_eq!(ask(), ("original".to_owned(), none));
}

#[test]
fn a_sidecar_is_as_safe_as_a_file() {
    let site = Site::of(&[("a.js", "original"), (".secret", "secret")]);
    write(&site.folder.path().join("outside"), "secret");
    site.link("../outside", "a.js.gz");
    site.link(".secret", "a.js.br");
    fs::create_dir(site.path("a.js.zst")).unwrap();
    let got = site.check_status("GET /a.js\naccept-encoding: gzip, br, zstd", 200);
    assert_eq!(got.text(), "original");
}

#[test]
fn big_sidecars_are_sent_from_disk() {
    let packed = prose(100_000);
    let site = Site::of(&[("a.js", "original"), ("a.js.gz", &packed)]);
    for _ in 0..2 {
        let got = site.check_status("GET /a.js\naccept-encoding: gzip", 200);
        assert_eq!((got.text() == packed, got.from), (true, From::Disk));
    }
    site.write("a.js.gz", &prose(200_000));
    let got = site.check_status("GET /a.js\naccept-encoding: gzip", 200);
    assert_eq!(got.field("content-length"), got.body.len().to_string());
}

#[test]
fn coding_can_be_turned_off() {
    let tree: &[(&str, &str)] = &[("a.js", &prose(5000)), ("b.js", "b"), ("b.js.gz", "packed")];
    let off = Site::with(tree, |options| options.compress = Compress::Off);
    for path in ["/a.js", "/b.js"] {
        let got = off.ask(&format!("GET {path}\naccept-encoding: gzip"));
        assert_eq!((got.field("content-encoding"), got.field("vary")), ("", ""));
    }
    let sidecars = Site::with(tree, |options| options.compress = Compress::Sidecars);
    let coding = |path: &str| {
        let got = sidecars.ask(&format!("GET {path}\naccept-encoding: gzip"));
        got.field("content-encoding").to_owned()
    };
    assert_eq!((coding("/a.js").as_str(), coding("/b.js").as_str()), ("", "gzip"));
}

#[test]
fn what_does_not_get_smaller_is_sent_as_it_is() {
    let noise: Vec<_> = (0..20_u8).flat_map(|at| Sha256::digest([at])).collect();
    let site = Site::of(&[]);
    fs::write(site.path("a.txt"), noise).unwrap();
    for from in [From::Memory, From::AtOnce] {
        let got = site.check_status("GET /a.txt\naccept-encoding: zstd", 200);
        assert_eq!((got.field("content-encoding"), got.from), ("", from), "{got:?}");
    }
    site.check_status("GET /a.txt\naccept-encoding: zstd, identity;q=0", 406);
}
