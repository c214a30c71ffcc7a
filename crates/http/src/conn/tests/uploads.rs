//! Bodies of requests that come by HTTP/2: that are not taken, or hardly come.

use std::{
    pin::Pin,
    task::{Poll, ready},
};

use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::TokioIo;
use relais_net::Gate;

use super::*;
use crate::{Accepts, Tunnel};

/// Takes what it is sent, or not, by path; and digs tunnels to who takes nothing, but for one that says
/// what it hears.
#[derive(Debug)]
struct Takes;

impl Handler for Takes {
    fn accepts(&self) -> Accepts {
        Accepts::Forward
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        let (head, body) = ask.request.into_parts();
        if head.method == http::Method::CONNECT {
            let (near, far) = tokio::io::duplex(64);
            let is_echo = head.uri.host() == Some("echo");
            tokio::spawn(async move {
                let (mut hears, mut says) = tokio::io::split(near);
                if is_echo {
                    _ = tokio::io::copy(&mut hears, &mut says).await;
                } else {
                    std::future::pending::<()>().await;
                }
            });
            return Ok(Response::new(Body::tunnel(Tunnel::new(Stream::Memory(far), Bytes::new()))));
        }
        if head.uri.path() == "/stands" {
            let _held = body;
            return std::future::pending().await;
        }
        let taken = body.collect().await?.to_bytes();
        if head.uri.path() == "/takes-and-thinks" {
            return std::future::pending().await;
        }
        Ok(Response::new(Body::full(taken.len().to_string().into())))
    }
}

fn takes() -> Http {
    let handler: Arc<dyn DynHandler> = Arc::new(Takes);
    Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default())
}

async fn client(http: Http) -> (SendRequest<Full<Bytes>>, Arc<Http>) {
    let http = Arc::new(http);
    let (sender, _serving, shutdown) = http2::serving_to(Peer::Local, &http, 1 << 16).await;
    // Nobody stops it.
    std::mem::forget(shutdown);
    (sender, http)
}

fn post(path: &str, bytes: usize) -> http::Request<Full<Bytes>> {
    let request = http::Request::post(format!("https://a{path}"));
    request.body(Full::new(vec![b'x'; bytes].into())).unwrap()
}

fn connect(host: &str) -> http::Request<Full<Bytes>> {
    let request = http::Request::connect(format!("{host}:443"));
    request.body(Full::new(Bytes::new())).unwrap()
}

async fn text(answer: Response<hyper::body::Incoming>) -> String {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Until nobody has anything to do but to wait.
async fn settled() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// More than comes of one before it is taken.
const MUCH: usize = 2 << 20;

#[tokio::test(start_paused = true)]
async fn bodies_that_nobody_takes_do_not_keep_others_from_coming() {
    let (mut sender, _http) = client(takes()).await;
    for _ in 0..15 {
        tokio::spawn(sender.send_request(post("/stands", MUCH)));
    }
    settled().await;
    for bytes in [10, MUCH] {
        let answer = in_time(sender.send_request(post("/takes", bytes))).await.unwrap();
        assert_eq!(in_time(text(answer)).await, bytes.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn tunnels_whose_far_ends_take_nothing_do_not_keep_others_from_being_heard() {
    let (mut sender, _http) = client(takes()).await;
    for _ in 0..15 {
        let answer = in_time(sender.send_request(connect("deaf"))).await.unwrap();
        let mut near = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
        tokio::spawn(async move { near.write_all(&vec![b'x'; MUCH]).await });
    }
    settled().await;
    let answer = in_time(sender.send_request(connect("echo"))).await.unwrap();
    let mut near = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    near.write_all(b"hello").await.unwrap();
    let mut heard = [0; 5];
    in_time(near.read_exact(&mut heard)).await.unwrap();
    assert_eq!(&heard, b"hello");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_from_a_tunnel_is_missed_while_its_far_end_takes_nothing() {
    let (mut sender, http) = client(takes()).await;
    let answer = in_time(sender.send_request(connect("deaf"))).await.unwrap();
    let mut near = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    let saying = tokio::spawn(async move {
        near.write_all(&vec![b'x'; MUCH]).await.unwrap();
        std::future::pending::<()>().await;
    });
    settled().await;
    assert_eq!(http.tunnels.inside(), 1);
    saying.abort();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(http.tunnels.inside(), 0);
}

#[tokio::test(start_paused = true)]
async fn bodies_are_no_more_than_there_are_places() {
    let (mut sender, http) = client(Http { uploads: Gate::new(1, 1), ..takes() }).await;
    let standing = tokio::spawn(sender.send_request(post("/stands", MUCH)));
    settled().await;
    let answer = in_time(sender.send_request(post("/takes", 1))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "5");
    let none = in_time(sender.send_request(post("/takes", 0))).await.unwrap();
    assert_eq!(text(none).await, "0");
    standing.abort();
    settled().await;
    assert_eq!(http.uploads.inside(), 0);
    let answer = in_time(sender.send_request(post("/takes", 1))).await.unwrap();
    assert_eq!(text(answer).await, "1");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_taken_needs_its_place_no_more() {
    let (mut sender, http) = client(Http { uploads: Gate::new(1, 1), ..takes() }).await;
    let thinking = tokio::spawn(sender.send_request(post("/takes-and-thinks", MUCH)));
    settled().await;
    assert_eq!(http.uploads.inside(), 0);
    assert!(!thinking.is_finished());
}

/// A body of which a byte comes now and then.
struct Drips {
    every: Duration,
    next: Pin<Box<tokio::time::Sleep>>,
    left: u32,
}

impl Drips {
    fn new(every: Duration, bytes: u32) -> Self {
        Self { every, next: Box::pin(tokio::time::sleep(every)), left: bytes }
    }
}

impl http_body::Body for Drips {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        ready!(self.next.as_mut().poll(cx));
        let Some(left) = self.left.checked_sub(1) else { return Poll::Ready(None) };
        let next = tokio::time::Instant::now() + self.every;
        self.next.as_mut().reset(next);
        self.left = left;
        Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(b"x")))))
    }
}

/// How long a body is waited for of which so many bytes come, one each time; `None` if it is taken.
async fn dripping(every: Duration, bytes: u32) -> Option<Duration> {
    let http = Arc::new(takes());
    let (mut sender, _serving, _shutdown) = http2::serving_to(Peer::Local, &http, 1 << 16).await;
    let request = http::Request::post("https://a/takes").body(Drips::new(every, bytes)).unwrap();
    let begun = tokio::time::Instant::now();
    let answer = in_time(sender.send_request(request)).await;
    let waited = begun.elapsed();
    settled().await;
    assert_eq!(http.uploads.inside(), 0);
    match answer {
        Ok(answer) => {
            assert_eq!(text(answer).await, bytes.to_string());
            None
        }
        Err(_) => Some(waited),
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_of_which_nothing_comes_for_too_long_is_waited_for_no_more() {
    let waited = dripping(Duration::from_hours(1), 1).await.expect("it is silent");
    assert!((30..=32).contains(&waited.as_secs()), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_crawls_is_waited_for_no_more() {
    let waited = dripping(Duration::from_secs(29), 100).await.expect("it crawls");
    assert!((30..=60).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(dripping(Duration::from_secs(5), 6).await, None, "it is done before that counts");
    assert_eq!(dripping(Duration::from_millis(7), 10_000).await, None, "it is quick enough");
}
