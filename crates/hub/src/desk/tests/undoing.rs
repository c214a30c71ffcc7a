//! What is left of a group that could not be written, or that a bug ended.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    limits,
    stand::{Stand, set_clock},
};
use crate::{
    desk::{Chore, Order, Outcome},
    hall::{ClientId, Post},
    model::{AccountId, Kind, Millis},
    protocol::{Answer, Ask, Code, Event, Page, Place, Refusal, Told},
};

/// A hub where ana is, with two devices, in a room of hers, and bob. Gives who ana is, and her second session.
fn hub() -> (Stand, AccountId, String) {
    let mut stand = Stand::new(limits());
    (0..3).for_each(|guest| assert_eq!(stand.connect(), guest));
    stand.register((0, 1), "ana");
    stand.register((2, 1), "bob");
    stand.settle();
    let ana = who(&mut stand, "ana");
    let session = stand.enter((1, 1), ana, (None, None));
    stand.ask((0, 2), ana, Ask::Join { room: lab() });
    stand.settle();
    (0..3).for_each(|guest| drop(stand.told(guest)));
    (stand, ana, session)
}

fn who(stand: &mut Stand, name: &str) -> AccountId {
    stand.desk().state.account_named(name).unwrap()
}

fn lab() -> Place {
    Place::Room("#lab".into())
}

fn say(body: &str) -> Ask {
    Ask::Message { to: lab(), body: body.into(), kind: Kind::Text, reply: None, cid: None }
}

/// Has nobody's membership be written or read, or has it again.
fn sql(stand: &Stand, sql: &str) {
    Connection::open(stand.file()).unwrap().execute_batch(sql).unwrap();
}

const LOSE: &str = "ALTER TABLE members RENAME TO lost";
const FIND: &str = "ALTER TABLE lost RENAME TO members";

fn codes(told: &[Told]) -> Vec<Option<Code>> {
    let code = |told: &Told| match told {
        Told::Answer { answer, .. } => Some(answer.as_ref().err().map(|refusal| refusal.code)),
        Told::Event(_) => None,
    };
    told.iter().filter_map(code).collect()
}

