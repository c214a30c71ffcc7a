//! Who comes in by what, how many devices there are, and how fast they may be ended; and what is kept of a
//! room whose retention was lifted.

use tokio::sync::oneshot;

use super::{limits, stand, stand::Stand};
use crate::{
    desk::{NewDevice, Order, Shown, Waking},
    limits::Limits,
    model::{AccountId, Kind, Millis, Said},
    proof::TokenHash,
    protocol::{Answer, Ask, Code, EventsBy, Page, Place, Secret, Told},
    store::Stays,
};

/// A hub where ana has come in by `s00001`, and who that is.
fn hub(limits: Limits) -> (Stand, AccountId) {
    let mut stand = Stand::new(limits);
    (0..3).for_each(|guest| assert_eq!(stand.connect(), guest));
    stand.register((0, 1), "ana");
    stand.settle();
    drop(stand.told(0));
    let ana = stand.desk().state.account_named("ana").unwrap();
    (stand, ana)
}

/// What a client was refused for, or that it was not, answer by answer.
fn codes(stand: &Stand, guest: usize) -> Vec<Option<Code>> {
    let code = |told: Told| match told {
        Told::Answer { answer, .. } => Some(answer.err().map(|refusal| refusal.code)),
        Told::Event(_) => None,
    };
    stand.told(guest).into_iter().filter_map(code).collect()
}

