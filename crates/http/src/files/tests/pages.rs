//! Error pages, and options that cannot be had.

use super::*;

#[test]
fn a_site_has_its_own_error_pages() {
    let site =
        Site::with(&[("404.html", "<p>lost</p>"), ("405.txt", "no"), ("a", "a")], |options| {
            options.error_pages = [
                (StatusCode::NOT_FOUND, "/404.html".to_owned()),
                (StatusCode::METHOD_NOT_ALLOWED, "405.txt".to_owned()),
            ]
            .into();
        });
    for path in ["/missing", "/.hidden"] {
        let got = site.check_status(&format!("GET {path}\nrange: bytes=0-0\nif-match: \"x\""), 404);
        assert_eq!(got.text(), "<p>lost</p>");
        assert_eq!(got.field("content-type"), "text/html; charset=utf-8");
        assert_eq!(got.field("etag"), "");
    }
    let got = site.check_status("POST /a", 405);
    assert_eq!((got.text().as_str(), got.field("allow")), ("no", "GET, HEAD, OPTIONS"));
    let got = site.check_status("HEAD /missing", 404);
    assert_eq!((got.field("content-length"), got.body.len()), ("11", 0));
    // A page that is gone is no reason for another error.
    fs::remove_file(site.path("404.html")).unwrap();
    site.check("/missing", 404, "404 Not Found\nThere is nothing at this address.\n");
}

#[test]
fn errors_tell_nothing_of_the_inside() {
    let site = Site::of(&[("a/b", "")]);
    for request in ["GET /missing", "GET /a/", "POST /a", "GET /%zz", "GET /a/b\nif-match: \"x\""] {
        let got = site.ask(&format!("{request}\naccept: text/html"));
        assert!((400..500).contains(&got.status));
        let folder = site.folder.path().to_str().unwrap();
        assert!(!got.text().contains(folder), "{}", got.text());
        assert_eq!(got.field("x-content-type-options"), "nosniff");
        assert!(got.field("content-security-policy").starts_with("default-src 'none'"));
    }
}

#[test]
fn options_that_cannot_be_had_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    write(&path.join("file"), "");
    let check = |expect: &str, change: &dyn Fn(&mut Options)| {
        let mut options = Options::of(Root::Folder(path.clone()), now);
        change(&mut options);
        let error = Files::open(options).unwrap_err().to_string();
        assert_eq!(error.replace(path.to_str().unwrap(), "ROOT"), expect);
    };
    check("no folder at \"ROOT/missing\"", &|options| {
        options.root = Root::Folder(path.join("missing"));
    });
    check("not a folder: \"ROOT/file\": expected a folder", &|options| {
        options.root = Root::Folder(path.join("file"));
    });
    check("bad pattern \"{\": a brace is not closed: expected a glob", &|options| {
        options.cache_control = vec![("{".to_owned(), HeaderValue::from_static("x"))];
    });
    check("bad index \"a/b\": expected the name of a file, without slashes", &|options| {
        options.index = vec!["a/b".to_owned()];
    });
    check(
        "no readable file \"app.html\" below the root, for the fallback: expected one",
        &|options| {
            options.fallback = Some("/app.html".to_owned());
        },
    );
    let purpose = "no readable file \"../x\" below the root, for the error page for 404 Not Found: expected one";
    check(purpose, &|options| {
        options.error_pages = [(StatusCode::NOT_FOUND, "../x".to_owned())].into();
    });
}