#[tokio::test(start_paused = true)]
async fn who_is_logged_out_is_out_though_that_is_undone_and_for_good_once_it_is_written() {
    let (mut stand, ana, session) = hub();
    let bob = who(&mut stand, "bob");
    sql(&stand, LOSE);
    stand.ask((0, 3), ana, Ask::Revoke { session: session.clone() });
    stand.ask((2, 3), bob, Ask::Join { room: lab() });
    stand.settle();
    assert_eq!(codes(&stand.told(0)), [Some(Code::Unavailable)]);
    assert_eq!(stand.told(1), [Told::Event(Event::Bye(Refusal::of(Code::SessionRevoked)))]);
    assert_eq!((stand.desk().online[&ana], stand.desk().clients.len()), (1, 2));
    sql(&stand, FIND);
    stand.enter((1, 2), ana, (Some(session), None));
    stand.ask((0, 4), ana, Ask::Sessions);
    stand.settle();
    assert_eq!(codes(&stand.told(1)), [Some(Code::TokenExpired)]);
    let told = stand.told(0);
    let [Told::Answer { answer: Ok(Answer::Sessions(listed)), .. }] = &told[..] else {
        panic!("no list: {told:?}");
    };
    assert_eq!(listed.len(), 1);
    assert_eq!(stand.desk().store.sessions(ana).unwrap().len(), 2, "not written");
    set_clock(Millis(2000));
    stand.keep_up();
    assert_eq!(stand.desk().store.sessions(ana).unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_is_logged_out_while_nothing_can_be_begun_is_out() {
    let (mut stand, ana, session) = hub();
    stand.rename(("hub.db", "away.db"));
    stand.ask((0, 3), ana, Ask::Logout { all: true });
    stand.settle();
    assert_eq!(codes(&stand.told(0)), [Some(Code::Unavailable)]);
    assert_eq!(stand.told(1), [Told::Event(Event::Bye(Refusal::of(Code::SessionRevoked)))]);
    stand.enter((1, 2), ana, (Some(session), None));
    stand.settle();
    assert_eq!(codes(&stand.told(1)), [Some(Code::TokenExpired)]);
    set_clock(Millis(2000));
    stand.keep_up();
    assert_eq!(stand.desk().store.sessions(ana).unwrap().len(), 2, "it is away");
    stand.rename(("away.db", "hub.db"));
    set_clock(Millis(4000));
    stand.keep_up();
    assert_eq!(stand.desk().store.sessions(ana).unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_there_never_was_is_not_remembered_to_be_over() {
    let (mut stand, ana, _) = hub();
    stand.rename(("hub.db", "away.db"));
    stand.ask((0, 3), ana, Ask::Revoke { session: "s99999".into() });
    stand.settle();
    assert_eq!(codes(&stand.told(0)), [Some(Code::BadField)]);
    assert_eq!(stand.desk().devices.patience(), Duration::MAX);
}

#[tokio::test(start_paused = true)]
async fn who_shows_a_token_is_let_in_while_nothing_can_be_written() {
    let (mut stand, ana, session) = hub();
    stand.leave(1);
    stand.settle();
    stand.rename(("hub.db", "away.db"));
    set_clock(Millis(5000));
    stand.enter((1, 2), ana, (Some(session.clone()), None));
    stand.settle();
    assert_eq!(codes(&stand.told(1)), [None]);
    stand.rename(("away.db", "hub.db"));
    set_clock(Millis(9000));
    stand.keep_up();
    let kept = stand.desk().store.sessions(ana).unwrap();
    let kept = kept.iter().find(|kept| kept.name == session).unwrap();
    assert_eq!(kept.seen, Millis(5000), "written once it could be");
}

#[tokio::test(start_paused = true)]
async fn while_the_store_takes_nothing_who_only_reads_is_not_refused_with_others() {
    let (mut stand, ana, session) = hub();
    let bob = who(&mut stand, "bob");
    stand.leave(1);
    sql(&stand, LOSE);
    stand.ask((2, 3), bob, Ask::Join { room: lab() });
    stand.settle();
    sql(&stand, FIND);
    stand.ask((2, 4), bob, Ask::Whois { user: "ana".into() });
    stand.settle();
    assert_eq!(codes(&stand.told(2)), [Some(Code::Unavailable), None]);
    sql(&stand, LOSE);
    stand.enter((1, 2), ana, (Some(session), None));
    stand.ask((2, 5), bob, Ask::Join { room: lab() });
    stand.settle();
    assert_eq!(codes(&stand.told(1)), [None]);
    assert_eq!(codes(&stand.told(2)), [Some(Code::Unavailable)]);
}

#[tokio::test(start_paused = true)]
async fn who_hung_up_is_gone_even_where_all_else_is_undone() {
    let (mut stand, ana, _) = hub();
    let bob = who(&mut stand, "bob");
    sql(&stand, LOSE);
    stand.leave(1);
    stand.ask((2, 3), bob, Ask::Join { room: lab() });
    stand.settle();
    sql(&stand, FIND);
    stand.ask((0, 4), ana, say("again"));
    stand.settle();
    assert_eq!(stand.told(1), [], "it is nobody");
    assert_eq!(stand.desk().online[&ana], 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_judged_by_what_was_undone_until_the_store_can_be_read() {
    let (mut stand, ana, _) = hub();
    let bob = who(&mut stand, "bob");
    sql(&stand, LOSE);
    stand.ask((2, 3), bob, Ask::Join { room: lab() });
    stand.ask((2, 4), bob, Ask::Who { room: lab() });
    stand.settle();
    stand.ask((0, 3), ana, Ask::Who { room: lab() });
    stand.settle();
    assert_eq!(codes(&stand.told(2)), [Some(Code::Unavailable); 2]);
    assert_eq!(codes(&stand.told(0)), [Some(Code::Unavailable)]);
    sql(&stand, FIND);
    stand.ask((2, 5), bob, say("I am not in it"));
    stand.ask((0, 4), ana, Ask::Who { room: lab() });
    stand.settle();
    assert_eq!(codes(&stand.told(2)), [Some(Code::NotInRoom)]);
    assert_eq!(codes(&stand.told(0)), [None]);
}

#[tokio::test(start_paused = true)]
async fn what_was_undone_is_not_counted() {
    let (mut stand, ana, _) = hub();
    let bob = who(&mut stand, "bob");
    let written = |stand: &mut Stand| stand.desk().counts.read((0, 0)).entries;
    let before = written(&mut stand);
    sql(&stand, LOSE);
    stand.ask((2, 3), bob, Ask::Join { room: lab() });
    stand.settle();
    assert_eq!(written(&mut stand), before);
    sql(&stand, FIND);
    stand.ask((0, 3), ana, say("again"));
    stand.settle();
    assert_eq!(written(&mut stand), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_bug_in_one_order_takes_no_other_with_it() {
    let (mut stand, ana, _) = hub();
    let nowhere = ClientId { hall: 99, ..stand.client(0) };
    stand.desk().clients.insert(nowhere, (ana, "nowhere".to_owned()));
    let page = Ask::History { room: lab(), page: Page::Latest, limit: None, messages: None };
    let orders = [(nowhere, page), (stand.client(0), say("on"))];
    let orders = orders.map(|(client, ask)| Order::Ask { client, account: ana, re: Some(7), ask });
    stand.desk().orders.extend(orders);
    catch_unwind(AssertUnwindSafe(|| stand.desk().work_off())).unwrap_err();
    stand.desk().recover();
    stand.desk().work_off();
    stand.settle();
    assert_eq!(stand.desk().done, 2, "what ended in a bug waits no more");
    let told = stand.told(0);
    let is_written = |told: &Told| {
        matches!(
            told,
            Told::Answer { re: Some(7), answer: Ok::<_, Refusal>(Answer::Written { .. }) }
        )
    };
    assert!(told.iter().any(is_written), "{told:?}");
}

/// What clients are about to be told that they are refused for.
fn whys(stand: &mut Stand, guest: usize) -> Vec<String> {
    let client = stand.client(guest);
    let why = |post: &Post| match post {
        Post::One(to, spoken) if *to == client => match &spoken.told {
            Told::Answer { answer, .. } => Some(answer.as_ref().unwrap_err().why.clone()),
            Told::Event(_) => None,
        },
        _ => None,
    };
    stand.desk().posts.iter().filter_map(why).collect()
}

#[tokio::test(start_paused = true)]
async fn who_had_somebody_be_logged_out_is_told_of_it_and_no_other() {
    let (mut stand, ana, session) = hub();
    let third = stand.enter((1, 9), ana, (None, None));
    stand.settle();
    let bob = who(&mut stand, "bob");
    sql(&stand, LOSE);
    let mut run = |chore| {
        let (done, outcome) = oneshot::channel();
        stand.desk().obey(Order::Run { chore, done });
        outcome
    };
    let find = || Chore::FindUser { user: "bob".into() };
    let chores = [run(find()), run(Chore::Revoke { who: ana, session: third }), run(find())];
    // A client need not say which is which.
    stand.ask((0, 3), ana, Ask::Revoke { session });
    stand.ask((0, 3), ana, Ask::Quiet { on: true, seconds: None });
    stand.ask((2, 3), bob, Ask::Join { room: lab() });
    let is_told = |why: &String| why.contains("who was to be logged out is");
    let told: Vec<_> = whys(&mut stand, 0).iter().map(is_told).collect();
    assert_eq!(told, [true, false]);
    assert_eq!(whys(&mut stand, 2).iter().map(is_told).collect::<Vec<_>>(), [false]);
    let why = |mut outcome: oneshot::Receiver<Result<Outcome, Refusal>>| {
        is_told(&outcome.try_recv().unwrap().unwrap_err().why)
    };
    assert_eq!(chores.map(why), [false, true, false]);
}
