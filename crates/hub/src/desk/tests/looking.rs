//! Who is looked for before it is somebody: by its name, or by its hook; and what is told where the store cannot
//! be read.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{limits, stand::Stand};
use crate::{
    desk::{Hooked, Order},
    model::{AccountId, Kind},
    proof::TokenHash,
    protocol::{Answer, Ask, Code, Place, Refusal, Told},
};

impl Stand {
    fn find(&mut self, name: &str) -> Result<Option<AccountId>, Code> {
        let (found, mut who) = oneshot::channel();
        self.desk().obey(Order::Find { name: name.to_owned(), found });
        self.settle();
        code(who.try_recv().unwrap()).map(|found| found.map(|(who, _)| who))
    }

    fn find_hook(&mut self) -> Result<Option<Hooked>, Code> {
        let (found, mut hook) = oneshot::channel();
        self.desk().obey(Order::Hooked { hash: TokenHash([7; 32]), found });
        self.settle();
        code(hook.try_recv().unwrap())
    }
}

fn sql(stand: &Stand, sql: &str) {
    Connection::open(stand.file()).unwrap().execute_batch(sql).unwrap();
}

fn code<T>(found: Result<T, Refusal>) -> Result<T, Code> {
    found.map_err(|refusal| {
        assert!(refusal.retry_ms.is_some());
        refusal.code
    })
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_looked_for_now_is_not_taken_for_nobody() {
    let mut stand = Stand::new(limits());
    let guest = stand.connect();
    stand.register((guest, 1), "ana");
    stand.settle();
    let ana = stand.desk().state.account_named("ana");
    assert_eq!((stand.find("ana"), stand.find("bob")), (Ok(ana), Ok(None)));
    assert!(matches!(stand.find_hook(), Ok(None)));
    sql(&stand, "ALTER TABLE accounts RENAME TO away; ALTER TABLE sessions RENAME TO gone");
    // Nor does it tell who there is.
    for name in ["ana", "bob"] {
        assert_eq!(stand.find(name), Err(Code::Unavailable), "{name}");
    }
    assert!(matches!(stand.find_hook(), Err(Code::Unavailable)));
}

#[tokio::test(start_paused = true)]
async fn who_came_in_is_told_so_though_it_cannot_be_counted_what_is_unread() {
    let mut stand = Stand::new(limits());
    for (guest, name) in ["ana", "bob"].into_iter().enumerate() {
        assert_eq!(stand.connect(), guest);
        stand.register((guest, 1), name);
        stand.settle();
        let (who, to) =
            (stand.desk().state.account_named(name).unwrap(), Place::Room("#lab".into()));
        stand.ask((guest, 2), who, Ask::Join { room: to.clone() });
        let (body, kind, reply, cid) = ("hi".to_owned(), Kind::Text, None, None);
        stand.ask((guest, 3), who, Ask::Message { to, body, kind, reply, cid });
        stand.settle();
    }
    let (ana, third) = (stand.desk().state.account_named("ana").unwrap(), stand.connect());
    sql(&stand, "ALTER TABLE owed RENAME TO lost");
    stand.enter((third, 1), ana, (None, None));
    stand.ask((third, 2), ana, Ask::Rooms { matching: None });
    stand.settle();
    let [
        Told::Answer { answer: Ok(Answer::LoggedIn { token: Some(_), .. }), .. },
        Told::Answer { answer: Err(refusal), .. },
    ] = &stand.told(third)[..]
    else {
        panic!("it is in, and its rooms cannot be listed");
    };
    assert_eq!(refusal.code, Code::Unavailable);
}
