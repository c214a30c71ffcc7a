//! What is on disk, once it is not in memory any more.

use std::{
    fs,
    sync::{Arc, Barrier},
    thread,
};

use http::Method;

use super::{
    at, fields,
    joining::{add, begin, is_ready, lead, look, next, request, shared, wait},
    purging::finish,
    world::{Forgetful, Upstream, asked, close, key},
};
use crate::{
    AtRest, Cache, Lookup, Outcome, Pattern, Purge, Reader, Request, Settings, Softened, Tag, Tier,
    Writer,
    disk::{Access, Disk, Patience, Unread},
    disk_settings,
    store::Admitted,
};

const FRESH: &str = "cache-control: max-age=60";
const NOBODY: Upstream<'_> = (0, "", "");

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let below = Forgetful::new();
    let lines = "cache-control: max-age=60, stale-if-error=9\netag: \"1\"\nvary: a\nx: y";
    below.ask(0, "GET /1\na: b", (200, lines, "one"));
    below.ask(1, "GET /2", (301, "cache-control: max-age=9\nlocation: /1", ""));
    let below = below.reopened();
    assert_eq!(below.ask(9, "GET /1\na: b", NOBODY), "200 one | hit; ttl=51");
    assert_eq!(below.ask(9, "HEAD /1\na: b", NOBODY), "200  | hit; ttl=51");
    assert_eq!(below.ask(9, "GET /1\na: b\nif-none-match: \"1\"", NOBODY), "304  | hit; ttl=51");
    assert_eq!(below.ask(9, "GET /1\na: c", NOBODY), "502 nothing is stored");
    assert_eq!(below.ask(9, "GET /2", NOBODY), "301  | hit; ttl=1");
    assert_eq!(
        below.ask(65, "GET /1\na: b", (500, "", "")),
        "200 one | hit; ttl=-5 [if-none-match: \"1\"]"
    );
    let revalidated = below.ask(65, "GET /1\na: b", (304, FRESH, ""));
    assert_eq!(
        revalidated,
        "200 one | fwd=stale; fwd-status=304; ttl=60; stored [if-none-match: \"1\"]"
    );
    let below = below.reopened();
    assert_eq!(below.ask(70, "GET /1\na: b", NOBODY), "200 one | hit; ttl=55");
    assert_eq!(below.cache.disk().unwrap().stats().objects, 2);
}

#[test]
fn a_body_with_a_file_stays_there_and_is_told_in_parts() {
    let below = Forgetful::new();
    let body = "0123456789".repeat(20_000);
    below.ask(0, "GET /", (200, &format!("{FRESH}\netag: \"1\""), &body));
    assert_eq!(below.ask(1, "HEAD /", NOBODY), "200  | hit; ttl=59");
    check_file((&below, 1), "", &body, 200);
    check_file((&below, 1), "range: bytes=199990-", "0123456789", 206);
    check_file((&below, 1), "range: bytes=1-2", "12", 206);
    let revalidated = below.ask(61, "GET /", (304, FRESH, ""));
    assert!(revalidated.ends_with("fwd-status=304; ttl=60; stored [if-none-match: \"1\"]"));
    let below = below.reopened();
    below.ask(62, "HEAD /", NOBODY);
    check_file((&below, 62), "", &body, 200);
    assert_eq!(below.cache.disk().unwrap().stats().files, 1);
}

/// Checks what `/` is answered to who asks with `lines`.
#[track_caller]
fn check_file((below, seconds): (&Forgetful, i64), lines: &str, expect: &str, status: u16) {
    let headers = fields(lines);
    let lookup = below.cache.look(&key("/"), &Request::of(&Method::GET, &headers), at(seconds));
    let Lookup::Hit(hit) = lookup else { panic!("{lookup:?}") };
    assert_eq!((hit.status().as_u16(), hit.size()), (status, Some(expect.len() as u64)));
    let (file, pieces) = hit.file_pieces().unwrap();
    let [crate::FilePiece::Part(part)] = &pieces[..] else { panic!("{pieces:?}") };
    let mut bytes = vec![0; expect.len()];
    let read = file.open().unwrap().read_at(&mut bytes, part.start).unwrap();
    assert_eq!((read as u64, &*bytes), (part.end - part.start, expect.as_bytes()));
    assert!(hit.body().bytes().is_empty() && hit.pieces().is_none());
}

