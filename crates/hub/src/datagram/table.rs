//! All who speak by datagrams with a hub: few for each account, and not more in all than memory is
//! for.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use relais_wire::datagram::Sid;
use tokio::{sync::mpsc, time::Instant};

use super::Association;
use crate::{hall::ClientId, model::AccountId, protocol::EventsBy};

/// How long an association is good for.
pub(crate) const LASTS: Duration = Duration::from_hours(24);

/// The frames that a client said, on their way to its session. Few: an association has only so many
/// under way.
pub(crate) type Lines = mpsc::UnboundedReceiver<Vec<u8>>;

/// Who speaks by datagrams.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) account: AccountId,
    pub(crate) user: String,
    pub(crate) session: String,
    /// By which way it hears events.
    pub(crate) events: EventsBy,
    /// Who it is by the connection that it asked over.
    pub(crate) client: ClientId,
}

/// Somebody who speaks by datagrams, or did, and may again.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) sid: Sid,
    pub(crate) owner: Owner,
    expires_at: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) association: Association,
    /// The way to its session, while it has one.
    lines: Option<mpsc::UnboundedSender<Vec<u8>>>,
    /// Whether that is known to all who tell it something.
    is_in: bool,
    /// Whom to wake when something was confirmed.
    waker: Option<Waker>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Table {
    held: HashMap<Sid, Arc<Held>>,
    /// Those of each account: every one that is held, and no other.
    accounts: HashMap<AccountId, Vec<Sid>>,
    account_max: usize,
    all_max: usize,
}

