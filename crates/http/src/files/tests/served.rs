//! Files behind a real connection: what a client sees of heads and bodies.

use arc_swap::ArcSwap;
use relais_net::{Conn, Service, Shutdown, Stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{DynHandler, Http};

#[test]
fn a_connection_carries_every_kind_of_answer() {
    let Site { folder, files, .. } = Site::of(&[("a.txt", "small"), ("f/x", "")]);
    let big: Vec<u8> = (0..300_000_u32).map(|at| at.to_le_bytes()[at as usize % 3]).collect();
    fs::write(folder.path().join("root/big.bin"), &big).unwrap();
    let output = talk(
        files,
        &[
            "GET /a.txt",
            "HEAD /a.txt",
            "GET /a.txt HTTP/1.1\r\nIf-None-Match: *",
            "HEAD /big.bin",
            "GET /f",
            "OPTIONS *",
            "GET /big.bin HTTP/1.1\r\nRange: bytes=0-0,299999-",
            "GET /big.bin",
        ],
    );
    let mut rest = &output[..];
    let mut next = |status: &str, len: Option<usize>, has_body: bool| {
        let end = rest.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{head}");
        let told =
            head.split("content-length: ").nth(1).map(|told| told.split_once('\r').unwrap().0);
        let told: Option<usize> = told.map(|told| told.parse().unwrap());
        assert!(len.is_none() || told == len, "{head}");
        let body_end = end + if has_body { told.unwrap() } else { 0 };
        let body = rest[end..body_end].to_vec();
        rest = &rest[body_end..];
        body
    };
    assert_eq!(next("200 OK", Some(5), true), b"small");
    next("200 OK", Some(5), false);
    next("304 Not Modified", None, false);
    next("200 OK", Some(300_000), false);
    next("301 Moved Permanently", Some(0), true);
    next("204 No Content", None, false);
    let parts = next("206 Partial Content", None, true);
    assert!(parts.ends_with(b"--\r\n") && parts.len() < 500);
    assert!(next("200 OK", Some(300_000), true) == big, "the bodies differ");
    assert!(rest.is_empty());
}

/// Sends these requests over one socket and gives all that comes back.
fn talk(files: Files, requests: &[&str]) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let stream = Stream::Tcp(listener.accept().await.unwrap().0);
        let handler: Arc<dyn DynHandler> = Arc::new(files);
        let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), crate::Limits::default());
        let (_shutdown, drain) = Shutdown::new();
        let local = Arc::new("http://127.0.0.1:80".parse().unwrap());
        let conn = Conn { stream, peer: Peer::Local, called: None, local, tls: None };
        let serving = tokio::spawn(async move { http.serve(conn, drain).await });
        for request in requests {
            let version = if request.contains("HTTP/1.1") { "" } else { " HTTP/1.1" };
            let request = format!("{request}{version}\r\nHost: a\r\n\r\n");
            client.write_all(request.as_bytes()).await.unwrap();
        }
        client.shutdown().await.unwrap();
        let mut output = Vec::new();
        client.read_to_end(&mut output).await.unwrap();
        serving.await.unwrap().unwrap();
        output
    })
}