#[test]
fn a_long_body_goes_to_its_file_as_it_comes_and_is_read_there() {
    for length in ["", "\ncontent-length: 3000000"] {
        // In memory there would be no place for it.
        let memory = Settings { memory: 1 << 20, object_max: 4 << 20, ..Settings::default() };
        let below = Forgetful::with(memory);
        let body = "0123456789".repeat(300_000);
        let (early, late) = body.split_at(2_000_000);
        let (mut writer, mut first) = joined(&below, (length, early));
        let (_, mut second) = shared(look(&below.cache, "GET /"));
        assert_eq!(read_on(&mut second), early);
        add_all(&mut writer, late);
        assert_eq!(writer.finish(), Outcome::Stored);
        assert!(below.cache.bytes() < 10_000, "{}", below.cache.bytes());
        assert_eq!((read_on(&mut first), read_on(&mut second)), (body.clone(), late.to_owned()));
        check_file((&below, 1), "range: bytes=2999990-", "0123456789", 206);
        below.forget();
        below.cache.bring_up(&key("/"), Patience::Waits).unwrap();
        check_file((&below, 1), "", &body, 200);
        assert_eq!(below.cache.disk().unwrap().stats().files, 1);
    }
}

#[test]
fn what_is_taken_out_is_read_to_its_end_by_who_has_begun() {
    let below = Forgetful::new();
    let body = "0123456789".repeat(300_000);
    let (writer, mut joined) = joined(&below, ("", &body));
    assert_eq!(writer.finish(), Outcome::Stored);
    let headers = fields("");
    let asked = Request::of(&Method::GET, &headers);
    let Lookup::Hit(hit) = below.cache.look(&key("/"), &asked, at(1)) else { panic!("a miss") };
    let file = hit.file_pieces().unwrap().0;
    let held = file.open().unwrap();
    take_out(&below);
    assert_eq!(read_on(&mut joined), body);
    assert!(file.opened().is_some() && file.open().is_ok());
    drop((joined, held));
    assert!(file.opened().is_none() && file.open().is_err());
}

#[test]
fn what_is_purged_as_it_comes_is_read_to_its_end_by_who_has_begun() {
    let below = Forgetful::new();
    let body = "0123456789".repeat(300_000);
    let (writer, mut joined) = joined(&below, ("", &body));
    below.cache.forget(&key("/"));
    assert_eq!(writer.finish(), Outcome::Invalidated);
    assert_eq!(fs::read_dir(below.path().join("bodies")).unwrap().count(), 0);
    assert_eq!(read_on(&mut joined), body);
}

#[test]
fn a_file_that_cannot_be_read_as_it_comes_is_not_the_servers_fault() {
    let below = Forgetful::new();
    let fetch = lead(&below.cache, "GET /");
    let waiter = wait(&below.cache, "GET /");
    let mut writer = begin(&below.cache, fetch, FRESH);
    add_all(&mut writer, &"x".repeat(3_000_000));
    let asked = request("GET /");
    let (_, mut joined) = shared(below.cache.resume(waiter, &asked.asked(), at(1)));
    assert_eq!(next(&mut joined).len(), 64 << 10);
    for file in fs::read_dir(below.path().join("bodies")).unwrap() {
        fs::File::options().write(true).open(file.unwrap().path()).unwrap().set_len(0).unwrap();
    }
    assert_eq!(next(&mut joined), "unexpected end of file");
}

/// What comes for `/`, with these fields besides and so far, and who waited for it.
fn joined(below: &Forgetful, (lines, body): (&str, &str)) -> (Writer, Box<Reader>) {
    let fetch = lead(&below.cache, "GET /");
    let mut waiter = wait(&below.cache, "GET /");
    let mut writer = begin(&below.cache, fetch, &format!("{FRESH}{lines}"));
    add_all(&mut writer, body);
    assert!(is_ready(&mut waiter));
    let asked = request("GET /");
    (writer, shared(below.cache.resume(waiter, &asked.asked(), at(1))).1)
}

/// Has `/` and its file go.
fn take_out(below: &Forgetful) {
    below.cache.disk().unwrap().sync().unwrap();
    assert_eq!(fs::read_dir(below.path().join("bodies")).unwrap().count(), 1);
    below.cache.forget(&key("/"));
    below.cache.disk().unwrap().sync().unwrap();
    assert_eq!(fs::read_dir(below.path().join("bodies")).unwrap().count(), 0);
}

