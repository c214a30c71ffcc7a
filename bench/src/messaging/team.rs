//! A hub's store with people in it, made without asking a hub for each: passwords alone would take
//! a minute.

use std::path::Path;

use anyhow::{Context, Result};
use relais_hub::{
    model::{Access, AccountId, Act, Deed, Entry, Kind, Millis, RoomId, Seq, State},
    proof::Token,
    store::{self, More, Session, Stays, Store},
};
use rustix::rand::{GetRandomFlags, getrandom};

use super::tongue::ROOM;
use crate::words::Words;

/// Who is in a store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Team {
    /// Who can log in by a token, and is in the room of all.
    pub(super) members: usize,
    /// Whether each has a room of its own: `#room-` and its number.
    pub(super) alone: Alone,
    /// Who has an account beside.
    pub(super) others: usize,
    /// What was said in the room of all.
    pub(super) messages: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alone {
    With,
    Without,
}

/// What a store was made with.
#[derive(Clone, Debug, Default)]
pub(super) struct Assembled {
    /// One for each member.
    pub(super) tokens: Vec<String>,
    /// From where to where in the log something was said.
    pub(super) said: (u64, u64),
}

/// Makes a store of `team` in `file`.
pub(super) fn assemble(team: Team, file: &Path) -> Result<Assembled> {
    let (store, state) = Store::open(file, store::Sync::Normal)?;
    let mut maker = Maker { store, state, written: 0 };
    maker.store.begin()?;
    let members = (0..team.members).map(|number| maker.account(&format!("m{number}")));
    let members = members.collect::<Result<Vec<_>>>()?;
    let first = *members.first().context("a team of nobody")?;
    let room = maker.room(first, ROOM)?;
    for &who in &members[1..] {
        maker.act(who, room, Act::Join)?;
    }
    if team.alone == Alone::With {
        for (number, &who) in members.iter().enumerate() {
            maker.room(who, &format!("#room-{number}"))?;
        }
    }
    for number in 0..team.others {
        maker.account(&format!("other{number}"))?;
    }
    let (mut words, begin) = (Words::new(7), maker.state.last.0);
    for number in 0..team.messages {
        let body = words.said();
        let act = Act::Say { kind: Kind::Text, body, reply: None };
        maker.act(members[number % members.len()], room, act)?;
    }
    let said = (begin, maker.state.last.0);
    let tokens = members.iter().map(|who| maker.token(*who)).collect::<Result<_>>()?;
    maker.store.commit()?;
    while maker.store.index_some(INDEXED_AT_ONCE)? == More::Yes {}
    maker.store.checkpoint()?;
    Ok(Assembled { tokens, said })
}

const INDEXED_AT_ONCE: usize = 10_000;

/// How many entries are committed together.
const GROUP: usize = 10_000;

struct Maker {
    store: Store,
    state: State,
    written: usize,
}

impl Maker {
    fn account(&mut self, name: &str) -> Result<AccountId> {
        let who = AccountId(self.next());
        self.write(who, Deed::Register { name: name.to_owned() })?;
        Ok(who)
    }

    fn room(&mut self, owner: AccountId, name: &str) -> Result<RoomId> {
        let room = RoomId(self.next());
        self.write(owner, Deed::Create { name: name.to_owned(), access: Access::Public })?;
        Ok(room)
    }

    fn act(&mut self, who: AccountId, room: RoomId, act: Act) -> Result<()> {
        self.write(who, Deed::In { room, act })
    }

    fn token(&mut self, account: AccountId) -> Result<String> {
        let Token { text, hash } = Token::draw(random);
        let (since, device) = (Millis(1), "bench".to_owned());
        let name = hash.session();
        let session = Session {
            hash: hash.0,
            name,
            account,
            device,
            since,
            seen: since,
            room: None,
            stays: Stays::UntilEnded,
        };
        self.store.add_session(&session)?;
        Ok(text.0.clone())
    }

    fn next(&self) -> Seq {
        Seq(self.state.last.0 + 1)
    }

    fn write(&mut self, by: AccountId, deed: Deed) -> Result<()> {
        let seq = self.next();
        let entry = Entry { seq, at: Millis(SINCE + seq.0), by, cid: None, deed };
        self.state.apply(&entry);
        self.store.write(&entry, &self.state)?;
        self.written += 1;
        if self.written.is_multiple_of(GROUP) {
            self.store.commit()?;
            self.store.begin()?;
        }
        Ok(())
    }
}

/// In 2025, in milliseconds.
const SINCE: u64 = 1_750_000_000_000;

fn random(bytes: &mut [u8]) {
    // Few bytes are given at once, or none while a machine begins.
    while getrandom(&mut *bytes, GetRandomFlags::empty()) != Ok(bytes.len()) {}
}
