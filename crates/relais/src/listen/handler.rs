//! From a planned dialogue to what callers meet.

use std::{
    io::{self, IsTerminal as _, Read as _},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use relais_net::{
    Conn, DatagramService, Datagrams, Drain, Endpoint, Fault, Scheme, Service, open_regular,
};
use relais_talk::{
    Answer, Dialogues, EndServer, Limits, Manners, Person, Role as Does, Showcase, Subscribers,
    Word, calc::Calculator,
};
use relais_tap::Tap;

use super::{
    Dialogue, Role, Style, Unprinted, begun::Begun, calculating, printing::Printing,
    talking::Talking,
};
use crate::{
    clock,
    complaint::{KeyPath, Problem, Wrong},
    meets::Meets,
    quit::Quit,
    spelling::{Size, Time},
};

/// What a dialogue reads from the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// What `ack` answers, if it is a file.
    reply: Option<Bytes>,
}

/// How large a file may be that is answered: it is kept in memory.
const REPLY_BYTES_MAX: u64 = 64 << 20;

impl Parts {
    /// Reads what the `dialogue` at `key` needs.
    ///
    /// # Errors
    ///
    /// If the file that is to be answered cannot be read, or is too large.
    pub(crate) fn read(dialogue: &Dialogue, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let reply = dialogue.reply_file.as_deref().map(read_reply).transpose();
        let reply = reply.map_err(|wrong| vec![key.key("reply_file").wrong(wrong)])?;
        Ok(Self { reply })
    }
}

fn read_reply(file: &Path) -> Result<Bytes, Wrong> {
    let mut bytes = Vec::new();
    let read =
        open_regular(file).and_then(|open| open.take(REPLY_BYTES_MAX + 1).read_to_end(&mut bytes));
    match read {
        Ok(read) if read as u64 > REPLY_BYTES_MAX => {
            let what = format!("{:?} is too large to be answered", file.display());
            let wrong = Wrong::expected(what, format!("{} or less", Size(REPLY_BYTES_MAX)));
            Err(wrong.hint("`relais serve` serves files of any size, over HTTP"))
        }
        Ok(_) => Ok(bytes.into()),
        Err(error) => {
            let what = format!("cannot read {:?}", file.display());
            let wrong = Wrong { what, expected: None, hint: None };
            Err(wrong.because(&error).at_home(file))
        }
    }
}

/// A dialogue that was put together.
#[derive(Clone, Debug)]
pub(crate) struct Made(Arc<Served>);

/// What callers meet. It ends with the last of them: who calls before a reload is heard, and shown,
/// to the end.
#[derive(Debug)]
struct Served {
    all: Dialogues,
    /// What shows it to people.
    begun: Begun,
}

/// How much of what callers say may wait to be printed.
const SHOWN_BYTES_MAX: usize = 4 << 20;

/// How many events may wait for who watches flows.
const EVENTS_MAX: usize = 1_024;

fn taken() -> Wrong {
    let hint = "a talk that was changed takes a restart";
    Wrong::expected("the terminal is taken by another talk", "one `talk` in all").hint(hint)
}

fn obeyed() -> Wrong {
    let what = "standard output is a terminal, which would obey what strangers send";
    Wrong::expected(what, "a file or a pipe").hint("`>FILE` behind the command keeps what comes")
}

/// With how many a person speaks at once.
const CALLERS_MAX: usize = 100;

