//! Which paths are files, and which are nothing.

use std::os::unix::{fs::symlink, net::UnixListener};

use super::*;

const TREE: &[(&str, &str)] = &[
    ("a.txt", "a"),
    ("b c.txt", "b c"),
    ("folder/in.txt", "in"),
    (".hidden", "secret"),
    (".git/config", "secret"),
    ("folder/.env", "secret"),
    (".well-known/security.txt", "contact"),
    (".well-known/.secret", "secret"),
    ("index.html", "home"),
    ("folder/deep/index.html", "deep"),
];

#[test]
fn files_are_served() {
    let site = Site::of(TREE);
    site.check("/a.txt", 200, "a");
    site.check("/b%20c.txt", 200, "b c");
    site.check("/folder/in.txt", 200, "in");
    site.check("/", 200, "home");
    site.check("/folder/deep/", 200, "deep");
    site.check("/folder/./deep/../in.txt", 200, "in");
    site.check("//folder//in.txt", 200, "in");
    site.check("/a.txt?query=/../x", 200, "a");
}

#[test]
fn the_root_is_the_root() {
    let site = Site::of(TREE);
    write(&site.folder.path().join("secret.txt"), "secret");
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E/secret.txt",
        "/.%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/%252e%252e/secret.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/folder/../../secret.txt",
        "/folder/%2e%2e/%2e%2e/secret.txt",
        "/folder/..;/..;/secret.txt",
        "/....//secret.txt",
        "/a.txt/../../secret.txt",
        "/%00/../secret.txt",
        "/a.txt%00.html",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/proc/self/root/etc/passwd",
    ] {
        let got = site.get(path);
        assert!(matches!(got.status, 400 | 404), "for {path:?}: {got:?}");
        assert!(!got.text().contains("secret"), "for {path:?}: {got:?}");
    }
}

#[test]
fn names_that_start_with_a_dot_are_hidden() {
    let site = Site::of(TREE);
    for path in [
        "/.hidden",
        "/%2ehidden",
        "/.git/config",
        "/.git/",
        "/.git",
        "/folder/.env",
        "/folder/%2Eenv",
        "/.well-known/.secret",
        "/folder/../.hidden",
    ] {
        site.check(path, 404, "404 Not Found\nThere is nothing at this address.\n");
    }
    site.check("/.well-known/security.txt", 200, "contact");
    let shown = Site::with(TREE, |options| options.dotfiles = Dotfiles::Shown);
    shown.check("/.hidden", 200, "secret");
    shown.check("/folder/.env", 200, "secret");
}

#[test]
fn what_is_withheld_is_not_there_by_whatever_path_and_in_no_list() {
    let tree = [("users", "secret"), ("log.1", "old"), ("data/ca/key", "secret"), ("data/a", "a")];
    let older = [("log.2.gz", "old"), ("log-20261123", "old")];
    let site = Site::with(&[&tree[..], &older, &[("users.html", "page")]].concat(), |options| {
        let Root::Folder(root) = &options.root else { unreachable!("made so") };
        let root = root.canonicalize().unwrap();
        symlink("users", root.join("link")).unwrap();
        symlink("data/ca", root.join("folder")).unwrap();
        let own = ["users", "log", "data/ca"].map(|name| root.join(name));
        options.own_files = OwnFiles::asked(own.to_vec(), move || own.to_vec());
        options.listing = Listing::On;
        options.dotfiles = Dotfiles::Shown;
    });
    // One that was not there when it was said.
    fs::write(site.root().join("log"), "line").unwrap();
    let hidden = ["/users", "/%75sers", "/data/../users", "/link", "/data/ca", "/data/ca/"];
    let logs = ["/log", "/log.1", "/log.2.gz", "/log-20261123"];
    let linked = ["/data/ca/key", "/folder", "/folder/key"];
    for path in [&hidden[..], &logs, &linked].concat() {
        site.check(path, 404, "404 Not Found\nThere is nothing at this address.\n");
    }
    site.check("/users.html", 200, "page");
    site.check("/data/a", 200, "a");
    let listed = site.get("/").body;
    let listed = String::from_utf8(listed).unwrap();
    assert!(listed.contains("users.html") && listed.contains("data/"), "{listed}");
    for name in ["users\"", "link", "log", "folder"] {
        assert!(!listed.contains(&format!("href=\"{name}")), "{name} in {listed}");
    }
}

#[test]
fn a_file_is_no_folder() {
    let site = Site::of(TREE);
    site.check_status("GET /a.txt/", 404);
    site.check_status("GET /a.txt/b", 404);
    site.check_status("GET /a.txt/.", 404);
}

