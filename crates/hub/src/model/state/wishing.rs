//! What accounts want to notice, as it changes.

use super::State;
use crate::model::{
    numbers::AccountId,
    wish::{Wish, Words},
};

impl State {
    pub(super) fn wish(&mut self, by: AccountId, wish: &Wish) {
        match wish {
            Wish::Level { room, level } => {
                self.rooms.get_mut(room).expect("a room that was made").set_level(by, *level);
            }
            Wish::Words(words) => {
                let account = self.accounts.get_mut(&by).expect("an account that was made");
                let before = std::mem::replace(&mut account.wishes.words, words.clone());
                self.stop_listening(by, &before);
                self.listen(by, words);
            }
            Wish::Quiet(quiet) => {
                let account = self.accounts.get_mut(&by).expect("an account that was made");
                account.wishes.quiet = *quiet;
            }
        }
    }

    pub(super) fn listen(&mut self, who: AccountId, words: &Words) {
        for word in words.iter() {
            self.listeners.entry(word.to_owned()).or_default().insert(who);
        }
    }

    pub(super) fn stop_listening(&mut self, who: AccountId, words: &Words) {
        for word in words.iter() {
            let Some(listeners) = self.listeners.get_mut(word) else { continue };
            listeners.remove(&who);
            if listeners.is_empty() {
                self.listeners.remove(word);
            }
        }
    }
}
