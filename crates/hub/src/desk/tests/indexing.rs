//! When words are indexed of what was said.

use rusqlite::Connection;

use super::{limits, stand::Stand};
use crate::{
    model::{AccountId, Kind, Seq},
    protocol::{Ask, Place},
    store::Broken,
};

/// A hub that was started anew: some of what was said before may not be indexed.
fn hub() -> (Stand, AccountId) {
    let mut stand = Stand::new(limits());
    stand.connect();
    stand.register((0, 1), "ana");
    stand.settle();
    let ana = stand.desk().state.account_named("ana").unwrap();
    stand.restart();
    stand.connect();
    stand.be(0, ana);
    (stand, ana)
}

fn say(stand: &mut Stand, who: AccountId) {
    let to = Place::Room("#lab".into());
    stand.ask((0, 2), who, Ask::Join { room: to.clone() });
    let kind = Kind::Text;
    stand.ask((0, 3), who, Ask::Message { to, body: "hi".into(), kind, reply: None, cid: None });
}

fn indexed(stand: &Stand) -> i64 {
    let store = Connection::open(stand.file()).unwrap();
    store.query_row("SELECT indexed FROM progress", [], |row| row.get(0)).unwrap()
}

fn last(stand: &mut Stand) -> i64 {
    let Seq(last) = stand.desk().state.last;
    last.try_into().unwrap()
}

#[tokio::test(start_paused = true)]
async fn where_there_is_more_to_index_some_of_it_is_with_each_group() {
    let (mut stand, ana) = hub();
    say(&mut stand, ana);
    assert!(indexed(&stand) < last(&mut stand));
    stand.settle();
    assert_eq!(indexed(&stand), last(&mut stand));
    // All is indexed, so that nobody waits for it.
    say(&mut stand, ana);
    let before = indexed(&stand);
    stand.settle();
    assert_eq!(indexed(&stand), before);
}

#[tokio::test(start_paused = true)]
async fn what_was_indexed_with_a_group_that_was_undone_is_indexed_later() {
    let (mut stand, ana) = hub();
    stand.desk().index_along();
    stand.desk().undo(&Broken::Bug);
    let before = indexed(&stand);
    say(&mut stand, ana);
    stand.settle();
    assert!(indexed(&stand) > before);
}
