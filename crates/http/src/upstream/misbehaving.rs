//! Upstreams of HTTP/2 whose frames are made by hand: those that cut an answer off, take no more
//! requests, or do what none should.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use http::{Method, Request, header::HOST};
use relais_net::{Fault, Peer};
use tokio::{
    io::{self, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{Balance, Call, Failed, Group, Limits, Options, Reply, Speaks, Upstream};
use crate::{Inbound, Piece, upstream::dialer_for_tests};

/// A request that came.
#[derive(Clone, Copy)]
struct Asked {
    /// On which connection, from 0 on.
    conn: usize,
    stream: u32,
}

/// The frames that come on a request, and what becomes of the connection.
type Act = fn(Asked) -> (Vec<u8>, Then);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Stay,
    Close,
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const NO_ERROR: u32 = 0;
const REFUSED: u32 = 7;
const CANCEL: u32 = 8;

/// `:status: 200`, in the table of HPACK.
const OK: &[u8] = &[0x88];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn data(flags: u8, stream: u32) -> Vec<u8> {
    frame(0, flags, stream, b"half")
}

fn head(flags: u8, stream: u32) -> Vec<u8> {
    frame(1, END_HEADERS | flags, stream, OK)
}

/// A head and a half.
fn half(stream: u32) -> Vec<u8> {
    [head(0, stream), data(0, stream)].concat()
}

fn whole(stream: u32) -> Vec<u8> {
    [head(0, stream), data(END_STREAM, stream)].concat()
}

fn reset(stream: u32, reason: u32) -> Vec<u8> {
    frame(3, 0, stream, &reason.to_be_bytes())
}

fn go_away(last_stream: u32) -> Vec<u8> {
    frame(7, 0, 0, &[last_stream.to_be_bytes(), [0; 4]].concat())
}

/// So many fields of the name `a`.
fn fields(count: usize) -> Vec<u8> {
    b"\x00\x01a\x00".repeat(count)
}

/// An answer with so many fields before its body, and behind it.
fn answered(it: Asked, early: usize, late: usize) -> (Vec<u8>, Then) {
    let frames = [
        frame(1, END_HEADERS, it.stream, &[OK, &fields(early)].concat()),
        data(0, it.stream),
        frame(1, END_HEADERS | END_STREAM, it.stream, &fields(late)),
    ];
    (frames.concat(), Then::Stay)
}

/// Serves a connection whose settings are these.
async fn serve(
    mut stream: TcpStream,
    conn: usize,
    (settings, act): (&[u8], Act),
) -> io::Result<()> {
    stream.read_exact(&mut [0; 24]).await?;
    stream.write_all(&frame(4, 0, 0, settings)).await?;
    loop {
        let mut front = [0; 9];
        stream.read_exact(&mut front).await?;
        let [l0, l1, l2, kind, flags, id @ ..] = front;
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, l0, l1, l2])).unwrap()];
        stream.read_exact(&mut payload).await?;
        match kind {
            1 => {
                let (frames, then) = act(Asked { conn, stream: u32::from_be_bytes(id) });
                stream.write_all(&frames).await?;
                if then == Then::Close {
                    return Ok(());
                }
            }
            4 if flags == 0 => stream.write_all(&frame(4, 1, 0, b"")).await?,
            _ => (),
        }
    }
}

/// Who asks an upstream that says so of itself and does so.
async fn group(settings: &'static [u8], act: Act) -> (Group, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let conns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&conns);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, counted.fetch_add(1, Relaxed), (settings, act)));
        }
    });
    let (host, dialer, speaks) = (None, dialer_for_tests(), Speaks::Http2);
    let limits = Limits::default();
    let upstream = Upstream::new(Options { endpoint, host, dialer, speaks, limits });
    (Group::new(vec![Arc::new(upstream)], Balance::Least).unwrap(), conns)
}

async fn call(group: &Group, method: Method, body: &'static str) -> Result<Reply, Failed> {
    let request = Request::builder().method(method).uri("/").header(HOST, "a.example");
    let (head, ()) = request.body(()).unwrap().into_parts();
    let body = Inbound::Full(Bytes::from_static(body.as_bytes()));
    let client = Peer::Local.client();
    group.call(Call { request: &head, trail: b"", body, client, interims: None }).await
}

async fn get(group: &Group) -> Result<Reply, Failed> {
    call(group, Method::GET, "").await
}

