//! Tunnels of which one end breaks: the other does, too, and does not pass for one that said all.

use std::{io::ErrorKind, net::SocketAddr};

use super::{
    http2::{frame, http2_session},
    *,
};
use crate::{Accepts, Tunnel};

/// Digs tunnels to here.
#[derive(Debug)]
struct DigsTo(SocketAddr);

impl Handler for DigsTo {
    fn accepts(&self) -> Accepts {
        Accepts::Forward
    }

    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        let far = Stream::Tcp(TcpStream::connect(self.0).await.unwrap());
        Ok(Response::new(Body::tunnel(Tunnel::new(far, Bytes::new()))))
    }
}

type Serving = tokio::task::JoinHandle<Result<(), Fault>>;

/// Serves `conn`, on which `client` asks for a tunnel by `hello`; gives its far end, too.
async fn dig(
    conn: Conn,
    client: &mut (impl tokio::io::AsyncWrite + Unpin),
    hello: &[u8],
) -> (TcpStream, Serving) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let handler: Arc<dyn DynHandler> = Arc::new(DigsTo(listener.local_addr().unwrap()));
    let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default());
    let serving = tokio::spawn(async move {
        let (_shutdown, drain) = none();
        http.serve(conn, drain).await
    });
    client.write_all(hello).await.unwrap();
    (listener.accept().await.unwrap().0, serving)
}

/// A client of HTTP/1 within a tunnel, and its far end.
async fn http1() -> (TcpStream, TcpStream, Serving) {
    let (mut client, server) = tcp().await;
    let hello = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
    let (far, serving) = dig(conn(server), &mut client, hello).await;
    until(&mut client, b"\r\n\r\n").await;
    (client, far, serving)
}

/// The same over HTTP/2, in a stream whose number is 1.
async fn http2() -> (DuplexStream, TcpStream, Serving) {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let conn = Conn { tls: Some(http2_session()), ..conn(Stream::Memory(server)) };
    let end_headers = 4;
    // In the tables of HPACK.
    let head = b"\x42\x07CONNECT\x41\x05a:443";
    let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(4, 0, 0, b"")];
    let hello = [&hello.concat()[..], &frame(1, end_headers, 1, head)].concat();
    let (far, serving) = dig(conn, &mut client, &hello).await;
    (client, far, serving)
}

/// Reads until `last` came, and gives what came before.
async fn until(stream: &mut (impl tokio::io::AsyncRead + Unpin), last: &[u8]) -> Vec<u8> {
    let mut came = Vec::new();
    while !came.ends_with(last) {
        came.push(stream.read_u8().await.unwrap());
    }
    came.truncate(came.len() - last.len());
    came
}

