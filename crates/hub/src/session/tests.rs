use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::SystemTime,
};

use relais_net::{Conn, Peer, Service as _, Shutdown, Stream};
use relais_tap::Tap;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex, split};

use crate::{ClearPasswords, Hub, Lang, Limits, Options, Registration};

/// What is drawn next: never the same twice in a test.
static DRAWN: AtomicU8 = AtomicU8::new(1);

pub(super) fn hub(limits: Limits) -> (TempDir, Hub) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        server: "relais/test".into(),
        lang: Lang::En,
        registration: Registration::Open,
        clear_passwords: ClearPasswords::Refused,
        limits,
        tap: Tap::new(1),
        clock: || SystemTime::UNIX_EPOCH,
        random: |bytes| bytes.fill(DRAWN.fetch_add(1, Ordering::Relaxed)),
        calculator: None,
        datagrams: crate::DatagramForm::Sealed,
    };
    let hub = Hub::open(&folder.path().join("hub.db"), options).unwrap();
    (folder, hub)
}

/// What `said` is answered with, by a hub that hears nothing more behind it.
pub(super) async fn told(hub: &Hub, said: &str) -> Vec<String> {
    let (client, stream) = duplex(1 << 20);
    let local = Arc::new("tcp://127.0.0.1:6680".parse().unwrap());
    let (stream, peer) = (Stream::Memory(stream), Peer::Local);
    let conn = Conn { stream, peer, called: None, local, tls: None };
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

const REGISTER: &str = r#"{"cmd":"REGISTER","id":1,"user":"ana","password":"secret-pass"}"#;

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
    let limits = Limits::default();
    let pings = "{\"cmd\":\"PING\",\"id\":1}\n".repeat(limits.unknown_bytes_max / 20);
    let (_folder, hub) = hub(limits);
    let told = told(&hub, &pings).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("FRAME_TOO_BIG"), "{told:?}");
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
