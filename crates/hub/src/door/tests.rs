use std::time::SystemTime;

use http::{Request, header::ALLOW};
use relais_http::Inbound;
use relais_net::{Peer, Shutdown};
use relais_tap::Tap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::*;
use crate::{ClearPasswords, Lang, Limits, Options, Registration};

/// A page that says where it was asked, with a policy of its own.
#[derive(Debug)]
struct Page;

impl Handler for Page {
    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        (ask.request.uri().path() == "/").then(|| page("at once"))
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        Ok(page(ask.request.uri().path()))
    }
}

fn page(text: &str) -> Answer {
    let mut answer = Response::new(Body::own(text.to_owned().into()));
    let own = HeaderValue::from_static("default-src *");
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, own);
    answer
}

fn hub(folder: &std::path::Path) -> Hub {
    let options = Options {
        server: "relais/test".into(),
        lang: Lang::En,
        registration: Registration::Open,
        clear_passwords: ClearPasswords::Refused,
        datagrams: crate::DatagramForm::Sealed,
        limits: Limits::default(),
        tap: Tap::new(1),
        clock: || SystemTime::UNIX_EPOCH,
        random: |bytes| bytes.fill(7),
        calculator: None,
    };
    Hub::open(&folder.join("hub.db"), options).unwrap()
}

fn door(folder: &std::path::Path) -> Door {
    Door::new(hub(folder), Vec::new(), Arc::new(Page))
}

fn caller() -> Arc<Caller> {
    let local = Arc::new("http://127.0.0.1:8010".parse().unwrap());
    Arc::new(Caller { peer: Peer::Local, local, tls: None })
}

fn ask(method: &str, target: &str) -> Ask {
    let request = Request::builder().method(method).uri(target).header("host", "localhost");
    Ask::new(request.body(Inbound::Full(Bytes::new())).unwrap(), caller())
}

#[tokio::test]
async fn the_page_is_guarded_however_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path());
    let at_once = door.at_once(&ask("GET", "/")).unwrap();
    assert!(door.at_once(&ask("GET", "/app.js")).is_none());
    let in_time = door.answer(ask("GET", "/app.js")).await.unwrap();
    for answer in [at_once, in_time] {
        let fields = answer.headers();
        assert_eq!(fields.get_all(CONTENT_SECURITY_POLICY).iter().count(), 1);
        let policy = fields[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert_eq!(fields[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(fields[REFERRER_POLICY], "no-referrer");
        assert_eq!(fields[CACHE_CONTROL], "no-cache");
    }
}

#[tokio::test]
async fn who_asks_for_no_web_socket_is_told_what_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path());
    let answer = door.at_once(&ask("GET", "/ws")).unwrap();
    assert_eq!(answer.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(answer.headers()["sec-websocket-version"], "13");
    let answer = door.answer(ask("POST", "/ws?a=b")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers()[ALLOW], "GET");
}

#[tokio::test]
async fn who_calls_it_by_the_name_of_a_site_has_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path());
    let hook = format!("/hook/hk_{}", "A".repeat(43));
    for target in ["/", "/app.js", "/ws", &hook] {
        let mut ask = ask("GET", target);
        ask.request.headers_mut().insert("host", HeaderValue::from_static("evil.example:8010"));
        let at_once = door.at_once(&ask).map(|answer| answer.status());
        assert_eq!(at_once, Some(StatusCode::MISDIRECTED_REQUEST), "{target}");
        let answer = door.answer(ask).await.unwrap();
        assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST, "{target}");
    }
}

fn post(target: &str, body: &[u8]) -> Ask {
    let request = Request::builder().method("POST").uri(target).header("host", "localhost");
    Ask::new(request.body(Inbound::Full(Bytes::copy_from_slice(body))).unwrap(), caller())
}

