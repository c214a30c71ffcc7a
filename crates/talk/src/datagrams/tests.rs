use relais_net::{DatagramListener, Shutdown};
use tokio::net::UdpSocket;

use super::*;
use crate::{Manners, Person, Subscribers, Told, show::Next};

/// A server of one role at a port of its own.
struct Server {
    all: Arc<Dialogues>,
    port: u16,
    _shutdown: Shutdown,
}

impl Server {
    fn of(role: Role) -> Self {
        let all = Arc::new(Dialogues::alone(role, 60_000));
        let listener = DatagramListener::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
        let port = listener.local().host_port().unwrap().port;
        let socket = Arc::new(listener.open().unwrap());
        let (shutdown, drain) = Shutdown::new();
        let serving = Arc::clone(&all);
        tokio::spawn(async move { DatagramService::serve(&*serving, socket, drain).await });
        Self { all, port, _shutdown: shutdown }
    }

    async fn caller(&self) -> UdpSocket {
        let caller = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        caller.connect(("127.0.0.1", self.port)).await.unwrap();
        caller
    }
}

async fn hear(caller: &UdpSocket) -> String {
    let mut buffer = vec![0; 65_535];
    let count = caller.recv(&mut buffer).await.unwrap();
    String::from_utf8(buffer[..count].to_vec()).unwrap()
}

async fn ask(caller: &UdpSocket, said: &str) -> String {
    caller.send(said.as_bytes()).await.unwrap();
    hear(caller).await
}

#[tokio::test]
async fn each_datagram_is_a_message_and_so_is_its_answer() {
    let server = Server::of(Role::Ack { reply: "ok".to_owned() });
    let caller = server.caller().await;
    for (said, expect) in [("a", "ok"), ("b\n", "ok\n"), ("", "ok"), ("c\r\n", "ok\r\n")] {
        assert_eq!(ask(&caller, said).await, expect);
    }
    server.all.showcase.close();
    let shown = std::iter::from_fn(|| server.all.showcase.next());
    let texts: Vec<_> = shown
        .map(|next| match next {
            Next::Shown(shown) => String::from_utf8(shown.bytes).unwrap(),
            Next::Missed(_) => unreachable!("there was room"),
        })
        .collect();
    assert_eq!(texts, ["a", "b", "", "c"]);
}

#[tokio::test]
async fn what_does_not_fit_is_cut_or_said_not_to() {
    let server = Server::of(Role::Upper);
    let caller = server.caller().await;
    let long = ask(&caller, &"a".repeat(65_000)).await;
    assert!(long.ends_with("A… (cut at 60000 bytes)"), "{}", &long[59_990..]);
    // Three letters for one.
    assert_eq!(ask(&caller, &"ΐ".repeat(29_000)).await, "error: the answer is too long");
}

#[tokio::test]
async fn who_subscribed_is_told() {
    let subscribers = Arc::new(Subscribers::new(2, Duration::from_mins(1)));
    let server = Server::of(Role::Notify(Arc::clone(&subscribers)));
    let (one, two) = (server.caller().await, server.caller().await);
    assert_eq!(ask(&one, "hello").await, "error: expected `subscribe`");
    assert_eq!(ask(&one, "subscribe\n").await, "subscribed for 60 s\n");
    assert_eq!(ask(&two, "subscribe").await, "subscribed for 60 s");
    assert_eq!(ask(&two, "x").await, "renewed for 60 s");
    assert_eq!(subscribers.notify(b"news").await, 2);
    assert_eq!((hear(&one).await, hear(&two).await), ("news".to_owned(), "news".to_owned()));
}

#[tokio::test]
async fn a_person_answers_senders_by_number() {
    let (person, mut told) = Person::new(Manners::Freely);
    let server = Server::of(Role::Talk(Arc::clone(&person)));
    let (one, two) = (server.caller().await, server.caller().await);
    for (caller, number) in [(&one, 1), (&two, 2)] {
        caller.send(b"hi").await.unwrap();
        assert!(matches!(told.recv().await, Some(Told::Came { number: n, .. }) if n == number));
        assert!(matches!(told.recv().await, Some(Told::Said { number: n, .. }) if n == number));
    }
    let third = server.caller().await;
    assert_eq!(ask(&third, "hi").await, "error: too many are talking already\n");
    person.type_line("@2 you");
    assert_eq!(hear(&two).await, "you\n");
}
