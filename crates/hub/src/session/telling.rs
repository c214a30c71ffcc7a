//! What a client is told, in its own way to speak.

use std::{future::poll_fn, io, task::Poll, time::Duration};

use relais_net::{Fault, Side};
use relais_tap::By;
use tokio::time::timeout;

use super::{Asks, Dialect, End, Session, Typing};
use crate::{
    json,
    outbox::Spoken,
    protocol::{Answer, Event, Listed, Refusal, Told},
    words::{Lang, Reader, Stand},
};

/// How long somebody may take to be told what waits.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

impl Typing {
    /// Goes into a room, of which nothing is shown but what is typed and said there.
    fn enter(&mut self, listed: &Listed) {
        let read = match listed.mine {
            Some((read, _)) if listed.unread > 0 => read,
            _ => listed.last,
        };
        let shown = self.shown.filter(|_| self.here.place() == Some(&listed.room));
        self.here = Stand::entered(listed.room.clone(), listed.dialogue.as_ref());
        self.shown = shown.max(Some(read));
    }

    /// Takes in that `event` is shown to who is called `me`: with it all before it, if none of that was left out.
    fn show(&mut self, event: &Event, me: Option<&str>) {
        let Some(at) = event.at().filter(|at| self.here.place() == Some(&at.room)) else { return };
        if self.shown.is_some_and(|shown| at.prev <= shown) {
            // What was shown before was read before, and what it said itself it need not read.
            let is_others = self.shown < Some(at.seq) && me != Some(&*at.from);
            self.has_read |= is_others && matches!(event, Event::Message { .. });
            self.shown = self.shown.max(Some(at.seq));
        }
    }

    /// Takes in what is told to who is called `me`: it may change where what is typed goes.
    fn take_in(&mut self, told: &Told, me: Option<&str>) {
        match told {
            Told::Answer { answer: Ok(Answer::Joined(listed)), .. } => self.enter(listed),
            Told::Answer { answer: Ok(Answer::Page { events, .. }), .. } => {
                for event in events {
                    self.show(event, me);
                }
            }
            Told::Event(event) if self.is_sent_out(event, me) => self.here = Stand::Nowhere,
            Told::Event(event) => {
                self.show(event, me);
                self.here.hear(event);
            }
            Told::Answer { .. } => {}
        }
    }

    /// Whether by `event` who is called `me` is in its room no more, or the room is not.
    fn is_sent_out(&self, event: &Event, me: Option<&str>) -> bool {
        match event {
            Event::Part(at) => self.here.place() == Some(&at.room) && me == Some(&*at.from),
            Event::Delete(at) => self.here.place() == Some(&at.room),
            _ => false,
        }
    }
}

impl Session<'_> {
    /// Tells all that is to be told.
    pub(super) async fn speak(&mut self) -> Result<(), Fault> {
        if self.taken.is_empty() {
            return self.finish().await;
        }
        let most = self.taken.iter().map(|spoken| spoken.json.len()).sum();
        let mut text = Vec::with_capacity(most);
        while let Some(spoken) = self.taken.pop_front() {
            if spoken.is_answer() {
                self.asked = self.asked.saturating_sub(1);
            }
            self.note(&spoken.told);
            match &self.dialect {
                Dialect::Words(typing) => {
                    let me = self.who.as_ref().map(|who| &*who.user);
                    let reader = Reader { lang: typing.lang, me, here: typing.here.place() };
                    text.extend(typing.in_words(&spoken.told, reader).bytes());
                }
                Dialect::Json { lang } if *lang != Lang::En && spoken.is_in_words() => {
                    json::write_in(&spoken.told, *lang, &mut text);
                }
                Dialect::Json { .. } | Dialect::Unknown => text.extend(&spoken.json),
            }
        }
        self.send(&text).await?;
        if self.asked == 0 {
            self.asks = Asks::Little;
        }
        Ok(())
    }

    /// Tells the rest of what others began to tell.
    pub(super) async fn finish(&mut self) -> Result<(), Fault> {
        if self.link.has_begun() { self.send(&[]).await } else { Ok(()) }
    }

    /// What is told may be the end, or change where what is typed goes.
    fn note(&mut self, told: &Told) {
        if let Told::Answer { answer: Err(refusal), .. } | Told::Event(Event::Bye(refusal)) = told {
            self.hub.counts.refuse(refusal.code);
        }
        if let Told::Event(Event::Bye(refusal)) = told {
            self.end.get_or_insert((By::Relais, refusal.code.as_str().into()));
        }
        if let Told::Answer { answer: Ok(Answer::Joined(_)), .. } = told {
            self.mark_read();
        }
        let me = self.who.as_ref().map(|who| &*who.user);
        if let Dialect::Words(typing) = &mut self.dialect {
            typing.take_in(told, me);
        }
    }

    pub(super) async fn send(&mut self, mut lines: &[u8]) -> Result<(), Fault> {
        self.passed.said += lines.len() as u64;
        // Nearly always there is room, and nobody has to look at a clock.
        let at_once = poll_fn(|cx| Poll::Ready(self.link.poll_tell(cx, &mut lines))).await;
        let sent = match at_once {
            Poll::Ready(sent) => sent,
            Poll::Pending => {
                let sending = poll_fn(|cx| self.link.poll_tell(cx, &mut lines));
                let late = |_| Err(io::ErrorKind::TimedOut.into());
                timeout(TOLD_WITHIN, sending).await.unwrap_or_else(late)
            }
        };
        sent.map_err(|error| Fault::new(Side::Client, "telling a client", error))
    }

    /// Tells the client alone, now.
    pub(super) fn answer(&mut self, re: Option<u64>, answer: Result<Answer, Refusal>) {
        self.asked += 1;
        self.taken.push_back(Spoken::new(Told::Answer { re, answer }));
    }

    /// Answers the client's last word.
    pub(super) async fn say_goodbye(&mut self, re: Option<u64>) -> Result<End, Fault> {
        self.answer(re, Ok(Answer::Bye));
        self.speak().await?;
        Ok((By::Client, "said its last word".into()))
    }

    pub(super) async fn tell_end(&mut self, why: Refusal) -> Result<(), Fault> {
        self.taken.push_back(Spoken::new(Told::Event(Event::Bye(why))));
        self.speak().await
    }
}
