//! Keeps the memory of the process within what its caches were given.
//!
//! What a cache counts is what it holds. What the process has is more: an allocator cannot give back a
//! page as long as one small thing lies on it, and after many small answers made room for long ones,
//! there are many such pages. So the process is looked at as the system sees it, and where it has too
//! much, its caches let go of the least wanted, until pages come free.

use std::{
    fs, io,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use relais_cache::Cache;

/// How often to look while something comes into caches.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The same while nothing does.
const LOOK_EVERY_AT_REST: Duration = Duration::from_millis(100);

/// What a process may have resident beside its caches, and besides a part of what they may hold.
const BESIDES: u64 = 32 << 20;

/// How much less it should have: the pages of the program itself, and what may come between two looks,
/// besides a part of what caches may hold.
const SLACK: u64 = 18 << 20;

/// In percent: the least that is left to the caches of what they were given, however much memory goes
/// elsewhere.
const LEFT_MIN: u64 = 50;

/// Looks after the memory of caches, on a thread of its own, until it is dropped.
#[derive(Debug)]
pub(super) struct Keeper(Sender<Vec<Cache>>);

impl Keeper {
    /// # Errors
    ///
    /// If the system gives no thread.
    pub(super) fn start() -> io::Result<Self> {
        let (sender, told) = channel();
        thread::Builder::new().name("memory".to_owned()).spawn(move || keep(&told))?;
        Ok(Self(sender))
    }

    /// Has these looked after, and no others.
    pub(super) fn look_after(&self, caches: Vec<Cache>) {
        // It ends with us, or by a panic that was told of.
        _ = self.0.send(caches);
    }
}

fn keep(told: &Receiver<Vec<Cache>>) {
    let mut held = Held::default();
    let mut caches: Vec<Cache> = Vec::new();
    let mut before = 0;
    loop {
        let in_use = caches.iter().map(Cache::bytes).sum();
        let pause = if in_use == before { LOOK_EVERY_AT_REST } else { LOOK_EVERY };
        before = in_use;
        let new = if caches.is_empty() {
            told.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            told.recv_timeout(pause)
        };
        match new {
            Ok(new) => {
                caches = new;
                held.hold(&caches);
            }
            Err(RecvTimeoutError::Timeout) => held = held.look_after(&caches),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// How much memory `caches` were given, in bytes.
fn given(caches: &[Cache]) -> u64 {
    caches.iter().fold(0, |sum, cache| cache.settings().memory.saturating_add(sum))
}

/// In percent: who runs it is told if caches hold less than this of what they were given.
const TOLD_BELOW: u64 = 60;

/// How much of the memory that they were given caches may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    /// In percent.
    share: u64,
    /// How many looks to leave out before the allocator is asked for pages again.
    until_trim: u32,
    /// How many were left out the last time.
    pause: u32,
    /// How many bytes there were after it gave back what it could.
    trimmed_to: u64,
}

/// After how many looks at least the allocator is asked for pages again: it takes some milliseconds.
const PAUSE_MIN: u32 = 8;

/// The same at most.
const PAUSE_MAX: u32 = 256;

/// What to do after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Nothing,
    /// Have the allocator give back what it can.
    Trim,
    /// Hold the caches to this share of what they were given, in percent.
    HoldTo(u64),
}

impl Default for Held {
    fn default() -> Self {
        Self { share: 100, until_trim: 0, pause: PAUSE_MIN, trimmed_to: 0 }
    }
}

impl Held {
    /// Looks at the process, and does what is to be done about it. Blocks, for some milliseconds where
    /// there is much to be let go of.
    fn look_after(mut self, caches: &[Cache]) -> Self {
        let given = given(caches);
        // It may come before we look again.
        let coming: u64 = caches.iter().map(Cache::room).sum();
        let look = || resident().map(|resident| resident.saturating_add(coming));
        let Some(mut resident) = look() else { return self };
        let mut next = self.judge(given, resident);
        if next == Next::Trim {
            trim();
            let before = resident;
            resident = look().unwrap_or(before);
            self.trimmed(before, resident);
            next = self.judge(given, resident);
        }
        if let Next::HoldTo(share) = next {
            // Said once each time that it comes to this: until then it is of no account.
            if share < TOLD_BELOW && self.share >= TOLD_BELOW {
                tracing::warn!(
                    "caches hold less than {TOLD_BELOW} % of their memory for now: the process has {} MiB",
                    resident.saturating_sub(coming) >> 20
                );
            }
            self.share = share;
            self.hold(caches);
        }
        self
    }

    /// Holds `caches` to their share.
    fn hold(self, caches: &[Cache]) {
        for cache in caches {
            let memory = cache.settings().memory;
            // Not of a hundredth: all of it is all of it.
            cache.hold_to(memory - memory / 100 * (100 - self.share));
        }
    }

    /// What to do, if caches were `given` so many bytes, and the process has so many `resident`.
    fn judge(&mut self, given: u64, resident: u64) -> Next {
        let share = given / 100 * 15 - given / 24;
        let most = given.saturating_add(share).saturating_add(BESIDES - SLACK);
        let Some(excess) = resident.checked_sub(most).filter(|excess| *excess > 0) else {
            self.until_trim = self.until_trim.saturating_sub(1);
            // With a part of it in reserve: what is let in comes soon.
            let is_easy = self.share < 100 && resident < most - given / 16;
            return if is_easy { Next::HoldTo(self.share + 1) } else { Next::Nothing };
        };
        // What came since may have taken the place of much that is small.
        if self.until_trim == 0 || resident > self.trimmed_to.saturating_add(given / 32) {
            return Next::Trim;
        }
        self.until_trim -= 1;
        let less = 1 + excess.saturating_mul(50) / given.max(1);
        let share = self.share.saturating_sub(less).max(LEFT_MIN);
        if share < self.share { Next::HoldTo(share) } else { Next::Nothing }
    }

    /// Notes what came of it: where little does, it is not tried again soon.
    fn trimmed(&mut self, before: u64, after: u64) {
        let has_helped = before.saturating_sub(after) > before / 32;
        self.pause = if has_helped { PAUSE_MIN } else { (self.pause * 2).min(PAUSE_MAX) };
        self.until_trim = self.pause;
        self.trimmed_to = after;
    }
}

/// How many bytes of the process are in memory and nowhere else; `None` where the system does not say.
/// Pages of files, as the program is one, it takes back by itself.
fn resident() -> Option<u64> {
    let told = fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = told.split(' ').skip(1).map_while(|pages| pages.parse::<u64>().ok());
    let (all, of_files) = (pages.next()?, pages.next()?);
    Some(all.saturating_sub(of_files) * rustix::param::page_size() as u64)
}

/// Has the allocator give pages back to the system on which nothing lies.
fn trim() {
    #[cfg(target_env = "gnu")]
    #[expect(
        unsafe_code,
        reason = "a quarter of what a cache's changes leave behind is such pages"
    )]
    // SAFETY: it may be called at any time, and by any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const GIVEN: u64 = 64 * MIB;
    /// 71 for the caches, 14 besides.
    const MOST: u64 = GIVEN + GIVEN / 100 * 15 - GIVEN / 24 + 14 * MIB;

    #[test]
    fn who_has_no_more_than_that_is_left_alone() {
        check(100, 0, Next::Nothing);
        check(100, MOST, Next::Nothing);
        check(80, MOST, Next::Nothing);
    }

    #[test]
    fn caches_let_go_the_faster_the_more_there_is() {
        check(100, MOST + 1, Next::HoldTo(99));
        check(100, MOST + 8 * MIB, Next::HoldTo(93));
        check(100, MOST + 32 * MIB, Next::HoldTo(74));
    }

    #[test]
    fn half_is_left_to_them() {
        check(51, MOST + 8 * MIB, Next::HoldTo(50));
        check(50, MOST + 1000 * MIB, Next::Nothing);
        check(100, u64::MAX, Next::HoldTo(50));
    }

    #[test]
    fn they_get_it_back_slowly() {
        check(99, MOST - 5 * MIB, Next::HoldTo(100));
        check(50, 0, Next::HoldTo(51));
        check(99, MOST - MIB, Next::Nothing);
    }

    #[test]
    fn the_allocator_is_asked_first_and_seldom_where_it_has_little() {
        let mut held = Held::default();
        assert_eq!(held.judge(GIVEN, MOST + 1), Next::Trim);
        held.trimmed(MOST, MOST - MIB);
        for _look in 0..PAUSE_MIN {
            assert_eq!(held.judge(GIVEN, MOST + 1), Next::HoldTo(99));
            assert_eq!(held.judge(GIVEN, MOST), Next::Nothing);
        }
        assert_eq!(held.judge(GIVEN, MOST + 1), Next::Trim);
        held.trimmed(MOST, MOST);
        assert_eq!(held.until_trim, 4 * PAUSE_MIN);
        assert_eq!(held.judge(GIVEN, MOST + 2 * MIB), Next::HoldTo(98));
        assert_eq!(held.judge(GIVEN, MOST + 3 * MIB), Next::Trim);
        held.trimmed(MOST, MOST / 2);
        assert_eq!(held.until_trim, PAUSE_MIN);
    }

    #[test]
    fn the_system_says_how_much_is_resident() {
        let resident = resident().unwrap();
        assert!((MIB / 4..1 << 40).contains(&resident), "{resident}");
        trim();
    }

    #[track_caller]
    fn check(share: u64, resident: u64, expect: Next) {
        let mut held = Held { share, until_trim: 1, pause: PAUSE_MIN, trimmed_to: resident };
        assert_eq!(held.judge(GIVEN, resident), expect, "at {share} %, {resident} bytes");
    }
}
