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
