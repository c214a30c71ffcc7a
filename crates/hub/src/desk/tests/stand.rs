//! A hub without sockets and threads: its desk, two halls, who reads its log, and clients at its outboxes.

use std::{
    cell::Cell,
    collections::VecDeque,
    path::PathBuf,
    sync::Arc,
    task::{Context, Waker},
    time::{Duration, SystemTime},
};

use tempfile::TempDir;
use tokio::sync::{
    mpsc::{self, UnboundedReceiver},
    oneshot,
};

use crate::{
    archive::{Bounds, ByHand, Reader},
    counts::Counts,
    desk::{Admission, Before, Desk, Devices, Entrance, Furniture, NewDevice, Order, Proof, Shown},
    hall::{ClientId, Group, Hall},
    limits::Limits,
    model::{AccountId, Millis, Said},
    names::Names,
    outbox::Outbox,
    proof::TokenHash,
    protocol::{Ask, Event, Refusal, Resume, Secret, Told},
    store::{Stays, Store, Sync},
};

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
}

/// Has it be `now`.
pub(super) fn set_clock(now: Millis) {
    NOW.set(now.0);
}

fn clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(NOW.get())
}

/// A hub, and its clients.
pub(super) struct Stand {
    folder: TempDir,
    limits: Arc<Limits>,
    desk: Option<Desk>,
    reader: Option<ByHand>,
    halls: Vec<(Arc<Hall>, UnboundedReceiver<Arc<Group>>)>,
    guests: Vec<Guest>,
    devices: u64,
}

struct Guest {
    id: ClientId,
    outbox: Arc<Outbox>,
}

impl Stand {
    /// One that nobody came to yet.
    pub(super) fn new(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut stand = Self {
            folder,
            limits: Arc::new(limits),
            desk: None,
            reader: None,
            halls: Vec::new(),
            guests: Vec::new(),
            devices: 0,
        };
        stand.start();
        stand
    }

    /// Ends the hub, and all connections, and starts it again.
    pub(super) fn restart(&mut self) {
        self.end();
        self.start();
    }

    /// The same with a copy of its store in the place of that.
    pub(super) fn restart_with_a_copy(&mut self) {
        let copy = self.folder.path().join("copy.db");
        self.desk().store.backup(&copy).unwrap();
        self.end();
        // Who read last may not write: these stay.
        for beside in ["hub.db-wal", "hub.db-shm"] {
            _ = std::fs::remove_file(self.folder.path().join(beside));
        }
        self.rename(("copy.db", "hub.db"));
        self.start();
    }

    fn end(&mut self) {
        self.desk().write_devices_now().unwrap();
        (self.desk, self.reader) = (None, None);
        self.guests.clear();
        self.halls.clear();
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("hub.db")
    }

    fn start(&mut self) {
        let (mut store, state) = Store::open(&self.file(), Sync::Normal).unwrap();
        let names = Arc::new(Names::of(&state));
        let limits = Arc::clone(&self.limits);
        let bounds =
            Bounds { each: limits.missed_a_room_max, all: limits.missed_max, bytes: usize::MAX };
        let counts = Arc::new(Counts::new(Millis::default()));
        let (reader, by_hand) = Reader::by_hand(store.archive().unwrap(), &names, bounds);
        let before = Before::of(&store).unwrap();
        let devices = Devices::after(&mut store).unwrap();
        let furniture =
            Furniture { state, store, reader, names, limits, clock, before, devices, counts };
        let mut desk = Desk::new(furniture);
        for number in 0..2 {
            let (hall, heard) = mpsc::unbounded_channel();
            let (told, mut is) = oneshot::channel();
            desk.obey(Order::Open { hall, number: told });
            assert_eq!(is.try_recv(), Ok(number));
            self.halls.push((Hall::new(number), heard));
        }
        (self.desk, self.reader) = (Some(desk), Some(by_hand));
    }

    pub(super) fn desk(&mut self) -> &mut Desk {
        self.desk.as_mut().expect("a hub that was started")
    }

    /// A client connects. Gives its number.
    pub(super) fn connect(&mut self) -> usize {
        let outbox = Outbox::new(1 << 30);
        let (hall, _) = &self.halls[self.guests.len() % self.halls.len()];
        self.guests.push(Guest { id: hall.enter(Arc::clone(&outbox)), outbox });
        self.guests.len() - 1
    }

    /// Has a client be somebody without a word of it to anybody.
    pub(super) fn be(&mut self, guest: usize, account: AccountId) {
        let client = self.guests[guest].id;
        self.desk().clients.insert(client, (account, "somebody".to_owned()));
    }

    pub(super) fn client(&self, guest: usize) -> ClientId {
        self.guests[guest].id
    }

    /// A client says nothing more, and hears nothing more; or is nobody any more.
    pub(super) fn leave(&mut self, guest: usize) {
        let client = self.guests[guest].id;
        self.desk().obey(Order::Leave { client });
    }

    /// A client hangs up.
    pub(super) fn hang_up(&mut self, guest: usize) {
        let ClientId { hall, key } = self.guests[guest].id;
        self.halls[hall].0.leave(key);
        self.leave(guest);
    }

