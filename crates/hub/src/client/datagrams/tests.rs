use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;
use crate::{
    datagram::{Association, Heard},
    json::carried::hex,
    model::Millis,
    protocol::{Ask, Secret},
};

const SID: [u8; 8] = *b"abcdefgh";
const KEY: [u8; KEY_BYTES] = [7; KEY_BYTES];
const TICK: Duration = Duration::from_millis(10);

fn ticket(form: &'static str) -> Ticket {
    let (sid, key) = (hex(&SID), Secret(hex(&KEY)));
    Ticket { sid, key, port: 1, mtu: 1200, form, expires: Millis(0) }
}

fn address() -> SocketAddr {
    "192.0.2.1:4000".parse().unwrap()
}

fn ping(id: u64) -> Request {
    Request { id: Some(id), ask: Ask::Ping { t: None } }
}

/// What becomes of datagrams on the way: a draw each, of 0 to 255.
struct Network {
    draws: Vec<u8>,
    drawn: usize,
    lost_below: u8,
    twice_below: u8,
    under_way: Vec<(Instant, Way, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    ToHub,
    ToClient,
}

impl Network {
    fn draw(&mut self) -> u8 {
        self.drawn += 1;
        self.draws[self.drawn % self.draws.len()]
            .wrapping_add(u8::try_from(self.drawn / self.draws.len() * 37 % 256).unwrap())
    }

    fn send(&mut self, way: Way, datagram: &[u8], now: Instant) {
        if self.draw() < self.lost_below {
            return;
        }
        let times = if self.draw() < self.twice_below { 2 } else { 1 };
        for _ in 0..times {
            // Up to 50 ms later than another.
            let late = Duration::from_millis(u64::from(self.draw() / 5));
            self.under_way.push((now + late, way, datagram.to_vec()));
        }
    }

    fn arrived(&mut self, way: Way, now: Instant) -> Vec<Vec<u8>> {
        let is_there = |one: &mut (Instant, Way, Vec<u8>)| one.0 <= now && one.1 == way;
        self.under_way.extract_if(.., is_there).map(|(.., datagram)| datagram).collect()
    }
}

/// A client and a hub with a network between them.
struct World {
    client: Datagrams,
    hub: Association,
    network: Network,
    now: Instant,
    /// What the hub did, by the number of who asked.
    done: Vec<Vec<u8>>,
    told: u64,
    heard: Vec<Vec<u8>>,
}

impl World {
    fn new(draws: Vec<u8>, (lost_below, twice_below): (u8, u8)) -> Self {
        let now = Instant::now();
        Self {
            client: Datagrams::new(&ticket("sealed"), now).unwrap(),
            hub: Association::new((SID, Form::Sealed), &KEY, now),
            network: Network { draws, drawn: 0, lost_below, twice_below, under_way: Vec::new() },
            now,
            done: Vec::new(),
            told: 0,
            heard: Vec::new(),
        }
    }

    fn tell(&mut self, frame: &[u8]) {
        let datagram = self.hub.tell(frame, self.now);
        self.network.send(Way::ToClient, &datagram, self.now);
    }

    fn tick(&mut self) -> Standing {
        self.now += TICK;
        let standing = self.client.wake(self.now);
        for datagram in self.client.unsent() {
            self.network.send(Way::ToHub, &datagram, self.now);
        }
        for datagram in self.network.arrived(Way::ToHub, self.now) {
            self.hub_hears(&datagram);
        }
        for datagram in self.hub.due(self.now) {
            self.network.send(Way::ToClient, &datagram, self.now);
        }
        for datagram in self.network.arrived(Way::ToClient, self.now) {
            self.client.hear(&datagram, self.now);
        }
        self.heard.extend(std::iter::from_fn(|| self.client.frame()));
        standing
    }

    fn hub_hears(&mut self, datagram: &[u8]) {
        match self.hub.hear(datagram, address(), self.now) {
            Ok(Heard::Challenged(challenge)) => {
                assert!(challenge.len() <= datagram.len());
                self.network.send(Way::ToClient, &challenge, self.now);
            }
            Ok(Heard::Proved(Some(re))) => {
                self.tell(format!("{{\"re\":{re},\"ok\":true}}").as_bytes());
            }
            Ok(Heard::Asked(frame)) => {
                let request = json::read(&frame, frame.len()).unwrap();
                let re = request.id.unwrap();
                self.done.push(frame);
                self.tell(format!("{{\"re\":{re},\"ok\":true}}").as_bytes());
            }
            Ok(Heard::Answered(answer)) => self.tell(&answer),
            Ok(Heard::Proved(None) | Heard::Noted) | Err(_) => {}
        }
    }

