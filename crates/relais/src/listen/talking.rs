//! The person at the terminal, and those who call.

use std::{
    sync::{Arc, Mutex, Once, PoisonError},
    thread::{self, JoinHandle},
};

use relais_talk::{Manners, Person, Told, Typed};
use tokio::{
    runtime::Builder,
    sync::{mpsc::Receiver, oneshot},
};
use tracing::error;

use crate::{
    quit::Quit,
    terminal::{self, Lines, Screen},
    visible::Escaped,
};

/// Has the person at the terminal talk, from when it begins until it is dropped.
#[derive(Debug)]
pub(super) struct Talking {
    person: Arc<Person>,
    told: Mutex<Option<Receiver<Told>>>,
    quit: Quit,
    once: Once,
    thread: Mutex<Option<Thread>>,
}

#[derive(Debug)]
struct Thread {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// The terminal's side of the talk.
struct Table {
    person: Arc<Person>,
    lines: Lines,
    screen: Screen,
    quit: Quit,
}

impl Talking {
    pub(super) fn new(person: Arc<Person>, told: Receiver<Told>, quit: Quit) -> Self {
        let (once, thread) = (Once::new(), Mutex::default());
        Self { person, told: Mutex::new(Some(told)), quit, once, thread }
    }

    /// Takes the terminal, once.
    pub(super) fn begin(&self) {
        self.once.call_once(|| {
            let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (person, quit) = (Arc::clone(&self.person), self.quit.clone());
            let (stop, stopped) = oneshot::channel();
            let work = move || {
                let Some(told) = told else { return };
                let (lines, screen) = terminal::open(&prompt(&person));
                talk(Table { person, lines, screen, quit }, told, stopped);
            };
            let started = thread::Builder::new().name("talk".to_owned()).spawn(work);
            match started {
                Ok(thread) => *self.thread() = Some(Thread { stop, thread }),
                Err(error) => error!(%error, "cannot start a thread: nobody will answer"),
            }
        });
    }

    fn thread(&self) -> std::sync::MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        // The terminal is to be as it was found before the program ends.
        if let Some(Thread { stop, thread }) = self.thread().take() {
            _ = stop.send(());
            _ = thread.join();
        }
    }
}

fn talk(mut table: Table, mut told: Receiver<Told>, mut stopped: oneshot::Receiver<()>) {
    let Ok(runtime) = Builder::new_current_thread().build() else { return };
    runtime.block_on(async {
        let mut is_typing = true;
        loop {
            let may_read = is_typing && table.may_read();
            tokio::select! {
                _ = &mut stopped => return,
                Some(told) = told.recv() => table.screen.show(&shown(&told)),
                line = table.lines.next(), if may_read => match line {
                    Some(line) => table.pass_on(&line),
                    None => is_typing = table.end(),
                },
            }
            table.screen.prompt(&prompt(&table.person));
        }
    });
}

impl Table {
    /// Whether a line that comes now has somebody to go to. A pipe waits; a person is told.
    fn may_read(&self) -> bool {
        self.screen.is_terminal() || self.person.current().0.is_some()
    }

    fn pass_on(&self, line: &[u8]) {
        let typed = self.person.type_line(&String::from_utf8_lossy(line));
        let told = match typed {
            Typed::Sent { .. } => return,
            Typed::Waits { number } => format!("(waits until @{number} has spoken)"),
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

fn shown(told: &Told) -> String {
    match told {
        Told::Came { number, from } => format!("@{number} is here, from {from}"),
        Told::Said { number, bytes, is_cut } => {
            let cut =
                if *is_cut { format!("… (cut at {} bytes)", bytes.len()) } else { String::new() };
            format!("@{number}: {}{cut}", Escaped(bytes))
        }
        Told::Went { number } => format!("@{number} is gone"),
    }
}

/// Whom a line goes to. In turns it says whose it is: `@1> ` is the person's, `@1… ` the caller's.
fn prompt(person: &Person) -> String {
    match person.current() {
        (None, _) => "> ".to_owned(),
        (Some(number), _) if person.may_speak() || person.manners() == Manners::Freely => {
            format!("@{number}> ")
        }
        (Some(number), _) => format!("@{number}… "),
    }
}
