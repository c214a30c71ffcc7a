//! What becomes of a hub whose clock is a year ahead for a while.

use std::time::Duration;

use super::{limits, stand, stand::Stand};
use crate::{
    limits::Limits,
    model::{AccountId, Deed, Kind, Millis, Quiet, Wish},
    protocol::{Answer, Ask, Code, Page, Place, Told},
};

const HOUR: u64 = 3600 * 1000;
const YEAR: u64 = 365 * 24 * HOUR;

fn lab() -> Place {
    Place::Room("#lab".to_owned())
}

fn say(body: &str) -> Ask {
    Ask::Message { to: lab(), body: body.to_owned(), kind: Kind::Text, reply: None, cid: None }
}

/// A hub at `YEAR` where ana, who may do all, and bob are in a room.
fn hub() -> (Stand, AccountId, AccountId) {
    let (burst, messages_a_second) = (4, 1);
    let mut stand = Stand::new(Limits { burst, messages_a_second, ..limits() });
    stand::set_clock(Millis(YEAR));
    let [ana, bob] = ["ana", "bob"].map(|name| {
        let guest = stand.connect();
        stand.register((guest, 1), name);
        stand.settle();
        let who = stand.desk().state.account_named(name).unwrap();
        stand.ask((guest, 2), who, Ask::Join { room: lab() });
        stand.settle();
        who
    });
    (stand, ana, bob)
}

/// What a client was refused for, or that it was not, answer by answer.
fn codes(stand: &mut Stand, guest: usize) -> Vec<Option<Code>> {
    stand.settle();
    let code = |told: Told| match told {
        Told::Answer { answer, .. } => Some(answer.err().map(|refusal| refusal.code)),
        Told::Event(_) => None,
    };
    stand.told(guest).into_iter().filter_map(code).collect()
}

