//! Connections that become tunnels, or do not.

use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::sync::{Mutex, Semaphore};

use super::*;
use crate::{Accepts, Ended, GoingOn, Heir, Refused, Tunnel, says::Told};

/// Digs tunnels to where its other end is, when it is told to.
#[derive(Clone, Debug)]
struct Digs {
    far: Arc<Mutex<Option<DuplexStream>>>,
    go: Arc<Semaphore>,
    status: StatusCode,
    told: Told,
}

impl Handler for Digs {
    fn accepts(&self) -> Accepts {
        Accepts::Forward
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        if ask.request.method() != http::Method::CONNECT {
            return Ok(Response::new(Body::full(ask.request.uri().to_string().into())));
        }
        drop(self.go.acquire().await);
        let far = self.far.lock().await.take();
        let body = match far {
            Some(far) if self.status.is_success() => {
                Body::tunnel(Tunnel::new(Stream::Memory(far), Bytes::new()))
            }
            _ => Body::full("no".into()),
        };
        Ok(Response::builder().status(self.status).body(body).unwrap())
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.told.refused(refused);
    }
}

/// A client, the far end of its tunnel, and who lets it be dug.
struct Ends {
    client: DuplexStream,
    far: DuplexStream,
    go: Arc<Semaphore>,
}

fn ends(status: StatusCode) -> Ends {
    let (far, theirs) = tokio::io::duplex(1 << 10);
    let far_slot = Arc::new(Mutex::new(Some(theirs)));
    let go = Arc::new(Semaphore::new(0));
    let digs = Digs { far: far_slot, go, status, told: Told::default() };
    let go = Arc::clone(&digs.go);
    Ends { client: serve_handler(Arc::new(digs)), far, go }
}

fn serve_handler(handler: Arc<dyn DynHandler>) -> DuplexStream {
    serve_slot(Arc::new(ArcSwap::from_pointee(handler)))
}

fn serve_slot(slot: HandlerSlot) -> DuplexStream {
    let (client, server) = tokio::io::duplex(1 << 10);
    let http = Http::new(slot, Limits::default());
    tokio::spawn(async move {
        let (_shutdown, drain) = Shutdown::new();
        _ = http.serve(conn(Stream::Memory(server)), drain).await;
    });
    client
}

const CONNECT: &str = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";

async fn let_others_go_on() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn head_of(client: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    undated(&String::from_utf8(head).unwrap())
}

async fn heard(stream: &mut DuplexStream, expect: &[u8]) {
    let mut heard = vec![0; expect.len()];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, expect);
}

/// Whatever stands behind the head goes to the far end, once there is one, and nowhere before.
#[tokio::test]
async fn what_a_client_says_early_goes_through_its_tunnel() {
    let hello = b"\x16\x03\x01\x02\0\n\r\nGET / HTTP/1.1\r\n\r\n";
    for split in [0, 1, CONNECT.len() - 1, CONNECT.len(), CONNECT.len() + 3] {
        let Ends { mut client, mut far, go } = ends(StatusCode::OK);
        let said = [CONNECT.as_bytes(), hello].concat();
        for part in [&said[..split], &said[split..]] {
            client.write_all(part).await.unwrap();
            let_others_go_on().await;
        }
        go.add_permits(1);
        let head = head_of(&mut client).await;
        assert_eq!(head, "HTTP/1.1 200 OK\r\ndate: NOW\r\n\r\n", "at {split}");
        heard(&mut far, hello).await;
        far.write_all(b"pong").await.unwrap();
        heard(&mut client, b"pong").await;
    }
}

#[tokio::test]
async fn either_side_may_end_first() {
    for client_first in [true, false] {
        let Ends { mut client, mut far, go } = ends(StatusCode::OK);
        go.add_permits(1);
        client.write_all(CONNECT.as_bytes()).await.unwrap();
        head_of(&mut client).await;
        let (one, other) =
            if client_first { (&mut client, &mut far) } else { (&mut far, &mut client) };
        one.write_all(b"last words").await.unwrap();
        one.shutdown().await.unwrap();
        let mut came = String::new();
        other.read_to_string(&mut came).await.unwrap();
        assert_eq!(came, "last words");
        other.write_all(b"and a reply").await.unwrap();
        other.shutdown().await.unwrap();
        came.clear();
        one.read_to_string(&mut came).await.unwrap();
        assert_eq!(came, "and a reply");
    }
}

