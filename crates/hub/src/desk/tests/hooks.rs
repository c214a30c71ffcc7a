//! Hooks, and the rooms that they are for.

use tokio::sync::oneshot;

use super::{limits, stand::Stand};
use crate::{
    desk::{Chore, Hooked, NewDevice, Order},
    model::AccountId,
    proof::TokenHash,
    protocol::{Answer, Ask, Place, Secret, Told},
    store::Stays,
};

impl Stand {
    /// Makes a hook for a room, by which its token's hash ends.
    pub(super) fn hook(&mut self, (guest, account): (usize, AccountId), room: &str, last: u8) {
        let (client, room) = (self.client(guest), Place::Room(room.to_owned()));
        let (name, session, hash) = ("build".to_owned(), format!("h{last}"), hash(last));
        let (token, stays) = (Secret(String::new()), Stays::UntilEnded);
        let hook = NewDevice { name, session, token, hash, stays };
        self.desk().obey(Order::Hook { client, account, re: Some(7), room, hook });
        self.settle();
        let told = self.told(guest);
        let is_made = |told: &Told| {
            matches!(told, Told::Answer { re: Some(7), answer: Ok(Answer::Hooked { .. }) })
        };
        assert!(told.iter().any(is_made), "{told:?}");
    }

    fn hooked(&mut self, last: u8) -> Option<Hooked> {
        let (found, mut hook) = oneshot::channel();
        self.desk().obey(Order::Hooked { hash: hash(last), found });
        self.settle();
        hook.try_recv().unwrap().unwrap()
    }

    fn delete(&mut self, room: &str) {
        let (done, mut said) = oneshot::channel();
        let chore = Chore::DeleteRoom { room: room.to_owned() };
        self.desk().obey(Order::Run { chore, done });
        self.settle();
        said.try_recv().unwrap().unwrap();
    }
}

fn hash(last: u8) -> TokenHash {
    let mut hash = [0; 32];
    hash[31] = last;
    TokenHash(hash)
}

fn lab() -> Ask {
    Ask::Join { room: Place::Room("#lab".to_owned()) }
}

#[tokio::test(start_paused = true)]
async fn a_hook_ends_with_its_room_and_says_nothing_in_another_of_that_name() {
    let mut stand = Stand::new(limits());
    let guest = stand.connect();
    stand.register((guest, 1), "ana");
    stand.settle();
    let ana = stand.desk().state.account_named("ana").unwrap();
    stand.ask((guest, 2), ana, lab());
    stand.hook((guest, ana), "#lab", 1);
    let hooked = stand.hooked(1).unwrap();
    assert_eq!((hooked.room, hooked.name), (Place::Room("#lab".to_owned()), "build".to_owned()));
    stand.delete("#lab");
    assert!(stand.hooked(1).is_none());
    stand.ask((guest, 3), ana, lab());
    stand.settle();
    stand.hook((guest, ana), "#lab", 2);
    assert_eq!((stand.hooked(1).is_some(), stand.hooked(2).is_some()), (false, true));
    stand.restart();
    assert_eq!((stand.hooked(1).is_some(), stand.hooked(2).is_some()), (false, true));
    let devices = stand.desk().store.sessions(ana).unwrap();
    let hooks = devices.iter().filter(|one| one.device.starts_with("hook "));
    assert_eq!(hooks.map(|one| one.name.as_str()).collect::<Vec<_>>(), ["h2"]);
}
