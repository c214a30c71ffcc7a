//! Answers whose body stands on a disk that does not answer.

use std::{
    fs::{self, File},
    os::fd::{AsRawFd as _, OwnedFd},
    path::Path,
    sync::Arc,
    time::Duration,
};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Notify,
};

use super::{
    FRESH,
    damaged::{Harmed, harmed_by},
    world::{Act, ok, request},
};

const LASTING: &str = "ETag: \"1\"\nCache-Control: max-age=600";

/// A world in which who reads what was stored for `/a` waits until this is dropped.
struct Hanging {
    harmed: Harmed,
    /// The same file, if the cache deletes it.
    file: OwnedFd,
}

async fn hanging(lines: &str) -> Hanging {
    let harm = |file: &Path| {
        fs::remove_file(file).unwrap();
        // Who opens it to read waits for who opens it to write.
        mknodat(CWD, file, FileType::Fifo, Mode::RWXU, 0).unwrap();
    };
    let harmed = harmed_by(lines, harm).await;
    let file = rustix::fs::open(&harmed.file, OFlags::PATH, Mode::empty()).unwrap();
    Hanging { harmed, file }
}

impl Hanging {
    /// Has the disk answer: what is there is not what was stored.
    fn answers(&self) {
        let same = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let opened = File::options().read(true).write(true).open(same);
        // For who comes later.
        _ = fs::remove_file(&self.harmed.file);
        drop(opened);
    }
}

/// A runtime waits for its threads.
impl Drop for Hanging {
    fn drop(&mut self) {
        self.answers();
    }
}

#[tokio::test]
async fn who_wants_one_cold_file_waits_for_one_who_reads_it_and_all_ask_once() {
    let hanging = hanging(LASTING).await;
    let world = &hanging.harmed.world;
    let free = world.reads.free();
    let mut clients = Vec::new();
    for _ in 0..40 {
        let mut client = world.client();
        client.write_all(request("GET", "/a", "").as_bytes()).await.unwrap();
        clients.push(client);
    }
    world.until(|world| world.reads.free() < free).await;
    world.settle().await;
    assert_eq!(world.reads.free(), free - 1);
    world.then(ok(FRESH, "new"));
    hanging.answers();
    for client in &mut clients {
        client.shutdown().await.unwrap();
        let mut came = String::new();
        client.read_to_string(&mut came).await.unwrap();
        assert!(came.ends_with("\r\n\r\nnew"), "{came}");
    }
    assert_eq!((world.count(), world.reads.free()), (1, free));
}

#[tokio::test]
async fn who_waits_too_long_for_the_disk_asks_the_server_and_others_join() {
    let hanging = hanging(LASTING).await;
    let world = &hanging.harmed.world;
    let go_on = Arc::new(Notify::new());
    let head = format!("HTTP/1.1 200 OK\r\n{FRESH}\r\nContent-Length: 3\r\n\r\nnew");
    world.then(Act::Pauses(String::new(), Arc::clone(&go_on), head));
    tokio::time::pause();
    let late = async {
        world.until(|world| world.reads.free() < 32).await;
        world.settle().await;
        tokio::time::advance(Duration::from_secs(10)).await;
        tokio::time::resume();
        world.until(|world| world.count() == 1).await;
        world.settle().await;
        go_on.notify_one();
    };
    let (one, other, ()) = tokio::join!(world.get("/a", ""), world.get("/a", ""), late);
    let all = [one, other];
    let asked = "200 new | fwd=miss; fwd-status=200; ttl=60; stored; detail=disk-late";
    let joined = "200 new | fwd=miss; fwd-status=200; collapsed; ttl=60; detail=disk-late, age 0";
    assert!(all.iter().any(|came| came == asked), "{all:?}");
    assert!(all.iter().any(|came| came == joined), "{all:?}");
    // What came is there from now on, whatever the disk does.
    assert_eq!(world.get("/a", "").await, "200 new | hit; ttl=60, age 0");
    assert_eq!(world.asked(), ["GET /a"]);
}

#[tokio::test]
async fn what_is_too_old_is_not_asked_about_where_the_disk_does_not_answer() {
    let hanging = hanging("ETag: \"1\"\nCache-Control: max-age=5").await;
    let world = &hanging.harmed.world;
    world.then(ok(FRESH, "new"));
    tokio::time::pause();
    let late = async {
        world.until(|world| world.reads.free() < 32).await;
        world.settle().await;
        tokio::time::advance(Duration::from_secs(10)).await;
        tokio::time::resume();
    };
    let (came, ()) = tokio::join!(world.get("/a", ""), late);
    assert_eq!(came, "200 new | fwd=stale; fwd-status=200; ttl=60; stored");
    assert_eq!(world.asked(), ["GET /a"]);
}
