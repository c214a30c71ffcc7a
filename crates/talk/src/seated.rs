//! A caller with whom a person talks, as dialogues over streams and `WebSocket`s have it: what both do
//! alike about the person, who may be slow, and about turns.

use std::{future::pending, ops::ControlFlow, time::Duration};

use relais_net::Drain;
use relais_tap::By;
use tokio::time::sleep;

use crate::{
    dialogues::{Dialogues, Way},
    lines::Message,
    passing::{End, told_to_stop},
    person::{Caller, Manners, Person},
    role::Role,
};

/// A caller's place with the person, if it is a person who answers.
#[derive(Debug)]
pub(crate) struct Seated<'s> {
    call: Option<Caller>,
    /// Whether the person is to answer before the caller is heard again.
    is_awaited: bool,
    drain: &'s Drain,
    idle_max: Duration,
}

/// Why somebody has no place.
#[derive(Debug)]
pub(crate) enum Unseated {
    /// There is none left.
    Full,
    /// The dialogue is over before there was one.
    Over(End),
}

impl<'s> Seated<'s> {
    /// No place: none was asked for yet, and most roles need none.
    pub(crate) fn nowhere(all: &Dialogues, drain: &'s Drain) -> Self {
        Self { call: None, is_awaited: false, drain, idle_max: all.limits.idle_max }
    }

    /// Takes a place, where a person answers.
    pub(crate) async fn sit(&mut self, all: &Dialogues, way: Way<'_>) -> Result<(), Unseated> {
        let Role::Talk(person) = &all.role else { return Ok(()) };
        let coming = Person::come(person, way.from, all.limits.callers_max);
        match within(self.drain, self.idle_max, coming).await {
            ControlFlow::Continue(Some(call)) => self.call = Some(call),
            ControlFlow::Continue(None) => return Err(Unseated::Full),
            ControlFlow::Break(end) => return Err(Unseated::Over(end)),
        }
        Ok(())
    }

    /// Tells the person, who has to answer next where there are turns. Breaks if it is not told in
    /// time.
    pub(crate) async fn pass_on(&mut self, message: &Message<'_>) -> ControlFlow<End> {
        let Some(call) = &self.call else { return ControlFlow::Continue(()) };
        within(self.drain, self.idle_max, call.say(message)).await?;
        self.is_awaited = call.manners() == Manners::Turns;
        ControlFlow::Continue(())
    }

    /// Whether the person is to answer before the caller is heard again.
    pub(crate) fn is_awaited(&self) -> bool {
        self.is_awaited
    }

    /// What the person typed to this caller already.
    pub(crate) fn typed_already(&mut self) -> Option<String> {
        let text = self.call.as_mut()?.lines.try_recv().ok()?;
        self.is_awaited = false;
        Some(text)
    }

    /// Waits for what the person types to this caller; for ever, if it is no person who answers.
    ///
    /// Cancel safe.
    pub(crate) async fn typed(&mut self) -> String {
        let text = match &mut self.call {
            Some(call) => call.lines.recv().await,
            None => None,
        };
        let Some(text) = text else { return pending().await };
        self.is_awaited = false;
        text
    }
}

impl Unseated {
    /// How the dialogue ended.
    pub(crate) fn end(self) -> End {
        match self {
            Self::Full => (By::Relais, "no place at the table".into()),
            Self::Over(end) => end,
        }
    }
}

/// What comes of `waited`, if that is before we are told to stop, and within `most`.
async fn within<T>(
    drain: &Drain,
    most: Duration,
    waited: impl Future<Output = T>,
) -> ControlFlow<End, T> {
    tokio::select! {
        biased;
        came = waited => ControlFlow::Continue(came),
        () = drain.requested() => ControlFlow::Break(told_to_stop()),
        () = sleep(most) => {
            let why = format!("nothing was read here for {} s", most.as_secs());
            ControlFlow::Break((By::Relais, why.into()))
        }
    }
}
