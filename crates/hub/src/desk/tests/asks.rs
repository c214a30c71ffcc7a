//! What clients ask at random, so that most of it can be done, and much of it is about the same.

use super::model::Model;
use crate::{
    model::{Access, AccountId, Act, Cid, Deed, Kind, Role, Seq},
    protocol::{Ask, Page, Place, Resume},
};

/// Numbers that look random, and are the same again for the same seed.
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `sides`.
    ///
    /// *Source*: Steele et al., "Fast splittable pseudorandom number generators" (`SplitMix64`).
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((bits ^ (bits >> 31)) % sides as u64).unwrap()
    }

    /// Whether something is so that is once in `often`.
    pub(super) fn is_one_in(&mut self, often: usize) -> bool {
        self.roll(often) == 0
    }

    pub(super) fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.roll(from.len())]
    }
}

pub(super) const NAMES: [&str; 9] =
    ["ana", "Bob", "cleo", "dan", "eve", "BOB", "Ana", "fay", "gus"];
const ROOMS: [&str; 4] = ["#lab", "#Tea", "#LAB", "#den"];
const BODIES: [&str; 8] =
    ["salut", "l'été", "salut été", "fin", "hi @bob", "@ANA salut", " ", "@eve @bob fin"];
const WORDS: [&str; 4] = ["salut", "ete", "fin", "absent"];

/// What `by` asks next, of a hub that is as `model` says.
pub(super) fn ask(dice: &mut Dice, model: &Model, by: AccountId) -> Ask {
    let room = place(dice, model, by);
    let user = (*dice.pick(&NAMES)).to_owned();
    let (room, user) = ruled(dice, model, by).unwrap_or((room, user));
    match dice.roll(100) {
        0..18 => message(dice, model, (by, room)),
        18..30 => Ask::Join { room: named(dice) },
        30..32 => Ask::Part { room },
        32..36 => create(dice, model),
        36..45 => about_a_message(dice, model, (by, room)),
        45..49 => Ask::Read { room, seq: seq(dice, model) },
        49..53 => Ask::Role { room, user, role: role(dice) },
        53..55 => Ask::Kick { room, user, reason: reason(dice) },
        55..58 => Ask::Ban { room, user, seconds: seconds(dice), reason: reason(dice) },
        58..62 => Ask::Unban { room, user },
        62..71 => Ask::Mute { room, user, on: !dice.is_one_in(3), seconds: seconds(dice) },
        71..76 => Ask::Invite { room, user },
        // Another each time: which one a room has yet shows by that.
        76 => {
            let topic = (*dice.pick(&["", &format!("thé {}", model.log.len())])).to_owned();
            Ask::Topic { room, topic }
        }
        77 => Ask::Slow { room, seconds: u32::try_from(dice.roll(3)).unwrap() },
        78..84 => history(dice, model, room),
        84..88 => search(dice, (room, user)),
        88..91 => Ask::Resume(resume(dice, model, by)),
        91..93 => Ask::Rooms { matching: dice.is_one_in(2).then(|| "A".to_owned()) },
        93 => Ask::Who { room },
        94 => Ask::Whois { user },
        95 => Ask::Sessions,
        96 => Ask::Typing { room, on: dice.is_one_in(2) },
        97 => Ask::Away { text: dice.is_one_in(2).then(|| "lunch".to_owned()) },
        98 => Ask::Announce { body: "noon".to_owned() },
        _ => Ask::Revoke { session: format!("s{:05}", dice.roll(40)) },
    }
}

/// A room in which `by` has a say, now and then, and who else is there.
fn ruled(dice: &mut Dice, model: &Model, by: AccountId) -> Option<(Place, String)> {
    let rooms = model.rooms.iter().filter(|(id, room)| {
        model.is_moderator(by, **id) && room.members.len() > 1 && room.members.contains_key(&by)
    });
    let rooms: Vec<_> = rooms.collect();
    if rooms.is_empty() || dice.is_one_in(2) {
        return None;
    }
    let (id, room) = *dice.pick(&rooms);
    let others: Vec<_> = room.members.keys().copied().filter(|who| *who != by).collect();
    Some((model.place(*id, by), model.people[dice.pick(&others)].name.clone()))
}

fn named(dice: &mut Dice) -> Place {
    Place::Room((*dice.pick(&ROOMS)).to_owned())
}