#[tokio::test]
async fn what_is_posted_to_no_hook_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path());
    let hook = format!("/hook/hk_{}", "A".repeat(43));
    assert!(door.at_once(&ask("GET", &hook)).is_none());
    for (ask, expect) in [
        (ask("GET", &hook), StatusCode::METHOD_NOT_ALLOWED),
        (post("/hook/", b"{}"), StatusCode::NOT_FOUND),
        (post("/hook/a/b", b"{}"), StatusCode::NOT_FOUND),
        (post(&hook, br#"{"text":"a"}"#), StatusCode::NOT_FOUND),
        (post(&hook, b"{}"), StatusCode::BAD_REQUEST),
        (post(&hook, &b" ".repeat((64 << 10) + 1)), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(door.answer(ask).await.unwrap().status(), expect);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_text_is_said_of_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path());
    let hook = format!("/hook/hk_{}", "A".repeat(43));
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(door.hub.shared.limits.body_bytes_max + 1));
    for body in [r#"{"text":" "}"#, &long] {
        let mut answer = door.answer(post(&hook, body.as_bytes())).await.unwrap();
        let piece = std::future::poll_fn(|cx| answer.body_mut().poll_piece(cx, 1 << 20)).await;
        let Some(Ok(relais_http::Piece::Bytes(told))) = piece else { panic!("{piece:?}") };
        let told = str::from_utf8(&told).unwrap();
        assert!(told.contains(r#""field":"text""#) && !told.contains("body"), "{told}");
    }
}

#[tokio::test]
async fn whatever_a_program_is_refused_for_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path());
    let hook = format!("/hook/hk_{}", "A".repeat(43));
    let mut in_the_clear = post(&hook, b"{}");
    let Caller { local, .. } = &*in_the_clear.caller;
    let peer = Peer::Net("192.0.2.7:999".parse().unwrap());
    in_the_clear.caller = Arc::new(Caller { peer, local: Arc::clone(local), tls: None });
    let long = b" ".repeat((64 << 10) + 1);
    for (ask, code) in [
        (ask("GET", &hook), Code::BadFrame),
        (post("/hook/none", b"{}"), Code::NoSuchHook),
        (post(&hook, &long), Code::FrameTooBig),
        (post(&hook, br#"{"text":"a"}"#), Code::NoSuchHook),
        (in_the_clear, Code::TlsRequired),
    ] {
        let times = || {
            let refused = door.hub.counted().refused;
            refused.iter().find(|(of, _)| *of == code).map_or(0, |(_, times)| *times)
        };
        let before = times();
        drop(door.answer(ask).await.unwrap());
        assert_eq!(times(), before + 1, "{code}");
    }
}

#[tokio::test]
async fn who_could_be_overheard_posts_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path());
    let mut ask = post("/hook/hk_a", b"{}");
    let Caller { local, .. } = &*ask.caller;
    let peer = Peer::Net("192.0.2.7:999".parse().unwrap());
    ask.caller = Arc::new(Caller { peer, local: Arc::clone(local), tls: None });
    assert_eq!(door.answer(ask).await.unwrap().status(), StatusCode::FORBIDDEN);
}

/// A masked frame with a mask of zeros.
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

#[tokio::test]
async fn a_guest_is_heard_from_its_first_byte_and_told_when_the_hub_ends() {
    let folder = tempfile::tempdir().unwrap();
    let guest = Box::new(Guest { hub: hub(folder.path()), caller: caller() });
    let (mut client, stream) = duplex(1 << 10);
    let (shutdown, drain) = Shutdown::new();
    let hello = frame(r#"{"cmd":"HELLO","id":1,"proto":1}"#);
    let (early, rest) = hello.split_at(9);
    let early = Bytes::copy_from_slice(early);
    let serving = tokio::spawn(guest.go_on(Stream::Memory(stream), early, drain));
    client.write_all(rest).await.unwrap();
    let mut head = [0; 4];
    client.read_exact(&mut head).await.unwrap();
    assert_eq!(head[..2], [0x81, 126]);
    let mut told = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]]))];
    client.read_exact(&mut told).await.unwrap();
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains(r#""server":"relais/test""#) && !told.contains('\n'), "{told}");
    shutdown.request();
    let mut last = Vec::new();
    client.read_to_end(&mut last).await.unwrap();
    let last = String::from_utf8_lossy(&last);
    assert!(last.contains(r#""ev":"bye","code":"SHUTDOWN""#), "{last}");
    assert!(last.ends_with("told to stop"), "{last}");
    drop(client);
    serving.await.unwrap().unwrap();
}
