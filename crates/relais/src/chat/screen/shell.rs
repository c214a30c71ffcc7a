//! What carries news, keys and the time to the model, does what it asks for, and draws.

use std::{
    env,
    io::{self, Write as _},
    time::Duration,
};

use anyhow::Context as _;
use crossterm::event::{Event as Input, KeyEventKind};
use relais_hub::{
    client::News,
    protocol::{Ask, Refusal},
};
use rustix::process::{Signal, getpid, kill_process};
use tokio::{
    sync::mpsc::{self, Receiver, UnboundedSender},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    LoggedOut,
    alerts::{Alerts, Bell, Notes},
    carrying::{HEARD_MAX, Heard, carry},
    exports::Exports,
    inputs::{Ears, Next, Sent},
    keys::{self, Key},
    model::{Bare, Deed, Eyes, Model},
    pressing::Point,
    tty::{Tty, give_back},
};
use crate::{
    chat::{caller::Caller, let_in::Door, otherwise::is_of_no_use},
    stop::Stop,
};

/// The least time between two drawings: over a slow line each costs.
const DRAWN_EVERY: Duration = Duration::from_millis(50);

/// How long hubs may take to hear that it is over.
const ENDED_WITHIN: Duration = Duration::from_secs(2);

/// How long it takes all threads to be stopped, and much more.
const STOPPED_WITHIN: Duration = Duration::from_millis(50);

/// The screen at work.
pub(super) struct Shell {
    model: Model,
    tty: Tty,
    doors: Vec<Door>,
    asks: Vec<UnboundedSender<Ask>>,
    exports: Exports,
    tasks: Vec<JoinHandle<()>>,
    bell: Bell,
    drawn_at: Option<Instant>,
    freshness: Freshness,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    Drawn,
    Stale,
}

/// Whether it goes on.
#[derive(Debug)]
enum Step {
    On,
    Leave,
    /// Who looks is nobody any more.
    LogIn(LoggedOut),
}

impl Shell {
    /// Takes the terminal.
    pub(super) fn new(model: Model, doors: Vec<Door>, alerts: Alerts) -> Result<Self, Stop> {
        let said = |name| env::var(name).unwrap_or_default();
        let notes = Notes::of(&said("TERM"), &said("VTE_VERSION"));
        let tty = Tty::take(model.mouse).context("taking the terminal")?;
        Ok(Self {
            model,
            tty,
            doors,
            asks: Vec::new(),
            exports: Exports::default(),
            tasks: Vec::new(),
            bell: Bell::new(alerts, notes),
            drawn_at: None,
            freshness: Freshness::Stale,
        })
    }

    /// Shows what hubs tell, and does what is typed, until somebody leaves.
    pub(super) async fn run(
        mut self,
        callers: Vec<Caller>,
        entered: Vec<News>,
    ) -> Result<Option<LoggedOut>, Stop> {
        let heard = self.listen(callers);
        for (hub, news) in entered.into_iter().enumerate() {
            self.hear(hub, Heard::News(news)).await?;
        }
        let mut ears = Ears::new(heard).context("listening for signals")?;
        loop {
            let next = ears.next(self.draws_at(), self.model.wakes_at()).await;
            let out = match self.take_in(next).await? {
                Step::On => continue,
                Step::Leave => None,
                Step::LogIn(out) => Some(out),
            };
            self.end().await;
            return Ok(out);
        }
    }

    /// Does what comes.
    async fn take_in(&mut self, next: Next) -> Result<Step, Stop> {
        self.freshness = Freshness::Stale;
        match next {
            Next::Heard(hub, heard) => self.hear(hub, heard).await,
            Next::Typed(input) => self.take(input).await,
            Next::Wake => {
                let deeds = self.model.wake(Instant::now());
                self.obey(deeds).await
            }
            Next::Sent(Sent::Rest) => self.obey(vec![Deed::Suspend]).await,
            Next::Sent(Sent::GoOn) => {
                self.model.bare = Bare::No;
                self.tty.take_again(self.model.mouse).context(DRAWING)?;
                Ok(Step::On)
            }
            Next::Sent(Sent::End) | Next::Nothing => Ok(Step::Leave),
            Next::Draw => self.draw().map(|()| Step::On),
        }
    }

    /// Has each hub be talked to by a task of its own.
    fn listen(&mut self, callers: Vec<Caller>) -> Receiver<(usize, Heard)> {
        let (told, heard) = mpsc::channel(HEARD_MAX);
        for (hub, caller) in callers.into_iter().enumerate() {
            let (asks, asked) = mpsc::unbounded_channel();
            self.asks.push(asks);
            self.tasks.push(tokio::spawn(carry((hub, caller), asked, told.clone())));
        }
        heard
    }

