use std::time::Duration;

use relais_net::{DatagramListener, Shutdown};
use tokio::net::UdpSocket;

use super::*;
use crate::{Answer, Manners, News, Person, Subscribers, show::Next};

/// A server of one role at a port of its own.
struct Server {
    all: Arc<Dialogues>,
    port: u16,
    shutdown: Shutdown,
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
        Self { all, port, shutdown }
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
    let server = Server::of(Role::Ack { reply: Answer::Text("ok".to_owned()) });
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
    // Nothing else is answered: what comes next is the answer to what was asked next.
    one.send(b"hello").await.unwrap();
    assert_eq!(ask(&one, "unsubscribe").await, "unsubscribed");
    assert_eq!(ask(&one, "subscribe\n").await, "subscribed for 60 s\n");
    one.send(b"x").await.unwrap();
    assert_eq!(ask(&two, "subscribe").await, "subscribed for 60 s");
    assert_eq!(ask(&two, "subscribe").await, "subscribed for 60 s");
    assert_eq!(subscribers.notify(b"news").await, 2);
    assert_eq!((hear(&one).await, hear(&two).await), ("news".to_owned(), "news".to_owned()));
}

#[tokio::test]
async fn while_many_are_told_others_have_their_turns() {
    const COUNT: u16 = 1_000;
    let subscribers = Arc::new(Subscribers::new(2 * usize::from(COUNT), Duration::from_mins(1)));
    let listener = DatagramListener::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
    let socket = Arc::new(listener.open().unwrap());
    for port in 20_000..20_000 + COUNT {
        // Whoever is there or not: nobody hears it.
        subscribers.hear(b"subscribe", ([127, 9, 9, 9], port).into(), &socket).unwrap();
    }
    let telling = tokio::spawn(async move { subscribers.notify(b"news").await });
    let mut turns = 0;
    while !telling.is_finished() {
        turns += 1;
        tokio::task::yield_now().await;
    }
    assert_eq!(telling.await.unwrap(), usize::from(COUNT));
    assert!(turns > 4, "{turns}");
}

#[tokio::test]
async fn what_no_datagram_holds_is_not_sent_to_nobody() {
    let subscribers = Arc::new(Subscribers::new(2, Duration::from_mins(1)));
    let all = Dialogues::alone(Role::Notify(subscribers), 70_000);
    let long = vec![b'x'; CARRIED_BYTES_MAX + 1];
    let answer = async |bytes: &[u8]| {
        let message = Message::of(bytes);
        let on = Arc::new("udp://127.0.0.1:1".parse().unwrap());
        let way = Way { from: Peer::Local, on: &on, worked: &Worked::default() };
        String::from_utf8(all.answer(Reply::Notify, &message, way).await).unwrap()
    };
    assert_eq!(answer(&long).await, "error: a datagram holds at most 65507 bytes");
    assert_eq!(answer(&long[1..]).await, "sent to 0");
}

#[tokio::test]
async fn by_datagrams_only_a_talk_has_a_last_word() {
    let server = Server::of(Role::Upper);
    assert_eq!(ask(&server.caller().await, "fin").await, "FIN");
    let (person, mut told) = Person::new(Manners::Freely);
    let server = Server::of(Role::Talk(Arc::clone(&person)));
    let caller = server.caller().await;
    caller.send(b"hi").await.unwrap();
    caller.send(b"fin").await.unwrap();
    for _ in 0..2 {
        assert!(!matches!(told.recv().await, Some(News::Went { .. })));
    }
    assert!(matches!(told.recv().await, Some(News::Went { number: 1 })));
}

#[tokio::test]
async fn an_error_is_not_calculated() {
    let program = crate::calc::Program { path: "/nonexistent".into(), arguments: Vec::new() };
    let calculator = crate::calc::Calculator::new(program, 1);
    let server = Server::of(Role::Calc(Arc::new(calculator)));
    let caller = server.caller().await;
    caller.send(b"error: no").await.unwrap();
    assert_eq!(ask(&caller, "1\n").await, "error: the calculator does not run\n");
    assert!(caller.try_recv(&mut [0; 16]).is_err());
}

