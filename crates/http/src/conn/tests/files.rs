//! Files on their way to a socket.

use std::os::unix::fs::FileExt;

use rustix::net::sockopt::set_socket_send_buffer_size;

use super::*;

const FILE: &[u8] = b"GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_file_between_other_pieces_arrives_whole_over_a_socket_and_over_a_pipe() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let (_, file) = open(&bytes);
    let (mut client, server) = tcp().await;
    let http1 = http(stage(Arc::clone(&file)), Limits::default());
    let (_shutdown, drain) = none();
    let serving = tokio::spawn(async move { http1.serve(conn(server), drain).await });
    client.write_all(FILE).await.unwrap();
    let mut output = Vec::new();
    client.read_to_end(&mut output).await.unwrap();
    assert_body(&output, &bytes);
    drop(client);
    serving.await.unwrap().unwrap();

    let (mut client, server) = tokio::io::duplex(1 << 16);
    let http1 = http(stage(file), Limits::default());
    let (_shutdown, drain) = none();
    tokio::spawn(async move { http1.serve(conn(Stream::Memory(server)), drain).await });
    client.write_all(FILE).await.unwrap();
    output.clear();
    client.read_to_end(&mut output).await.unwrap();
    assert_body(&output, &bytes);
}

#[track_caller]
fn assert_body(output: &[u8], bytes: &[u8]) {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8_lossy(&output[..end]);
    assert!(head.contains(&format!("content-length: {}\r\n", bytes.len() + 2)), "{head}");
    assert!(output[end..] == [b"<", bytes, b">"].concat(), "the body differs");
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_breaks_the_message() {
    for cut in [true, false] {
        let (changing, file) = open(&vec![b'a'; 50 << 20]);
        let (mut client, server) = tcp().await;
        let http1 = http(stage(file), Limits::default());
        let (_shutdown, drain) = none();
        let serving = tokio::spawn(async move { http1.serve(conn(server), drain).await });
        client.write_all(FILE).await.unwrap();
        let mut first = vec![0; 1000];
        client.read_exact(&mut first).await.unwrap();
        if cut {
            changing.set_len(1).unwrap();
        } else {
            (&changing).write_all(b"b").unwrap();
        }
        let mut output = Vec::new();
        // A reset is as good an end as a short one.
        _ = client.read_to_end(&mut output).await;
        assert!(output.len() < 50 << 20, "cut: {cut}, came whole: {}", output.len());
        drop(client);
        assert!(serving.await.unwrap().is_err());
    }
}

/// As much as waits in sockets' queues is not of two states, if it comes to its end.
#[tokio::test]
async fn a_file_that_is_written_while_it_waits_in_a_queue_is_not_sent_mixed() {
    for len in [100_000, 1 << 20, (4 << 20) + 1, 6 << 20, 8 << 20, (8 << 20) + 1] {
        for read in [1000, len / 2, len - 1000] {
            check_unmixed(len, read).await;
        }
    }
}

/// Has a file of `len` bytes written after so many were `read`.
async fn check_unmixed(len: usize, read: usize) {
    let (changing, file) = open(&vec![b'a'; len]);
    let (mut client, server) = tcp().await;
    let http1 = http(stage(file), Limits::default());
    let (_shutdown, drain) = none();
    let serving = tokio::spawn(async move { http1.serve(conn(server), drain).await });
    client.write_all(FILE).await.unwrap();
    let mut output = vec![0; read];
    client.read_exact(&mut output).await.unwrap();
    let_others_go_on().await;
    // By now as much is queued as finds room.
    changing.write_all_at(&vec![b'b'; len], 0).unwrap();
    // A reset is as good an end as a short one.
    let ended = client.read_to_end(&mut output).await;
    drop(client);
    _ = serving.await.unwrap();
    let head = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let is_whole = ended.is_ok() && output.len() == head + len + 2;
    assert!(!is_whole || !output[head..].contains(&b'b'), "{len}, {read}: mixed");
    assert!(is_whole || len > 1 << 20, "{len}, {read}: {ended:?}, {} came", output.len());
}

/// Sends a file, and notes how that ended.
#[derive(Debug)]
struct Noting {
    file: Arc<OpenFile>,
    ended: Arc<std::sync::Mutex<Option<Ended>>>,
}

impl Handler for Noting {
    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        let (file, len) = (Arc::clone(&self.file), self.file.stamp.len);
        let mut body = Body::of([Piece::File(FileSpan { file, offset: 0, len, hold: None })]);
        let ended = Arc::clone(&self.ended);
        body.on_end(move |how| *ended.lock().unwrap() = Some(how));
        Ok(Response::new(body))
    }
}

#[tokio::test]
async fn of_a_file_what_the_kernel_took_is_noted_as_sent() {
    let len: u64 = 50 << 20;
    for taken in [1000, len + 1000] {
        let (_, file) = open(&vec![b'a'; usize::try_from(len).unwrap()]);
        let ended = Arc::default();
        let handler: Arc<dyn DynHandler> = Arc::new(Noting { file, ended: Arc::clone(&ended) });
        let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default());
        let (mut client, server) = tcp().await;
        set_socket_send_buffer_size(server.socket().unwrap(), 64 * 1024).unwrap();
        let (_shutdown, drain) = none();
        let serving = tokio::spawn(async move { http.serve(conn(server), drain).await });
        client.write_all(FILE).await.unwrap();
        let mut output = Vec::new();
        (&mut client).take(taken).read_to_end(&mut output).await.unwrap();
        drop(client);
        // How it ends is in the note.
        _ = serving.await.unwrap();
        let ended = ended.lock().unwrap().take();
        if taken > len {
            assert_eq!(ended, Some(Ended::Whole(len)));
        } else {
            // A step is 4 MiB; the queues between us have not room for that.
            let is_right = |sent: u64| sent > 0 && sent < 4 << 20;
            assert!(matches!(ended, Some(Ended::Short(sent)) if is_right(sent)), "{ended:?}");
        }
    }
}
