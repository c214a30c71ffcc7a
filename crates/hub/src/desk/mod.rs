//! Where the log grows: one thread that judges what is asked, writes it down, and says so. All
//! that clients ask for passes here, in one order.
//!
//! What is asked at once is committed at once, and nobody is told of it before.

mod accounts;
mod asking;
mod certificates;
mod chore;
mod chores;
mod clock;
mod committing;
mod counting;
mod devices;
mod forgetting;
mod furniture;
mod hooks;
mod listing;
mod mending;
mod order;
mod pace;
mod presence;
mod reading;
mod seating;
mod sessions;
#[cfg(test)]
mod tests;
mod tidying;
mod trouble;
mod undoing;
mod upkeep;
mod waking;
mod writing;

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::Arc,
    time::SystemTime,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

pub(crate) use self::chore::{Chore, Outcome};
pub(crate) use self::clock::Before;
pub(crate) use self::devices::Devices;
pub(crate) use self::furniture::Furniture;
pub(crate) use self::order::{
    Admission, Entered, Entering, Entrance, Hooked, NewDevice, Order, Proof, Shown, Waking,
};
use self::{
    clock::Clock, mending::Mending, order::Asked, pace::Pace, trouble::Trouble, undoing::Ground,
    upkeep::Upkeep,
};
use crate::{
    archive::{Job, Reader},
    counts::{Counts, Fresh},
    hall::{ClientId, Group, Post},
    limits::Limits,
    model::{AccountId, Entry, Millis, Seq, State},
    names::Names,
    outbox::Spoken,
    protocol::{Answer, Code, Refusal, Told},
    rules::Past,
    store::{Broken, Store},
};

/// The most that is committed at once.
const GROUP_MAX: usize = 512;

/// Who writes the log.
#[derive(Debug)]
pub(crate) struct Desk {
    state: State,
    store: Store,
    limits: Arc<Limits>,
    clock: fn() -> SystemTime,
    reader: Reader,
    halls: Vec<mpsc::UnboundedSender<Arc<Group>>>,
    /// How fast accounts say things.
    pace: Pace,
    /// How fast they ask for what is not written down.
    lookups: Pace,
    names: Arc<Names>,
    /// How many clients each account has.
    online: HashMap<AccountId, usize>,
    /// Who each client is, and what its session is called.
    clients: HashMap<ClientId, (AccountId, String)>,
    /// Who hears events by datagrams, and who did before that.
    moved: HashMap<ClientId, ClientId>,
    /// What accounts say about being away.
    away: HashMap<AccountId, String>,
    /// Who came in, and is to know it.
    entered: Vec<(ClientId, oneshot::Sender<Entering>, Entered)>,
    /// What who runs the hub had done, and is to know it.
    ran: Vec<(oneshot::Sender<Result<Outcome, Refusal>>, Outcome)>,
    /// What is still to be done of what was ordered: a bug in one order takes no other with it.
    orders: VecDeque<Order>,
    /// Whose connection ends once what was written is committed, and what its session is called.
    dismissed: Vec<(ClientId, String)>,
    /// Which posts are told whether or not what was written is committed.
    certain: Vec<Range<usize>>,
    /// Who is asked for, to be told once what was written is committed.
    looks: Vec<Order>,
    /// What is to be read once what was written is committed.
    jobs: Vec<Job>,
    /// When the last entry was written.
    last_at: Millis,
    time: Clock,
    mending: Mending,
    upkeep: Upkeep,
    devices: Devices,
    trouble: Trouble,
    /// What is to be told once what was written is committed.
    posts: Group,
    /// Who asked since the last commit.
    asked: Vec<Asked>,
    is_writing: bool,
    ground: Ground,
    counts: Arc<Counts>,
    /// What is written and not counted yet.
    fresh: Fresh,
    /// How many orders were begun, whatever became of them.
    done: u64,
}

impl Desk {
    /// Does what is ordered, until nobody is there to order anything. Blocks: it wants a thread.
    pub(crate) async fn run(&mut self, orders: &mut mpsc::UnboundedReceiver<Order>) {
        let mut some = Vec::with_capacity(GROUP_MAX);
        // The rest of what was ordered with what a bug ended.
        self.work_off();
        loop {
            let patience = self.upkeep.patience().min(self.devices.patience());
            match timeout(patience, orders.recv_many(&mut some, GROUP_MAX)).await {
                Ok(0) => return,
                Ok(_) => {
                    self.orders.extend(some.drain(..));
                    self.work_off();
                }
                // Nobody asks: a good time for what else there is.
                Err(_) => {}
            }
            self.keep_up();
        }
    }

    /// Does what was ordered so far, and commits it.
    fn work_off(&mut self) {
        if self.orders.is_empty() {
            return;
        }
        while let Some(order) = self.orders.pop_front() {
            self.done += 1;
            self.obey(order);
        }
        self.settle();
        self.publish();
    }

