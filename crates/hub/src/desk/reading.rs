//! What is asked of the log and of who is there, and changes nothing.

use std::{cmp::Reverse, collections::HashMap};

use super::{Desk, broken, order::Asked};
use crate::{
    archive::{Job, Query, Wanted},
    hall::{ClientId, Post},
    model::{AccountId, Role, Room, RoomId, Seq, Title},
    protocol::{Answer, Ask, Code, Place, Refusal, Resume},
    rules::Judge,
    saying,
    store::{Store, WORDS_CHARS_MAX, chars_of_words},
};

impl Desk {
    pub(super) fn judge(&self, by: AccountId) -> Judge<'_, Store> {
        let Self { state, store: past, limits, .. } = self;
        Judge { state, past, limits, by, now: self.now(), next: self.next() }
    }

    /// What was asked for is so already.
    pub(super) fn done(&mut self, asked: Asked, by: AccountId, ask: &Ask) -> Option<Answer> {
        let Some(room) = self.entered(by, ask) else { return Some(Answer::Done) };
        let listing = |rooms: Vec<_>| rooms.into_iter().next().map_or(Answer::Done, Answer::Joined);
        self.list(asked, by, &[room], listing)
    }

    /// Lists rooms, and how much of each was not read.
    pub(super) fn list_rooms(
        &mut self,
        asked: Asked,
        by: AccountId,
        matching: Option<&str>,
    ) -> Option<Answer> {
        let mut rooms = self.rooms(by, matching);
        let more = rooms.len() > self.limits.rooms_listed_max;
        self.put_first(&mut rooms, by);
        self.list(asked, by, &rooms, |rooms| Answer::Rooms { rooms, more })
    }

    /// Answers from what is in memory.
    pub(super) fn look(
        &self,
        (client, by): (ClientId, AccountId),
        ask: &Ask,
    ) -> Result<Answer, Refusal> {
        match ask {
            Ask::Who { room } => {
                let id = self.judge(by).known(room)?;
                Ok(self.list_members(id))
            }
            Ask::Whois { user } => {
                let who = self.judge(by).person(user)?;
                let account = self.state.account(who);
                let (user, since) = (account.name.clone(), account.since);
                let online = self.online.contains_key(&who);
                Ok(Answer::Person { user, since, online, away: self.away.get(&who).cloned() })
            }
            Ask::Sessions => self.list_devices(client, by),
            _ => Ok(Answer::Done),
        }
    }

    /// Lists who is in a room. Of more than are listed first those who may moderate, then those who are there.
    fn list_members(&self, room: RoomId) -> Answer {
        let members = &self.state.room(room).members;
        let most = self.limits.members_listed_max;
        let more = members.len() > most;
        let rank = |who: &AccountId, role: Role| match (more, role) {
            (false, _) | (true, Role::Owner | Role::Moderator) => 0,
            (true, Role::Member) => 2 - usize::from(self.online.contains_key(who)),
        };
        let ranked = |wanted: usize| {
            members.iter().filter(move |(who, member)| rank(who, member.role) == wanted)
        };
        let listed = (0..=2).flat_map(ranked).take(most).map(|(who, member)| {
            let name = self.state.account(*who).name.clone();
            (name, member.role, self.online.contains_key(who))
        });
        Answer::Members { members: listed.collect(), more }
    }

    fn list_devices(&self, client: ClientId, by: AccountId) -> Result<Answer, Refusal> {
        let sessions = self.devices_of(by).map_err(|error| broken(&error))?;
        let own = self.clients.get(&client).map(|(_, session)| session);
        let named = sessions.into_iter().map(|one| {
            let is_own = own == Some(&one.name);
            (one.device, one.name, one.seen, is_own)
        });
        Ok(Answer::Sessions(named.collect()))
    }

    fn rooms(&self, by: AccountId, matching: Option<&str>) -> Vec<RoomId> {
        let judge = self.judge(by);
        let matching = matching.unwrap_or("").to_lowercase();
        if let Some(name) = matching.strip_prefix('@') {
            return self.talks(by, name);
        }
        let is_wanted = |title: &Title| match title {
            Title::Named(name, _) => name.to_lowercase().contains(&matching),
            Title::Talk(..) => false,
        };
        let rooms = self.state.rooms().filter(|(_, room)| is_wanted(&room.title));
        rooms.filter(|(_, room)| judge.may_know_of(room)).map(|(id, _)| id).collect()
    }

    /// Keeps as many as are listed of `rooms`: first those that `by` is in or was invited to, then those
    /// that most are in, then those in which something happened last.
    fn put_first(&self, rooms: &mut Vec<RoomId>, by: AccountId) {
        rooms.sort_by_cached_key(|room| {
            let Room { members, invited, last, .. } = self.state.room(*room);
            let is_own = members.contains_key(&by) || invited.contains_key(&by);
            Reverse((is_own, members.len(), *last))
        });
        rooms.truncate(self.limits.rooms_listed_max);
    }

    /// With whom `by` speaks whose name has `matching` in it.
    fn talks(&self, by: AccountId, matching: &str) -> Vec<RoomId> {
        let is_wanted = |room: &RoomId| {
            let other = self.state.room(*room).other(by);
            let name = other.map(|other| self.state.account(other).name.to_lowercase());
            name.is_some_and(|name| name.contains(matching))
        };
        self.state.account(by).rooms.iter().copied().filter(is_wanted).collect()
    }

    /// Has the archive answer what it takes the disk to know.
    pub(super) fn read(
        &mut self,
        (client, re): Asked,
        by: AccountId,
        ask: Ask,
    ) -> Result<(), Refusal> {
        // Who is not there any more when it is read sees nothing that came behind.
        let upto = self.state.last;
        let query = match ask {
            Ask::History { room, page, limit, messages } => {
                let room = self.judge(by).inside(&room)?;
                let most = self.limits.page_max;
                // How much happened to so many messages is known once it is read.
                let usual = if messages.is_some() { most } else { PAGE_USUAL };
                let limit = limit.unwrap_or(usual).clamp(1, most);
                Query::Page { room: self.placed(room, by), page, limit, messages, upto }
            }
            Ask::Search { words, room, from, limit } => {
                is_sought_whole(&words)?;
                let rooms = self.searched(by, room.as_ref())?;
                let from = from.map(|from| self.judge(by).person(&from)).transpose()?;
                let limit = limit.unwrap_or(PAGE_USUAL).clamp(1, self.limits.found_max);
                Query::Found { rooms, words, from, limit, upto }
            }
            Ask::Export { after } => Query::Written { after: after.unwrap_or_default(), upto },
            Ask::Resume(resume) => {
                let rooms = self.rooms_to_resume(by, &resume);
                let rooms = rooms.into_iter().collect::<Result<_, _>>()?;
                self.resume((client, re), by, (rooms, resume.furthest()));
                return Ok(());
            }
            _ => return Err(Refusal::of(Code::UnknownCommand)),
        };
        self.read_later((client, re), by, query);
        Ok(())
    }

    /// In which rooms is searched: in one that is named, or in all that `by` is in.
    fn searched(
        &self,
        by: AccountId,
        room: Option<&Place>,
    ) -> Result<Vec<(RoomId, Place)>, Refusal> {
        let rooms = match room {
            Some(room) => vec![self.judge(by).inside(room)?],
            None => self.state.account(by).rooms.iter().copied().collect(),
        };
        Ok(rooms.into_iter().map(|room| self.placed(room, by)).collect())
    }

    fn placed(&self, room: RoomId, by: AccountId) -> (RoomId, Place) {
        (room, saying::place(&self.state, room, Some(by)))
    }

    /// The rooms that are resumed, each behind an entry, or why one is not.
    pub(super) fn rooms_to_resume(
        &self,
        by: AccountId,
        resume: &Resume,
    ) -> Vec<Result<(RoomId, Seq), Refusal>> {
        match resume {
            Resume::Since(since) => {
                let rooms = self.state.account(by).rooms.iter();
                rooms.map(|room| Ok((*room, *since))).collect()
            }
            // As many as a frame has, which may be one in many spellings.
            Resume::Rooms(rooms) => {
                let judge = self.judge(by);
                let rooms = rooms.iter();
                rooms.map(|(room, since)| Ok((judge.inside(room)?, *since))).collect()
            }
        }
    }

    /// Has a client be told what it missed, then that this was all; before that, if the log does not have
    /// all up to the entry `known`. It is told of what happens from here on behind that; what was missed is
    /// older. A room that is there twice counts once.
    pub(super) fn resume(
        &mut self,
        (client, re): Asked,
        by: AccountId,
        (rooms, known): (Vec<(RoomId, Seq)>, Seq),
    ) {
        let rooms = once(rooms);
        self.posts.push(Post::Hold(client));
        let upto = self.state.last;
        // Who fell behind in one of them is told of it again.
        let again = rooms.iter().map(|(room, _)| Post::Again { who: client, room: *room, upto });
        self.posts.extend(again);
        // No entry says so.
        let turns = rooms.iter().filter_map(|(room, _)| saying::turn(&self.state, *room, by));
        let turns = turns.collect();
        let news = rooms.into_iter().filter(|(room, since)| self.state.room(*room).last > *since);
        let rooms = news.map(|(room, since)| {
            let (room, place) = self.placed(room, by);
            (room, place, since)
        });
        let query = Query::Missed {
            rooms: rooms.collect(),
            known,
            upto,
            turns,
            attention: self.state.attention(by),
        };
        self.read_later((client, re), by, query);
    }

    /// Once what is not committed yet is: the archive does not see it before.
    pub(super) fn read_later(&mut self, (client, re): Asked, by: AccountId, query: Query) {
        let hall = self.halls[client.hall].clone();
        self.jobs.push(Job { client, re, by, hall, query, wanted: Wanted::default() });
    }
}

/// Whether all words are searched for.
fn is_sought_whole(words: &str) -> Result<(), Refusal> {
    let chars = chars_of_words(words);
    if chars <= WORDS_CHARS_MAX {
        return Ok(());
    }
    let why = format!("words of {chars} characters: expected at most {WORDS_CHARS_MAX}");
    Err(Refusal::of(Code::TooLong).field("q").why(why))
}

/// Each room once, where it was named first: behind the earliest of its entries.
fn once(rooms: Vec<(RoomId, Seq)>) -> Vec<(RoomId, Seq)> {
    let mut earliest = HashMap::with_capacity(rooms.len());
    for (room, since) in &rooms {
        let earlier = earliest.entry(*room).or_insert(*since);
        *earlier = (*earlier).min(*since);
    }
    rooms.into_iter().filter_map(|(room, _)| earliest.remove_entry(&room)).collect()
}

/// How much of what was said is given to who does not say how much.
const PAGE_USUAL: usize = 50;