#[test]
fn what_is_no_regular_file_is_nothing() {
    let site = Site::of(TREE);
    let fifo = site.path("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let _socket = UnixListener::bind(site.path("socket")).unwrap();
    site.check_status("GET /fifo", 404);
    site.check_status("GET /socket", 404);
    site.check_status("GET /missing", 404);
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    use rustix::fs::{CWD, FileType, Mode, inotify};
    for resolver in [beneath::Resolver::Kernel, beneath::Resolver::Walk] {
        let mut site = Site::of(TREE);
        let tree = Arc::get_mut(&mut site.files.tree);
        let Some(Tree::Folder(folder)) = tree else { panic!("a folder") };
        folder.resolve_by(resolver);
        for name in ["fifo", "a.txt.gz"] {
            rustix::fs::mknodat(CWD, site.path(name), FileType::Fifo, Mode::RWXU, 0).unwrap();
        }
        let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
        let watch = inotify::init(flags).unwrap();
        for name in ["fifo", "a.txt.gz"] {
            inotify::add_watch(&watch, site.path(name), inotify::WatchFlags::OPEN).unwrap();
        }
        site.check_status("GET /fifo", 404);
        site.check_status("GET /fifo/", 404);
        site.check_status("GET /a.txt\nAccept-Encoding: gzip", 200);
        let opened = rustix::io::read(&watch, &mut [0; 256]);
        assert_eq!(opened, Err(rustix::io::Errno::AGAIN), "by {resolver:?}");
    }
}

#[test]
fn a_device_is_nothing() {
    let device = Site::with(&[], |options| options.root = Root::Folder("/dev".into()));
    device.check_status("GET /null", 404);
    device.check_status("GET /zero", 404);
}

#[test]
fn paths_that_are_too_long_are_nothing() {
    let site = Site::of(TREE);
    site.check_status(&format!("GET /{}", "a".repeat(256)), 404);
    site.check_status(&format!("GET /{}a", "a/".repeat(4000)), 404);
}

#[test]
fn deep_paths_are_served() {
    let deep = format!("{}end.txt", "d/".repeat(200));
    let site = Site::of(&[(deep.as_str(), "deep")]);
    site.check(&format!("/{deep}"), 200, "deep");
    site.check(&format!("/{deep}"), 200, "deep");
}

#[test]
fn names_that_are_not_utf8_are_served() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let site = Site::of(TREE);
    fs::write(site.root().join(OsStr::from_bytes(b"\xff.txt")), "bytes").unwrap();
    site.check("/%FF.txt", 200, "bytes");
}

#[test]
fn files_are_read_and_nothing_else() {
    let site = Site::of(TREE);
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT-ISH"] {
        let got = site.check_status(&format!("{method} /a.txt"), 405);
        assert_eq!(got.field("allow"), "GET, HEAD, OPTIONS");
    }
    for path in ["/a.txt", "/missing", "*"] {
        let got = site.check_status(&format!("OPTIONS {path}"), 204);
        assert_eq!(got.field("allow"), "GET, HEAD, OPTIONS");
    }
    let got = site.check_status("HEAD /a.txt", 200);
    assert_eq!((got.field("content-length"), got.body.len()), ("1", 0));
}

#[test]
fn walking_by_name_serves_the_same_but_no_links() {
    let mut site = Site::of(TREE);
    let Some(Tree::Folder(folder)) = Arc::get_mut(&mut site.files.tree) else { panic!("a folder") };
    folder.resolve_by(beneath::Resolver::Walk);
    site.link("a.txt", "link.txt");
    site.link("folder", "linked");
    site.check("/a.txt", 200, "a");
    site.check("/folder/in.txt", 200, "in");
    site.check("/folder/deep/", 200, "deep");
    site.check("/", 200, "home");
    site.check_status("GET /folder", 301);
    site.check_status("GET /link.txt", 404);
    site.check_status("GET /linked/in.txt", 404);
    site.check_status("GET /missing", 404);
}

#[test]
fn what_may_not_be_read_is_denied() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::of(&[("closed.txt", "closed"), ("entered/index.html", "home")]);
    let forbid = |path: &str, mode| {
        fs::set_permissions(site.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    forbid("closed.txt", 0);
    forbid("entered", 0o111);
    site.check("/entered/", 200, "home");
    site.check_status("GET /entered", 301);
    if fs::File::open(site.path("closed.txt")).is_ok() {
        // Root may read everything; what EACCES becomes is tested by `refusal`'s table.
        return;
    }
    site.check_status("GET /closed.txt", 403);
}
