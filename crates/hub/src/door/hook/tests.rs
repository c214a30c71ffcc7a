use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(code: Code, expect: u16) {
    assert_eq!(refused(&Refusal::of(code)).status().as_u16(), expect, "{code:?}");
}

#[test]
fn a_refusal_has_the_status_that_says_the_same() {
    check(Code::NoSuchHook, 404);
    check(Code::NoSuchRoom, 404);
    check(Code::BadFrame, 400);
    check(Code::BadField, 400);
    check(Code::Muted, 403);
    check(Code::TlsRequired, 403);
    check(Code::CidReused, 409);
    check(Code::TooLong, 413);
    check(Code::FrameTooBig, 413);
    check(Code::RateLimited, 429);
    check(Code::StoreFull, 503);
    check(Code::Shutdown, 503);
    check(Code::Internal, 500);
}

#[tokio::test]
async fn a_refusal_is_told_as_everywhere_and_when_to_come_again() {
    let mut answer = refused(&Refusal::of(Code::RateLimited).retry_ms(1001));
    assert_eq!(answer.headers()[RETRY_AFTER], "2");
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
    let piece = std::future::poll_fn(|cx| answer.body_mut().poll_piece(cx, 1 << 20)).await;
    let Some(Ok(relais_http::Piece::Bytes(text))) = piece else { panic!("{piece:?}") };
    let text = str::from_utf8(&text).unwrap();
    assert!(text.starts_with(r#"{"err":{"code":"RATE_LIMITED","retry_ms":1001,"#), "{text}");
}

#[test]
fn what_is_posted_has_a_text_and_perhaps_much_else() {
    let read = |text: &str| json::read_posted(text.as_bytes()).ok();
    assert_eq!(read(r#"{"text":"a"}"#).as_deref(), Some("a"));
    let much = r#"{"username":"ci","icon_emoji":":x:","text":"é\n","attachments":[{"a":[1]}]}"#;
    assert_eq!(read(much).as_deref(), Some("é\n"));
    let (no_frame, no_text) = ((Code::BadFrame, None), (Code::BadField, Some("text")));
    for (bad, expect) in [
        ("", no_frame),
        ("text=done", no_frame),
        (r#"{"text":"a"}x"#, no_frame),
        ("{}", no_text),
        (r#"{"text":7}"#, no_text),
        (r#"{"text":null}"#, no_text),
        ("[1]", no_frame),
        (r#"["from an array"]"#, no_frame),
    ] {
        let refusal = json::read_posted(bad.as_bytes()).err().unwrap();
        assert_eq!((refusal.code, refusal.field), expect, "{bad}");
        assert_eq!(refusal.why, r#"expected {"text":"…"}"#);
    }
}

#[test]
fn what_is_posted_is_told_where_it_is_not_as_strict_as_a_frame() {
    let deep = |many| format!(r#"{{"text":"a","deep":{}{}}}"#, "[".repeat(many), "]".repeat(many));
    assert!(json::read_posted(deep(15).as_bytes()).is_ok());
    let deeper = "deeper than 16 at line 1 column ";
    for (bad, expect) in [
        (deep(16).as_bytes(), deeper),
        (deep(30_000).as_bytes(), deeper),
        ("[".repeat(100_000).as_bytes(), deeper),
        (br#"{"text":"a","b":{"c":1,"c":2}}"#, r#""c" stands there twice at line 1 column "#),
        (b"{\"text\":\"caf\xe9\"}", "expected UTF-8"),
    ] {
        let refusal = json::read_posted(bad).err().unwrap();
        assert_eq!(refusal.code, Code::BadFrame);
        assert!(refusal.why.starts_with(expect), "{}", refusal.why);
    }
}

#[test]
fn a_key_names_what_is_said() {
    let read = |key: &'static str| {
        let fields = HeaderMap::from_iter([(
            http::HeaderName::from_static("idempotency-key"),
            HeaderValue::from_bytes(key.as_bytes()).unwrap(),
        )]);
        cid(&fields).map(|cid| cid.unwrap().as_str().to_owned()).ok()
    };
    assert_eq!(read("build-17").as_deref(), Some("build-17"));
    assert_eq!((read(""), read("a b"), read("é")), (None, None, None));
    assert_eq!(cid(&HeaderMap::new()).unwrap(), None);
}

proptest! {
    #[test]
    fn nothing_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = json::read_posted(&body);
    }
}