async fn is_reset(stream: &mut TcpStream) {
    let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

#[tokio::test]
async fn where_one_end_is_reset_the_other_is() {
    for client_first in [true, false] {
        let (client, far, serving) = http1().await;
        let (mut one, mut other) = if client_first { (client, far) } else { (far, client) };
        one.write_all(b"half").await.unwrap();
        until(&mut other, b"half").await;
        reset(one);
        is_reset(&mut other).await;
        assert!(serving.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn who_is_cut_off_by_us_is_reset() {
    let (mut client, mut far, serving) = http1().await;
    far.write_all(b"half").await.unwrap();
    until(&mut client, b"half").await;
    serving.abort();
    is_reset(&mut client).await;
    is_reset(&mut far).await;
}

#[tokio::test]
async fn an_end_that_was_said_is_none_that_broke() {
    let (mut client, mut far, serving) = http1().await;
    far.write_all(b"all").await.unwrap();
    far.shutdown().await.unwrap();
    let mut came = String::new();
    client.read_to_string(&mut came).await.unwrap();
    assert_eq!(came, "all");
    drop(client);
    assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
    serving.await.unwrap().unwrap();
}

/// `RST_STREAM` of the stream, for this reason.
fn rst_stream(reason: u8) -> Vec<u8> {
    frame(3, 0, 1, &[0, 0, 0, reason])
}

const NO_ERROR: u8 = 0;
const CANCEL: u8 = 8;
const CONNECT_ERROR: u8 = 10;

/// An empty frame of data, the last.
fn end_stream() -> Vec<u8> {
    frame(0, 1, 1, b"")
}

#[tokio::test]
async fn over_http2_the_stream_is_reset_where_the_far_end_is() {
    let (mut client, mut far, _serving) = http2().await;
    far.write_all(b"half").await.unwrap();
    until(&mut client, b"half").await;
    reset(far);
    let before = until(&mut client, &rst_stream(CANCEL)).await;
    let end = end_stream();
    assert!(!before.windows(end.len()).any(|frame| frame == end), "{before:?}");
}

#[tokio::test]
async fn over_http2_the_far_end_is_reset_where_the_stream_is() {
    for reason in [NO_ERROR, CANCEL, CONNECT_ERROR] {
        let (mut client, mut far, _serving) = http2().await;
        client.write_all(&frame(0, 0, 1, b"half")).await.unwrap();
        until(&mut far, b"half").await;
        client.write_all(&rst_stream(reason)).await.unwrap();
        is_reset(&mut far).await;
    }
}

#[tokio::test]
async fn over_http2_an_end_that_was_said_is_none_that_broke() {
    let (mut client, mut far, _serving) = http2().await;
    far.write_all(b"all").await.unwrap();
    far.shutdown().await.unwrap();
    let before = until(&mut client, &end_stream()).await;
    assert!(before.ends_with(b"all"), "{before:?}");
    client.write_all(&frame(0, 1, 1, b"bye")).await.unwrap();
    let mut came = String::new();
    far.read_to_string(&mut came).await.unwrap();
    assert_eq!(came, "bye");
}

/// Says something to who takes nothing any more, and again once it has been told so.
async fn say_in_vain(client: &mut (impl tokio::io::AsyncWrite + Unpin), said: &[u8]) {
    for _ in 0..3 {
        client.write_all(said).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// More than the near end takes at once.
const MUCH: usize = 16 << 20;

#[tokio::test]
async fn what_was_said_is_passed_on_whole_though_who_said_it_takes_nothing_more() {
    let (mut client, mut far, serving) = http1().await;
    let saying = tokio::spawn(async move {
        far.write_all(&vec![b'x'; MUCH]).await.unwrap();
        far.shutdown().await.unwrap();
    });
    let mut came = vec![0; MUCH - (1 << 20)];
    client.read_exact(&mut came).await.unwrap();
    saying.await.unwrap();
    say_in_vain(&mut client, b"ping").await;
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest.len(), 1 << 20);
    drop(client);
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_a_client_said_is_passed_on_whole_though_it_takes_nothing_more() {
    let (mut client, mut far, serving) = http1().await;
    let saying = tokio::spawn(async move {
        client.write_all(&vec![b'x'; MUCH]).await.unwrap();
        client.shutdown().await.unwrap();
    });
    let mut came = vec![0; MUCH - (1 << 20)];
    far.read_exact(&mut came).await.unwrap();
    saying.await.unwrap();
    say_in_vain(&mut far, b"pong").await;
    let mut rest = Vec::new();
    far.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest.len(), 1 << 20);
    drop(far);
    assert!(serving.await.unwrap().is_err(), "it has not got all");
}

#[tokio::test]
async fn over_http2_what_was_said_is_passed_on_whole_though_who_said_it_takes_nothing_more() {
    let (mut client, mut far, _serving) = http2().await;
    // More than the client takes before it says that it takes more.
    far.write_all(&vec![b'x'; 70_000]).await.unwrap();
    far.shutdown().await.unwrap();
    until(&mut client, b"xxxx").await;
    drop(far);
    say_in_vain(&mut client, &frame(0, 0, 1, b"ping")).await;
    for stream in [0, 1] {
        client.write_all(&frame(8, 0, stream, &[0, 1, 0, 0])).await.unwrap();
    }
    let before = until(&mut client, &end_stream()).await;
    let cut = rst_stream(CANCEL);
    assert!(!before.windows(cut.len()).any(|frame| frame == cut));
}

#[tokio::test]
async fn a_client_that_is_gone_is_missed_while_its_far_end_takes_nothing() {
    let (mut client, _far, serving) = http1().await;
    let some = vec![b'x'; 1 << 20];
    while let Ok(wrote) =
        tokio::time::timeout(Duration::from_millis(200), client.write_all(&some)).await
    {
        wrote.unwrap();
    }
    reset(client);
    let served = tokio::time::timeout(Duration::from_secs(10), serving).await;
    assert!(served.expect("it is missed").unwrap().is_err());
}