#[test]
fn clocks_may_be_set_back_and_forth_between_restarts() {
    const YEARS: i64 = 300_000_000;
    let below = Forgetful::new();
    let mut below = below.reopened();
    below.ask(100, "GET /", (200, &format!("{FRESH}\netag: \"1\""), "x"));
    let asks = "502 what is stored must not be sent without asking [if-none-match: \"1\"]";
    let old = "502 stale for too long [if-none-match: \"1\"]";
    for _ in 0..2 {
        for (seconds, expect) in [(101, "200 x | hit; ttl=59"), (-YEARS, asks), (YEARS, old)] {
            below = below.reopened();
            assert_eq!(below.ask(seconds, "GET /", NOBODY), expect, "at {seconds}");
        }
    }
    // What came when the clock was wrong is of another time once it is right.
    below.ask(YEARS, "GET /", (200, FRESH, "later"));
    let below = below.reopened();
    assert_eq!(below.ask(YEARS + 1, "GET /", NOBODY), "200 later | hit; ttl=59");
    let newer = below.ask(102, "GET /", (200, FRESH, "newer"));
    assert_eq!(newer, "200 newer | fwd=stale; fwd-status=200; ttl=60; stored");
    let below = below.reopened();
    assert_eq!(below.ask(103, "GET /", NOBODY), "200 newer | hit; ttl=59");
}

#[test]
fn what_is_purged_while_it_is_brought_up_stays_out() {
    let below = Forgetful::new();
    let tagged = format!("{FRESH}\nsurrogate-key: news");
    for _ in 0..500 {
        below.ask(0, "GET /", (200, &tagged, "x"));
        below.forget();
        let both = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                both.wait();
                below.cache.bring_up(&key("/"), Patience::Waits).unwrap();
            });
            both.wait();
            let news = Pattern::Tag(Tag::named("news"));
            drop(below.cache.purge(&news, Purge::Hard, at(1)).unwrap());
        });
        assert_eq!(below.ask(1, "GET /", NOBODY), "502 nothing is stored");
    }
}

#[test]
fn a_long_body_that_breaks_off_leaves_nothing() {
    for length in ["", "\ncontent-length: 3000000"] {
        let below = Forgetful::new();
        let fetch = lead(&below.cache, "GET /");
        let mut writer = begin(&below.cache, fetch, &format!("{FRESH}{length}"));
        add_all(&mut writer, &"x".repeat(2_000_000));
        if length.is_empty() {
            drop(writer);
        } else {
            assert_eq!(writer.finish(), Outcome::CutShort);
        }
        below.forget();
        assert_eq!(below.ask(1, "GET /", NOBODY), "502 nothing is stored");
        assert_eq!(fs::read_dir(below.path().join("bodies")).unwrap().count(), 0);
    }
}

/// What is there to be read.
fn read_on(reader: &mut Reader) -> String {
    let mut read = String::new();
    loop {
        match next(reader).as_str() {
            "later" | "end" => return read,
            more => read.push_str(more),
        }
    }
}

fn add_all(writer: &mut Writer, body: &str) {
    for piece in body.as_bytes().chunks(70_000) {
        add(writer, std::str::from_utf8(piece).unwrap());
    }
}

#[test]
fn a_file_that_is_damaged_is_a_miss() {
    let below = Forgetful::new();
    below.ask(0, "GET /", (200, FRESH, &"x".repeat(200_000)));
    below.forget();
    for entry in fs::read_dir(below.path().join("bodies")).unwrap() {
        fs::write(entry.unwrap().path(), "short").unwrap();
    }
    below.cache.bring_up(&key("/"), Patience::Waits).unwrap();
    let headers = fields("");
    let asked = Request::of(&Method::GET, &headers);
    let Lookup::Hit(hit) = below.cache.look(&key("/"), &asked, at(1)) else { panic!("a miss") };
    let opened = hit.file_pieces().unwrap().0.open();
    assert!(matches!(opened, Err(Unread::Gone(_))), "{opened:?}");
    below.cache.lose(&key("/"), hit.stored());
    assert_eq!(below.ask(1, "GET /", NOBODY), "502 nothing is stored");
    assert_eq!(below.cache.disk().unwrap().stats().bad, 1);
}

#[test]
fn what_took_another_s_place_took_it_on_disk_as_well() {
    let below = Forgetful::new();
    let check = |below: &Forgetful, expect: &str| {
        assert_eq!(below.ask(70, "GET /\na: 1", NOBODY), expect);
    };
    // What it varies by is another than before.
    below.ask(0, "GET /\na: 1", (200, &format!("{FRESH}, stale-if-error=999\nvary: a"), "old"));
    below.ask(61, "GET /\na: 1", (200, FRESH, "new"));
    check(&below, "200 new | hit; ttl=51");
    // An answer that is not stored leaves nothing behind that is newer than it.
    below.ask(125, "GET /\na: 1", (200, "cache-control: no-store", "newest"));
    assert_eq!(below.ask(126, "POST /", (200, "", "")), "200  | fwd=method; fwd-status=200");
    check(&below, "502 nothing is stored");
}

