//! Answers that no handler gives: what they say, and who is told of them.

use super::*;
use crate::says::Told;

/// Serves `conn` with a handler that answers everything; the second of these is told of refusals.
fn serve_told(conn: Conn, limits: Limits) -> (tokio::task::JoinHandle<()>, Told, Shutdown) {
    let told = Told::default();
    let handler: Arc<dyn DynHandler> = Arc::new(told.clone());
    let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), limits);
    let (shutdown, drain) = Shutdown::new();
    // How it ends is seen by the client.
    let serving = tokio::spawn(async move { _ = http.serve(conn, drain).await });
    (serving, told, shutdown)
}

/// What comes back for `input`, without the dates, and the refusals told of.
async fn talk_told(input: &str, limits: Limits) -> (String, Vec<String>) {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let (serving, told, _shutdown) = serve_told(conn(Stream::Memory(server)), limits);
    client.write_all(input.as_bytes()).await.unwrap();
    if limits == Limits::default() {
        client.shutdown().await.unwrap();
    }
    let output = rest_of(&mut client).await;
    drop(client);
    serving.await.unwrap();
    (output, told.take())
}

#[tokio::test]
async fn every_target_is_answered_or_refused_with_a_reason() {
    for (form, refused) in [
        ("/{}", "#<>`"),
        ("/a{}b?c", "#<>`"),
        ("/?{}", "\"#<>"),
        ("/a?{}?b", "\"#<>"),
        ("http://a/{}", "#<>`"),
        ("http://a?{}", "\"#<>"),
    ] {
        for byte in '!'..='~' {
            let target = form.replace("{}", &byte.to_string());
            check_target(&target, refused.contains(byte)).await;
        }
    }
    for len in [63, 64, 65, 66] {
        // Too long for hyper, or not what is spoken here.
        check_target(&format!("{}://a/", "a".repeat(len)), true).await;
    }
}

async fn check_target(target: &str, refused: bool) {
    let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    let (answer, told) = talk_told(&request, Limits::default()).await;
    let status = if refused { "HTTP/1.1 400 " } else { "HTTP/1.1 200 " };
    assert!(answer.starts_with(status), "{target}: {answer}");
    assert!(!answer.contains("content-length: 0\r\n"), "{target}: {answer}");
    assert_eq!(told.is_empty(), !refused, "{target}: {told:?}");
}

#[tokio::test]
async fn refusals_are_told() {
    let get = "GET /now HTTP/1.1\r\nHost: a\r\n";
    for (input, expect) in [
        ("GET /now HTTP/1.1\r\n\r\n", "400 -"),
        (&format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(20_000)), "414 -"),
        (&format!("{get}{}\r\n", "x: y\r\n".repeat(101)), "431 -"),
        (&format!("{get}Transfer-Encoding: gzip\r\n\r\n"), "501 -"),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", "505 -"),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "501 a:443"),
    ] {
        let (answer, told) = talk_told(input, Limits::default()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {} ", &expect[..3])), "{answer}");
        assert_eq!(told, [expect]);
    }
    let (answer, told) = talk_told(&format!("{get}\r\n"), Limits::default()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(told.is_empty(), "{told:?}");
}

#[tokio::test]
async fn who_is_too_slow_is_told_of() {
    let limits = Limits { head_max: Duration::ZERO, ..Limits::default() };
    let (answer, told) = talk_told("GET /now HT", limits).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(told, ["408 -"]);
}

#[tokio::test]
async fn what_follows_a_refused_tunnel_is_no_request() {
    for inside in ["", "GET /now HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let input = format!("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n{inside}");
        let (answer, told) = talk_told(&input, Limits::default()).await;
        assert!(answer.starts_with("HTTP/1.1 501 "), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert_eq!(told, ["501 a:443"]);
    }
}

/// Answers everything with so many bytes.
#[derive(Debug)]
struct Much(usize);

impl Handler for Much {
    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        Ok(Response::new(Body::full(vec![b'x'; self.0].into())))
    }
}

/// Closing a socket with bytes unread has the kernel forget what the client did not take yet.
#[tokio::test]
async fn who_has_an_answer_when_his_body_is_refused_can_read_it() {
    // The queues between us have room for the first, and not for the second.
    for much in [500_000, 30_000_000] {
        let handler: Arc<dyn DynHandler> = Arc::new(Much(much));
        let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default());
        let (mut client, server) = tcp().await;
        let (_shutdown, drain) = none();
        let serving = tokio::spawn(async move { http.serve(conn(server), drain).await });
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        for part in [head, b"no size\r\n".as_slice(), &[b'x'; 10_000], &[b'x'; 10_000]] {
            client.write_all(part).await.unwrap();
            let_others_go_on().await;
        }
        let mut output = Vec::new();
        client.read_to_end(&mut output).await.unwrap();
        assert!(output.starts_with(b"HTTP/1.1 200 "), "{much}");
        assert!(output.len() > much, "{much}: {}", output.len());
        drop(client);
        serving.await.unwrap().unwrap_err();
    }
}

#[test]
fn who_asks_in_the_clear_at_a_tls_port_is_told_if_it_speaks_http() {
    let http = http(Stage::default(), Limits::default());
    let told = http.refusal_in_the_clear(b"GET / HTTP/1.1\r\n");
    assert!(told.starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
    assert_eq!(http.refusal_in_the_clear(b"SSH-2.0-OpenSSH_"), b"");
}

#[tokio::test]
async fn a_refusal_does_not_depend_on_how_what_is_refused_is_cut() {
    for (good, bad) in [
        ("GET /now HTTP/1.1\r\nHost: a\r\n", "X : y\r\n\r\n"),
        ("GET /now HTTP/1.1\r\nHost: a\r\n", "X y\r\n"),
        ("GET /now HTTP/1.1\r\nHost: a\r\n", " folded: y\r\n"),
        ("GET /now HTTP/1.1\r\n", "Host: a b\r\n"),
        ("", "GET /n\0w HTTP/1.1\r\n"),
        ("", "GET /now HTTP/9.1\r\n"),
        ("", "G@T /now HTTP/1.1\r\n"),
        ("", "\x16\x03\x01\x02\n"),
    ] {
        let whole = talk_in_parts(&[good, bad]).await;
        assert!(whole.0.starts_with("HTTP/1.1 "), "{bad:?}: {}", whole.0);
        assert_eq!(whole.1.len(), 1, "{bad:?}");
        for cut in 1..bad.len() {
            let parts = [&format!("{good}{}", &bad[..cut]), &bad[cut..]];
            assert_eq!(talk_in_parts(&parts).await, whole, "{parts:?}");
        }
    }
}

/// What comes back for `parts`, each sent when all before it was read, and the refusals told of.
async fn talk_in_parts(parts: &[&str]) -> (String, Vec<String>) {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let (serving, told, _shutdown) = serve_told(conn(Stream::Memory(server)), Limits::default());
    for part in parts {
        // It may have been refused by now.
        _ = client.write_all(part.as_bytes()).await;
        let_others_go_on().await;
    }
    _ = client.shutdown().await;
    let output = rest_of(&mut client).await;
    serving.await.unwrap();
    (output, told.take())
}

#[tokio::test]
async fn a_target_of_another_scheme_is_refused() {
    for (target, status) in [("http://a/now", 200), ("https://a/now", 400), ("ftp://a/now", 400)] {
        let input = format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let (answer, _) = talk_told(&input, Limits::default()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {answer}");
    }
}