/// A place where `by` is, mostly.
fn place(dice: &mut Dice, model: &Model, by: AccountId) -> Place {
    let own = model.rooms.iter().filter(|(_, room)| room.members.contains_key(&by));
    let own: Vec<_> = own.map(|(id, _)| *id).collect();
    if !own.is_empty() && !dice.is_one_in(6) {
        return model.place(*dice.pick(&own), by);
    }
    if dice.is_one_in(2) { Place::Person((*dice.pick(&NAMES)).to_owned()) } else { named(dice) }
}

fn message(dice: &mut Dice, model: &Model, (by, to): (AccountId, Place)) -> Ask {
    let kind = *dice.pick(&[Kind::Text, Kind::Text, Kind::Action]);
    let reply = dice.is_one_in(5).then(|| said(dice, model, (by, &to)));
    let body = (*dice.pick(&BODIES)).to_owned();
    Ask::Message { to, kind, body, reply, cid: cid(dice) }
}

fn about_a_message(dice: &mut Dice, model: &Model, (by, room): (AccountId, Place)) -> Ask {
    let seq = said(dice, model, (by, &room));
    let cid = cid(dice);
    match dice.roll(3) {
        0 => Ask::Edit { room, seq, body: (*dice.pick(&BODIES)).to_owned(), cid },
        1 => Ask::Redact { room, seq, reason: reason(dice), cid },
        _ => Ask::React {
            room,
            seq,
            emoji: (*dice.pick(&["+1", "-1"])).to_owned(),
            on: !dice.is_one_in(3),
            cid,
        },
    }
}

/// A message of that room, mostly, and mostly one of `by`'s.
fn said(dice: &mut Dice, model: &Model, (by, place): (AccountId, &Place)) -> Seq {
    let room = model.inside(by, place).ok();
    let own_only = !dice.is_one_in(3);
    let is_said = |entry: &&crate::model::Entry| {
        matches!(entry.deed, Deed::In { act: Act::Say { .. }, .. })
            && entry.room() == room
            && (entry.by == by || !own_only)
    };
    let said: Vec<_> = model.log.iter().filter(is_said).map(|entry| entry.seq).collect();
    if said.is_empty() || dice.is_one_in(12) { seq(dice, model) } else { *dice.pick(&said) }
}

/// A place in the log, or behind it.
fn seq(dice: &mut Dice, model: &Model) -> Seq {
    Seq(dice.roll(usize::try_from(model.last.0).unwrap() + 4) as u64)
}

/// One of few: most were used before.
fn cid(dice: &mut Dice) -> Option<Cid> {
    if dice.is_one_in(3) { None } else { Cid::new(&format!("c{}", dice.roll(60))) }
}

fn create(dice: &mut Dice, model: &Model) -> Ask {
    let access = *dice.pick(&[Access::Public, Access::Private, Access::Private]);
    let topic = dice.is_one_in(2).then(|| format!("about {}", model.log.len()));
    Ask::Create { room: (*dice.pick(&ROOMS)).to_owned(), access, topic }
}

fn role(dice: &mut Dice) -> Role {
    *dice.pick(&[Role::Member, Role::Moderator, Role::Owner])
}

fn reason(dice: &mut Dice) -> Option<String> {
    dice.is_one_in(2).then(|| "so".to_owned())
}

fn seconds(dice: &mut Dice) -> Option<u64> {
    (!dice.is_one_in(4)).then(|| dice.roll(3) as u64)
}

fn history(dice: &mut Dice, model: &Model, room: Place) -> Ask {
    let (one, other) = (seq(dice, model), seq(dice, model));
    let pages = [
        Page::Latest,
        Page::Before(one),
        Page::After(one),
        Page::Around(one),
        Page::Between(one.min(other), one.max(other)),
    ];
    let limit = dice.is_one_in(2).then(|| dice.roll(8));
    Ask::History { room, page: *dice.pick(&pages), limit, messages: None }
}

fn search(dice: &mut Dice, (room, user): (Place, String)) -> Ask {
    let room = dice.is_one_in(2).then_some(room);
    let from = dice.is_one_in(4).then_some(user);
    let limit = dice.is_one_in(2).then(|| dice.roll(4));
    Ask::Search { words: (*dice.pick(&WORDS)).to_owned(), room, from, limit }
}

/// What somebody missed who was told all up to some place.
pub(super) fn resume(dice: &mut Dice, model: &Model, by: AccountId) -> Resume {
    let since = seq(dice, model);
    if dice.is_one_in(2) {
        return Resume::Since(since);
    }
    let mut rooms = vec![(place(dice, model, by), since)];
    // A room may be there twice, in whatever spelling.
    for _ in 0..dice.roll(5) {
        rooms.push((place(dice, model, by), seq(dice, model)));
    }
    Resume::Rooms(rooms)
}
