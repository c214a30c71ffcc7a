//! The table alone: who is admitted, who makes room, who is forgotten.

use std::{net::SocketAddr, sync::Arc};

use relais_net::Room;

use super::{super::places::Place, *};

const IDLE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

fn sender(port: u16) -> Sender {
    sender_of(1, port)
}

fn sender_of(client: u8, port: u16) -> Sender {
    let at = Some([127, 0, 0, 1].into());
    Sender { from: SocketAddr::from(([192, 0, 2, client], port)), at }
}

/// A sender, and its place.
type Seat = (Sender, Place);

fn table(senders_max: usize, senders_a_client_max: usize) -> Associations<Seat> {
    let limits = Limits { senders_max, senders_a_client_max, idle_max: IDLE };
    Associations::new(limits, Places::new(rooms(senders_max, senders_a_client_max)))
}

fn rooms(senders_max: usize, senders_a_client_max: usize) -> [Arc<Room>; 2] {
    let room = Room::shared_out(senders_max, senders_a_client_max);
    [Arc::new(room), Arc::new(Room::new(usize::MAX))]
}

/// Whose seat that is. It is given back.
fn of(seat: Option<Seat>) -> Option<Sender> {
    seat.map(|(sender, _)| sender)
}

/// As the service does it.
fn hear(table: &mut Associations<Seat>, sender: Sender, now: Instant) -> Verdict {
    let verdict = table.hear(sender, now);
    if verdict == Verdict::New {
        let place = table.sockets.take(sender.client());
        table.admit(sender, now, |_| (sender, place));
    }
    verdict
}

fn forget(table: &mut Associations<Seat>, now: Instant) -> Vec<u16> {
    std::iter::from_fn(|| table.forget(now)).map(|(sender, _)| sender.from.port()).collect()
}

#[test]
fn a_sender_is_known_until_both_sides_are_silent_for_too_long() {
    let (mut table, start) = (table(8, 8), Instant::now());
    assert_eq!(table.next_silence(), None);
    assert_eq!(hear(&mut table, sender(1), start), Verdict::New);
    assert_eq!(hear(&mut table, sender(1), start + IDLE / 4), Verdict::Known(0));
    table.renew(sender(1), 0, start + IDLE / 2);
    assert_eq!(forget(&mut table, start + IDLE), []);
    assert_eq!(table.next_silence(), Some(start + IDLE / 2 + IDLE));
    assert_eq!(forget(&mut table, start + IDLE / 2 + IDLE), [1]);
    table.renew(sender(1), 0, start + IDLE * 2);
    assert_eq!(table.next_silence(), None);
    assert_eq!(hear(&mut table, sender(1), start + IDLE * 2), Verdict::New);
    // Who had the place before is not who has it.
    table.renew(sender(2), 0, start + IDLE * 3);
    assert_eq!(table.next_silence(), Some(start + IDLE * 3));
}

#[test]
fn a_full_table_turns_new_senders_away_and_keeps_the_known() {
    let (mut table, now) = (table(1, 9), Instant::now());
    assert_eq!(hear(&mut table, sender(1), now), Verdict::New);
    assert_eq!(hear(&mut table, sender(2), now), Verdict::Full);
    assert_eq!(hear(&mut table, sender(1), now), Verdict::Known(0));
    assert_eq!(of(table.remove(sender(1))), Some(sender(1)));
    assert_eq!(of(table.remove(sender(1))), None);
    assert_eq!(hear(&mut table, sender(2), now), Verdict::New);
    assert_eq!(table.entries.len(), 1);
}

#[test]
fn who_never_was_answered_makes_room_after_a_second() {
    let (mut table, start) = (table(3, 9), Instant::now());
    for port in [1, 2, 3] {
        hear(&mut table, sender(port), start + SECOND * u32::from(port));
    }
    table.renew(sender(1), 0, start + SECOND * 3);
    assert_eq!(of(table.make_room(start + SECOND * 2)), None);
    assert_eq!(of(table.make_room(start + SECOND * 3)), Some(sender(2)));
    assert_eq!(hear(&mut table, sender(4), start + SECOND * 3), Verdict::New);
    assert_eq!(hear(&mut table, sender(5), start + SECOND * 3), Verdict::Full);
    assert_eq!(of(table.make_room(start + SECOND * 4)), Some(sender(3)));
    assert_eq!(of(table.make_room(start + SECOND * 4)), Some(sender(4)));
    assert_eq!(table.places.len(), 1);
}

