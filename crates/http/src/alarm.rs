//! Deadlines to a second, cheap to set: for what nearly always ends long before.
//!
//! A timer of tokio's for each stage of each request would cost more than some of the stages. So
//! the alarms of a core stand in one table, and one task looks at all of them once a second.

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
pub(crate) struct Alarm {
    set: Option<Set>,
}

/// How long something is waited for that comes in parts: the time counts from when the wait for the
/// next begins, not from the last, since nobody may have waited in between.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    alarm: Alarm,
    /// The alarm is set for what is waited for now.
    waits: bool,
}

impl Patience {
    /// A part came, or something else that one has to wait for.
    pub(crate) fn moved(&mut self) {
        self.waits = false;
    }

    /// Whether it has been waited for longer than `most`.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, most: Duration) -> Poll<()> {
        if !self.waits {
            self.alarm.set(most);
            self.waits = true;
        }
        self.alarm.poll(cx)
    }
}

#[derive(Debug)]
struct Set {
    table: Arc<Mutex<Table>>,
    slot: usize,
    due: u64,
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
    pub(crate) fn set(&mut self, time: Duration) {
        let ticks = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        if let Some(Set { table, slot, due }) = &mut self.set {
            let mut table = lock(table);
            // One more, as the tick under way may be nearly over.
            *due = table.tick.saturating_add(ticks).saturating_add(1);
            if let Slot::Set { due: there, .. } = &mut table.slots[*slot] {
                *there = *due;
            }
            return;
        }
        let table = table();
        let mut locked = lock(&table);
        let due = locked.tick.saturating_add(ticks).saturating_add(1);
        let slot = locked.take(due);
        drop(locked);
        self.set = Some(Set { table, slot, due });
    }

    /// Has it not go off.
    pub(crate) fn unset(&mut self) {
        let Some(Set { table, slot, .. }) = self.set.take() else { return };
        let mut table = lock(&table);
        table.slots[slot] = Slot::Free;
        table.free.push(slot);
    }

    /// Whether it has gone off. If it is not set, it never does.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(Set { table, slot, due }) = &self.set else { return Poll::Pending };
        let mut table = lock(table);
        if table.tick >= *due {
            return Poll::Ready(());
        }
        let Slot::Set { waker, .. } = &mut table.slots[*slot] else { return Poll::Pending };
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

/// Ends when nobody has an alarm any more: the next makes a table of its own.
async fn tick(table: Arc<Mutex<Table>>) {
    let mut idle = 0_u32;
    // The first second with no alarm at all may be between two requests.
    while idle < 10 {
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
            let soon = timeout(4 * SECOND, poll_fn(|cx| patience.poll(cx, 5 * SECOND))).await;
            assert!(soon.is_err());
            patience.moved();
            // Nobody waits.
            sleep(60 * SECOND).await;
        }
        let start = Instant::now();
        poll_fn(|cx| patience.poll(cx, 5 * SECOND)).await;
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
