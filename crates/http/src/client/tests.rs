use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Version};
use relais_net::{
    DialLimits, Dialer,
    tls::{Connector, Demand, Roots, Trust},
};
use relais_wire::http1::HeadLimits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

const HEAD: HeadLimits = HeadLimits { head_bytes_max: 4096, line_bytes_max: 1024, fields_max: 20 };

/// Longer than anything takes here.
const SECONDS: Duration = Duration::from_secs(5);

fn client() -> Client {
    let demand = Demand { trust: Trust::Roots(Roots::none()), server_name: None, own: None };
    let most = Duration::from_secs(5);
    let limits =
        DialLimits { connect_max: most, handshake_max: most, source: None, keepalive: None };
    Client {
        dialer: Dialer::new(limits, Connector::new(&demand).unwrap()),
        speaks: Speaks::Agreed,
        proxy: None,
        limits: Limits { head: HEAD, silence_max: SECONDS, greeting_max: SECONDS },
    }
}

/// A server that reads a head and a body of `body` bytes, sends `answer`, and closes.
async fn server(answer: impl Into<Vec<u8>>, body: usize) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = answer.into();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        let end = loop {
            if let Some(at) = asked.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4 + body;
            }
            assert_ne!(stream.read_buf(&mut asked).await.unwrap(), 0);
        };
        while asked.len() < end {
            assert_ne!(stream.read_buf(&mut asked).await.unwrap(), 0);
        }
        _ = stream.write_all(&answer).await;
        _ = stream.shutdown().await;
        // What is still to come is read, or the answer would be lost with a reset.
        _ = stream.read(&mut [0; 64]).await;
        String::from_utf8(asked).unwrap()
    });
    (port, task)
}

fn request(port: u16, method: Method, body: &'static str) -> Request {
    let url = format!("http://127.0.0.1:{port}/a?b").parse().unwrap();
    let mut fields = HeaderMap::new();
    fields.insert("x-test", "1".parse().unwrap());
    Request { method, url, fields, body: Bytes::from_static(body.as_bytes()) }
}

/// All of the body, or why it is not whole.
async fn whole(body: &mut AnswerBody) -> Result<String, String> {
    let mut all = Vec::new();
    while let Some(piece) = body.next().await.map_err(|error| error.to_string())? {
        all.extend_from_slice(&piece);
    }
    Ok(String::from_utf8(all).unwrap())
}

/// Status, interim answers, and the body of what `answer` is read as.
async fn check(method: Method, answer: &str, expect: Result<(u16, usize, &str), &str>) {
    let (port, _server) = server(answer, 0).await;
    let found = match client().ask(&request(port, method, "")).await {
        Err(error) => Err(error.to_string()),
        Ok(mut exchange) => {
            let body = whole(&mut exchange.body).await;
            body.map(|body| (exchange.head.status, exchange.interims.len(), body))
        }
    };
    let found = found.as_ref().map(|(status, count, body)| (*status, *count, body.as_str()));
    assert_eq!(found.map_err(String::as_str), expect, "{answer:?}");
}

#[tokio::test]
async fn a_request_is_sent_as_it_is_told_and_the_head_comes_as_it_is() {
    let answer = "HTTP/1.1 201 Very Good\r\nX-One: a\r\nx-TWO:\tb \r\nContent-Length: 2\r\n\r\nok";
    let (port, server) = server(answer, 4).await;
    let mut exchange = client().ask(&request(port, Method::POST, "body")).await.unwrap();
    assert_eq!(whole(&mut exchange.body).await.unwrap(), "ok");
    let expect = format!(
        "POST /a?b HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nx-test: 1\r\ncontent-length: 4\r\n\
         connection: close\r\n\r\nbody"
    );
    assert_eq!(exchange.sent.line, "POST /a?b HTTP/1.1");
    let fields = [("X-One", "a"), ("x-TWO", "b"), ("Content-Length", "2")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let reason = b"Very Good".to_vec();
    let head = Head { version: Version::HTTP_11, status: 201, reason, fields: fields.into() };
    assert_eq!(exchange.head, head);
    drop(exchange);
    assert_eq!(server.await.unwrap(), expect);
}

#[tokio::test]
async fn bodies_end_where_they_are_said_to() {
    let get = Method::GET;
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    check(get.clone(), chunked, Ok((200, 0, "abc"))).await;
    check(get.clone(), "HTTP/1.0 200 OK\r\n\r\nto the end", Ok((200, 0, "to the end"))).await;
    check(Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", Ok((200, 0, ""))).await;
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    check(get.clone(), hints, Ok((204, 1, ""))).await;
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
    let broke = "the answer broke off: the connection was closed within its body";
    check(get.clone(), cut, Err(broke)).await;
    let cut = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n";
    check(get, cut, Err(broke)).await;
}

/// A server that reads a head, answers with `head`, and then sends back what else comes, a piece at a
/// time. Gives how much that was.
async fn echo(head: &'static str) -> (u16, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        let begin = loop {
            if let Some(at) = asked.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert_ne!(stream.read_buf(&mut asked).await.unwrap(), 0);
        };
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut piece, mut came) = (asked.split_off(begin), 0);
        loop {
            came += piece.len();
            if stream.write_all(&piece).await.is_err() {
                return came;
            }
            piece.clear();
            if !matches!(stream.read_buf(&mut piece).await, Ok(1..)) {
                return came;
            }
        }
    });
    (port, task)
}

