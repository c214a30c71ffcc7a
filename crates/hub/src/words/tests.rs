//! What is typed, and what is shown: a table for each, of one-line cases. What they share is here.

use super::*;
use crate::{
    model::{Access, Cid, Kind, Level, Millis, Mode, Quiet, Role, Said, Seq, Wishes, Words},
    protocol::{
        Answer, Ask, Code, Event, Gap, Held, InvitedBy, Listed, Page, Place, Proof, Refusal,
        Secret, Told, Where,
    },
};

mod answered;
mod any;
mod dialogues;
mod happening;
mod reference;
mod typed;
mod wrong;

fn lab() -> Place {
    Place::Room("#lab".into())
}

fn say(to: Place, kind: Kind, body: &str) -> Ask {
    Ask::Message { to, kind, body: body.into(), reply: None, cid: None }
}

fn login(user: &str, password: &str) -> Ask {
    let (user, password) = (user.to_owned(), Secret(password.into()));
    Ask::Login { proof: Proof::Password { user, password }, device: None, resume: None }
}

#[track_caller]
fn asks(line: &str, expect: Ask) {
    assert_eq!(read(line, Some(&lab())), Line::Ask(expect), "{line:?}");
}

#[track_caller]
fn is_wrong(line: &str, code: Code, field: &str) {
    match read(line, None) {
        Line::Wrong(misuse) => {
            let refusal = misuse.refusal();
            assert_eq!((refusal.code, refusal.field.unwrap_or_default()), (code, field), "{line}");
        }
        other => panic!("{line:?} is {other:?}"),
    }
}

fn at(from: &str, room: Place) -> Where {
    let at = Millis(1_763_641_860_000);
    let cid = Cid::new("c");
    Where { room, seq: Seq(10), prev: Seq(7), at, from: from.into(), cid }
}

fn message(at: Where, kind: Kind, body: &str) -> Event {
    let body = Some(body.to_owned());
    Event::Message { at, kind, body, reply: None, mention: false, notify: None, edited: false }
}

fn shown(told: &Told, lang: Lang) -> String {
    let here = lab();
    show(told, Reader { lang, me: Some("ana"), here: Some(&here) })
}

#[track_caller]
fn shows(event: Event, expect: &str) {
    assert_eq!(shown(&Told::Event(event), Lang::Fr), expect);
}

#[track_caller]
fn answers(answer: Answer, expect: &str) {
    let told = Told::Answer { re: None, answer: Ok(answer) };
    assert_eq!(shown(&told, Lang::En), expect);
}

fn listed(unread: u64) -> Listed {
    let mine = Some((Seq(1), Role::Owner));
    let access = Access::Private;
    Listed {
        room: lab(),
        topic: "TP".into(),
        access,
        last: Seq(9),
        mine,
        unread,
        members: 3,
        mentions: 0,
        level: Level::Mentions,
        slow: 0,
        dialogue: None,
        invited: None,
    }
}