#[test]
fn parts_are_in_memory_alone_and_outlive_no_whole() {
    let below = Forgetful::new();
    below.ask(0, "GET /", (200, "cache-control: max-age=1\netag: \"1\"", "0123456789"));
    let part = format!("{FRESH}\netag: \"2\"\ncontent-range: bytes 0-1/3");
    below.ask(2, "GET /\nrange: bytes=0-1", (206, &part, "ab"));
    assert_eq!(below.ask(3, "GET /", NOBODY), "502 nothing is stored");
}

#[test]
fn what_is_purged_is_gone_from_disk_and_nothing_else() {
    let url = |path: &str| Pattern::Url(format!("http://a{path}").parse().unwrap());
    check_purged(&url("/1"), "2 3");
    check_purged(&url("/none"), "1 2 3");
    check_purged(&Pattern::Prefix("http://a/3".parse().unwrap()), "1 2");
    check_purged(&Pattern::Prefix("/3".parse().unwrap()), "1 2 3");
    check_purged(&Pattern::Glob("*/1".parse().unwrap()), "2 3");
    check_purged(&Pattern::Tag(Tag::named("News")), "3");
    check_purged(&Pattern::Tag(Tag::named("g")), "1 2 3");
    check_purged(&Pattern::Tag(Tag::group("http://a", "g")), "1");
    check_purged(&Pattern::All, "");
}

#[track_caller]
fn check_purged(pattern: &Pattern, expect: &str) {
    for how in [Purge::Hard, Purge::Soft] {
        let below = Forgetful::new();
        below.ask(0, "GET /1", (200, &format!("{FRESH}\nsurrogate-key: news"), "x"));
        let both = format!("{FRESH}\ncache-tag: news\ncache-groups: \"g\"");
        below.ask(0, "GET /2", (200, &both, "x"));
        below.ask(0, "GET /3", (200, &format!("{FRESH}\ncache-groups: \"g\""), "x"));
        below.forget();
        let listed: Vec<_> = below.cache.objects(pattern).map(|object| object.tier).collect();
        let kept = expect.split_whitespace().count();
        assert_eq!(listed, vec![Tier::Disk; 3 - kept], "{pattern:?}");
        below.cache.purge(pattern, how, at(1)).unwrap().wait().unwrap();
        let mut below = below;
        for _ in 0..2 {
            let hits = ["1", "2", "3"].into_iter().filter(|path| {
                below.ask(1, &format!("GET /{path}"), (599, "", "")).contains("hit; ttl=59")
            });
            assert_eq!(hits.collect::<Vec<_>>().join(" "), expect, "{pattern:?} {how:?}");
            below = below.reopened();
        }
    }
}

#[test]
fn what_is_kept_apart_is_of_its_url() {
    let below = Forgetful::new();
    let apart = key("/").apart("\nhost: b");
    let headers = fields("");
    let asked = Request::of(&Method::GET, &headers);
    let Lookup::Ask(fetch) = below.cache.look(&apart, &asked, at(0)) else { panic!("stored") };
    assert_eq!(finish(&below.cache, fetch, FRESH), Outcome::Stored);
    below.forget();
    below.cache.bring_up(&apart, Patience::Waits).unwrap();
    assert!(matches!(below.cache.look(&apart, &asked, at(0)), Lookup::Hit(_)));
    below.forget();
    let url = Pattern::Url("http://a/".parse().unwrap());
    below.cache.purge(&url, Purge::Hard, at(1)).unwrap().wait().unwrap();
    below.cache.bring_up(&apart, Patience::Waits).unwrap();
    assert!(matches!(below.cache.look(&apart, &asked, at(1)), Lookup::Ask(_)));
}

#[test]
fn what_was_purged_softly_is_asked_about_and_then_fresh_again() {
    let below = Forgetful::new();
    below.ask(0, "GET /", (200, &format!("{FRESH}\netag: \"1\""), "x"));
    below.forget();
    drop(below.cache.purge(&Pattern::All, Purge::Soft, at(1)).unwrap());
    let object = below.cache.objects(&Pattern::All).next().unwrap();
    assert_eq!(object.stored.softened(), Softened::Before);
    let asked = below.ask(2, "GET /", (304, FRESH, ""));
    assert_eq!(asked, "200 x | fwd=stale; fwd-status=304; ttl=60; stored [if-none-match: \"1\"]");
    let below = below.reopened();
    assert_eq!(below.ask(3, "GET /", NOBODY), "200 x | hit; ttl=59");
}

