//! What an account is given of what it did.

use super::{limits, stand::Stand};
use crate::{
    desk::{Chore, Order},
    limits::Limits,
    model::{Access, AccountId, Act, Deed, Kind, Seq},
    protocol::{Answer, Ask, Code, Event, Place, Told},
};

/// A hub where ana is, and bob, both in a room.
fn hub(limits: Limits) -> (Stand, [AccountId; 2]) {
    let mut stand = Stand::new(limits);
    (0..2).for_each(|guest| assert_eq!(stand.connect(), guest));
    stand.register((0, 1), "ana");
    stand.register((1, 1), "bob");
    stand.settle();
    let who = ["ana", "bob"].map(|name| stand.desk().state.account_named(name).unwrap());
    for (guest, who) in who.into_iter().enumerate() {
        stand.ask((guest, 2), who, Ask::Join { room: lab() });
        stand.settle();
    }
    (0..2).for_each(|guest| drop(stand.told(guest)));
    (stand, who)
}

fn lab() -> Place {
    Place::Room("#lab".into())
}

fn say(body: &str) -> Ask {
    Ask::Message { to: lab(), body: body.into(), kind: Kind::Text, reply: None, cid: None }
}

/// What ana is given of what she did behind an entry, up to where that goes, and whether there is more.
fn exported(stand: &mut Stand, ana: AccountId, after: Option<Seq>) -> (Vec<String>, Seq, bool) {
    stand.ask((0, 9), ana, Ask::Export { after });
    stand.settle();
    let told = stand.told(0);
    let exported = told.into_iter().find_map(|told| match told {
        Told::Answer { re: Some(9), answer: Ok(Answer::Exported { events, upto, more }) } => {
            Some((events, upto, more))
        }
        _ => None,
    });
    let (events, upto, more) = exported.expect("an answer");
    let name = |event: Event| match event {
        Event::Message { body, .. } => body.unwrap_or_default(),
        Event::Create(at) => format!("made {}", at.room),
        Event::Edit { body, .. } => body,
        other => format!("{other:?}"),
    };
    (events.into_iter().map(name).collect(), upto, more)
}

#[tokio::test(start_paused = true)]
async fn an_account_is_given_what_it_did_and_nothing_that_others_did() {
    let (mut stand, [ana, bob]) = hub(limits());
    stand.ask((1, 3), bob, say("not hers"));
    stand.ask((0, 3), ana, say("helo"));
    stand.settle();
    let said = stand.desk().state.last;
    stand.ask((1, 4), bob, say("nor this"));
    stand.ask((0, 4), ana, Ask::Edit { room: lab(), seq: said, body: "hello".into(), cid: None });
    stand.settle();
    let last = stand.desk().state.last;
    let all = exported(&mut stand, ana, None);
    assert_eq!(all, (vec!["made #lab".into(), "helo".into(), "hello".into()], last, false));
    let rest = exported(&mut stand, ana, Some(said));
    assert_eq!(rest, (vec!["hello".into()], last, false));
    assert_eq!(exported(&mut stand, ana, Some(last)), (vec![], last, false));
    let beyond = Some(Seq(u64::MAX));
    assert_eq!(exported(&mut stand, ana, beyond), (vec![], last, false));
}

#[tokio::test(start_paused = true)]
async fn who_did_much_is_given_it_in_pages() {
    let (mut stand, [ana, _]) = hub(limits());
    for number in 0..205 {
        stand.ask((0, 3), ana, say(&number.to_string()));
    }
    stand.settle();
    let (first, upto, more) = exported(&mut stand, ana, None);
    // And that she has an account is no event.
    assert_eq!((first.len(), more), (199, true));
    let (rest, _, more) = exported(&mut stand, ana, Some(upto));
    assert_eq!((rest.first().cloned(), rest.len(), more), (Some("198".to_owned()), 7, false));
}

#[tokio::test(start_paused = true)]
async fn places_that_are_empty_for_a_copy_was_put_back_are_passed_over() {
    let (mut stand, [ana, _]) = hub(limits());
    stand.restart_with_a_copy();
    stand.connect();
    stand.be(0, ana);
    let last = stand.desk().state.last;
    assert_eq!(exported(&mut stand, ana, None), (vec!["made #lab".into()], last, false));
    stand.ask((0, 3), ana, say("on"));
    stand.settle();
    drop(stand.told(0));
    let (first, upto, more) = exported(&mut stand, ana, None);
    assert_eq!((first, upto, more), (vec!["made #lab".into()], last, true));
    let (rest, upto, more) = exported(&mut stand, ana, Some(upto));
    assert_eq!((rest, upto, more), (vec!["on".into()], Seq(last.0 + 1), false));
}

#[tokio::test(start_paused = true)]
async fn who_wants_page_after_page_waits_in_between() {
    let limits = Limits { lookups_a_second: 100, ..limits() };
    let (mut stand, [ana, _]) = hub(limits);
    for number in 0..30 {
        stand.ask((0, 3), ana, Ask::Export { after: None });
        // Of one account so many wait at most.
        if number % 6 == 5 {
            stand.settle();
        }
    }
    let told = stand.told(0);
    let is_put_off = |told: &&Told| matches!(told, Told::Answer { answer: Err(refusal), .. } if refusal.code == Code::RateLimited);
    assert_eq!((told.len(), told.iter().filter(is_put_off).count()), (30, 10));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_given_what_the_hub_did() {
    let (mut stand, [ana, _]) = hub(limits());
    let (done, mut said) = tokio::sync::oneshot::channel();
    let chore = Chore::Retain { room: "#lab".to_owned(), days: Some(8) };
    stand.desk().obey(Order::Run { chore, done });
    stand.settle();
    said.try_recv().unwrap().unwrap();
    assert_eq!(exported(&mut stand, ana, None).0, ["made #lab"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_given_what_earlier_versions_did_in_their_name_in_a_private_room_of_others() {
    let (mut stand, [ana, bob]) = hub(limits());
    let (room, access) = ("#den".to_owned(), Access::Private);
    stand.ask((1, 3), bob, Ask::Create { room, access, topic: None });
    stand.settle();
    // In the name of ana, who administers.
    for (room, days) in [("#den", 7), ("#lab", 8)] {
        let room = stand.desk().state.room_named(room).unwrap();
        let deed = Deed::In { room, act: Act::Retain { days: Some(days) } };
        stand.desk().put_down(ana, None, deed).unwrap();
        stand.settle();
    }
    let (events, ..) = exported(&mut stand, ana, None);
    assert_eq!((events.len(), events[0].as_str()), (2, "made #lab"), "{events:?}");
    assert!(events[1].contains("#lab") && events[1].contains('8'), "{events:?}");
}