impl Made {
    /// Puts the dialogue at `key` together.
    ///
    /// # Errors
    ///
    /// If it is a talk, and the terminal is taken by one; or if what comes would go to a terminal as it
    /// is, which would obey it.
    pub(crate) fn of(
        (dialogue, parts): (&Dialogue, &Parts),
        key: &KeyPath,
        quit: Quit,
    ) -> Result<Self, Problem> {
        let is_raw = dialogue.style == Style::Raw;
        if is_raw && io::stdout().is_terminal() {
            return Err(key.key("style").wrong(obeyed()));
        }
        let showcase = Showcase::new(SHOWN_BYTES_MAX);
        let cast = cast((dialogue, parts), &showcase, &quit);
        let (role, begun) = cast.map_err(|wrong| key.key("as").wrong(wrong))?;
        let word = dialogue.until.as_deref().map_or_else(|| role.usual_word(), Word::new);
        let limits = limits(dialogue);
        let all = Dialogues {
            role,
            word,
            limits,
            origins: dialogue.origins.clone(),
            showcase,
            tap: Tap::new(EVENTS_MAX),
            clock: clock::now,
            end: EndServer(Arc::new(move || quit.say())),
        };
        Ok(Self(Arc::new(Served { all, begun })))
    }

    /// What those meet who call at `on`.
    pub(crate) fn meets(&self, on: &Endpoint) -> Meets {
        match on.scheme {
            Scheme::Udp => Meets::Datagrams(self.0.clone()),
            _ => Meets::Stream(self.0.clone()),
        }
    }

    /// Begins to show what is said, if it did not already: all that is told at the start is told.
    pub(crate) fn begin(&self) {
        self.0.begun.begin();
    }

    /// Waits until all that came so far is shown, for as long as somebody takes some of it.
    ///
    /// # Errors
    ///
    /// If nobody does, and it was to be whole.
    pub(crate) async fn printed(&self) -> Result<(), Unprinted> {
        self.0.begun.printed().await
    }

    /// Ends showing, whoever still talks: the program ends. Blocks, but not for long.
    pub(crate) fn end(&self) {
        self.0.begun.end();
    }
}

/// What a dialogue does with what comes, and what shows it.
///
/// # Errors
///
/// If the terminal is taken by another talk.
fn cast(
    (dialogue, parts): (&Dialogue, &Parts),
    showcase: &Showcase,
    quit: &Quit,
) -> Result<(Does, Begun), Wrong> {
    let printing = || Begun::Printing(Printing::new(showcase.clone(), dialogue.style));
    Ok(match dialogue.role {
        Role::Print if dialogue.style == Style::Raw => (Does::Receive, printing()),
        Role::Print => (Does::Print, printing()),
        Role::Ack => {
            let text = || Answer::Text(dialogue.reply.clone());
            let reply = parts.reply.clone().map_or_else(text, Answer::File);
            (Does::Ack { reply }, printing())
        }
        Role::Echo => (Does::Echo, Begun::Nothing),
        Role::Upper => (Does::Upper, Begun::Nothing),
        Role::Calc => (Does::Calc(Arc::new(calculator())), Begun::Nothing),
        Role::Talk => {
            let manners = if dialogue.turns { Manners::Turns } else { Manners::Freely };
            let (person, told) = Person::new(manners);
            let talking = Talking::new(Arc::clone(&person), told, quit.clone());
            let talking = talking.ok_or_else(taken)?;
            (Does::Talk(person), Begun::Talking(talking))
        }
        Role::Notify => {
            let Time(lease) = dialogue.lease;
            let subscribers = Subscribers::new(dialogue.subscribers_max, lease);
            (Does::Notify(Arc::new(subscribers)), Begun::Nothing)
        }
    })
}

fn limits(dialogue: &Dialogue) -> Limits {
    let (Time(idle_max), Size(line_max)) = (dialogue.idle_max, dialogue.line_max);
    let line_bytes_max = usize::try_from(line_max).unwrap_or(usize::MAX);
    Limits { line_bytes_max, idle_max, callers_max: CALLERS_MAX }
}

/// A child for each core: they share nothing.
fn calculator() -> Calculator {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Calculator::new(calculating::program(), cores)
}

impl Service for Served {
    async fn serve(&self, conn: Conn, drain: Drain) -> Result<(), Fault> {
        Service::serve(&self.all, conn, drain).await
    }
}

impl DatagramService for Served {
    async fn serve(&self, socket: Arc<Datagrams>, drain: Drain) -> Result<(), Fault> {
        DatagramService::serve(&self.all, socket, drain).await
    }
}
