//! What accounts are called, for who reads the log elsewhere than at the desk.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use crate::model::{AccountId, State};

/// What accounts are called. The desk adds to it; nothing is ever taken out.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: RwLock<HashMap<AccountId, String>>,
}

impl Names {
    /// Of all accounts of `state`.
    pub(crate) fn of(state: &State) -> Self {
        let known = state.everybody().map(|(id, account)| (id, account.name.clone())).collect();
        Self { known: RwLock::new(known) }
    }

    pub(crate) fn add(&self, who: AccountId, name: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(who, name.to_owned());
    }

    /// What `who` is called; nothing, if nobody said so.
    pub(crate) fn name(&self, who: AccountId) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&who).cloned().unwrap_or_default()
    }
}
