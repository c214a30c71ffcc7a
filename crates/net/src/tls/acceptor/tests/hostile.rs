//! Callers that speak no TLS, or break off, or lie.

use std::time::Duration;

use rustls::ClientConnection;
use tokio::time::timeout;

use super::*;

/// What becomes of a caller that sends `bytes` and then, perhaps, nothing more.
async fn answer(acceptor: &Acceptor, bytes: &[u8], hang_up: bool) -> io::Result<Vec<u8>> {
    let (ours, mut theirs) = duplex(1 << 20);
    theirs.write_all(bytes).await?;
    if hang_up {
        theirs.shutdown().await?;
    }
    acceptor.accept(ours).await.expect_err("no handshake without an answer to it");
    let mut said = Vec::new();
    theirs.read_to_end(&mut said).await?;
    Ok(said)
}

#[tokio::test]
async fn who_speaks_no_tls_is_turned_away_at_once() {
    let acceptor = Acceptor::new(&offer(&[certified(&["a.example"])])).unwrap();
    let huge_message = [&[22, 3, 1, 0, 5, 1][..], &[0xff, 0xff, 0xff, 0]].concat();
    for hostile in [
        &b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        // A record longer than any.
        &[22, 3, 1, 0xff, 0xff],
        // A message longer than any.
        &huge_message,
        // Empty records of the handshake's.
        &[22, 3, 1, 0, 0].repeat(1000),
        // Data before there are keys.
        &[23, 3, 3, 0, 1, 0],
        // A heartbeat.
        &[24, 3, 3, 0, 3, 1, 0x40, 0],
        // The hello of SSL 2.
        &[0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10],
        &[0; 100],
        &[0xff; 100],
    ] {
        let said = timeout(Duration::from_mins(1), answer(&acceptor, hostile, false)).await;
        let said = said.expect("an answer at once").unwrap();
        // Nothing, or a fatal alert.
        assert!(matches!(said[..], [] | [21, 3, _, 0, 2, 2, _]), "{said:?} to {hostile:?}");
    }
}

fn hello() -> Vec<u8> {
    let offered = [certified(&["a.example"])];
    let name = ServerName::try_from("a.example").unwrap();
    let mut client = ClientConnection::new(Client::of(&offered).ready(), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

#[tokio::test]
async fn nothing_panics() {
    let acceptor = Acceptor::new(&offer(&[certified(&["a.example"])])).unwrap();
    let hello = hello();
    for length in (0..hello.len()).step_by(7) {
        answer(&acceptor, &hello[..length], true).await.unwrap();
    }
    for index in 0..hello.len().min(400) {
        for value in [0, 0xff, hello[index] ^ 1] {
            let mut bad = hello.clone();
            bad[index] = value;
            answer(&acceptor, &bad, true).await.unwrap();
        }
    }
}
