//! One message after the other, up to the limits, and what comes after a refusal.

use super::*;

#[test]
fn an_idle_guard_is_small() {
    assert!(size_of::<Guard>() <= 96, "{} bytes", size_of::<Guard>());
    let mut guard = Guard::new(LIMITS);
    for byte in b"POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n." {
        assert_eq!(guard.feed(&[*byte]), Fed { passed: 1, refusal: None });
    }
    assert_eq!(guard.stage(), Stage::BetweenMessages);
    assert_eq!(guard.line.capacity(), 0);
}

#[test]
fn stages_follow_the_bytes() {
    passes("", 0, Stage::BetweenMessages);
    passes("\r\n", 0, Stage::BetweenMessages);
    passes("\r", 0, Stage::Head);
    passes("G", 0, Stage::Head);
    passes("GET / HTTP/1.1\r\n", 0, Stage::Head);
    passes("GET / HTTP/1.1\r\nHost: a\r\n\r", 0, Stage::Head);
    passes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 1, Stage::Body);
    passes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\r\n", 1, Stage::Body);
    passes(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\r\n\n",
        1,
        Stage::BetweenMessages,
    );
    passes(chunked(""), 1, Stage::Body);
    passes(chunked("0\r\n"), 1, Stage::Body);
    passes(chunked("0\r\n\r"), 1, Stage::Body);
    passes(chunked("0\r\n\r\n"), 1, Stage::BetweenMessages);
}

#[test]
fn what_is_left_of_a_body_follows_the_bytes() {
    let mut guard = Guard::new(LIMITS);
    let trailers = TRAILERS_BYTES_MAX.into();
    for (piece, left) in [
        ("", 0),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r", 0),
        ("\n", 5),
        ("12", 3),
        ("345", 0),
        (&*chunked(""), u64::MAX),
        ("1\r\na\r\n", u64::MAX),
        ("0\r\n", trailers),
        ("X: y\r\n\r", trailers),
        ("\nGET /", 0),
        (" HTTP/1.1\r\nHost: a\r\n\r\n", 0),
        (&*chunked("x"), u64::MAX),
    ] {
        _ = guard.feed(piece.as_bytes());
        assert_eq!(guard.body_left(), left, "{piece:?}");
    }
    assert_eq!(guard.stage(), Stage::Refused);
}

#[test]
fn messages_in_a_row_pass() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    passes(get.repeat(3), 3, Stage::BetweenMessages);
    passes(format!("{get}\r\n{get}\r\n"), 2, Stage::BetweenMessages);
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /";
    passes(format!("{post}\r\n{get}{post}{get}P"), 4, Stage::Head);
    let chunks = chunked("5\r\nGET /\r\n0\r\n\r\n");
    passes(format!("{chunks}{get}{chunks}\r\n{post}"), 4, Stage::BetweenMessages);
}

#[test]
fn what_comes_after_a_sound_message_is_judged_for_itself() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    for sound in [get.to_owned(), post.to_owned(), chunked("1\r\na\r\n0\r\n\r\n"), get.repeat(3)] {
        refuses_after(format!("{sound}x\r\n"), sound.len(), Refusal::RequestLine);
        refuses_after(format!("{sound}GET / HTTP/1.1\r\n\r\n"), sound.len(), Refusal::HostMissing);
        refuses_after(format!("{sound}\r\n\r\n{get}"), sound.len(), Refusal::EmptyLines);
        refuses_after(format!("{sound}0\r\n\r\n{get}"), sound.len(), Refusal::RequestLine);
    }
}

#[test]
fn limits_are_reached() {
    let fields = |count: usize| "X: a\r\n".repeat(count);
    passes(with(&fields(7)), 1, Stage::BetweenMessages);
    refuses(with(&fields(8)), Refusal::TooManyFields { max: 8 });
    passes(chunked(&format!("0\r\n{}\r\n", fields(8))), 1, Stage::BetweenMessages);
    refuses(chunked(&format!("0\r\n{}\r\n", fields(9))), Refusal::TooManyFields { max: 8 });

    let target = |len: usize| {
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(len - "GET / HTTP/1.1\r\n".len()))
    };
    passes(target(400), 1, Stage::BetweenMessages);
    refuses(target(401), Refusal::TargetTooLong { max: 400 });
    refuses(target(4010), Refusal::TargetTooLong { max: 400 });

    let field = |len: usize| format!("X:{}\r\n", "a".repeat(len - "X:\r\n".len()));
    passes(with(&field(400)), 1, Stage::BetweenMessages);
    refuses(with(&field(401)), Refusal::LineTooLong { max: 400 });
    passes(chunked(&format!("0\r\n{}\r\n", field(400))), 1, Stage::BetweenMessages);
    refuses(chunked(&format!("0\r\n{}\r\n", field(401))), Refusal::LineTooLong { max: 400 });

    let head = |len: usize| with(&(field(300) + &field(len - with("").len() - 300)));
    passes(head(600), 1, Stage::BetweenMessages);
    refuses(head(601), Refusal::HeadTooLarge { max: 600 });
    refuses(head(602), Refusal::HeadTooLarge { max: 600 });
    refuses(head(650), Refusal::HeadTooLarge { max: 600 });
    let trailers = |len: usize| chunked(&format!("0\r\n{}{}\r\n", field(300), field(len - 302)));
    passes(trailers(600), 1, Stage::BetweenMessages);
    refuses(trailers(601), Refusal::HeadTooLarge { max: 600 });
}

#[test]
fn a_flood_without_line_ends_is_cut_at_the_limit() {
    let mut guard = Guard::new(LIMITS);
    for _ in 0..399 {
        assert_eq!(guard.feed(b"a").refusal, None);
    }
    assert!(guard.line.capacity() <= 800);
    assert_eq!(guard.feed(b"a").refusal, Some(Refusal::TargetTooLong { max: 400 }));
    assert_eq!(guard.line.capacity(), 0);
}

#[test]
fn a_refusal_is_final() {
    let mut guard = Guard::new(LIMITS);
    let refused = Fed { passed: 0, refusal: Some(Refusal::BareLf) };
    assert_eq!(guard.feed(b"\n"), refused);
    guard.tunnel();
    assert_eq!(guard.stage(), Stage::Refused);
    assert_eq!(guard.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), refused);
    assert_eq!(guard.heads(), 0);
}

const CONNECT: &str = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";

#[test]
fn behind_connect_nothing_passes_and_nothing_is_judged() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for behind in ["\x16\x03\x01\x02\0\n\r", get, CONNECT, "\r\n", "x"] {
        let input = format!("{get}{CONNECT}{behind}");
        let mut guard = Guard::new(LIMITS);
        let passed = input.len() - behind.len();
        assert_eq!(guard.feed(input.as_bytes()), Fed { passed, refusal: None });
        assert_eq!(guard.feed(behind.as_bytes()), Fed { passed: 0, refusal: None });
        judge_however_cut(input.as_bytes(), (None, 2, Stage::Held));
    }
}

#[test]
fn a_tunnel_passes_everything() {
    let mut guard = Guard::new(LIMITS);
    assert_eq!(guard.feed(CONNECT.as_bytes()), Fed { passed: CONNECT.len(), refusal: None });
    guard.tunnel();
    assert_eq!(guard.stage(), Stage::Tunnel);
    assert_eq!(guard.feed(b"\n\0\r\xFF"), Fed { passed: 4, refusal: None });
    assert_eq!(guard.heads(), 1);
}
