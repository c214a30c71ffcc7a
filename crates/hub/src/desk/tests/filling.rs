//! A disk that takes no more.

use std::time::Duration;

use rusqlite::Connection;

use super::{limits, stand::Stand};
use crate::{
    model::{AccountId, Kind},
    protocol::{Ask, Code, Place, Told},
};

/// A hub where ana is in a room, and knows it.
fn hub() -> (Stand, AccountId) {
    let mut stand = Stand::new(limits());
    stand.connect();
    stand.register((0, 1), "ana");
    stand.settle();
    let ana = stand.desk().state.account_named("ana").unwrap();
    stand.ask((0, 2), ana, Ask::Join { room: lab() });
    stand.settle();
    drop(stand.told(0));
    (stand, ana)
}

fn lab() -> Place {
    Place::Room("#lab".into())
}

/// What is said, for what it is refused, and when it may be tried again.
fn say(stand: &mut Stand, ana: AccountId) -> Option<(Code, Option<u64>)> {
    let (kind, body) = (Kind::Text, "x".repeat(16_000));
    stand.ask((0, 3), ana, Ask::Message { to: lab(), body, kind, reply: None, cid: None });
    refused(stand)
}

fn refused(stand: &mut Stand) -> Option<(Code, Option<u64>)> {
    stand.settle();
    let answer = stand.told(0).into_iter().find_map(|told| match told {
        Told::Answer { answer, .. } => Some(answer),
        Told::Event(_) => None,
    });
    answer.expect("an answer").err().map(|refusal| (refusal.code, refusal.retry_ms))
}

#[tokio::test(start_paused = true)]
async fn all_is_read_anew_once_and_what_is_to_be_written_soon_is_refused_for_it() {
    let (mut stand, ana) = hub();
    stand.desk().store.set_full(true);
    assert_eq!(say(&mut stand, ana), Some((Code::StoreFull, Some(1000))));
    // Nobody's membership can be read: nor is it.
    let other = Connection::open(stand.file()).unwrap();
    other.execute_batch("ALTER TABLE members RENAME TO lost").unwrap();
    tokio::time::advance(Duration::from_millis(400)).await;
    for _ in 0..50 {
        assert_eq!(say(&mut stand, ana), Some((Code::StoreFull, Some(600))));
        stand.ask((0, 4), ana, Ask::Who { room: lab() });
        assert_eq!(refused(&mut stand), None);
    }
    other.execute_batch("ALTER TABLE lost RENAME TO members").unwrap();
    stand.desk().store.set_full(false);
    tokio::time::advance(Duration::from_millis(600)).await;
    assert_eq!(say(&mut stand, ana), None);
}
