//! Transcripts: `>>` is what the talk says, `<<` what the hub says.

use super::*;
use crate::{
    model::{Kind, Seq},
    protocol::Code,
};

const ENTERED: &str =
    r#"{"re":1,"ok":true,"user":"ana","session":"s_1","token":"rt_1","cursor":10,"rooms":[]}"#;

/// Bytes that nobody has to guess here.
fn random(bytes: &mut [u8]) {
    bytes.fill(7);
}

fn talk() -> Talk {
    let password = Secret("correct horse".into());
    let proof = Proof::Password { user: "ana".into(), password };
    Talk::new(Entrance::LogIn(proof), "laptop", random)
}

fn say(body: &str) -> Ask {
    let (to, kind) = (Place::Room("#lab".into()), Kind::Text);
    Ask::Message { to, kind, body: body.into(), reply: None, cid: None }
}

/// One that is in.
fn entered(now: Instant) -> Talk {
    let mut talk = talk();
    talk.connected(now);
    talk.hear(ENTERED.as_bytes(), now);
    talk.frames();
    talk.news();
    talk
}

/// Plays lines: what the talk is to say by then, all of it, and what it hears.
#[track_caller]
fn play(talk: &mut Talk, now: Instant, transcript: &str) {
    let mut expect = String::new();
    for line in transcript.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_at(3) {
            (">> ", frame) => expect.extend([frame, "\n"]),
            (_, frame) => {
                assert_eq!(String::from_utf8(talk.frames()).unwrap(), expect);
                expect.clear();
                talk.hear(frame.as_bytes(), now);
            }
        }
    }
    assert_eq!(String::from_utf8(talk.frames()).unwrap(), expect);
}

/// What was said, of all news.
fn bodies(talk: &mut Talk) -> Vec<String> {
    std::iter::from_fn(|| talk.news())
        .filter_map(|news| match news {
            News::Happened(Event::Message { body, .. }) => body,
            _ => None,
        })
        .collect()
}

fn message(seq: u64, body: &str) -> String {
    format!(
        r##"{{"ev":"message","room":"#lab","seq":{seq},"prev":1,"ts":"2026-11-20T19:00:03.511Z","from":"bob","kind":"text","body":"{body}"}}"##
    )
}

#[test]
fn who_asks_is_said_first_and_what_is_asked_before_waits() {
    let (mut talk, now) = (talk(), Instant::now());
    talk.ask(say("hello"), now);
    talk.connected(now);
    play(
        &mut talk,
        now,
        &format!(
            r##"
            >> {{"cmd":"LOGIN","id":1,"user":"ana","password":"correct horse","device":"laptop"}}
            << # a line for people
            << {ENTERED}
            >> {{"cmd":"MESSAGE","id":2,"room":"#lab","kind":"text","body":"hello","cid":"07070707070707070707070707070707"}}
            << {{"re":2,"ok":true,"seq":11,"ts":"2026-11-20T19:00:03.511Z","dup":false}}
            "##
        ),
    );
    let Some(News::Entered { user, token, .. }) = talk.news() else { panic!("not in") };
    assert_eq!((&*user, token), ("ana", Some(Secret("rt_1".into()))));
    assert!(matches!(talk.news(), Some(News::Answered(_, Ok(Answer::Written { .. })))));
    assert_eq!(talk.unanswered(), 0);
}