    /// Goes on until the client has shown where it is.
    fn prove(&mut self) -> Standing {
        while !self.client.is_proved() {
            let standing = self.tick();
            if standing != Standing::Well {
                return standing;
            }
        }
        Standing::Well
    }
}

#[test]
fn what_is_asked_is_answered_and_what_is_told_is_heard() {
    let mut world = World::new(vec![200], (0, 0));
    world.prove();
    assert!(world.client.ask(&ping(77), world.now));
    world.tell(b"{\"ev\":\"x\"}");
    for _ in 0..20 {
        assert_eq!(world.tick(), Standing::Well);
    }
    assert_eq!(world.heard, [b"{\"ev\":\"x\"}".to_vec(), b"{\"re\":77,\"ok\":true}".to_vec()]);
    // And it is confirmed: nothing is due any more.
    for _ in 0..30 {
        world.tick();
    }
    assert_eq!(world.hub.wakes_at(), None);
}

#[test]
fn who_is_silent_says_that_it_is_there() {
    let mut world = World::new(vec![200], (0, 0));
    world.prove();
    let start = world.now;
    while world.done.is_empty() {
        assert_eq!(world.tick(), Standing::Well);
    }
    assert!(world.now - start < THERE_EVERY + Duration::from_secs(1));
}

#[test]
fn where_nothing_comes_through_that_is_found_out() {
    let mut world = World::new(vec![0], (255, 0));
    let start = world.now;
    assert_eq!(world.prove(), Standing::Dead);
    let took = (world.now - start).as_secs();
    assert!((8..16).contains(&took), "{took}");
}

#[test]
fn what_does_not_fit_is_not_asked_so() {
    let mut client = Datagrams::new(&ticket("mac"), Instant::now()).unwrap();
    let calc = |bytes| Request { id: Some(1), ask: Ask::Calc { expr: "1".repeat(bytes) } };
    assert!(client.ask(&calc(1000), Instant::now()));
    assert!(!client.ask(&calc(1100), Instant::now()));
}

#[test]
fn a_ticket_of_another_kind_is_none() {
    let good = ticket("sealed");
    let bad = [
        Ticket { sid: "12".into(), ..good.clone() },
        Ticket { key: Secret("x".into()), ..good.clone() },
        Ticket { form: "later", ..good.clone() },
    ];
    for bad in bad {
        assert!(Datagrams::new(&bad, Instant::now()).is_none(), "{bad:?}");
    }
}

#[test]
fn what_is_missing_for_too_long_was_missed() {
    let mut world = World::new(vec![200], (0, 0));
    world.prove();
    // Never sent.
    world.hub.tell(b"{\"ev\":\"lost\"}", world.now);
    let mut standing = Standing::Well;
    while standing == Standing::Well {
        world.hub.due(world.now + Duration::from_hours(1));
        world.tell(b"{\"ev\":\"x\"}");
        standing = world.tick();
    }
    assert_eq!((standing, world.heard.len()), (Standing::Missed, 0));
}

/// How long it goes on: of what was told last it is found out by a sign that it was given up, which comes
/// after a silence, and is given up itself if nobody answers it.
const STEPS: u64 = 7000;

/// Whether all that was told and asked comes to the other side once and in order, or it is found out that
/// it does not.
fn check_carried(draws: Vec<u8>, below: (u8, u8)) -> Result<(), TestCaseError> {
    let mut world = World::new(draws, below);
    let mut standing = world.prove();
    let mut asked = 0;
    for step in 0..STEPS {
        if standing != Standing::Well {
            break;
        }
        if step % 5 == 0 && step < 1000 && !world.hub.is_full() {
            world.told += 1;
            let event = format!("{{\"ev\":\"{}\"}}", world.told);
            world.tell(event.as_bytes());
        }
        if step % 50 == 0 && step < 1000 {
            asked += 1;
            prop_assert!(world.client.ask(&ping(asked), world.now));
        }
        standing = world.tick();
    }
    let events: Vec<_> = world.heard.iter().filter(|frame| frame.starts_with(b"{\"ev\"")).collect();
    for (place, event) in events.iter().enumerate() {
        let expect = format!("{{\"ev\":\"{}\"}}", place + 1);
        prop_assert_eq!(event.as_slice(), expect.as_bytes());
    }
    let mut answers: Vec<_> = world.heard.iter().filter_map(|frame| re_of(frame)).collect();
    answers.sort_unstable();
    let all = answers.len();
    answers.dedup();
    prop_assert_eq!(answers.len(), all);
    let mut done = world.done.clone();
    done.sort_unstable();
    done.dedup();
    prop_assert_eq!(done.len(), world.done.len());
    if standing == Standing::Well {
        prop_assert_eq!(events.len() as u64, world.told);
        prop_assert_eq!(all as u64, asked);
    }
    Ok(())
}

#[test]
fn a_last_event_that_never_comes_is_found_out() {
    let draws = [
        105, 176, 93, 241, 76, 42, 241, 34, 241, 113, 212, 108, 2, 233, 130, 99, 108, 93, 88, 154,
        202, 25, 142, 173, 22, 107, 133, 221, 75, 125,
    ];
    check_carried(draws.to_vec(), (60, 79)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_is_lost_doubled_or_out_of_order(
        draws in prop::collection::vec(any::<u8>(), 16..64),
        lost_below in 0_u8..80,
        twice_below in 0_u8..128,
    ) {
        check_carried(draws, (lost_below, twice_below))?;
    }

    #[test]
    fn nothing_panics(datagrams: Vec<Vec<u8>>, frames: Vec<Vec<u8>>) {
        let now = Instant::now();
        let mut client = Datagrams::new(&ticket("sealed"), now).unwrap();
        let mut hub = Channel::new(SID, &KEY, (Form::Sealed, Side::Hub));
        for datagram in datagrams {
            client.hear(&datagram, now);
        }
        for frame in frames {
            client.hear(&hub.say(&frame), now);
        }
    }
}
