//! Entries as those are told them who may see them.

use crate::{
    hall::{Move, Post, RoomPost},
    model::{AccountId, Act, Deed, Entry, Kind, RoomId, Seq, State, Title},
    outbox::Spoken,
    protocol::{Event, Place, Told, Where},
};

/// The most names in a message that are looked for.
const MENTIONS_MAX: usize = 32;

/// Who is told, what the room is called there, and what accounts are.
pub(crate) struct View<'v> {
    pub(crate) place: Place,
    /// Who is told; nobody in particular without.
    pub(crate) viewer: Option<AccountId>,
    pub(crate) name: &'v dyn Fn(AccountId) -> String,
}

/// What a room is called by `viewer`, or by anybody.
pub(crate) fn place(state: &State, room: RoomId, viewer: Option<AccountId>) -> Place {
    match &state.room(room).title {
        Title::Named(name, _) => Place::Room(name.clone()),
        Title::Talk(one, other) => {
            let who = if Some(*one) == viewer { *other } else { *one };
            Place::Person(state.called(who))
        }
    }
}

/// What somebody is told of `entry`, before which `prev` was the last of its room.
///
/// `None` of what is nobody's to see.
pub(crate) fn event((entry, prev): (&Entry, Seq), view: View<'_>) -> Option<Event> {
    let View { place: room, viewer, name } = view;
    let cid = entry.cid.clone().filter(|_| viewer == Some(entry.by));
    let at = Where { room, seq: entry.seq, prev, at: entry.at, from: name(entry.by), cid };
    Some(match &entry.deed {
        Deed::Register { .. } | Deed::Unregister { .. } | Deed::Administer { .. } => return None,
        Deed::Delete { .. } => Event::Delete(at),
        Deed::Create { .. } | Deed::Talk { .. } => Event::Create(at),
        Deed::In { act, .. } => match act {
            Act::Say { kind, body, reply } => {
                let viewer = viewer.filter(|viewer| *viewer != entry.by);
                let mention = viewer.is_some_and(|viewer| names(body, &name(viewer)));
                let (kind, reply, body) = (*kind, *reply, Some(body.clone()));
                Event::Message { at, kind, body, reply, mention, edited: false }
            }
            Act::Edit { of, body } => Event::Edit { at, of: *of, body: body.clone() },
            Act::Redact { of, reason } => Event::Redact { at, of: *of, reason: reason.clone() },
            Act::React { of, sign, on } => {
                Event::React { at, of: *of, emoji: sign.clone(), on: *on }
            }
            Act::Join => Event::Join(at),
            Act::Part => Event::Part(at),
            Act::Topic { text } => Event::Topic { at, topic: text.clone() },
            Act::Role { who, role } => Event::Role { at, user: name(*who), role: *role },
            Act::Read { last } => Event::Read { room: at.room, last: *last },
            act => about(act, at, name)?,
        },
    })
}

/// What is done about somebody, or changes what holds in a room.
fn about(act: &Act, at: Where, name: &dyn Fn(AccountId) -> String) -> Option<Event> {
    let about = |at, what, who: &AccountId, until, reason: &Option<String>| Event::About {
        at,
        what,
        user: name(*who),
        until,
        reason: reason.clone(),
    };
    Some(match act {
        Act::Invite { who } => about(at, "invite", who, None, &None),
        Act::Kick { who, reason } => about(at, "kick", who, None, reason),
        Act::Ban { who, until, reason } => about(at, "ban", who, *until, reason),
        Act::Unban { who } => about(at, "unban", who, None, &None),
        Act::Mute { who, until } => about(at, "mute", who, *until, &None),
        Act::Unmute { who } => about(at, "unmute", who, None, &None),
        Act::Slow { seconds } => Event::Rule { at, what: "slow", value: Some(u64::from(*seconds)) },
        Act::Retain { days } => Event::Rule { at, what: "retain", value: days.map(u64::from) },
        _ => return None,
    })
}

/// Whether `body` names who is called `name`.
fn names(body: &str, name: &str) -> bool {
    named(body).any(|word| crate::name::is_same(word, name))
}

/// What stands behind an `@` in `body`.
fn named(body: &str) -> impl Iterator<Item = &str> {
    let rests = body.split('@').skip(1).take(MENTIONS_MAX);
    let words = rests.map(|rest| rest.split(|char| !is_of_name(char)).next().unwrap_or(""));
    words.map(|word| word.trim_end_matches(['.', '-']))
}

fn is_of_name(char: char) -> bool {
    char.is_alphanumeric() || "-_.".contains(char)
}

/// What who is invited is told of it, who is no member.
pub(crate) fn invitation(state: &State, entry: &Entry, prev: Seq) -> Option<Post> {
    let Deed::In { room, act: Act::Invite { who } } = entry.deed else { return None };
    let name = |who| state.account(who).name.clone();
    let view = View { place: place(state, room, Some(who)), viewer: Some(who), name: &name };
    let spoken = Spoken::new(Told::Event(event((entry, prev), view)?));
    Some(Post::Account { who, spoken, but: None })
}