#[test]
fn what_has_no_answer_is_asked_again_under_its_name_behind_what_was_missed() {
    let now = Instant::now();
    let mut talk = entered(now);
    talk.ask(say("hello"), now);
    talk.hear(message(11, "one").as_bytes(), now);
    talk.frames();
    let again = talk.lost(now);
    assert_eq!(again, now + Duration::from_millis(500));
    talk.connected(again);
    let (one, two, three) = (message(11, "one"), message(12, "two"), message(13, "three"));
    play(
        &mut talk,
        again,
        &format!(
            r##"
            >> {{"cmd":"LOGIN","id":3,"token":"rt_1","device":"laptop","resume":{{"since":11}}}}
            << {{"re":3,"ok":true,"user":"ana","session":"s_1","cursor":12,"rooms":[]}}
            >> {{"cmd":"MESSAGE","id":4,"room":"#lab","kind":"text","body":"hello","cid":"07070707070707070707070707070707"}}
            << {one}
            << {two}
            << {{"ok":true,"cursor":12}}
            << {three}
            << {{"re":4,"ok":true,"seq":14,"ts":"2026-11-20T19:00:03.511Z","dup":true}}
            "##
        ),
    );
    assert_eq!(bodies(&mut talk), ["one", "two", "three"]);
    assert_eq!(talk.unanswered(), 0);
}

