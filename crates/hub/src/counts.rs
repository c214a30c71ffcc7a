//! What a hub does, counted since it was opened: how often, how much, how long. No name of anybody is
//! in it, and nothing of what was said.
//!
//! What happens often is counted by who does it, and added here once for many.

mod each;
mod spread;

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

pub use self::spread::Spread;
use self::{each::Each, spread::Spreading};
use crate::{model::Millis, protocol::Code};

/// By which way somebody is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doorway {
    /// Lines in the clear.
    Tcp,
    /// Lines that nobody else reads.
    Tls,
    /// Lines on this machine.
    Unix,
    /// Messages of a `WebSocket`, in the clear or not.
    WebSocket,
    /// Datagrams.
    Udp,
}

/// What becomes of who wants to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// It is somebody.
    LetIn,
    /// What it showed is no good, or it may not now.
    Refused,
    /// It is to try again later.
    PutOff,
}

/// How many came by one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// By which.
    pub by: Doorway,
    /// How many, the whole time.
    pub came: u64,
    /// How many of them are there.
    pub open: u64,
}

/// What was counted until now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Since when.
    pub since: Millis,
    /// Connections, by each way.
    pub connections: Vec<Connections>,
    /// How many connections are somebody's.
    pub clients: u64,
    /// How many accounts they are.
    pub present: u64,
    /// Who wanted to log in.
    pub logins: Vec<(Login, u64)>,
    /// What was refused, by why.
    pub refused: Vec<(Code, u64)>,
    /// What was asked of the desk.
    pub orders: u64,
    /// How much of that is not done yet.
    pub waiting: u64,
    /// Entries of the log that were committed.
    pub entries: u64,
    /// Those of them that somebody said.
    pub messages: u64,
    /// Events of rooms that were handed to clients: one for each client.
    pub handed: u64,
    /// How often a client fell behind in a room, and was told.
    pub lagged: u64,
    /// How long commits took, in microseconds.
    pub commits: Spread,
    /// How many entries were committed at once.
    pub groups: Spread,
    /// Passwords that were hashed.
    pub hashed: u64,
    /// Passwords that are hashed now, or wait for it.
    pub hashing: u64,
}

/// What a hub counts.
#[derive(Debug)]
pub(crate) struct Counts {
    since: Millis,
    came: Each<Doorway, 5>,
    gone: Each<Doorway, 5>,
    logins: Each<Login, 3>,
    refused: Each<Code, { Code::ALL.len() }>,
    ordered: AtomicU64,
    done: AtomicU64,
    clients: AtomicU64,
    present: AtomicU64,
    entries: AtomicU64,
    messages: AtomicU64,
    handed: AtomicU64,
    lagged: AtomicU64,
    commits: Spreading,
    groups: Spreading,
}

/// What the desk has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turnout {
    /// How many orders it has done.
    pub(crate) done: u64,
    /// How many clients are somebody.
    pub(crate) clients: usize,
    /// How many accounts they are.
    pub(crate) present: usize,
}

/// What was written and not committed yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fresh {
    pub(crate) entries: u64,
    pub(crate) messages: u64,
}

/// What a hall told of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handed {
    /// Events of rooms, one for each client.
    pub(crate) events: usize,
    /// Clients that fell behind in a room.
    pub(crate) lagged: usize,
}

/// Up to how many microseconds commits are counted together.
const COMMIT_MICROS: &[u64] = &[
    250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000,
];

/// Up to how many entries groups are counted together.
const GROUP_ENTRIES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

impl Doorway {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Tcp, Self::Tls, Self::Unix, Self::WebSocket, Self::Udp];

    /// As programs read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Unix => "unix",
            Self::WebSocket => "websocket",
            Self::Udp => "udp",
        }
    }
}

impl Login {
    const ALL: [Self; 3] = [Self::LetIn, Self::Refused, Self::PutOff];

    /// As programs read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LetIn => "let_in",
            Self::Refused => "refused",
            Self::PutOff => "put_off",
        }
    }
}

impl Counts {
    /// Nothing yet, of a hub that is opened at `since`.
    pub(crate) fn new(since: Millis) -> Self {
        Self {
            since,
            came: Each::new(Doorway::ALL),
            gone: Each::new(Doorway::ALL),
            logins: Each::new(Login::ALL),
            refused: Each::new(Code::ALL),
            ordered: AtomicU64::default(),
            done: AtomicU64::default(),
            clients: AtomicU64::default(),
            present: AtomicU64::default(),
            entries: AtomicU64::default(),
            messages: AtomicU64::default(),
            handed: AtomicU64::default(),
            lagged: AtomicU64::default(),
            commits: Spreading::new(COMMIT_MICROS),
            groups: Spreading::new(GROUP_ENTRIES),
        }
    }

    /// Somebody came.
    pub(crate) fn come(&self, by: Doorway) {
        self.came.add(by);
    }

    /// Somebody went who had come.
    pub(crate) fn go(&self, by: Doorway) {
        self.gone.add(by);
    }

    /// Somebody wanted to log in.
    pub(crate) fn log_in(&self, login: Login) {
        self.logins.add(login);
    }

    /// Something was refused.
    pub(crate) fn refuse(&self, code: Code) {
        self.refused.add(code);
    }

    /// Something is asked of the desk.
    pub(crate) fn order(&self) {
        self.ordered.fetch_add(1, Relaxed);
    }

