//! Interim answers: to whom they are passed, when, and as what.

use super::*;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
const HINT: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
const HINTED: &str = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nvia: 1.1 here\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";

/// A plain GET takes the straight way, and hyper has the rest.
const WAYS: [&str; 3] = ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", GET, POST];

async fn read_until(client: &mut DuplexStream, end: &str) -> String {
    let mut came = Vec::new();
    while !came.ends_with(end.as_bytes()) {
        let read = client.read_buf(&mut came);
        let read = tokio::time::timeout(Duration::from_mins(1), read).await;
        let text = || String::from_utf8_lossy(&came).into_owned();
        assert_ne!(read.unwrap_or_else(|_| panic!("late: {}", text())).unwrap(), 0, "{}", text());
    }
    without_date(&String::from_utf8(came).unwrap())
}

#[tokio::test]
async fn each_is_passed_on_at_once() {
    for request in WAYS {
        let server = Server::new().await;
        let mut client = client(server.proxy());
        client.write_all(request.as_bytes()).await.unwrap();
        let mut stream = server.accept().await;
        head(&mut stream).await;
        for _ in 0..2 {
            stream.write_all(HINT.as_bytes()).await.unwrap();
            assert_eq!(read_until(&mut client, "\r\n\r\n").await, HINTED, "{request}");
        }
        stream.write_all(OK.as_bytes()).await.unwrap();
        let came = read_until(&mut client, "\r\n\r\nx").await;
        assert!(came.starts_with("HTTP/1.1 200 OK\r\n") && !came.contains("link"), "{came}");
    }
}

/// All in one piece, so that the answer is there before the first is sent.
#[tokio::test]
async fn all_are_sent_before_an_answer_that_came_with_them() {
    let long = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    for (request, answer, end) in [
        (WAYS[0], OK, "\r\n\r\nx"),
        (GET, OK, "\r\n\r\nx"),
        (POST, OK, "\r\n\r\nx"),
        (WAYS[0], long, "1\r\nx\r\n0\r\n\r\n"),
        (POST, long, "1\r\nx\r\n0\r\n\r\n"),
    ] {
        let all = format!("{HINT}HTTP/1.1 102 Processing\r\n\r\n{HINT}{answer}");
        let (_, came) = passed(request, all.leak()).await;
        let before = format!("{HINTED}HTTP/1.1 102 Processing\r\nvia: 1.1 here\r\n\r\n{HINTED}");
        let rest = came.strip_prefix(&before).unwrap_or_else(|| panic!("{request}: {came}"));
        assert!(rest.starts_with("HTTP/1.1 200 OK\r\n") && rest.ends_with(end), "{came}");
        assert_eq!(rest.matches("HTTP/1.").count(), 1, "{came}");
    }
}

#[tokio::test]
async fn each_request_of_several_at_once_has_its_own() {
    let server = Server::new().await;
    let mut client = client(server.proxy());
    let keeping = POST.replace("Connection: close\r\n", "");
    let requests = [WAYS[0], &keeping, WAYS[0], GET].concat();
    client.write_all(requests.as_bytes()).await.unwrap();
    let answering = async {
        let mut stream = server.accept().await;
        for nth in 1..=4 {
            let asked = head(&mut stream).await;
            if asked.starts_with("POST") {
                stream.read_exact(&mut [0; 2]).await.unwrap();
            }
            let both = format!(
                "HTTP/1.1 103 Early Hints\r\nX-Nth: {nth}\r\n\r\n\
                 HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-For: {nth}\r\n\r\n{nth}."
            );
            stream.write_all(both.as_bytes()).await.unwrap();
        }
    };
    let mut came = String::new();
    let ((), read) = tokio::join!(answering, client.read_to_string(&mut came));
    read.unwrap();
    let came = without_date(&came).replace("connection: close\r\n", "");
    let expect = ["1", "2", "3", "4"].map(|nth| {
        format!(
            "HTTP/1.1 103 Early Hints\r\nx-nth: {nth}\r\nvia: 1.1 here\r\n\r\n\
             HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-for: {nth}\r\nvia: 1.1 here\r\n\r\n{nth}."
        )
    });
    assert_eq!(came, expect.concat());
}

