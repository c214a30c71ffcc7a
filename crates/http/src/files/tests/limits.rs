//! Every limit is reached.

use std::task::Poll;

use relais_net::Client;
use relais_wire::accept::Coding;

use super::*;

#[test]
fn memory_is_bounded() {
    let text = prose(50_000);
    let names: Vec<_> = (0..100).map(|at| format!("{at}.bin")).collect();
    let tree: Vec<_> = names.iter().map(|name| (name.as_str(), text.as_str())).collect();
    let site = Site::with(&tree, |options| options.limits.hot_bytes_max = 1 << 20);
    for name in &names {
        site.check(&format!("/{name}"), 200, &text);
    }
    let kept = site.files.hot.bytes();
    assert!((1 << 19..=3 << 18).contains(&kept), "{kept}");
}

#[test]
fn files_above_a_size_are_not_kept() {
    let site = Site::with(&[("a.bin", "1234"), ("b.bin", "12345")], |options| {
        options.limits.hot_file_bytes_max = 4;
    });
    for path in ["/a.bin", "/b.bin"] {
        site.get(path);
    }
    assert_eq!(site.get("/a.bin").from, From::AtOnce);
    assert_eq!(site.get("/b.bin").from, From::Disk);
}

#[test]
fn files_of_other_sizes_are_not_coded() {
    let texts = [prose(300), prose(600), prose(900)];
    let tree = [("s.txt", &*texts[0]), ("m.txt", &texts[1]), ("l.txt", &texts[2])];
    let site = Site::with(&tree, |options| {
        options.limits.compress_bytes_min = texts[1].len() as u64;
        options.limits.compress_bytes_max = texts[1].len() as u64;
    });
    let coding = |path: &str| {
        let got = site.ask(&format!("GET {path}\naccept-encoding: gzip"));
        got.field("content-encoding").to_owned()
    };
    assert_eq!([coding("/s.txt"), coding("/m.txt"), coding("/l.txt")], ["", "gzip", ""]);
}

#[test]
fn big_files_are_coded_up_to_a_size() {
    let text = prose(1 << 20);
    let site = Site::of(&[("a.txt", &text)]);
    for from in [From::Memory, From::AtOnce] {
        let got = site.ask("GET /a.txt\naccept-encoding: gzip");
        assert_eq!(got.from, from);
        assert_eq!(pack::unpack(&got.body, Coding::Gzip), text.as_bytes());
    }
}

#[test]
fn who_would_wait_too_long_gets_the_file_as_it_is() {
    let texts: Vec<_> = (0..40).map(|at| format!("{at}{}", prose(60_000))).collect();
    let names: Vec<_> = (0..40).map(|at| format!("{at}.txt")).collect();
    let tree: Vec<_> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let site = Site::with(&tree, |options| {
        options.limits.compress_waiting_max = 1;
        options.limits.compress_threads = 1;
        options.compress = Compress::On(Levels { br: 11, ..Levels::default() });
    });
    let codings = site.runtime.block_on(async {
        let requests: Vec<_> =
            names.iter().map(|name| format!("GET /{name}\naccept-encoding: br")).collect();
        let mut waiting: Vec<_> =
            requests.iter().map(|request| Box::pin(site.ask_async(request))).collect();
        let mut codings = Vec::new();
        // All of them are begun before any is waited for.
        for pending in &mut waiting {
            let begun = poll_fn(|cx| Poll::Ready(pending.as_mut().poll(cx))).await;
            if let Poll::Ready(got) = begun {
                codings.push(got.field("content-encoding").to_owned());
            }
        }
        codings
    });
    let as_it_is = codings.iter().filter(|coding| coding.is_empty()).count();
    assert!(as_it_is > 20, "{codings:?}");
}