#[tokio::test]
async fn a_body_goes_on_beside_its_answer() {
    // More than what lies between both holds.
    let body = Bytes::from(vec![b'x'; 16 << 20]);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\nConnection: close\r\n\r\n";
    let (port, server) = echo(head).await;
    let asked = Request { body: body.clone(), ..request(port, Method::POST, "") };
    let mut exchange = client().ask(&asked).await.unwrap();
    assert_eq!(whole(&mut exchange.body).await.unwrap().as_bytes(), body);
    drop(exchange);
    assert_eq!(server.await.unwrap(), body.len());
}

#[tokio::test]
async fn of_a_body_that_is_not_wanted_the_rest_is_not_sent() {
    let body = Bytes::from(vec![b'x'; 16 << 20]);
    let (port, server) = echo("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n").await;
    let asked = Request { body: body.clone(), ..request(port, Method::POST, "") };
    let mut exchange = client().ask(&asked).await.unwrap();
    assert_eq!(whole(&mut exchange.body).await.unwrap(), "");
    drop(exchange);
    assert!(server.await.unwrap() < body.len());
}

#[tokio::test]
async fn hostile_heads_are_bounded_and_told() {
    let get = Method::GET;
    check(get.clone(), "", Err("the connection was closed without an answer")).await;
    check(get.clone(), "SSH-2.0-x\r\n", Err("the answer is not well-formed")).await;
    let many = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    let expect = "more than 16 interim answers: expected an answer behind them";
    check(get.clone(), &many, Err(expect)).await;
    let long = format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(10_000));
    check(get.clone(), &long, Err("the answer is not well-formed")).await;
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(100_000));
    check(get, &endless, Err("the answer is not well-formed")).await;
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut client = client();
    client.limits.silence_max = Duration::from_millis(50);
    let error = client.ask(&request(port, Method::GET, "")).await.unwrap_err();
    assert!(matches!(error, AskError::Late(_)), "{error:?}");
}

#[tokio::test]
async fn a_proxy_is_told_the_whole_url_and_who_asks() {
    let (port, server) = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0).await;
    let mut client = client();
    let mut proxy = Proxy::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    proxy.user = Some(User { name: "anna".to_owned(), password: "secret".to_owned() });
    client.proxy = Some(proxy);
    let mut asked = request(1, Method::GET, "");
    asked.url = "http://a.example/x".parse().unwrap();
    let exchange = client.ask(&asked).await.unwrap();
    drop(exchange);
    let sent = server.await.unwrap();
    let expect = "GET http://a.example/x HTTP/1.1\r\nhost: a.example\r\nx-test: 1\r\n\
                  proxy-authorization: Basic YW5uYTpzZWNyZXQ=\r\nconnection: close\r\n\r\n";
    assert_eq!(sent, expect);
}

#[tokio::test]
async fn a_proxy_that_reaches_nobody_says_so() {
    for (answer, expect) in [
        (
            "HTTP/1.1 502 Bad Gateway\r\n\r\n",
            "the proxy answers 502: expected 200, which begins a tunnel",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200",
            "the proxy says something before the tunnel begins",
        ),
    ] {
        let (port, server) = server(answer, 0).await;
        let mut client = client();
        client.proxy = Some(Proxy::parse(&format!("http://127.0.0.1:{port}")).unwrap());
        let mut asked = request(1, Method::GET, "");
        asked.url = "https://a.example/x".parse().unwrap();
        let error = client.ask(&asked).await.unwrap_err();
        let whom = format!("the proxy http://127.0.0.1:{port} was asked to call a.example:443");
        assert_eq!(told(&error), [&*whom, expect]);
        drop(client);
        let sent = server.await.unwrap();
        assert_eq!(sent, "CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\n");
    }
}

