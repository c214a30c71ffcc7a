//! What waits, and what is told at once.

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
async fn of_what_fits_in_part_the_rest_waits_before_all_else() {
    let ((outbox, mut there), mut told) = (wired().await, Vec::new());
    outbox.lend();
    // Of lengths that no buffer is a multiple of.
    for number in 0..100_000 {
        let one = typing(&"x".repeat(1 + number % 977));
        told.extend_from_slice(&one.json);
        assert_eq!(outbox.push_at_once(&one), Pushed::Taken);
        if outbox.told_at_once() < told.len() as u64 {
            break;
        }
    }
    outbox.push_at_once(&typing("last"));
    told.extend_from_slice(&typing("last").json);
    let mut waits = VecDeque::new();
    _ = outbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut waits);
    let mut heard = vec![0; usize::try_from(outbox.told_at_once()).unwrap()];
    there.read_exact(&mut heard).await.unwrap();
    for spoken in waits {
        heard.extend_from_slice(&spoken.json);
    }
    assert!(heard == told, "{} of {} bytes, or others", heard.len(), told.len());
}
