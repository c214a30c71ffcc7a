//! What comes to the screen from outside of the hubs: keys, and signals.

use std::{io, thread};

use crossterm::event::{self, Event as Input};
use rustix::process::Signal;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::{self, UnboundedReceiver},
};

/// What is typed, from a thread that lives as long as the program does.
pub(super) fn typing() -> UnboundedReceiver<Input> {
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
pub(super) struct Signals {
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
    pub(super) fn new() -> io::Result<Self> {
        let raw = |number: Signal| signal(SignalKind::from_raw(number.as_raw()));
        let [hangup, interrupt, quit, terminate] =
            [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM].map(raw);
        let ends = [hangup?, interrupt?, quit?, terminate?];
        Ok(Self { ends, rest: raw(Signal::TSTP)?, go_on: raw(Signal::CONT)? })
    }

    /// Waits for one. Cancel safe.
    pub(super) async fn next(&mut self) -> Sent {
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