/// What `error` says, and what is behind it.
fn told(error: &AskError) -> Vec<String> {
    let error: &dyn std::error::Error = error;
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_says_nothing_is_named_with_what_it_was_asked_and_waited_for_as_long_as_is_said()
 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let check =
        async |scheme: &str, url: &str, [greeting, silence]: [u64; 2], expect: [&str; 2]| {
            let mut client = client();
            client.limits.silence_max = Duration::from_secs(silence);
            client.limits.greeting_max = Duration::from_secs(greeting);
            let at = format!("{scheme}://127.0.0.1:{port}");
            client.proxy = Some(Proxy::parse(&at).unwrap());
            let mut asked = request(1, Method::GET, "");
            asked.url = url.parse().unwrap();
            let error = client.ask(&asked).await.unwrap_err();
            let whom = format!("the proxy {at} was asked {}", expect[0]);
            assert_eq!(told(&error), [&*whom, expect[1]]);
        };
    let silent = "the proxy said no word of SOCKS 5 within 5s";
    check("socks5", "http://a.example", [5, 30], ["to call a.example:80", silent]).await;
    let silent = "the proxy said no word of SOCKS 5 within 20s";
    check("socks5", "http://a.example", [20, 20], ["to call a.example:80", silent]).await;
    let late = "no answer came within 30s";
    check("http", "https://a.example", [5, 30], ["to call a.example:443", late]).await;
    check("http", "http://a.example/b", [5, 30], ["for http://a.example/b", late]).await;
}

#[tokio::test]
async fn http2_is_spoken_in_the_clear_without_asking() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut conn = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((asked, mut respond))) = conn.accept().await {
            let said = format!("{} {}", asked.method(), asked.uri());
            let answer = http::Response::builder().header("x-said", said).body(()).unwrap();
            let mut body = respond.send_response(answer, false).unwrap();
            body.send_data(Bytes::from_static(b"two"), true).unwrap();
        }
    });
    let client = Client { speaks: Speaks::Http2, ..client() };
    let mut exchange = client.ask(&request(port, Method::GET, "")).await.unwrap();
    let said = format!("GET http://127.0.0.1:{port}/a?b");
    assert_eq!(exchange.head.field("X-Said"), Some(said.as_bytes()));
    assert_eq!(exchange.head.version, Version::HTTP_2);
    assert_eq!(whole(&mut exchange.body).await.unwrap(), "two");
}

/// A server of HTTP/2 that says these frames behind its settings, once it is asked.
async fn http2_server(frames: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 24]).await.unwrap();
        stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            stream.read_exact(&mut vec![0; length as usize]).await.unwrap();
            if head[3] == 1 {
                break;
            }
        }
        stream.write_all(&frames).await.unwrap();
        // What is still to come is read, or the answer would be lost with a reset.
        while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
    });
    port
}

/// A frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

#[tokio::test]
async fn what_a_server_says_instead_of_an_answer_over_http2_is_told() {
    let check = async |frames: Vec<u8>, expect: &str| {
        let port = http2_server(frames).await;
        let client = Client { speaks: Speaks::Http2, ..client() };
        let found = match client.ask(&request(port, Method::GET, "")).await {
            Err(error) => error.to_string(),
            Ok(mut exchange) => whole(&mut exchange.body).await.unwrap_err(),
        };
        assert_eq!(found, expect);
    };
    let away = |code| frame(7, 0, 0, &[0, 0, 0, 0, 0, 0, 0, code]);
    let reset = |code| frame(3, 0, 1, &[0, 0, 0, code]);
    check(away(0), "the server goes away, before an answer: NO_ERROR").await;
    let said = [away(11), b"\x1b[2J".to_vec()].concat();
    check(said, "the server goes away, before an answer: ENHANCE_YOUR_CALM").await;
    check(reset(7), "the server has not begun with it: REFUSED_STREAM").await;
    check(reset(8), "the stream was reset: CANCEL").await;
    let over_http1 = "the server answers this over HTTP/1.1 alone: HTTP_1_1_REQUIRED";
    check(reset(13), over_http1).await;
    // Data of a stream that nobody opened.
    check(frame(0, 0, 99, b"x"), "not by the rules of HTTP/2: PROTOCOL_ERROR").await;
    let begun = [frame(1, 4, 1, b"\x88"), reset(2)].concat();
    check(begun, "the answer broke off: the stream was reset: INTERNAL_ERROR").await;
}
