//! A hub as simple as it can be thought: all in lists, which are gone through from the start each time.
//! It has no disk, no groups, no indexes, and tells one client after the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    limits::Limits,
    model::{AccountId, Act, Cid, Deed, Entry, Millis, Role, RoomId, Said, Seq, Title, Wishes},
    protocol::{Answer, Ask, Code, Event, Listed, Page, Refusal, Resume, Secret, Told},
};

pub(super) type Ruling<T> = Result<T, Refusal>;

pub(super) struct Person {
    pub(super) name: String,
    pub(super) since: Millis,
    pub(super) away: Option<String>,
    /// Devices: what each session is called, and when it was seen, the oldest first.
    pub(super) sessions: Vec<(String, Millis)>,
    /// What becomes of what it said, if it was deleted.
    pub(super) gone: Option<Said>,
}

pub(super) struct Room {
    pub(super) title: Title,
    pub(super) topic: String,
    pub(super) members: BTreeMap<AccountId, Member>,
    /// Who is invited, by whom, and when.
    pub(super) invited: BTreeMap<AccountId, (AccountId, Millis)>,
    pub(super) banned: BTreeMap<AccountId, Option<Millis>>,
    pub(super) slow_ms: u64,
    /// Whoever was in it, as it was then.
    pub(super) left: BTreeMap<AccountId, Member>,
}

#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) role: Role,
    pub(super) read: Seq,
    pub(super) spoke: Option<Millis>,
    pub(super) muted: Muted,
}

#[derive(Clone, Copy)]
pub(super) enum Muted {
    Not,
    Until(Millis),
    Always,
}

#[derive(Default)]
pub(super) struct Guest {
    /// Who it is, and by what session.
    pub(super) who: Option<(AccountId, String)>,
    pub(super) is_there: bool,
    pub(super) told: Vec<Told>,
    /// Events that wait for older ones.
    pub(super) held: Vec<Event>,
    pub(super) holds: usize,
}

/// What is read once all is written.
pub(super) enum Later {
    Page(RoomId, Page, (usize, Seq)),
    Found(Vec<RoomId>, String, Option<AccountId>, (usize, Seq)),
    Missed(Vec<(RoomId, Seq)>, Seq, Seq),
    Counted(Answer, Seq),
}

pub(super) struct Model {
    pub(super) limits: Limits,
    pub(super) now: Millis,
    pub(super) last: Seq,
    pub(super) people: BTreeMap<AccountId, Person>,
    pub(super) rooms: BTreeMap<RoomId, Room>,
    pub(super) log: Vec<Entry>,
    pub(super) guests: Vec<Guest>,
    pub(super) later: Vec<(usize, Option<u64>, AccountId, Later)>,
    /// Whose connection ends once all is written, and what its session is called.
    pub(super) dismissed: Vec<(usize, String)>,
    /// The sessions that end with their connection.
    pub(super) passing: BTreeSet<String>,
    /// Whether what is to be written finds no disk.
    pub(super) is_lost: bool,
}

pub(super) fn no<T>(code: Code) -> Ruling<T> {
    Err(Refusal::of(code))
}

pub(super) fn is_seen(entry: &Entry) -> bool {
    !matches!(entry.deed, Deed::In { act: Act::Read { .. }, .. })
}