    /// How much was ordered of the desk so far.
    pub(crate) fn ordered(&self) -> u64 {
        self.ordered.load(Relaxed)
    }

    /// The desk has done what it knew of.
    pub(crate) fn settle(&self, turnout: Turnout) {
        let Turnout { done, clients, present } = turnout;
        self.done.store(done, Relaxed);
        self.clients.store(number(clients), Relaxed);
        self.present.store(number(present), Relaxed);
    }

    /// A group was committed within `took`.
    pub(crate) fn commit(&self, fresh: Fresh, took: Duration) {
        let Fresh { entries, messages } = fresh;
        self.entries.fetch_add(entries, Relaxed);
        self.messages.fetch_add(messages, Relaxed);
        // Of devices or passwords alone: there is no entry of those.
        if entries > 0 {
            self.groups.add(entries);
        }
        self.commits.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// A hall told a group.
    pub(crate) fn hand(&self, handed: Handed) {
        let Handed { events, lagged } = handed;
        if events > 0 {
            self.handed.fetch_add(number(events), Relaxed);
        }
        if lagged > 0 {
            self.lagged.fetch_add(number(lagged), Relaxed);
        }
    }

    /// All that was counted, and of passwords how many were `hashed`, and are `hashing`.
    ///
    /// What is counted meanwhile may be in some of it.
    pub(crate) fn read(&self, (hashed, hashing): (u64, usize)) -> Counted {
        // First what was done, so that no more was done than asked for.
        let (gone, done) = (self.gone.read(), self.done.load(Relaxed));
        let (came, orders) = (self.came.read(), self.ordered.load(Relaxed));
        let connections = came.into_iter().zip(gone).map(|((by, came), (_, gone))| Connections {
            by,
            came,
            open: came.saturating_sub(gone),
        });
        Counted {
            since: self.since,
            connections: connections.collect(),
            clients: self.clients.load(Relaxed),
            present: self.present.load(Relaxed),
            logins: self.logins.read(),
            refused: self.refused.read(),
            orders,
            waiting: orders.saturating_sub(done),
            entries: self.entries.load(Relaxed),
            messages: self.messages.load(Relaxed),
            handed: self.handed.load(Relaxed),
            lagged: self.lagged.load(Relaxed),
            commits: self.commits.read(),
            groups: self.groups.read(),
            hashed,
            hashing: number(hashing),
        }
    }
}

fn number(many: usize) -> u64 {
    u64::try_from(many).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(counted: &Counted, by: Doorway) -> (u64, u64) {
        let found = counted.connections.iter().find(|of| of.by == by).unwrap();
        (found.came, found.open)
    }

    #[test]
    fn who_went_is_there_no_more_and_came_all_the_same() {
        let counts = Counts::new(Millis(7));
        counts.come(Doorway::Tcp);
        counts.come(Doorway::Tcp);
        counts.come(Doorway::Udp);
        counts.go(Doorway::Tcp);
        let counted = counts.read((0, 0));
        assert_eq!(counted.since, Millis(7));
        assert_eq!(open(&counted, Doorway::Tcp), (2, 1));
        assert_eq!(open(&counted, Doorway::Udp), (1, 1));
        assert_eq!(open(&counted, Doorway::Tls), (0, 0));
    }

    #[test]
    fn what_is_asked_waits_until_the_desk_has_done_it() {
        let counts = Counts::new(Millis(0));
        (0..5).for_each(|_| counts.order());
        assert_eq!(counts.read((0, 0)).waiting, 5);
        counts.settle(Turnout { done: 3, clients: 2, present: 1 });
        let counted = counts.read((4, 1));
        assert_eq!((counted.orders, counted.waiting), (5, 2));
        assert_eq!((counted.clients, counted.present), (2, 1));
        assert_eq!((counted.hashed, counted.hashing), (4, 1));
    }

    #[test]
    fn what_is_committed_at_once_is_counted_once() {
        let counts = Counts::new(Millis(0));
        counts.commit(Fresh { entries: 3, messages: 2 }, Duration::from_micros(251));
        counts.commit(Fresh { entries: 600, messages: 0 }, Duration::from_secs(9));
        // Of devices alone, or passwords.
        counts.commit(Fresh::default(), Duration::ZERO);
        counts.hand(Handed { events: 1000, lagged: 1 });
        let counted = counts.read((0, 0));
        assert_eq!((counted.entries, counted.messages), (603, 2));
        assert_eq!((counted.handed, counted.lagged), (1000, 1));
        assert_eq!(counted.commits.counts[..2], [1, 1]);
        assert_eq!((counted.commits.times(), counted.groups.times()), (3, 2));
        assert_eq!(
            (counted.commits.counts.last(), counted.groups.counts.last()),
            (Some(&1), Some(&1))
        );
        assert_eq!(counted.commits.sum, 9_000_251);
    }

    #[test]
    fn whatever_is_refused_is_counted_under_its_code() {
        let counts = Counts::new(Millis(0));
        for code in Code::ALL {
            counts.refuse(code);
        }
        counts.refuse(Code::Internal);
        counts.log_in(Login::PutOff);
        let counted = counts.read((0, 0));
        let refused: Vec<_> = counted.refused.iter().map(|(_, times)| *times).collect();
        assert_eq!(refused[..37], [1; 37]);
        assert_eq!(counted.refused.last(), Some(&(Code::Internal, 2)));
        assert_eq!(counted.logins.last(), Some(&(Login::PutOff, 1)));
    }
}
