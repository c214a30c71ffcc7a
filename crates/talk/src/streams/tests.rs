use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use relais_net::{Endpoint, Peer, Shutdown};
use relais_tap::{Detail, Ending, Event, Tap, Watcher};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::{
    dialogues::EndServer,
    person::{Manners, Person},
    role::{Answer, Word},
    show::Next,
};

/// A server of one role, over pipes inside this process.
struct Server {
    all: Arc<Dialogues>,
    ended: Arc<AtomicBool>,
    watcher: Watcher,
    shutdown: Shutdown,
    drain: Drain,
}

impl Server {
    fn of(role: Role) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let end = EndServer(Arc::new({
            let ended = Arc::clone(&ended);
            move || ended.store(true, Ordering::Relaxed)
        }));
        let tap = Tap::new(64);
        let watcher = tap.watch(Detail::Flows);
        let all = Dialogues { tap, end, ..Dialogues::alone(role, 64 << 10) };
        let (shutdown, drain) = Shutdown::new();
        Self { all: Arc::new(all), ended, watcher, shutdown, drain }
    }

    fn call(&self) -> DuplexStream {
        let (ours, theirs) = duplex(1 << 20);
        let local: Endpoint = "tcp://127.0.0.1:1".parse().unwrap();
        let conn = Conn {
            stream: Stream::Memory(theirs),
            peer: Peer::Local,
            called: None,
            local: Arc::new(local),
            tls: None,
        };
        let (all, drain) = (Arc::clone(&self.all), self.drain.clone());
        tokio::spawn(async move { all.serve(conn, drain).await });
        ours
    }

    /// What is answered to somebody who says this and then nothing more.
    async fn answer(&self, said: &[u8]) -> String {
        let mut call = self.call();
        call.write_all(said).await.unwrap();
        call.shutdown().await.unwrap();
        rest(&mut call).await
    }

    /// What was shown, until now.
    fn shown(&self) -> Vec<String> {
        self.all.showcase.close();
        let shown = std::iter::from_fn(|| self.all.showcase.next());
        let text = |next| match next {
            Next::Shown(shown) => {
                let cut = if shown.is_cut { "…" } else { "" };
                format!("{}{cut}", String::from_utf8_lossy(&shown.bytes))
            }
            Next::Missed(count) => format!("{count} missed"),
        };
        shown.map(text).collect()
    }

    /// Why the next dialogue ended.
    async fn why(&mut self) -> String {
        let ending = self.ending().await;
        format!("{}: {}", ending.by.name(), ending.why)
    }

    async fn ending(&mut self) -> Ending {
        loop {
            if let Some(Event::Closed { ending: Some(ending), .. }) = self.watcher.next().await {
                return ending;
            }
        }
    }
}

