//! What accounts are called, for who reads the log elsewhere than at the desk.

use std::{
    collections::{HashMap, HashSet},
    sync::{PoisonError, RwLock},
};

use crate::model::{AccountId, HUB_NAME, State};

/// What accounts are called, and whose words nobody is shown. The desk tells.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: RwLock<HashMap<AccountId, String>>,
    /// Whose words are being taken out of the log.
    silenced: RwLock<HashSet<AccountId>>,
}

impl Names {
    /// Of all accounts of `state`.
    pub(crate) fn of(state: &State) -> Self {
        let names = Self::default();
        names.learn(state);
        names
    }

    /// Forgets what it knew for what `state` says.
    pub(crate) fn learn(&self, state: &State) {
        let known = state.everybody().map(|(id, account)| (id, account.name.clone())).collect();
        let silenced = state.everybody().filter(|(_, account)| account.took_its_words());
        let silenced = silenced.map(|(id, _)| id).collect();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        *self.silenced.write().unwrap_or_else(PoisonError::into_inner) = silenced;
    }

    /// Has nobody be shown what `who` said.
    pub(crate) fn silence(&self, who: AccountId) {
        self.silenced.write().unwrap_or_else(PoisonError::into_inner).insert(who);
    }

    /// Whether nobody is to be shown what `who` said.
    pub(crate) fn is_silenced(&self, who: AccountId) -> bool {
        self.silenced.read().unwrap_or_else(PoisonError::into_inner).contains(&who)
    }

    pub(crate) fn add(&self, who: AccountId, name: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(who, name.to_owned());
    }

    /// What `who` is called; nothing, if nobody said so.
    pub(crate) fn name(&self, who: AccountId) -> String {
        if who == AccountId::HUB {
            return HUB_NAME.to_owned();
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&who).cloned().unwrap_or_default()
    }
}
