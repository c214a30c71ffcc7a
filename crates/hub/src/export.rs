//! All that a hub has of one account, for whose it is.

use std::ops::ControlFlow;

use crate::{
    model::{Access, AccountId, Act, Deed, Entry, HUB_NAME, RoomId, Seq, Title, Wish},
    protocol::{Event, Place},
    saying::{self, View},
    store::{Broken, Ledger, Seated, Session, User},
};

/// Something of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exported {
    /// Who it is. Comes first, once.
    Account(User),
    /// A device that is logged in. What it is known by is not told.
    Device(Session),
    /// What it is in.
    Member(Place, Seated),
    /// What it did in a room, or wants to notice, as the protocol tells it, and as it was written then. What
    /// was taken out is empty.
    Event(Event),
}

/// How much is read at once.
const READ_AT_ONCE: usize = 256;

/// Has `each` take all that there is of an account, until it breaks off.
///
/// *Cost*: looks at all of the log, page by page.
///
/// # Errors
///
/// [`Broken`]
pub fn export(
    ledger: &Ledger,
    who: AccountId,
    each: &mut dyn FnMut(Exported) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Broken> {
    let Some(user) = ledger.user(who)? else { return Ok(ControlFlow::Continue(())) };
    let own = user.name.clone();
    let name = |other| if other == who { own.clone() } else { name(ledger, other) };
    let (title, is_known) = (|room| ledger.title(room), |room| ledger.has_standing(who, room));
    let telling = Telling { who, title: &title, name: &name, is_known: &is_known };
    let mut head = vec![Exported::Account(user)];
    head.extend(ledger.devices(who)?.into_iter().map(Exported::Device));
    for seated in ledger.memberships(who)? {
        let place = telling.place(seated.room)?;
        head.extend(place.map(|place| Exported::Member(place, seated)));
    }
    if head.into_iter().try_for_each(&mut *each).is_break() {
        return Ok(ControlFlow::Break(()));
    }
    written(ledger, &telling, each)
}

/// What one account wrote, told to whose it is.
pub(crate) struct Telling<'t> {
    pub(crate) who: AccountId,
    /// What a room is called, named or between two; nothing, if it was deleted.
    pub(crate) title: &'t dyn Fn(RoomId) -> Result<Option<Title>, Broken>,
    /// What an account is called.
    pub(crate) name: &'t dyn Fn(AccountId) -> String,
    /// Whether it made a room, is in it, or left something there that is kept.
    pub(crate) is_known: &'t dyn Fn(RoomId) -> Result<bool, Broken>,
}

impl Telling<'_> {
    /// What an entry tells, as it was written; nothing of a room that was deleted, nor of what who runs the
    /// hub had earlier versions do in the account's name in a private room that is not its.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub(crate) fn event(&self, entry: &Entry) -> Result<Option<Event>, Broken> {
        if let Deed::Wish(wish) = &entry.deed {
            return self.wish(wish);
        }
        let Some(room) = entry.room() else { return Ok(None) };
        let Some(title) = (self.title)(room)? else { return Ok(None) };
        let is_private = matches!(title, Title::Named(_, Access::Private));
        if is_private && may_be_the_hubs(entry) && !(self.is_known)(room)? {
            return Ok(None);
        }
        let place = self.called(title);
        let view = View { place, viewer: Some(self.who), name: self.name };
        // What was before it in the room is others', perhaps.
        Ok(saying::event((entry, Seq::default()), view))
    }

    fn wish(&self, wish: &Wish) -> Result<Option<Event>, Broken> {
        Ok(match wish {
            Wish::Level { room, level } => {
                self.place(*room)?.map(|room| Event::Notify { room, level: *level })
            }
            Wish::Words(words) => Some(Event::Keywords(words.clone())),
            Wish::Quiet(quiet) => Some(Event::Quiet(*quiet)),
        })
    }

    /// What the room is called by the account.
    fn place(&self, room: RoomId) -> Result<Option<Place>, Broken> {
        Ok((self.title)(room)?.map(|title| self.called(title)))
    }

    fn called(&self, title: Title) -> Place {
        match title {
            Title::Named(name, _) => Place::Room(name),
            Title::Talk(one, other) => {
                Place::Person((self.name)(if one == self.who { other } else { one }))
            }
        }
    }
}