#[tokio::test]
async fn clients_of_http_1_0_get_none() {
    for old in ["GET / HTTP/1.0\r\n\r\n", "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx"] {
        let old = old.replacen("\r\n", "\r\nHost: a\r\n", 1);
        let (_, came) = passed(&old, [HINT, OK].concat().leak()).await;
        assert!(came.starts_with("HTTP/1.0 200 OK\r\n"), "{came}");
    }
}

#[tokio::test]
async fn what_is_for_one_hop_is_left_out() {
    let check = async |interim: &str, expect: &str| {
        for request in [GET, POST, WAYS[0]] {
            let interim = interim.replace('|', "\r\n");
            let (_, came) = passed(request, [&interim, OK].concat().leak()).await;
            let expect = expect.replace('|', "\r\n");
            assert!(came.starts_with(&format!("{expect}HTTP/1.1 200 OK\r\n")), "{came}");
        }
    };
    check(
        "HTTP/1.1 103 Early Hints|Connection: x-a, close|X-A: 1|Keep-Alive: 2|Upgrade: h2c|Link: b||",
        "HTTP/1.1 103 Early Hints|link: b|via: 1.1 here||",
    )
    .await;
    // It has no body, and does not say so (RFC 9110 §8.6).
    check("HTTP/1.1 102 X|Content-Length: 0||", "HTTP/1.1 102 Processing|via: 1.1 here||").await;
    // 100 is for us, and what nobody has heard of is for who has.
    check("HTTP/1.1 100 Continue|X-A: 1||", "").await;
    check("HTTP/1.1 199 Any: thing|X-A: 1||", "HTTP/1.1 199 |x-a: 1|via: 1.1 here||").await;
}

/// What could be read in two ways is no interim answer, and nothing behind it an answer.
#[tokio::test]
async fn what_is_not_well_formed_is_not_passed_on() {
    for bad in [
        "HTTP/1.1 103 Early Hints\r\nLink: a\r\n b\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: a\rX: b\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: a\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink : a\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: a\0b\r\n\r\n",
        "HTTP/1.1 103 Early\rHints\r\nLink: a\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\n: a\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        for request in [GET, POST] {
            let (_, came) = passed(request, [bad, OK].concat().leak()).await;
            assert!(came.starts_with("HTTP/1.1 502 "), "{bad:?}: {came}");
            assert_eq!(came.matches("HTTP/1.1 ").count(), 1, "{bad:?}: {came}");
        }
    }
    let large = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n{OK}", "a".repeat(1 << 20));
    let (_, came) = passed(GET, large.leak()).await;
    assert!(came.starts_with("HTTP/1.1 502 "), "{came}");
}

#[tokio::test]
async fn so_many_are_passed_on_and_no_more() {
    for request in [WAYS[0], GET, POST] {
        let (_, came) = passed(request, [&HINT.repeat(16), OK].concat().leak()).await;
        assert!(came.starts_with(&format!("{}HTTP/1.1 200 OK\r\n", HINTED.repeat(16))), "{came}");
        let (_, came) = passed(request, [&HINT.repeat(17), OK].concat().leak()).await;
        assert!(came.starts_with(&format!("{}HTTP/1.1 502 ", HINTED.repeat(16))), "{came}");
        assert_eq!(came.matches("HTTP/1.1 ").count(), 17, "{came}");
    }
}

#[tokio::test]
async fn all_together_have_as_many_bytes_as_one_head_may() {
    let hint = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "a".repeat(16_350));
    for request in [WAYS[0], GET, POST] {
        let (_, came) = passed(request, [&hint.repeat(3), OK].concat().leak()).await;
        assert!(came.contains("HTTP/1.1 200 OK\r\n"), "{request}");
        let (_, came) = passed(request, [&hint.repeat(5), OK].concat().leak()).await;
        assert!(came.contains("HTTP/1.1 502 ") && !came.contains(" 200 OK"), "{request}");
    }
}

