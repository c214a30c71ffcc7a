//! Deadlines to a second, cheap to set: for what nearly always ends long before.
//!
//! Each stage of each request has one, so they are no timers of tokio's, which are precise: the
//! alarms of a core stand in one table, and one task looks at all of them once a second.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// How often the table is looked at.
const TICK: Duration = Duration::from_secs(1);

/// Goes off once its time has come, up to two ticks late, never early.
#[derive(Debug, Default)]
pub struct Alarm {
    set: Option<Set>,
}

/// How long something is waited for, that comes in parts: the time counts anew for each `W`, and from
/// when the wait for it begins, since nobody may have waited before.
#[derive(Debug)]
pub struct Patience<W> {
    alarm: Alarm,
    /// What the alarm is set for.
    waits: Option<W>,
}

impl<W> Default for Patience<W> {
    fn default() -> Self {
        Self { alarm: Alarm::default(), waits: None }
    }
}

impl<W: PartialEq> Patience<W> {
    /// A part came: whatever is waited for next has all of its time.
    pub fn moved(&mut self) {
        self.waits = None;
    }

    /// Whether that which `waits` says has been waited for longer than `most`.
    pub fn poll(&mut self, cx: &mut Context<'_>, waits: W, most: Duration) -> Poll<()> {
        if self.waits.as_ref() != Some(&waits) {
            self.alarm.set(most);
            self.waits = Some(waits);
        }
        self.alarm.poll(cx)
    }
}

#[derive(Debug)]
struct Set {
    table: Arc<Mutex<Table>>,
    slot: usize,
}

/// The alarms of one core. The lock is for the compiler: a core's tasks stay with it.
#[derive(Debug, Default)]
struct Table {
    /// Ticks so far.
    tick: u64,
    slots: Vec<Slot>,
    /// The places of every `Slot::Free`.
    free: Vec<usize>,
}

#[derive(Debug)]
enum Slot {
    Free,
    Set {
        due: u64,
        /// `None` until somebody waits.
        waker: Option<Waker>,
    },
}

thread_local! {
    /// The table of this thread's runtime, while it has alarms.
    static TABLE: RefCell<Weak<Mutex<Table>>> = const { RefCell::new(Weak::new()) };
}

impl Alarm {
    /// Has it go off after `time`, whatever it was set to before. Must be called on a runtime.
    pub fn set(&mut self, time: Duration) {
        let ticks = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        if let Some(Set { table, slot }) = &self.set {
            let mut table = lock(table);
            let later = table.after(ticks);
            if let Slot::Set { due, .. } = &mut table.slots[*slot] {
                *due = later;
            }
            return;
        }
        let table = table();
        let mut locked = lock(&table);
        let due = locked.after(ticks);
        let slot = locked.take(due);
        drop(locked);
        self.set = Some(Set { table, slot });
    }

    /// Whether it is set, be it that it went off.
    pub fn is_set(&self) -> bool {
        self.set.is_some()
    }

    /// Has it not go off.
    pub fn unset(&mut self) {
        let Some(Set { table, slot }) = self.set.take() else { return };
        let mut table = lock(&table);
        table.slots[slot] = Slot::Free;
        table.free.push(slot);
    }

    /// Whether it has gone off. If it is not set, it never does.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(Set { table, slot }) = &self.set else { return Poll::Pending };
        let mut table = lock(table);
        let now = table.tick;
        let Slot::Set { due, waker } = &mut table.slots[*slot] else { return Poll::Pending };
        if now >= *due {
            return Poll::Ready(());
        }
        match waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.unset();
    }
}

impl Table {
    /// One more than so many ticks from now: the one under way may be nearly over.
    fn after(&self, ticks: u64) -> u64 {
        self.tick.saturating_add(ticks).saturating_add(1)
    }

    fn take(&mut self, due: u64) -> usize {
        let set = Slot::Set { due, waker: None };
        if let Some(slot) = self.free.pop() {
            self.slots[slot] = set;
            return slot;
        }
        self.slots.push(set);
        self.slots.len() - 1
    }

    /// Takes the wakers of those whose time has come.
    fn advance(&mut self) -> Vec<Waker> {
        self.tick += 1;
        let now = self.tick;
        let due = self.slots.iter_mut().filter_map(|slot| match slot {
            Slot::Set { due, waker } if *due <= now => waker.take(),
            Slot::Set { .. } | Slot::Free => None,
        });
        due.collect()
    }
}

/// The table of this thread, with the task that looks at it.
fn table() -> Arc<Mutex<Table>> {
    TABLE.with_borrow_mut(|known| {
        if let Some(table) = known.upgrade() {
            return table;
        }
        let table = Arc::default();
        *known = Arc::downgrade(&table);
        tokio::spawn(tick(Arc::clone(&table)));
        table
    })
}

/// For so many ticks without any alarm a table is looked at.
const IDLE_TICKS_MAX: u32 = 10;

/// Ends when nobody has an alarm any more: the next makes a table of its own.
async fn tick(table: Arc<Mutex<Table>>) {
    let mut idle = 0_u32;
    // A few seconds with no alarm at all may be between two requests.
    while idle < IDLE_TICKS_MAX {
        tokio::time::sleep(TICK).await;
        let due = lock(&table).advance();
        due.into_iter().for_each(Waker::wake);
        idle = if Arc::strong_count(&table) > 1 { 0 } else { idle + 1 };
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    // Nothing that holds the lock can panic half-way through a change.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn an_alarm_goes_off_after_its_time_and_not_much_later() {
        for time in [Duration::ZERO, SECOND / 2, SECOND, 60 * SECOND] {
            let mut alarm = Alarm::default();
            let start = Instant::now();
            alarm.set(time);
            poll_fn(|cx| alarm.poll(cx)).await;
            let after = start.elapsed();
            assert!(after >= time && after <= time + 2 * SECOND, "{time:?}: {after:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn setting_it_anew_counts_from_then() {
        let mut alarm = Alarm::default();
        alarm.set(5 * SECOND);
        sleep(4 * SECOND).await;
        alarm.set(5 * SECOND);
        let early = timeout(4 * SECOND, poll_fn(|cx| alarm.poll(cx))).await;
        assert!(early.is_err());
        timeout(4 * SECOND, poll_fn(|cx| alarm.poll(cx))).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_set_never_goes_off() {
        let mut alarm = Alarm::default();
        let never = timeout(100 * SECOND, poll_fn(|cx| alarm.poll(cx))).await;
        assert!(never.is_err());
        alarm.set(SECOND);
        alarm.unset();
        let never = timeout(100 * SECOND, poll_fn(|cx| alarm.poll(cx))).await;
        assert!(never.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn patience_counts_from_when_somebody_waits() {
        let mut patience = Patience::default();
        for _ in 0..3 {
            let soon = timeout(4 * SECOND, poll_fn(|cx| patience.poll(cx, (), 5 * SECOND))).await;
            assert!(soon.is_err());
            patience.moved();
            // Nobody waits.
            sleep(60 * SECOND).await;
        }
        let start = Instant::now();
        poll_fn(|cx| patience.poll(cx, (), 5 * SECOND)).await;
        assert!((5 * SECOND..=7 * SECOND).contains(&start.elapsed()));
    }

    #[tokio::test(start_paused = true)]
    async fn places_are_used_again() {
        let mut kept = Alarm::default();
        kept.set(SECOND);
        for _ in 0..100 {
            Alarm::default().set(SECOND);
        }
        let table = Arc::clone(&kept.set.as_ref().unwrap().table);
        assert_eq!(lock(&table).slots.len(), 2);
    }
}
