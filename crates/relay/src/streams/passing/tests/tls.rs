//! Relays one of whose sides is TLS, which has an end of its own.

use relais_net::{
    Endpoint,
    tls::{
        Acceptor, Authority, CallerPapers, Connector, Demand, Offer, Protocols, Resumption,
        SubjectName, Trust,
    },
};

use super::*;

/// Both ends of a connection under TLS: who called, and who was called.
async fn tls() -> (Stream, Stream) {
    let folder = tempfile::tempdir().unwrap();
    // Whenever: nobody asks whether it is good now.
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 50);
    let authority = Authority::open_or_create(folder.path(), "test", now).unwrap();
    let name = "localhost".parse::<SubjectName>().unwrap();
    let acceptor = Acceptor::new(&Offer {
        certified: vec![authority.leaf_for(&[name], now).unwrap()],
        protocols: Protocols::Plain,
        caller_papers: CallerPapers::Unasked,
        resumption: Resumption::new().unwrap(),
    });
    let demand = Demand { trust: Trust::InsecureAnyone, server_name: None, own: None };
    let (acceptor, connector) = (acceptor.unwrap(), Connector::new(&demand).unwrap());
    let endpoint: Endpoint = "tls://localhost:1".parse().unwrap();
    let (Stream::Tcp(ours), Stream::Tcp(theirs)) = tcp().await else { panic!("TCP") };
    let (called, answered) =
        tokio::join!(connector.connect(ours, &endpoint, Protocols::Plain), acceptor.accept(theirs));
    let (called, answered) = (called.unwrap().0, answered.unwrap().0);
    (Stream::Tls(Box::new(called.into())), Stream::Tls(Box::new(answered.into())))
}

#[tokio::test]
async fn an_end_of_tls_is_one_of_its_direction_alone() {
    let relays = [relay(tls().await, tcp().await, LASTS), relay(tcp().await, tls().await, LASTS)];
    for (mut client, mut server, passing) in relays {
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(heard(&mut server).await, (b"question".to_vec(), None));
        server.write_all(b"answer").await.unwrap();
        server.shutdown().await.unwrap();
        assert_eq!(heard(&mut client).await, (b"answer".to_vec(), None));
        drop((client, server));
        let expect = Passed { by: By::Client, why: "closed".into(), to_server: 8, to_client: 6 };
        assert_eq!(passing.await.unwrap(), expect);
    }
}

#[tokio::test]
async fn where_it_is_closed_on_purpose_tls_has_its_own_end() {
    let ((mut client, near), (far, mut server)) = (tls().await, tls().await);
    let own = Cuts { close_after: Some(4), ..Cuts::default() };
    let shape = Shape { own, ..Shape::default() };
    let passing = tokio::spawn(async move {
        shaped(Pair { client: near, server: far }, LASTS, (b"", shape)).await
    });
    client.write_all(b"question").await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(heard(&mut server).await, (b"ques".to_vec(), None));
    assert_eq!(heard(&mut client).await, (Vec::new(), None));
    drop((client, server));
    assert_eq!(&*passing.await.unwrap().why, "closed on purpose");
}

#[tokio::test]
async fn where_tls_is_cut_off_it_is_no_end() {
    let (mut client, mut server, passing) = relay(tcp().await, tls().await, LASTS);
    server.write_all(b"half").await.unwrap();
    server.flush().await.unwrap();
    // The socket's end, and not that of TLS.
    let Stream::Tls(server) = &mut server else { panic!("TLS") };
    server.get_mut().0.shutdown().await.unwrap();
    let heard = heard(&mut client).await;
    assert_eq!(heard, (b"half".to_vec(), Some(ErrorKind::ConnectionReset)));
    let passed = passing.await.unwrap();
    assert_eq!((passed.by, &*passed.why), (By::Server, "cut off"));
}

#[tokio::test]
async fn under_tls_too_a_reset_while_written_to_is_no_end() {
    // With TLS before it, and behind it.
    for (client_side, server_side) in
        [(tls().await, tcp().await), (tcp().await, tls().await), (tls().await, tls().await)]
    {
        let ((mut client, near), (far, mut server)) = (client_side, server_side);
        server.write_all(b"half").await.unwrap();
        server.flush().await.unwrap();
        client.write_all(b"more").await.unwrap();
        client.flush().await.unwrap();
        server.reset();
        let passing = tokio::spawn(alone(Pair { client: near, server: far }, LASTS));
        let (came, end) = heard(&mut client).await;
        assert_eq!(came, b"half");
        // No end of TLS: the socket's alone, if even that.
        let is_broken = matches!(end, Some(ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof));
        assert!(is_broken, "{end:?}");
        assert_eq!(passing.await.unwrap().by, By::Server);
    }
}
