//! What a client is told, in its own way to speak.

use std::{io, time::Duration};

use relais_net::{Fault, Side};
use relais_tap::By;
use tokio::{io::AsyncWriteExt as _, time::timeout};

use super::{Dialect, Session};
use crate::{
    json,
    outbox::Spoken,
    protocol::{Answer, Event, Refusal, Told},
    words::{self, Lang, Reader},
};

/// How long somebody may take to be told what waits.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

impl Session<'_> {
    /// Tells all that is to be told.
    pub(super) async fn speak(&mut self) -> Result<(), Fault> {
        if self.taken.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        while let Some(spoken) = self.taken.pop_front() {
            if spoken.is_answer() {
                self.asked = self.asked.saturating_sub(1);
            }
            self.note(&spoken.told);
            match &self.dialect {
                Dialect::Words(typing) => {
                    let me = self.who.as_ref().map(|who| &*who.user);
                    let reader = Reader { lang: typing.lang, me, here: typing.here.as_ref() };
                    text.extend(words::show(&spoken.told, reader).bytes());
                }
                Dialect::Json { lang } if *lang != Lang::En && spoken.is_in_words() => {
                    json::write_in(&spoken.told, *lang, &mut text);
                }
                Dialect::Json { .. } | Dialect::Unknown => text.extend(&spoken.json),
            }
        }
        self.send(&text).await
    }

    /// What is told may be the end, or change where what is typed goes.
    fn note(&mut self, told: &Told) {
        if let Told::Event(Event::Bye(refusal)) = told {
            self.end.get_or_insert((By::Relais, refusal.code.as_str().into()));
        }
        let Dialect::Words(typing) = &mut self.dialect else { return };
        match told {
            Told::Answer { answer: Ok(Answer::Joined(listed)), .. } => {
                (typing.here, typing.shown) = (Some(listed.room.clone()), Some(listed.last));
            }
            Told::Event(Event::Part(at))
                if typing.here.as_ref() == Some(&at.room)
                    && self.who.as_ref().is_some_and(|who| who.user == at.from) =>
            {
                typing.here = None;
            }
            Told::Event(Event::Delete(at)) if typing.here.as_ref() == Some(&at.room) => {
                typing.here = None;
            }
            Told::Event(Event::Message { at, .. }) if typing.here.as_ref() == Some(&at.room) => {
                typing.shown = Some(at.seq);
            }
            _ => {}
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.passed.said += bytes.len() as u64;
        let sending = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        let late = |_| Err(io::ErrorKind::TimedOut.into());
        let sent = timeout(TOLD_WITHIN, sending).await.unwrap_or_else(late);
        sent.map_err(|error| Fault::new(Side::Client, "telling a client", error))
    }

    /// Tells the client alone, now.
    pub(super) fn answer(&mut self, re: Option<u64>, answer: Result<Answer, Refusal>) {
        self.asked += 1;
        self.taken.push_back(Spoken::new(Told::Answer { re, answer }));
    }

    pub(super) async fn tell_end(&mut self, why: Refusal) -> Result<(), Fault> {
        self.taken.push_back(Spoken::new(Told::Event(Event::Bye(why))));
        self.speak().await
    }
}