#[tokio::test]
async fn an_address_may_have_so_much_under_way_from_however_many_ports() {
    let script =
        format!("echo {}; while read -r line; do sleep 0.02; echo 1; done", crate::calc::READY);
    let program =
        crate::calc::Program { path: "/bin/sh".into(), arguments: vec!["-c".to_owned(), script] };
    let calculator = crate::calc::Calculator::new(program, 1);
    let server = Server::of(Role::Calc(Arc::new(calculator)));
    let mut callers = Vec::new();
    for _ in 0..4 * asking::ASKED_OF_ONE_MAX {
        callers.push(server.caller().await);
        callers.last().unwrap().send(b"1").await.unwrap();
    }
    // Of a flood the first are answered, and who asks once they are.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let answered = callers.iter().filter(|caller| caller.try_recv(&mut [0; 9]).is_ok()).count();
    assert!((1..callers.len() / 2).contains(&answered), "{answered}");
    assert_eq!(ask(&server.caller().await, "1").await, "1");
}

#[tokio::test]
async fn an_answer_under_way_is_waited_for_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let asked = folder.path().join("asked");
    let script = format!(
        "echo {}; read -r line; : >'{}'; sleep 0.1; echo 2",
        crate::calc::READY,
        asked.display()
    );
    let arguments = vec!["-c".to_owned(), script];
    let program = crate::calc::Program { path: "/bin/sh".into(), arguments };
    let calculator = crate::calc::Calculator::new(program, 1);
    let server = Server::of(Role::Calc(Arc::new(calculator)));
    let caller = server.caller().await;
    caller.send(b"1+1").await.unwrap();
    while !asked.exists() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let Server { shutdown, .. } = server;
    assert_eq!(shutdown.finish(Duration::from_mins(1)).await, relais_net::Drained::InTime);
    assert_eq!(hear(&caller).await, "2");
}

#[tokio::test]
async fn in_turns_a_sender_waits_for_its_answer() {
    let (person, mut told) = Person::new(Manners::Turns);
    let server = Server::of(Role::Talk(Arc::clone(&person)));
    let caller = server.caller().await;
    for said in ["one", "two"] {
        caller.send(said.as_bytes()).await.unwrap();
    }
    let said = |expect: &'static str| move |told: Option<News>| matches!(told, Some(News::Said { bytes, .. }) if bytes == expect.as_bytes());
    told.recv().await.unwrap();
    assert!(said("one")(told.recv().await));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(told.try_recv().is_err());
    person.type_line("answer");
    assert_eq!(hear(&caller).await, "answer\n");
    assert!(said("two")(told.recv().await));
}

#[tokio::test]
async fn in_turns_who_was_not_told_is_not_waited_for() {
    let (person, mut told) = Person::new(Manners::Turns);
    let server = Server::of(Role::Talk(Arc::clone(&person)));
    let on = Arc::new("tcp://127.0.0.1:1".parse().unwrap());
    // Of the news that may wait one has room.
    let other = person.come((Peer::Local, &on), 2).await.unwrap();
    let mut unread = 1;
    while unread < told.max_capacity() - 1 {
        assert!(other.try_say(&Message::unended(b"x")));
        unread += 1;
    }
    let caller = server.caller().await;
    caller.send(b"one").await.unwrap();
    while person.current().1 < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    while let Ok(news) = told.try_recv() {
        assert!(!matches!(news, News::Said { number: 2, .. }), "there was no room for it");
    }
    caller.send(b"two").await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(5), told.recv()).await.unwrap();
    assert!(matches!(heard, Some(News::Said { number: 2, bytes, .. }) if bytes == b"two"));
}

#[tokio::test]
async fn a_person_answers_senders_by_number() {
    let (person, mut told) = Person::new(Manners::Freely);
    let server = Server::of(Role::Talk(Arc::clone(&person)));
    let (one, two) = (server.caller().await, server.caller().await);
    for (caller, number) in [(&one, 1), (&two, 2)] {
        caller.send(b"hi").await.unwrap();
        assert!(matches!(told.recv().await, Some(News::Came { number: n, .. }) if n == number));
        assert!(matches!(told.recv().await, Some(News::Said { number: n, .. }) if n == number));
    }
    for (caller, number) in [(&one, 1), (&two, 2)] {
        person.type_line(&format!("@{number} you"));
        assert_eq!(hear(caller).await, "you\n");
    }
    // Those are who they say they are, and keep their seats.
    let third = server.caller().await;
    third.send(b"hi").await.unwrap();
    one.send(b"again").await.unwrap();
    let again = |told| matches!(told, Some(News::Said { number: 1, .. }));
    assert!(again(told.recv().await), "nobody came");
}
