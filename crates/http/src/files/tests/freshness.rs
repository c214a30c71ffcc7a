//! What changed is never answered as it was.

use std::thread;

use relais_wire::accept::Coding;

use super::*;

#[test]
fn a_small_file_is_answered_from_memory() {
    let site = Site::of(&[("a.txt", "a"), ("f/index.html", "home"), ("big.bin", &prose(70_000))]);
    for path in ["/a.txt", "/f/index.html", "/f/"] {
        assert_eq!(site.get(path).from, From::Memory, "{path}");
        assert_eq!(site.get(path).from, From::AtOnce, "{path}");
    }
    for _ in 0..2 {
        assert_eq!(site.get("/big.bin").from, From::Disk);
    }
}

#[test]
fn a_file_that_is_overwritten_is_read_anew() {
    let site = Site::of(&[("a.txt", "0"), ("big.txt", &prose(70_000)), ("index.html", "0")]);
    for round in 1..200 {
        let text = format!("{round}");
        site.write("a.txt", &text);
        site.check("/a.txt", 200, &text);
        site.write("index.html", &text);
        site.check("/", 200, &text);
    }
    site.write("big.txt", &prose(90_000));
    let got = site.ask("GET /big.txt\naccept-encoding: identity");
    assert_eq!(got.text(), prose(90_000));
}

/// With the clock that files have, too: what was just written is not trusted.
#[test]
fn a_file_that_is_overwritten_at_once_with_as_many_bytes_is_read_anew() {
    let site = Site::with(&[("a.txt", "000")], |options| options.clock = now);
    for round in 100..400 {
        let text = format!("{round}");
        site.write("a.txt", &text);
        site.check("/a.txt", 200, &text);
    }
}

#[test]
fn what_was_just_written_is_kept_under_no_stamp() {
    let site = Site::with(&[("a.txt", "a"), ("b.txt", &prose(5000))], |options| {
        // By this clock nothing has been left alone yet.
        options.clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    });
    for _ in 0..2 {
        assert_eq!(site.get("/a.txt").from, From::Memory);
        let got = site.ask("GET /b.txt\naccept-encoding: br");
        assert_eq!((got.from, got.field("content-encoding")), (From::Memory, ""));
    }
}

#[test]
fn a_file_that_is_replaced_is_read_anew() {
    let site = Site::of(&[("a.txt", "0")]);
    for round in 1..200 {
        let text = format!("{round}");
        site.write("new", &text);
        fs::rename(site.path("new"), site.path("a.txt")).unwrap();
        site.check("/a.txt", 200, &text);
        assert_eq!(site.get("/a.txt").from, From::AtOnce);
    }
    fs::remove_file(site.path("a.txt")).unwrap();
    site.check_status("GET /a.txt", 404);
    fs::create_dir(site.path("a.txt")).unwrap();
    site.check_status("GET /a.txt", 301);
}

#[test]
fn what_is_coded_is_of_the_file_as_it_is() {
    let site = Site::of(&[("a.txt", "")]);
    for round in 1..20 {
        let text = prose(300 * round);
        site.write("a.txt", &text);
        for _ in 0..2 {
            let got = site.ask("GET /a.txt\naccept-encoding: gzip");
            let plain = pack::unpack(&got.body, Coding::Gzip);
            assert_eq!(plain, text.as_bytes());
        }
    }
}

#[test]
fn a_file_whose_date_is_set_back_is_read_anew() {
    let site = Site::of(&[("a.txt", "one")]);
    let before = fs::metadata(site.path("a.txt")).unwrap().modified().unwrap();
    site.check("/a.txt", 200, "one");
    site.write("a.txt", "two");
    fs::File::open(site.path("a.txt")).unwrap().set_modified(before).unwrap();
    site.check("/a.txt", 200, "two");
}

#[test]
fn a_new_sidecar_is_noticed_in_time() {
    let site = Site::with(&[("a.js", "original")], |options| {
        options.limits.renew_after = Duration::ZERO;
    });
    site.check_status("GET /a.js\naccept-encoding: br", 200);
    site.write("a.js.br", "packed");
    let got = site.check_status("GET /a.js\naccept-encoding: br", 200);
    assert_eq!(got.text(), "packed");
}

/// Somebody overwrites a file all the time: no answer has parts of two states.
#[test]
fn an_answer_is_of_one_state() {
    let state = |letter: &str| letter.repeat(30_000);
    let site = Site::of(&[("a.txt", &state("a"))]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for letter in ["b", "c", "d", "e"].iter().cycle() {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                site.write("new", &state(letter));
                fs::rename(site.path("new"), site.path("a.txt")).unwrap();
            }
        });
        let _stop = Stop(&done);
        for _ in 0..1000 {
            let got = site.get("/a.txt");
            let first = got.body[0];
            assert_eq!((got.status, got.body.len()), (200, 30_000));
            assert!(got.body.iter().all(|&byte| byte == first));
        }
    });
}

#[test]
fn a_file_that_changes_while_it_is_read_is_read_again() {
    let site = Site::of(&[("a.txt", "first")]);
    for text in ["longer than the first", "short", "", "other"] {
        let mut source = site.files.tree.open_file(b"a.txt", later()).unwrap();
        site.write("a.txt", text);
        let read = site.files.read_small(b"a.txt", &mut source, Coding::Identity, later());
        let (kept, _) = read.unwrap();
        assert!(matches!(kept, Kept::Memory(body) if body.bytes() == text));
        assert_eq!(source.stamp.len, text.len() as u64);
    }
}
