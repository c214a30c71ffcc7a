//! What is left of a group that could not be written, or that a bug ended.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;

use super::{limits, stand::Stand};
use crate::{
    desk::Order,
    hall::ClientId,
    model::{AccountId, Kind},
    protocol::{Answer, Ask, Code, Page, Place, Refusal, Told},
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
async fn who_was_sent_away_is_there_yet_where_that_is_undone() {
    let (mut stand, ana, session) = hub();
    let bob = who(&mut stand, "bob");
    sql(&stand, LOSE);
    stand.ask((0, 3), ana, Ask::Revoke { session });
    stand.ask((2, 3), bob, Ask::Join { room: lab() });
    stand.settle();
    assert_eq!(codes(&stand.told(0)), [Some(Code::Unavailable)]);
    assert_eq!(stand.told(1), [], "no word of it");
    assert_eq!((stand.desk().online[&ana], stand.desk().clients.len()), (2, 3));
    sql(&stand, FIND);
    stand.ask((0, 4), ana, say("again"));
    stand.settle();
    assert_eq!(stand.told(1).len(), 1, "it hears on");
    assert_eq!(stand.desk().store.sessions(ana).unwrap().len(), 2);
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
    let page = Ask::History { room: lab(), page: Page::Latest, limit: None };
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
