//! What is told and written down nowhere: who is there, who is away, who writes, and what administrators say to
//! everybody.

use std::{collections::BTreeSet, sync::Arc};

use super::Desk;
use crate::{
    hall::Post,
    model::{AccountId, RoomId},
    outbox::Spoken,
    protocol::{Answer, Ask, Code, Event, Refusal, Told},
    saying, text,
};

/// The most who are told that somebody comes, goes or writes.
const SHOWN_TO_MAX: usize = 100;

impl Desk {
    /// Tells those who share a small room with `who`; what it says, only those who share one in which it may
    /// speak.
    pub(super) fn show(&mut self, who: AccountId, state: &'static str, text: Option<String>) {
        let user = self.state.account(who).name.clone();
        let rooms = self.state.account(who).rooms.iter().copied();
        let (free, muted): (Vec<_>, Vec<_>) = rooms.partition(|room| !self.is_muted(who, *room));
        let hears = self.near(who, &free);
        let sees = self.near(who, &muted).into_iter().filter(|other| !hears.contains(other));
        let sees: BTreeSet<_> = sees.take(SHOWN_TO_MAX - hears.len()).collect();
        for (others, text) in [(hears, text), (sees, None)] {
            let user = user.clone();
            let spoken = Spoken::new(Told::Event(Event::Presence { user, state, text }));
            let post = |who| Post::Account { who, spoken: Arc::clone(&spoken), but: None };
            self.posts.extend(others.into_iter().map(post));
        }
    }

    fn is_muted(&self, who: AccountId, room: RoomId) -> bool {
        self.state.room(room).standing(who).voice.is_muted(self.now())
    }

    /// Who is there of those who share one of these rooms with `who`, if that is small; not all, where they
    /// are many.
    fn near(&self, who: AccountId, rooms: &[RoomId]) -> BTreeSet<AccountId> {
        let members = rooms.iter().map(|room| &self.state.room(*room).members);
        let others = members
            .filter(|members| members.len() <= SHOWN_TO_MAX)
            .flat_map(|members| members.keys().copied())
            .filter(|other| *other != who && self.online.contains_key(other));
        let others: BTreeSet<_> = others.collect();
        others.into_iter().take(SHOWN_TO_MAX).collect()
    }

    /// What is passed on, and written down nowhere.
    pub(super) fn pass_on(&mut self, by: AccountId, ask: &Ask) -> Result<Answer, Refusal> {
        match ask {
            Ask::Typing { room, on } => {
                let room = self.judge(by).inside(room)?;
                // Who may say nothing is not seen to begin.
                if !*on || !self.is_muted(by, room) {
                    self.show_typing(by, room, *on);
                }
            }
            Ask::Away { text } => self.be_away(by, text.as_deref())?,
            Ask::Announce { body } => self.announce(by, body)?,
            _ => {}
        }
        Ok(Answer::Done)
    }

    /// Somebody is away, or back without a text.
    fn be_away(&mut self, by: AccountId, text: Option<&str>) -> Result<(), Refusal> {
        let text = text.map(|text| text::line(text, &self.limits)).transpose()?;
        let text = text.filter(|text| !text.is_empty());
        let state = if text.is_some() { "away" } else { "online" };
        match &text {
            Some(text) => _ = self.away.insert(by, text.clone()),
            None => _ = self.away.remove(&by),
        }
        self.show(by, state, text);
        Ok(())
    }

    /// Tells everybody something.
    fn announce(&mut self, by: AccountId, body: &str) -> Result<(), Refusal> {
        if !self.state.is_admin(by) {
            return Err(Refusal::of(Code::Forbidden).why("for the administrator of the hub"));
        }
        let body = text::body(body, &self.limits)?;
        let (at, from) = (self.now(), self.state.account(by).name.clone());
        let told = Told::Event(Event::Announce { at, from, body });
        self.posts.push(Post::Everybody(Spoken::new(told)));
        Ok(())
    }

    fn show_typing(&mut self, by: AccountId, room: RoomId, on: bool) {
        let members = &self.state.room(room).members;
        if members.len() > SHOWN_TO_MAX {
            return;
        }
        let user = self.state.account(by).name.clone();
        let others = members.keys().filter(|who| **who != by && self.online.contains_key(who));
        let posts = others.map(|who| {
            let room = saying::place(&self.state, room, Some(*who));
            let told = Told::Event(Event::Typing { room, user: user.clone(), on });
            Post::Account { who: *who, spoken: Spoken::new(told), but: None }
        });
        let posts: Vec<_> = posts.collect();
        self.posts.extend(posts);
    }
}
