use std::time::SystemTime;

use relais_net::{DatagramListener, Shutdown, Stream, sealing::KEY_BYTES};
use relais_tap::Tap;
use relais_wire::datagram::read_hex;
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf,
        duplex, split,
    },
    net::UdpSocket,
    time::timeout,
};

use super::*;
use crate::{
    ClearPasswords, Lang, Limits, Options, Registration,
    datagram::{Channel, Side},
    json::{
        self,
        carried::{Brought, read_carried, write_prove},
    },
    protocol::Ticket,
};

/// A hub whose clients are gone after `gone_after`, and where it hears datagrams.
async fn hub(folder: &std::path::Path, gone_after: Duration) -> (Hub, Shutdown, Drain) {
    let options = Options {
        server: "relais/test".into(),
        lang: Lang::En,
        registration: Registration::Open,
        clear_passwords: ClearPasswords::Refused,
        datagrams: Form::Sealed,
        limits: Limits { datagrams_gone_after: gone_after, burst: 10_000, ..Limits::default() },
        tap: Tap::new(1),
        clock: || SystemTime::UNIX_EPOCH,
        random: |bytes| bytes.fill(7),
        calculator: None,
    };
    let hub = Hub::open(&folder.join("hub.db"), options).unwrap();
    let listener = DatagramListener::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
    let socket = Arc::new(listener.open().unwrap());
    let (shutdown, drain) = Shutdown::new();
    let (hearing, until) = (hub.clone(), drain.clone());
    tokio::spawn(async move { DatagramService::serve(&hearing, socket, until).await });
    while hub.post().port().is_none() {
        tokio::task::yield_now().await;
    }
    (hub, shutdown, drain)
}

/// Somebody connected.
struct Client {
    said: WriteHalf<DuplexStream>,
    heard: BufReader<ReadHalf<DuplexStream>>,
}

impl Client {
    fn new(hub: &Hub, drain: &Drain) -> Self {
        let (client, stream) = duplex(1 << 16);
        let (hub, drain) = (hub.clone(), drain.clone());
        tokio::spawn(async move {
            let local = "tcp://127.0.0.1:1".parse().unwrap();
            let flow = hub.begin(Peer::Local, &local);
            let way = Way { peer: Peer::Local, is_private: false, certificate: None };
            let hall = hub.shared().hall().await.unwrap();
            let link = Link::lines(Stream::Memory(stream), 1 << 16);
            let told = Session::new(hub.shared(), hall, link, way).serve(&drain).await;
            hub.end(flow, (Peer::Local, &local), told)
        });
        let (heard, said) = split(client);
        Self { said, heard: BufReader::new(heard) }
    }

    async fn say(&mut self, frame: &str) {
        self.said.write_all(format!("{frame}\n").as_bytes()).await.unwrap();
    }

    /// The next line that begins so.
    async fn hear(&mut self, start: &str) -> String {
        let mut line = String::new();
        while !line.starts_with(start) {
            line.clear();
            assert_ne!(self.heard.read_line(&mut line).await.unwrap(), 0, "it hung up");
        }
        line
    }

    async fn ask(&mut self, frame: &str) -> String {
        self.say(frame).await;
        self.hear("{\"re\":").await
    }
}

/// Shows where somebody is, and gives how they speak from there.
async fn prove(ticket: &Ticket) -> (Channel, UdpSocket) {
    let key: [u8; KEY_BYTES] = read_hex(ticket.key.0.as_bytes()).unwrap();
    let sid = read_hex(ticket.sid.as_bytes()).unwrap();
    let mut channel = Channel::new(sid, &key, (Form::Sealed, Side::Client));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(("127.0.0.1", ticket.port)).await.unwrap();
    let pad = " ".repeat(64);
    let mut frame = format!("{{\"cmd\":\"PROVE\",\"echo\":\"\",\"pad\":\"{pad}\"}}").into_bytes();
    loop {
        socket.send(&channel.say(&frame)).await.unwrap();
        let mut room = [0; 1500];
        let count = socket.recv(&mut room).await.unwrap();
        let heard = channel.hear(&room[..count]).unwrap();
        match read_carried(&heard) {
            Some(Brought::Challenge(echo)) => {
                frame.clear();
                write_prove(1, &echo, &mut frame);
            }
            _ => return (channel, socket),
        }
    }
}

#[tokio::test]
async fn who_is_silent_for_too_long_hears_over_its_connection_again() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, _shutdown, drain) = hub(folder.path(), Duration::from_secs(2)).await;
    let mut client = Client::new(&hub, &drain);
    let register = r#"{"cmd":"REGISTER","id":1,"user":"ana","password":"secret-pass"}"#;
    client.ask(register).await;
    client.ask(r##"{"cmd":"JOIN","id":2,"room":"#lab"}"##).await;
    let told = client.ask(r#"{"cmd":"UDP","id":3,"events":"udp"}"#).await;
    let Ok(Told::Answer { answer: Ok(Answer::Datagrams(ticket)), .. }) =
        json::read_told(told.as_bytes())
    else {
        panic!("{told}");
    };
    let (_channel, socket) = prove(&ticket).await;
    let message = r##"{"cmd":"MESSAGE","id":4,"room":"#lab","body":"hello"}"##;
    client.say(message).await;
    socket.recv(&mut [0; 1500]).await.unwrap();
    // Nothing is confirmed, and nothing said.
    let heard = async {
        loop {
            client.say(message).await;
            let event = client.hear("{\"ev\":\"message\"");
            if timeout(Duration::from_millis(50), event).await.is_ok() {
                return;
            }
        }
    };
    timeout(Duration::from_mins(1), heard).await.expect("events over the connection");
    let sid = read_hex(ticket.sid.as_bytes()).unwrap();
    let held = hub.post().table().find(sid, Instant::now()).unwrap();
    assert_eq!(held.state().association.address(), None);
}

#[tokio::test]
async fn what_is_nobodys_is_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, _shutdown, _drain) = hub(folder.path(), Duration::from_mins(1)).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(("127.0.0.1", hub.post().port().unwrap())).await.unwrap();
    for datagram in [&b""[..], b"R1", &[0; DATAGRAM_BYTES_MAX + 1], &[b'R'; DATAGRAM_BYTES_MAX]] {
        socket.send(datagram).await.unwrap();
    }
    while hub.post().dropped() < 4 {
        tokio::task::yield_now().await;
    }
    assert!(socket.try_recv(&mut [0; 16]).is_err());
}