#[test]
fn an_answer_without_fields_to_a_ping_is_that_to_a_ping() {
    let now = Instant::now();
    let mut talk = entered(now);
    talk.ask(Ask::Ping { t: None }, now);
    talk.hear(br#"{"re":2,"ok":true}"#, now);
    let (ask, pong) = (Ask::Ping { t: None }, Answer::Pong { t: None });
    assert_eq!(talk.news(), Some(News::Answered(ask, Ok(pong))));
}

#[test]
fn a_dialogue_that_was_asked_for_is_not_asked_for_again() {
    let now = Instant::now();
    let mut talk = entered(now);
    let ask = Ask::Dialogue { with: "bob".into(), mode: None };
    talk.ask(ask.clone(), now);
    talk.lost(now);
    assert_eq!(talk.news(), Some(News::Unsure(ask)));
}

#[test]
fn what_the_hub_leaves_out_is_asked_for_page_by_page() {
    let now = Instant::now();
    let mut talk = entered(now);
    let (two, three, four) = (message(12, "two"), message(13, "three"), message(14, "four"));
    let one = message(11, "one");
    play(
        &mut talk,
        now,
        &format!(
            r##"
            << {{"ev":"gap","room":"#lab","from":10,"to":12}}
            >> {{"cmd":"HISTORY","id":2,"room":"#lab","after":10,"limit":200}}
            << {three}
            << {{"re":2,"ok":true,"events":[{one}],"more":true}}
            >> {{"cmd":"HISTORY","id":3,"room":"#lab","after":11,"limit":200}}
            << {{"re":3,"ok":true,"events":[{two},{three}],"more":false}}
            << {four}
            << {{"ev":"lagged","room":"#lab","last":12}}
            >> {{"cmd":"RESUME","id":4,"rooms":{{"#lab":14}}}}
            << {{"re":4,"ok":true,"cursor":14}}
            "##
        ),
    );
    assert_eq!(bodies(&mut talk), ["one", "two", "three", "four"]);
}

#[test]
fn who_knows_more_than_the_log_has_is_told_so_and_hears_what_is_said_from_there() {
    let now = Instant::now();
    let mut talk = entered(now);
    talk.hear(message(54, "lost").as_bytes(), now);
    talk.lost(now);
    talk.connected(now);
    let new = message(35, "new");
    play(
        &mut talk,
        now,
        &format!(
            r#"
            >> {{"cmd":"LOGIN","id":2,"token":"rt_1","device":"laptop","resume":{{"since":54}}}}
            << {{"re":2,"ok":true,"user":"ana","session":"s_1","cursor":34,"rooms":[]}}
            << {{"ev":"rewound","last":34}}
            << {{"ok":true,"cursor":34}}
            << {new}
            "#
        ),
    );
    let news: Vec<_> = std::iter::from_fn(|| talk.news()).collect();
    let rewound = News::Happened(Event::Rewound { last: Seq(34) });
    let told = news.iter().position(|news| *news == rewound).expect("it is told");
    assert!(matches!(&news[told + 1..], [News::Happened(Event::Message { .. })]), "{news:?}");
    talk.lost(now);
    talk.connected(now);
    let login = String::from_utf8(talk.frames()).unwrap();
    assert!(login.contains(r#""resume":{"since":35}"#), "{login}");
}

#[test]
fn what_is_refused_for_now_is_asked_later_under_the_same_name() {
    let now = Instant::now();
    let mut talk = entered(now);
    talk.ask(say("hello"), now);
    talk.frames();
    let limited = r#"{"re":2,"err":{"code":"RATE_LIMITED","msg":"slow down","retry_ms":400}}"#;
    talk.hear(limited.as_bytes(), now);
    let later = now + Duration::from_millis(400);
    assert_eq!((talk.frames(), talk.wakes_at()), (Vec::new(), Some(later)));
    assert_eq!(talk.wake(later), Pulse::Alive);
    let again = String::from_utf8(talk.frames()).unwrap();
    assert!(again.contains(r#""id":3"#) && again.contains("0707"), "{again}");
}

#[test]
fn what_is_refused_for_longer_than_anybody_waits_is_told() {
    let now = Instant::now();
    for (ms, is_told) in [(30_000, false), (30_001, true), (21_600_000, true)] {
        let mut talk = entered(now);
        talk.ask(say("hello"), now);
        talk.frames();
        let refusal = r#"{"re":2,"err":{"code":"RATE_LIMITED","msg":"slow down","retry_ms":"#;
        talk.hear(format!("{refusal}{ms}}}}}").as_bytes(), now);
        let news = talk.news();
        assert_eq!(matches!(news, Some(News::Answered(_, Err(_)))), is_told, "{ms}: {news:?}");
        assert_eq!(talk.unanswered(), usize::from(!is_told));
    }
}

#[test]
fn who_is_not_let_in_is_told_why_and_asks_no_more() {
    let (mut talk, now) = (talk(), Instant::now());
    talk.connected(now);
    talk.frames();
    talk.hear(br#"{"re":1,"err":{"code":"BAD_CREDENTIALS","msg":"no"}}"#, now);
    assert_eq!(talk.news(), Some(News::Refused(Refusal::of(Code::BadCredentials))));
    talk.ask(say("hello"), now);
    assert_eq!((talk.frames(), talk.wakes_at()), (Vec::new(), None));
}

#[test]
fn who_was_in_and_is_put_off_comes_again_when_it_may() {
    let now = Instant::now();
    let mut talk = entered(now);
    talk.lost(now);
    talk.connected(now);
    talk.frames();
    talk.hear(br#"{"re":2,"err":{"code":"UNAVAILABLE","msg":"later","retry_ms":9000}}"#, now);
    assert_eq!(talk.wake(now), Pulse::Dead);
    assert_eq!(talk.lost(now), now + Duration::from_secs(9));
}

#[test]
fn what_is_missing_and_cannot_be_had_now_is_asked_for_again_on_another_connection() {
    let now = Instant::now();
    for (missing, refused) in [
        (r##"{"ev":"gap","room":"#lab","from":10,"to":12}"##, r#""re":2,"#),
        (r##"{"ev":"lagged","room":"#lab","last":10}"##, r#""re":2,"#),
        ("# nothing", ""),
    ] {
        let mut talk = entered(now);
        talk.hear(missing.as_bytes(), now);
        let refusal = r#""err":{"code":"UNAVAILABLE","msg":"later","retry_ms":500}"#;
        talk.hear(format!("{{{refused}{refusal}}}").as_bytes(), now);
        talk.hear(message(13, "new").replace("#lab", "#tea").as_bytes(), now);
        assert_eq!(bodies(&mut talk), Vec::<String>::new(), "{missing}");
        assert_eq!(talk.wake(now), Pulse::Dead, "{missing}");
        talk.lost(now);
        talk.frames();
        talk.connected(now);
        let login = String::from_utf8(talk.frames()).unwrap();
        assert!(login.contains(r#""resume":{"since":10}"#), "{login}");
        let id = if refused.is_empty() { 2 } else { 3 };
        let entered = format!(
            r#"{{"re":{id},"ok":true,"user":"ana","session":"s_1","cursor":13,"rooms":[]}}"#
        );
        let missed = [
            entered,
            message(12, "missed"),
            message(13, "new"),
            r#"{"ok":true,"cursor":13}"#.into(),
        ];
        for line in &missed {
            talk.hear(line.as_bytes(), now);
        }
        assert_eq!(bodies(&mut talk), ["missed", "new"], "{missing}");
    }
}

#[test]
fn what_is_too_long_for_a_frame_is_refused_and_not_asked_for_ever() {
    let now = Instant::now();
    let mut talk = entered(now);
    talk.ask(say("long"), now);
    talk.ask(say("short"), now);
    talk.frames();
    talk.hear(br#"{"err":{"code":"FRAME_TOO_BIG","msg":"expected at most 65536 bytes"}}"#, now);
    let Some(News::Answered(Ask::Message { body, .. }, Err(refusal))) = talk.news() else {
        panic!("it is not refused")
    };
    assert_eq!((&*body, refusal.code), ("long", Code::FrameTooBig));
    assert!(String::from_utf8(talk.frames()).unwrap().contains("short"));
    assert_eq!(talk.wake(now), Pulse::Alive);
}

#[test]
fn a_hub_that_is_silent_is_asked_whether_it_is_there_and_then_given_up() {
    let now = Instant::now();
    let mut talk = entered(now);
    assert_eq!(talk.wakes_at(), Some(now + PING_AFTER));
    assert_eq!(talk.wake(now + PING_AFTER), Pulse::Alive);
    assert_eq!(talk.frames(), b"{\"cmd\":\"PING\",\"id\":2}\n");
    assert_eq!(talk.wakes_at(), Some(now + SILENCE_MAX));
    assert_eq!(talk.wake(now + SILENCE_MAX), Pulse::Dead);
    let mut other = self::talk();
    other.connected(now);
    assert_eq!(other.wake(now + ENTERED_WITHIN), Pulse::Dead);
}

#[test]
fn what_twice_would_be_too_often_is_told_and_not_asked_again() {
    let now = Instant::now();
    let mut talk = entered(now);
    let announce = Ask::Announce { body: "back at noon".into() };
    talk.ask(announce.clone(), now);
    talk.lost(now);
    assert_eq!(talk.news(), Some(News::Unsure(announce)));
    assert_eq!(talk.unanswered(), 0);
}

proptest::proptest! {
    #[test]
    fn nothing_panics(lines: Vec<Vec<u8>>, gap: u64, seqs: Vec<u8>) {
        let now = Instant::now();
        let mut talk = entered(now);
        let gap = format!(r##"{{"ev":"gap","room":"#lab","from":1,"to":{gap}}}"##);
        talk.hear(gap.as_bytes(), now);
        for line in lines {
            talk.hear(&line, now);
        }
        for seq in seqs {
            talk.hear(message(seq.into(), "x").as_bytes(), now);
        }
    }
}

#[test]
fn a_device_that_revokes_itself_is_out_as_if_another_had_done_it() {
    let now = Instant::now();
    let mut talk = entered(now);
    for (session, re) in [("s_2", 2), ("s_1", 3)] {
        talk.ask(Ask::Revoke { session: session.into() }, now);
        talk.frames();
        talk.hear(format!(r#"{{"re":{re},"ok":true}}"#).as_bytes(), now);
        assert!(matches!(talk.news(), Some(News::Answered(Ask::Revoke { .. }, Ok(_)))));
        let is_out = session == "s_1";
        let refused = Some(News::Refused(Refusal::of(Code::SessionRevoked)));
        assert_eq!(talk.news(), refused.filter(|_| is_out), "{session}");
    }
}
