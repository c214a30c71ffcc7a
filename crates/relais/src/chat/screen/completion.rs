//! Completing words: commands, rooms and names.

use std::collections::BTreeSet;

use relais_hub::words;

use super::{
    model::{Completing, Model},
    text,
};

/// So many of what a word may be are told.
const TOLD_MAX: usize = 12;

impl Model {
    /// Completes the word before the cursor, or puts the next there that it may be.
    pub(super) fn complete(&mut self) {
        let next = match self.completing.take() {
            Some(completing) => {
                let at = (completing.at + 1) % completing.words.len();
                Completing { at, ..completing }
            }
            None => match self.candidates() {
                Some(completing) => completing,
                None => return,
            },
        };
        let word = next.words[next.at].clone();
        self.composer_mut().replace(next.start, &word);
        if next.words.len() > 1 {
            let told: Vec<_> =
                next.words.iter().take(TOLD_MAX).map(|word| word.trim_end()).collect();
            self.tell_briefly(text::line(&told.join("  ")));
            self.completing = Some(next);
        }
    }

    /// What the word before the cursor may be.
    fn candidates(&self) -> Option<Completing> {
        let before = self.composer().before_cursor();
        let start = before.rfind(char::is_whitespace);
        let start =
            start.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let word = before[start..].to_lowercase();
        let words = match (word.chars().next()?, start) {
            ('/', 0) => commands(&word[1..]),
            ('#', _) => self.rooms(&word),
            ('@', _) => self.names(&word[1..]),
            _ if wants_room(before) => self.rooms(&format!("#{word}")),
            _ => self.names(&word),
        };
        (!words.is_empty()).then_some(Completing { start, words, at: 0 })
    }

    fn rooms(&self, begin: &str) -> Vec<String> {
        let names = self.hub().rooms.iter().filter(|room| !room.is_talk());
        let names = names.map(|room| room.place.to_string());
        names.filter(|name| name.to_lowercase().starts_with(begin)).map(|name| name + " ").collect()
    }

    /// Those of the room first.
    fn names(&self, begin: &str) -> Vec<String> {
        let me = &*self.hub().me;
        let is_meant = |name: &&str| *name != me && name.to_lowercase().starts_with(begin);
        let here: BTreeSet<&str> = self.room().map(|room| room.names()).unwrap_or_default();
        let elsewhere: BTreeSet<&str> =
            self.hub().rooms.iter().flat_map(|room| room.names()).collect();
        let elsewhere = elsewhere.difference(&here).copied();
        let names = here.iter().copied().filter(is_meant).chain(elsewhere.filter(is_meant));
        names.map(|name| format!("@{name} ")).collect()
    }
}

fn commands(begin: &str) -> Vec<String> {
    let names = words::commands().flat_map(|command| command.names.iter().take(1));
    let found: Vec<_> = names.filter(|name| name.starts_with(begin)).collect();
    // What else it is called is known, too, but offered to who begins so alone.
    let all = words::commands().flat_map(|command| command.names);
    let all: Vec<_> =
        if found.is_empty() { all.filter(|it| it.starts_with(begin)).collect() } else { found };
    all.into_iter().map(|name| format!("/{name} ")).collect()
}

/// Whether what comes next is a room.
fn wants_room(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let command = words.next().unwrap_or_default();
    matches!(command, "/join" | "/j" | "/leave" | "/part" | "/who" | "/names") && words.count() <= 1
}
