//! Whatever many clients ask: each is told what a simple model says, to the last event.
//!
//! Many orders come at once or one by one; clients hang up, come back as the devices that they were, and
//! resume; the hub is ended and started, and its store gets lost for a while. Apart from the model, what
//! each client was told is held against the rules of the protocol.

mod asking;
mod asks;
mod bounds;
mod certificates;
mod clocks;
mod diary;
mod exporting;
mod filling;
mod hooks;
mod indexing;
mod keeping;
mod knowing;
mod locking;
mod looking;
mod model;
mod passing;
mod reading;
mod ruling;
mod sessions;
mod signing;
mod stand;
mod telling;
mod tidying;
mod undoing;
mod waking;

use std::{
    collections::VecDeque,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    panic::{self, AssertUnwindSafe},
};

use self::{asks::Dice, diary::Diary, model::Model, stand::Stand};
use crate::{
    limits::Limits,
    model::{AccountId, Millis, Said, Seq},
    protocol::{Answer, Ask, Event, Page, Told},
};

/// How many hubs are tried, each with a seed of its own.
const SEEDS: u64 = 30;

/// How many hubs are tried that never were: by what is set outside, since each time goes another way.
fn new_seeds() -> u64 {
    let many = std::env::var("RELAIS_NEW_HUBS").unwrap_or_default();
    if many.is_empty() { 0 } else { many.parse().expect("RELAIS_NEW_HUBS: a number") }
}

/// How often something is done with each.
const STEPS: usize = 220;

/// How many clients there are at once, at most.
const GUESTS_MAX: usize = 9;

/// A hub, the model of it, and what was done with both.
struct World {
    dice: Dice,
    stand: Stand,
    model: Model,
    diaries: Vec<Diary>,
    /// What accounts said with a `cid`: to be said again.
    sent: Vec<(AccountId, Ask)>,
    number: u64,
    keeper: Keeper,
    /// What was done last, for who is to understand what went wrong.
    done: VecDeque<String>,
}

/// Who runs the hub.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeper {
    /// It does something now and then.
    Busy,
    /// It does nothing.
    Away,
}

/// Few of all, so that limits are reached.
fn limits() -> Limits {
    Limits {
        members_max: 4,
        rooms_an_account_max: 2,
        talks_an_account_max: 2,
        sessions_an_account_max: 3,
        devices_an_account_max: 4,
        page_max: 6,
        found_max: 3,
        missed_a_room_max: 5,
        missed_max: 1000,
        messages_a_second: 0,
        lookups_a_second: 0,
        edit_ms_max: 60_000,
        ..Limits::default()
    }
}

impl World {
    fn new(seed: u64, keeper: Keeper) -> Self {
        Self {
            dice: Dice(seed),
            stand: Stand::new(limits()),
            model: Model::new(limits()),
            diaries: Vec::new(),
            sent: Vec::new(),
            number: 0,
            keeper,
            done: VecDeque::new(),
        }
    }

    fn run(&mut self) {
        self.pass(1_000_000);
        for _ in 0..STEPS {
            self.step();
        }
        self.end();
    }

    fn note(&mut self, what: String) {
        if self.done.len() == 16 {
            self.done.pop_front();
        }
        self.done.push_back(what);
    }

    /// Has time pass, in milliseconds.
    fn pass(&mut self, ms: u64) {
        self.model.now = Millis(self.model.now.0 + ms);
        stand::set_clock(self.model.now);
    }

    fn step(&mut self) {
        // What ends after some seconds is tried a millisecond before, and then.
        let next = if self.model.now.0.is_multiple_of(1000) { 999 } else { 1 };
        let wait = *self.dice.pick(&[0, next, next, next, next, 9_000]);
        self.pass(wait);
        match self.dice.roll(60) {
            0 => self.restart(),
            1 => self.lose_the_store(),
            2..6 => self.stand.keep_up(),
            6 if self.keeper == Keeper::Busy => self.look_after(),
            _ => {}
        }
        for _ in 0..=self.dice.roll(4) {
            self.act();
        }
        self.settle();
    }