#[test]
fn a_file_is_coded_once_for_all_who_wait() {
    let text = prose(100_000);
    let site = Site::with(&[("a.txt", &text)], |options| {
        options.limits.compress_waiting_max = 1;
        options.limits.compress_threads = 1;
    });
    site.runtime.block_on(async {
        let request = "GET /a.txt\naccept-encoding: br";
        let mut waiting: Vec<_> = (0..20).map(|_| Box::pin(site.ask_async(request))).collect();
        for pending in &mut waiting {
            let begun = poll_fn(|cx| Poll::Ready(pending.as_mut().poll(cx))).await;
            assert!(
                begun.is_pending()
                    || matches!(begun, Poll::Ready(got) if got.field("content-encoding") == "br")
            );
        }
    });
    let got = site.ask("GET /a.txt\naccept-encoding: br");
    assert_eq!(got.field("content-encoding"), "br");
}

/// Runs itself anew in a process that may open few files, which all other tests are not.
#[test]
fn without_descriptors_what_is_in_memory_is_answered_and_the_rest_refused() {
    const FEW: &str = "RELAIS_TEST_OF_FEW_DESCRIPTORS";
    const NAME: &str = "without_descriptors_what_is_in_memory_is_answered_and_the_rest_refused";
    if std::env::var_os(FEW).is_some() {
        return use_up_descriptors();
    }
    let itself = std::env::current_exe().unwrap();
    let status = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" --exact \"$1\""])
        .arg(itself)
        .arg(format!("files::tests::limits::{NAME}"))
        .env(FEW, "1")
        .status();
    assert!(status.unwrap().success());
}

fn use_up_descriptors() {
    let site = Site::of(&[("kept.txt", "kept"), ("other.txt", "other")]);
    site.check("/kept.txt", 200, "kept");
    let used: Vec<_> = std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect();
    assert!(used.len() < 64);
    for _ in 0..3 {
        assert_eq!(site.get("/kept.txt").from, From::AtOnce);
        let got = site.check_status("GET /other.txt", 503);
        assert_eq!(got.field("retry-after"), "1");
    }
    drop(used);
    site.check("/other.txt", 200, "other");
}

#[test]
fn so_many_big_files_are_open_at_once_and_small_ones_need_no_place() {
    let tree = [("a.bin", "12345"), ("b.bin", "23456"), ("c.bin", "34567"), ("small", "1")];
    let site = Site::with(&tree, |options| {
        options.limits.hot_file_bytes_max = 4;
        options.limits.renew_after = Duration::ZERO;
        options.open_files = OpenFiles::at_most(2);
    });
    let answer = |path| site.runtime.block_on(site.files.answer(ask(&format!("GET {path}"))));
    let sending = ["/a.bin", "/b.bin"].map(|path| answer(path).unwrap());
    let got = site.check_status("GET /c.bin", 503);
    assert_eq!(got.field("retry-after"), "1");
    site.check("/small", 200, "1");
    drop(sending);
    // What is lent is given back when its time, none, is over.
    while site.get("/c.bin").status == 503 {
        site.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
    }
    site.check("/c.bin", 200, "34567");
}

#[test]
fn one_client_does_not_take_every_place_of_big_files_and_what_is_open_is_sent_to_all() {
    let names = ["a.bin", "b.bin", "c.bin", "d.bin", "e.bin"];
    let site = Site::with(&names.map(|name| (name, "12345")), |options| {
        options.limits.hot_file_bytes_max = 4;
        options.limits.renew_after = Duration::ZERO;
        options.open_files = OpenFiles::at_most(4);
    });
    let get = |client, name: &str| {
        let ask = ask_from(client, &format!("GET /{name}"));
        let at_once = site.files.at_once(&ask);
        at_once.unwrap_or_else(|| site.runtime.block_on(site.files.answer(ask)).unwrap())
    };
    let (greedy, other) = ("192.0.2.1", "192.0.2.2");
    let mut sending = names[..3].iter().map(|name| get(greedy, name)).collect::<Vec<_>>();
    assert!(sending.iter().all(|answer| answer.status() == 200));
    assert_eq!(get(greedy, "d.bin").status(), 503);
    sending.extend(["d.bin", "a.bin", "b.bin"].map(|name| get(other, name)));
    sending.push(get(greedy, "c.bin"));
    assert!(sending.iter().all(|answer| answer.status() == 200));
    assert_eq!(get(other, "e.bin").status(), 503);
}