/// As many speak by datagrams as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Held {
    pub(crate) fn new((sid, owner): (Sid, Owner), association: Association, now: Instant) -> Self {
        let state = State { association, lines: None, is_in: false, waker: None };
        Self { sid, owner, expires_at: now + LASTS, state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes its session away, if it has one: that ends.
    fn end(&self) {
        let mut state = self.state();
        state.lines = None;
        state.wake();
    }

    /// When it was heard last.
    fn heard_at(&self) -> Instant {
        self.state().association.heard_at()
    }

    fn is_awake(&self) -> bool {
        self.state().lines.is_some()
    }
}

impl State {
    /// Begins a session, of which this is the way there; `None` if it has one.
    pub(crate) fn begin(&mut self) -> Option<Lines> {
        if self.lines.is_some() {
            return None;
        }
        let (way, lines) = mpsc::unbounded_channel();
        self.lines = Some(way);
        Some(lines)
    }

    /// The session is over: it may begin anew once the client shows where it is.
    pub(crate) fn sleep(&mut self) {
        (self.lines, self.is_in) = (None, false);
        self.association.sleep();
    }

    /// Whether its session is known to all who tell it something.
    pub(crate) fn is_in(&self) -> bool {
        self.is_in
    }

    /// It is from here on.
    pub(crate) fn come_in(&mut self) {
        self.is_in = true;
    }

    /// Passes on what the client asks.
    pub(crate) fn pass_on(&mut self, frame: Vec<u8>) {
        if let Some(lines) = &self.lines {
            // A session that ends takes nothing more.
            _ = lines.send(frame);
        }
    }

    /// Has the session look again at what there is to do.
    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Has `waker` be woken then.
    pub(crate) fn wait(&mut self, waker: &Waker) {
        self.waker = Some(waker.clone());
    }

    /// What is to be sent to the client for `frame`, and where it is; `None` if nobody knows.
    pub(crate) fn tell(&mut self, frame: &[u8], now: Instant) -> Option<(Vec<u8>, SocketAddr)> {
        let address = self.association.address()?;
        Some((self.association.tell(frame, now), address))
    }
}

impl Table {
    /// One for so many, and so many of each account.
    pub(crate) fn new(all_max: usize, account_max: usize) -> Self {
        Self { held: HashMap::new(), accounts: HashMap::new(), account_max, all_max }
    }

    /// Adds somebody. An earlier one of the same session gives way, as does, of an account that has as
    /// many as may be, the one that was silent for longest.
    ///
    /// *Cost*: a look at those of the account; at all of them, if there are as many as may be.
    ///
    /// # Errors
    ///
    /// [`Full`], if all have as many as may be, and all of them are awake.
    pub(crate) fn add(&mut self, new: Arc<Held>, now: Instant) -> Result<(), Full> {
        let owner = &new.owner;
        let own = self.accounts.get(&owner.account).into_iter().flatten();
        let own: Vec<_> = own.filter_map(|sid| self.held.get(sid)).collect();
        let same = own.iter().find(|held| held.owner.session == owner.session);
        let gives_way = match same {
            Some(same) => Some(same.sid),
            None if own.len() >= self.account_max => {
                own.iter().min_by_key(|held| held.heard_at()).map(|held| held.sid)
            }
            None if self.held.len() >= self.all_max => Some(self.idle(now)?),
            None => None,
        };
        if let Some(sid) = gives_way {
            self.remove(sid);
        }
        self.accounts.entry(new.owner.account).or_default().push(new.sid);
        self.held.insert(new.sid, new);
        Ok(())
    }

    /// Who is of least use: whose time is over, or who is asleep for longest.
    fn idle(&self, now: Instant) -> Result<Sid, Full> {
        let over = self.held.values().find(|held| held.expires_at <= now);
        let asleep = || {
            let asleep = self.held.values().filter(|held| !held.is_awake());
            asleep.min_by_key(|held| held.heard_at())
        };
        over.or_else(asleep).map(|held| held.sid).ok_or(Full)
    }

    /// Who is called `sid`.
    pub(crate) fn find(&mut self, sid: Sid, now: Instant) -> Option<Arc<Held>> {
        let held = self.held.get(&sid)?;
        if held.expires_at <= now {
            self.remove(sid);
            return None;
        }
        Some(Arc::clone(held))
    }

    /// Forgets somebody, and the key with it.
    pub(crate) fn remove(&mut self, sid: Sid) {
        let Some(held) = self.held.remove(&sid) else { return };
        held.end();
        if let Some(own) = self.accounts.get_mut(&held.owner.account) {
            own.retain(|own| *own != sid);
            if own.is_empty() {
                self.accounts.remove(&held.owner.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{datagram::Form, hall::Key};

    fn held(sid: u8, account: u64, session: &str, at: Instant) -> Arc<Held> {
        let owner = Owner {
            account: AccountId(crate::model::Seq(account)),
            user: "ana".into(),
            session: session.into(),
            events: EventsBy::Udp,
            client: ClientId { hall: 0, key: Key(1) },
        };
        let sid = [sid; 8];
        let association = Association::new((sid, Form::Sealed), &[sid[0]; 32], at);
        Arc::new(Held::new((sid, owner), association, at))
    }

    fn there(table: &mut Table, now: Instant) -> Vec<u8> {
        (0..9).filter(|sid| table.find([*sid; 8], now).is_some()).collect()
    }

    #[test]
    fn a_session_has_one_and_an_account_a_few() {
        let (mut table, now) = (Table::new(100, 2), Instant::now());
        let first = held(1, 1, "s_a", now);
        let mut lines = first.state().begin().unwrap();
        assert!(first.state().begin().is_none());
        table.add(first, now).unwrap();
        table.add(held(2, 1, "s_a", now), now).unwrap();
        assert_eq!(there(&mut table, now), [2]);
        assert_eq!(lines.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
        let later = now + Duration::from_secs(1);
        table.add(held(3, 1, "s_b", later), later).unwrap();
        table.add(held(4, 2, "s_a", now), now).unwrap();
        table.add(held(5, 1, "s_c", later), later).unwrap();
        assert_eq!(there(&mut table, later), [3, 4, 5]);
    }

    #[test]
    fn a_full_table_forgets_who_is_asleep_and_nobody_else() {
        let (mut table, now) = (Table::new(2, 2), Instant::now());
        let awake = held(1, 1, "s_a", now);
        let _lines = awake.state().begin();
        table.add(awake, now).unwrap();
        table.add(held(2, 2, "s_a", now), now).unwrap();
        let third = held(3, 3, "s_a", now);
        let _more = third.state().begin();
        table.add(third, now).unwrap();
        assert_eq!(there(&mut table, now), [1, 3]);
        assert_eq!(table.add(held(4, 4, "s_a", now), now), Err(Full));
    }

    #[test]
    fn after_a_day_it_is_over() {
        let (mut table, now) = (Table::new(2, 2), Instant::now());
        table.add(held(1, 1, "s_a", now), now).unwrap();
        assert_eq!(there(&mut table, now + LASTS - Duration::from_secs(1)), [1]);
        assert!(there(&mut table, now + LASTS).is_empty());
        assert!(table.accounts.is_empty());
    }
}