fn revoke(session: &str) -> Ask {
    Ask::Revoke { session: session.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_revoked_while_it_was_shown_lets_nobody_in() {
    let (mut stand, ana) = hub(limits());
    let session = stand.enter((1, 1), ana, (None, None));
    stand.settle();
    stand.hang_up(1);
    stand.ask((0, 2), ana, revoke(&session));
    stand.enter((2, 1), ana, (Some(session), None));
    stand.settle();
    assert_eq!(codes(&stand, 2), [Some(Code::TokenExpired)]);
    assert_eq!(stand.desk().online[&ana], 1);
}

#[tokio::test(start_paused = true)]
async fn of_a_device_that_was_logged_out_nothing_is_done_that_came_behind_that() {
    let (mut stand, ana) = hub(limits());
    let room = || Place::Room("#lab".to_owned());
    stand.ask((0, 2), ana, Ask::Join { room: room() });
    let session = stand.enter((1, 1), ana, (None, None));
    stand.settle();
    (0..2).for_each(|guest| drop(stand.told(guest)));
    stand.ask((0, 3), ana, revoke(&session));
    let last = stand.desk().state.last;
    stand.ask((1, 2), ana, Ask::Topic { room: room(), topic: "late".to_owned() });
    let (client, name) = (stand.client(1), "late".to_owned());
    let (session, hash, token) = ("s_1".to_owned(), TokenHash([7; 32]), Secret(String::new()));
    let hook = NewDevice { name, session, token, hash, stays: Stays::UntilEnded };
    stand.desk().obey(Order::Hook { client, account: ana, re: Some(3), room: room(), hook });
    let (name, fingerprint) = ("late".to_owned(), TokenHash([8; 32]));
    stand.desk().obey(Order::Certify { client, account: ana, re: Some(4), name, fingerprint });
    // Behind the group, too, until it hears of it.
    for _ in 0..2 {
        let ask = Ask::Sessions;
        stand.desk().obey(Order::Ask { client, account: ana, re: Some(5), ask });
        stand.settle();
    }
    assert_eq!(codes(&stand, 0), [None]);
    assert_eq!(codes(&stand, 1), [Some(Code::SessionRevoked); 5]);
    assert_eq!(stand.desk().state.last, last);
    assert_eq!(stand.desk().store.sessions(ana).unwrap().len(), 1);
    // Who came in anew is somebody.
    stand.enter((1, 6), ana, (None, None));
    stand.ask((1, 7), ana, Ask::Sessions);
    stand.settle();
    assert_eq!(codes(&stand, 1), [None; 2]);
}

#[tokio::test(start_paused = true)]
async fn what_is_read_already_is_not_told_to_who_is_nobody_by_then() {
    let (mut stand, ana) = hub(limits());
    let mut export_and = |meanwhile: fn(&mut Stand)| {
        stand.ask((0, 2), ana, Ask::Export { after: None });
        stand.settle_and(meanwhile);
        codes(&stand, 0)
    };
    assert_eq!(export_and(|_| ()), [None]);
    assert_eq!(export_and(|stand| stand.leave(0)), [Some(Code::NotLoggedIn)]);
}

#[tokio::test(start_paused = true)]
async fn a_password_that_was_changed_while_it_was_hashed_lets_nobody_in() {
    let (mut stand, ana) = hub(limits());
    change(&mut stand, (ana, "phc"), "another");
    stand.enter((1, 1), ana, (None, None));
    stand.settle();
    assert_eq!(codes(&stand, 0), [None]);
    assert_eq!(codes(&stand, 1), [Some(Code::BadCredentials)]);
    assert_eq!(stand.desk().store.sessions(ana).unwrap().len(), 1);
}

/// Has ana's first client take another password, who showed the one that was held against `held`.
fn change(stand: &mut Stand, (account, held): (AccountId, &str), phc: &str) {
    let shown = Shown { account, phc: Secret(held.to_owned()) };
    let (client, phc) = (stand.client(0), Secret(phc.to_owned()));
    stand.desk().obey(Order::Repassword { client, re: Some(2), shown, phc });
}

#[tokio::test(start_paused = true)]
async fn of_two_passwords_that_are_taken_at_once_the_second_was_proved_by_what_is_none_any_more() {
    let (mut stand, ana) = hub(limits());
    change(&mut stand, (ana, "phc"), "one");
    change(&mut stand, (ana, "phc"), "two");
    stand.unregister((0, 3), ana, Said::Stays);
    stand.settle();
    let bad = Some(Code::BadCredentials);
    assert_eq!(codes(&stand, 0), [None, bad, bad]);
    assert_eq!(stand.desk().store.password(ana).unwrap().as_deref(), Some("one"));
    change(&mut stand, (ana, "one"), "phc");
    stand.unregister((0, 4), ana, Said::Stays);
    stand.settle();
    assert_eq!(codes(&stand, 0), [None, None]);
    assert!(!stand.desk().state.has_account(ana));
}

#[tokio::test(start_paused = true)]
async fn where_there_are_as_many_devices_as_may_be_the_one_seen_longest_ago_makes_room() {
    let (mut stand, ana) = hub(Limits { devices_an_account_max: 3, ..limits() });
    for ms in 1..=4 {
        stand::set_clock(Millis(ms));
        stand.enter((1, ms), ana, (None, None));
        stand.leave(1);
        stand.settle();
    }
    let kept = stand.desk().store.sessions(ana).unwrap();
    let names: Vec<_> = kept.iter().map(|session| session.name.as_str()).collect();
    assert_eq!(names, ["s00001", "s00004", "s00005"], "the first is connected");
}

#[tokio::test(start_paused = true)]
async fn of_many_talks_those_are_listed_in_which_something_happened_last() {
    let most = Limits { talks_listed_max: 2, talks_an_account_max: 3, ..limits() };
    let (mut stand, ana) = hub(most);
    let talk = |to: AccountId, (stand, re): (&mut Stand, u64)| {
        let to = Place::Person(stand.desk().state.account(to).name.clone());
        let (body, kind) = ("hi".to_owned(), Kind::Text);
        stand.ask((0, re), ana, Ask::Message { to, body, kind, reply: None, cid: None });
    };
    let others = ["bob", "cleo", "dan"].map(|name| {
        stand.register((1, 1), name);
        stand.leave(1);
        stand.desk().state.account_named(name).unwrap()
    });
    stand.ask((0, 2), ana, Ask::Join { room: Place::Room("#lab".to_owned()) });
    for other in others {
        talk(other, (&mut stand, 3));
    }
    // The first is not the oldest any more.
    talk(others[0], (&mut stand, 4));
    stand.settle();
    stand.enter((2, 1), ana, (None, None));
    stand.settle();
    let told = stand.told(2);
    let rooms = told.iter().find_map(|told| match told {
        Told::Answer { answer: Ok(Answer::LoggedIn { rooms, .. }), .. } => Some(rooms),
        _ => None,
    });
    let listed: Vec<_> = rooms.unwrap().iter().map(|listed| listed.room.to_string()).collect();
    assert_eq!(listed, ["#lab", "@bob", "@dan"]);
}

#[tokio::test(start_paused = true)]
async fn who_speaks_by_datagrams_comes_in_at_a_pace() {
    let (mut stand, ana) = hub(Limits { lookups: 40, lookups_a_second: 1, ..limits() });
    let mut wakes = |guest| {
        let (woken, mut told) = oneshot::channel();
        let (account, session) = (ana, "s00001".to_owned());
        let waking = Waking { account, session, events: EventsBy::Here, from: stand.client(0) };
        let client = stand.client(guest);
        stand.desk().obey(Order::Wake { client, waking, woken });
        stand.leave(guest);
        told.try_recv().unwrap().map_err(|refusal| (refusal.code, refusal.retry_ms))
    };
    let limited = Err((Code::RateLimited, Some(20_000)));
    assert_eq!([1, 2, 1].map(&mut wakes), [Ok(()), Ok(()), limited]);
}

#[tokio::test(start_paused = true)]
async fn who_shows_a_token_comes_in_at_a_pace_and_who_shows_another_s_does_not_wait_for_that() {
    let (mut stand, ana) = hub(Limits { lookups: 40, lookups_a_second: 1, ..limits() });
    stand.register((2, 1), "bob");
    stand.settle();
    stand.leave(2);
    drop(stand.told(2));
    let mut enters = |guest, (account, session): (AccountId, &str)| {
        stand.enter((guest, 1), account, (Some(session.to_owned()), None));
        stand.leave(guest);
        stand.settle();
        codes(&stand, guest)
    };
    let limited = Some(Code::RateLimited);
    let anas = (ana, "s00001");
    assert_eq!([enters(1, anas), enters(2, anas), enters(1, anas)].concat(), [None, None, limited]);
    assert_eq!(enters(2, (ana, "s99999")), [Some(Code::TokenExpired)], "nobody's");
    assert_eq!(enters(2, (ana, "s00002")), [None], "bob's");
    stand::set_clock(Millis(20_000));
    assert_eq!(enters(1, anas), [None]);
}

#[tokio::test(start_paused = true)]
async fn devices_are_ended_at_the_pace_of_messages_but_for_the_own_one() {
    let (mut stand, ana) = hub(Limits { burst: 2, messages_a_second: 1, ..limits() });
    for re in 2..6 {
        stand.ask((0, re), ana, revoke("s99999"));
    }
    stand.ask((0, 6), ana, revoke("s00001"));
    stand.settle();
    let (none, limited) = (Some(Code::BadField), Some(Code::RateLimited));
    assert_eq!(codes(&stand, 0), [none, none, limited, limited, None]);
}

#[tokio::test(start_paused = true)]
async fn who_logs_a_device_out_that_is_none_is_told_so() {
    let (mut stand, ana) = hub(limits());
    let session = stand.enter((1, 1), ana, (None, None));
    stand.leave(1);
    stand.settle();
    stand.ask((0, 2), ana, revoke(&session));
    stand.settle();
    assert_eq!(codes(&stand, 0), [None]);
    stand.ask((0, 3), ana, revoke(&session));
    stand.settle();
    assert_eq!(codes(&stand, 0), [Some(Code::BadField)]);
}

#[tokio::test(start_paused = true)]
async fn what_a_room_is_to_keep_for_good_since_is_kept() {
    let (mut stand, ana) = hub(limits());
    let room = Place::Room("#lab".to_owned());
    let say = |body: &str| Ask::Message {
        to: Place::Room("#lab".to_owned()),
        body: body.to_owned(),
        kind: Kind::Text,
        reply: None,
        cid: None,
    };
    stand.ask((0, 2), ana, Ask::Join { room: room.clone() });
    (0..6).for_each(|re| stand.ask((0, re), ana, say("old")));
    stand.ask((0, 9), ana, Ask::Retain { room: room.clone(), days: Some(1) });
    stand.settle();
    stand.wait_until(Millis(3 * 24 * 3600 * 1000)).await;
    // Some of it is taken out each time.
    stand.keep_up();
    stand.ask((0, 10), ana, Ask::Retain { room: room.clone(), days: None });
    stand.settle();
    (0..20).for_each(|_| stand.keep_up());
    drop(stand.told(0));
    stand.ask((0, 11), ana, Ask::History { room, page: Page::Latest, limit: None, messages: None });
    stand.settle();
    let told = stand.told(0);
    let [Told::Answer { answer: Ok(Answer::Page { events, .. }), .. }] = &told[..] else {
        panic!("no page: {told:?}");
    };
    assert_eq!(events.len(), 1 + 2 + 2, "its making, what is left, and how long it is kept");
}