/// Whether it is of a kind that who runs the hub had done in a room by earlier versions, in an
/// administrator's name.
fn may_be_the_hubs(entry: &Entry) -> bool {
    let Deed::In { act, .. } = &entry.deed else { return false };
    matches!(act, Act::Retain { .. } | Act::Role { .. } | Act::Unban { .. })
}

/// Has `each` take what was written, page by page.
fn written(
    ledger: &Ledger,
    telling: &Telling<'_>,
    each: &mut dyn FnMut(Exported) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Broken> {
    let mut after = Seq::default();
    loop {
        let page = ledger.written(telling.who, after, READ_AT_ONCE)?;
        let Some(last) = page.last() else { return Ok(ControlFlow::Continue(())) };
        after = last.seq;
        for entry in &page {
            let Some(event) = telling.event(entry)? else { continue };
            if each(Exported::Event(event)).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
}

/// What somebody is called; nothing, where that cannot be read.
fn name(ledger: &Ledger, who: AccountId) -> String {
    if who == AccountId::HUB {
        return HUB_NAME.to_owned();
    }
    let user = ledger.user(who).ok().flatten();
    user.map(|user| if user.gone.is_some() { crate::model::GONE.into() } else { user.name })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Cid, Kind, Level, Millis, Quiet, Words},
        store::{Store, Sync},
    };

    #[test]
    fn all_that_somebody_did_is_told_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, mut state) =
            Store::open(&folder.path().join("hub.db"), Sync::Normal).unwrap();
        let (ana, bob, talk) = (AccountId(Seq(1)), AccountId(Seq(2)), RoomId(Seq(3)));
        let named = |name: &str| Deed::Register { name: name.to_owned() };
        let act = |act| Deed::In { room: talk, act };
        let say = |body: &str| Act::Say { kind: Kind::Text, body: body.to_owned(), reply: None };
        let deeds = [
            (ana, named("ana")),
            (bob, named("bob")),
            (ana, Deed::Talk { with: bob }),
            (ana, act(say("helo"))),
            (bob, act(say("not hers"))),
            (ana, act(Act::Edit { of: Seq(4), body: "hello".to_owned() })),
            (ana, act(Act::Read { last: Seq(5) })),
            (ana, Deed::Wish(Wish::Level { room: talk, level: Level::Nothing })),
            (ana, Deed::Wish(Wish::Words(Words::read("thesis")))),
            (ana, Deed::Wish(Wish::Quiet(Quiet::On))),
        ];
        store.begin().unwrap();
        for (seq, (by, deed)) in (1..).zip(deeds) {
            let entry = Entry { seq: Seq(seq), at: Millis(seq), by, cid: Cid::new("c"), deed };
            let entry = Entry { cid: entry.cid.filter(|_| seq == 4), ..entry };
            state.apply(&entry);
            store.write(&entry, &state).unwrap();
        }
        store.commit().unwrap();
        let mut told = Vec::new();
        let mut each = |exported| {
            told.push(match exported {
                Exported::Account(user) => user.name,
                Exported::Device(session) => session.name,
                Exported::Member(place, _) => place.to_string(),
                Exported::Event(Event::Message { body, .. }) => body.unwrap(),
                Exported::Event(Event::Edit { body, .. }) => body,
                Exported::Event(Event::Create(at)) => format!("made {}", at.room),
                Exported::Event(Event::Read { last, .. }) => format!("read {last}"),
                Exported::Event(Event::Notify { room, level }) => format!("{room}: {level:?}"),
                Exported::Event(Event::Keywords(words)) => words.as_str().to_owned(),
                Exported::Event(Event::Quiet(quiet)) => format!("quiet {quiet:?}"),
                Exported::Event(other) => panic!("{other:?}"),
            });
            ControlFlow::Continue(())
        };
        let ledger = store.ledger().unwrap();
        _ = export(&ledger, ana, &mut each).unwrap();
        let said = ["ana", "@bob", "made @bob", "helo", "hello", "read 5"];
        assert_eq!(told, [&said[..], &["@bob: Nothing", "thesis", "quiet On"]].concat());
        let mut first = 0;
        let mut enough = |_| {
            first += 1;
            ControlFlow::Break(())
        };
        assert!(export(&ledger, ana, &mut enough).unwrap().is_break());
        assert_eq!(first, 1);
    }
}
