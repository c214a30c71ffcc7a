//! Another program holds the store for writing.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{
    limits,
    stand::{Stand, set_clock},
};
use crate::{
    limits::Limits,
    model::{AccountId, Kind},
    protocol::{Answer, Ask, Code, Place, Told},
};

/// A hub where so many are in a room of the first one's. Gives who they are.
fn hub(many: usize) -> (Stand, Vec<AccountId>) {
    let mut stand = Stand::new(Limits { members_max: many, ..limits() });
    let mut people = Vec::new();
    for guest in 0..many {
        assert_eq!(stand.connect(), guest);
        stand.register((guest, 1), &name(guest));
        stand.settle();
        let who = stand.desk().state.account_named(&name(guest)).unwrap();
        people.push(who);
        stand.ask((guest, 2), who, Ask::Join { room: lab() });
        stand.settle();
    }
    (0..many).for_each(|guest| drop(stand.told(guest)));
    (stand, people)
}

fn name(guest: usize) -> String {
    ["ana", "bob", "eve", "joe", "kim", "leo"][guest].to_owned()
}

fn lab() -> Place {
    Place::Room("#lab".into())
}

fn say() -> Ask {
    Ask::Message { to: lab(), body: "hi".into(), kind: Kind::Text, reply: None, cid: None }
}

/// What a client is answered.
fn answers(stand: &Stand, guest: usize) -> Vec<Result<Answer, Code>> {
    let answer = |told| match told {
        Told::Answer { answer, .. } => Some(answer.map_err(|refusal| refusal.code)),
        Told::Event(_) => None,
    };
    stand.told(guest).into_iter().filter_map(answer).collect()
}

#[tokio::test(start_paused = true)]
async fn all_who_write_are_refused_at_once_and_who_reads_is_answered() {
    let (mut stand, people) = hub(6);
    let other = Connection::open(stand.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    for round in 0..3 {
        for (guest, who) in people.iter().enumerate() {
            stand.ask((guest, 3), *who, say());
        }
        stand.ask((0, 4), people[0], Ask::Who { room: lab() });
        stand.settle();
        for guest in 0..6 {
            let answers = answers(&stand, guest);
            assert_eq!(answers[0], Err(Code::Unavailable), "{round} {answers:?}");
            assert!(answers[1..].iter().all(Result::is_ok), "{round} {answers:?}");
            assert_eq!(answers.len(), if guest == 0 { 2 } else { 1 });
        }
        set_clock(stand.desk().now().later(Duration::from_secs(2)));
        stand.keep_up();
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    stand.ask((1, 5), people[1], say());
    stand.settle();
    let [Ok(Answer::Written { .. })] = answers(&stand, 1)[..] else {
        panic!("it is written again");
    };
}
