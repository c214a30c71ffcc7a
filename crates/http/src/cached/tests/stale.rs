//! Answers that are sent stale while their server is asked.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use relais_cache::{Pattern, Settings};
use relais_net::Fault;
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, Sleep, sleep},
};

use super::{
    Act, FRESH,
    damaged::harmed_by,
    world::{World, ok, request, says},
};
use crate::{
    Body, Piece, Pieces,
    cached::{REVALIDATION_MAX, REVALIDATIONS_MAX, written::drain},
};

const WINDOW: &str = "ETag: \"1\"\nCache-Control: max-age=5, stale-while-revalidate=10";

#[tokio::test]
async fn one_is_sent_on_an_errand_while_all_are_served() {
    let world = World::new().await;
    world.get_then(ok(WINDOW, "x"), "/a", "").await;
    world.at(6);
    let kept = world.cache.bytes();
    world.then(Act::Hangs);
    for _ in 0..3 {
        assert_eq!(world.get("/a", "").await, "200 x | hit; ttl=-1, age 6");
    }
    world.until(|world| world.count() == 2).await;
    assert_eq!(world.asked()[1..], ["GET /a, if-none-match: \"1\""]);
    assert_eq!(world.cache.bytes(), kept);
}

#[tokio::test]
async fn an_errand_makes_it_new() {
    let world = World::new().await;
    let long = "y".repeat(300_000);
    for (path, newer, expect) in [
        ("/a", says("304 Not Modified", "Cache-Control: max-age=9", ""), "x"),
        ("/b", ok(FRESH, "y"), "y"),
        ("/c", ok(FRESH, &long), "y...300000"),
    ] {
        world.at(0);
        world.get_then(ok(WINDOW, "x"), path, "").await;
        world.at(6);
        let stale = world.get_then(newer, path, "If-None-Match: \"9\"\nRange: bytes=0-0").await;
        assert!(stale.ends_with("x | hit; ttl=-1, age 6"), "{stale}");
        world.until(|world| world.count() == 2).await;
        assert_eq!(world.asked()[1..], [format!("GET {path}, if-none-match: \"1\"")]);
        loop {
            world.at(7);
            let came = world.get(path, "").await;
            if came.starts_with(&format!("200 {expect} | hit; ttl=")) && !came.contains("ttl=-") {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Who fails at once is asked again a second later, and not by each client.
#[tokio::test]
async fn a_failing_server_is_not_flooded_with_errands() {
    let world = World::new().await;
    world.get_then(ok(WINDOW, "x"), "/a", "").await;
    for second in 6..9 {
        world.at(second);
        world.then(says("500 Internal Server Error", "", "sorry"));
        for _ in 0..5 {
            let came = world.get("/a", "").await;
            assert!(came.starts_with("200 x | hit; ttl=-"), "{came}");
            tokio::task::yield_now().await;
        }
        let expect = usize::try_from(second - 4).unwrap();
        world.until(|world| world.count() == expect).await;
    }
}

#[tokio::test]
async fn there_are_so_many_errands_at_once() {
    let world = World::with(Settings::default()).await;
    let paths: Vec<_> = (0..REVALIDATIONS_MAX + 5).map(|number| format!("/a{number}")).collect();
    for path in &paths {
        world.get_then(ok(WINDOW, "x"), path, "").await;
    }
    world.asked();
    world.at(6);
    for path in &paths {
        world.then(Act::Hangs);
        assert_eq!(world.get(path, "").await, "200 x | hit; ttl=-1, age 6");
    }
    world.until(|world| world.count() == REVALIDATIONS_MAX).await;
    assert_eq!(world.get(&paths[0], "").await, "200 x | hit; ttl=-1, age 6");
    assert_eq!(world.count(), REVALIDATIONS_MAX);
}

/// An errand that finds it good still reads nothing of it.
#[tokio::test]
async fn a_body_in_a_file_is_not_read_to_make_it_new() {
    let harmed = harmed_by(WINDOW, |_| ()).await;
    let world = &harmed.world;
    let newer = says("304 Not Modified", "Cache-Control: max-age=9", "");
    world.then(newer);
    // Its client takes its beginning alone.
    let mut client = world.client();
    client.write_all(request("GET", "/a", "").as_bytes()).await.unwrap();
    let checked = || {
        let stored = world.cache.objects(&Pattern::All).next().unwrap().stored;
        (stored.file().unwrap().opened().unwrap().checked_from(0), stored.file().unwrap().len())
    };
    let is_newer = async || world.get("/a", "Range: bytes=0-0").await.ends_with("ttl=9, age 0");
    while !is_newer().await {
        tokio::task::yield_now().await;
    }
    for _ in 0..9 {
        world.settle().await;
        world.until(|world| world.reads.free() == 32).await;
    }
    assert_eq!(checked(), (1 << 20, 2_000_000));
}

/// A body that comes a MiB each time, and then no more.
struct Trickles {
    pause: Duration,
    left: u32,
    next: Pin<Box<Sleep>>,
    given: Arc<AtomicU32>,
}

impl Pieces for Trickles {
    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, Fault>>> {
        if self.left == 0 {
            return Poll::Pending;
        }
        ready!(self.next.as_mut().poll(cx));
        let at = Instant::now() + self.pause;
        self.next.as_mut().reset(at);
        self.left -= 1;
        self.given.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Piece::Bytes(Bytes::from(vec![0; 1 << 20])))))
    }
}

/// However long it takes altogether.
#[tokio::test(start_paused = true)]
async fn a_long_body_makes_it_new_for_as_long_as_it_comes() {
    for (pause, expect, seconds) in [(50, 9, 600), (70, 0, 60)] {
        let (pause, given) = (Duration::from_secs(pause), Arc::<AtomicU32>::default());
        let next = Box::pin(sleep(pause));
        let body = Trickles { pause, left: 9, next, given: Arc::clone(&given) };
        let began = Instant::now();
        drain(Body::stream(body, None), u64::MAX, REVALIDATION_MAX).await.unwrap();
        assert_eq!(given.load(Ordering::Relaxed), expect);
        assert_eq!(began.elapsed().as_secs(), seconds);
    }
}
