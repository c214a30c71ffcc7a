//! Keys in a row: added in front, taken out at the end or anywhere.

/// A doubly linked list of keys, each in it once at most, in arrays by key.
#[derive(Debug)]
pub(super) struct Queue {
    /// By key: its neighbours towards front and end; the last place is for both ends.
    newer: Vec<u32>,
    older: Vec<u32>,
    is_in: Vec<bool>,
    len: usize,
}

impl Queue {
    pub(super) fn new(keys: u32) -> Self {
        let ends = vec![keys; keys as usize + 1];
        Self { newer: ends.clone(), older: ends, is_in: vec![false; keys as usize], len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn has(&self, key: u32) -> bool {
        self.is_in[key as usize]
    }

    /// The key in front of `key`, if any.
    pub(super) fn newer(&self, key: u32) -> Option<u32> {
        let newer = self.newer[key as usize];
        (newer != self.end()).then_some(newer)
    }

    pub(super) fn oldest(&self) -> Option<u32> {
        self.newer(self.end())
    }

    /// Adds a key in front.
    pub(super) fn push(&mut self, key: u32) {
        debug_assert!(!self.has(key), "each once");
        let end = self.end();
        let first = self.older[end as usize];
        (self.newer[key as usize], self.older[key as usize]) = (end, first);
        (self.newer[first as usize], self.older[end as usize]) = (key, key);
        self.is_in[key as usize] = true;
        self.len += 1;
    }

    pub(super) fn remove(&mut self, key: u32) {
        debug_assert!(self.has(key), "it is there");
        let (newer, older) = (self.newer[key as usize], self.older[key as usize]);
        (self.older[newer as usize], self.newer[older as usize]) = (older, newer);
        self.is_in[key as usize] = false;
        self.len -= 1;
    }

    pub(super) fn pop(&mut self) -> Option<u32> {
        let oldest = self.oldest()?;
        self.remove(oldest);
        Some(oldest)
    }

    fn end(&self) -> u32 {
        u32::try_from(self.is_in.len()).expect("as many as keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_leave_as_they_came_but_for_those_taken_out() {
        let mut queue = Queue::new(5);
        for key in [3, 0, 4, 1] {
            queue.push(key);
        }
        queue.remove(0);
        assert_eq!(
            (queue.len(), queue.oldest(), queue.newer(3), queue.newer(1)),
            (3, Some(3), Some(4), None)
        );
        assert_eq!(
            [queue.pop(), queue.pop(), queue.pop(), queue.pop()],
            [Some(3), Some(4), Some(1), None]
        );
    }
}
