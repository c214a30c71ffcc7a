use std::{
    future::pending,
    io,
    path::PathBuf,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::Response;
use relais_net::{Peer, Side};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{
    Body, FileSpan, OpenFiles, Piece, Stamp,
    access_log::{Closed, Format, Sink},
    says::{Says, Told, ask},
};

fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(971_186_136)
}

/// A log in a file, and what is read from it when it is closed.
struct Book {
    log: AccessLog,
    path: PathBuf,
    _dir: TempDir,
}

impl Book {
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let log = AccessLog::start(Sink::File(path.clone()), Format::Json).unwrap();
        Self { log, path, _dir: dir }
    }

    fn keep<H>(&self, inner: H) -> Logged<H> {
        Logged::new(inner, self.log.clone(), clock)
    }

    fn read(self) -> Vec<Value> {
        assert_eq!(self.log.shutdown(Duration::from_secs(10)), Closed::InTime);
        let text = std::fs::read_to_string(self.path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Of the only entry: status, bytes, whether complete.
    #[track_caller]
    fn check(self, status: u16, bytes: u64, complete: bool) -> Value {
        let mut entries = self.read();
        assert_eq!(entries.len(), 1, "{entries:?}");
        let entry = entries.remove(0);
        let found = (&entry["status"], &entry["bytes"], &entry["complete"]);
        assert_eq!(found, (&json!(status), &json!(bytes), &json!(complete)));
        entry
    }
}

fn get() -> Ask {
    ask(Peer::Local, "/", &[])
}

/// How much of a file is taken at a time, in bytes.
const STEP: u64 = 10;

fn take_a_piece(answer: &mut Answer) -> Option<Piece> {
    match answer.body_mut().poll_piece(&mut Context::from_waker(Waker::noop()), STEP) {
        Poll::Ready(piece) => piece.map(Result::unwrap),
        Poll::Pending => panic!("expected a piece"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_is_written_when_the_answer_has_ended() {
    let book = Book::open();
    let logged = book.keep(Says::InTime("hello"));
    assert!(logged.at_once(&get()).is_none());
    let peer = Peer::Net("192.0.2.1:4711".parse().unwrap());
    let mut answer = logged.answer(ask(peer, "/a", &[("host", "a.org")])).await.unwrap();
    answer.extensions_mut().insert(User("too late".into()));
    tokio::time::advance(Duration::from_micros(1500)).await;
    take_a_piece(&mut answer).unwrap();
    drop(answer);
    let entry = book.check(200, 5, true);
    assert_eq!(entry["time"], "2000-10-10T13:55:36.000Z");
    assert_eq!(entry["duration_ms"], 1.5);
    assert_eq!(entry["peer"], "192.0.2.1");
    assert_eq!((&entry["host"], &entry["target"]), (&json!("a.org"), &json!("/a")));
    assert_eq!(entry["user"], Value::Null);
}

#[test]
fn answers_at_once_are_noted_too() {
    let book = Book::open();
    let logged = book.keep(Says::AtOnce("hello"));
    take_a_piece(&mut logged.at_once(&get()).unwrap()).unwrap();
    book.check(200, 5, true);
}

/// Gives this status, two pieces, and a user.
#[derive(Debug)]
struct Pieces(u16);

impl Handler for Pieces {
    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        let piece = |text: &'static str| Piece::Bytes(Bytes::from_static(text.as_bytes()));
        let body = Body::of([piece("one"), piece("three")]);
        let answer = Response::builder().status(self.0).extension(User("ada".into()));
        Ok(answer.body(body).unwrap())
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_incomplete() {
    let book = Book::open();
    let mut answer = book.keep(Pieces(200)).answer(get()).await.unwrap();
    take_a_piece(&mut answer).unwrap();
    drop(answer);
    assert_eq!(book.check(200, 3, false)["user"], "ada");
}

#[derive(Debug)]
struct OfAFile(u64);

impl Handler for OfAFile {
    fn at_once(&self, _ask: &Ask) -> Option<Answer> {
        let file = tempfile::tempfile().unwrap();
        file.set_len(self.0).unwrap();
        let stamp = Stamp::of(&file).unwrap();
        let file = OpenFiles::at_most(1).open(file, stamp);
        Some(Response::new(Body::of([Piece::File(FileSpan {
            file,
            offset: 0,
            len: self.0,
            hold: None,
        })])))
    }

    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        unreachable!("it answers at once")
    }
}

#[test]
fn of_a_file_only_the_steps_that_were_taken_are_noted() {
    for (steps, bytes, complete) in [(0, 0, false), (1, 10, false), (2, 20, false), (3, 25, true)] {
        let book = Book::open();
        let mut answer = book.keep(OfAFile(25)).at_once(&get()).unwrap();
        for _ in 0..steps {
            take_a_piece(&mut answer).unwrap();
        }
        drop(answer);
        book.check(200, bytes, complete);
    }
}

#[test]
fn an_answer_that_the_connection_replaces_is_noted_as_that() {
    let book = Book::open();
    let answer = book.keep(OfAFile(25)).at_once(&get()).unwrap();
    answer.into_body().replace(StatusCode::SERVICE_UNAVAILABLE, 7);
    book.check(503, 7, true);
}

#[tokio::test]
async fn an_answer_without_a_body_is_complete() {
    let book = Book::open();
    let mut head = get();
    *head.request.method_mut() = Method::HEAD;
    drop(book.keep(Pieces(200)).answer(head).await.unwrap());
    book.check(200, 0, true);
    let book = Book::open();
    drop(book.keep(Pieces(304)).answer(get()).await.unwrap());
    book.check(304, 0, true);
}

#[derive(Debug)]
struct Fails(Side);

impl Handler for Fails {
    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        Err(Fault::new(self.0, "answering", io::ErrorKind::Other.into()))
    }
}

#[tokio::test]
async fn faults_are_noted_as_what_the_connection_makes_of_them() {
    for (side, status) in [(Side::Upstream, 502), (Side::Relais, 500), (Side::Client, 499)] {
        let book = Book::open();
        book.keep(Fails(side)).answer(get()).await.unwrap_err();
        book.check(status, 0, false);
    }
}

#[derive(Debug)]
struct Never;

impl Handler for Never {
    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        pending().await
    }
}

#[tokio::test]
async fn a_caller_that_leaves_before_the_answer_is_noted() {
    let book = Book::open();
    {
        let logged = book.keep(Never);
        let mut leaving = pin!(logged.answer(get()));
        assert!(leaving.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    book.check(499, 0, false);
}

#[test]
fn refusals_are_noted_and_passed_on() {
    let (book, told) = (Book::open(), Told::default());
    let logged = book.keep(told.clone());
    let Ask { request, caller, .. } = ask(Peer::Local, "/a", &[("host", "a.org")]);
    let status = StatusCode::BAD_REQUEST;
    let ended = Ended::Whole(9);
    logged.refused(&Refused { caller: &caller, request: None, status, ended });
    let request = Some(&request.map(drop));
    logged.refused(&Refused { caller: &caller, request, status, ended });
    assert_eq!(told.take(), ["400 -", "400 /a"]);
    let entries = book.read();
    assert_eq!(entries.len(), 2, "{entries:?}");
    for (entry, target, version) in
        [(&entries[0], Value::Null, Value::Null), (&entries[1], json!("/a"), json!("HTTP/1.1"))]
    {
        assert_eq!((&entry["target"], &entry["version"]), (&target, &version));
        assert_eq!((&entry["status"], &entry["bytes"]), (&json!(400), &json!(9)));
        assert_eq!(entry["time"], "2000-10-10T13:55:36.000Z");
    }
}

#[test]
fn secrets_are_not_noted() {
    let book = Book::open();
    let logged = book.keep(Says::AtOnce("hello"));
    let asked = ask(
        Peer::Local,
        "http://u:hush@a.org/",
        &[("authorization", "Basic hush"), ("cookie", "hush"), ("referer", "http://u:hush@b.org/")],
    );
    take_a_piece(&mut logged.at_once(&asked).unwrap()).unwrap();
    let entry = book.check(200, 5, true);
    assert!(!entry.to_string().contains("hush"), "{entry}");
}
