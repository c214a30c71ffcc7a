//! Whole requests against folders that exist.

mod coding;
mod conditions;
mod embedded;
mod folders;
mod freshness;
mod limits;
mod links;
mod pages;
mod paths;
mod ranges;
mod served;

use std::{
    fs,
    future::poll_fn,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use http::{HeaderMap, Request};
use relais_net::Peer;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;
use crate::{Caller, Inbound, Piece};

/// A folder that is served.
struct Site {
    folder: TempDir,
    files: Files,
    runtime: Runtime,
}

/// An answer, whole.
#[derive(Debug)]
struct Got {
    status: u16,
    head: HeaderMap,
    body: Vec<u8>,
    from: From,
}

/// Where a body came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// Memory, without waiting.
    AtOnce,
    Memory,
    Disk,
}

impl Site {
    /// Serves a folder with these files; a path that ends in a slash is a folder.
    fn of(tree: &[(&str, &str)]) -> Self {
        Self::with(tree, |_| ())
    }

    fn with(tree: &[(&str, &str)], change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        for (path, text) in tree {
            write(&root.join(path), text);
        }
        let mut options = Options::of(Root::Folder(root), later);
        // What is in memory stays there, however slow the test.
        options.limits.renew_after = Duration::from_hours(1);
        // Smaller than by default, so that big files are small.
        options.limits.hot_file_bytes_max = 64 << 10;
        change(&mut options);
        Self::serve(folder, options)
    }

    fn serve(folder: TempDir, options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Self { folder, files: Files::open(options).unwrap(), runtime }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        write(&self.path(path), text);
    }

    fn link(&self, to: impl AsRef<Path>, path: &str) {
        std::os::unix::fs::symlink(to, self.path(path)).unwrap();
    }

    /// Asks. *Shape*: `GET /path`, then fields, one a line.
    fn ask(&self, request: &str) -> Got {
        self.runtime.block_on(self.ask_async(request))
    }

    async fn ask_async(&self, request: &str) -> Got {
        let ask = ask(request);
        if let Some(answer) = self.files.at_once(&ask) {
            return Got::of(answer, From::AtOnce).await;
        }
        let answer = self.files.answer(ask).await.unwrap();
        Got::of(answer, From::Memory).await
    }

    fn get(&self, path: &str) -> Got {
        self.ask(&format!("GET {path}"))
    }

    #[track_caller]
    fn check(&self, path: &str, status: u16, body: &str) {
        let got = self.get(path);
        let text = String::from_utf8_lossy(&got.body);
        assert_eq!((got.status, &*text), (status, body), "for {path:?}: {got:?}");
    }

    #[track_caller]
    fn check_status(&self, request: &str, status: u16) -> Got {
        let got = self.ask(request);
        assert_eq!(got.status, status, "for {request:?}: {got:?}");
        got
    }
}

impl Got {
    async fn of(mut answer: Answer, mut from: From) -> Self {
        unfold(&mut answer);
        let (head, body) = answer.into_parts();
        let mut body = pin!(body);
        let mut bytes = Vec::new();
        while let Some(piece) = poll_fn(|cx| body.poll_piece(cx, u64::MAX)).await {
            match piece.unwrap() {
                Piece::Bytes(more) => bytes.extend_from_slice(&more),
                Piece::File(span) => {
                    from = From::Disk;
                    let start = bytes.len();
                    bytes.resize(start + usize::try_from(span.len).unwrap(), 0);
                    span.file.file.read_exact_at(&mut bytes[start..], span.offset).unwrap();
                }
            }
        }
        Self { status: head.status.as_u16(), head: head.headers, body: bytes, from }
    }

    /// The value of a field, or nothing.
    fn field(&self, name: &str) -> &str {
        self.head.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// As a local client does.
fn ask(request: &str) -> Ask {
    asked_by(Peer::Local, request)
}

/// The same from this address.
fn ask_from(ip: &str, request: &str) -> Ask {
    asked_by(Peer::Net((ip.parse::<std::net::IpAddr>().unwrap(), 1).into()), request)
}

fn asked_by(peer: Peer, request: &str) -> Ask {
    let mut lines = request.lines();
    let (method, uri) = lines.next().unwrap().split_once(' ').unwrap();
    let mut head = Request::builder().method(method).uri(uri);
    for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
        head = head.header(name, value);
    }
    let local = Arc::new("tcp://127.0.0.1:80".parse().unwrap());
    let caller = Arc::new(Caller { peer, local, tls: None });
    Ask::new(head.body(Inbound::Full(bytes::Bytes::new())).unwrap(), caller)
}

fn write(path: &Path, text: &str) {
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        fs::create_dir_all(path).unwrap();
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "files have real times")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// A clock by which every file was left alone for long: it can be kept in memory.
fn later() -> SystemTime {
    now() + Duration::from_hours(1)
}

/// Ends the loops that look at it, when its owner is done or panics.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Text that gets smaller, of about `bytes`.
fn prose(bytes: usize) -> String {
    "what is said often is soon said shorter; ".repeat(bytes / 41 + 1)
}
