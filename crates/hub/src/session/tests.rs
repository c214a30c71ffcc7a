use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use relais_net::{Conn, Fault, Peer, Service as _, Shutdown, Stream, Worked, tls};
use relais_tap::Tap;
use tempfile::TempDir;
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream,
        duplex, split,
    },
    sync::Semaphore,
    task::JoinHandle,
    time::Instant,
};

use crate::{
    Asker, Calculator, ClearPasswords, Doorway, Hub, Lang, Limits, Login, NoValue, Options,
    Registration, protocol::Code,
};

/// What is drawn next: never the same twice in a test.
static DRAWN: AtomicU8 = AtomicU8::new(1);

pub(super) fn hub(limits: Limits) -> (TempDir, Hub) {
    hub_that_calculates(limits, None)
}

pub(super) fn hub_that_calculates(
    limits: Limits,
    calculator: Option<Arc<dyn Calculator>>,
) -> (TempDir, Hub) {
    hub_where((limits, calculator), Registration::Open)
}

pub(super) fn hub_where(
    (limits, calculator): (Limits, Option<Arc<dyn Calculator>>),
    registration: Registration,
) -> (TempDir, Hub) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        server: "relais/test".into(),
        lang: Lang::En,
        registration,
        clear_passwords: ClearPasswords::Refused,
        limits,
        tap: Tap::new(1),
        clock: || SystemTime::UNIX_EPOCH,
        random: |bytes| bytes.fill(DRAWN.fetch_add(1, Ordering::Relaxed)),
        calculator,
        datagrams: crate::DatagramForm::Sealed,
    };
    let hub = Hub::open(&folder.path().join("hub.db"), options).unwrap();
    (folder, hub)
}

/// What `said` is answered with, by a hub that hears nothing more behind it.
pub(super) async fn told(hub: &Hub, said: &str) -> Vec<String> {
    told_who_shows(hub, said, None).await
}

/// The same for who shows a certificate with this fingerprint, over TLS.
pub(super) async fn told_who_shows(
    hub: &Hub,
    said: &str,
    fingerprint: Option<[u8; 32]>,
) -> Vec<String> {
    let (client, stream) = duplex(1 << 20);
    let local = Arc::new("tcp://127.0.0.1:6680".parse().unwrap());
    let (stream, peer) = (Stream::Memory(stream), Peer::Local);
    let conn = Conn { stream, peer, called: None, local, tls: fingerprint.map(shown) };
    let (_shutdown, drain) = Shutdown::new();
    let serving = hub.serve(conn, drain);
    let talking = async {
        let (mut reads, mut writes) = split(client);
        writes.write_all(said.as_bytes()).await.unwrap();
        writes.shutdown().await.unwrap();
        let mut told = String::new();
        reads.read_to_string(&mut told).await.unwrap();
        told
    };
    let (served, told) = tokio::join!(serving, talking);
    served.unwrap();
    told.lines().map(str::to_owned).collect()
}

fn shown(fingerprint: [u8; 32]) -> tls::Session {
    let fingerprint = tls::Fingerprint(fingerprint);
    let caller = tls::CallerCertificate { subject: "CN=x".into(), fingerprint };
    tls::Session {
        protocol: tls::Protocol::Unsaid,
        server_name: None,
        version: tls::Version::Tls13,
        cipher: "TLS_AES_128_GCM_SHA256",
        handshake: tls::Handshake::Full,
        caller: Some(Arc::new(caller)),
    }
}

pub(super) const REGISTER: &str =
    r#"{"cmd":"REGISTER","id":1,"user":"ana","password":"secret-pass"}"#;

