//! Entries as those are told them who may see them.

mod noticing;
mod turns;

use crate::{
    hall::{Haste, Move, Post, RoomPost},
    model::{AccountId, Act, Deed, Entry, Kind, RoomId, Seq, State, Title, is_named},
    outbox::Spoken,
    protocol::{Event, Place, Told, Where},
};

pub(crate) use self::{
    noticing::noticed,
    turns::{turn, turns},
};

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
        Deed::Register { .. }
        | Deed::Unregister { .. }
        | Deed::Administer { .. }
        | Deed::Wish(_) => return None,
        Deed::Delete { .. } => Event::Delete(at),
        Deed::Create { .. } | Deed::Talk { .. } => Event::Create(at),
        Deed::In { act, .. } => match act {
            Act::Say { kind, body, reply } => {
                let viewer = viewer.filter(|who| *who != entry.by && *kind != Kind::Notice);
                let mention = viewer.is_some_and(|viewer| is_named(body, &name(viewer)));
                let (kind, reply, body) = (*kind, *reply, Some(body.clone()));
                Event::Message { at, kind, body, reply, mention, notify: None, edited: false }
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
        Act::Dialogue { mode } => Event::Dialogue { at, mode: *mode },
        Act::DialogueEnd { word } => Event::DialogueEnd { at, word: word.clone() },
        _ => return None,
    })
}

/// What who is no member is told of an invitation: that it was made, or that it was declined, which its other
/// devices are to know. `state` is the one before.
pub(crate) fn invitation(state: &State, entry: &Entry, prev: Seq) -> Option<Post> {
    let (room, who) = match entry.deed {
        Deed::In { room, act: Act::Invite { who } } => (room, who),
        Deed::In { room, act: Act::Part } => (room, entry.by),
        _ => return None,
    };
    if state.room(room).members.contains_key(&who) {
        return None;
    }
    let name = |who| state.name(who).to_owned();
    let view = View { place: place(state, room, Some(who)), viewer: Some(who), name: &name };
    let spoken = Spoken::new(Told::Event(event((entry, prev), view)?));
    Some(Post::Account { who, spoken, but: None })
}

/// What all halls are told of `entry`; nothing, if it is in no room. Of a room that is deleted, `state` is
/// the one before.
pub(crate) fn post(state: &State, entry: &Entry, prev: Seq) -> Option<Post> {
    if let Deed::Wish(wish) = &entry.deed {
        let spoken = Spoken::new(Told::Event(noticing::wish(state, entry.by, wish)));
        return Some(Post::Account { who: entry.by, spoken, but: None });
    }
    let room = entry.room()?;
    let told = |viewer, why| {
        let name = |who| state.name(who).to_owned();
        let view = View { place: place(state, room, viewer), viewer, name: &name };
        let event = noticed(event((entry, prev), view)?, why);
        Some(Spoken::new(Told::Event(event)))
    };
    if let Deed::In { act: Act::Read { .. }, .. } = entry.deed {
        let spoken = told(Some(entry.by), None)?;
        return Some(Post::Account { who: entry.by, spoken, but: None });
    }
    let common = told(None, None)?;
    let own = noticing::own(state, entry, &told);
    let moves = match entry.deed {
        Deed::Delete { room } => {
            state.room(room).members.keys().map(|who| (*who, Move::Out)).collect()
        }
        _ => moves(entry),
    };
    Some(Post::Room(RoomPost {
        room,
        seq: Some(entry.seq),
        common,
        own,
        haste: Haste::default(),
        moves,
    }))
}

/// Who comes in, or leaves.
fn moves(entry: &Entry) -> Vec<(AccountId, Move)> {
    match &entry.deed {
        Deed::Register { .. }
        | Deed::Unregister { .. }
        | Deed::Administer { .. }
        | Deed::Delete { .. }
        | Deed::Wish(_) => Vec::new(),
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
    use crate::model::{Access, Cid, Level, Millis, Quiet, Why, Wish, Words};

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

    /// The same, and why it is to be noticed, where this was wanted before.
    fn whys(wishes: &[(AccountId, Wish)], said: Deed) -> Vec<(AccountId, bool, Option<Why>)> {
        let mut state = state();
        for (who, wish) in wishes {
            let seq = state.last.0 + 1;
            state.apply(&entry(seq, *who, Deed::Wish(wish.clone())));
        }
        let said = entry(state.last.0 + 1, ANA, said);
        let Some(Post::Room(post)) = post(&state, &said, Seq(4)) else { panic!("no post") };
        let why = |spoken: &Spoken| match &spoken.told {
            Told::Event(Event::Message { mention, notify, .. }) => (*mention, *notify),
            other => panic!("{other:?}"),
        };
        let own = post.own.iter().filter(|(who, _)| *who != ANA);
        own.map(|(who, spoken)| (*who, why(spoken).0, why(spoken).1)).collect()
    }

    #[test]
    fn who_is_to_notice_something_is_told_why() {
        let words = || (BOB, Wish::Words(Words::read("tea")));
        let level = |level| (BOB, Wish::Level { room: LAB, level });
        let quiet = |quiet| (BOB, Wish::Quiet(quiet));
        assert_eq!(whys(&[], say("@bob")), [(BOB, true, Some(Why::Mention))]);
        assert_eq!(whys(&[words()], say("Tea!")), [(BOB, false, Some(Why::Keyword))]);
        assert_eq!(whys(&[words()], say("@bob: tea")), [(BOB, true, Some(Why::Mention))]);
        assert_eq!(whys(&[words()], say("steam")), []);
        assert_eq!(whys(&[level(Level::All)], say("hi")), [(BOB, false, Some(Why::Room))]);
        // That it names somebody is so, whatever it wants to notice.
        assert_eq!(whys(&[level(Level::Nothing)], say("@bob")), [(BOB, true, None)]);
        assert_eq!(whys(&[words(), level(Level::Nothing)], say("tea")), []);
        assert_eq!(whys(&[words(), quiet(Quiet::On)], say("@bob")), [(BOB, true, None)]);
        assert_eq!(whys(&[words(), quiet(Quiet::On)], say("tea")), []);
        for (until, why) in [(7, Some(Why::Mention)), (8, None)] {
            let until = quiet(Quiet::Until(Millis(until)));
            assert_eq!(whys(&[until], say("@bob")), [(BOB, true, why)]);
        }
    }

    #[test]
    fn what_many_are_to_notice_is_spelled_once() {
        let mut state = state();
        for number in 0..50 {
            let who = AccountId(Seq(state.last.0 + 1));
            let name = format!("eve{number}");
            let wish = Wish::Level { room: LAB, level: Level::All };
            for deed in
                [Deed::Register { name }, Deed::In { room: LAB, act: Act::Join }, Deed::Wish(wish)]
            {
                let next = entry(state.last.0 + 1, who, deed);
                state.apply(&next);
            }
        }
        let said = entry(state.last.0 + 1, ANA, say("hi"));
        let Some(Post::Room(post)) = post(&state, &said, Seq(4)) else { panic!("no post") };
        assert_eq!(post.own.len(), 51, "those, and who said it");
        assert!(post.own.is_sorted_by_key(|(who, _)| *who));
        let (_, first) = &post.own[1];
        assert!(post.own[1..].iter().all(|(_, spoken)| std::sync::Arc::ptr_eq(first, spoken)));
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