async fn read(reply: Reply) -> Result<Vec<u8>, Fault> {
    let (mut body, mut read) = (reply.response.into_body(), Vec::new());
    while let Some(piece) = poll_fn(|cx| body.poll_piece(cx, 1 << 16)).await {
        let Piece::Bytes(bytes) = piece? else { panic!("bytes") };
        read.extend_from_slice(&bytes);
    }
    Ok(read)
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_not_whole_whatever_is_said_of_it() {
    let check = async |act: Act, is_whole: bool| {
        let (group, _) = group(b"", act).await;
        let read = read(get(&group).await.unwrap()).await;
        assert_eq!(read.is_ok(), is_whole, "{read:?}");
    };
    check(|it| ([half(it.stream), reset(it.stream, NO_ERROR)].concat(), Then::Stay), false).await;
    check(|it| ([half(it.stream), reset(it.stream, CANCEL)].concat(), Then::Stay), false).await;
    check(|it| ([half(it.stream), go_away(0)].concat(), Then::Close), false).await;
    check(|it| ([half(it.stream), go_away(it.stream)].concat(), Then::Close), false).await;
    check(|it| (half(it.stream), Then::Close), false).await;
    check(|it| (whole(it.stream), Then::Close), true).await;
    check(|it| ([whole(it.stream), reset(it.stream, NO_ERROR)].concat(), Then::Stay), true).await;
    check(|it| ([whole(it.stream), go_away(0)].concat(), Then::Close), true).await;
    check(|it| (head(END_STREAM, it.stream), Then::Stay), true).await;
}

#[tokio::test]
async fn what_an_upstream_did_not_begin_with_it_is_asked_again() {
    let check = async |act: Act, method: Method, body: &'static str, is_answered: bool| {
        let (group, _) = group(b"", act).await;
        // The first makes the connection whose second is not answered.
        assert!(read(get(&group).await.unwrap()).await.is_ok());
        let reply = call(&group, method, body).await;
        assert_eq!(reply.is_ok(), is_answered, "{reply:?}");
        assert!(group.upstreams()[0].is_well());
    };
    let refuses: Act = |it| match it {
        Asked { stream: 3, .. } => (reset(3, REFUSED), Then::Stay),
        it => (whole(it.stream), Then::Stay),
    };
    check(refuses, Method::GET, "", true).await;
    check(refuses, Method::POST, "", true).await;
    check(refuses, Method::POST, "begun", false).await;
    let leaves: Act = |it| match it {
        Asked { conn: 0, stream: 3 } => (go_away(1), Then::Close),
        it => (whole(it.stream), Then::Stay),
    };
    check(leaves, Method::POST, "", true).await;
    let breaks_off: Act = |it| match it {
        Asked { conn: 0, stream: 3 } => (Vec::new(), Then::Close),
        it => (whole(it.stream), Then::Stay),
    };
    check(breaks_off, Method::GET, "", true).await;
    check(breaks_off, Method::POST, "", false).await;
}

/// As with `keepalive_requests` of nginx.
#[tokio::test]
async fn who_takes_two_requests_on_each_connection_answers_all_that_come_at_once() {
    let (group, conns) = group(b"", |it| match it.stream {
        1 => (whole(1), Then::Stay),
        3 => ([go_away(3), whole(3)].concat(), Then::Stay),
        _ => (Vec::new(), Then::Stay),
    })
    .await;
    let group = Arc::new(group);
    let mut calls = JoinSet::new();
    for _ in 0..6 {
        let group = Arc::clone(&group);
        calls.spawn(async move { read(get(&group).await.unwrap()).await.unwrap() });
    }
    assert!(calls.join_all().await.iter().all(|read| read == b"half"));
    assert!(conns.load(Relaxed) <= 6);
}

#[tokio::test]
async fn who_always_refuses_or_leaves_is_given_up() {
    let (group, conns) = group(b"", |it| (reset(it.stream, REFUSED), Then::Stay)).await;
    assert!(get(&group).await.is_err());
    assert_eq!(conns.load(Relaxed), 1);
    let (group, conns) = self::group(b"", |_| (go_away(0), Then::Close)).await;
    assert!(get(&group).await.is_err());
    assert_eq!(conns.load(Relaxed), 6);
}

#[tokio::test]
async fn a_connection_has_so_many_requests_at_once_and_one_more_makes_another() {
    let check = async |settings: &'static [u8], at_once: usize, expect: usize| {
        let (group, conns) = group(settings, |it| (half(it.stream), Then::Stay)).await;
        let mut replies = Vec::new();
        for _ in 0..at_once {
            replies.push(get(&group).await.unwrap());
        }
        assert_eq!(conns.load(Relaxed), expect, "{settings:?}, {at_once}");
        drop(replies.pop());
        assert!(get(&group).await.unwrap().connect.is_none());
    };
    check(b"", 64, 1).await;
    check(b"", 65, 2).await;
    check(b"\0\x03\0\0\0\x02", 2, 1).await;
    check(b"\0\x03\0\0\0\x02", 5, 3).await;
}

#[tokio::test]
async fn those_who_come_at_once_wait_for_one_connection() {
    let (group, conns) = group(b"", |it| (whole(it.stream), Then::Stay)).await;
    let group = Arc::new(group);
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let group = Arc::clone(&group);
        calls.spawn(async move { get(&group).await.unwrap().connect.is_some() });
    }
    let connected = calls.join_all().await.into_iter().filter(|&is_new| is_new).count();
    assert_eq!((connected, conns.load(Relaxed)), (1, 1));
}

#[tokio::test]
async fn an_answer_has_no_more_fields_than_there_is_room_for() {
    let check = async |act: Act, is_answered: bool, is_whole: bool| {
        let (group, _) = group(b"", act).await;
        let reply = get(&group).await;
        assert_eq!(reply.is_ok(), is_answered);
        if let Ok(reply) = reply {
            assert_eq!(read(reply).await.is_ok(), is_whole);
        }
    };
    check(|it| answered(it, 256, 256), true, true).await;
    check(|it| answered(it, 257, 1), false, false).await;
    check(|it| answered(it, 1, 257), true, false).await;
}
