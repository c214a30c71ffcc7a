//! Who hears events by datagrams, and who did before.

use tokio::sync::oneshot;

use super::{limits, stand::Stand};
use crate::{
    desk::{Order, Waking},
    model::{AccountId, Kind},
    protocol::{Ask, Event, EventsBy, Place, Told},
};

fn room(name: &str) -> Place {
    Place::Room(name.to_owned())
}

fn say(name: &str) -> Ask {
    Ask::Message { to: room(name), body: name.into(), kind: Kind::Text, reply: None, cid: None }
}

/// Which messages a client heard.
fn heard(stand: &Stand, guest: usize) -> Vec<String> {
    let body = |told| match told {
        Told::Event(Event::Message { body, .. }) => body,
        _ => None,
    };
    stand.told(guest).into_iter().filter_map(body).collect()
}

/// Has a client hear the events of `account` by datagrams in the place of another.
fn wake(stand: &mut Stand, guest: usize, (account, session, from): (AccountId, &str, usize)) {
    let (woken, mut told) = oneshot::channel();
    let (session, from) = (session.to_owned(), stand.client(from));
    let waking = Waking { account, session, events: EventsBy::Udp, from };
    let client = stand.client(guest);
    stand.desk().obey(Order::Wake { client, waking, woken });
    told.try_recv().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_is_somebody_else_by_now_hears_nothing_that_was_heard_by_datagrams_before() {
    let mut stand = Stand::new(limits());
    let people = ["ana", "bob"].map(|name| {
        let guest = stand.connect();
        let session = stand.register((guest, 1), name);
        stand.settle();
        let who = stand.desk().state.account_named(name).unwrap();
        stand.ask((guest, 2), who, Ask::Join { room: room(&format!("#{name}")) });
        stand.settle();
        (who, session)
    });
    let [(ana, its), (bob, bobs)] = people;
    let (call, datagrams) = (stand.connect(), stand.connect());
    stand.enter((call, 1), ana, (Some(its.clone()), None));
    stand.settle();
    wake(&mut stand, datagrams, (ana, &its, call));
    // All of it comes at once.
    stand.ask((call, 2), ana, Ask::Revoke { session: its });
    stand.leave(call);
    stand.enter((call, 3), bob, (Some(bobs), None));
    stand.settle();
    (0..4).for_each(|guest| drop(stand.told(guest)));
    let back = stand.connect();
    stand.enter((back, 1), ana, (None, None));
    stand.settle();
    stand.ask((back, 2), ana, say("#ana"));
    stand.ask((1, 3), bob, say("#bob"));
    stand.settle();
    assert_eq!(heard(&stand, call), ["#bob"]);
    assert_eq!(heard(&stand, datagrams), <[&str; 0]>::default());
}
