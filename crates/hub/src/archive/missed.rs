//! What a client missed: of each room the newest that there is room for, and no more of it is read.

use std::sync::Arc;

use super::{Bounds, Job, shelf::Shelf};
use crate::{
    hall::{Group, Post},
    model::{AccountId, Attention, Between, RoomId, Seq, Why},
    outbox::Spoken,
    protocol::{Event, Gap, Place, Told},
    saying,
    store::{Broken, More, Past},
};

/// How much of a room is read at once: of the longest messages, about as many as are told in all.
const PART: usize = 64;

/// A room of which something was missed, and what was seen of it last.
pub(super) type Behind = (RoomId, Place, Seq);

/// What is told of what was missed, so far.
#[derive(Debug, Default)]
struct Found {
    events: Vec<(Seq, Arc<Spoken>)>,
    gaps: Vec<Gap>,
    /// Of JSON.
    bytes: usize,
}

/// Whether more may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Space {
    Left,
    Full,
}

impl Found {
    /// How much may still be told of one more room.
    fn left(&self, bounds: Bounds) -> usize {
        let Bounds { each, all, bytes } = bounds;
        if self.bytes > bytes { 0 } else { each.min(all.saturating_sub(self.events.len())) }
    }

    /// Takes of `told` as much as there is space for. Gives what stands before the last of it that was
    /// taken, and whether there is space for more.
    fn take<'p>(
        &mut self,
        told: impl Iterator<Item = (&'p Past, Arc<Spoken>)>,
        bytes_max: usize,
    ) -> (Option<Seq>, Space) {
        let mut before = None;
        for (past, spoken) in told {
            self.bytes += spoken.json.len();
            if self.bytes > bytes_max {
                return (before, Space::Full);
            }
            before = Some(past.prev);
            self.events.push((past.entry.seq, spoken));
        }
        (before, Space::Left)
    }
}

impl Shelf {
    /// Tells what was missed up to an entry, in the log's order, and before it of which rooms there was
    /// more. Nothing, if its client is gone meanwhile.
    ///
    /// *Cost*: that of what is told, and of a row for each room.
    pub(super) fn missed(
        &self,
        (job, attention): (&Job, &Attention),
        rooms: &[Behind],
        (upto, posts): (Seq, &mut Group),
    ) -> Result<(), Broken> {
        let mut found = Found::default();
        for behind in rooms {
            if job.wanted.is_given_up() {
                return Ok(());
            }
            self.look_back((job.by, attention), (behind, upto), &mut found)?;
        }
        let Found { mut events, gaps, bytes: _ } = found;
        let tell = |spoken| Post::One(job.client, spoken);
        posts.extend(gaps.into_iter().map(|gap| tell(Spoken::new(Told::Event(Event::Gap(gap))))));
        events.sort_unstable_by_key(|(seq, _)| *seq);
        posts.extend(events.into_iter().map(|(_, spoken)| tell(spoken)));
        Ok(())
    }

    /// Finds what was missed of a room, the newest first and a part at a time, as long as there is space.
    fn look_back(
        &self,
        reader: (AccountId, &Attention),
        ((id, place, since), upto): (&Behind, Seq),
        found: &mut Found,
    ) -> Result<(), Broken> {
        let (mut left, mut end, mut first) = (found.left(self.bounds), upto, upto);
        loop {
            let (past, more) = self.archive.since((*id, *since), end, left.min(PART))?;
            let told = past.iter().rev();
            let told = told.filter_map(|past| Some((past, self.spoken(past, place, reader)?)));
            let (before, space) = found.take(told, self.bounds.bytes);
            first = before.unwrap_or(first);
            left = left.saturating_sub(past.len());
            match (space, more, past.first()) {
                (Space::Left, More::No, _) => return Ok(()),
                (Space::Left, More::Yes, Some(oldest)) if left > 0 => {
                    end = Seq(oldest.entry.seq.0.saturating_sub(1));
                }
                _ => break,
            }
        }
        found.gaps.push(Gap { room: place.clone(), from: *since, to: first });
        Ok(())
    }

    /// What is told of it to who missed it.
    fn spoken(
        &self,
        past: &Past,
        place: &Place,
        reader: (AccountId, &Attention),
    ) -> Option<Arc<Spoken>> {
        let event = self.event(past, place, reader.0)?;
        let why = self.why(past, place, reader);
        Some(Spoken::new(Told::Event(saying::noticed(event, why))))
    }

