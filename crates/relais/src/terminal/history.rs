//! The lines that were typed before.

use std::collections::VecDeque;

/// How many lines are remembered.
const LINES_MAX: usize = 1_000;

/// Lines typed before, oldest first, and where in them the person is.
///
/// `at <= lines.len()`; at the end it is the line being typed, kept in `draft` meanwhile.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: VecDeque<String>,
    at: usize,
    draft: String,
}

impl History {
    /// Remembers `line`, unless it is empty or the same as the last.
    pub(crate) fn remember(&mut self, line: &str) {
        if !line.is_empty() && self.lines.back().is_none_or(|last| last != line) {
            if self.lines.len() == LINES_MAX {
                self.lines.pop_front();
            }
            self.lines.push_back(line.to_owned());
        }
        self.at = self.lines.len();
        self.draft.clear();
    }

    /// The line before the one that is shown, which is `current`.
    pub(crate) fn older(&mut self, current: String) -> Option<String> {
        if self.at == 0 {
            return None;
        }
        if self.at == self.lines.len() {
            self.draft = current;
        }
        self.at -= 1;
        self.lines.get(self.at).cloned()
    }

    /// The line after it, at last the one that was being typed.
    pub(crate) fn newer(&mut self) -> Option<String> {
        if self.at == self.lines.len() {
            return None;
        }
        self.at += 1;
        Some(self.lines.get(self.at).unwrap_or(&self.draft).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_back_and_comes_back_to_what_was_begun() {
        let mut history = History::default();
        assert_eq!(history.older("x".to_owned()), None);
        for line in ["a", "b", "b", ""] {
            history.remember(line);
        }
        assert_eq!(history.newer(), None);
        assert_eq!(history.older("x".to_owned()).as_deref(), Some("b"));
        assert_eq!(history.older("b".to_owned()).as_deref(), Some("a"));
        assert_eq!(history.older("a".to_owned()), None);
        assert_eq!(history.newer().as_deref(), Some("b"));
        assert_eq!(history.newer().as_deref(), Some("x"));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut history = History::default();
        for line in 0..=LINES_MAX {
            history.remember(&line.to_string());
        }
        assert_eq!(history.lines.len(), LINES_MAX);
        assert_eq!(history.lines.front().unwrap(), "1");
    }
}
