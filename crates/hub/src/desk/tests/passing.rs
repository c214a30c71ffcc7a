//! Devices of who types: they last while they are connected, and take no other's place.

use super::{limits, stand::Stand};
use crate::{
    limits::Limits,
    model::AccountId,
    protocol::{Answer, Ask, Code, Event, Told},
};

/// How many devices ana may have.
const DEVICES_MAX: usize = 3;

/// A hub where ana has as many devices as may be: `s00001`, which is connected, and others, which are not.
fn hub() -> (Stand, AccountId) {
    let mut stand = Stand::new(Limits { devices_an_account_max: DEVICES_MAX, ..limits() });
    (0..3).for_each(|guest| assert_eq!(stand.connect(), guest));
    stand.register((0, 1), "ana");
    let ana = stand.desk().state.account_named("ana").unwrap();
    for _ in 1..DEVICES_MAX {
        stand.enter((1, 1), ana, (None, None));
        stand.leave(1);
    }
    stand.settle();
    (0..2).for_each(|guest| drop(stand.told(guest)));
    (stand, ana)
}

/// What devices ana's first client is told of.
fn listed(stand: &mut Stand, ana: AccountId) -> Vec<String> {
    stand.ask((0, 9), ana, Ask::Sessions);
    stand.settle();
    let is_list = |told| match told {
        Told::Answer { answer: Ok(Answer::Sessions(listed)), .. } => Some(listed),
        _ => None,
    };
    let listed = stand.told(0).into_iter().find_map(is_list).expect("a list");
    listed.into_iter().map(|(_, session, ..)| session).collect()
}

/// What devices the store has.
fn kept(stand: &mut Stand, ana: AccountId) -> Vec<String> {
    let kept = stand.desk().store.sessions(ana).unwrap().into_iter();
    kept.map(|session| session.name).collect()
}

const DEVICES: [&str; DEVICES_MAX] = ["s00001", "s00002", "s00003"];

#[tokio::test(start_paused = true)]
async fn who_types_seventy_times_leaves_no_device_and_takes_no_other_s_place() {
    let (mut stand, ana) = hub();
    for _ in 0..70 {
        let typed = stand.type_in((1, 1), ana);
        stand.settle();
        assert_eq!(listed(&mut stand, ana), [&DEVICES[..], &[&*typed]].concat());
        stand.leave(1);
        assert_eq!(listed(&mut stand, ana), DEVICES);
    }
    stand.enter((2, 1), ana, (Some("s00002".to_owned()), None));
    stand.settle();
    let told = stand.told(2);
    let is_in = |told: &Told| matches!(told, Told::Answer { answer: Ok(_), .. });
    assert!(told.iter().any(is_in), "{told:?}");
    stand.desk().write_devices_now().unwrap();
    assert_eq!(kept(&mut stand, ana), DEVICES);
}

#[tokio::test(start_paused = true)]
async fn who_types_is_told_no_token() {
    let (mut stand, ana) = hub();
    stand.type_in((1, 1), ana);
    stand.enter((2, 1), ana, (None, None));
    stand.settle();
    let token = |told: Vec<Told>| {
        told.into_iter().find_map(|told| match told {
            Told::Answer { answer: Ok(Answer::LoggedIn { token, .. }), .. } => Some(token),
            _ => None,
        })
    };
    assert!(token(stand.told(1)).expect("an answer").is_none());
    assert!(token(stand.told(2)).expect("an answer").is_some());
}

#[tokio::test(start_paused = true)]
async fn what_a_process_that_was_killed_left_of_who_typed_is_gone_at_the_next_start() {
    let (mut stand, ana) = hub();
    let typed = stand.type_in((1, 1), ana);
    stand.settle();
    assert!(kept(&mut stand, ana).contains(&typed));
    stand.restart();
    assert_eq!(kept(&mut stand, ana), DEVICES, "whoever looks at the store alone sees it, too");
}

#[tokio::test(start_paused = true)]
async fn while_the_disk_takes_nothing_who_typed_is_gone_all_the_same_and_that_is_written_later() {
    let (mut stand, ana) = hub();
    let typed = stand.type_in((1, 1), ana);
    stand.settle();
    stand.rename(("hub.db", "away.db"));
    stand.leave(1);
    stand.desk().write_devices_now().unwrap_err();
    assert_eq!(listed(&mut stand, ana), DEVICES);
    stand.rename(("away.db", "hub.db"));
    assert!(kept(&mut stand, ana).contains(&typed));
    stand.desk().write_devices_now().unwrap();
    assert_eq!(kept(&mut stand, ana), DEVICES);
}

#[tokio::test(start_paused = true)]
async fn who_types_can_be_logged_out_from_another_device() {
    let (mut stand, ana) = hub();
    let session = stand.type_in((1, 1), ana);
    stand.settle();
    drop(stand.told(1));
    stand.ask((0, 2), ana, Ask::Revoke { session });
    stand.settle();
    let told = stand.told(1);
    let is_out = |told: &Told| match told {
        Told::Event(Event::Bye(bye)) => bye.code == Code::SessionRevoked,
        _ => false,
    };
    assert!(told.iter().any(is_out), "{told:?}");
    assert_eq!(listed(&mut stand, ana), DEVICES);
    assert_eq!(kept(&mut stand, ana), DEVICES);
}
