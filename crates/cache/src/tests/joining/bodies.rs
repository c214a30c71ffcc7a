//! Bodies that break off, are too large, or come too slowly; readers who leave, and those who are too many.

use super::*;

#[test]
fn what_breaks_off_is_told_to_all_who_read_and_never_taken_for_whole() {
    let check = |breaks: fn(Writer), declared: &str| {
        let cache = Cache::new(Settings::default());
        let mut writer = begin(&cache, lead(&cache, GET), &format!("{FRESH}{declared}"));
        let (_, mut reader) = shared(look(&cache, GET));
        add(&mut writer, "0123");
        assert_eq!(next(&mut reader), "0123");
        let woken = Arc::new(Woken::default());
        assert_eq!(next_with(&mut reader, &woken), "later");
        breaks(writer);
        assert_eq!((woken.count(), next(&mut reader)), (1, "Off".into()));
        assert_eq!(show(look(&cache, GET)), "leads");
    };
    check(drop, "");
    check(drop, "\ncontent-length: 8");
    check(|writer| assert_eq!(writer.finish(), Outcome::CutShort), "\ncontent-length: 8");
    check(
        |writer| {
            // As one that panics.
            let thread = std::thread::spawn(move || {
                let _writer = writer;
                panic!("on purpose");
            });
            assert!(thread.join().is_err());
        },
        "",
    );
}

#[test]
fn who_comes_after_a_change_does_not_get_what_was_asked_for_before() {
    let changes: [fn(&Cache); 3] = [
        |cache| cache.invalidate(&key("/"), &HeaderMap::new()),
        |cache| cache.forget(&key("/")),
        Cache::clear,
    ];
    for change in changes {
        let cache = Cache::new(Settings::default());
        let fetch = lead(&cache, GET);
        let before = wait(&cache, GET);
        change(&cache);
        let newer = lead(&cache, GET);
        let mut writer = begin(&cache, fetch, FRESH);
        add(&mut writer, "old");
        assert_eq!(show(look(&cache, GET)), "waits");
        // Who asked before it may have what was there before it.
        let (_, mut reader) = shared(cache.resume(before, &request(GET).asked(), at(0)));
        assert_eq!(writer.finish(), Outcome::Invalidated);
        assert_eq!(next(&mut reader), "old");
        let mut writer = begin(&cache, newer, FRESH);
        let (_, mut reader) = shared(look(&cache, GET));
        change(&cache);
        add(&mut writer, "newer");
        assert_eq!((show(look(&cache, GET)), next(&mut reader)), ("leads".into(), "newer".into()));
    }
}

#[test]
fn a_body_that_outgrows_the_store_goes_to_all_who_read_it() {
    for (object_max, memory, why) in
        [(6, 1 << 20, Outcome::TooLarge), (1 << 20, 6, Outcome::NoRoom)]
    {
        let settings = Settings { object_max, memory, filling_max: 0, ..Settings::default() };
        let cache = Cache::new(settings);
        let mut writer = begin(&cache, lead(&cache, GET), FRESH);
        let (_, mut one) = shared(look(&cache, GET));
        let (_, mut two) = shared(look(&cache, GET));
        add(&mut writer, "0123");
        assert_eq!(next(&mut one), "0123");
        for piece in ["456", "789"] {
            add(&mut writer, piece);
        }
        // Nobody else joins.
        assert!(!show(look(&cache, GET)).starts_with("shared"));
        assert_eq!((next(&mut one), next(&mut one)), ("456".into(), "789".into()));
        assert_eq!((next(&mut two), next(&mut two)), ("0123".into(), "456".into()));
        assert!(is_ready_for_more(&writer));
        assert_eq!(writer.finish(), why);
        assert_eq!((next(&mut one), next(&mut two)), ("end".into(), "789".into()));
        assert_eq!(next(&mut two), "end");
        assert_eq!(cache.keys(), 0);
    }
}

