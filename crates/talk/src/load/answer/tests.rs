use super::*;

/// What is heard of `text`, which comes in pieces of any size, before the connection is closed.
#[track_caller]
fn check(asked: Asked, text: &str, expect: Result<(u16, Then), Kind>) {
    for size in [1, 2, 3, 7, text.len().max(1)] {
        let mut answers = Answers::to(asked);
        let mut found = Ok(Heard::Part);
        for piece in text.as_bytes().chunks(size) {
            assert_eq!(found, Ok(Heard::Part), "{text:?} by {size} was whole before {piece:?}");
            found = answers.hear(piece);
            if found.is_err() {
                break;
            }
        }
        let found = match found {
            Ok(Heard::Whole(answered)) => Ok(answered),
            Ok(Heard::Part) => answers.end(),
            Err(failure) => Err(failure),
        };
        if let Ok(answered) = &found {
            assert_eq!(answered.bytes, len(text.as_bytes()), "{text:?} by {size}");
        }
        let found = found.map(|answered| (answered.status.unwrap(), answered.then));
        assert_eq!(found.map_err(|failure| failure.kind), expect, "{text:?} by {size}");
    }
}

#[test]
fn an_answer_ends_where_its_framing_says() {
    let usual = |text, expect| check(Asked::Usual, text, expect);
    usual("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", Ok((200, Then::Goes)));
    usual("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Ok((200, Then::Goes)));
    usual("HTTP/1.1 204 No Content\r\n\r\n", Ok((204, Then::Goes)));
    usual("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", Ok((304, Then::Goes)));
    usual(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        Ok((200, Then::Goes)),
    );
    usual(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: b\r\n\r\n",
        Ok((200, Then::Goes)),
    );
    check(Asked::Head, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", Ok((200, Then::Goes)));
}

#[test]
fn what_comes_before_the_answer_is_none() {
    check(
        Asked::Usual,
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: \
         1\r\n\r\nx",
        Ok((404, Then::Goes)),
    );
}

#[test]
fn what_comes_before_the_answer_is_not_heard_for_ever() {
    let answer = "HTTP/1.1 204 No Content\r\n\r\n";
    let behind = |count| format!("{}{answer}", "HTTP/1.1 102 Processing\r\n\r\n".repeat(count));
    check(Asked::Usual, &behind(16), Ok((204, Then::Goes)));
    check(Asked::Usual, &behind(17), Err(Kind::Malformed));
}

#[test]
fn a_connection_that_is_over_is_told() {
    let usual = |text, expect| check(Asked::Usual, text, expect);
    usual(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na",
        Ok((200, Then::Closes)),
    );
    usual("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", Ok((200, Then::Closes)));
    usual("HTTP/1.1 200 OK\r\n\r\nuntil the end", Ok((200, Then::Closes)));
}

#[test]
fn what_is_cut_or_no_answer_is_none() {
    let usual = |text, expect| check(Asked::Usual, text, Err(expect));
    usual("", Kind::Closed);
    usual("HTTP/1.1 200", Kind::Closed);
    usual("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", Kind::Closed);
    usual("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", Kind::Closed);
    usual("SSH-2.0-OpenSSH\r\n", Kind::Malformed);
    usual("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Kind::Malformed);
}

#[test]
fn what_follows_an_answer_unasked_is_no_answer() {
    let mut answers = Answers::to(Asked::Usual);
    let failure = answers.hear(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc").unwrap_err();
    let expect = (Kind::Malformed, "2 bytes behind the answer: expected none");
    assert_eq!((failure.kind, failure.what.as_str()), expect);
}

#[test]
fn a_head_without_an_end_is_refused_at_its_limit() {
    let mut answers = Answers::to(Asked::Usual);
    answers.hear(b"HTTP/1.1 200 OK\r\n").unwrap();
    let mut heard = 0;
    let failure = loop {
        match answers.hear(b"Field: value\r\n") {
            Ok(_) => heard += 1,
            Err(failure) => break failure,
        }
        assert!(heard <= 256, "{heard} fields");
    };
    assert_eq!(failure.kind, Kind::Malformed);
    assert!(answers.kept.len() < 64 << 10);
}

#[test]
fn answers_follow_each_other_on_a_connection() {
    let mut answers = Answers::to(Asked::Usual);
    for _ in 0..3 {
        let whole = answers.hear(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na").unwrap();
        assert_eq!(
            whole,
            Heard::Whole(Answered { bytes: 39, status: Some(200), sent: None, then: Then::Goes })
        );
    }
}

#[test]
fn an_echo_is_right_or_its_first_difference_is_told() {
    let whole = Heard::Whole(Answered { bytes: 5, status: None, sent: None, then: Then::Goes });
    let mut echo = Echo::of(b"hello");
    assert_eq!(echo.hear(b"he"), Ok(Heard::Part));
    assert_eq!(echo.hear(b"llo"), Ok(whole));
    let check = |pieces: &[&[u8]], expect: &str| {
        let mut echo = Echo::of(b"hello");
        let heard: Result<Vec<_>, _> = pieces.iter().map(|piece| echo.hear(piece)).collect();
        let failure = heard.unwrap_err();
        assert_eq!((failure.kind, failure.what.as_str()), (Kind::Wrong, expect));
    };
    check(&[b"help"], "\"help\" came back: expected \"hello\"");
    check(&[b"he", b"x"], "\"hex\" came back: expected \"hello\"");
    check(&[b"hello!"], "\"hello!\" came back: expected \"hello\"");
    check(&[b"\x1b[2J\xff"], "\"\\u{1b}[2J\u{fffd}\" came back: expected \"hello\"");
    // Where it is not to be seen.
    let check = |sent: &[u8], came: &[u8], expect: &str| {
        assert_eq!(Echo::of(sent).hear(came).unwrap_err().what, expect);
    };
    let long = [b'x'; 64];
    let twice = "128 bytes came back, which begin as was sent: expected 64 bytes";
    check(&long, &[long, long].concat(), twice);
    let other = [&long[..63], b"y"].concat();
    check(&long, &other, "64 bytes came back, of which number 64 is another: expected 64 bytes");
    let failure = Echo::of(b"hello").end().unwrap_err();
    assert_eq!(failure.what, "closed after 0 of 5 bytes");
}

#[test]
fn a_long_message_is_shown_by_its_start() {
    let text = shown(&[b'x'; 1_000]);
    assert_eq!(text, format!("\"{}…\"", "x".repeat(60)));
}