    /// A client does something.
    fn act(&mut self) {
        let here: Vec<_> = (0..self.model.guests.len())
            .filter(|guest| self.model.guests[*guest].is_there)
            .collect();
        if here.is_empty() || (here.len() < GUESTS_MAX && self.dice.is_one_in(12)) {
            let guest = self.stand.connect();
            self.model.connect();
            self.diaries.push(Diary::default());
            self.note(format!("{guest} connects"));
            return;
        }
        let guest = *self.dice.pick(&here);
        match self.model.guests[guest].who.clone() {
            None if self.dice.is_one_in(4) || self.model.people.is_empty() => self.register(guest),
            None => self.log_in(guest),
            Some(_) if self.dice.is_one_in(40) => self.hang_up(guest),
            Some((who, session)) if self.dice.is_one_in(50) => self.log_out(guest, (who, session)),
            Some((who, _)) if self.dice.is_one_in(200) => self.unregister(guest, who),
            Some((who, _)) => self.ask(guest, who),
        }
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn register(&mut self, guest: usize) {
        let (re, name) = (self.next(), *self.dice.pick(&asks::NAMES));
        self.note(format!("{guest} registers as {name}"));
        let session = self.stand.register((guest, re), name);
        self.model.register((guest, re), name, &session);
    }

    fn log_in(&mut self, guest: usize) {
        let people: Vec<_> = self.model.people.keys().copied().collect();
        let who = *self.dice.pick(&people);
        let sessions = self.model.lasting(who);
        let known = (!sessions.is_empty() && self.dice.is_one_in(2))
            .then(|| self.dice.pick(&sessions).0.clone());
        if known.is_none() && self.dice.is_one_in(3) {
            return self.type_in(guest, who);
        }
        let resume = self.dice.is_one_in(2).then(|| asks::resume(&mut self.dice, &self.model, who));
        let re = self.next();
        self.note(format!("{guest} logs in as {who:?}, {known:?}, {resume:?}"));
        let session = self.stand.enter((guest, re), who, (known.clone(), resume.clone()));
        self.model.enter((guest, re), who, (&session, known.is_none(), resume.as_ref()));
    }

    fn type_in(&mut self, guest: usize, who: AccountId) {
        let re = self.next();
        self.note(format!("{guest} types that it is {who:?}"));
        let session = self.stand.type_in((guest, re), who);
        self.model.type_in((guest, re), who, &session);
    }

    fn hang_up(&mut self, guest: usize) {
        self.note(format!("{guest} hangs up"));
        self.stand.hang_up(guest);
        self.model.leave(guest);
        self.model.guests[guest].is_there = false;
    }

    fn log_out(&mut self, guest: usize, (who, session): (AccountId, String)) {
        let re = self.next();
        let is_of_all = self.dice.is_one_in(2);
        let ask = if is_of_all { Ask::Logout { all: true } } else { Ask::Revoke { session } };
        self.note(format!("{guest} asks {ask:?}, and is nobody"));
        self.stand.ask((guest, re), who, ask.clone());
        self.model.ask((guest, re), who, &ask);
        self.stand.leave(guest);
        self.model.leave(guest);
    }

    /// What was asked before is read first: who reads is told what somebody was called.
    fn unregister(&mut self, guest: usize, who: AccountId) {
        self.settle();
        if self.model.guests[guest].who.is_none() {
            return;
        }
        let (re, said) = (self.next(), *self.dice.pick(&[Said::Stays, Said::Goes]));
        self.note(format!("{guest} has {who:?} be deleted, what it said: {said:?}"));
        self.stand.unregister((guest, re), who, said);
        self.model.unregister((guest, re), who, said);
    }

    fn ask(&mut self, guest: usize, who: AccountId) {
        let again: Vec<_> = self.sent.iter().filter(|(by, _)| *by == who).collect();
        let ask = if !again.is_empty() && self.dice.is_one_in(10) {
            self.dice.pick(&again).1.clone()
        } else {
            asks::ask(&mut self.dice, &self.model, who)
        };
        if matches!(ask, Ask::Message { cid: Some(_), .. } | Ask::Edit { cid: Some(_), .. }) {
            self.sent.push((who, ask.clone()));
        }
        let re = self.next();
        self.note(format!("{guest} as {who:?} asks {ask:?}"));
        self.stand.ask((guest, re), who, ask.clone());
        self.model.ask((guest, re), who, &ask);
    }

    fn restart(&mut self) {
        self.note("the hub is ended and started".to_owned());
        self.stand.restart();
        self.model.restart();
        self.diaries.clear();
    }

    /// For a while nothing can be written.
    fn lose_the_store(&mut self) {
        self.note("the store is away for four orders".to_owned());
        self.stand.rename(("hub.db", "away.db"));
        self.model.is_lost = true;
        for _ in 0..4 {
            self.act();
        }
        self.settle();
        self.stand.keep_up();
        self.stand.rename(("away.db", "hub.db"));
        self.model.is_lost = false;
    }

    /// Commits what was asked: what each client is told is what it is to be told.
    fn settle(&mut self) {
        self.stand.settle();
        self.model.settle();
        for guest in 0..self.model.guests.len() {
            let expect = self.model.told(guest);
            if !self.model.guests[guest].is_there {
                continue;
            }
            let told = in_some_order(self.stand.told(guest));
            if let Some(at) = first_other(&told, &in_some_order(expect.clone())) {
                let (told, expect) = (told.get(at), in_some_order(expect).get(at).cloned());
                panic!("client {guest} was told\n    {told:?}\nand not\n    {expect:?}");
            }
            let who = self.model.guests[guest].who.as_ref();
            let name = who.map(|(who, _)| self.model.people[who].name.clone());
            for told in &told {
                self.diaries[guest].hear(told, name.as_deref());
            }
        }
    }

    /// Whoever is in a room reads all of it, page by page: the log, and nothing else, unbroken.
    fn end(&mut self) {
        let rooms = self.model.rooms.iter();
        let members = rooms.filter_map(|(id, room)| Some((*id, *room.members.keys().next()?)));
        for (room, who) in members.collect::<Vec<_>>() {
            let place = self.model.place(room, who);
            let guest = self.stand.connect();
            self.stand.be(guest, who);
            self.model.connect();
            let expect: Vec<_> = self
                .model
                .seen(room)
                .into_iter()
                .map(|entry| self.model.past(entry, who))
                .collect();
            let (mut found, mut after) = (Vec::new(), Seq(0));
            loop {
                let ask = Ask::History {
                    room: place.clone(),
                    page: Page::After(after),
                    limit: None,
                    messages: None,
                };
                self.stand.ask((guest, 0), who, ask);
                self.stand.settle();
                let told = self.stand.told(guest);
                let [Told::Answer { answer: Ok(Answer::Page { events, more }), .. }] = &told[..]
                else {
                    panic!("no page: {told:?}");
                };
                found.extend(events.clone());
                let Some(at) = events.last().and_then(Event::at).filter(|_| *more) else { break };
                after = at.seq;
            }
            assert_eq!(found, expect);
            diary::check_log(&found);
        }
    }
}

fn first_other(one: &[Told], other: &[Told]) -> Option<usize> {
    let most = one.len().max(other.len());
    (0..most).find(|at| one.get(*at) != other.get(*at))
}

/// Of which rooms more was missed is told in no order.
fn in_some_order(mut told: Vec<Told>) -> Vec<Told> {
    let is_gap = |told: &Told| matches!(told, Told::Event(Event::Gap(_)));
    for gaps in told.chunk_by_mut(|one, other| is_gap(one) && is_gap(other)) {
        gaps.sort_by_key(|gap| format!("{gap:?}"));
    }
    told
}

/// Tries a hub; what went wrong is told with what leads there again.
fn try_one(seed: u64, keeper: Keeper) {
    let mut world = World::new(seed, keeper);
    if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| world.run())) {
        let done: Vec<_> = world.done.iter().map(|done| format!("  {done}\n")).collect();
        let why = panic.downcast_ref::<String>().map_or("a panic", String::as_str);
        panic!("with seed {seed}, after\n{}{why}", done.concat());
    }
}

#[tokio::test(start_paused = true)]
async fn each_client_is_told_what_a_simple_model_says() {
    (0..SEEDS).for_each(|seed| try_one(seed, Keeper::Busy));
    // What a deleted account said was taken out once more.
    try_one(13_504_393_509_416_594_843, Keeper::Away);
    // Some more, if that is wanted: the seed is told, if that goes wrong.
    let first = RandomState::new().build_hasher().finish();
    (0..new_seeds()).for_each(|seed| try_one(first.wrapping_add(seed), Keeper::Busy));
}
