//! What is wanted, read from the log, and told.

use std::{
    panic::{self, AssertUnwindSafe},
    slice,
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;
use tracing::error;

use super::{Bounds, Job, Noticed, Query, RETRY_MS, Uncounted, pages};
use crate::{
    hall::{Group, Post},
    model::{AccountId, RoomId, Seq},
    names::Names,
    outbox::Spoken,
    protocol::{Answer, Code, Event, Listed, Page, Place, Refusal, Told},
    saying::{self, View},
    store::{Archive, Broken, More, Past, Reads, Sought},
};

/// One who reads.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) archive: Archive,
    pub(super) names: Arc<Names>,
    pub(super) bounds: Bounds,
}

/// How long a search may take.
const SEARCHED_MAX: Duration = Duration::from_secs(1);

/// How far what was not read is counted, in each room.
const UNREAD_MAX: u64 = 200;

impl Shelf {
    /// Reads what is wanted. Gives what its client is to be told, if it still wants it.
    pub(super) fn do_next(&self, job: &Job) -> Group {
        let takes = if job.query.is_long() { Reads::Long } else { Reads::Quick };
        let _reading = self.archive.begin(takes);
        // A bug in reading one thing is no reason to read nothing more.
        let read = panic::catch_unwind(AssertUnwindSafe(|| self.posts(job)));
        read.unwrap_or_else(|_| told(job, failed(job, Refusal::of(Code::Internal))))
    }

    fn posts(&self, job: &Job) -> Group {
        let mut posts = Group::new();
        let answer = self.read(job, &mut posts).unwrap_or_else(|error| {
            error!(%error, "what was said cannot be read");
            failed(job, Refusal::of(Code::Unavailable).retry_ms(RETRY_MS))
        });
        posts.extend(told(job, answer));
        posts
    }

    fn read(&self, job: &Job, posts: &mut Group) -> Result<Result<Answer, Refusal>, Broken> {
        let answer = match &job.query {
            Query::Page { room: (id, place), page, limit, messages, upto } => {
                let (past, more) = self.page(*id, (*page, *upto), *limit)?;
                let within = pages::within(&past, *page);
                let within = messages.map_or(within, |most| pages::said(within, *page, most));
                let more = more == More::Yes || within.len() < past.len();
                let events = within.iter().filter_map(|past| self.event(past, place, job.by));
                Answer::Page { events: events.collect(), more }
            }
            Query::Found { .. } => return self.found(job),
            Query::Written { after, upto } => self.written(job.by, (*after, *upto))?,
            Query::Missed { rooms, known, upto, turns, attention } => {
                let tell = |event: &Event| Spoken::new(Told::Event(event.clone()));
                if self.archive.is_set_back(*known, *upto)? {
                    posts.push(Post::One(job.client, tell(&Event::Rewound { last: *upto })));
                }
                self.missed((job, attention), rooms, (*upto, posts))?;
                posts.extend(turns.iter().map(|turn| Post::One(job.client, tell(turn))));
                Answer::Live { cursor: *upto }
            }
            Query::Counted { answer, rooms, upto } => {
                self.counted((job, answer.clone()), *upto, rooms)?
            }
        };
        Ok(Ok(answer))
    }

    /// What is on `page`, but for what is behind `upto`: who asked may have left before that.
    fn page(
        &self,
        room: RoomId,
        (page, upto): (Page, Seq),
        limit: usize,
    ) -> Result<(Vec<Past>, More), Broken> {
        let Page::Around(seq) = page else {
            return self.archive.page(room, pages::upto(page, upto), limit);
        };
        let half = limit / 2;
        let before = pages::upto(Page::Before(seq), upto);
        let (mut past, more) = self.archive.page(room, before, half)?;
        let (next, more_next) = self.archive.page(room, Page::Between(seq, upto), limit - half)?;
        past.extend(next);
        Ok((past, if more == More::Yes { more } else { more_next }))
    }

    /// `answer` with how much who asks has not read of the rooms in it up to an entry.
    fn counted(
        &self,
        (job, mut answer): (&Job, Answer),
        upto: Seq,
        rooms: &[Uncounted],
    ) -> Result<Answer, Broken> {
        for uncounted in rooms.iter().take_while(|_| !job.wanted.is_given_up()) {
            let (unread, mentions) = self.count(uncounted, job.by, upto)?;
            if let Some(listed) = listed(&mut answer).get_mut(uncounted.at) {
                (listed.unread, listed.mentions) = (unread, mentions);
            }
        }
        Ok(answer)
    }