impl Model {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            now: Millis(0),
            last: Seq(0),
            people: BTreeMap::new(),
            rooms: BTreeMap::new(),
            log: Vec::new(),
            guests: Vec::new(),
            later: Vec::new(),
            dismissed: Vec::new(),
            passing: BTreeSet::new(),
            is_lost: false,
        }
    }

    pub(super) fn connect(&mut self) {
        self.guests.push(Guest { is_there: true, ..Guest::default() });
    }

    pub(super) fn restart(&mut self) {
        self.guests.clear();
        for person in self.people.values_mut() {
            person.away = None;
            person.sessions.retain(|(name, _)| !self.passing.contains(name));
        }
    }

    /// The same as to [enter](Self::enter), of who types.
    pub(super) fn type_in(&mut self, asked: (usize, u64), who: AccountId, session: &str) {
        self.passing.insert(session.to_owned());
        self.enter(asked, who, (session, true, None));
    }

    /// The devices that last until they are logged out.
    pub(super) fn lasting(&self, who: AccountId) -> Vec<(String, Millis)> {
        let sessions = self.people[&who].sessions.iter();
        sessions.filter(|(name, _)| !self.passing.contains(name)).cloned().collect()
    }

    pub(super) fn register(&mut self, (guest, re): (usize, u64), name: &str, session: &str) {
        // Nobody is called as somebody was who was deleted.
        let is_same = |person: &Person| person.name.eq_ignore_ascii_case(name);
        let made = if self.people.values().any(is_same) {
            no(Code::AccountExists)
        } else {
            let who = AccountId(Seq(self.last.0 + 1));
            self.write(who, None, Deed::Register { name: name.into() })
        };
        match made {
            Ok(seq) => {
                let (who, since) = (AccountId(seq), self.now);
                let (name, sessions) = (name.to_owned(), Vec::new());
                self.people.insert(who, Person { name, since, away: None, sessions, gone: None });
                self.enter((guest, re), who, (session, true, None));
            }
            Err(refusal) => self.answer(guest, Some(re), Err(refusal)),
        }
    }

    pub(super) fn enter(
        &mut self,
        (guest, re): (usize, u64),
        who: AccountId,
        (session, is_new, resume): (&str, bool, Option<&Resume>),
    ) {
        if self.people[&who].gone.is_some() {
            return self.answer(guest, Some(re), no(Code::BadCredentials));
        }
        if self.online(who) >= self.limits.sessions_an_account_max {
            return self.answer(guest, Some(re), no(Code::TooMany));
        }
        if is_new {
            if self.is_lost {
                return self.answer(guest, Some(re), Err(lost()));
            }
            if !self.passing.contains(session) {
                self.make_room(who);
            }
            let now = self.now;
            self.people.get_mut(&who).unwrap().sessions.push((session.to_owned(), now));
        } else {
            let mut sessions = self.people.get_mut(&who).unwrap().sessions.iter_mut();
            sessions.find(|(name, _)| name == session).unwrap().1 = self.now;
        }
        if self.online(who) == 0 {
            self.show(who, "online", None);
        }
        self.guests[guest].who = Some((who, session.to_owned()));
        let mut answer = Answer::LoggedIn {
            user: self.name(who),
            session: session.to_owned(),
            token: (is_new && !self.passing.contains(session)).then(|| Secret(session.to_owned())),
            cursor: self.last,
            rooms: self.rooms_of(who).iter().map(|room| self.listed(*room, who)).collect(),
            wishes: Wishes::default(),
        };
        if listed(&mut answer).iter().any(has_news) {
            self.guests[guest].holds += 1;
            self.later.push((guest, Some(re), who, Later::Counted(answer, self.last)));
        } else {
            self.answer(guest, Some(re), Ok(answer));
        }
        if let Some(resume) = resume {
            // What it is not in is not resumed.
            let rooms = self.resumed(who, resume).into_iter().flatten().collect();
            self.resume(guest, (None, who), (rooms, resume.furthest()));
        }
    }

    /// Ends the session that was seen longest ago, and that nobody is connected by, if there are as many as
    /// may be.
    fn make_room(&mut self, who: AccountId) {
        let sessions = self.lasting(who);
        if sessions.len() < self.limits.devices_an_account_max {
            return;
        }
        let is_there = |name: &String| {
            let own = |guest: &Guest| guest.who.as_ref().is_some_and(|(_, own)| own == name);
            self.guests.iter().any(own)
        };
        let idle = sessions.iter().filter(|(name, _)| !is_there(name));
        if let Some((oldest, _)) = idle.min_by_key(|(_, seen)| *seen) {
            let person = self.people.get_mut(&who).unwrap();
            person.sessions.retain(|(name, _)| name != oldest);
        }
    }

    pub(super) fn leave(&mut self, guest: usize) {
        let Some((who, session)) = self.guests[guest].who.take() else { return };
        if self.passing.contains(&session) {
            let person = self.people.get_mut(&who).unwrap();
            person.sessions.retain(|(name, _)| *name != session);
        }
        for (_, re, _, later) in
            self.later.extract_if(.., |later| later.0 == guest).collect::<Vec<_>>()
        {
            self.answer(guest, re, no(Code::NotLoggedIn));
            self.release(guest, &later);
        }
        if self.online(who) == 0 {
            self.people.get_mut(&who).unwrap().away = None;
            self.show(who, "offline", None);
        }
    }

    pub(super) fn online(&self, who: AccountId) -> usize {
        let is_who = |guest: &&Guest| guest.who.as_ref().is_some_and(|(is, _)| *is == who);
        self.guests.iter().filter(is_who).count()
    }

    pub(super) fn resume(
        &mut self,
        guest: usize,
        (re, by): (Option<u64>, AccountId),
        (rooms, known): (Vec<(RoomId, Seq)>, Seq),
    ) {
        // Each once, from the earliest place.
        let mut once = Vec::<(RoomId, Seq)>::new();
        for (room, since) in rooms {
            match once.iter_mut().find(|(other, _)| *other == room) {
                Some((_, earliest)) => *earliest = since.min(*earliest),
                None => once.push((room, since)),
            }
        }
        self.guests[guest].holds += 1;
        self.later.push((guest, re, by, Later::Missed(once, known, self.last)));
    }

    /// What a client was told since.
    pub(super) fn told(&mut self, guest: usize) -> Vec<Told> {
        std::mem::take(&mut self.guests[guest].told)
    }
}

