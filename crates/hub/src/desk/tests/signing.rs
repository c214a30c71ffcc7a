//! What who runs the hub has done is the hub's: no account is told to have done it.

use tokio::sync::oneshot;

use super::{limits, stand::Stand};
use crate::{
    desk::{Chore, Order},
    model::{AccountId, HUB_NAME, Said},
    protocol::{Answer, Ask, Event, Page, Place, Told},
};

impl Stand {
    /// Has something done by who runs the hub.
    pub(super) fn chore(&mut self, chore: Chore) {
        let (done, mut said) = oneshot::channel();
        self.desk().obey(Order::Run { chore, done });
        self.settle();
        said.try_recv().unwrap().unwrap();
    }

    /// One that came and made an account, and is in `#lab`.
    pub(super) fn somebody(&mut self, name: &str) -> (usize, AccountId) {
        let guest = self.connect();
        self.register((guest, 1), name);
        self.settle();
        let who = self.desk().state.account_named(name).unwrap();
        self.ask((guest, 2), who, Ask::Join { room: lab() });
        self.settle();
        (guest, who)
    }
}

fn lab() -> Place {
    Place::Room("#lab".into())
}

/// Who did what is told, of all that is in the log.
fn signed(told: &[Told]) -> Vec<(&str, &'static str)> {
    let one = |event: &Event| match event {
        Event::Rule { what, .. } => *what,
        Event::Role { .. } => "role",
        Event::Delete(_) => "delete",
        _ => "other",
    };
    let each = told.iter().flat_map(|told| match told {
        Told::Event(event) => std::slice::from_ref(event),
        Told::Answer { answer: Ok(Answer::Page { events, .. }), .. } => events,
        Told::Answer { .. } => &[],
    });
    let each = each.filter_map(|event| Some((event.at()?.from.as_str(), one(event))));
    each.filter(|(_, what)| *what != "other").collect()
}

#[tokio::test(start_paused = true)]
async fn what_who_runs_the_hub_has_done_is_told_to_be_the_hubs() {
    let mut stand = Stand::new(limits());
    let _admin = stand.somebody("root");
    let (guest, ana) = stand.somebody("ana");
    drop(stand.told(guest));
    let (room, user) = ("#lab".to_owned(), "ana".to_owned());
    stand.chore(Chore::Retain { room: room.clone(), days: Some(8) });
    stand.chore(Chore::Own { room: room.clone(), user });
    let done = [(HUB_NAME, "retain"), (HUB_NAME, "role")];
    assert_eq!(signed(&stand.told(guest)), done);
    let (page, limit, messages) = (Page::Latest, None, None);
    stand.ask((guest, 3), ana, Ask::History { room: lab(), page, limit, messages });
    stand.settle();
    assert_eq!(signed(&stand.told(guest)), done);
    // And by who opens it next.
    stand.restart();
    let guest = stand.connect();
    stand.enter((guest, 1), ana, (None, None));
    stand.ask((guest, 3), ana, Ask::History { room: lab(), page, limit, messages });
    stand.settle();
    assert_eq!(signed(&stand.told(guest)), done);
    stand.chore(Chore::DeleteRoom { room });
    assert_eq!(signed(&stand.told(guest)), [(HUB_NAME, "delete")]);
}

#[tokio::test(start_paused = true)]
async fn the_hub_signs_where_nobody_has_an_account_any_more() {
    let mut stand = Stand::new(limits());
    stand.somebody("root");
    stand.chore(Chore::DeleteUser { user: "root".into(), said: Said::Stays });
    stand.chore(Chore::Retain { room: "#lab".into(), days: Some(8) });
    stand.restart();
    let room = stand.desk().state.room_named("#lab").unwrap();
    assert_eq!(stand.desk().state.room(room).retain_days, Some(8));
}