async fn rest(call: &mut DuplexStream) -> String {
    let mut text = Vec::new();
    call.read_to_end(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

/// What comes next, at once.
async fn next(call: &mut DuplexStream) -> String {
    let mut part = [0; 256];
    let count = call.read(&mut part).await.unwrap();
    String::from_utf8(part[..count].to_vec()).unwrap()
}

fn ack() -> Role {
    Role::Ack { reply: Answer::Text("ok".to_owned()) }
}

#[tokio::test(start_paused = true)]
async fn each_line_is_shown_and_what_is_left_at_the_end_too() {
    let server = Server::of(Role::Print);
    assert_eq!(server.answer(b"one\ntwo\r\n\nlast").await, "");
    assert_eq!(server.shown(), ["one", "two", "", "last"]);
    assert!(!server.ended.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn what_is_received_is_all_that_came_and_no_word_ends_it() {
    let mut server = Server::of(Role::Receive);
    let said = b"quit\r\n\nfin\r".repeat(5_000);
    assert_eq!(server.answer(&said).await, "");
    assert_eq!(server.why().await, "client: closed");
    assert_eq!(server.shown().concat().as_bytes(), said);
}

#[tokio::test]
async fn told_to_stop_who_has_said_all_is_received_to_the_end() {
    let server = Server::of(Role::Receive);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    // What is not read has room there, in whatever pieces the rest was.
    socket.set_recv_buffer_size(1 << 20).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let at = listener.local_addr().unwrap();
    let mut caller = Stream::Tcp(tokio::net::TcpStream::connect(at).await.unwrap());
    let (stream, from) = listener.accept().await.unwrap();
    let local = Arc::new("tcp://127.0.0.1:1".parse().unwrap());
    let (stream, peer) = (Stream::Tcp(stream), Peer::Net(from));
    let conn = Conn { stream, peer, called: None, local, tls: None };
    let (all, drain) = (Arc::clone(&server.all), server.drain.clone());
    let dialogue = tokio::spawn(async move { all.serve(conn, drain).await });
    // Somewhat more than there is room for on the way to who prints: some is read, and some is not.
    let said = vec![b'x'; (1 << 20) + (20 << 10)];
    caller.write_all(&said).await.unwrap();
    caller.shutdown().await.unwrap();
    while caller.has_unsent() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.shutdown.request();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let printing = std::thread::spawn({
        let way = server.all.showcase.clone();
        move || {
            let shown = std::iter::from_fn(|| way.next());
            shown
                .map(|next| match next {
                    Next::Shown(shown) => shown.bytes.len(),
                    Next::Missed(_) => unreachable!("it waits its turn"),
                })
                .sum::<usize>()
        }
    });
    dialogue.await.unwrap().unwrap();
    server.all.showcase.close();
    assert_eq!(printing.join().unwrap(), said.len());
}

#[tokio::test(start_paused = true)]
async fn a_file_is_sent_whole_and_the_dialogue_over() {
    let file = bytes::Bytes::from(vec![b'x'; 1 << 20]);
    let mut server = Server::of(Role::Ack { reply: Answer::File(file) });
    let mut call = server.call();
    call.write_all(b"please\nagain\n").await.unwrap();
    assert_eq!(rest(&mut call).await.len(), 1 << 20);
    assert_eq!(server.why().await, "relais: all is said");
}

#[tokio::test(start_paused = true)]
async fn quit_ends_the_server_and_nothing_behind_it_is_heard() {
    let mut server = Server::of(ack());
    assert_eq!(server.answer(b"one\nquit now\nmore\n").await, "ok\nok\n");
    assert_eq!(server.why().await, "client: said its last word");
    assert!(server.ended.load(Ordering::Relaxed));
    assert_eq!(server.shown(), ["one", "quit now"]);
}

#[tokio::test(start_paused = true)]
async fn what_has_no_line_end_is_answered_after_a_moment() {
    let server = Server::of(ack());
    let mut call = server.call();
    call.write_all(b"hello").await.unwrap();
    assert_eq!(next(&mut call).await, "ok");
    call.write_all(b"\nagain\n").await.unwrap();
    assert_eq!(next(&mut call).await, "ok\n");
    assert_eq!(server.shown(), ["hello", "again"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_too_long_is_cut_and_said_to_be() {
    let server = Server::of(Role::Upper);
    let long = [vec![b'a'; 200_000], b"\nnext\n".to_vec()].concat();
    let answer = server.answer(&long).await;
    let (first, rest) = answer.split_once('\n').unwrap();
    assert_eq!(first.len(), "… (cut at 65536 bytes)".len() + 65_536);
    assert!(first.ends_with("A… (cut at 65536 bytes)"));
    assert_eq!(rest, "NEXT\n");
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_let_go() {
    for role in [Role::Print, Role::Echo] {
        let mut server = Server::of(role);
        let mut call = server.call();
        assert_eq!(rest(&mut call).await, "");
        assert_eq!(server.why().await, "relais: idle for 60 s");
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_no_answers_is_let_go() {
    for role in [ack(), Role::Echo] {
        let mut server = Server::of(role);
        let mut call = server.call();
        let flood = vec![b'\n'; 8 << 20];
        // Fails once the server is gone.
        _ = call.write_all(&flood).await;
        let ending = server.ending().await;
        assert_eq!(ending.by.name(), "client");
        // What was not sent is not counted.
        let came = rest(&mut call).await.len();
        assert!(ending.to_client <= came as u64, "{} of {came}", ending.to_client);
    }
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_a_dialogue_ends() {
    for role in [Role::Print, Role::Echo] {
        let mut server = Server::of(role);
        let mut call = server.call();
        call.write_all(b"x\n").await.unwrap();
        tokio::task::yield_now().await;
        server.shutdown.request();
        rest(&mut call).await;
        assert_eq!(server.why().await, "relais: told to stop");
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_who_never_stops_does_not_keep_us() {
    for role in [Role::Print, Role::Echo, ack()] {
        let mut server = Server::of(role);
        let (mut from, mut to) = tokio::io::split(server.call());
        let flood =
            tokio::spawn(async move { while to.write_all(&[b'\n'; 16 << 10]).await.is_ok() {} });
        let taking = tokio::spawn(async move {
            let mut part = vec![0; 64 << 10];
            while from.read(&mut part).await.is_ok_and(|count| count > 0) {}
        });
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        server.shutdown.request();
        assert_eq!(server.why().await, "relais: told to stop");
        taking.await.unwrap();
        flood.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn echo_sends_bytes_back_until_somebody_says_fin() {
    let mut server = Server::of(Role::Echo);
    assert_eq!(server.answer(b"coucou\n\xc3\xa9\0fin").await, "coucou\né\0fin");
    assert_eq!(server.why().await, "client: closed");
    assert_eq!(server.answer(b"coucou\nfin\nmore").await, "coucou\n");
    assert_eq!(server.why().await, "client: said its last word");
    // Who never ended a line has said it without an end.
    let mut call = server.call();
    call.write_all(b"fin").await.unwrap();
    assert_eq!(rest(&mut call).await, "");
    assert_eq!(server.why().await, "client: said its last word");
}

#[tokio::test(start_paused = true)]
async fn of_who_ends_lines_none_is_cut_in_two_by_a_pause() {
    let pause = || tokio::time::sleep(Duration::from_secs(5));
    let server = Server::of(Role::Echo);
    let mut call = server.call();
    call.write_all(b"a\nfin").await.unwrap();
    pause().await;
    call.write_all(b"ish\n").await.unwrap();
    call.shutdown().await.unwrap();
    assert_eq!(rest(&mut call).await, "a\nfinish\n");
    let server = Server::of(ack());
    let mut call = server.call();
    call.write_all(b"one\ntw").await.unwrap();
    pause().await;
    call.write_all(b"o\nthr").await.unwrap();
    pause().await;
    call.write_all(b"ee").await.unwrap();
    call.shutdown().await.unwrap();
    assert_eq!(rest(&mut call).await, "ok\nok\nok");
    assert_eq!(server.shown(), ["one", "two", "three"]);
}

/// A shell that stands in for a calculator's child.
fn calc(script: &str) -> Role {
    let script = format!("echo {}; while read -r line; do {script}; done", crate::calc::READY);
    let arguments = vec!["-c".to_owned(), script];
    let program = crate::calc::Program { path: "/bin/sh".into(), arguments };
    Role::Calc(Arc::new(crate::calc::Calculator::new(program, 1)))
}

#[tokio::test]
async fn answers_come_in_the_order_of_their_questions() {
    let server = Server::of(calc("echo \"= $line\""));
    let answer = server.answer(b"\xff\n1\n\xff\xff\n2\n").await;
    let no_utf8 = "error: no UTF-8 at byte 1";
    assert_eq!(answer, format!("{no_utf8}\n= 1\n{no_utf8}\n= 2\n"));
}

#[tokio::test]
async fn for_who_hung_up_nothing_is_worked_out() {
    let folder = tempfile::tempdir().unwrap();
    let asked = folder.path().join("asked");
    let server = Server::of(calc(&format!("echo >>'{}'; sleep 0.05; echo 1", asked.display())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let local: Arc<Endpoint> = Arc::new("tcp://127.0.0.1:1".parse().unwrap());
    let mut dialogues = tokio::task::JoinSet::new();
    let mut callers = Vec::new();
    for _ in 0..20 {
        let mut caller =
            tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        caller.write_all(&b"1\n".repeat(50)).await.unwrap();
        caller.set_zero_linger().unwrap();
        callers.push(caller);
        let (stream, from) = listener.accept().await.unwrap();
        let (stream, peer, local) = (Stream::Tcp(stream), Peer::Net(from), Arc::clone(&local));
        let conn = Conn { stream, peer, called: None, local, tls: None };
        let (all, drain) = (Arc::clone(&server.all), server.drain.clone());
        dialogues.spawn(async move { all.serve(conn, drain).await });
    }
    while !asked.exists() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(callers);
    // While they were in line.
    for ended in dialogues.join_all().await {
        assert!(ended.is_err());
    }
    assert_eq!(server.answer(b"1\n").await, "1\n");
    let count = std::fs::read(&asked).unwrap().len();
    assert!(count < 10, "{count}");
}

#[tokio::test]
async fn told_to_stop_not_all_that_was_asked_is_answered() {
    let mut server = Server::of(calc("sleep 0.05; echo 1"));
    let mut call = server.call();
    call.write_all(&b"1\n".repeat(10_000)).await.unwrap();
    assert_eq!(next(&mut call).await, "1\n");
    server.shutdown.request();
    assert!(rest(&mut call).await.len() < 1_000);
    assert_eq!(server.why().await, "relais: told to stop");
}

#[tokio::test(start_paused = true)]
async fn echo_sends_much_back_as_it_came() {
    let server = Server::of(Role::Echo);
    let sent: Vec<u8> = (0..3 << 20).map(|at: u32| (at % 251).to_le_bytes()[0]).collect();
    let (mut from, mut to) = tokio::io::split(server.call());
    let sending = sent.clone();
    tokio::spawn(async move {
        to.write_all(&sending).await.unwrap();
        to.shutdown().await.unwrap();
    });
    let mut came = Vec::new();
    from.read_to_end(&mut came).await.unwrap();
    assert!(came == sent, "{} of {} bytes, or others", came.len(), sent.len());
}

#[tokio::test(start_paused = true)]
async fn a_person_answers_each_by_number_and_only_so_many() {
    let (person, mut told) = Person::new(Manners::Freely);
    let server = Server::of(Role::Talk(Arc::clone(&person)));
    let (mut first, mut second) = (server.call(), server.call());
    first.write_all(b"hi\n").await.unwrap();
    for _ in 0..3 {
        told.recv().await.unwrap();
    }
    assert_eq!(next(&mut server.call()).await, "error: too many are talking already\n");
    person.type_line("@2 you");
    person.type_line("@1 and you");
    assert_eq!(next(&mut second).await, "you\n");
    assert_eq!(next(&mut first).await, "and you\n");
    first.write_all(b"fin\n").await.unwrap();
    assert_eq!(rest(&mut first).await, "");
}

#[tokio::test(start_paused = true)]
async fn in_turns_the_second_message_waits_for_the_first_answer() {
    let (person, mut told) = Person::new(Manners::Turns);
    let server = Server::of(Role::Talk(Arc::clone(&person)));
    let mut call = server.call();
    call.write_all(b"one\ntwo\n").await.unwrap();
    told.recv().await.unwrap();
    assert!(matches!(told.recv().await, Some(crate::News::Said { bytes, .. }) if bytes == b"one"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(told.try_recv().is_err());
    person.type_line("answer");
    assert_eq!(next(&mut call).await, "answer\n");
    assert!(matches!(told.recv().await, Some(crate::News::Said { bytes, .. }) if bytes == b"two"));
}

#[tokio::test(start_paused = true)]
async fn in_turns_who_hangs_up_is_not_waited_for() {
    let (person, mut told) = Person::new(Manners::Turns);
    let mut server = Server::of(Role::Talk(Arc::clone(&person)));
    let mut call = server.call();
    call.write_all(b"one\ntwo\nthree").await.unwrap();
    call.shutdown().await.unwrap();
    let mut said = Vec::new();
    while person.current().1 > 0 || said.is_empty() {
        if let Some(crate::News::Said { bytes, .. }) = told.recv().await {
            said.push(String::from_utf8(bytes).unwrap());
        }
        tokio::task::yield_now().await;
    }
    while let Ok(crate::News::Said { bytes, .. }) = told.try_recv() {
        said.push(String::from_utf8(bytes).unwrap());
    }
    assert_eq!(said, ["one", "two", "three"]);
    assert_eq!(server.why().await, "client: closed");
    // Who floods out of turn is not read for ever.
    let mut call = server.call();
    _ = tokio::time::timeout(Duration::from_secs(1), call.write_all(&b"x\n".repeat(8 << 20))).await;
    assert_eq!(server.why().await, "relais: idle for 60 s");
}

#[tokio::test(start_paused = true)]
async fn a_person_who_reads_nothing_holds_up_nobody_for_ever() {
    for is_stopped in [true, false] {
        let (person, _told) = Person::new(Manners::Freely);
        let mut server = Server::of(Role::Talk(person));
        let mut call = server.call();
        call.write_all(&b"x\n".repeat(1_000)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        if is_stopped {
            server.shutdown.request();
            assert_eq!(server.why().await, "relais: told to stop");
        } else {
            assert_eq!(server.why().await, "relais: nothing was read here for 60 s");
        }
        assert_eq!(rest(&mut call).await, "");
    }
}

#[tokio::test(start_paused = true)]
async fn another_word_may_end_it() {
    let mut server = Server::of(Role::Echo);
    Arc::get_mut(&mut server.all).unwrap().word = Word::new("bye");
    assert_eq!(server.answer(b"fin\nbye\n").await, "fin\n");
}
