//! What runs already, and is used again by whoever plans the same.

use std::sync::{Arc, Weak};

/// What was made, by what it was made of. It is kept by who uses it, and forgotten with the last.
#[derive(Debug)]
pub(super) struct Reused<K, V> {
    made: Vec<(K, Weak<V>)>,
}

/// What was made is not copied, and need not be able to.
impl<K: Clone, V> Clone for Reused<K, V> {
    fn clone(&self) -> Self {
        Self { made: self.made.clone() }
    }
}

impl<K: PartialEq, V> Reused<K, V> {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self { made: Vec::new() }
    }

    /// What was made of the same, if anybody uses it.
    pub(super) fn find(&self, of: &K) -> Option<Arc<V>> {
        let mut same = self.made.iter().filter(|(other, _)| other == of);
        same.find_map(|(_, made)| made.upgrade())
    }

    /// Keeps in mind what was made of `of`.
    pub(super) fn add(&mut self, of: K, made: V) -> Arc<V> {
        let made = Arc::new(made);
        self.made.retain(|(_, made)| made.strong_count() > 0);
        self.made.push((of, Arc::downgrade(&made)));
        made
    }

    /// What was made of the same, or is made now.
    pub(super) fn find_or_add(&mut self, of: K, make: impl FnOnce(&K) -> V) -> Arc<V> {
        if let Some(there) = self.find(&of) {
            return there;
        }
        let new = make(&of);
        self.add(of, new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_found_and_what_is_not_is_forgotten() {
        let mut reused = Reused::new();
        let first = reused.find_or_add("a", |_| 1);
        let other = reused.find_or_add("b", |_| 2);
        assert!(Arc::ptr_eq(&first, &reused.find_or_add("a", |_| 3)));
        assert_eq!(reused.clone().find(&"b"), Some(Arc::clone(&other)));
        drop(first);
        assert_eq!((reused.find(&"a"), *reused.find_or_add("a", |_| 4)), (None, 4));
        assert_eq!(reused.made.len(), 2);
    }
}