fn said(stand: &mut Stand, ana: AccountId) -> usize {
    drop(stand.told(0));
    stand.be(0, ana);
    stand.ask(
        (0, 9),
        ana,
        Ask::History { room: lab(), page: Page::Latest, limit: None, messages: None },
    );
    stand.settle();
    let told = stand.told(0);
    let [Told::Answer { answer: Ok(Answer::Page { events, .. }), .. }] = &told[..] else {
        panic!("no page: {told:?}");
    };
    let is_said =
        |event: &&crate::protocol::Event| matches!(event, crate::protocol::Event::Message { .. });
    events.iter().filter(is_said).count()
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_clock_that_was_a_year_ahead_to_be_there_again() {
    let (mut stand, ana, bob) = hub();
    stand.ask((0, 3), ana, Ask::Slow { room: lab(), seconds: 60 });
    drop(codes(&mut stand, 1));
    stand::set_clock(Millis(2 * YEAR));
    stand.ask((1, 3), bob, say("then"));
    stand.ask((1, 4), bob, say("then"));
    // At once, as often as may be, and once more.
    (0..5).for_each(|re| stand.ask((0, re), ana, say("then")));
    assert_eq!(codes(&mut stand, 1), [None, Some(Code::RateLimited)]);
    stand::set_clock(Millis(YEAR + 5000));
    stand.ask((1, 5), bob, say("now"));
    stand.ask((1, 6), bob, say("now"));
    assert_eq!(codes(&mut stand, 1), [None, Some(Code::RateLimited)]);
    drop(codes(&mut stand, 0));
    stand::set_clock(Millis(YEAR + 10_000));
    stand.ask((0, 6), ana, say("now"));
    assert_eq!(codes(&mut stand, 0), [None]);
    let at = stand.desk().last_at;
    assert_eq!(at, Millis(YEAR + 10_000));
}

#[tokio::test(start_paused = true)]
async fn what_is_old_by_a_clock_that_jumped_is_not_deleted_for_an_hour() {
    let (mut stand, ana, _) = hub();
    stand.ask((0, 3), ana, Ask::Retain { room: lab(), days: Some(30) });
    stand.ask((0, 4), ana, say("dear"));
    stand.settle();
    let mut keep_up = |ms: u64| {
        stand::set_clock(Millis(ms));
        (0..20).for_each(|_| stand.keep_up());
        said(&mut stand, ana)
    };
    assert_eq!(keep_up(YEAR + 1), 1);
    assert_eq!(keep_up(2 * YEAR), 1, "it jumped");
    tokio::time::advance(Duration::from_mins(59)).await;
    assert_eq!(keep_up(2 * YEAR + HOUR - 60_000), 1);
    // It was right after all.
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(keep_up(2 * YEAR + HOUR), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_done_now_and_then_is_done_after_the_clock_was_set_back() {
    let (mut stand, ana, _) = hub();
    stand.ask((0, 3), ana, Ask::Retain { room: lab(), days: Some(30) });
    stand.ask((0, 4), ana, say("old"));
    stand.settle();
    stand::set_clock(Millis(9 * YEAR));
    (0..3).for_each(|_| stand.keep_up());
    tokio::time::advance(Duration::from_hours(2)).await;
    for (ms, left) in [(YEAR + 2 * HOUR, 1), (YEAR + 31 * 24 * HOUR, 1)] {
        stand::set_clock(Millis(ms));
        (0..3).for_each(|_| stand.keep_up());
        assert_eq!(said(&mut stand, ana), left);
    }
    tokio::time::advance(Duration::from_hours(1)).await;
    stand::set_clock(Millis(YEAR + 31 * 24 * HOUR + HOUR));
    (0..3).for_each(|_| stand.keep_up());
    assert_eq!(said(&mut stand, ana), 0);
}

#[tokio::test(start_paused = true)]
async fn who_was_logged_out_where_the_disk_took_nothing_is_out_for_good_after_the_clock_was_set_back()
 {
    let (mut stand, ana, _) = hub();
    let guest = stand.connect();
    let session = stand.enter((guest, 1), ana, (None, None));
    stand.settle();
    stand.leave(guest);
    stand::set_clock(Millis(2 * YEAR));
    stand.enter((guest, 2), ana, (Some(session.clone()), None));
    stand.settle();
    stand.keep_up();
    stand::set_clock(Millis(YEAR + 5000));
    stand.rename(("hub.db", "away.db"));
    stand.ask((0, 3), ana, Ask::Revoke { session });
    stand.settle();
    stand.rename(("away.db", "hub.db"));
    assert_eq!(stand.desk().store.sessions(ana).unwrap().len(), 2);
    stand.keep_up();
    assert_eq!(stand.desk().store.sessions(ana).unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_starts_while_the_date_is_wrong_deletes_nothing_for_an_hour() {
    let (mut stand, ana, _) = hub();
    stand.ask((0, 3), ana, Ask::Retain { room: lab(), days: Some(30) });
    stand.ask((0, 4), ana, say("dear"));
    stand.settle();
    stand::set_clock(Millis(2 * YEAR));
    stand.restart();
    stand.connect();
    let mut keep_up = |ms: u64| {
        stand::set_clock(Millis(ms));
        (0..20).for_each(|_| stand.keep_up());
        said(&mut stand, ana)
    };
    assert_eq!(keep_up(2 * YEAR), 1);
    tokio::time::advance(Duration::from_mins(59)).await;
    assert_eq!(keep_up(2 * YEAR + HOUR - 60_000), 1);
    // It was right after all.
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(keep_up(2 * YEAR + HOUR), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_is_started_twice_while_the_date_is_wrong_deletes_nothing_for_an_hour() {
    let (mut stand, ana, _) = hub();
    stand.ask((0, 3), ana, Ask::Retain { room: lab(), days: Some(30) });
    stand.ask((0, 4), ana, say("dear"));
    stand.settle();
    stand.keep_up();
    for minutes in [0, 50, 100] {
        stand::set_clock(Millis(2 * YEAR + minutes * 60_000));
        stand.restart();
        stand.connect();
        stand.be(0, ana);
        // What is written now is as wrong as the date is.
        stand.ask((0, 5), ana, say("later"));
        stand.settle();
        (0..20).for_each(|_| stand.keep_up());
        tokio::time::advance(Duration::from_mins(50)).await;
        stand::set_clock(Millis(2 * YEAR + (minutes + 50) * 60_000));
        (0..20).for_each(|_| stand.keep_up());
    }
    assert_eq!(said(&mut stand, ana), 4);
    // It was right after all.
    tokio::time::advance(Duration::from_mins(10)).await;
    stand::set_clock(Millis(2 * YEAR + 160 * 60_000));
    (0..20).for_each(|_| stand.keep_up());
    assert_eq!(said(&mut stand, ana), 3);
}

fn mute(seconds: u64) -> Ask {
    Ask::Mute { room: lab(), user: "bob".to_owned(), on: true, seconds: Some(seconds) }
}

fn ban(seconds: u64) -> Ask {
    let (room, user) = (lab(), "eve".to_owned());
    Ask::Ban { room, user, seconds: Some(seconds), reason: None }
}

/// A hub where ana muted bob, banned eve and is not to be disturbed, each for so many seconds, by a clock that
/// was a year ahead, and was set back then.
fn hub_set_back(seconds: u64) -> (Stand, [AccountId; 3]) {
    let (mut stand, ana, bob) = hub();
    let guest = stand.connect();
    stand.register((guest, 1), "eve");
    stand.settle();
    let eve = stand.desk().state.account_named("eve").unwrap();
    stand::set_clock(Millis(2 * YEAR));
    stand.ask((0, 3), ana, mute(seconds));
    stand.ask((0, 4), ana, ban(seconds));
    stand.ask((0, 5), ana, Ask::Quiet { on: true, seconds: Some(seconds) });
    stand.settle();
    stand::set_clock(Millis(YEAR + 5000));
    (stand, [ana, bob, eve])
}

/// Whether bob is muted, eve is banned, and ana is not to be disturbed.
fn hold(stand: &mut Stand, [ana, bob, eve]: [AccountId; 3]) -> [bool; 3] {
    let now = stand.desk().now();
    let state = &stand.desk().state;
    let room = state.room(state.room_named("#lab").unwrap());
    let is_muted = room.standing(bob).voice.is_muted(now);
    [is_muted, room.is_banned(eve, now), state.account(ana).wishes.quiet.holds(now)]
}

/// An hour goes by.
async fn in_an_hour(stand: &mut Stand) {
    stand.keep_up();
    tokio::time::advance(Duration::from_hours(1)).await;
    stand::set_clock(Millis(YEAR + HOUR + 5000));
    stand.keep_up();
    stand.settle();
}

#[tokio::test(start_paused = true)]
async fn what_was_to_end_soon_by_a_clock_that_was_ahead_is_over_an_hour_after_it_was_set_back() {
    let (mut stand, who) = hub_set_back(60);
    assert_eq!(hold(&mut stand, who), [true; 3]);
    in_an_hour(&mut stand).await;
    assert_eq!(hold(&mut stand, who), [false; 3]);
}

#[tokio::test(start_paused = true)]
async fn what_was_to_last_for_long_by_a_clock_that_was_ahead_lasts_as_long_from_when_it_was_set_back()
 {
    let (mut stand, who) = hub_set_back(7200);
    let [ana, ..] = who;
    // Also where another process was set back, and something was written since.
    stand.ask((0, 6), ana, say("now"));
    stand.settle();
    stand.restart();
    in_an_hour(&mut stand).await;
    assert_eq!(hold(&mut stand, who), [true; 3]);
    let end = YEAR + 7_200_000 + 5000;
    for (now, expect) in [(end - 1, [true; 3]), (end, [false; 3])] {
        stand::set_clock(Millis(now));
        assert_eq!(hold(&mut stand, who), expect);
    }
    // And nothing is written for it again.
    let last = stand.desk().state.last;
    tokio::time::advance(Duration::from_hours(1)).await;
    stand::set_clock(Millis(YEAR + 3 * HOUR));
    (0..3).for_each(|_| stand.keep_up());
    assert_eq!(stand.desk().state.last, last);
}

#[tokio::test(start_paused = true)]
async fn who_was_allowed_to_speak_meanwhile_is_not_muted_again() {
    let (mut stand, [ana, bob, eve]) = hub_set_back(7200);
    stand.ask((0, 6), ana, Ask::Mute { room: lab(), user: "bob".into(), on: false, seconds: None });
    stand.ask((0, 7), ana, Ask::Unban { room: lab(), user: "eve".into() });
    stand.settle();
    in_an_hour(&mut stand).await;
    assert_eq!(hold(&mut stand, [ana, bob, eve]), [false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn of_much_that_was_to_end_by_a_clock_that_was_ahead_a_part_at_a_time_is_mended() {
    let (mut stand, ..) = hub();
    stand::set_clock(Millis(2 * YEAR));
    let quiet = Quiet::Until(Millis(2 * YEAR + 7_200_000));
    for number in 0..300 {
        let desk = stand.desk();
        let who = AccountId(desk.next());
        desk.put_down(who, None, Deed::Register { name: format!("eve{number}") }).unwrap();
        desk.put_down(who, None, Deed::Wish(Wish::Quiet(quiet))).unwrap();
    }
    stand.settle();
    stand::set_clock(Millis(YEAR + 5000));
    let before = stand.desk().state.last.0;
    in_an_hour(&mut stand).await;
    let mut mended = vec![stand.desk().state.last.0 - before];
    for seconds in [6, 66, 67, 127] {
        stand::set_clock(Millis(YEAR + HOUR + seconds * 1000));
        (0..2).for_each(|_| stand.keep_up());
        mended.push(stand.desk().state.last.0 - before);
    }
    assert_eq!(mended, [256, 300, 300, 300, 300]);
    assert_eq!(stand.desk().time.set_back_to(tokio::time::Instant::now()), None, "all is mended");
}
