//! Symbolic links: inside they are followed, outside they lead nowhere, whoever swaps them.

use std::thread;

use super::*;

#[test]
fn links_that_stay_inside_are_followed() {
    let site = Site::of(&[("a.txt", "a"), ("folder/b.txt", "b")]);
    site.link("a.txt", "link.txt");
    site.link("../a.txt", "folder/up.txt");
    site.link("folder", "linked");
    for _ in 0..2 {
        site.check("/link.txt", 200, "a");
        site.check("/folder/up.txt", 200, "a");
        site.check("/linked/b.txt", 200, "b");
    }
    assert_ne!(site.get("/link.txt").from, From::AtOnce);
}

#[test]
fn links_that_lead_out_lead_nowhere() {
    let site = Site::of(&[("a.txt", "a")]);
    write(&site.folder.path().join("secret.txt"), "secret");
    site.link("../secret.txt", "relative");
    site.link(site.folder.path().join("secret.txt"), "absolute");
    site.link(site.path("a.txt"), "absolute-inside");
    site.link("..", "up");
    site.link("/proc/self/root/etc/passwd", "magic");
    site.link("loop", "loop");
    for path in
        ["/relative", "/absolute", "/absolute-inside", "/up/secret.txt", "/magic", "/loop", "/up/"]
    {
        site.check_status(&format!("GET {path}"), 404);
    }
}

#[test]
fn links_to_what_is_hidden_lead_nowhere() {
    let site = Site::of(&[(".secret", "secret"), (".git/config", "secret"), ("a/b.txt", "b")]);
    site.link(".secret", "link");
    site.link(".git", "git");
    site.link("../.git/config", "a/config");
    for path in ["/link", "/git/config", "/a/config", "/git/", "/git"] {
        site.check_status(&format!("GET {path}"), 404);
    }
    let shown = Site::with(&[(".secret", "secret")], |options| options.dotfiles = Dotfiles::Shown);
    shown.link(".secret", "link");
    shown.check("/link", 200, "secret");
}

#[test]
fn a_link_that_is_set_anew_is_followed_anew() {
    let site = Site::of(&[("one.txt", "one"), ("two.txt", "two")]);
    site.link("one.txt", "link");
    site.check("/link", 200, "one");
    fs::remove_file(site.path("link")).unwrap();
    site.link("two.txt", "link");
    site.check("/link", 200, "two");
    fs::remove_file(site.path("link")).unwrap();
    site.link("/etc/passwd", "link");
    site.check_status("GET /link", 404);
}

#[test]
fn a_file_that_becomes_a_link_is_not_answered_from_memory() {
    let site = Site::of(&[("a.txt", "a")]);
    write(&site.folder.path().join("secret.txt"), "secret");
    site.check("/a.txt", 200, "a");
    assert_eq!(site.get("/a.txt").from, From::AtOnce);
    fs::remove_file(site.path("a.txt")).unwrap();
    site.link("../secret.txt", "a.txt");
    site.check_status("GET /a.txt", 404);
}

/// Somebody swaps a folder for a link to the outside, and a file for a link, all the time.
#[test]
fn swapping_links_leaks_nothing() {
    let site = Site::of(&[("folder/a.txt", "public"), ("b.txt", "public"), (".env", "hidden")]);
    let outside = site.folder.path().join("outside");
    write(&outside.join("a.txt"), "secret");
    site.link("../outside", "swap-folder");
    site.link("../outside/a.txt", "swap-file");
    site.link(".env", "swap-hidden");
    let swap = |from: &str, to: &str| {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        let (from, to) = (site.path(from), site.path(to));
        rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, flags).unwrap();
    };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                swap("folder", "swap-folder");
                swap("b.txt", "swap-file");
                swap("b.txt", "swap-hidden");
            }
        });
        let _stop = Stop(&done);
        for _ in 0..3000 {
            for path in ["/folder/a.txt", "/b.txt", "/swap-folder/a.txt", "/swap-file"] {
                let got = site.get(path);
                let text = got.text();
                let fine = match got.status {
                    200 => text == "public",
                    404 | 503 => true,
                    _ => false,
                };
                assert!(fine && !text.contains("secret"), "{path}: {got:?}");
            }
        }
    });
}