/// Who sends before there is a tunnel is not read further than once.
#[tokio::test]
async fn of_what_is_said_early_little_is_kept() {
    let Ends { client, mut far, go } = ends(StatusCode::OK);
    let (mut from_client, mut to_proxy) = tokio::io::split(client);
    let much = vec![b'x'; 1 << 20];
    let written = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let writing = tokio::spawn(async move {
        to_proxy.write_all(CONNECT.as_bytes()).await.unwrap();
        for part in much.chunks(1 << 10) {
            to_proxy.write_all(part).await.unwrap();
            count.fetch_add(part.len(), std::sync::atomic::Ordering::Relaxed);
        }
    });
    for _ in 0..10 {
        let_others_go_on().await;
    }
    assert!(written.load(std::sync::atomic::Ordering::Relaxed) <= 64 << 10);
    go.add_permits(1);
    let reading = async {
        let mut came = 0;
        while came < 1 << 20 {
            let mut room = vec![0; 1 << 12];
            came += far.read(&mut room).await.unwrap();
        }
        came
    };
    assert_eq!(reading.await, 1 << 20);
    writing.await.unwrap();
    let mut head = [0; 15];
    from_client.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn where_there_is_no_tunnel_what_follows_is_no_request() {
    for behind in ["", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "\0\n", CONNECT] {
        let Ends { mut client, far: _far, go } = ends(StatusCode::FORBIDDEN);
        go.add_permits(1);
        client.write_all(format!("{CONNECT}{behind}").as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(
            rest_of(&mut client).await,
            "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 2\r\n\
             date: NOW\r\n\r\nno"
        );
    }
}

#[tokio::test]
async fn a_tunnel_may_follow_other_requests() {
    let Ends { mut client, mut far, go } = ends(StatusCode::OK);
    go.add_permits(1);
    let get = "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n";
    client.write_all(format!("{get}{get}{CONNECT}early").as_bytes()).await.unwrap();
    for _ in 0..2 {
        head_of(&mut client).await;
        heard(&mut client, b"http://a/b").await;
    }
    head_of(&mut client).await;
    heard(&mut far, b"early").await;
}

#[tokio::test]
async fn who_speaks_an_older_http_gets_a_tunnel_too() {
    let Ends { mut client, mut far, go } = ends(StatusCode::OK);
    go.add_permits(1);
    client.write_all(b"CONNECT a:443 HTTP/1.0\r\n\r\nearly").await.unwrap();
    assert_eq!(head_of(&mut client).await, "HTTP/1.0 200 OK\r\ndate: NOW\r\n\r\n");
    heard(&mut far, b"early").await;
}

#[tokio::test]
async fn a_tunnel_with_a_body_is_refused() {
    for framing in ["Content-Length: 1", "Transfer-Encoding: chunked"] {
        let Ends { mut client, far: _far, go: _go } = ends(StatusCode::OK);
        let request = format!("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n{framing}\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let answer = rest_of(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    }
}

/// What is accepted is the newest handler's to say, on open connections, too.
#[tokio::test]
async fn a_reload_changes_what_is_accepted() {
    let (far, go) = (Arc::default(), Arc::new(Semaphore::new(1)));
    let digs = Digs { far, go, status: StatusCode::OK, told: Told::default() };
    let handler: Arc<dyn DynHandler> = Arc::new(digs);
    let slot = Arc::new(ArcSwap::from_pointee(handler));
    let mut client = serve_slot(Arc::clone(&slot));
    let get = b"GET https://a/b HTTP/1.1\r\nHost: a\r\n\r\n";
    client.write_all(get).await.unwrap();
    assert!(head_of(&mut client).await.starts_with("HTTP/1.1 200 OK\r\n"));
    heard(&mut client, b"https://a/b").await;
    slot.store(Arc::new(Arc::new(Told::default())));
    client.write_all(get).await.unwrap();
    assert!(head_of(&mut client).await.starts_with("HTTP/1.1 400 Bad Request\r\n"));
}

/// Goes on by saying what it hears, until it is told to stop.
#[derive(Debug)]
struct Echo;

impl Heir for Echo {
    fn go_on(self: Box<Self>, mut stream: Stream, early: Bytes, drain: Drain) -> GoingOn {
        Box::pin(async move {
            let echo = async {
                stream.write_all(&early).await?;
                let (mut hears, mut says) = tokio::io::split(&mut stream);
                tokio::io::copy(&mut hears, &mut says).await
            };
            tokio::select! {
                echoed = echo => {
                    let echoed = echoed.map(|_| ());
                    return echoed.map_err(|error| Fault::new(Side::Client, "echoing", error));
                }
                () = drain.requested() => {}
            }
            _ = stream.write_all(b" bye").await;
            Ok(())
        })
    }
}

#[derive(Debug)]
struct LeavesIt {
    ended: Arc<Mutex<Option<Ended>>>,
}

impl Handler for LeavesIt {
    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        let mut body = Body::left_to(Echo);
        let ended = Arc::clone(&self.ended);
        body.on_end(move |it| *ended.try_lock().unwrap() = Some(it));
        let answer = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
        Ok(answer.header("connection", "upgrade").header("upgrade", "echo").body(body).unwrap())
    }
}

#[tokio::test]
async fn an_heir_goes_on_with_what_came_early_until_it_is_told_to_stop() {
    let ended = Arc::new(Mutex::new(None));
    let handler: Arc<dyn DynHandler> = Arc::new(LeavesIt { ended: Arc::clone(&ended) });
    let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default());
    let (mut client, server) = tokio::io::duplex(1 << 10);
    let (shutdown, drain) = Shutdown::new();
    let serving =
        tokio::spawn(async move { http.serve(conn(Stream::Memory(server)), drain).await });
    let asked = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nea";
    client.write_all(asked).await.unwrap();
    let head = head_of(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    client.write_all(b"rly").await.unwrap();
    heard(&mut client, b"early").await;
    assert_eq!(*ended.lock().await, None);
    shutdown.request();
    heard(&mut client, b" bye").await;
    assert!(serving.await.unwrap().is_ok());
    assert_eq!(*ended.lock().await, Some(Ended::Whole(0)));
}

/// A client of HTTP/2, and the far end of its tunnel.
async fn http2_ends(status: StatusCode) -> (SendRequest<Empty<Bytes>>, DuplexStream, Arc<Http>) {
    let (far, theirs) = tokio::io::duplex(1 << 10);
    let far_slot = Arc::new(Mutex::new(Some(theirs)));
    let go = Arc::new(Semaphore::new(9));
    let http = http2_of(Digs { far: far_slot, go, status, told: Told::default() });
    let (sender, shutdown) = http2::connect(&http).await;
    // Nobody stops it.
    std::mem::forget(shutdown);
    (sender, far, http)
}

/// Of a tunnel.
const IDLE_MAX: Duration = Duration::from_hours(9);

fn http2_of(digs: Digs) -> Arc<Http> {
    let handler: Arc<dyn DynHandler> = Arc::new(digs);
    let limits = Limits { tunnel_idle_max: IDLE_MAX, ..Limits::default() };
    Arc::new(Http::new(Arc::new(ArcSwap::from_pointee(handler)), limits))
}

fn connect() -> http::Request<Empty<Bytes>> {
    http::Request::builder().method("CONNECT").uri("a:443").body(Empty::new()).unwrap()
}

/// RFC 9113 §8.5: the others go on, and each side ends by itself.
#[tokio::test]
async fn over_http2_a_stream_becomes_a_tunnel_and_the_others_go_on() {
    let (mut sender, mut far, _http) = http2_ends(StatusCode::OK).await;
    let answer = sender.send_request(connect()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let mut near = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    let much: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    near.write_all(b"hello").await.unwrap();
    heard(&mut far, b"hello").await;
    let (writing, mut read) = (much.clone(), vec![0; much.len()]);
    let (mut from_far, mut to_near) = tokio::io::split(far);
    tokio::join!(async { to_near.write_all(&writing).await.unwrap() }, async {
        near.read_exact(&mut read).await.unwrap();
    });
    assert!(read == much);
    let other = http::Request::builder().uri("http://a/other").body(Empty::new()).unwrap();
    assert_eq!(sender.send_request(other).await.unwrap().status(), StatusCode::OK);
    near.shutdown().await.unwrap();
    assert_eq!(from_far.read(&mut [0]).await.unwrap(), 0);
    to_near.write_all(b"last words").await.unwrap();
    to_near.shutdown().await.unwrap();
    drop((from_far, to_near));
    let mut came = String::new();
    near.read_to_string(&mut came).await.unwrap();
    assert_eq!(came, "last words");
}

#[tokio::test]
async fn over_http2_who_gets_no_tunnel_is_told_and_asks_on() {
    let (mut sender, _far, _http) = http2_ends(StatusCode::FORBIDDEN).await;
    for _ in 0..2 {
        let answer = sender.send_request(connect()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "no");
    }
}

/// Nothing is asked meanwhile, and it is in use.
#[tokio::test(start_paused = true)]
async fn over_http2_a_tunnel_keeps_its_connection_for_as_long() {
    let (mut sender, mut far, _http) = http2_ends(StatusCode::OK).await;
    let answer = sender.send_request(connect()).await.unwrap();
    let mut near = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    tokio::time::sleep(Duration::from_hours(1)).await;
    near.write_all(b"still here").await.unwrap();
    heard(&mut far, b"still here").await;
    drop(near);
    assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
}

/// Waits, in paused time, until all places of `http` are free again.
async fn until_free(http: &Http) {
    let free = async {
        while http.tunnels.inside() > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), free)
        .await
        .expect("it ends long before it is idle");
}

#[tokio::test(start_paused = true)]
async fn over_http2_a_tunnel_ends_with_its_stream_though_its_client_said_its_last() {
    let (mut sender, mut far, http) = http2_ends(StatusCode::OK).await;
    let answer = sender.send_request(connect()).await.unwrap();
    let mut near = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    near.shutdown().await.unwrap();
    assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert_eq!(http.tunnels.inside(), 1, "half closed, it may take its time");
    drop(near);
    until_free(&http).await;
    let other = http::Request::builder().uri("http://a/other").body(Empty::new()).unwrap();
    assert_eq!(sender.send_request(other).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn over_http2_a_tunnel_ends_with_its_connection_though_its_client_said_its_last() {
    let (far, theirs) = tokio::io::duplex(1 << 10);
    let (far_slot, go) = (Arc::new(Mutex::new(Some(theirs))), Arc::new(Semaphore::new(9)));
    let told = Told::default();
    let http = http2_of(Digs { far: far_slot, go, status: StatusCode::OK, told });
    let (mut sender, serving, _shutdown) = http2::serving(&http, 1 << 16).await;
    let answer = sender.send_request(connect()).await.unwrap();
    let mut near = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    near.shutdown().await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(http.tunnels.inside(), 1);
    serving.abort();
    until_free(&http).await;
    drop((near, far));
}

/// As over HTTP/1; of what is not taken little is kept.
#[tokio::test(start_paused = true)]
async fn over_http2_who_takes_nothing_of_a_tunnel_loses_it_once_it_is_idle() {
    let (mut far, theirs) = tokio::io::duplex(1 << 10);
    let (far_slot, go) = (Arc::new(Mutex::new(Some(theirs))), Arc::new(Semaphore::new(9)));
    let told = Told::default();
    let http = http2_of(Digs { far: far_slot, go, status: StatusCode::OK, told });
    let (mut sender, _serving, _shutdown) = http2::serving(&http, 1).await;
    let answer = sender.send_request(connect()).await.unwrap();
    let near = hyper::upgrade::on(answer).await.unwrap();
    let mut taken = 0;
    let began = tokio::time::Instant::now();
    let broken = tokio::time::timeout(IDLE_MAX * 2, async {
        loop {
            match far.write(&[b'x'; 1 << 10]).await {
                Ok(bytes) => taken += bytes,
                Err(error) => return error,
            }
        }
    });
    let broken = broken.await.expect("it is not waited for any longer");
    assert_eq!(broken.kind(), std::io::ErrorKind::BrokenPipe);
    assert!(taken <= 96 << 10, "{taken}");
    assert!(began.elapsed() >= IDLE_MAX, "{:?}", began.elapsed());
    until_free(&http).await;
    drop(near);
}

#[tokio::test]
async fn tunnels_over_http2_are_no_more_than_there_are_places_and_nobody_is_called_for_others() {
    let (_far, theirs) = tokio::io::duplex(1 << 10);
    let (far, told) = (Arc::new(Mutex::new(Some(theirs))), Told::default());
    let go = Arc::new(Semaphore::new(9));
    let digs = Digs { far: Arc::clone(&far), go, status: StatusCode::OK, told: told.clone() };
    let http = http2_of(digs);
    let (mut sender, _shutdown) = http2::connect(&http).await;
    let others = relais_net::Client::Local;
    let mut taken: Vec<_> =
        (0..stream_tunnel::MAX).map(|_| http.tunnels.enter(others, 1).unwrap()).collect();
    let answer = sender.send_request(connect()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(told.take(), ["503 a:443"]);
    assert!(far.lock().await.is_some(), "its handler was not asked");
    taken.pop();
    let answer = sender.send_request(connect()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn of_one_connection_tunnels_are_no_more_than_streams() {
    let gate = stream_tunnel::gate();
    let pulse = Arc::new(Pulse::new());
    let client = relais_net::Client::V4(std::net::Ipv4Addr::LOCALHOST);
    let dig = |pulse: &Arc<Pulse>, streams_max| {
        let mut request = connect();
        let mut dig = stream_tunnel::Dig::new(hyper::upgrade::on(&mut request));
        dig.take_place(pulse, (&gate, client), streams_max).then_some(dig)
    };
    let two = [dig(&pulse, 2).unwrap(), dig(&pulse, 2).unwrap()];
    assert!(dig(&pulse, 2).is_none());
    assert_eq!(pulse.in_flight(), 2);
    drop(two);
    assert_eq!((pulse.in_flight(), gate.inside()), (0, 0));
    let mut all: Vec<_> =
        (0..stream_tunnel::A_CLIENT_MAX).map(|_| dig(&pulse, u32::MAX).unwrap()).collect();
    let other = Arc::new(Pulse::new());
    assert!(dig(&other, 2).is_none(), "of one client on all its connections");
    all.pop();
    assert!(dig(&other, 2).is_some());
}
