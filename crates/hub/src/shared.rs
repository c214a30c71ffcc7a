//! What every connection of a hub shares, and how it is to be.

use std::{
    cell::RefCell,
    collections::HashMap,
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use relais_http::auth::Debts;
use relais_net::{Client, Fault, Side, Worked};
use tokio::{
    sync::{OnceCell, mpsc, oneshot},
    time::Instant,
};

use crate::{
    counts::Counts,
    datagram::Post,
    desk::Order,
    hall::Hall,
    limits::Limits,
    model::Millis,
    proof::{LoginLimits, Passwords, Throttle},
    protocol::{Code, Refusal},
    words::Lang,
};

/// Who may have an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Whoever asks.
    #[default]
    Open,
    /// Who shows an invitation.
    Invitation,
    /// Nobody who asks.
    Closed,
}

/// Whether passwords may be said in the clear by who calls from elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClearPasswords {
    /// They may not.
    #[default]
    Refused,
    /// They may.
    Taken,
}

/// Who has something worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Who has logged in, from there.
    Somebody(Client),
    /// Who has not: it waits for all others, and has a small share.
    Nobody(Client),
}

/// What calculates for clients.
pub trait Calculator: fmt::Debug + Send + Sync {
    /// What `expr` of `asker` comes to, in bounded time and memory. For the same connection it `worked`
    /// before: what this takes is added.
    ///
    /// # Errors
    ///
    /// [`NoValue`]
    fn calculate(
        &self,
        asker: Asker,
        worked: Arc<Worked>,
        expr: String,
    ) -> Pin<Box<dyn Future<Output = Result<String, NoValue>> + Send + '_>>;
}

/// Why an expression comes to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// It takes too long to work out.
    TooLong,
    /// Too many others wait.
    Busy,
    /// For this reason, in a line.
    Wrong(String),
}

/// What every connection of a hub shares.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Which hub of this process it is.
    pub(crate) number: u64,
    pub(crate) server: String,
    pub(crate) lang: Lang,
    pub(crate) registration: Registration,
    pub(crate) clear_passwords: ClearPasswords,
    pub(crate) limits: Arc<Limits>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) clock: fn() -> SystemTime,
    pub(crate) random: fn(&mut [u8]),
    pub(crate) calculator: Option<Arc<dyn Calculator>>,
    pub(crate) passwords: Passwords,
    pub(crate) throttled: Mutex<Throttled>,
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    pub(crate) post: Post,
}

/// How often strangers may try.
#[derive(Debug)]
pub(crate) struct Throttled {
    pub(crate) logins: Throttle,
    registrations: Debts<Client>,
}

/// How many accounts are made from one address in an hour: as many as a class has pupils, and some.
const REGISTRATIONS_AN_HOUR_MAX: u32 = 100;

/// How many addresses are remembered that made some.
const REMEMBERED_MAX: usize = 16_384;

impl Throttled {
    pub(crate) fn new(logins: LoginLimits) -> Self {
        let hour = Duration::from_hours(1);
        let registrations = Debts::new(REGISTRATIONS_AN_HOUR_MAX, hour, REMEMBERED_MAX);
        Self { logins: Throttle::new(logins), registrations }
    }

    /// Counts that `client` makes an account, or says how long it waits first.
    pub(crate) fn wait_to_register(
        &mut self,
        client: Client,
        now: Instant,
    ) -> Result<(), Duration> {
        if let Some(wait) = self.registrations.wait(&client, now) {
            return Err(wait);
        }
        self.registrations.owe(client, now);
        Ok(())
    }
}

thread_local! {
    /// The hall that each hub has on this core.
    static HALLS: RefCell<HashMap<u64, Arc<OnceCell<Arc<Hall>>>>> = RefCell::default();
}

impl Shared {
    /// What time it is.
    pub(crate) fn now(&self) -> Millis {
        Millis::of((self.clock)())
    }

    /// Has the desk do something.
    ///
    /// # Errors
    ///
    /// [`Code::Shutdown`], if it is gone.
    pub(crate) fn order(&self, order: Order) -> Result<(), Refusal> {
        self.orders.send(order).map_err(|_| Refusal::of(Code::Shutdown))?;
        self.counts.order();
        Ok(())
    }

    /// Who logs in how often.
    pub(crate) fn throttled<T>(&self, ask: impl FnOnce(&mut Throttled, Instant) -> T) -> T {
        // Nothing that holds the lock can panic half-way through a change.
        ask(&mut self.throttled.lock().unwrap_or_else(PoisonError::into_inner), Instant::now())
    }

    /// The hall of this core, made when it is first needed.
    pub(crate) async fn hall(&self) -> Result<Arc<Hall>, Fault> {
        let cell = HALLS.with_borrow_mut(|halls| Arc::clone(halls.entry(self.number).or_default()));
        let gone = |_| Fault::new(Side::Relais, "opening a hall", io::ErrorKind::BrokenPipe.into());
        let hall = cell.get_or_try_init(|| self.open_hall()).await.map_err(gone)?;
        Ok(Arc::clone(hall))
    }

    async fn open_hall(&self) -> Result<Arc<Hall>, Refusal> {
        let (group, mut groups) = mpsc::unbounded_channel();
        let (number, told) = oneshot::channel();
        self.order(Order::Open { hall: group, number })?;
        let number = told.await.map_err(|_| Refusal::of(Code::Shutdown))?;
        let hall = Hall::new(number);
        let (hearing, counts) = (Arc::clone(&hall), Arc::clone(&self.counts));
        tokio::spawn(async move {
            while let Some(group) = groups.recv().await {
                counts.hand(hearing.hear(&group));
            }
        });
        Ok(hall)
    }
}

impl Registration {
    /// As clients are told.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invitation => "invitation",
            Self::Closed => "closed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_accounts_are_made_from_one_address_in_an_hour() {
        let (mut throttled, now) = (Throttled::new(LoginLimits::default()), Instant::now());
        let here = Client::Local;
        assert!((0..100).all(|_| throttled.wait_to_register(here, now).is_ok()));
        let wait = Duration::from_secs(36);
        assert_eq!(throttled.wait_to_register(here, now), Err(wait));
        assert_eq!(throttled.wait_to_register(here, now + wait), Ok(()));
    }
}
