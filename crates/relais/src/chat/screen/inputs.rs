//! What comes to the screen: what hubs tell, keys, and signals; or its time to draw.

use std::{io, thread};

use crossterm::event::{self, Event as Input};
use rustix::process::Signal;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::{self, Receiver, UnboundedReceiver},
    time::{Instant, sleep_until},
};

use super::carrying::Heard;

/// From where it comes.
pub(super) struct Ears {
    heard: Receiver<(usize, Heard)>,
    typed: UnboundedReceiver<Input>,
    signals: Signals,
}

/// What comes next.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all that comes is news, and none of it is kept"
)]
pub(super) enum Next {
    /// Of a hub, by its number.
    Heard(usize, Heard),
    Typed(Input),
    Sent(Sent),
    /// It is time to draw.
    Draw,
    /// It is time for what the model wanted to be woken for.
    Wake,
    /// Nothing comes any more.
    Nothing,
}

impl Ears {
    /// Ears for what hubs tell, from here on for keys and signals, too.
    ///
    /// # Errors
    ///
    /// If signals cannot be had.
    pub(super) fn new(heard: Receiver<(usize, Heard)>) -> io::Result<Self> {
        Ok(Self { heard, typed: typing(), signals: Signals::new()? })
    }

    /// Waits for what comes, at most until it is time to draw or to wake. Cancel safe.
    pub(super) async fn next(
        &mut self,
        draws_at: Option<Instant>,
        wakes_at: Option<Instant>,
    ) -> Next {
        let at = |time: Option<Instant>| sleep_until(time.unwrap_or_else(Instant::now));
        tokio::select! {
            heard = self.heard.recv() => {
                heard.map_or(Next::Nothing, |(hub, heard)| Next::Heard(hub, heard))
            }
            input = self.typed.recv() => input.map_or(Next::Nothing, Next::Typed),
            () = at(draws_at), if draws_at.is_some() => Next::Draw,
            () = at(wakes_at), if wakes_at.is_some() => Next::Wake,
            sent = self.signals.next() => Next::Sent(sent),
        }
    }
}

/// What is typed, from a thread that lives as long as the program does.
fn typing() -> UnboundedReceiver<Input> {
    let (typed, taken) = mpsc::unbounded_channel();
    let read = move || {
        while let Ok(input) = event::read() {
            if typed.send(input).is_err() {
                return;
            }
        }
    };
    // Without a thread nothing is typed: dropping the sender says so.
    _ = thread::Builder::new().name("typing".to_owned()).spawn(read);
    taken
}

/// The signals that matter to a screen.
struct Signals {
    ends: [tokio::signal::unix::Signal; 4],
    rest: tokio::signal::unix::Signal,
    go_on: tokio::signal::unix::Signal,
}

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    End,
    Rest,
    GoOn,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let raw = |number: Signal| signal(SignalKind::from_raw(number.as_raw()));
        let [hangup, interrupt, quit, terminate] =
            [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM].map(raw);
        let ends = [hangup?, interrupt?, quit?, terminate?];
        Ok(Self { ends, rest: raw(Signal::TSTP)?, go_on: raw(Signal::CONT)? })
    }

    /// Waits for one. Cancel safe.
    async fn next(&mut self) -> Sent {
        let [hangup, interrupt, quit, terminate] = &mut self.ends;
        tokio::select! {
            _ = hangup.recv() => Sent::End,
            _ = interrupt.recv() => Sent::End,
            _ = quit.recv() => Sent::End,
            _ = terminate.recv() => Sent::End,
            _ = self.rest.recv() => Sent::Rest,
            _ = self.go_on.recv() => Sent::GoOn,
        }
    }
}