    async fn hear(&mut self, hub: usize, heard: Heard) -> Result<Step, Stop> {
        match heard {
            Heard::News(News::Refused(refusal)) => self.hear_of_an_end(hub, refusal),
            Heard::News(News::Answered(Ask::Export { .. }, answer)) => {
                self.exports.go_on((hub, &self.asks[hub]), answer, &mut self.model);
                Ok(Step::On)
            }
            Heard::News(news) => {
                if let News::Entered { user, token, .. } = &news
                    && let Err(why) = self.doors[hub].keep(user, token.as_ref(), self.model.lang)
                {
                    self.model.wrong(why);
                }
                let deeds = self.model.hear(hub, news, Instant::now());
                self.obey(deeds).await
            }
            Heard::Lost => {
                self.model.lose(hub);
                Ok(Step::On)
            }
            Heard::Over(stop) => Err(stop),
        }
    }

    /// A hub lets nobody in any more. Of several the others go on.
    fn hear_of_an_end(&mut self, hub: usize, refusal: Refusal) -> Result<Step, Stop> {
        let why = self.doors[hub].refused(&refusal, self.model.lang);
        if self.doors.len() > 1 {
            self.exports.stop(hub, &refusal, &mut self.model);
            self.model.hear(hub, News::Refused(refusal), Instant::now());
            return Ok(Step::On);
        }
        if !is_of_no_use(&refusal) {
            return Err(why);
        }
        let user = self.doors[hub].user.clone();
        Ok(Step::LogIn(LoggedOut { user, why }))
    }

    async fn take(&mut self, input: Input) -> Result<Step, Stop> {
        let now = Instant::now();
        let deeds = match input {
            Input::Key(key) if key.kind != KeyEventKind::Release => match keys::read(&key) {
                Some(key) => self.model.press(&key, now),
                None => return Ok(Step::On),
            },
            Input::Paste(text) => self.model.press(&Key::Paste(text), now),
            Input::FocusGained => self.model.look(Eyes::Here, now),
            Input::FocusLost => self.model.look(Eyes::Elsewhere, now),
            Input::Mouse(mouse) => match Point::of(mouse) {
                Some(point) => self.model.point(point, now),
                None => return Ok(Step::On),
            },
            Input::Key(_) | Input::Resize(..) => Vec::new(),
        };
        self.obey(deeds).await
    }

    async fn obey(&mut self, deeds: Vec<Deed>) -> Result<Step, Stop> {
        for deed in deeds {
            match deed {
                // A hub that is over is asked nothing.
                Deed::Ask(hub, ask) => _ = self.asks[hub].send(ask),
                Deed::Alert { title, body } => self.alert(&title, &body),
                Deed::Mouse(mouse) => Tty::set_mouse(mouse).context(DRAWING)?,
                Deed::Suspend => self.suspend().await?,
                Deed::ShowBare(text) => Tty::show_bare(&text).context(DRAWING)?,
                Deed::ShowScreen => self.tty.take_again(self.model.mouse).context(DRAWING)?,
                Deed::Redraw => self.tty.forget().context(DRAWING)?,
                Deed::Export(hub, path) => {
                    self.exports.start((hub, &self.asks[hub]), &path, &mut self.model);
                }
                Deed::Forget(hub) => {
                    let user = &self.model.hubs[hub].me;
                    self.doors[hub].kept.forget(user);
                }
                Deed::Leave => return Ok(Step::Leave),
            }
        }
        Ok(Step::On)
    }

    fn alert(&mut self, title: &str, body: &str) {
        let text = self.bell.ring((title, body), Instant::now());
        let mut out = io::stdout();
        // Who is gone is told nothing.
        _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Rests until the shell has it go on.
    async fn suspend(&mut self) -> Result<(), Stop> {
        give_back();
        self.model.bare = Bare::No;
        kill_process(getpid(), Signal::STOP).context("resting")?;
        // Another thread may take the signal: this one is stopped with it, a moment later.
        sleep(STOPPED_WITHIN).await;
        Ok(self.tty.take_again(self.model.mouse).context(DRAWING)?)
    }

    fn draws_at(&self) -> Option<Instant> {
        let at = self.drawn_at.map_or_else(Instant::now, |at| at + DRAWN_EVERY);
        let is_due = self.freshness == Freshness::Stale && self.model.bare == Bare::No;
        is_due.then_some(at)
    }

    fn draw(&mut self) -> Result<(), Stop> {
        self.tty.draw(&mut self.model).context(DRAWING)?;
        (self.drawn_at, self.freshness) = (Some(Instant::now()), Freshness::Drawn);
        Ok(())
    }

    /// Gives the terminal back, then tells the hubs.
    async fn end(self) {
        let Self { tty, asks, tasks, .. } = self;
        drop(tty);
        drop(asks);
        let all = async {
            for task in tasks {
                _ = task.await;
            }
        };
        // A hub that does not hear it sees the connection end.
        _ = timeout(ENDED_WITHIN, all).await;
    }
}

const DRAWING: &str = "drawing the screen";
