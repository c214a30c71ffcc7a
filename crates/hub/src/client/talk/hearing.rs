//! What a talk makes of what the hub says.

use std::time::Duration;

use tokio::time::Instant;

use super::{Entrance, News, Own, Stand, Talk};
use crate::{
    client::following::Verdict,
    model::Seq,
    protocol::{Answer, Ask, Code, Event, Page, Place, Proof, Refusal, Resume, Secret},
};

/// How much of what is missing is asked for at once.
const PAGE: usize = 200;

/// How long is waited where the hub says "later", and not when.
const LATER: Duration = Duration::from_secs(1);

/// The longest that a hub may ask to wait.
const REST_MAX: Duration = Duration::from_mins(1);

impl Talk {
    pub(super) fn hear_event(&mut self, event: Event) {
        match &event {
            Event::Gap(gap) => {
                if let Some(after) = self.following.miss(gap) {
                    self.ask_page(gap.room.clone(), after);
                }
            }
            Event::Lagged { room, last } => {
                let since = self.following.lag(room, *last);
                let resume = Resume::Rooms(vec![(room.clone(), since)]);
                self.ask_own(Own::CatchUp(room.clone()), Ask::Resume(resume));
            }
            Event::Rewound { last } => {
                self.following.rewind(*last);
                self.news.push_back(News::Happened(event));
            }
            Event::Bye(refusal) => {
                self.rest = Duration::from_millis(refusal.retry_ms.unwrap_or(0)).min(REST_MAX);
                self.news.push_back(News::Happened(event));
            }
            _ => {
                let verdict = event.at().map(|at| self.following.hear(at));
                if verdict != Some(Verdict::Known) {
                    self.news.push_back(News::Happened(event));
                }
            }
        }
    }

    fn ask_page(&mut self, room: Place, after: Seq) {
        let ask = Ask::History {
            room: room.clone(),
            page: Page::After(after),
            limit: Some(PAGE),
            messages: None,
        };
        self.ask_own(Own::Fill(room), ask);
    }

    pub(super) fn hear_answer(
        &mut self,
        re: Option<u64>,
        answer: Result<Answer, Refusal>,
        now: Instant,
    ) {
        let Some(re) = re else {
            match answer {
                // Of what was missed until the login this is the end.
                Ok(Answer::Live { cursor }) => self.following.resumed(cursor),
                // What is no frame has no number: of what is asked here, it is what is under way.
                Err(refusal) if matches!(refusal.code, Code::BadFrame | Code::FrameTooBig) => {
                    if let Some(ask) = self.asking.under_way() {
                        self.tell_answer(ask, Err(refusal));
                    }
                }
                Err(refusal) => self.put_off(&refusal),
                Ok(_) => {}
            }
            return;
        };
        if let Some(found) = self.own.iter().position(|(id, _)| *id == re) {
            let (_, own) = self.own.swap_remove(found);
            self.hear_own(own, answer);
            return;
        }
        if let Err(refusal) = &answer
            && is_for_later(refusal)
            && wait_of(refusal) <= PATIENCE
            && self.asking.later(re, now + wait_of(refusal))
        {
            return;
        }
        if let Some(ask) = self.asking.answered(re) {
            self.tell_answer(ask, answer);
        }
    }

    /// Tells what was answered to who asked for it.
    fn tell_answer(&mut self, ask: Ask, answer: Result<Answer, Refusal>) {
        let answer = answer.map(|answer| meant(&ask, answer));
        let is_out = answer.is_ok() && self.revokes_itself(&ask);
        self.news.push_back(News::Answered(ask, answer));
        if is_out {
            // As if another device had done it.
            self.stand = Stand::Refused;
            self.news.push_back(News::Refused(Refusal::of(Code::SessionRevoked)));
        }
    }

    /// Whether `ask` has the device be nobody again that asks.
    fn revokes_itself(&self, ask: &Ask) -> bool {
        matches!(ask, Ask::Revoke { session } if self.session.as_ref() == Some(session))
    }

    fn hear_own(&mut self, own: Own, answer: Result<Answer, Refusal>) {
        match (own, answer) {
            (Own::LogIn, Ok(Answer::LoggedIn { user, session, token, cursor, rooms, wishes })) => {
                self.session = Some(session);
                self.enter(token.as_ref(), cursor);
                self.news.push_back(News::Entered { user, token, rooms, wishes });
            }
            // Who was in once is patient.
            (Own::LogIn, Err(refusal)) if self.was_in() && is_for_later(&refusal) => {
                self.put_off(&refusal);
            }
            (Own::LogIn, answer) => {
                self.stand = Stand::Refused;
                let refusal = answer.err().unwrap_or_else(|| Refusal::of(Code::BadFrame));
                self.news.push_back(News::Refused(refusal));
            }
            // Nothing may be left out: the next connection asks for all of it again.
            (Own::Fill(_) | Own::CatchUp(_), Err(refusal)) if is_for_later(&refusal) => {
                self.put_off(&refusal);
            }
            (Own::Fill(room), Ok(Answer::Page { events, .. })) => {
                let (events, next) = self.following.fill(&room, events);
                self.news.extend(events.into_iter().map(News::Happened));
                if let Some(after) = next {
                    self.ask_page(room, after);
                }
            }
            // Somebody who is in it no more is told no more of it.
            (Own::Fill(room), _) => _ = self.following.fill(&room, Vec::new()),
            (Own::CatchUp(room), _) => self.following.caught_up(&room),
            (Own::Ping, _) => {}
        }
    }

    /// Has the connection be given up, and another be made when the hub likes.
    fn put_off(&mut self, refusal: &Refusal) {
        self.stand = Stand::PutOff;
        self.rest = wait_of(refusal);
    }

    fn enter(&mut self, token: Option<&Secret>, cursor: Seq) {
        self.stand = Stand::In;
        self.backoff.reset();
        if let Some(token) = token {
            self.entrance = Entrance::LogIn(Proof::Token(token.clone()));
        }
        match self.following.since() {
            Some(_) => self.following.resume(),
            None => self.following.begin(cursor),
        }
    }
}

/// What `answer` is to `ask`: one without fields may be to a ping.
fn meant(ask: &Ask, answer: Answer) -> Answer {
    match (ask, answer) {
        (Ask::Ping { t: None }, Answer::Done) => Answer::Pong { t: None },
        (_, answer) => answer,
    }
}

/// How long what was asked is asked again later. What is to wait for longer, as in a slow room, is told to
/// be refused: who said it knows then, and a script ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the same may come to something later.
pub(in crate::client) fn is_for_later(refusal: &Refusal) -> bool {
    // Who is muted for a while is told so.
    matches!(refusal.code, Code::RateLimited | Code::Unavailable | Code::Shutdown)
}

fn wait_of(refusal: &Refusal) -> Duration {
    refusal.retry_ms.map_or(LATER, Duration::from_millis).min(REST_MAX)
}
