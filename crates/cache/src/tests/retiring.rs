//! A cache that retires while something is on its way to it.

use std::sync::Arc;

use http::HeaderMap;

use super::{
    at, fields,
    joining::{begin, lead, look, name},
    purging::finish,
    world::{Forgetful, Upstream, asked, key},
};
use crate::{Cache, Outcome, Pattern, Purge, Settings, Tag, disk::Patience};

const FRESH: &str = "cache-control: max-age=60";
const NOBODY: Upstream<'_> = (0, "", "");

/// Two that have one disk, one after the other.
fn both(before: &Forgetful) -> Cache {
    let disk = Arc::clone(before.cache.disk().unwrap());
    Cache::with_disk(Settings::default(), disk, "us")
}

#[test]
fn what_comes_after_the_change_is_not_stored_past_who_is_asked_now() {
    let before = Forgetful::new();
    let now = both(&before);
    let (fetch, long) = (lead(&before.cache, "GET /"), lead(&before.cache, "GET /long"));
    let mut long = begin(&before.cache, long, FRESH);
    long.add(&vec![b'x'; 2 << 20].into());
    before.cache.retire(Some(&now));
    let url = Pattern::Url("http://a/".parse().unwrap());
    drop(now.purge(&url, Purge::Hard, at(1)).unwrap());
    assert_eq!(finish(&before.cache, fetch, FRESH), Outcome::Invalidated);
    assert_eq!(long.finish(), Outcome::Invalidated);
    before.forget();
    for path in ["/", "/long"] {
        now.bring_up(&key(path), Patience::Waits).unwrap();
        assert_eq!(name(&look(&now, &format!("GET {path}"))), "leads", "{path}");
    }
    let stats = now.disk().unwrap().stats();
    assert_eq!((stats.objects, stats.files), (0, 0));
}

#[test]
fn what_is_older_does_not_come_back_when_memory_lets_go_of_what_is_newer() {
    let before = Forgetful::new();
    let now = both(&before);
    let fetch = lead(&before.cache, "GET /");
    before.cache.retire(Some(&now));
    asked(&now, 1, "GET /", (200, FRESH, "newer"));
    finish(&before.cache, fetch, FRESH);
    now.disk().unwrap().sync().unwrap();
    now.store.forget_memory();
    now.bring_up(&key("/"), Patience::Waits).unwrap();
    assert_eq!(asked(&now, 2, "GET /", NOBODY), "200 newer | hit; ttl=59");
}

#[test]
fn what_is_changed_by_who_asked_before_the_change_is_told_who_is_asked_now() {
    let changes: [fn(&Cache); 4] = [
        |cache| cache.invalidate(&key("/"), &HeaderMap::new()),
        |cache| cache.invalidate(&key("/b"), &fields("location: /")),
        |cache| {
            let url = Pattern::Url("http://a/".parse().unwrap());
            assert_eq!(cache.purge(&url, Purge::Hard, at(1)).unwrap().count, 2);
        },
        |cache| {
            let tag = Pattern::Tag(Tag::named("t"));
            assert_eq!(cache.purge(&tag, Purge::Hard, at(1)).unwrap().count, 2);
        },
    ];
    for change in changes {
        let [before, next, last] = [0; 3].map(|_| Cache::new(Settings::default()));
        for cache in [&before, &last] {
            asked(cache, 0, "GET /", (200, &format!("{FRESH}\nsurrogate-key: t"), "old"));
        }
        before.retire(Some(&next));
        next.retire(Some(&last));
        change(&before);
        assert_eq!(asked(&last, 1, "GET /", NOBODY), "502 nothing is stored");
    }
}

#[test]
fn who_stays_does_not_retire() {
    let cache = Cache::new(Settings::default());
    cache.retire(Some(&cache.clone()));
    assert_eq!(finish(&cache, lead(&cache, "GET /"), FRESH), Outcome::Stored);
    cache.retire(None);
    assert_eq!(finish(&cache, lead(&cache, "GET /b"), FRESH), Outcome::Invalidated);
}