    /// Goes on after a bug ended what was asked last: of what was not committed nothing is done.
    pub(crate) fn recover(&mut self) {
        self.undo(&Broken::Bug);
        self.tell_halls();
    }

    fn obey(&mut self, order: Order) {
        if self.trouble.is_likely() {
            // Each for itself: who only reads is not refused with who wants something written.
            self.settle();
        }
        match order {
            Order::Open { hall, number } => {
                // What was posted before is not this hall's.
                self.settle();
                self.halls.push(hall);
                _ = number.send(self.halls.len() - 1);
            }
            Order::Find { .. } | Order::Hooked { .. } => {
                self.looks.push(order);
            }
            Order::Hook { client, account, re, room, hook } => {
                let keep = |desk: &mut Self| desk.make_hook(account, &room, hook).map(Some);
                self.answer_who((client, re), account, keep);
            }
            Order::Certify { client, account, re, name, fingerprint } => {
                let know = |desk: &mut Self| desk.know(account, (&name, fingerprint)).map(Some);
                self.answer_who((client, re), account, know);
            }
            Order::Register { client, re, name, phc, admission, device, entered } => {
                let account = (name, phc);
                let register =
                    |desk: &mut Self| desk.register((client, re), account, admission, device);
                self.admit((client, re), register, entered);
            }
            Order::Enter { client, re, entry, entered } => {
                let enter = |desk: &mut Self| desk.enter((client, re), entry);
                self.admit((client, re), enter, entered);
            }
            Order::Repassword { client, re, shown, phc } => {
                let change = |desk: &mut Self| desk.change_password(&shown, &phc).map(Some);
                self.answer_who((client, re), shown.account, change);
            }
            Order::Unregister { client, re, shown, said } => {
                let go = |desk: &mut Self| desk.unregister_itself(&shown, said).map(Some);
                self.answer_who((client, re), shown.account, go);
                // What was undone may be in the state yet: by that nobody is judged.
                if self.ground == Ground::Sound {
                    self.dismiss(shown.account);
                }
            }
            Order::Run { chore, done } => self.run_chore(chore, done),
            Order::Close { closed } => {
                self.settle();
                self.close();
                _ = closed.send(());
            }
            Order::Wake { client, waking, woken } => _ = woken.send(self.wake(client, waking)),
            Order::Leave { client } => self.see_off(client),
            Order::Ask { client, account, re, ask } => {
                self.answer_who((client, re), account, |desk| desk.ask((client, re), account, ask));
            }
            Order::Post { client, account, hash, ask } => {
                let post = |desk: &mut Self| desk.post(client, (account, &hash), ask);
                self.answer((client, None), post);
            }
        }
    }

    /// Has `answering` done, and posts what comes of it: nothing, if that is told later.
    fn answer(
        &mut self,
        (client, re): Asked,
        answering: impl FnOnce(&mut Self) -> Result<Option<Answer>, Refusal>,
    ) {
        self.asked.push((client, re));
        let is_sound = self.sound().map_err(|error| broken(&error));
        let answer = is_sound.and_then(|()| answering(self)).transpose();
        // Where all was undone, who asked was told so.
        if let Some(answer) = answer.filter(|_| !self.asked.is_empty()) {
            self.tell(client, Told::Answer { re, answer });
        }
    }

    /// The same of what a client asked that was `who` then, if it is that yet.
    fn answer_who(
        &mut self,
        asked: Asked,
        who: AccountId,
        answering: impl FnOnce(&mut Self) -> Result<Option<Answer>, Refusal>,
    ) {
        self.answer(asked, |desk| {
            desk.is_yet(asked.0, who)?;
            answering(desk)
        });
    }

    /// The same for who comes in, and is to know who it is once that is written down.
    fn admit(
        &mut self,
        asked: Asked,
        admitting: impl FnOnce(&mut Self) -> Result<(Entered, Option<Answer>), Refusal>,
        entered: oneshot::Sender<Entering>,
    ) {
        self.answer(asked, |desk| match admitting(desk) {
            Ok((who, answer)) => {
                desk.entered.push((asked.0, entered, who));
                Ok(answer)
            }
            Err(refusal) => {
                _ = entered.send(Err(refusal.code));
                Err(refusal)
            }
        });
    }

    fn tell(&mut self, client: ClientId, told: Told) {
        self.posts.push(Post::One(client, Spoken::new(told)));
    }
}

/// What a client is told of a store that fails.
fn broken(error: &Broken) -> Refusal {
    let code = match error {
        Broken::Full { .. } => Code::StoreFull,
        _ => Code::Unavailable,
    };
    Refusal::of(code).retry_ms(RETRY_MS)
}

const RETRY_MS: u64 = 1000;

impl Past for Store {
    fn entry(&self, seq: Seq) -> Option<Entry> {
        // What cannot be read is told when it is to be written.
        self.entry(seq).ok().flatten()
    }
}