impl Room {
    pub(super) fn new(title: Title) -> Self {
        let (topic, members, invited) = (String::new(), BTreeMap::new(), BTreeMap::new());
        let (banned, left) = (BTreeMap::new(), BTreeMap::new());
        Self { title, topic, members, invited, banned, slow_ms: 0, left }
    }

    /// What it holds for or against somebody, who may have been in it, or never.
    pub(super) fn standing(&self, who: AccountId) -> Member {
        let nobody = Member { role: Role::Member, read: Seq(0), spoke: None, muted: Muted::Not };
        let found = self.members.get(&who).or_else(|| self.left.get(&who));
        found.copied().unwrap_or(nobody)
    }

    /// The same, to be changed.
    pub(super) fn held(&mut self, who: AccountId) -> &mut Member {
        if self.members.contains_key(&who) {
            return self.member(who);
        }
        let standing = self.standing(who);
        self.left.entry(who).or_insert(standing)
    }

    pub(super) fn part(&mut self, who: AccountId, role_max: Role) {
        let standing = self.standing(who);
        self.members.remove(&who);
        self.left.insert(who, Member { role: standing.role.min(role_max), ..standing });
    }

    pub(super) fn member(&mut self, who: AccountId) -> &mut Member {
        self.members.get_mut(&who).expect("a member")
    }
}

pub(super) fn lost() -> Refusal {
    Refusal::of(Code::Unavailable).retry_ms(1000)
}

pub(super) fn cid_of(ask: &Ask) -> Option<&Cid> {
    match ask {
        Ask::Message { cid, .. }
        | Ask::Edit { cid, .. }
        | Ask::Redact { cid, .. }
        | Ask::React { cid, .. } => cid.as_ref(),
        _ => None,
    }
}

/// The rooms that an answer lists.
pub(super) fn listed(answer: &mut Answer) -> &mut [Listed] {
    match answer {
        Answer::LoggedIn { rooms, .. } | Answer::Rooms { rooms, .. } => rooms,
        Answer::Joined(room) => std::slice::from_mut(room),
        _ => &mut [],
    }
}

/// Whether something came of a room that who is in it did not read.
pub(super) fn has_news(listed: &Listed) -> bool {
    listed.mine.is_some_and(|(read, _)| listed.last > read)
}
