//! How long each side may take.

use super::*;

/// Time that is paused runs when nothing else can, so what takes long takes none.
const SECOND: Duration = Duration::from_secs(1);

fn hasty() -> upstream::Limits {
    upstream::Limits { head_max: 2 * SECOND, stall_max: 2 * SECOND, ..Default::default() }
}

#[tokio::test(start_paused = true)]
async fn an_upload_may_take_longer_than_its_answer() {
    let server = Server::new().await;
    let mut client = client(server.proxy_within(hasty()));
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n").await.unwrap();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    for byte in b"hello" {
        tokio::time::sleep(10 * SECOND).await;
        client.write_u8(*byte).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), *byte);
    }
    tokio::time::sleep(SECOND).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert!(head_of(&mut client).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(start_paused = true)]
async fn an_upload_over_http2_may_take_longer_than_its_answer() {
    let server = Server::new().await;
    let mut client = client(server.proxy_that_speaks(Speaks::Http2, hasty()));
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    client.write_all(head).await.unwrap();
    let answer = hyper::service::service_fn(async |request: http::Request<_>| {
        let body: hyper::body::Incoming = request.into_body();
        let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
        Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Full::new(body)))
    });
    let stream = hyper_util::rt::TokioIo::new(server.accept().await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let serving =
        hyper::server::conn::http2::Builder::new(executor).serve_connection(stream, answer);
    tokio::spawn(serving);
    for byte in b"hello" {
        tokio::time::sleep(10 * SECOND).await;
        client.write_u8(*byte).await.unwrap();
    }
    assert!(head_of(&mut client).await.starts_with("HTTP/1.1 200 "));
    let mut body = [0; 5];
    client.read_exact(&mut body).await.unwrap();
    assert_eq!(&body, b"hello");
}

#[tokio::test(start_paused = true)]
async fn who_took_an_upload_has_its_time_to_answer_and_no_more() {
    let server = Server::new().await;
    let mut client = client(server.proxy_within(hasty()));
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na").await.unwrap();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    assert!(head_of(&mut client).await.starts_with("HTTP/1.1 504 "));
}

#[tokio::test(start_paused = true)]
async fn a_body_has_its_time_from_when_its_head_came() {
    let server = Server::new().await;
    let limits = upstream::Limits { stall_max: 10 * SECOND, ..hasty() };
    let mut client = client(server.proxy_within(limits));
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").await.unwrap();
    assert!(head_of(&mut client).await.starts_with("HTTP/1.1 200 "));
    tokio::time::sleep(9 * SECOND).await;
    stream.write_all(b"o").await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'o');
    assert!(client.read_u8().await.is_err(), "cut once it stalls");
}

fn all_in_all() -> upstream::Limits {
    upstream::Limits { total_max: Some(10 * SECOND), ..Default::default() }
}

/// Has a request answered by `said` and then, if that is anything, by a byte each second: how many of
/// those come, and how long it takes to the head.
async fn dripping(said: &'static str, expect: &str) -> (usize, Duration) {
    let server = Server::new().await;
    let mut client = client(server.proxy_within(all_in_all()));
    let begun = tokio::time::Instant::now();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    tokio::spawn(async move {
        stream.write_all(said.as_bytes()).await.unwrap();
        while !said.is_empty() && stream.write_u8(b'x').await.is_ok() {
            tokio::time::sleep(SECOND).await;
        }
        // It does not go, either.
        tokio::time::sleep(100 * SECOND).await;
    });
    let head = head_of(&mut client).await;
    assert!(head.starts_with(expect), "{head}");
    let (mut bytes, took) = (0, begun.elapsed());
    while !said.is_empty() && client.read_u8().await.is_ok() {
        bytes += 1;
    }
    (bytes, took)
}

#[tokio::test(start_paused = true)]
async fn an_answer_has_its_time_in_all_though_it_never_stalls() {
    let drips = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    let (bytes, _) = dripping(drips, "HTTP/1.1 200 ").await;
    assert!((9..=13).contains(&bytes), "{bytes}");
    let (_, took) = dripping("", "HTTP/1.1 504 ").await;
    assert!((10 * SECOND..=13 * SECOND).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_in_time_is_read_as_late_as_one_likes() {
    let server = Server::new().await;
    let mut client = client(server.proxy_within(all_in_all()));
    for _ in 0..2 {
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut stream = server.accept().await;
        head(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
        tokio::time::sleep(20 * SECOND).await;
        assert!(head_of(&mut client).await.starts_with("HTTP/1.1 200 "));
        let mut body = [0; 2];
        client.read_exact(&mut body).await.unwrap();
        assert_eq!(&body, b"ok");
    }
}
