//! Answers that come in time, and are moved from socket to socket where both are sockets.

use super::*;

/// What a client is connected by.
#[derive(Clone, Copy, Debug)]
enum By {
    Socket,
    Memory,
}

/// Both ends of a client's connection in one, whatever it is.
trait Client: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Client for T {}

async fn connect(by: By, server: &Server) -> Box<dyn Client> {
    match by {
        By::Memory => Box::new(client(server.proxy())),
        By::Socket => {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
            serve(server.proxy(), Stream::Tcp(theirs.unwrap().0));
            Box::new(ours.unwrap())
        }
    }
}

fn numbers(len: usize) -> Vec<u8> {
    (0_u32..).flat_map(u32::to_le_bytes).take(len).collect()
}

/// Has a body of so many bytes sent in `parts`, and read `at_once` bytes at a time; twice on the same
/// connections.
async fn check(by: By, len: usize, (parts, at_once): (usize, usize)) {
    let server = Server::new().await;
    let mut client = connect(by, &server).await;
    let body = numbers(len);
    let answering = async {
        let mut stream = server.accept().await;
        for _ in 0..2 {
            head(&mut stream).await;
            let front = format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n");
            stream.write_all(front.as_bytes()).await.unwrap();
            for part in body.chunks(len.div_ceil(parts).max(1)) {
                stream.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    };
    let asking = async {
        for _ in 0..2 {
            client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            let mut front = Vec::new();
            while !front.ends_with(b"\r\n\r\n") {
                front.push(client.read_u8().await.unwrap());
            }
            let mut came = vec![0; len];
            for part in came.chunks_mut(at_once) {
                client.read_exact(part).await.unwrap();
                tokio::task::yield_now().await;
            }
            assert!(came == body, "{len} bytes by {by:?}, in {parts} parts");
        }
    };
    tokio::join!(answering, asking);
}

#[tokio::test]
async fn a_long_answer_comes_whole_however_it_is_sent_and_read() {
    for by in [By::Socket, By::Memory] {
        for len in [1, 8 << 10, 16 << 10, (16 << 10) + 1, 40_000, 100 << 10, 3_000_001] {
            check(by, len, (1, 1 << 20)).await;
            check(by, len, (7, 100_000)).await;
        }
        check(by, 5_000_003, (100, 1000)).await;
    }
}

/// Who does not read for a while has all of it when he does.
#[tokio::test]
async fn a_client_that_is_slow_gets_all_of_a_long_answer() {
    let server = Server::new().await;
    let mut client = connect(By::Socket, &server).await;
    let body = numbers(20_000_000);
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let answering = async {
        let mut stream = server.accept().await;
        head(&mut stream).await;
        let front = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(front.as_bytes()).await.unwrap();
        // More than all sockets on the way hold: it ends when the client reads.
        stream.write_all(&body).await.unwrap();
    };
    let mut came = Vec::new();
    let reading = async {
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let mut some = vec![0; 30_000];
        while !came.ends_with(&body[body.len() - 100..]) {
            let read = client.read(&mut some).await.unwrap();
            came.extend_from_slice(&some[..read]);
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(answering, reading);
    assert!(came.ends_with(&body));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_seen_to() {
    for by in [By::Socket, By::Memory] {
        for sent in [0, 10, 20_000, 90_000] {
            let server = Server::new().await;
            let mut client = connect(by, &server).await;
            client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            let mut stream = server.accept().await;
            head(&mut stream).await;
            let front = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
            let all = [front.as_bytes(), &numbers(sent)].concat();
            stream.write_all(&all).await.unwrap();
            drop(stream);
            let mut came = Vec::new();
            client.read_to_end(&mut came).await.unwrap();
            let text = String::from_utf8_lossy(&came);
            assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{by:?}, {sent}: {text}");
            assert!(came.ends_with(&numbers(sent)), "{by:?}, {sent}");
        }
    }
}

/// What is asked behind a long answer is answered behind it.
#[tokio::test]
async fn who_asks_on_within_a_long_answer_is_answered_after_it() {
    let server = Server::new().await;
    let mut client = connect(By::Socket, &server).await;
    client.write_all(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut stream = server.accept().await;
    assert!(head(&mut stream).await.starts_with("GET /1 "));
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await.unwrap();
    stream.write_all(&numbers(50_000)).await.unwrap();
    client.write_all(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    stream.write_all(&numbers(100_000)[50_000..]).await.unwrap();
    assert!(head(&mut stream).await.starts_with("GET /2 "));
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await.unwrap();
    let mut came = Vec::new();
    while !came.ends_with(b"\r\n\r\nhi") {
        came.push(client.read_u8().await.unwrap());
    }
    let body = numbers(100_000);
    assert!(came.windows(body.len()).any(|part| part == body));
}