    /// Why who missed it is to notice it now.
    fn why(
        &self,
        past: &Past,
        place: &Place,
        (who, attention): (AccountId, &Attention),
    ) -> Option<Why> {
        if self.is_out(past) || past.entry.by == who {
            return None;
        }
        let between = match place {
            Place::Person(_) => Between::Two,
            Place::Room(_) => Between::All,
        };
        attention.why(&past.entry, (&self.names.name(who), between))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use tempfile::TempDir;
    use tokio::sync::mpsc;

    use super::*;
    use crate::{
        archive::{Query, Wanted},
        hall::{ClientId, Key},
        model::{Access, Act, Deed, Entry, Kind, Millis, State},
        names::Names,
        store::{Store, Sync},
    };

    const ANA: AccountId = AccountId(Seq(1));

    /// A store, and what is written there.
    struct Written {
        folder: TempDir,
        store: Store,
        state: State,
    }

    impl Written {
        /// With two rooms, in each of which ana said so much: at 4, 6, … and at 5, 7, …
        fn with(many: u64) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (store, state) = Store::open(&folder.path().join("hub.db"), Sync::Normal).unwrap();
            let mut written = Self { folder, store, state };
            let create = |name: &str| Deed::Create { name: name.into(), access: Access::Public };
            let say = |room| {
                let act = Act::Say { kind: Kind::Text, body: "x".repeat(100), reply: None };
                Deed::In { room: RoomId(Seq(room)), act }
            };
            let made = [Deed::Register { name: "ana".into() }, create("#one"), create("#two")];
            written.write(made.into_iter().chain((0..2 * many).map(|n| say(2 + n % 2))));
            written
        }

        fn write(&mut self, deeds: impl Iterator<Item = Deed>) {
            self.store.begin().unwrap();
            for deed in deeds {
                let seq = Seq(self.state.last.0 + 1);
                let entry = Entry { seq, at: Millis(1), by: ANA, cid: None, deed };
                self.state.apply(&entry);
                self.store.write(&entry, &self.state).unwrap();
            }
            self.store.commit().unwrap();
        }

        /// Has all up to an entry be what nobody can read.
        fn spoil(&self, upto: u64) {
            let store = Connection::open(self.folder.path().join("hub.db")).unwrap();
            let sql = "UPDATE log SET text = NULL WHERE deed = 'say' AND seq <= ?1";
            assert!(store.execute(sql, [i64::try_from(upto).unwrap()]).unwrap() > 0);
        }

        /// Which entries are told of both rooms behind their making, and what gaps.
        fn told(&self, bounds: Bounds, wanted: Wanted) -> (Vec<u64>, Vec<(u64, u64)>) {
            let names = Arc::new(Names::of(&self.state));
            let reader = Shelf { archive: self.store.archive().unwrap(), names, bounds };
            let rooms = [(2, "#one"), (3, "#two")];
            let rooms = rooms.map(|(id, name)| (RoomId(Seq(id)), Place::Room(name.into()), Seq(3)));
            let (client, upto) = (ClientId { hall: 0, key: Key(1) }, self.state.last);
            let (turns, attention) = (Vec::new(), Attention::default());
            let query = Query::Missed { rooms: Vec::new(), known: upto, upto, turns, attention };
            let (hall, _) = mpsc::unbounded_channel();
            let job = Job { client, re: None, by: ANA, hall, query, wanted };
            let mut posts = Group::new();
            reader.missed((&job, &Attention::default()), &rooms, (upto, &mut posts)).unwrap();
            let (mut seqs, mut gaps) = (Vec::new(), Vec::new());
            for post in posts {
                let Post::One(_, spoken) = post else { panic!("{post:?}") };
                match &spoken.told {
                    Told::Event(Event::Message { at, .. }) => seqs.push(at.seq.0),
                    Told::Event(Event::Gap(gap)) => gaps.push((gap.from.0, gap.to.0)),
                    told => panic!("{told:?}"),
                }
            }
            (seqs, gaps)
        }
    }

    const BOUNDS: Bounds = Bounds { each: 1000, all: 1000, bytes: usize::MAX };

    #[test]
    fn what_was_missed_is_read_in_parts_and_told_whole() {
        let written = Written::with(2 * 64 + 3);
        let (seqs, gaps) = written.told(BOUNDS, Wanted::default());
        assert_eq!(seqs, (4..=written.state.last.0).collect::<Vec<_>>());
        assert_eq!(gaps, []);
    }

    #[test]
    fn of_each_room_and_of_all_so_much_is_told_and_of_the_rest_where_it_is() {
        let written = Written::with(100);
        let last = written.state.last.0;
        let (seqs, gaps) = written.told(Bounds { each: 70, all: 100, ..BOUNDS }, Wanted::default());
        assert_eq!((seqs.len(), seqs[0]), (100, last - 2 * 70 + 1));
        assert_eq!(gaps, [(3, last - 2 * 70 - 1), (3, last - 2 * 30)]);
    }

    #[test]
    fn what_there_is_no_room_for_is_not_read() {
        let written = Written::with(200);
        let last = written.state.last.0;
        // Room for some forty; what lies farther back than a part, and one more, cannot be read.
        written.spoil(last - 2 * 66);
        let bytes = 40 * 250;
        let (seqs, gaps) = written.told(Bounds { bytes, ..BOUNDS }, Wanted::default());
        assert!(seqs.len() > 20 && seqs.len() < 64, "{seqs:?}");
        assert!(seqs.iter().all(|seq| seq % 2 == 0), "all of the first room: {seqs:?}");
        assert_eq!(gaps, [(3, seqs[0] - 2), (3, last)]);
    }

    #[test]
    fn for_a_client_that_is_gone_nothing_is_read() {
        let written = Written::with(2);
        let wanted = Wanted::default();
        wanted.give_up();
        assert_eq!(written.told(BOUNDS, wanted), (vec![], vec![]));
    }
}
