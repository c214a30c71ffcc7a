//! What is written is read, both ways; what is wrong is refused with its reason.

use proptest::prelude::*;

use super::*;
use crate::{
    model::{Access, Kind, Mode, Role, Seq},
    protocol::{
        Answer, Ask, Code, Event, Page, Place, Proof, Refusal, Request, Resume, Secret, Told,
    },
    words::Lang,
};

mod any;
mod reference;

const FRAME_BYTES_MAX: usize = 64 << 10;

fn room() -> Place {
    Place::Room("#lab".into())
}

#[track_caller]
fn asks(frame: &str, expect: Ask) {
    let request = read(frame.as_bytes(), FRAME_BYTES_MAX);
    assert_eq!(request, Ok(Request { id: None, ask: expect }), "{frame}");
}

#[track_caller]
fn is_refused(frame: &str, code: Code, field: &str) {
    let (_, refusal) = read(frame.as_bytes(), FRAME_BYTES_MAX).unwrap_err();
    assert_eq!((refusal.code, refusal.field.unwrap_or_default()), (code, field), "{frame}");
}

#[track_caller]
fn is_told(told: &Told, expect: &str) {
    let mut out = Vec::new();
    write(told, &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), format!("{expect}\n"));
}

#[test]
fn a_request_comes_with_its_number() {
    let request = read(br#"{"cmd":"PING","id":11,"t":123}"#, FRAME_BYTES_MAX).unwrap();
    assert_eq!(request, Request { id: Some(11), ask: Ask::Ping { t: Some(123) } });
    let (id, refusal) = read(br#"{"cmd":"FLY","id":7}"#, FRAME_BYTES_MAX).unwrap_err();
    assert_eq!((id, refusal.code), (Some(7), Code::UnknownCommand));
}

#[test]
fn what_may_be_left_out_has_a_meaning() {
    let say = |to, kind| Ask::Message { to, kind, body: "hi".into(), reply: None, cid: None };
    let bob = || Place::Person("bob".into());
    asks(r##"{"cmd":"MESSAGE","room":"#lab","body":"hi"}"##, say(room(), Kind::Text));
    asks(r#"{"cmd":"MESSAGE","to":"bob","body":"hi","kind":null}"#, say(bob(), Kind::Text));
    asks(r#"{"cmd":"MESSAGE","to":"@bob","body":"hi"}"#, say(bob(), Kind::Text));
    asks(
        r#"{"cmd":"MESSAGE","room":"@bob","body":"hi","kind":"action"}"#,
        say(bob(), Kind::Action),
    );
    asks(r##"{"cmd":"TYPING","room":"#lab"}"##, Ask::Typing { room: room(), on: true });
    asks(r#"{"cmd":"LOGOUT"}"#, Ask::Logout { all: false });
    let latest = Ask::History { room: room(), page: Page::Latest, limit: None, messages: None };
    asks(r##"{"cmd":"HISTORY","room":"#lab","latest":true,"later":{}}"##, latest);
    let access = Access::Public;
    let create = Ask::Create { room: "#lab".into(), access, topic: None };
    asks(r##"{"cmd":"CREATE","room":"#lab"}"##, create);
}

#[test]
fn what_is_wanted_is_spelled_in_few_words() {
    asks(r#"{"cmd":"QUIET"}"#, Ask::Quiet { on: true, seconds: None });
    asks(r#"{"cmd":"KEYWORDS","words":[]}"#, Ask::Keywords { words: Vec::new() });
    is_refused(r#"{"cmd":"KEYWORDS"}"#, Code::MissingField, "words");
    is_refused(r#"{"cmd":"KEYWORDS","words":"tea"}"#, Code::BadField, "words");
    is_refused(r#"{"cmd":"KEYWORDS","words":["tea",1]}"#, Code::BadField, "words");
    is_refused(r##"{"cmd":"NOTIFY","room":"#lab"}"##, Code::MissingField, "level");
    is_refused(r##"{"cmd":"NOTIFY","room":"#lab","level":"some"}"##, Code::BadField, "level");
    is_refused(r#"{"cmd":"DIALOGUE"}"#, Code::MissingField, "with");
    is_refused(r#"{"cmd":"DIALOGUE","with":"bob","mode":"loud"}"#, Code::BadField, "mode");
    let (with, mode) = ("bob".to_owned(), Some(Mode::Turns));
    asks(r#"{"cmd":"DIALOGUE","with":"@bob"}"#, Ask::Dialogue { with, mode });
}

#[test]
fn a_ping_without_a_word_is_answered_without_one() {
    let pong = |t| Told::Answer { re: Some(1), answer: Ok(Answer::Pong { t }) };
    is_told(&pong(None), r#"{"re":1,"ok":true}"#);
    is_told(&pong(Some(7)), r#"{"re":1,"ok":true,"t":7}"#);
}

#[test]
fn rooms_to_resume_keep_their_order() {
    let rooms = vec![(room(), Seq(3)), (Place::Person("bob".into()), Seq(1))];
    let resume = Some(Resume::Rooms(rooms));
    let proof = Proof::Token(Secret("rt_x".into()));
    asks(
        r##"{"cmd":"LOGIN","token":"rt_x","resume":{"rooms":{"#lab":3,"@bob":1}}}"##,
        Ask::Login { proof, device: None, resume },
    );
}

#[test]
fn a_command_line_is_read_as_at_the_door_of_plain_text() {
    let (to, body) = (room(), "rit".to_owned());
    asks(
        r##"{"cmd":"COMMAND","room":"#lab","line":"/me rit"}"##,
        Ask::Message { to, kind: Kind::Action, body, reply: None, cid: None },
    );
    asks(r#"{"cmd":"COMMAND","line":"fin"}"#, Ask::Bye { reason: None });
    let lang = Some("fr".to_owned());
    asks(r#"{"cmd":"COMMAND","line":"/lang fr"}"#, Ask::Hello { proto: None, client: None, lang });
    is_refused(r#"{"cmd":"COMMAND","line":"/login ana"}"#, Code::MissingField, "password");
    is_refused(r#"{"cmd":"COMMAND","line":""}"#, Code::BadField, "line");
    is_refused(r#"{"cmd":"COMMAND","line":"/nick bob"}"#, Code::Forbidden, "");
    is_refused(r#"{"cmd":"COMMAND","line":"/fly"}"#, Code::UnknownCommand, "");
    is_refused(r#"{"cmd":"COMMAND"}"#, Code::MissingField, "line");
}

#[test]
fn what_is_wrong_is_refused_with_its_field() {
    is_refused("{", Code::BadFrame, "");
    is_refused(r#"{"cmd":"PING","cmd":"PING"}"#, Code::BadFrame, "");
    is_refused("{}", Code::MissingField, "cmd");
    is_refused(r#"{"cmd":1}"#, Code::BadField, "cmd");
    is_refused(r#"{"cmd":"ping"}"#, Code::UnknownCommand, "cmd");
    is_refused(r#"{"cmd":"PING","id":-1}"#, Code::BadField, "id");
    is_refused(r#"{"cmd":"PING","t":1.5}"#, Code::BadField, "t");
    is_refused(r#"{"cmd":"JOIN"}"#, Code::MissingField, "room");
    is_refused(r#"{"cmd":"JOIN","room":null}"#, Code::MissingField, "room");
    is_refused(r#"{"cmd":"JOIN","room":"lab"}"#, Code::BadField, "room");
    is_refused(r#"{"cmd":"JOIN","room":["a"]}"#, Code::BadField, "room");
    is_refused(r##"{"cmd":"EDIT","room":"#lab","seq":"1","body":""}"##, Code::BadField, "seq");
    is_refused(r##"{"cmd":"MESSAGE","room":"#lab","body":"","cid":"a b"}"##, Code::BadField, "cid");
    is_refused(r##"{"cmd":"MESSAGE","room":"#lab","body":"","kind":"x"}"##, Code::BadField, "kind");
    is_refused(r##"{"cmd":"TYPING","room":"#lab","on":1}"##, Code::BadField, "on");
    is_refused(r#"{"cmd":"LOGIN","user":"ana"}"#, Code::MissingField, "password");
    is_refused(r#"{"cmd":"LOGIN","token":"t","resume":1}"#, Code::BadField, "resume");
    for (shown, field, rest) in [
        (r#""external":true"#, "user", r#","password":"x""#),
        (r#""external":true"#, "password", ""),
        (r#""external":true"#, "token", ""),
        (r#""token":"t""#, "user", r#","password":"x""#),
        (r#""token":"t""#, "password", ""),
    ] {
        let login = format!(r#"{{"cmd":"LOGIN",{shown},"{field}":"x"{rest}}}"#);
        is_refused(&login, Code::BadField, field);
    }
    is_refused(r#"{"cmd":"RESUME"}"#, Code::MissingField, "since");
    is_refused(r#"{"cmd":"RESUME","rooms":{"lab":1}}"#, Code::BadField, "rooms");
    is_refused(r##"{"cmd":"RESUME","rooms":{"#lab":"1"}}"##, Code::BadField, "rooms");
    is_refused(r##"{"cmd":"RESUME","since":1,"rooms":{"#lab":1}}"##, Code::BadField, "since");
    let two = r##"{"cmd":"MESSAGE","room":"#lab","to":"bob","body":"hi"}"##;
    is_refused(two, Code::BadField, "room");
    let login = r##"{"cmd":"LOGIN","token":"t","resume":{"since":1,"rooms":{"#lab":1}}}"##;
    is_refused(login, Code::BadField, "since");
    is_refused(r##"{"cmd":"HISTORY","room":"#l","between":[1]}"##, Code::BadField, "between");
    is_refused(r##"{"cmd":"HISTORY","room":"#l","before":1,"after":2}"##, Code::BadField, "before");
    is_refused(r##"{"cmd":"SLOW","room":"#l","seconds":4294967296}"##, Code::BadField, "seconds");
    is_refused(r##"{"cmd":"ROLE","room":"#l","user":"a","role":"king"}"##, Code::BadField, "role");
}

#[test]
fn a_frame_that_is_too_long_is_not_looked_at() {
    let frame = br#"{"cmd":"PING","id":1}"#;
    assert!(read(frame, frame.len()).is_ok());
    let (id, refusal) = read(frame, frame.len() - 1).unwrap_err();
    assert_eq!((id, refusal.code), (None, Code::FrameTooBig));
    assert_eq!(refusal.why, "21 bytes: expected at most 20");
}

#[test]
fn what_is_missing_anywhere_is_known_to_clients() {
    for (name, _) in asked::COMMANDS {
        let frame = format!(r#"{{"cmd":"{name}","id":5}}"#);
        let Err((id, refusal)) = read(frame.as_bytes(), FRAME_BYTES_MAX) else { continue };
        assert_eq!((id, refusal.code), (Some(5), Code::MissingField), "{name}");
        let told = Told::Answer { re: id, answer: Err(refusal) };
        assert_eq!(read_told(&written(&told)), Ok(told), "{name}");
    }
}

#[test]
fn answers_are_written_as_the_reference_says() {
    let done = Told::Answer { re: Some(3), answer: Ok(Answer::Done) };
    is_told(&done, r#"{"re":3,"ok":true}"#);
    let (seq, at) = (Seq(10_434), crate::model::Millis(1_763_665_203_511));
    let written = Told::Answer { re: None, answer: Ok(Answer::Written { seq, at, dup: false }) };
    is_told(&written, r#"{"ok":true,"seq":10434,"ts":"2025-11-20T19:00:03.511Z","dup":false}"#);
    let refusal = Refusal::of(Code::RateLimited).retry_ms(1200);
    is_told(
        &Told::Answer { re: Some(5), answer: Err(refusal.clone()) },
        r#"{"re":5,"err":{"code":"RATE_LIMITED","retry_ms":1200,"msg":"too fast: wait a little, again in 2 s"}}"#,
    );
    let mut french = Vec::new();
    write_in(&Told::Event(Event::Bye(refusal)), Lang::Fr, &mut french);
    let french = String::from_utf8(french).unwrap();
    assert!(french.starts_with(r#"{"ev":"bye","code":"RATE_LIMITED""#), "{french}");
    assert!(french.contains("trop vite : attendez un peu"), "{french}");
}

#[test]
fn events_are_written_as_the_reference_says() {
    let at = any::place_in_log();
    let message = |body: Option<&str>, mention| {
        let body = body.map(str::to_owned);
        let (at, kind) = (at.clone(), Kind::Text);
        Told::Event(Event::Message {
            at,
            kind,
            body,
            reply: None,
            mention,
            notify: None,
            edited: false,
        })
    };
    let start = r##""room":"#lab","seq":10,"prev":7,"ts":"2025-11-20T19:00:03.511Z","from":"ana""##;
    is_told(
        &message(Some("a\u{1b}\nb"), true),
        &format!(
            r#"{{"ev":"message",{start},"cid":"c","kind":"text","body":"a\u001b\u000ab","mention":true}}"#
        ),
    );
    let taken_out = message(None, false);
    let expect = format!(r#"{{"ev":"message",{start},"cid":"c","kind":"text","body":null}}"#);
    is_told(&taken_out, &expect);
    let (user, role) = ("bob".to_owned(), Role::Moderator);
    is_told(
        &Told::Event(Event::Role { at: at.clone(), user, role }),
        &format!(r#"{{"ev":"role",{start},"cid":"c","user":"bob","role":"moderator"}}"#),
    );
    let slow = Event::Rule { at, what: "slow", value: Some(5) };
    is_told(&Told::Event(slow), &format!(r#"{{"ev":"slow",{start},"cid":"c","value":5}}"#));
}

#[test]
fn what_a_later_hub_says_is_told_apart_from_what_is_broken() {
    let misread = |line: &str| read_told(line.as_bytes()).unwrap_err();
    assert!(matches!(misread("# relais"), Misread::NoFrame(_)));
    assert_eq!(misread(r#"{"ev":"sunset"}"#), Misread::Unknown("sunset".into()));
    assert_eq!(misread(r#"{"re":1,"err":{"code":"NEW"}}"#), Misread::Unknown("NEW".into()));
    let amiss = misread(r##"{"ev":"typing","room":"#lab","user":"bob"}"##);
    assert_eq!(amiss, Misread::Amiss(Amiss::Missing("on")));
    let known = r#"{"re":1,"err":{"code":"MUTED","field":"new one"},"more":1}"#;
    let answer = Err(Refusal::of(Code::Muted));
    assert_eq!(read_told(known.as_bytes()), Ok(Told::Answer { re: Some(1), answer }));
}

fn written(told: &Told) -> Vec<u8> {
    let mut out = Vec::new();
    write(told, &mut out);
    out
}

proptest! {
    #[test]
    fn requests_read_as_they_were_written(request in any::request()) {
        let mut frame = Vec::new();
        write_request(&request, &mut frame);
        prop_assert_eq!(frame.iter().position(|byte| *byte == b'\n'), Some(frame.len() - 1));
        prop_assert_eq!(read(&frame, usize::MAX), Ok(request));
    }

    #[test]
    fn what_is_told_reads_as_it_was_written(told in any::told()) {
        let frame = written(&told);
        prop_assert_eq!(frame.iter().position(|byte| *byte == b'\n'), Some(frame.len() - 1));
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&frame).is_ok());
        prop_assert_eq!(read_told(&frame), Ok(told));
    }

    #[test]
    fn nothing_panics(line: Vec<u8>) {
        _ = read(&line, FRAME_BYTES_MAX);
        _ = read_told(&line);
    }

    #[test]
    fn nothing_almost_right_panics(request in any::request(), told in any::told(), at: usize, byte: u8) {
        let mut frame = Vec::new();
        write_request(&request, &mut frame);
        let mut heard = written(&told);
        for line in [&mut frame, &mut heard] {
            let at = at % line.len();
            line[at] = byte;
        }
        _ = read(&frame, FRAME_BYTES_MAX);
        _ = read_told(&heard);
    }
}
