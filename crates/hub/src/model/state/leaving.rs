//! What is there no more: accounts that were deleted, and rooms.

use super::{Gone, Invited, State, Title};
use crate::{
    model::{
        entry::Said,
        numbers::{AccountId, RoomId},
    },
    name::{Skeleton, folded},
};

/// What accounts are called that were deleted. Nobody can take a name with a space.
pub const GONE: &str = "deleted account";

/// What the hub is called where it has done something itself. Nobody can take a name with a `*`.
pub const HUB_NAME: &str = "*hub*";

impl State {
    /// Nobody is called so any more, and nobody else may be.
    ///
    /// *Cost*: a look at each room, and at who is invited there.
    pub(super) fn unregister(&mut self, who: AccountId, said: Said) {
        let account = self.accounts.get_mut(&who).expect("an account that was made");
        let name = std::mem::replace(&mut account.name, GONE.to_owned());
        let rooms = std::mem::take(&mut account.rooms);
        if self.names.get(&folded(&name)) == Some(&who) {
            self.names.remove(&folded(&name));
        }
        let wishes = std::mem::take(&mut account.wishes);
        account.gone = Some(Gone { name, said });
        self.stop_listening(who, &wishes.words);
        self.admins.remove(&who);
        for room in rooms {
            self.leave(room, who);
        }
        for room in self.rooms.values_mut() {
            room.absent.remove(who);
            room.invited.retain(|invited, Invited { by, .. }| ![*invited, *by].contains(&who));
        }
    }

    pub(super) fn administer(&mut self, who: AccountId, on: bool) {
        if on {
            self.admins.insert(who);
        } else {
            self.admins.remove(&who);
        }
    }

    pub(super) fn delete(&mut self, id: RoomId) {
        let room = self.rooms.remove(&id).expect("a room that was made");
        for who in room.members.keys() {
            if let Some(account) = self.accounts.get_mut(who) {
                account.rooms.remove(&id);
            }
        }
        let Title::Named(name, _) = &room.title else { return };
        let (name, look) = (folded(name), Skeleton::of(name));
        if self.room_names.get(&name) == Some(&id) {
            self.room_names.remove(&name);
        }
        if self.room_looks.get(&look) == Some(&id) {
            self.room_looks.remove(&look);
        }
    }

    /// What `who` is called where it did something: an account, one that was deleted, or the
    /// [hub](AccountId::HUB).
    ///
    /// # Panics
    ///
    /// If it is none of them.
    pub fn name(&self, who: AccountId) -> &str {
        if who == AccountId::HUB { HUB_NAME } else { &self.account(who).name }
    }

    /// What `who` is called where somebody speaks with it: one that was deleted has its number, too.
    pub fn called(&self, who: AccountId) -> String {
        let account = self.account(who);
        match account.gone {
            Some(_) => format!("{GONE} {}", who.0),
            None => account.name.clone(),
        }
    }

    /// Who is [called](Self::called) so, deleted or not.
    pub fn met(&self, name: &str) -> Option<AccountId> {
        self.account_named(name).or_else(|| {
            let number = name.strip_prefix(GONE)?.trim_start().parse().ok()?;
            let who = AccountId(crate::model::Seq(number));
            self.accounts.get(&who)?.gone.is_some().then_some(who)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Access, Deed, Entry, Millis, Seq};

    const ANA: AccountId = AccountId(Seq(1));
    const BOB: AccountId = AccountId(Seq(2));
    const LAB: RoomId = RoomId(Seq(3));

    fn with(deeds: impl IntoIterator<Item = (AccountId, Deed)>) -> State {
        let mut state = State::default();
        let named = |name: &str| Deed::Register { name: name.to_owned() };
        let lab = Deed::Create { name: "#lab".to_owned(), access: Access::Public };
        let first = [(ANA, named("ana")), (BOB, named("Bob")), (BOB, lab)];
        for (seq, (by, deed)) in (1..).zip(first.into_iter().chain(deeds)) {
            state.apply(&Entry { seq: Seq(seq), at: Millis(7), by, cid: None, deed });
        }
        state
    }

    #[test]
    fn a_deleted_account_is_nowhere_and_its_name_is_nobodys() {
        let gone = Deed::Unregister { who: BOB, said: Said::Stays };
        let state = with([(BOB, Deed::Talk { with: ANA }), (BOB, gone)]);
        assert_eq!(state.account_named("bob"), None);
        assert_eq!(state.account_like("b0b"), Some(BOB));
        assert!(!state.has_account(BOB) && state.account(BOB).rooms.is_empty());
        assert_eq!(state.account(BOB).name, GONE);
        assert!(state.room(LAB).members.is_empty());
        // Who spoke with it finds that again.
        assert_eq!((state.called(BOB), state.called(ANA)), (format!("{GONE} 2"), "ana".into()));
        assert_eq!(state.met(&state.called(BOB)), Some(BOB));
        for nobody in ["bob", GONE, "deleted account 1", "deleted account 9", "deleted account x"] {
            assert_eq!(state.met(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn a_deleted_room_is_nobodys_and_its_name_is_free() {
        let state = with([(ANA, Deed::Delete { room: LAB })]);
        assert!(!state.has_room(LAB) && state.account(BOB).rooms.is_empty());
        assert_eq!((state.room_named("#lab"), state.room_like("#1ab")), (None, None));
    }

    #[test]
    fn whoever_is_first_where_nobody_is_administers() {
        let administer = |who, on| (ANA, Deed::Administer { who, on });
        let admins = |state: &State| state.admins().collect::<Vec<_>>();
        assert_eq!(admins(&with([])), [ANA]);
        assert_eq!(admins(&with([administer(BOB, true)])), [ANA, BOB]);
        assert_eq!(admins(&with([administer(BOB, true), administer(ANA, false)])), [BOB]);
        let gone = |who| (who, Deed::Unregister { who, said: Said::Goes });
        let eve = AccountId(Seq(6));
        let state = with([gone(BOB), gone(ANA), (eve, Deed::Register { name: "eve".into() })]);
        assert_eq!(admins(&state), [eve]);
    }
}
