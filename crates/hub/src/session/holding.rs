//! How a connection is held: what a client says is heard and what it is to be told is said, until one of the two
//! ends it.

use std::{future::poll_fn, io, ops::ControlFlow, pin::pin, time::Duration};

use relais_net::{Drain, Fault, Side};
use relais_tap::By;
use tokio::time::timeout;

use super::{
    Asks, Dialect, End, Goodbye, Link, Session, Typing, calculating, heard::Heard, stop::Stop,
};
use crate::{
    protocol::{Code, Refusal},
    shared::NoValue,
    words::Phrase,
};

/// How long a caller may say nothing before it is greeted as a person.
const GREETED_AFTER: Duration = Duration::from_millis(700);

/// When a client may come again that we end.
const RETRY_MS: u64 = 1500;

/// What there is to do next.
enum Step {
    /// The client said something, or all that it says.
    Heard(Heard),
    /// Something is to be told.
    Told,
    /// What was worked out came to this.
    Value(Result<String, NoValue>),
    /// Nothing came for too long.
    Silence,
    /// We were told to stop.
    Stop,
}

impl Session<'_> {
    /// Holds the connection to its end, and gives that.
    pub(super) async fn hold(&mut self, drain: &Drain) -> Result<End, Fault> {
        let word = pin!(drain.requested());
        let mut ending = Stop::new(drain, word);
        if let Link::Datagrams(_) = self.link {
            // Boxed for the size of every connection's task.
            self.end = Box::pin(self.come_back()).await;
        }
        Box::pin(self.greet(&mut ending)).await?;
        loop {
            self.speak().await?;
            if let Some(end) = self.end.take() {
                return Ok(end);
            }
            self.know_dialect();
            if let ControlFlow::Break(end) = self.hear_lines().await {
                self.speak().await?;
                return Ok(end);
            }
            if self.says_too_much() {
                let why = Refusal::of(Code::FrameTooBig).why("this much is for who has logged in");
                return Box::pin(self.turn_out(why, "said too much before it logged in")).await;
            }
            if !self.taken.is_empty() {
                continue;
            }
            if self.has_ended && self.asked == 0 {
                return Box::pin(self.part()).await;
            }
            let step = self.step(&mut ending).await?;
            if let Some((refusal, why)) = self.take_step(step) {
                return Box::pin(self.turn_out(refusal, why)).await;
            }
        }
    }

    /// Waits for the first word; who waits for ours is greeted as a person, and may be a program yet.
    async fn greet(&mut self, ending: &mut Stop<'_>) -> Result<(), Fault> {
        let Dialect::Unknown = self.dialect else { return Ok(()) };
        match timeout(GREETED_AFTER, self.step(ending)).await {
            Ok(step) => step.map(|_| ()),
            Err(_) => self.send(Phrase::Greeting.line(self.hub.lang).as_bytes()).await,
        }
    }

    /// The first byte of all tells how the client speaks.
    fn know_dialect(&mut self) {
        let (Dialect::Unknown, Some(first)) = (&self.dialect, self.link.first_byte()) else {
            return;
        };
        let lang = self.hub.lang;
        self.dialect = match first {
            b'{' => Dialect::Json { lang },
            _ => Dialect::Words(Box::new(Typing { lang, ..Typing::default() })),
        };
    }

    /// Does what was said, as far as more may be asked. Of who is nobody after a line, that counts as said by
    /// a stranger; what stands behind a login does not.
    async fn hear_lines(&mut self) -> ControlFlow<End> {
        while self.goodbye.is_none() && self.asked < self.asked_max() && !self.says_too_much() {
            let Some(line) = self.link.next() else { break };
            let bytes = line.bytes();
            // Boxed, as all is that is seldom waited for: each connection's task has room for what is not.
            Box::pin(self.hear(line)).await?;
            if self.who.is_none() {
                self.said_unknown = self.said_unknown.saturating_add(bytes);
            }
        }
        ControlFlow::Continue(())
    }

    /// Waits for something to do.
    async fn step(&mut self, ending: &mut Stop<'_>) -> Result<Step, Fault> {
        // Who has asked as much as may be waits for answers first.
        let may_read = !self.has_ended && self.asked < self.asked_max();
        let as_it_is = matches!(self.dialect, Dialect::Json { .. });
        let Self { link, outbox, taken, silence, sums, .. } = self;
        if as_it_is {
            outbox.lend();
        }
        let step = tokio::select! {
            heard = poll_fn(|cx| link.poll_hear(cx)), if may_read => Step::Heard(heard.map_err(hearing)?),
            () = poll_fn(|cx| outbox.poll_take(cx, taken)) => Step::Told,
            value = poll_fn(|cx| calculating::poll(sums, cx)) => Step::Value(value),
            () = poll_fn(|cx| silence.poll(cx)) => Step::Silence,
            () = poll_fn(|cx| ending.poll(cx)) => Step::Stop,
        };
        outbox.have_back();
        if let Step::Heard(Heard::Bytes(bytes)) = step {
            self.passed.heard += bytes as u64;
        }
        Ok(step)
    }

    /// Takes in what a step brought. Gives for what the client is turned out, if it is, and that in our words.
    fn take_step(&mut self, step: Step) -> Option<(Refusal, &'static str)> {
        match step {
            // What it asked is answered yet.
            Step::Heard(Heard::End) => self.has_ended = true,
            Step::Heard(Heard::Over(end)) => self.end = Some(end),
            Step::Heard(Heard::Bytes(_)) | Step::Told => {}
            Step::Value(value) => self.tell_value(value),
            Step::Silence => return Some((Refusal::of(Code::NotLoggedIn), "silent for too long")),
            Step::Stop => {
                return Some((Refusal::of(Code::Shutdown).retry_ms(RETRY_MS), "told to stop"));
            }
        }
        None
    }

    /// Tells the client that this is the end, and why. Gives that, as we call it.
    async fn turn_out(&mut self, refusal: Refusal, why: &'static str) -> Result<End, Fault> {
        self.tell_end(refusal).await?;
        Ok((By::Relais, why.into()))
    }

    /// Ends with a client that says nothing more, and was told all.
    async fn part(&mut self) -> Result<End, Fault> {
        match self.goodbye {
            Some(Goodbye { re }) => self.say_goodbye(re).await,
            None => Ok((By::Client, "closed".into())),
        }
    }

    /// How much may be asked before it is answered. What is typed next may depend on it: where it goes.
    /// Who asks for pages and reads none is not to have the hub hold many.
    fn asked_max(&self) -> usize {
        match (&self.dialect, self.asks) {
            (Dialect::Words(_), _) => 1,
            (_, Asks::Little) => self.hub.limits.asked_max,
            (_, Asks::Much) => self.hub.limits.asked_long_max,
        }
    }

    fn says_too_much(&self) -> bool {
        self.who.is_none() && self.said_unknown > self.hub.limits.unknown_bytes_max
    }
}

fn hearing(error: io::Error) -> Fault {
    Fault::new(Side::Client, "hearing a client", error)
}