    /// How much `who` has not read of a room, and how much of that it is to notice.
    fn count(
        &self,
        uncounted: &Uncounted,
        who: AccountId,
        upto: Seq,
    ) -> Result<(u64, u64), Broken> {
        let Uncounted { room, read, noticed, at: _ } = *uncounted;
        let unread = self.archive.unread(room, who, (read, upto), UNREAD_MAX)?;
        let mentions = match noticed {
            Noticed::Nothing => 0,
            Noticed::All => unread,
            Noticed::Marked if unread == 0 => 0,
            Noticed::Marked => self.archive.marked(room, who, (read, upto), UNREAD_MAX)?,
        };
        Ok((unread, mentions))
    }

    /// What a search finds in the time that it has, or that it found nothing in that.
    fn found(&self, job: &Job) -> Result<Result<Answer, Refusal>, Broken> {
        let Query::Found { rooms, words, from, limit, upto } = &job.query else {
            return Ok(Ok(Answer::Done));
        };
        let ids: Vec<_> = rooms.iter().map(|(id, _)| *id).collect();
        let began = Instant::now();
        // One more than is asked for tells whether there is more.
        let sought = Sought { rooms: &ids, words, from: *from, limit: limit + 1, upto: *upto };
        let wanted = job.wanted.clone();
        let go_on = move || began.elapsed() < SEARCHED_MAX && !wanted.is_given_up();
        let (found, more) = self.archive.search_while(&sought, go_on)?;
        let is_all = more == More::No && found.len() <= *limit;
        let found = &found[..found.len().min(*limit)];
        let event = |past: &Past| {
            let room = past.entry.room().filter(|_| !self.is_out(past))?;
            let (_, place) = rooms.iter().find(|(id, _)| *id == room)?;
            self.event(past, place, job.by)
        };
        let within = pages::first_within(found);
        let more = !is_all || within.len() < found.len();
        let events: Vec<_> = within.iter().filter_map(event).collect();
        if within.is_empty() && more {
            let why = "there is more to search through than a second is enough for: name a room, or rarer words";
            return Ok(Err(Refusal::of(Code::TooLong).field("q").why(why)));
        }
        Ok(Ok(Answer::Page { events, more }))
    }

    /// What `viewer` is told of what happened at `place`; `None` of what nobody is told.
    pub(super) fn event(&self, past: &Past, place: &Place, viewer: AccountId) -> Option<Event> {
        let name = |who| self.names.name(who);
        let view = View { place: place.clone(), viewer: Some(viewer), name: &name };
        let mut event = saying::event((&past.entry, past.prev), view)?;
        let is_out = self.is_out(past);
        match &mut event {
            Event::Message { body, edited, mention, .. } => {
                *edited = past.edited;
                if is_out {
                    (*body, *mention) = (None, false);
                }
            }
            Event::Edit { body, .. } if is_out => body.clear(),
            Event::Topic { topic, .. } if is_out && !self.has_topic(past, topic) => topic.clear(),
            Event::Redact { reason, .. } | Event::About { reason, .. } if is_out => *reason = None,
            // As if it had been taken back.
            Event::React { emoji, on, .. } if is_out => {
                emoji.clear();
                *on = false;
            }
            _ => {}
        }
        Some(event)
    }

    /// Whether that is the topic of its room yet, and so the room's, whoever set it. What cannot be read is not.
    fn has_topic(&self, past: &Past, topic: &str) -> bool {
        let is_its = |room| self.archive.has_topic(room, topic).unwrap_or_default();
        past.entry.room().is_some_and(is_its)
    }

    /// Whether nobody is shown what was said: it was taken out, or is being.
    pub(super) fn is_out(&self, past: &Past) -> bool {
        past.redacted || self.names.is_silenced(past.entry.by)
    }
}

/// The rooms that `answer` lists.
fn listed(answer: &mut Answer) -> &mut [Listed] {
    match answer {
        Answer::LoggedIn { rooms, .. } | Answer::Rooms { rooms, .. } => rooms,
        Answer::Joined(room) => slice::from_mut(room),
        _ => &mut [],
    }
}

/// What is told where `job` cannot be read: who came in did, whatever is unread.
fn failed(job: &Job, refusal: Refusal) -> Result<Answer, Refusal> {
    match &job.query {
        Query::Counted { answer, .. } if job.query.is_owed() => Ok(answer.clone()),
        _ => Err(refusal),
    }
}

/// What the client is told of its job, and that it hears the rest again.
pub(super) fn told(job: &Job, answer: Result<Answer, Refusal>) -> Group {
    let mut posts = vec![Post::One(job.client, Spoken::new(Told::Answer { re: job.re, answer }))];
    if job.query.holds() {
        posts.push(Post::Release(job.client));
    }
    posts
}
