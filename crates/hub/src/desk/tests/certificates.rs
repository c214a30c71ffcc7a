//! Who has which certificate, and what it is called.

use super::{limits, stand, stand::Stand};
use crate::{
    desk::{Entrance, Order, Proof},
    model::{AccountId, Millis},
    proof::TokenHash,
    protocol::{Answer, Ask, Code, Told},
};

/// A hub where ana is, and bob. Gives who they are.
fn hub() -> (Stand, [AccountId; 2]) {
    let mut stand = Stand::new(limits());
    (0..4).for_each(|guest| assert_eq!(stand.connect(), guest));
    stand.register((0, 1), "ana");
    stand.register((1, 1), "bob");
    stand.settle();
    (0..2).for_each(|guest| drop(stand.told(guest)));
    let who = ["ana", "bob"].map(|name| stand.desk().state.account_named(name).unwrap());
    (stand, who)
}

/// A fingerprint that ends so.
fn fingerprint(last: u8) -> TokenHash {
    let mut fingerprint = TokenHash([7; 32]);
    fingerprint.0[31] = last;
    fingerprint
}

/// A client has shown a certificate, and wants it to be its account's. Gives what it is refused for.
fn certify(
    stand: &mut Stand,
    (guest, account): (usize, AccountId),
    fingerprint: TokenHash,
) -> Option<Code> {
    let (client, name) = (stand.client(guest), "laptop".to_owned());
    stand.desk().obey(Order::Certify { client, account, re: Some(2), name, fingerprint });
    stand.settle();
    refused(stand, guest)
}

fn refused(stand: &Stand, guest: usize) -> Option<Code> {
    let told = stand.told(guest);
    let answer = told.iter().find_map(|told| match told {
        Told::Answer { answer, .. } => Some(answer),
        Told::Event(_) => None,
    });
    answer.expect("an answer").as_ref().err().map(|refusal| refusal.code)
}

/// A client shows a certificate to log in.
fn enter(stand: &mut Stand, guest: usize, fingerprint: TokenHash) -> Option<Code> {
    let (entered, _) = tokio::sync::oneshot::channel();
    let entry = Entrance { proof: Proof::Certificate(fingerprint), resume: None };
    let client = stand.client(guest);
    stand.desk().obey(Order::Enter { client, re: Some(3), entry, entered });
    stand.settle();
    refused(stand, guest)
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_one_accounts_until_it_is_revoked() {
    let (mut stand, [ana, bob]) = hub();
    assert_eq!(enter(&mut stand, 2, fingerprint(1)), Some(Code::BadCredentials));
    assert_eq!(certify(&mut stand, (0, ana), fingerprint(1)), None);
    assert_eq!(certify(&mut stand, (0, ana), fingerprint(1)), None, "known already");
    assert_eq!(certify(&mut stand, (1, bob), fingerprint(1)), Some(Code::Forbidden));
    assert_eq!(enter(&mut stand, 2, fingerprint(1)), None);
    assert_eq!(stand.desk().online[&ana], 2);
    let session = fingerprint(1).session();
    stand.ask((0, 4), ana, Ask::Revoke { session });
    stand.settle();
    drop(stand.told(0));
    assert_eq!(stand.desk().online[&ana], 1, "who came by it was sent away");
    assert_eq!(enter(&mut stand, 3, fingerprint(1)), Some(Code::BadCredentials));
    assert_eq!(certify(&mut stand, (1, bob), fingerprint(1)), None);
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_was_made_to_be_called_as_another_is_refused_and_nothing_else() {
    let (mut stand, [ana, bob]) = hub();
    assert_eq!(certify(&mut stand, (0, ana), fingerprint(1)), None);
    assert_eq!(fingerprint(1).session(), fingerprint(2).session());
    stand.ask((1, 5), bob, Ask::Join { room: crate::protocol::Place::Room("#lab".into()) });
    assert_eq!(certify(&mut stand, (0, ana), fingerprint(2)), Some(Code::TooMany));
    let joined = stand.told(1);
    let is_joined =
        |told: &Told| matches!(told, Told::Answer { answer: Ok(Answer::Joined(_)), .. });
    assert!(joined.iter().any(is_joined), "what was asked with it is done: {joined:?}");
    assert_eq!(certify(&mut stand, (1, bob), fingerprint(2)), None, "bob has none called so");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_was_revoked_while_the_disk_took_nothing_is_nobodys_until_that_is_written()
 {
    let (mut stand, [ana, bob]) = hub();
    assert_eq!(certify(&mut stand, (0, ana), fingerprint(1)), None);
    stand.rename(("hub.db", "away.db"));
    stand.ask((0, 4), ana, Ask::Revoke { session: fingerprint(1).session() });
    stand.settle();
    drop(stand.told(0));
    stand.rename(("away.db", "hub.db"));
    stand.be(2, bob);
    for (guest, who, last) in [(0, ana, 1), (1, bob, 1), (0, ana, 2)] {
        // It has the same name, if it is another.
        stand.ask((2, 5), bob, Ask::Join { room: crate::protocol::Place::Room("#lab".into()) });
        let code = certify(&mut stand, (guest, who), fingerprint(last));
        assert_eq!(code, Some(Code::Unavailable));
        assert_eq!(refused(&stand, 2), None, "what was asked with it is done");
    }
    stand::set_clock(Millis(2000));
    stand.keep_up();
    assert_eq!(certify(&mut stand, (1, bob), fingerprint(1)), None);
    assert_eq!(certify(&mut stand, (0, ana), fingerprint(2)), None);
}