#[test]
fn what_is_changed_while_it_is_brought_up_stays_out() {
    let gone = "502 nothing is stored";
    check_changed(|below| below.cache.forget(&key("/")), gone);
    // The answer about it says that it is for one person alone, or is to be forgotten.
    let asked_about = |lines: &'static str| {
        move |below: &Forgetful| {
            below.cache.bring_up(&key("/"), Patience::Waits).unwrap();
            let told = asked(&below.cache, 61, "GET /", (304, lines, ""));
            assert!(told.starts_with("200 x"), "{told}");
        }
    };
    check_changed(asked_about("cache-control: private"), gone);
    check_changed(asked_about("cache-control: no-store"), gone);
    // What took its place has left memory already.
    let replaced = |below: &Forgetful| {
        below.cache.bring_up(&key("/"), Patience::Waits).unwrap();
        asked(&below.cache, 61, "GET /", (200, FRESH, "newer"));
        below.forget();
    };
    check_changed(replaced, "200 newer | hit; ttl=59");
}

/// Checks what `/` is answered once what the disk had of it comes up, after it was changed.
#[track_caller]
fn check_changed(change: impl FnOnce(&Forgetful), expect: &str) {
    let below = Forgetful::new();
    below.ask(0, "GET /", (200, &format!("{FRESH}\netag: \"1\""), "x"));
    below.forget();
    let room = &below.cache.room;
    let since = below.cache.store.generation(&key("/"));
    let on_disk = below.cache.store.on_disk().unwrap();
    let found = on_disk.find((&key("/"), &[]), room, Patience::Waits).unwrap();
    assert_eq!(found.len(), 1);
    change(&below);
    assert_eq!(below.cache.store.admit((&key("/"), since), &found), Admitted::NotAny);
    below.cache.bring_up(&key("/"), Patience::Waits).unwrap();
    assert_eq!(asked(&below.cache, 62, "GET /", NOBODY), expect);
}

#[test]
fn a_change_of_what_is_not_there_costs_the_disk_nothing() {
    let below = Forgetful::new();
    below.ask(0, "GET /there", (200, FRESH, "x"));
    below.forget();
    let before = below.cache.disk().unwrap().stats().bytes;
    for path in 0..1000 {
        below.cache.forget(&key(&format!("/{path}")));
    }
    below.cache.disk().unwrap().sync().unwrap();
    // The mark that syncing is.
    assert!(below.cache.disk().unwrap().stats().bytes < before + 300);
}

#[test]
fn what_a_change_took_out_is_not_found_right_behind_it() {
    let below = Forgetful::new();
    for number in 0..100 {
        let [get, post] = ["GET", "POST"].map(|method| format!("{method} /{number}"));
        below.ask(0, &get, (200, FRESH, "old"));
        below.ask(1, &post, (200, "", ""));
        // The disk is not waited for: the removal is in its queue, and counts from there on.
        below.cache.bring_up(&key(&format!("/{number}")), Patience::Waits).unwrap();
        assert_eq!(asked(&below.cache, 1, &get, NOBODY), "502 nothing is stored", "{get}");
    }
}

#[test]
fn long_objects_on_disk_leave_memory_as_many_shards() {
    let settings = Settings { object_max: 1 << 30, ..Settings::default() };
    let below = Forgetful::with(settings);
    let alone = Cache::new(Settings::default());
    assert_eq!(below.cache.store.memory_max(), alone.store.memory_max());
}

#[test]
fn however_much_of_a_folder_at_rest_is_purged_the_rest_stays() {
    // More than may wait for the disk at once.
    const MANY: usize = 20_000;
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = folder.path().join("cache");
    let disk = Arc::new(Disk::open(&path, disk_settings(64 << 20)).unwrap());
    let cache = Cache::with_disk(Settings::default(), Arc::clone(&disk), "us");
    for number in 0..MANY + 10 {
        let name = if number < MANY { "many" } else { "few" };
        let fetch = lead(&cache, &format!("GET /{name}/{number}"));
        assert_eq!(begin(&cache, fetch, FRESH).finish(), Outcome::Stored);
        if number.is_multiple_of(1000) {
            disk.sync().unwrap();
        }
    }
    close(&cache);
    drop((cache, disk));
    let folder = AtRest::open(&path, Access::Change).unwrap();
    let many = Pattern::Prefix("http://a/many/".parse().unwrap());
    assert_eq!(folder.purge(&many, Purge::Hard).unwrap(), MANY);
    assert_eq!(folder.objects(&Pattern::All).count(), 10);
}