/// What all halls are told of `entry`; nothing, if it is in no room. Of a room that is deleted, `state` is
/// the one before.
pub(crate) fn post(state: &State, entry: &Entry, prev: Seq) -> Option<Post> {
    let room = entry.room()?;
    let told = |viewer| {
        let name = |who| state.account(who).name.clone();
        let view = View { place: place(state, room, viewer), viewer, name: &name };
        Some(Spoken::new(Told::Event(event((entry, prev), view)?)))
    };
    if let Deed::In { act: Act::Read { .. }, .. } = entry.deed {
        return Some(Post::Account { who: entry.by, spoken: told(Some(entry.by))?, but: None });
    }
    let common = told(None)?;
    let mut own = Vec::new();
    for who in viewed_otherwise(state, entry, room) {
        own.push((who, told(Some(who))?));
    }
    let moves = match entry.deed {
        Deed::Delete { room } => {
            state.room(room).members.keys().map(|who| (*who, Move::Out)).collect()
        }
        _ => moves(entry),
    };
    Some(Post::Room(RoomPost { room, seq: Some(entry.seq), common, own, moves }))
}

/// Who is told something else than all others: who did it, if it has a name for that; who is named;
/// and two who speak with each other, each of whom calls the room by the other's name.
fn viewed_otherwise(state: &State, entry: &Entry, room: RoomId) -> Vec<AccountId> {
    let mut own = Vec::new();
    let room = state.room(room);
    if let Title::Talk(one, other) = room.title {
        return vec![one, other];
    }
    if entry.cid.is_some() {
        own.push(entry.by);
    }
    if let Deed::In { act: Act::Say { body, kind: Kind::Text | Kind::Action, .. }, .. } =
        &entry.deed
    {
        let who = named(body).filter_map(|word| state.account_named(word));
        own.extend(who.filter(|who| *who != entry.by && room.members.contains_key(who)));
    }
    own
}

/// Who comes in, or leaves.
fn moves(entry: &Entry) -> Vec<(AccountId, Move)> {
    match &entry.deed {
        Deed::Register { .. }
        | Deed::Unregister { .. }
        | Deed::Administer { .. }
        | Deed::Delete { .. } => Vec::new(),
        Deed::Create { .. } => vec![(entry.by, Move::In)],
        Deed::Talk { with } => vec![(entry.by, Move::In), (*with, Move::In)],
        Deed::In { act, .. } => match act {
            Act::Join => vec![(entry.by, Move::In)],
            Act::Part => vec![(entry.by, Move::Out)],
            Act::Kick { who, .. } | Act::Ban { who, .. } => vec![(*who, Move::Out)],
            _ => Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Access, Cid, Millis};

    const ANA: AccountId = AccountId(Seq(1));
    const BOB: AccountId = AccountId(Seq(2));
    const LAB: RoomId = RoomId(Seq(3));

    fn entry(seq: u64, by: AccountId, deed: Deed) -> Entry {
        Entry { seq: Seq(seq), at: Millis(7), by, cid: Cid::new("c"), deed }
    }

    /// Ana and Bob in a room of hers.
    fn state() -> State {
        let mut state = State::default();
        for (seq, name) in [(1, "ana"), (2, "Bob")] {
            let deed = Deed::Register { name: name.to_owned() };
            state.apply(&entry(seq, AccountId(Seq(seq)), deed));
        }
        let deed = Deed::Create { name: "#lab".to_owned(), access: Access::Public };
        state.apply(&entry(3, ANA, deed));
        state.apply(&entry(4, BOB, Deed::In { room: LAB, act: Act::Join }));
        state
    }

    fn say(body: &str) -> Deed {
        let act = Act::Say { kind: Kind::Text, body: body.to_owned(), reply: None };
        Deed::In { room: LAB, act }
    }

    /// Who is told something of their own of what Ana says, and whether it names them.
    fn own(body: &str) -> Vec<(AccountId, bool)> {
        let Some(Post::Room(post)) = post(&state(), &entry(5, ANA, say(body)), Seq(4)) else {
            panic!("nothing for the room");
        };
        let is_named = |spoken: &Spoken| {
            matches!(&spoken.told, Told::Event(Event::Message { mention: true, .. }))
        };
        post.own.iter().map(|(who, spoken)| (*who, is_named(spoken))).collect()
    }

    #[test]
    fn who_is_named_is_told_so_and_who_says_it_its_own_number() {
        assert_eq!(own("hi"), [(ANA, false)]);
        for named in ["@bob", "hi @BOB!", "(@bob)", "@bob.", "@nobody @bob"] {
            assert_eq!(own(named), [(ANA, false), (BOB, true)], "{named}");
        }
        for other in ["@bobby", "bob@", "@ bob", "@ana"] {
            assert_eq!(own(other), [(ANA, false)], "{other}");
        }
    }

    #[test]
    fn each_of_two_calls_their_room_by_the_other() {
        let mut state = state();
        let talk = entry(5, ANA, Deed::Talk { with: BOB });
        state.apply(&talk);
        let at = |viewer| place(&state, RoomId(Seq(5)), Some(viewer));
        assert_eq!([at(ANA), at(BOB)], ["Bob", "ana"].map(|name| Place::Person(name.into())));
    }

    #[test]
    fn what_somebody_read_is_nobody_elses_business() {
        let read = Deed::In { room: LAB, act: Act::Read { last: Seq(4) } };
        let posted = post(&state(), &entry(5, BOB, read), Seq(4));
        assert!(matches!(posted, Some(Post::Account { who: BOB, .. })), "{posted:?}");
    }
}
