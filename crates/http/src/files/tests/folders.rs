//! Folders: redirects, indexes, listings, the fallback; and a root that goes away.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const BROWSER: &str = "accept: text/html,application/xhtml+xml,*/*;q=0.8";

#[test]
fn a_folder_without_a_slash_is_redirected() {
    let site = Site::of(&[("a b/index.html", "home"), ("c\\d/x", ""), ("evil.example/x", "")]);
    let location = |path: &str| {
        let got = site.check_status(&format!("GET {path}"), 301);
        got.field("location").to_owned()
    };
    assert_eq!(location("/a%20b"), "/a%20b/");
    assert_eq!(location("/a%20b?x=1&y=%2F"), "/a%20b/?x=1&y=%2F");
    assert_eq!(location("/./a%20b"), "/a%20b/");
    assert_eq!(location("//evil.example"), "/evil.example/");
    assert_eq!(location("/evil.example/%2e%2e/evil.example"), "/evil.example/");
}

#[test]
fn the_first_index_counts() {
    let site = Site::with(
        &[("a/one.html", "a1"), ("a/two.html", "a2"), ("b/two.html", "b2"), ("c/one.html/", "")],
        |options| options.index = vec!["one.html".to_owned(), "two.html".to_owned()],
    );
    site.check("/a/", 200, "a1");
    site.check("/b/", 200, "b2");
    site.check_status("GET /c/", 403);
    // What was the second is no more, once there is a first.
    site.check("/b/", 200, "b2");
    site.write("b/one.html", "b1");
    site.check("/b/", 200, "b1");
    fs::remove_file(site.path("b/one.html")).unwrap();
    site.check("/b/", 200, "b2");
}

#[test]
fn without_an_index_a_folder_is_denied() {
    let site = Site::of(&[("a/b.txt", "b")]);
    site.check_status("GET /a/", 403);
    site.check_status("GET /", 403);
    site.check_status("GET /b/", 404);
}