    pub(super) fn register(&mut self, (guest, re): (usize, u64), name: &str) -> String {
        let (device, session) = self.new_device();
        let (entered, _) = oneshot::channel();
        let (client, name, phc) =
            (self.guests[guest].id, name.to_owned(), Secret("phc".to_owned()));
        let (re, admission) = (Some(re), Admission::Anybody);
        let order = Order::Register { client, re, name, phc, admission, device, entered };
        self.desk().obey(order);
        session
    }

    /// A client shows that it is `account`: by a password, or as a device that it was before. Gives the
    /// name of its session.
    pub(super) fn enter(
        &mut self,
        (guest, re): (usize, u64),
        account: AccountId,
        (session, resume): (Option<String>, Option<Resume>),
    ) -> String {
        let known = session.map(|session| (Proof::Token(hash_of(&session)), session));
        let (proof, session) = known.unwrap_or_else(|| {
            let ((device, session), phc) = (self.new_device(), "phc".to_owned());
            (Proof::Password { account, phc, device }, session)
        });
        let (entered, _) = oneshot::channel();
        let (client, entry) = (self.guests[guest].id, Entrance { proof, resume });
        self.desk().obey(Order::Enter { client, re: Some(re), entry, entered });
        session
    }

    /// The same of who types, and is told nothing that logs it in again.
    pub(super) fn type_in(&mut self, (guest, re): (usize, u64), account: AccountId) -> String {
        let (device, session) = self.new_device();
        let (device, phc) =
            (NewDevice { stays: Stays::WhileConnected, ..device }, "phc".to_owned());
        let proof = Proof::Password { account, phc, device };
        let (entered, _) = oneshot::channel();
        let (client, entry) = (self.guests[guest].id, Entrance { proof, resume: None });
        self.desk().obey(Order::Enter { client, re: Some(re), entry, entered });
        session
    }

    fn new_device(&mut self) -> (NewDevice, String) {
        self.devices += 1;
        let session = format!("s{:05}", self.devices);
        let hash = hash_of(&session);
        let (name, token) = ("device".to_owned(), Secret(session.clone()));
        let stays = Stays::UntilEnded;
        (NewDevice { name, session: session.clone(), token, hash, stays }, session)
    }

    /// A client has `account` be deleted.
    pub(super) fn unregister(&mut self, (guest, re): (usize, u64), account: AccountId, said: Said) {
        let client = self.guests[guest].id;
        let shown = Shown { account, phc: Secret("phc".to_owned()) };
        self.desk().obey(Order::Unregister { client, re: Some(re), shown, said });
    }

    /// A client asks, which came in as `account`.
    pub(super) fn ask(&mut self, (guest, re): (usize, u64), account: AccountId, ask: Ask) {
        let client = self.guests[guest].id;
        let who = self.desk().clients.get(&client).map(|(who, _)| *who);
        assert_eq!(who, Some(account), "else it is refused for that, whatever it asks");
        self.desk().obey(Order::Ask { client, account, re: Some(re), ask });
    }

    /// Commits what was asked, and has all be told of it.
    pub(super) fn settle(&mut self) {
        self.desk().settle();
        self.deliver();
        self.reader().work_off();
        self.deliver();
    }

    /// The same, and `meanwhile` happens when the first of what was asked is read, and not told yet.
    pub(super) fn settle_and(&mut self, meanwhile: impl FnOnce(&mut Self)) {
        self.desk().settle();
        let read = self.reader().read_next().expect("something to read");
        meanwhile(self);
        self.reader().tell(read);
        self.settle();
    }

    fn reader(&self) -> &ByHand {
        self.reader.as_ref().expect("a hub that was started")
    }

    /// Has it be `now`, and have been for long enough that the clock is believed.
    pub(super) async fn wait_until(&mut self, now: Millis) {
        set_clock(now);
        self.desk().now();
        tokio::time::advance(Duration::from_hours(1)).await;
    }

    /// Does what is done where nobody waits.
    pub(super) fn keep_up(&mut self) {
        self.desk().keep_up();
    }

    fn deliver(&mut self) {
        for (hall, heard) in &mut self.halls {
            while let Ok(group) = heard.try_recv() {
                hall.hear(&group);
            }
        }
    }

    /// What a client was told since, but for words.
    pub(super) fn told(&self, guest: usize) -> Vec<Told> {
        let mut taken = VecDeque::new();
        let mut cx = Context::from_waker(Waker::noop());
        _ = self.guests[guest].outbox.poll_take(&mut cx, &mut taken);
        taken.iter().map(|spoken| wordless(spoken.told.clone())).collect()
    }

    /// Takes the store away, or puts it back.
    pub(super) fn rename(&self, (from, to): (&str, &str)) {
        let folder = self.folder.path();
        std::fs::rename(folder.join(from), folder.join(to)).unwrap();
    }
}

/// What is kept of the token of a session.
fn hash_of(session: &str) -> TokenHash {
    let mut hash = TokenHash([0; 32]);
    hash.0[..session.len()].copy_from_slice(session.as_bytes());
    hash
}

/// The same without what is for people.
fn wordless(told: Told) -> Told {
    let bare = |refusal: Refusal| Refusal { why: String::new(), field: None, ..refusal };
    match told {
        Told::Answer { re, answer } => Told::Answer { re, answer: answer.map_err(bare) },
        Told::Event(Event::Bye(refusal)) => Told::Event(Event::Bye(bare(refusal))),
        event @ Told::Event(_) => event,
    }
}
