//! The policies that others publish, each in its plainest form.

use super::{Policy, queue::Queue};

/// Least recently used goes first.
#[derive(Debug)]
pub(super) struct Lru {
    queue: Queue,
    capacity: usize,
}

impl Lru {
    pub(super) fn new(keys: u32, capacity: usize) -> Self {
        Self { queue: Queue::new(keys), capacity }
    }
}

impl Policy for Lru {
    fn ask(&mut self, key: u32) -> bool {
        let hit = self.queue.has(key);
        if hit {
            self.queue.remove(key);
        } else if self.queue.len() == self.capacity {
            self.queue.pop();
        }
        self.queue.push(key);
        hit
    }
}

/// SIEVE (Zhang and others, NSDI 2024): a queue, and a hand that goes from its old end to the new one
/// and takes the first that was not asked for since it passed.
#[derive(Debug)]
pub(super) struct Sieve {
    queue: Queue,
    visited: Vec<bool>,
    hand: Option<u32>,
    capacity: usize,
}

impl Sieve {
    pub(super) fn new(keys: u32, capacity: usize) -> Self {
        let visited = vec![false; keys as usize];
        Self { queue: Queue::new(keys), visited, hand: None, capacity }
    }

    fn evict(&mut self) {
        let mut at = self.hand.or_else(|| self.queue.oldest());
        while let Some(key) = at.filter(|&key| self.visited[key as usize]) {
            self.visited[key as usize] = false;
            at = self.queue.newer(key).or_else(|| self.queue.oldest());
        }
        if let Some(key) = at {
            self.hand = self.queue.newer(key);
            self.queue.remove(key);
        }
    }
}

impl Policy for Sieve {
    fn ask(&mut self, key: u32) -> bool {
        if self.queue.has(key) {
            self.visited[key as usize] = true;
            return true;
        }
        if self.queue.len() == self.capacity {
            self.evict();
        }
        self.queue.push(key);
        self.visited[key as usize] = false;
        false
    }
}

/// S3-FIFO (Yang and others, SOSP 2023): a small queue of a tenth, a main one, and a memory of what
/// left the small one.
#[derive(Debug)]
pub(super) struct S3Fifo {
    small: Queue,
    main: Queue,
    ghost: Queue,
    count: Vec<u8>,
    small_max: usize,
    capacity: usize,
}

impl S3Fifo {
    pub(super) fn new(keys: u32, capacity: usize) -> Self {
        let queue = || Queue::new(keys);
        let count = vec![0; keys as usize];
        let small_max = capacity / 10;
        Self { small: queue(), main: queue(), ghost: queue(), count, small_max, capacity }
    }

    fn evict(&mut self) {
        if self.small.len() < self.small_max || !self.evict_small() {
            self.evict_main();
        }
    }

    /// Whether one went.
    fn evict_small(&mut self) -> bool {
        while let Some(key) = self.small.pop() {
            if self.count[key as usize] > 1 {
                self.main.push(key);
                self.count[key as usize] = 0;
                continue;
            }
            if self.ghost.len() >= self.capacity - self.small_max {
                self.ghost.pop();
            }
            self.ghost.push(key);
            return true;
        }
        false
    }

    fn evict_main(&mut self) {
        while let Some(key) = self.main.pop() {
            if self.count[key as usize] == 0 {
                return;
            }
            self.count[key as usize] -= 1;
            self.main.push(key);
        }
    }
}

impl Policy for S3Fifo {
    fn ask(&mut self, key: u32) -> bool {
        if self.small.has(key) || self.main.has(key) {
            let count = &mut self.count[key as usize];
            *count = (*count + 1).min(3);
            return true;
        }
        if self.small.len() + self.main.len() >= self.capacity {
            self.evict();
        }
        if self.ghost.has(key) {
            self.ghost.remove(key);
            self.main.push(key);
        } else {
            self.small.push(key);
        }
        self.count[key as usize] = 0;
        false
    }
}

/// W-TinyLFU (Einziger and others, 2017): a window of a hundredth, behind it a segmented LRU, which a
/// key enters that was asked for more often, as a sketch tells, than the one that would go.
#[derive(Debug)]
pub(super) struct WTinyLfu {
    window: Queue,
    probation: Queue,
    protected: Queue,
    sketch: Sketch,
    window_max: usize,
    protected_max: usize,
    main_max: usize,
}

impl WTinyLfu {
    pub(super) fn new(keys: u32, capacity: usize) -> Self {
        let queue = || Queue::new(keys);
        let window_max = (capacity / 100).max(1);
        let main_max = capacity - window_max;
        Self {
            window: queue(),
            probation: queue(),
            protected: queue(),
            sketch: Sketch::new(capacity),
            window_max,
            protected_max: main_max / 5 * 4,
            main_max,
        }
    }

    /// Finds a place in the main part for what left the window, if it deserves one.
    fn admit(&mut self, candidate: u32) {
        if self.probation.len() + self.protected.len() < self.main_max {
            return self.probation.push(candidate);
        }
        let victim = self.probation.oldest().or_else(|| self.protected.oldest());
        let Some(victim) = victim else { return };
        if self.sketch.count(candidate) > self.sketch.count(victim) {
            let from =
                if self.probation.has(victim) { &mut self.probation } else { &mut self.protected };
            from.remove(victim);
            self.probation.push(candidate);
        }
    }

    fn protect(&mut self, key: u32) {
        self.protected.push(key);
        if self.protected.len() > self.protected_max
            && let Some(demoted) = self.protected.pop()
        {
            self.probation.push(demoted);
        }
    }
}

impl Policy for WTinyLfu {
    fn ask(&mut self, key: u32) -> bool {
        self.sketch.add(key);
        if self.window.has(key) {
            self.window.remove(key);
            self.window.push(key);
        } else if self.protected.has(key) {
            self.protected.remove(key);
            self.protected.push(key);
        } else if self.probation.has(key) {
            self.probation.remove(key);
            self.protect(key);
        } else {
            self.window.push(key);
            if self.window.len() > self.window_max
                && let Some(candidate) = self.window.pop()
            {
                self.admit(candidate);
            }
            return false;
        }
        true
    }
}

/// Counts up to 15, in four rows, halved now and then.
#[derive(Debug)]
struct Sketch {
    rows: [Vec<u8>; 4],
    added: usize,
    added_max: usize,
}

impl Sketch {
    fn new(capacity: usize) -> Self {
        let width = capacity.next_power_of_two() * 4;
        Self { rows: std::array::from_fn(|_| vec![0; width]), added: 0, added_max: capacity * 10 }
    }

    fn add(&mut self, key: u32) {
        let places = self.places(key);
        for (row, place) in self.rows.iter_mut().zip(places) {
            row[place] = (row[place] + 1).min(15);
        }
        self.added += 1;
        if self.added == self.added_max {
            self.added /= 2;
            self.rows.iter_mut().flatten().for_each(|count| *count /= 2);
        }
    }

    fn count(&self, key: u32) -> u8 {
        let counts = self.rows.iter().zip(self.places(key)).map(|(row, place)| row[place]);
        counts.min().unwrap_or(0)
    }

    fn places(&self, key: u32) -> [usize; 4] {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mask = self.rows[0].len() as u64 - 1;
        [0, 16, 32, 48].map(|turn| {
            let mixed = (u64::from(key) + 1).wrapping_mul(ODD).rotate_left(turn);
            let place = mixed.wrapping_mul(ODD) >> 24 & mask;
            usize::try_from(place).expect("less than the width")
        })
    }
}
