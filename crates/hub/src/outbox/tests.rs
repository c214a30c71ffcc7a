//! What waits, and what is told at once.

use std::future::poll_fn;

use relais_net::Stream;
use tokio::{io::AsyncReadExt as _, net::UnixStream};

use super::*;
use crate::protocol::{Answer, Place};

fn typing(user: &str) -> Arc<Spoken> {
    let room = Place::Room("#lab".into());
    Spoken::new(Told::Event(Event::Typing { room, user: user.into(), on: true }))
}

#[test]
fn older_events_go_before_those_that_are_held_back() {
    let outbox = Outbox::new(1 << 16);
    outbox.hold();
    outbox.hold();
    assert_eq!(outbox.push(&typing("new")), Pushed::Taken);
    outbox.release();
    assert_eq!(take(&outbox), None);
    outbox.push_anyway(&typing("old"));
    outbox.push_anyway(&typing("old"));
    assert_eq!(take(&outbox), Some(2));
    outbox.release();
    assert_eq!(outbox.push(&typing("newer")), Pushed::Taken);
    assert_eq!(take(&outbox), Some(2));
}

fn take(outbox: &Outbox) -> Option<usize> {
    let mut taken = VecDeque::new();
    let polled = outbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut taken);
    polled.is_ready().then_some(taken.len())
}

#[test]
fn what_waits_is_taken_at_once_and_in_its_order() {
    let outbox = Outbox::new(1 << 16);
    assert_eq!(take(&outbox), None);
    for user in ["ana", "bob"] {
        assert_eq!(outbox.push(&typing(user)), Pushed::Taken);
    }
    assert_eq!((take(&outbox), take(&outbox)), (Some(2), None));
}

#[test]
fn who_takes_nothing_gets_no_more_events_but_its_answers() {
    let one = typing("ana");
    let outbox = Outbox::new(one.json.len() * 2);
    assert_eq!([(); 3].map(|()| outbox.push(&one)), [Pushed::Taken, Pushed::Taken, Pushed::Full]);
    let answer = Told::Answer { re: Some(1), answer: Ok(Answer::Done) };
    outbox.push_anyway(&Spoken::new(answer));
    assert_eq!(take(&outbox), Some(3));
    assert_eq!(outbox.push(&one), Pushed::Taken);
}

/// An outbox on a wire, and its other end. The wire is known to take something.
async fn wired() -> (Arc<Outbox>, UnixStream) {
    let (here, there) = UnixStream::pair().unwrap();
    here.writable().await.unwrap();
    (Outbox::on(Some(Wire::new(Stream::Unix(here))), 1 << 20), there)
}

#[tokio::test]
async fn what_is_told_at_once_is_on_the_wire_and_wakes_nobody() {
    let ((outbox, mut there), one) = (wired().await, typing("ana"));
    assert_eq!(outbox.push_at_once(&one), Pushed::Taken);
    assert_eq!(take(&outbox), Some(1), "its session did not lend the wire");
    outbox.lend();
    assert_eq!(outbox.push_at_once(&one), Pushed::Taken);
    assert_eq!((take(&outbox), outbox.told_at_once()), (None, one.json.len() as u64));
    let mut heard = vec![0; one.json.len()];
    there.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, one.json);
    outbox.have_back();
    assert_eq!(outbox.push_at_once(&one), Pushed::Taken);
    assert_eq!((take(&outbox), outbox.told_at_once()), (Some(1), one.json.len() as u64));
}

#[tokio::test]
async fn nothing_overtakes_what_waits_or_is_held_back() {
    let ((outbox, _there), one) = (wired().await, typing("ana"));
    outbox.lend();
    outbox.hold();
    outbox.push_at_once(&one);
    outbox.release();
    outbox.push_at_once(&one);
    assert_eq!((take(&outbox), outbox.told_at_once()), (Some(2), 0));
}

#[tokio::test]
async fn of_what_fits_in_part_the_rest_goes_before_all_else_whoever_tells_that() {
    let ((outbox, mut there), mut told) = (wired().await, Vec::new());
    let wire = outbox.wire.as_ref().unwrap();
    outbox.lend();
    // More than a socket takes.
    let long = typing(&"x".repeat(8 << 20));
    told.extend_from_slice(&long.json);
    assert_eq!(outbox.push_at_once(&long), Pushed::Taken);
    assert!(wire.has_begun());
    assert_eq!(outbox.told_at_once(), told.len() as u64);
    assert_eq!(take(&outbox), Some(0), "its session is woken to tell the rest");
    assert_eq!(take(&outbox), None, "once");
    // It lends the wire again before it did.
    outbox.lend();
    let last = typing("last");
    assert_eq!(outbox.push_at_once(&last), Pushed::Taken);
    assert_eq!(take(&outbox), Some(1), "nothing goes past the rest");
    // What it says itself, as an answer to a ping.
    told.extend_from_slice(b"own\n");
    let telling = async {
        let mut own: &[u8] = b"own\n";
        poll_fn(|cx| wire.poll_tell(cx, &mut own)).await.unwrap();
    };
    let mut heard = vec![0; told.len()];
    let ((), heard_all) = tokio::join!(telling, there.read_exact(&mut heard));
    heard_all.unwrap();
    assert!(heard == told, "{} bytes, or others", told.len());
    assert!(!wire.has_begun());
}