#[test]
fn who_was_answered_and_said_no_more_makes_room_after_those_who_never_were() {
    for one_client in [false, true] {
        let (mut table, start) = (table(4, 9), Instant::now());
        let make_room = |table: &mut Associations<Seat>, second| {
            of(if one_client {
                table.make_room_of_client(sender(9), start + SECOND * second)
            } else {
                table.make_room(start + SECOND * second)
            })
        };
        for port in [1, 2, 3, 4] {
            hear(&mut table, sender(port), start);
        }
        for port in [1, 2, 3] {
            table.renew(sender(port), table.places[&sender(port)], start + SECOND);
        }
        // It goes on: its address is its own.
        hear(&mut table, sender(1), start + SECOND);
        assert_eq!(make_room(&mut table, 1), Some(sender(4)));
        assert_eq!(make_room(&mut table, 1), None);
        // Whom the server goes on to speak to is not silent.
        table.renew(sender(2), table.places[&sender(2)], start + SECOND * 2);
        assert_eq!(make_room(&mut table, 2), Some(sender(3)));
        assert_eq!(make_room(&mut table, 2), None);
        assert_eq!(make_room(&mut table, 3), Some(sender(2)));
        // Who went on stays as long as any other, also once it was answered again.
        table.renew(sender(1), table.places[&sender(1)], start + SECOND * 3);
        assert_eq!(make_room(&mut table, 50), None);
        assert_eq!(forget(&mut table, start + SECOND * 3 + IDLE), [1]);
        assert!(table.clients.is_empty());
    }
}

#[test]
fn who_never_was_answered_makes_room_for_its_own_client() {
    let (mut table, start) = (table(9, 3), Instant::now());
    let stranger = sender_of(2, 1);
    hear(&mut table, stranger, start);
    for port in [1, 2, 3] {
        hear(&mut table, sender(port), start + SECOND * u32::from(port));
    }
    let answered = table.places[&sender(1)];
    table.renew(sender(1), answered, start + SECOND * 3);
    let now = start + SECOND * 3;
    assert_eq!(hear(&mut table, sender(4), now), Verdict::ClientFull);
    assert_eq!(of(table.make_room_of_client(sender(4), start + SECOND * 2)), None);
    // The stranger is silent for longer, and leaves no room to this client.
    assert_eq!(of(table.make_room_of_client(sender(4), now)), Some(sender(2)));
    assert_eq!(hear(&mut table, sender(4), now), Verdict::New);
    assert_eq!(hear(&mut table, sender(5), now), Verdict::ClientFull);
    assert_eq!(of(table.make_room_of_client(sender(5), now)), None);
    // Who goes on is silent from then on.
    hear(&mut table, sender(3), start + SECOND * 4);
    assert_eq!(of(table.make_room_of_client(sender(5), start + SECOND * 4)), Some(sender(4)));
    assert_eq!(of(table.make_room_of_client(sender(5), start + SECOND * 5)), Some(sender(3)));
    // Who is of another client stays.
    assert_eq!(of(table.make_room_of_client(sender(5), start + SECOND * 50)), Some(sender(1)));
    assert_eq!(of(table.make_room_of_client(sender(5), start + SECOND * 50)), None);
    assert_eq!(table.places.len(), 1);
    let nobody = sender_of(3, 1);
    assert_eq!(of(table.make_room_of_client(nobody, start + SECOND * 50)), None);
}

#[test]
fn two_tables_share_the_room_there_is() {
    let limits = Limits { senders_max: 2, senders_a_client_max: 9, idle_max: IDLE };
    let (rooms, now) = (rooms(2, 9), Instant::now());
    let mut tables = [0, 1].map(|_| Associations::new(limits, Places::new(rooms.clone())));
    for table in &mut tables {
        assert_eq!(hear(table, sender(1), now), Verdict::New);
    }
    for table in &mut tables {
        assert_eq!(hear(table, sender(2), now), Verdict::Full);
    }
    let [mut one, other] = tables;
    drop(other);
    assert_eq!(hear(&mut one, sender(2), now), Verdict::New);
    assert_eq!(hear(&mut one, sender(3), now), Verdict::Full);
    one.remove(sender(1));
    assert_eq!(hear(&mut one, sender(3), now), Verdict::New);
    drop(one);
    assert!(rooms.iter().all(|room| !Room::is_full(room)));
    // Where all relays together have too little.
    let scarce = [Arc::new(Room::new(9)), Arc::new(Room::new(0))];
    assert_eq!(
        Associations::<Seat>::new(limits, Places::new(scarce)).hear(sender(1), now),
        Verdict::Full
    );
}

#[test]
fn one_client_has_its_share_at_all_sockets_together() {
    let limits = Limits { senders_max: 8, senders_a_client_max: 6, idle_max: IDLE };
    let (rooms, now) = (rooms(8, 6), Instant::now());
    let mut tables = [0, 1].map(|_| Associations::new(limits, Places::new(rooms.clone())));
    for port in 1..=3 {
        for table in &mut tables {
            assert_eq!(hear(table, sender(port), now), Verdict::New);
        }
    }
    for table in &mut tables {
        assert_eq!(hear(table, sender(4), now), Verdict::ClientFull);
        assert_eq!(hear(table, sender_of(2, 1), now), Verdict::New);
    }
    // With what it has of the descriptors otherwise, too.
    let scarce = Arc::new(Room::new(8));
    scarce.take(sender(1).client(), 6);
    let places = Places::new([Arc::new(Room::new(8)), scarce]);
    let mut table = Associations::new(limits, places);
    assert_eq!(hear(&mut table, sender(1), now), Verdict::ClientFull);
    assert_eq!(hear(&mut table, sender_of(2, 1), now), Verdict::New);
}

