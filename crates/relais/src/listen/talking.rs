//! The person at the terminal, and those who call.

use std::{
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver as Waited, RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};

use relais_talk::{News, Person, Typed, cut_at};
use tokio::{
    runtime::Builder,
    sync::{mpsc::Receiver, oneshot},
};
use tracing::error;

use crate::{
    quit::Quit,
    terminal::{self, Line, Lines, Screen},
    visible::Escaped,
};

/// Whether there is a talk already, or was: standard input is read by one for good.
static IS_TERMINAL_TAKEN: AtomicBool = AtomicBool::new(false);

/// How long the terminal may take to be given back: one that stands still does not hold us.
const LAST_WORDS_MAX: Duration = Duration::from_secs(1);

/// Has the person at the terminal talk, from when it begins until it is dropped.
#[derive(Debug)]
pub(super) struct Talking {
    person: Arc<Person>,
    /// What is told to the person, until it begins.
    told: Mutex<Option<Receiver<News>>>,
    quit: Quit,
    once: Once,
    thread: Mutex<Option<Thread>>,
}

#[derive(Debug)]
struct Thread {
    stop: oneshot::Sender<()>,
    /// Says when the terminal is given back.
    done: Waited<()>,
}

/// The terminal's side of the talk.
struct Table {
    person: Arc<Person>,
    lines: Lines,
    /// A line of a pipe for which there was no room.
    kept: Option<Line>,
    screen: Screen,
    quit: Quit,
}

impl Talking {
    /// `None` if the terminal is taken by another. It is given back if this never begins.
    pub(super) fn new(person: Arc<Person>, told: Receiver<News>, quit: Quit) -> Option<Self> {
        if IS_TERMINAL_TAKEN.swap(true, Ordering::Relaxed) {
            return None;
        }
        let (once, thread) = (Once::new(), Mutex::default());
        Some(Self { person, told: Mutex::new(Some(told)), quit, once, thread })
    }

    /// Takes the terminal, once.
    pub(super) fn begin(&self) {
        self.once.call_once(|| {
            let told = self.told().take();
            let (person, quit) = (Arc::clone(&self.person), self.quit.clone());
            let (stop, stopped) = oneshot::channel();
            let (finished, done) = sync_channel(1);
            let work = move || {
                let Some(told) = told else { return };
                let (lines, screen) = terminal::open(&prompt(&person, None));
                let table = Table { person, lines, kept: None, screen, quit };
                talk(table, told, stopped);
                _ = finished.send(());
            };
            let started = thread::Builder::new().name("talk".to_owned()).spawn(work);
            match started {
                Ok(_) => *self.thread() = Some(Thread { stop, done }),
                Err(error) => error!(%error, "cannot start a thread: nobody will answer"),
            }
        });
    }

    /// Gives the terminal back, once: it is to be as it was found before the program ends. Blocks.
    pub(super) fn end(&self) {
        if let Some(Thread { stop, done }) = self.thread().take() {
            _ = stop.send(());
            if done.recv_timeout(LAST_WORDS_MAX) == Err(RecvTimeoutError::Timeout) {
                terminal::give_back();
            }
        }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Option<Receiver<News>>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn thread(&self) -> std::sync::MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        if self.told().take().is_some() {
            IS_TERMINAL_TAKEN.store(false, Ordering::Relaxed);
        }
        self.end();
    }
}

fn talk(mut table: Table, mut told: Receiver<News>, mut stopped: oneshot::Receiver<()>) {
    let Ok(runtime) = Builder::new_current_thread().build() else { return };
    runtime.block_on(async {
        let mut is_typing = true;
        loop {
            tokio::select! {
                _ = &mut stopped => return,
                Some(told) = told.recv() => table.screen.show(&shown(&told)),
                line = table.next_line(), if is_typing => match line {
                    Some(line) => table.pass_on(line),
                    None => is_typing = table.end(),
                },
            }
            let (whom, _) = table.person.current();
            table.screen.prompt_for(&prompt(&table.person, whom), whom);
        }
    });
}

impl Table {
    /// Waits for a line. One of a pipe waits until there is somebody who takes it; a person is told.
    ///
    /// Cancel safe.
    async fn next_line(&mut self) -> Option<Line> {
        if !self.screen.is_terminal() {
            self.person.room().await;
        }
        match self.kept.take() {
            Some(line) => Some(line),
            None => self.lines.next_line().await,
        }
    }

    fn pass_on(&mut self, line: Line) {
        let typed = self.person.type_begun(&String::from_utf8_lossy(&line.bytes), line.begun_for);
        let told = match typed {
            Typed::Sent { .. } | Typed::Turned { .. } => return,
            // It went elsewhere than there was room.
            Typed::Nobody | Typed::Full { .. } if !self.screen.is_terminal() => {
                self.kept = Some(line);
                return;
            }
            Typed::Waits { number } => format!("(waits until @{number} has spoken)"),
            Typed::All { sent, others: 0 } => format!("(sent to {sent})"),
            Typed::All { sent, others } => {
                format!("(sent to {sent}, not to {others}: it waits, or they do not take it)")
            }
            Typed::Gone { number } => format!("(@{number} is gone: not sent)"),
            Typed::NoSuch { number } => format!("(no @{number} is here)"),
            Typed::Nobody => "(nobody is here yet)".to_owned(),
            Typed::Full { number } => format!("(not sent: @{number} does not take it)"),
        };
        self.screen.show(&told);
    }

    /// Nothing more will be typed. A person who says so ends the program; where a pipe ended, what
    /// callers say is shown on.
    fn end(&self) -> bool {
        if self.screen.is_terminal() {
            self.quit.say();
        }
        false
    }
}

fn shown(told: &News) -> String {
    match told {
        News::Came { number, from, on } => format!("@{number} is here, from {from}, at {on}"),
        News::Said { number, bytes, is_cut } => {
            let cut = if *is_cut { cut_at(bytes.len()) } else { String::new() };
            format!("@{number}: {}{cut}", Escaped(bytes))
        }
        News::Went { number } => format!("@{number} is gone"),
    }
}

/// How many are named that wait for an answer.
const WAITING_NAMED: usize = 3;

/// Whom a line goes to. In turns it says whose it is: `@1> ` is the person's, `@1… ` the caller's; and
/// before that, who else waits: `(@2 @3 wait) @1> `.
fn prompt(person: &Person, whom: Option<u32>) -> String {
    let waiting = person.waiting();
    let named: Vec<_> =
        waiting.iter().take(WAITING_NAMED).map(|number| format!("@{number}")).collect();
    let before = match waiting.len() {
        0 => String::new(),
        1 => format!("({} waits) ", named.concat()),
        2..=WAITING_NAMED => format!("({} wait) ", named.join(" ")),
        count => format!("({} and {} more wait) ", named.join(" "), count - WAITING_NAMED),
    };
    before + &addressee(person, whom)
}

fn addressee(person: &Person, whom: Option<u32>) -> String {
    match whom {
        None => "> ".to_owned(),
        Some(number) if person.may_speak() => format!("@{number}> "),
        Some(number) => format!("@{number}… "),
    }
}

#[cfg(test)]
mod tests {
    use relais_talk::Manners;

    use super::*;

    #[test]
    fn a_talk_that_never_began_leaves_the_terminal_to_another() {
        let talking = || {
            let (person, told) = Person::new(Manners::Freely);
            Talking::new(person, told, Quit::default())
        };
        let first = talking().unwrap();
        assert!(talking().is_none());
        drop(first);
        assert!(talking().is_some());
    }
}