/// It would be open for as long as that is waited for.
#[test]
fn for_who_has_too_many_files_open_nothing_is_coded() {
    let text = prose(3000);
    let site = Site::with(&[("t.txt", &text)], |options| {
        options.open_files = OpenFiles::at_most(4);
    });
    let get = |client, accept: &str| {
        let ask = ask_from(client, &format!("GET /t.txt\naccept-encoding: {accept}"));
        let mut answer = site.runtime.block_on(site.files.answer(ask)).unwrap();
        unfold(&mut answer);
        (answer.status().as_u16(), answer.headers().contains_key("content-encoding"))
    };
    let (greedy, other) = ("192.0.2.1", "192.0.2.2");
    let client = ask_from(greedy, "GET /").caller.peer.client();
    let open: Vec<_> = std::iter::from_fn(|| site.files.places.enter(client)).collect();
    assert_eq!(open.len(), 3);
    assert_eq!(get(greedy, "gzip"), (200, false));
    assert_eq!(get(greedy, "gzip, identity;q=0"), (503, false));
    assert_eq!(get(other, "gzip"), (200, true));
    // What is made is in memory.
    assert_eq!(get(greedy, "gzip"), (200, true));
}

/// Three files for one thread, which takes its time for the first.
#[test]
fn what_waits_to_be_coded_counts_for_who_asked_though_he_hung_up() {
    let texts: Vec<_> = (0..4).map(|at| format!("{at}{}", prose(1 << 20))).collect();
    let names = ["a.txt", "b.txt", "c.txt", "d.txt"];
    let tree: Vec<_> =
        names.iter().zip(&texts).map(|(name, text)| (*name, text.as_str())).collect();
    let site = Site::with(&tree, |options| {
        options.limits.compress_threads = 1;
        options.compress = Compress::On(Levels { br: 11, ..Levels::default() });
        options.open_files = OpenFiles::at_most(4);
    });
    let (greedy, other) = ("192.0.2.1", "192.0.2.2");
    let ask = |client, name| ask_from(client, &format!("GET /{name}\naccept-encoding: br"));
    site.runtime.block_on(async {
        for name in &names[..3] {
            let mut pending = Box::pin(site.files.answer(ask(greedy, name)));
            let begun = poll_fn(|cx| Poll::Ready(pending.as_mut().poll(cx))).await;
            assert!(begun.is_pending(), "{name} is coded already");
        }
    });
    let client = |ip| ask_from(ip, "GET /").caller.peer.client();
    assert!(site.files.places.enter(client(greedy)).is_none());
    assert!(site.files.places.enter(client(other)).is_some());
}

#[test]
fn what_is_only_read_takes_no_place() {
    let site = Site::with(&[("small", "1"), ("a.bin", "12345")], |options| {
        options.limits.hot_file_bytes_max = 4;
        options.open_files = OpenFiles::at_most(1);
    });
    let has_left_a_place = |name: &str| {
        let mut source = site.files.tree.open_file(name.as_bytes(), later()).unwrap();
        site.files.resource(name.as_bytes(), &mut source, later()).unwrap();
        site.files.places.enter(Client::Local).is_some()
    };
    assert!(has_left_a_place("small"));
    assert!(!has_left_a_place("a.bin"));
}

