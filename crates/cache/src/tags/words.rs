//! By which words of `No-Vary-Search` there are answers of a path.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    key::Key,
    searches::{path, word_of},
};

/// The words by which there are answers of each path, and of how many each is: so that who looks for
/// words looks at no answer.
#[derive(Debug, Default)]
pub(super) struct Words(Mutex<HashMap<String, BTreeMap<String, usize>>>);

/// What a path with one word takes of memory, without the texts of both.
const ENTRY_BYTES: usize = 200;

/// How many bytes of memory an answer takes here at most that is stored under `key`.
pub(super) fn weight(key: &Key) -> usize {
    word_of(key).map_or(0, |word| ENTRY_BYTES + path(key).len() + word.len())
}

impl Words {
    /// One more answer is stored under `key`.
    pub(super) fn add(&self, key: &Key) {
        let Some(word) = word_of(key) else { return };
        let mut paths = self.lock();
        if let Some(count) = paths.get_mut(path(key)).and_then(|words| words.get_mut(word)) {
            *count += 1;
        } else {
            let words = paths.entry(path(key).to_owned()).or_default();
            words.insert(word.to_owned(), 1);
        }
    }

    /// One of them is gone.
    pub(super) fn remove(&self, key: &Key) {
        let Some(word) = word_of(key) else { return };
        let mut paths = self.lock();
        let Some(words) = paths.get_mut(path(key)) else { return };
        if let Some(count) = words.get_mut(word) {
            *count -= 1;
            if *count == 0 {
                words.remove(word);
            }
        }
        if words.is_empty() {
            paths.remove(path(key));
        }
    }

    /// Those by which there are answers of the path of `key`.
    pub(super) fn of(&self, key: &Key) -> Vec<String> {
        let paths = self.lock();
        paths.get(path(key)).map_or_else(Vec::new, |words| words.keys().cloned().collect())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<String, usize>>> {
        // Never left half changed by us, whatever panicked beside it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_there_for_as_long_as_an_answer_is() {
        let words = Words::default();
        let key = |target: &str, word: &str| {
            let by = format!("\nno-vary-search: {word}");
            Key::of("http", "a", target).unwrap().apart(&by)
        };
        for key in [key("/x?1", "one"), key("/x?2", "one"), key("/x", "two"), key("/y", "one")] {
            words.add(&key);
        }
        words.add(&Key::of("http", "a", "/x").unwrap().apart("\ndevice=phone"));
        assert_eq!(
            (words.of(&key("/x?3", "")), words.of(&key("/z", "")).len()),
            (vec!["one".into(), "two".into()], 0)
        );
        words.remove(&key("/x?1", "one"));
        words.remove(&key("/x", "two"));
        assert_eq!(words.of(&key("/x", "")), ["one"]);
        words.remove(&key("/x?2", "one"));
        words.remove(&key("/y", "one"));
        assert!(words.lock().is_empty());
    }
}