#[tokio::test]
async fn a_goodbye_is_answered_behind_all_that_was_asked_before() {
    let (_folder, hub) = hub(Limits::default());
    let asked = [
        REGISTER,
        r##"{"cmd":"CREATE","id":2,"room":"#lab"}"##,
        r##"{"cmd":"MESSAGE","id":3,"room":"#lab","body":"hi"}"##,
        r##"{"cmd":"HISTORY","id":4,"room":"#lab"}"##,
        r#"{"cmd":"BYE","id":5}"#,
        r#"{"cmd":"PING","id":6}"#,
    ];
    let told = told(&hub, &(asked.join("\n") + "\n")).await;
    let answers: Vec<_> = told.iter().filter_map(|line| line.get(..7)).collect();
    let answers: Vec<_> = answers.into_iter().filter(|start| start.contains("re")).collect();
    let expect = [1, 2, 3, 4, 5].map(|re| format!("{{\"re\":{re}"));
    assert_eq!(answers, expect, "{told:#?}");
}

#[tokio::test]
async fn who_types_is_a_device_while_connected_and_who_speaks_in_frames_stays_one() {
    let (_folder, hub) = hub(Limits::default());
    let typed = told(&hub, "/register ana secret-pass\n/sessions\n").await;
    assert_eq!(typed.iter().filter(|line| line.contains(" text,")).count(), 1, "{typed:#?}");
    let login = r#"{"cmd":"LOGIN","id":1,"user":"ana","password":"secret-pass","device":"a"}"#;
    let asked = [login, r#"{"cmd":"SESSIONS","id":2}"#].join("\n") + "\n";
    for devices in 1..=2 {
        let told = told(&hub, &asked).await;
        assert!(told[0].contains("\"token\":\"rt_"), "{told:#?}");
        assert_eq!(told[1].matches("\"device\":\"a\"").count(), devices, "{told:#?}");
        assert_eq!(told[1].matches("\"device\":").count(), devices, "{told:#?}");
    }
}

#[tokio::test]
async fn what_clients_do_is_counted() {
    let (_folder, hub) = hub(Limits::default());
    let asked = [
        REGISTER,
        r##"{"cmd":"CREATE","id":2,"room":"#lab"}"##,
        r##"{"cmd":"MESSAGE","id":3,"room":"#lab","body":"hi"}"##,
        r##"{"cmd":"MESSAGE","id":4,"room":"#nowhere","body":"hi"}"##,
        r#"{"cmd":"BYE","id":5}"#,
    ];
    told(&hub, &(asked.join("\n") + "\n")).await;
    for password in ["wrong-pass", "secret-pass"] {
        let login = format!(r#"{{"cmd":"LOGIN","id":1,"user":"ana","password":"{password}"}}"#);
        told(&hub, &(login + "\n")).await;
    }
    let counted = hub.counted();
    // An account, a room, and what was said in it.
    assert_eq!((counted.entries, counted.messages), (3, 1));
    assert_eq!(counted.handed, 2, "that the room was made, and what was said there");
    assert_eq!(counted.logins, [(Login::LetIn, 1), (Login::Refused, 1), (Login::PutOff, 0)]);
    let refused =
        |code| counted.refused.iter().find(|(of, _)| *of == code).map(|(_, times)| *times);
    assert_eq!([Code::NoSuchRoom, Code::BadCredentials].map(refused), [Some(1); 2]);
    let unix = counted.connections.iter().find(|of| of.by == Doorway::Unix);
    assert_eq!(unix.map(|of| (of.came, of.open)), Some((3, 0)));
    assert_eq!((counted.hashed, counted.hashing), (3, 0));
    assert!(counted.commits.times() >= 3 && counted.orders >= 6, "{counted:?}");
    let size = hub.size().unwrap();
    assert_eq!((size.entries, size.accounts, size.rooms), (3, 1, 1));
    assert!(size.bytes > 0 && size.unindexed <= 3, "{size:?}");
}

#[tokio::test]
async fn no_device_is_called_as_hooks_are_of_which_there_may_be_more() {
    let (_folder, hub) = hub(Limits::default());
    let with_device = |line: &str, device: &str| {
        format!("{},\"device\":\"{device}\"}}\n", line.strip_suffix('}').unwrap())
    };
    let refused = told(&hub, &with_device(REGISTER, "hook #lab x")).await;
    assert!(refused[0].contains(r#""code":"BAD_FIELD","field":"device""#), "{refused:?}");
    told(&hub, &with_device(REGISTER, "hooked")).await;
    let login = REGISTER.replace("REGISTER", "LOGIN");
    let refused = told(&hub, &with_device(&login, "hook #lab x")).await;
    assert!(refused[0].contains(r#""code":"BAD_FIELD","field":"device""#), "{refused:?}");
}

#[tokio::test]
async fn who_logs_its_own_device_out_by_its_name_is_nobody_at_once() {
    let (_folder, hub) = hub(Limits::default());
    let first = told(&hub, &format!("{REGISTER}\n")).await;
    let of = |key: &str| {
        let (_, rest) = first[0].split_once(&format!(r#""{key}":""#)).unwrap();
        rest[..rest.find('"').unwrap()].to_owned()
    };
    let asked = [
        format!(r#"{{"cmd":"LOGIN","id":1,"token":"{}"}}"#, of("token")),
        format!(r#"{{"cmd":"REVOKE","id":2,"session":"{}"}}"#, of("session")),
        r#"{"cmd":"ROOMS","id":3}"#.to_owned(),
    ];
    let told = told(&hub, &(asked.join("\n") + "\n")).await;
    assert!(told.iter().any(|line| line == r#"{"re":2,"ok":true}"#), "{told:?}");
    let rooms = told.iter().find(|line| line.starts_with(r#"{"re":3"#)).unwrap();
    assert!(rooms.contains(r#""code":"NOT_LOGGED_IN""#), "{told:?}");
}

#[tokio::test]
async fn who_says_nothing_more_but_its_login_is_told_what_it_missed() {
    let (_folder, hub) = hub(Limits::default());
    let first = told(&hub, &format!("{REGISTER}\n")).await;
    let (_, token) = first[0].split_once(r#""token":""#).unwrap();
    let token = &token[..token.find('"').unwrap()];
    let login =
        format!(r#"{{"cmd":"LOGIN","id":2,"token":"{token}","resume":{{"since":0}}}}"#) + "\n";
    for _ in 0..20 {
        let told = told(&hub, &login).await;
        assert_eq!(told.iter().filter(|line| line.contains(r#""cursor":"#)).count(), 2, "{told:?}");
    }
}

#[tokio::test]
async fn who_is_nobody_is_heard_up_to_its_bytes_from_the_first() {
    let (_folder, hub) = hub(Limits::default());
    let ping = format!("{{\"cmd\":\"PING\",\"more\":\"{}\"}}\n", "x".repeat(1000));
    let told = told(&hub, &ping.repeat(9)).await;
    assert_eq!(told.len(), 4 + 1, "{told:?}");
    assert!(told[4].contains(r#""ev":"bye","code":"FRAME_TOO_BIG""#), "{told:?}");
}

#[tokio::test]
async fn what_stands_behind_a_login_is_somebody_s_however_much_comes_at_once() {
    let (_folder, hub) = hub(Limits { burst: 100, ..Limits::default() });
    let message = |id| {
        let body = "x".repeat(400);
        format!(r##"{{"cmd":"MESSAGE","id":{id},"room":"#lab","body":"{body}"}}"##)
    };
    let create = r##"{"cmd":"CREATE","id":2,"room":"#lab"}"##.to_owned();
    let said: Vec<_> =
        [REGISTER.to_owned(), create].into_iter().chain((3..33).map(message)).collect();
    let told = told(&hub, &(said.join("\n") + "\n")).await;
    for re in 1..33 {
        let begin = format!(r#"{{"re":{re},"ok":true"#);
        assert!(told.iter().any(|line| line.starts_with(&begin)), "{re} {told:#?}");
    }
}

#[tokio::test]
async fn who_comes_back_may_name_as_many_rooms_as_there_may_be() {
    let (_folder, hub) = hub(Limits::default());
    told(&hub, &format!("{REGISTER}\n")).await;
    let rooms = (0..200).map(|room| format!(r##""#a-room-with-a-long-name-{room}":{room}"##));
    let rooms = rooms.collect::<Vec<_>>().join(",");
    let login = REGISTER.replace("REGISTER", "LOGIN");
    let resume = format!(r#","resume":{{"rooms":{{{rooms}}}}}}}"#);
    let came = told(&hub, &(login.replace('}', &resume) + "\n")).await;
    assert!(came[0].starts_with(r#"{"re":1,"ok":true"#), "{came:?}");
    let wrong = login.replace("secret-pass", "wrong-pass").replace('}', &resume);
    let told = told(&hub, &format!("{wrong}\n{{\"cmd\":\"PING\",\"id\":2}}\n")).await;
    let last = told.last().unwrap();
    assert!(last.contains(r#""ev":"bye","code":"FRAME_TOO_BIG""#), "{told:?}");
    assert!(!told.iter().any(|line| line.contains(r#""re":2"#)), "{told:?}");
}

#[tokio::test]
async fn who_is_nobody_is_heard_up_to_so_many_requests_of_which_help_is_many() {
    let (_folder, hub) = hub(Limits { unknown_asks_max: 30, ..Limits::default() });
    let ping = "{\"cmd\":\"PING\"}\n";
    let pings = told(&hub, &ping.repeat(40)).await;
    assert_eq!(pings.len(), 31, "{pings:?}");
    assert!(pings[30].contains(r#""ev":"bye","code":"RATE_LIMITED""#), "{pings:?}");
    let help = "{\"cmd\":\"HELP\"}\n";
    let told = told(&hub, &[&*help.repeat(2), ping].concat()).await;
    assert!(told[0].starts_with(r#"{"ok":true,"commands":[{"#), "{told:?}");
    assert!(told[1].contains(r#""ev":"bye","code":"RATE_LIMITED""#), "{told:?}");
    assert_eq!(told.len(), 2);
}

#[tokio::test]
async fn who_types_and_is_nobody_is_heard_as_little() {
    let (_folder, hub) = hub(Limits { unknown_asks_max: 30, ..Limits::default() });
    let told = told(&hub, &"/nothing\n".repeat(40)).await;
    assert_eq!(told.len(), 31, "{told:?}");
}

#[tokio::test]
async fn somebody_has_help_at_the_pace_of_lookups() {
    let limits = Limits { lookups: 40, lookups_a_second: 1, ..Limits::default() };
    let (_folder, hub) = hub(limits);
    let helps = "{\"cmd\":\"HELP\",\"id\":2}\n".repeat(3);
    let told = told(&hub, &format!("{REGISTER}\n{helps}{{\n")).await;
    // Its account it is told of by the desk, whenever that has it.
    let of_session = told.iter().filter(|line| !line.contains(r#""re":1"#));
    let codes: Vec<_> = of_session.map(|line| line.contains("RATE_LIMITED")).collect();
    assert_eq!(codes, [false, false, true, true], "{told:?}");
}

#[tokio::test]
async fn who_says_so_much_in_a_row_that_is_nothing_is_sent_away() {
    let (_folder, hub) = hub(Limits { misread_max: 3, ..Limits::default() });
    let ping = "{\"cmd\":\"PING\",\"id\":7}\n";
    let bad = "{\"cmd\":\n".repeat(3);
    let told = told(&hub, &[&bad, ping, &bad, "{}\n", ping].concat()).await;
    assert_eq!(told.len(), 3 + 1 + 3 + 1, "{told:?}");
    assert!(told[7].contains(r#""ev":"bye","code":"BAD_FRAME""#), "{told:?}");
}

/// Works out one expression for each permit, and says how many are being worked out.
#[derive(Debug)]
struct Slow {
    permits: Semaphore,
    under_way: Arc<AtomicUsize>,
}

/// An expression is being worked out until this is dropped.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Calculator for Slow {
    fn calculate(
        &self,
        _asker: Asker,
        _: Arc<Worked>,
        expr: String,
    ) -> Pin<Box<dyn Future<Output = Result<String, NoValue>> + Send + '_>> {
        Box::pin(async move {
            self.under_way.fetch_add(1, Ordering::Relaxed);
            let _under_way = UnderWay(Arc::clone(&self.under_way));
            self.permits.acquire().await.unwrap().forget();
            Ok(format!("= {expr}"))
        })
    }
}

#[tokio::test]
async fn what_is_worked_out_holds_up_nothing_else_and_ends_with_its_session() {
    let slow = Arc::new(Slow { permits: Semaphore::new(0), under_way: Arc::default() });
    let calculator: Arc<dyn Calculator> = slow.clone();
    let (_folder, hub) = hub_that_calculates(Limits::default(), Some(calculator));
    let (client, stream) = duplex(1 << 20);
    let local = Arc::new("tcp://127.0.0.1:6680".parse().unwrap());
    let (stream, peer) = (Stream::Memory(stream), Peer::Local);
    let conn = Conn { stream, peer, called: None, local, tls: None };
    let (shutdown, drain) = Shutdown::new();
    let talking = async {
        let (reads, mut writes) = split(client);
        let mut lines = BufReader::new(reads).lines();
        let sum = |id| format!("{{\"cmd\":\"CALC\",\"id\":{id},\"expr\":\"{id}\"}}\n");
        let ping = "{\"cmd\":\"PING\",\"id\":9}\n";
        writes.write_all([&sum(1), &sum(2), &sum(3), ping].concat().as_bytes()).await.unwrap();
        let mut next = async || lines.next_line().await.unwrap().unwrap();
        assert_eq!(next().await, r#"{"re":9,"ok":true}"#);
        for id in 1..3 {
            assert_eq!(slow.under_way.load(Ordering::Relaxed), 1, "one at a time");
            slow.permits.add_permits(1);
            assert_eq!(next().await, format!(r#"{{"re":{id},"ok":true,"value":"= {id}"}}"#));
        }
        shutdown.request();
        assert!(next().await.contains(r#""ev":"bye","code":"SHUTDOWN""#));
    };
    let (served, ()) = tokio::join!(hub.serve(conn, drain), talking);
    served.unwrap();
    assert_eq!(slow.under_way.load(Ordering::Relaxed), 0, "nobody waits for it");
}

#[tokio::test]
async fn as_much_as_may_be_asked_before_it_is_answered_is_and_the_rest_is_heard_later() {
    let slow = Arc::new(Slow { permits: Semaphore::new(1), under_way: Arc::default() });
    let calculator: Arc<dyn Calculator> = slow.clone();
    let unknown_max = Duration::from_secs(3);
    let limits = Limits { asked_max: 2, unknown_max, ..Limits::default() };
    let (_folder, hub) = hub_that_calculates(limits, Some(calculator));
    let sums = "{\"cmd\":\"CALC\",\"id\":1,\"expr\":\"1\"}\n".repeat(2);
    let told = told(&hub, &format!("{sums}{{\"cmd\":\"PING\",\"id\":2}}\n")).await;
    // The second sum has no permit: its client is sent away as one who did not log in.
    let begins: Vec<_> = told.iter().map(|line| &line[..7]).collect();
    assert_eq!(begins, [r#"{"re":1"#, r#"{"re":2"#, r#"{"ev":""#], "{told:?}");
}

#[tokio::test]
async fn who_logged_out_and_says_nothing_is_sent_away_as_any_stranger() {
    let unknown_max = Duration::from_secs(3);
    let (_folder, hub) = hub(Limits { unknown_max, ..Limits::default() });
    let (mut client, stream) = duplex(1 << 20);
    let local = Arc::new("tcp://127.0.0.1:6680".parse().unwrap());
    let stream = Stream::Memory(stream);
    let conn = Conn { stream, peer: Peer::Local, called: None, local, tls: None };
    let (_shutdown, drain) = Shutdown::new();
    let talking = async {
        let said = format!("{REGISTER}\n{{\"cmd\":\"LOGOUT\",\"id\":2}}\n");
        client.write_all(said.as_bytes()).await.unwrap();
        let mut told = String::new();
        client.read_to_string(&mut told).await.map(|_| told)
    };
    let (served, told) = tokio::join!(hub.serve(conn, drain), talking);
    served.unwrap();
    let told = told.unwrap();
    let last = told.lines().last().unwrap_or_default();
    assert!(last.contains(r#""ev":"bye","code":"NOT_LOGGED_IN""#), "{told}");
}

#[tokio::test]
async fn of_pages_fewer_are_asked_for_at_once() {
    let (_folder, hub) = hub(Limits { asked_long_max: 1, ..Limits::default() });
    let asked = [
        REGISTER,
        r##"{"cmd":"CREATE","id":2,"room":"#lab"}"##,
        r##"{"cmd":"HISTORY","id":3,"room":"#lab"}"##,
        r#"{"cmd":"PING","id":4}"#,
    ];
    let told = told(&hub, &(asked.join("\n") + "\n")).await;
    let at = |re: &str| told.iter().position(|line| line.starts_with(re));
    assert!(at(r#"{"re":3"#) < at(r#"{"re":4"#), "{told:?}");
}

#[tokio::test]
async fn an_expression_is_so_long_at_most() {
    let slow = Slow { permits: Semaphore::new(1), under_way: Arc::default() };
    let (_folder, hub) = hub_that_calculates(Limits::default(), Some(Arc::new(slow)));
    for (length, expect) in [(256, r#""value":"= 111"#), (257, r#""code":"TOO_LONG""#)] {
        let expr = "1".repeat(length);
        let told = told(&hub, &format!("{{\"cmd\":\"CALC\",\"expr\":\"{expr}\"}}\n")).await;
        assert!(told[0].contains(expect), "{told:?}");
    }
}

#[tokio::test]
async fn who_types_is_shown_as_many_messages_as_it_asks_for_whatever_happened_to_them() {
    let (_folder, hub) = hub(Limits::default());
    let typed = ["/register ana secret-pass", "/join lab", "one", "two", "three", "/history 2"];
    let before = told(&hub, &(typed.join("\n") + "\n")).await;
    let last = before.iter().rfind(|line| line.contains("three")).unwrap();
    let seq = last.split(' ').next().unwrap();
    let typed = [
        "/login ana secret-pass".to_owned(),
        "/join lab".to_owned(),
        format!("/react {seq} +1"),
        format!("/edit {seq} four"),
        format!("/unreact {seq} +1"),
        "/history 2".to_owned(),
    ];
    let told = told(&hub, &(typed.join("\n") + "\n")).await;
    let shown = told.iter().filter(|line| line.contains("<ana>"));
    let said: Vec<_> = shown.filter_map(|line| line.rsplit("<ana> ").next()).collect();
    assert!(said.contains(&"two") && !said.contains(&"one"), "{told:#?}");
    assert!(told.iter().any(|line| line.starts_with("# there is more: /history 2 ")), "{told:#?}");
}

#[tokio::test]
async fn who_types_by_itself_has_all_its_pace_for_what_it_says() {
    let (_folder, hub) = hub(Limits { burst: 8, messages_a_second: 1, ..Limits::default() });
    let said = "/register ana secret-pass\n/join lab\n1\n2\n3\n4\n5\n6\n";
    let told = told(&hub, said).await;
    assert_eq!(told.iter().filter(|line| line.contains("<ana>")).count(), 6, "{told:#?}");
}

#[tokio::test]
async fn what_a_page_has_a_browser_send_is_not_taken_for_typed() {
    let (_folder, hub) = hub(Limits::default());
    for first in ["POST / HTTP/1.1\r", "GET /a%20b?c HTTP/1.0", "PRI * HTTP/2.0\r"] {
        let said = format!("{first}\nHost: a\r\n\r\n/register mallory correct horse battery\n");
        let told = told(&hub, &said).await;
        assert_eq!(told[0].trim_end(), "HTTP/1.1 400 Bad Request", "{told:#?}");
        assert!(!told.iter().any(|line| line.contains("mallory")), "{told:#?}");
    }
    let told = told(&hub, "/register ana secret-pass\nGET / HTTP/1.1\n").await;
    assert_eq!(told[0], "# you are ana", "the first, who may say what it likes");
    assert!(!told.iter().any(|line| line.contains("400")), "{told:#?}");
}

#[tokio::test]
async fn what_was_read_takes_nothing_of_the_pace_of_what_is_said() {
    let (_folder, hub) = hub(Limits { burst: 8, messages_a_second: 1, ..Limits::default() });
    told(&hub, "/register ana secret-pass\n/join lab\n").await;
    let login = r#"{"cmd":"LOGIN","id":1,"user":"ana","password":"secret-pass"}"#;
    let read = |seq| format!(r##"{{"cmd":"READ","id":8,"room":"#lab","seq":{seq}}}"##);
    let message = r##"{"cmd":"MESSAGE","id":9,"room":"#lab","body":"salut"}"##.to_owned();
    let said: Vec<_> = std::iter::once(login.to_owned())
        .chain((1..=20).map(read))
        .chain(vec![message; 6])
        .collect();
    let told = told(&hub, &(said.join("\n") + "\n")).await;
    let written = told.iter().filter(|line| line.contains("\"re\":9,\"ok\":true"));
    assert_eq!(written.count(), 6, "{told:#?}");
}

#[tokio::test]
async fn nobody_but_the_first_calls_itself_as_who_speaks_for_the_hub() {
    let (_folder, hub) = hub(Limits::default());
    let first = told(&hub, "/register admin secret-pass\n").await;
    assert_eq!(first, ["# you are admin"]);
    for (name, claims) in [("_hub_", "hub"), ("hub1", "hub"), ("Adm1ns", "admin")] {
        let told = told(&hub, &format!("/register {name} secret-pass\n")).await.join("\n");
        let why = format!(
            "{name:?} is for the hub and who runs it, as all is that looks like {claims:?}: "
        );
        assert!(told.contains(&why), "{told}");
    }
    assert_eq!(told(&hub, "/register hubert secret-pass\n").await, ["# you are hubert"]);
    let password = crate::protocol::Secret("secret-pass".to_owned());
    hub.add_user("administrator", &password).await.unwrap();
    assert_eq!(told(&hub, "/login administrator secret-pass\n").await, ["# you are administrator"]);
    hub.add_user("hub", &password).await.unwrap_err();
}

/// A connection, and who serves it.
pub(super) fn connected(
    hub: &Hub,
    bytes_max: usize,
) -> (DuplexStream, JoinHandle<Result<(), Fault>>) {
    let (client, stream) = duplex(bytes_max);
    let local = Arc::new("tcp://127.0.0.1:6680".parse().unwrap());
    let (stream, peer) = (Stream::Memory(stream), Peer::Local);
    let conn = Conn { stream, peer, called: None, local, tls: None };
    let hub = hub.clone();
    let serving = tokio::spawn(async move {
        let (_shutdown, drain) = Shutdown::new();
        hub.serve(conn, drain).await
    });
    (client, serving)
}

#[tokio::test(start_paused = true)]
async fn who_does_not_say_who_it_is_is_sent_away_after_a_while() {
    let (_folder, hub) = hub(Limits::default());
    let (mut client, serving) = connected(&hub, 1 << 16);
    client.write_all(b"{\"cmd\":\"PING\"}\n").await.unwrap();
    let begin = Instant::now();
    let mut told = String::new();
    client.read_to_string(&mut told).await.unwrap();
    assert!(told.contains(r#""ev":"bye","code":"NOT_LOGGED_IN""#), "{told}");
    assert!(begin.elapsed() >= Duration::from_secs(29), "{:?}", begin.elapsed());
    drop(client);
    serving.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_given_up_after_a_while() {
    let (_folder, hub) = hub(Limits { unknown_max: Duration::from_mins(5), ..Limits::default() });
    let (mut client, serving) = connected(&hub, 256);
    client.write_all(b"{\"cmd\":\"HELP\"}\n").await.unwrap();
    let fault = serving.await.unwrap().unwrap_err();
    assert_eq!(fault.source.kind(), std::io::ErrorKind::TimedOut);
    drop(client);
}

/// How much ana has not read of the room, as a program is told that logs in.
async fn unread(hub: &Hub) -> String {
    let login = r#"{"cmd":"LOGIN","id":1,"user":"ana","password":"secret-pass"}"#;
    let told = told(hub, &format!("{login}\n")).await;
    let rest = told.iter().find_map(|line| Some(line.split_once(r##""room":"#lab""##)?.1));
    let rest = rest.unwrap_or_else(|| panic!("no room: {told:#?}"));
    let (_, rest) = rest.split_once(r#""unread":"#).expect("a count");
    rest[..1].to_owned()
}

#[tokio::test]
async fn who_types_has_read_what_it_was_shown_where_it_was() {
    let (_folder, hub) = hub(Limits::default());
    told(&hub, "/register ana secret-pass\n/join lab\n").await;
    told(&hub, "/register bob secret-pass\n/join lab\none\ntwo\n").await;
    told(&hub, "/login ana secret-pass\n/join lab\n/history 1\n/join tea\n").await;
    assert_eq!(unread(&hub).await, "2", "one was left out");
    let told = told(&hub, "/login ana secret-pass\n/join lab\n/history\n/join tea\n").await;
    assert_eq!(unread(&hub).await, "0", "{told:#?}");
}

#[tokio::test]
async fn who_types_and_asks_for_the_rooms_has_read_what_was_shown_and_no_more() {
    let (_folder, hub) = hub(Limits::default());
    told(&hub, "/register ana secret-pass\n/join lab\n").await;
    told(&hub, "/register bob secret-pass\n/join lab\none\ntwo\n").await;
    let told = told(&hub, "/login ana secret-pass\n/join lab\n/rooms\n/history\n/rooms\n").await;
    let rooms: Vec<_> = told.iter().filter(|line| line.starts_with("# #lab (2)")).collect();
    let expect = ["# #lab (2), owner, 2 new"; 3].into_iter().chain(["# #lab (2), owner"]);
    assert_eq!(rooms, expect.collect::<Vec<_>>(), "{told:#?}");
}

#[tokio::test]
async fn whose_connection_ends_while_it_comes_in_is_not_there() {
    let (_folder, hub) = hub(Limits::default());
    let first = told(&hub, &format!("{REGISTER}\n")).await;
    let (_, token) = first[0].split_once(r#""token":""#).unwrap();
    let token = &token[..token.find('"').unwrap()];
    for steps in 0..20 {
        let (mut client, serving) = connected(&hub, 1 << 16);
        let login = format!(r#"{{"cmd":"LOGIN","id":1,"token":"{token}"}}"#);
        client.write_all(format!("{login}\n").as_bytes()).await.unwrap();
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
        serving.abort();
        assert!(serving.await.unwrap_err().is_cancelled());
        assert_eq!(hub.present().await.unwrap().len(), 0, "{steps}");
    }
}