#[test]
fn so_many_listings_are_made_and_kept_at_once() {
    let site = Site::with(&[("a", "")], |options| {
        options.listing = Listing::On;
        options.limits.listings_max = 1;
        options.limits.listings_waiting_max = 0;
        // Enough for one page.
        options.limits.listings_bytes_max = 1024;
    });
    let list = || site.files.answer(ask("GET /\naccept: application/json"));
    site.runtime.block_on(async {
        let turn = site.files.lister.turn(Client::Local).await.unwrap();
        assert_eq!(list().await.unwrap().status(), 503);
        drop(turn);
        let first = list().await.unwrap();
        assert_eq!(first.status(), 200);
        assert_eq!(list().await.unwrap().status(), 503);
        drop(first);
        assert_eq!(list().await.unwrap().status(), 200);
    });
}

#[test]
fn small_files_on_their_way_take_so_much_memory_and_others_come_from_disk() {
    let text = prose(3000);
    let site = Site::with(&[("a.bin", &text), ("b.bin", &text), ("c.bin", &text)], |options| {
        // Nothing of that size is kept, so what is on its way is all there is.
        options.limits.hot_bytes_max = 2048;
    });
    let ask = |path| ask(&format!("GET {path}"));
    let sending = site.runtime.block_on(site.files.answer(ask("/a.bin"))).unwrap();
    assert!(sending.body().is_shared());
    let other = site.runtime.block_on(site.files.answer(ask("/b.bin"))).unwrap();
    assert!(!other.body().is_shared());
    drop(sending);
    let other = site.runtime.block_on(site.files.answer(ask("/c.bin"))).unwrap();
    assert!(other.body().is_shared());
}

#[test]
fn a_small_file_that_found_no_room_keeps_its_tag_and_gets_room_when_there_is_some() {
    // The second is too big to be digested.
    let texts = [prose(3000), prose(70_000)];
    let site = Site::with(&[("small", &texts[0]), ("big", &texts[1])], |options| {
        options.limits.renew_after = Duration::ZERO;
        options.limits.hot_file_bytes_max = 128 << 10;
    });
    let filler: Vec<_> = std::iter::from_fn(|| site.files.room.take(1)).collect();
    let crowded = ["/small", "/big"].map(|path| site.get(path));
    assert_eq!(crowded.each_ref().map(|got| got.from), [From::Disk; 2]);
    drop(filler);
    let kept = ["/small", "/big"].map(|path| site.get(path));
    assert_eq!(kept.each_ref().map(|got| got.from), [From::Memory; 2]);
    let tags = |got: &[Got; 2]| got.each_ref().map(|got| got.field("etag").to_owned());
    assert_eq!(tags(&crowded), tags(&kept));
}

#[test]
fn coded_files_on_their_way_take_so_much_memory_and_others_are_sent_as_they_are() {
    let texts = [1, 2, 3].map(|seed| half_noise(seed, 8192));
    let tree = [("a.txt", &*texts[0]), ("b.txt", &texts[1]), ("c.txt", &texts[2])];
    let site = Site::with(&tree, |options| {
        options.limits.hot_file_bytes_max = 0;
        // Room for 16 KiB: two that were coded, and half of what the next may come to.
        options.limits.hot_bytes_max = 8192;
    });
    let answer = |path| {
        let ask = ask(&format!("GET {path}\naccept-encoding: gzip"));
        let mut answer = site.runtime.block_on(site.files.answer(ask)).unwrap();
        unfold(&mut answer);
        answer
    };
    let is_coded = |answer: &Answer| answer.headers().contains_key("content-encoding");
    let sending = [answer("/a.txt"), answer("/b.txt")];
    assert!(sending.iter().all(is_coded));
    assert!(!is_coded(&answer("/c.txt")));
    site.check_status("GET /c.txt\naccept-encoding: gzip, identity;q=0", 503);
    drop(sending);
    assert!(is_coded(&answer("/c.txt")));
}

/// Text that gets smaller, by half.
fn half_noise(seed: u64, bytes: usize) -> String {
    let mut state = seed;
    let mut digit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from_digit(u32::try_from(state >> 60).unwrap(), 16).unwrap()
    };
    (0..bytes).map(|_| digit()).collect()
}
