//! How much there may be of what an account makes, and who runs the hub.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{limits, stand::Stand};
use crate::{
    desk::{Chore, NewDevice, Order},
    model::{AccountId, Millis},
    proof::TokenHash,
    protocol::{Answer, Ask, Code, Place, Secret, Told},
    store::Invitation,
};

/// A hub where ana is in `#lab`, which she made.
fn hub() -> (Stand, AccountId) {
    let mut stand = Stand::new(limits());
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
        let token = Secret(String::new());
        let hook = NewDevice { name, session, token, hash: TokenHash(hash(number)) };
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