#[tokio::test]
async fn an_upstream_that_dies_behind_one_is_told_of() {
    for request in [WAYS[0], GET, POST] {
        let (_, came) = passed(request, HINT).await;
        assert!(came.starts_with(&format!("{HINTED}HTTP/1.1 502 ")), "{request}: {came}");
    }
}

/// What is written of the head of one is behind nothing and before everything, however little a
/// client takes at a time.
#[tokio::test]
async fn a_slow_client_gets_each_whole_and_in_its_place() {
    for request in [WAYS[0], POST] {
        let server = Server::new().await;
        let (mut client, far) = tokio::io::duplex(7);
        serve(server.proxy(), Stream::Memory(far));
        let asked = [request, GET].concat();
        let (mut reads, mut writes) = tokio::io::split(&mut client);
        let answering = async {
            let mut stream = server.accept().await;
            let asked = head(&mut stream).await;
            if asked.starts_with("POST") {
                stream.read_exact(&mut [0; 2]).await.unwrap();
            }
            stream.write_all([HINT, OK].concat().as_bytes()).await.unwrap();
            if request != POST {
                head(&mut stream).await;
                stream.write_all([HINT, HINT, OK].concat().as_bytes()).await.unwrap();
            }
        };
        let reading = async {
            let mut came = Vec::new();
            while let Ok(byte) = reads.read_u8().await {
                came.push(byte);
                tokio::task::yield_now().await;
            }
            without_date(&String::from_utf8(came).unwrap())
        };
        let ((), (), came) = tokio::join!(
            answering,
            async { _ = writes.write_all(asked.as_bytes()).await },
            reading
        );
        let ok = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nvia: 1.1 here\r\n\r\nx";
        let came = came.replace("connection: close\r\n", "");
        let expect = [HINTED, ok].concat();
        if request == POST {
            assert_eq!(came, expect);
        } else {
            assert_eq!(came, [&expect, HINTED, HINTED, ok].concat());
        }
    }
}

/// hyper says 100 by itself, and both are before the answer.
#[tokio::test]
async fn a_client_that_waits_to_be_told_to_go_on_gets_both() {
    let server = Server::new().await;
    let mut client = client(server.proxy());
    let asked = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    client.write_all(asked.as_bytes()).await.unwrap();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    stream.write_all(HINT.as_bytes()).await.unwrap();
    assert_eq!(read_until(&mut client, "\r\n\r\n").await, HINTED);
    stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    assert_eq!(read_until(&mut client, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"hi").await.unwrap();
    stream.read_exact(&mut [0; 2]).await.unwrap();
    stream.write_all([HINT, OK].concat().as_bytes()).await.unwrap();
    let came = read_until(&mut client, "\r\n\r\nx").await;
    assert!(came.starts_with(&format!("{HINTED}HTTP/1.1 200 OK\r\n")), "{came}");
}

/// And who was asked for it need not go on.
#[tokio::test(start_paused = true)]
async fn a_client_that_takes_none_is_left() {
    for request in WAYS {
        let server = Server::new().await;
        let (mut client, far) = tokio::io::duplex(32);
        // Far more sweeps than it takes: of those the time is paused, and not what they look at.
        let patient = upstream::Limits { head_max: Duration::from_hours(24), ..Default::default() };
        let (proxy, _) = server.handler(Speaks::Http1, patient);
        let handler: Arc<dyn DynHandler> = Arc::new(proxy);
        let limits = Limits { stall_max: Duration::ZERO, ..Limits::default() };
        serve(Http::new(Arc::new(ArcSwap::from_pointee(handler)), limits), Stream::Memory(far));
        client.write_all(request.as_bytes()).await.unwrap();
        let mut stream = server.accept().await;
        head(&mut stream).await;
        stream.write_all(HINT.repeat(2).as_bytes()).await.unwrap();
        let mut left = Vec::new();
        stream.read_to_end(&mut left).await.unwrap();
        let mut came = String::new();
        client.read_to_string(&mut came).await.unwrap();
        assert!(came.len() <= 64 && HINTED.repeat(2).starts_with(&came), "{request}: {came}");
    }
}