#[test]
fn a_body_that_is_not_held_waits_for_the_slowest_until_that_is_put_out() {
    let cache = Cache::new(Settings { object_max: 0, ..Settings::default() });
    let mut writer = begin(&cache, lead(&cache, GET), FRESH);
    let (_, mut quick) = shared(look(&cache, GET));
    let (_, mut slow) = shared(look(&cache, GET));
    let piece = "x".repeat(1 << 16);
    let mut read = 0;
    while is_ready_for_more(&writer) {
        add(&mut writer, &piece);
        read += next(&mut quick).len();
    }
    assert_eq!(read, 1 << 20);
    assert_eq!(next(&mut slow), piece);
    assert!(is_ready_for_more(&writer));
    add(&mut writer, &piece);
    assert!(!is_ready_for_more(&writer));
    writer.cut_slowest();
    assert!(is_ready_for_more(&writer));
    assert_eq!((next(&mut slow), next(&mut quick)), ("TooSlow".into(), piece));
}

#[test]
fn a_body_that_outgrows_the_store_and_nobody_reads_is_given_up() {
    let cache = Cache::new(Settings { object_max: 4, ..Settings::default() });
    let mut writer = begin(&cache, lead(&cache, GET), FRESH);
    assert_eq!(writer.add(&Bytes::from_static(b"01234")), Written::GaveUp);
    assert_eq!(writer.finish(), Outcome::TooLarge);
    assert_eq!(show(look(&cache, GET)), "alone");
}

#[test]
fn so_many_wait_at_once() {
    let joining = Joining { waiting_max: 2, ..Joining::default() };
    let cache = Cache::new(Settings { joining, ..Settings::default() });
    let _fetches = (lead(&cache, GET), lead(&cache, "GET /b"));
    let (_one, two) = (wait(&cache, GET), wait(&cache, "GET /b"));
    assert_eq!(show(look(&cache, GET)), "crowded");
    drop(two);
    assert_eq!(show(look(&cache, GET)), "waits");
    let joining = Joining { waiting_max: 0, ..Joining::default() };
    let cache = Cache::new(Settings { joining, ..Settings::default() });
    let _first = look(&cache, GET);
    assert_eq!(show(look(&cache, GET)), "alone");
}

/// One more fetch, for all who wait.
#[test]
fn a_fetch_that_takes_too_long_is_left_for_another() {
    let cache = Cache::new(Settings::default());
    let fetch = lead(&cache, GET);
    let (mut one, two) = (wait(&cache, GET), wait(&cache, GET));
    assert!(!is_ready(&mut one));
    let another = cache.resume(one, &request(GET).asked(), at(5));
    assert_eq!((name(&another), &*resume(&cache, two)), ("leads", "waits"));
    // The first may still be the one that is joined.
    let _writer = begin(&cache, fetch, FRESH);
    assert!(show(look(&cache, "GET /\ncache-control: max-age=9")).starts_with("waits"));
}

#[test]
fn a_fetch_whose_client_left_ends_if_nobody_else_waits() {
    let cache = Cache::new(Settings::default());
    let (fetch, none) = (lead(&cache, GET), Arc::new(Woken::default()));
    let watch = fetch.watch();
    let (one, two) = (wait(&cache, GET), wait(&cache, GET));
    assert!(!watch.end_if_alone());
    let waker = Waker::from(Arc::clone(&none));
    let mut cx = Context::from_waker(&waker);
    assert!(watch.poll_deserted(&mut cx).is_pending());
    drop(one);
    assert!(watch.poll_deserted(&mut cx).is_pending());
    drop(two);
    assert!(none.count() > 0 && watch.poll_deserted(&mut cx).is_ready() && watch.end_if_alone());
    // Who comes now waits for nobody who has gone.
    assert_eq!(show(look(&cache, GET)), "leads");
}

#[test]
fn the_first_who_reads_takes_over() {
    let cache = Cache::new(Settings::default());
    let mut writer = begin(&cache, lead(&cache, GET), FRESH);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    writer.watch().on_join(move || _ = counted.fetch_add(1, Ordering::Relaxed));
    add(&mut writer, "0123");
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    let _readers = [shared(look(&cache, GET)), shared(look(&cache, GET))];
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    // Who asked for it reads on where it is.
    let mut reader = writer.reader();
    add(&mut writer, "45");
    assert_eq!(next(&mut reader), "45");
}