#[test]
fn a_folder_is_listed() {
    let site = Site::with(
        &[("f/b.txt", "bb"), ("f/a/", ""), ("f/.hidden", "x"), ("f/<b>.txt", "")],
        |options| options.listing = Listing::On,
    );
    site.link("../../outside", "f/outside");
    site.link("b.txt", "f/inside");
    let got = site.check_status(&format!("GET /f/?sort=size\n{BROWSER}"), 200);
    let text = got.text();
    let at = |name: &str| text.find(name).unwrap_or_else(|| panic!("no {name}: {text}"));
    assert!(at("./a/") < at("./b.txt") && at("./b.txt") > at("%3Cb%3E.txt"));
    assert!(text.contains("./inside"));
    assert!(!text.contains("hidden") && !text.contains("outside") && !text.contains("<b>.txt"));
    assert!(got.field("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(got.field("x-content-type-options"), "nosniff");
    assert_eq!(got.field("vary"), "accept");
    let head = site.check_status(&format!("HEAD /f/?sort=size\n{BROWSER}"), 200);
    assert_eq!((head.field("content-length"), head.body.len()), (got.field("content-length"), 0));
}

#[test]
fn a_folder_is_listed_as_json() {
    let site = Site::with(&[("f/b.txt", "bb")], |options| options.listing = Listing::On);
    let got = site.check_status("GET /f/\naccept: application/json", 200);
    assert_eq!(got.field("content-type"), "application/json");
    let expect = "{\"path\":\"/f/\",\"cut\":false,\"entries\":[\n{\"name\":\"b.txt\",\
                  \"href\":\"./b.txt\",\"kind\":\"file\",\"bytes\":2,\"modified\":\"2";
    assert!(got.text().starts_with(expect), "{}", got.text());
}

#[test]
fn a_listing_is_cut() {
    let site = Site::with(&[("a", ""), ("b", ""), ("c", "")], |options| {
        options.listing = Listing::On;
        options.limits.listing_entries_max = 2;
    });
    let got = site.check_status("GET /\naccept: application/json", 200);
    assert!(got.text().contains("\"cut\":true"), "{}", got.text());
    assert_eq!(got.text().matches("\"name\"").count(), 2);
}

#[test]
fn unknown_paths_fall_back() {
    let site = Site::with(&[("app.html", "app"), ("a.js", "js"), ("f/x", "")], |options| {
        options.fallback = Some("/app.html".to_owned());
    });
    site.check(
        "/",
        403,
        "403 Forbidden\nThis folder has no index page, and folders are not listed here.\n",
    );
    site.check("/a/b/c", 200, "app");
    site.check("/a/b/c/", 200, "app");
    site.check("/a.js", 200, "js");
    assert_eq!(site.get("/a/b/c").head.get_all("vary").iter().count(), 2);
    site.check_status("GET /missing.js", 404);
    site.check_status("GET /.env", 404);
    site.check_status("GET /a/b\naccept: application/json", 404);
    site.check_status("POST /a/b", 405);
    let got = site.check_status(&format!("GET /v1.2\n{BROWSER}"), 200);
    assert_eq!(
        (got.text().as_str(), got.field("content-type")),
        ("app", "text/html; charset=utf-8")
    );
    // What comes to be there is served, and not the fallback.
    site.write("a/b/c", "there");
    site.check("/a/b/c", 200, "there");
}

/// Or a cache gives the one to who is to have the other.
#[test]
fn where_some_get_the_fallback_the_page_for_the_others_varies_like_it() {
    let tree = [("app.html", "app"), ("404.html", "none")];
    let pages = |options: &mut Options| {
        options.error_pages.insert(StatusCode::NOT_FOUND, "/404.html".to_owned());
    };
    let site = Site::with(&tree, |options| {
        options.fallback = Some("/app.html".to_owned());
        pages(options);
    });
    for path in ["/x", "/x.png"] {
        let got = site.check_status(&format!("GET {path}\n{BROWSER}"), 200);
        assert!(got.head.get_all("vary").iter().any(|value| value == "accept"), "{got:?}");
        let got = site.check_status(&format!("GET {path}\naccept: application/json"), 404);
        assert_eq!((got.text().as_str(), got.field("vary")), ("none", "accept"));
    }
    let site = Site::with(&tree, pages);
    assert_eq!(site.check_status("GET /x", 404).field("vary"), "");
}

#[test]
fn a_root_that_goes_and_comes_back_is_noticed() {
    let site = Site::with(&[("a.txt", "old")], |options| {
        options.limits.renew_after = Duration::ZERO;
    });
    site.check("/a.txt", 200, "old");
    let (root, aside) = (site.root(), site.folder.path().join("aside"));
    fs::rename(&root, &aside).unwrap();
    let got = site.check_status("GET /a.txt", 503);
    assert_eq!(got.field("retry-after"), "1");
    write(&root.join("a.txt"), "new");
    site.check("/a.txt", 200, "new");
    // Swapped in one step.
    let flags = rustix::fs::RenameFlags::EXCHANGE;
    rustix::fs::renameat_with(rustix::fs::CWD, &root, rustix::fs::CWD, &aside, flags).unwrap();
    site.check("/a.txt", 200, "old");
}

#[test]
fn what_is_the_servers_own_is_found_anew_where_a_link_leads_to_another_root() {
    let folder = tempfile::tempdir().unwrap();
    for release in ["1", "2"] {
        let release = folder.path().join(release);
        write(&release.join("users"), "secret");
        write(&release.join("a.txt"), "a");
    }
    let root = folder.path().join("root");
    std::os::unix::fs::symlink("1", &root).unwrap();
    let mut options = Options::of(Root::Folder(root.clone()), later);
    options.limits.renew_after = Duration::ZERO;
    options.listing = Listing::On;
    let users = root.join("users");
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let own = move || vec![users.canonicalize().unwrap()];
    options.own_files = OwnFiles::asked(own(), move || {
        counted.fetch_add(1, Ordering::Relaxed);
        own()
    });
    let site = Site::serve(folder, options);
    let check = || {
        site.check_status("GET /users", 404);
        site.check("/a.txt", 200, "a");
        let listed = site.check_status("GET /\naccept: application/json", 200);
        assert!(!listed.text().contains("users"), "{}", listed.text());
    };
    check();
    // What was found at the start is not asked for again for each root.
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    fs::remove_file(&root).unwrap();
    std::os::unix::fs::symlink("2", &root).unwrap();
    check();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
