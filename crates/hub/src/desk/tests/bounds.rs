//! How much there may be of what an account makes, and who runs the hub.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{limits, stand::Stand};
use crate::{
    desk::{Chore, NewDevice, Order},
    limits::Limits,
    model::{AccountId, Cid, Kind, Millis, Role, Seq},
    proof::TokenHash,
    protocol::{Answer, Ask, Code, Place, Resume, Secret, Told},
    store::{Invitation, Stays},
};

/// A hub where ana is in `#lab`, which she made.
fn hub() -> (Stand, AccountId) {
    hub_of(limits())
}

fn hub_of(limits: Limits) -> (Stand, AccountId) {
    let mut stand = Stand::new(limits);
    stand.connect();
    stand.register((0, 1), "ana");
    let ana = stand.desk().state.account_named("ana").unwrap();
    stand.ask((0, 2), ana, Ask::Join { room: lab() });
    stand.settle();
    drop(stand.told(0));
    (stand, ana)
}

fn lab() -> Place {
    Place::Room("#lab".to_owned())
}

fn hash(number: u16) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..2].copy_from_slice(&number.to_be_bytes());
    hash
}

#[tokio::test(start_paused = true)]
async fn an_account_has_so_many_hooks() {
    let (mut stand, account) = hub();
    let client = stand.client(0);
    for number in 0..33 {
        let (name, session) = (format!("hook {number}"), format!("h{number}"));
        let (token, hash) = (Secret(String::new()), TokenHash(hash(number)));
        let hook = NewDevice { name, session, token, hash, stays: Stays::UntilEnded };
        let order = Order::Hook { client, account, re: Some(7), room: lab(), hook };
        stand.desk().obey(order);
    }
    stand.settle();
    let told = stand.told(0);
    let code = |told: &Told| match told {
        Told::Answer { answer: Ok(Answer::Hooked { .. }), .. } => None,
        Told::Answer { answer: Err(refusal), .. } => Some(refusal.code),
        told => panic!("{told:?}"),
    };
    let codes: Vec<_> = told.iter().map(code).collect();
    assert_eq!(codes, [[None; 32].as_slice(), &[Some(Code::TooMany)]].concat());
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_has_the_pace_of_lookups() {
    let limits = Limits { lookups: 3, lookups_a_second: 1, ..limits() };
    let ((mut stand, ana), guest) = (hub_of(limits), 0);
    let (body, cid) = ("hi".to_owned(), Cid::new("once"));
    let say = Ask::Message { to: lab(), body, kind: Kind::Text, reply: None, cid };
    (0..5).for_each(|_| stand.ask((guest, 3), ana, say.clone()));
    stand.settle();
    let answers = stand.told(guest).into_iter().filter_map(|told| match told {
        Told::Answer { answer: Ok(Answer::Written { dup, .. }), .. } => Some(Ok(dup)),
        Told::Answer { answer, .. } => Some(Err(answer.unwrap_err().code)),
        Told::Event(_) => None,
    });
    let expect = [Ok(false), Ok(true), Ok(true), Ok(true), Err(Code::RateLimited)];
    assert_eq!(answers.collect::<Vec<_>>(), expect);
}

#[tokio::test(start_paused = true)]
async fn to_resume_many_rooms_counts_for_many_lookups() {
    let (mut stand, ana) = hub_of(Limits { lookups: 40, lookups_a_second: 1, ..limits() });
    let mut resume = |rooms| {
        let rooms = vec![(lab(), Seq(0)); rooms];
        stand.ask((0, 3), ana, Ask::Resume(Resume::Rooms(rooms)));
        stand.settle();
        let told = stand.told(0).pop();
        let Some(Told::Answer { answer, .. }) = told else { panic!("{told:?}") };
        answer.err().map(|refusal| refusal.code)
    };
    assert_eq!([500, 1].map(&mut resume), [None, None]);
    assert_eq!([16, 500].map(&mut resume), [Some(Code::RateLimited); 2]);
}

#[tokio::test(start_paused = true)]
async fn a_hub_has_so_many_invitations() {
    let (mut stand, _) = hub();
    let made = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
        INSERT INTO invitations (hash, name, since, uses) SELECT randomblob(32), 'i' || i, 0, 1 FROM n";
    Connection::open(stand.file()).unwrap().execute_batch(made).unwrap();
    let mut invite = |number: u16| {
        let (name, since) = (format!("j{number}"), Millis(0));
        let invitation =
            Invitation { hash: hash(number), name, since, until: None, uses: 1, room: None };
        let (done, mut said) = oneshot::channel();
        stand.desk().obey(Order::Run { chore: Chore::Invite { invitation, room: None }, done });
        stand.settle();
        said.try_recv().unwrap().map(|_| ()).map_err(|refusal| refusal.code)
    };
    assert_eq!([invite(1), invite(2)], [Ok(()), Err(Code::TooMany)]);
}

#[tokio::test(start_paused = true)]
async fn of_many_members_those_are_listed_who_may_moderate_and_who_are_there() {
    let limits = Limits { members_max: 5, members_listed_max: 3, ..limits() };
    let (mut stand, ana) = hub_of(limits);
    let who = |stand: &mut Stand| {
        stand.ask((0, 9), ana, Ask::Who { room: lab() });
        stand.settle();
        let answered = stand.told(0).into_iter().find_map(|told| match told {
            Told::Answer { answer: Ok(Answer::Members { members, more }), .. } => {
                Some((members.into_iter().map(|(name, ..)| name).collect::<Vec<_>>(), more))
            }
            _ => None,
        });
        answered.unwrap()
    };
    for (guest, name) in ["bob", "carl", "dora", "eve"].into_iter().enumerate() {
        let guest = guest + 1;
        stand.connect();
        stand.register((guest, 1), name);
        let account = stand.desk().state.account_named(name).unwrap();
        stand.ask((guest, 2), account, Ask::Join { room: lab() });
        stand.settle();
        if name == "carl" {
            assert_eq!(who(&mut stand), (["ana", "bob", "carl"].map(String::from).into(), false));
        }
        if name != "eve" {
            stand.leave(guest);
        }
    }
    let role = Ask::Role { room: lab(), user: "dora".into(), role: Role::Moderator };
    stand.ask((0, 3), ana, role);
    assert_eq!(who(&mut stand), (["ana", "dora", "eve"].map(String::from).into(), true));
}

#[tokio::test(start_paused = true)]
async fn what_has_more_words_than_are_searched_for_is_refused() {
    let (mut stand, ana) = hub();
    let mut check = |words: &str, expect: Option<Code>| {
        let words = words.to_owned();
        stand.ask((0, 3), ana, Ask::Search { words, room: None, from: None, limit: None });
        stand.settle();
        let told = stand.told(0);
        let Some(Told::Answer { answer, .. }) = told.first() else { panic!("{told:?}") };
        assert_eq!(answer.as_ref().err().map(|refusal| refusal.code), expect);
    };
    check(&format!("{} - . {}", "é".repeat(200), "a".repeat(56)), None);
    check(&format!("{} {}", "é".repeat(200), "a".repeat(57)), Some(Code::TooLong));
    check(&"a-".repeat(129), Some(Code::TooLong));
}