#[test]
fn who_sends_to_two_of_our_addresses_is_two() {
    let (mut table, now) = (table(8, 8), Instant::now());
    let other = Sender { at: Some([127, 0, 0, 2].into()), ..sender(1) };
    let unknown = Sender { at: None, ..sender(1) };
    for (place, sender) in [sender(1), other, unknown].into_iter().enumerate() {
        assert_eq!(hear(&mut table, sender, now), Verdict::New);
        assert_eq!(hear(&mut table, sender, now), Verdict::Known(place));
    }
}

#[test]
fn one_client_does_not_take_every_place() {
    let (mut table, now) = (table(3, 1), Instant::now());
    let other = sender_of(2, 1);
    assert_eq!(hear(&mut table, sender(1), now), Verdict::New);
    assert_eq!(hear(&mut table, sender(2), now), Verdict::ClientFull);
    assert_eq!(hear(&mut table, other, now), Verdict::New);
    table.remove(sender(1));
    assert_eq!(hear(&mut table, sender(2), now), Verdict::New);
    table.remove(sender(2));
    table.remove(other);
    assert!(table.clients.is_empty() && table.first().is_none());
}

#[test]
fn those_are_forgotten_first_who_were_heard_first() {
    let (mut table, start) = (table(8, 8), Instant::now());
    for (port, second) in [(1, 0), (2, 1), (3, 2), (4, 3), (2, 4), (4, 5), (1, 6), (1, 7)] {
        hear(&mut table, sender(port), start + SECOND * second);
    }
    let heard: Vec<_> =
        table.heard_since(start + SECOND * 4).map(|(sender, _)| sender.from.port()).collect();
    assert_eq!(heard, [1, 4, 2]);
    let mut order = Vec::new();
    while let Some(silence) = table.next_silence() {
        assert_eq!(forget(&mut table, silence - Duration::from_nanos(1)), []);
        order.extend(forget(&mut table, silence));
    }
    assert_eq!(order, [3, 2, 4, 1]);
    assert_eq!((table.places.len(), table.clients.len(), table.free.len()), (0, 0, 4));
}

/// Held against a list that is searched and sorted each time.
#[test]
fn whatever_comes_the_table_is_what_a_plain_list_would_be() {
    let (mut table, start) = (table(16, 99), Instant::now());
    // The longest silent first.
    let mut plain: Vec<(Sender, Instant, Standing)> = Vec::new();
    for step in 0..20_000_u64 {
        let now = start + Duration::from_millis(step * 100);
        let draw = relais_net::mix(step);
        let sender = sender(u16::try_from(draw % 32).unwrap());
        let known = plain.iter().position(|(known, ..)| *known == sender);
        match (draw >> 32) % 8 {
            0 => {
                table.remove(sender);
                known.map(|known| plain.remove(known));
            }
            1 => {
                let cut = now - IDLE;
                let gone = plain.iter().filter(|(_, heard, _)| *heard <= cut).count();
                assert_eq!(forget(&mut table, now).len(), gone);
                plain.retain(|(_, heard, _)| *heard > cut);
            }
            2 => {
                let cut = now - SECOND;
                let firsts = [Standing::Unanswered, Standing::Answered].map(|standing| {
                    plain.iter().position(|(_, heard, is)| *heard <= cut && *is == standing)
                });
                let gone = firsts.into_iter().flatten().next().map(|place| plain.remove(place));
                let made = match draw >> 41 & 1 {
                    0 => table.make_room(now),
                    _ => table.make_room_of_client(sender, now),
                };
                assert_eq!(of(made), gone.map(|(gone, ..)| gone));
            }
            _ => {
                let verdict = hear(&mut table, sender, now);
                let is_full = known.is_none() && plain.len() == 16;
                assert_eq!(matches!(verdict, Verdict::Known(_)), known.is_some());
                assert_eq!(verdict == Verdict::Full, is_full);
                let known = known.map(|known| plain.remove(known).2);
                let standing = match known {
                    None | Some(Standing::Unanswered) => Standing::Unanswered,
                    Some(Standing::Answered | Standing::Talking) => Standing::Talking,
                };
                if !is_full {
                    plain.push((sender, now, standing));
                }
            }
        }
        // Some are answered at once, and change the row.
        if let Some((last, heard, standing)) = plain.last_mut()
            && (*last, *heard, draw >> 40 & 1) == (sender, now, 0)
        {
            table.renew(sender, table.places[&sender], now);
            if *standing == Standing::Unanswered {
                *standing = Standing::Answered;
            }
        }
        let first = plain.first().map(|(_, heard, _)| *heard + IDLE);
        assert_eq!((table.places.len(), table.next_silence()), (plain.len(), first));
    }
}
