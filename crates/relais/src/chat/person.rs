//! Somebody who types lines, or a pipe that brings them.

use relais_hub::{
    Lang,
    client::News,
    model::{Seq, Wishes},
    protocol::{Answer, Ask, Event, Listed, Place, Refusal, Told},
    words::{self, Line, Phrase, Reader, Stand, Text},
};
use tokio::time::Instant;

use super::{
    caller::Caller,
    ends::{is_out, may_be_in},
    exporting::{Exporting, Saved},
    invitations,
    let_in::Door,
    phrases::{
        BACK, HOW_TO_UNREGISTER, INVITED_TO, LOST, OUT_OF, SOMEBODY_ALREADY, UNSURE, WAITING,
    },
};
use crate::{
    output::Telling,
    stop::Stop,
    terminal::{self, Lines, Screen},
    visible::Escaped,
};

/// What stands before the line being typed, outside of rooms.
const PROMPT: &str = "> ";

/// How much may wait for its answer before another line is taken.
const UNANSWERED_MAX: usize = 32;

/// Who types.
struct Person {
    door: Door,
    lang: Lang,
    screen: Screen,
    /// What the hub calls them.
    me: Option<String>,
    /// Where what is typed is said.
    here: Stand,
    /// What is being written.
    export: Option<Exporting>,
    /// What is to be asked behind an answer.
    then: Option<Ask>,
    /// How much is asked whose answer says where that is.
    moving: usize,
    /// Whether the hub was there already.
    was_in: bool,
    /// Whether nothing more will be typed.
    is_over: bool,
}

/// Talks until the lines end, and all of them are answered.
pub(super) async fn talk(
    mut caller: Caller,
    (door, lang): (Door, Lang),
    telling: Telling,
) -> Result<(), Stop> {
    // Before the terminal is taken: why nobody is let in is no line of a talk.
    let entered = door.enter(&mut caller, lang).await?;
    let (mut lines, screen) = terminal::open(PROMPT);
    let mut person = Person::new((door, lang), screen);
    if telling != Telling::Less {
        person.show(Phrase::Greeting.line(person.lang));
    }
    person.hear(entered)?;
    caller.talk.ask(invitations::asked(), Instant::now());
    while !person.is_over || caller.talk.unanswered() > 0 {
        if let Some(ask) = person.step(&mut caller, &mut lines).await? {
            caller.talk.ask(ask, Instant::now());
        }
    }
    drop(lines);
    caller.end().await;
    Ok(())
}

impl Person {
    fn new((door, lang): (Door, Lang), screen: Screen) -> Self {
        Self {
            door,
            lang,
            screen,
            me: None,
            here: Stand::Nowhere,
            export: None,
            then: None,
            moving: 0,
            was_in: false,
            is_over: false,
        }
    }

    /// Waits for a line or for news. Gives what the line asks for.
    async fn step(&mut self, caller: &mut Caller, lines: &mut Lines) -> Result<Option<Ask>, Stop> {
        let is_free = self.moving == 0 && caller.talk.unanswered() < UNANSWERED_MAX;
        tokio::select! {
            heard = caller.next() => match heard? {
                Some(news) => self.hear(news)?,
                None => self.say(LOST),
            },
            line = lines.next(), if is_free && !self.is_over => {
                self.is_over = line.is_none();
                let ask = line.and_then(|line| self.read(&String::from_utf8_lossy(&line)));
                self.say_what_is_left(caller);
                return Ok(ask);
            }
        }
        Ok(self.then.take())
    }

    /// Reads a line that was typed. Gives what it asks for, of the hub.
    fn read(&mut self, line: &str) -> Option<Ask> {
        match words::read_at(line, &self.here) {
            Line::Secret(words::Wanted::Unregister) => {
                self.say(HOW_TO_UNREGISTER);
            }
            Line::Ask(Ask::Login { .. } | Ask::Register { .. }) | Line::Secret(_) => {
                self.say(SOMEBODY_ALREADY);
            }
            Line::Ask(Ask::Bye { .. }) | Line::End => self.is_over = true,
            // In the language of who reads, and without a hub, too.
            Line::Ask(Ask::Help) => {
                let answer = Ok(Answer::Help(words::help(self.lang)));
                self.tell(&Told::Answer { re: None, answer });
            }
            Line::Ask(ask) => {
                self.moving += usize::from(moves(&ask));
                return Some(ask);
            }
            Line::Lang(lang) => {
                self.lang = lang;
                self.show(Phrase::Language.line(lang));
            }
            Line::Export(path) => return self.export(&path),
            Line::NameStays => self.show(Phrase::NameStays.line(self.lang)),
            Line::Wrong(misuse) => self.show(misuse.line(self.lang)),
            Line::Nothing => {}
        }
        None
    }

    /// Begins to write an export. Gives what it asks first.
    fn export(&mut self, path: &str) -> Option<Ask> {
        match Exporting::begin(path, self.export.as_ref(), self.lang) {
            Ok((export, ask)) => {
                self.export = Some(export);
                Some(ask)
            }
            Err(why) => {
                self.note(&why);
                None
            }
        }
    }

    /// Goes on to write one.
    fn go_on_exporting(&mut self, answer: Result<Answer, Refusal>) {
        let Some(export) = self.export.take() else { return };
        match export.take(answer, self.lang) {
            Saved::More(export, ask) => (self.export, self.then) = (Some(export), Some(ask)),
            Saved::Whole(told) | Saved::Not(told) => self.note(&told),
        }
    }

    /// Tells who typed the last word why it is not over yet.
    fn say_what_is_left(&self, caller: &Caller) {
        if self.is_over && caller.talk.unanswered() > 0 && self.screen.is_terminal() {
            self.say(WAITING);
        }
    }

    fn hear(&mut self, news: News) -> Result<(), Stop> {
        match news {
            News::Entered { user, token, rooms, wishes } => {
                if let Err(why) = self.door.keep(&user, token.as_ref(), self.lang) {
                    self.note(&why);
                }
                if self.was_in {
                    self.say(BACK);
                    self.stay_in(&rooms);
                } else {
                    self.tell(&as_entered(&user, (rooms, wishes)));
                }
                (self.me, self.was_in) = (Some(user), true);
            }
            News::Refused(refusal) => return Err(self.door.refused(&refusal, self.lang)),
            News::Happened(event) => self.happened(event),
            News::Answered(ask, answer) => self.answered(&ask, answer),
            News::Unsure(ask) => {
                self.moving -= usize::from(moves(&ask));
                self.say(UNSURE);
            }
        }
        Ok(())
    }

    fn happened(&mut self, event: Event) {
        let told = Told::Event(event);
        self.tell(&told);
        let Told::Event(event) = &told else { return };
        self.here.hear(event);
        let is_out = self.me.as_ref().is_some_and(|me| is_out(event, me));
        if is_out && event.room() == self.here.place() {
            self.be_at(Stand::Nowhere);
        }
    }

    fn answered(&mut self, ask: &Ask, answer: Result<Answer, Refusal>) {
        self.moving -= usize::from(moves(ask));
        if invitations::are_asked(ask) {
            return self.tell_invitations(answer);
        }
        if let Ask::Export { .. } = ask {
            return self.go_on_exporting(answer);
        }
        let is_out = matches!(ask, Ask::Logout { .. } | Ask::Unregister { .. }) && answer.is_ok();
        if let Ok(Answer::Joined(listed)) = &answer {
            self.be_at(Stand::entered(listed.room.clone(), listed.dialogue.as_ref()));
        }
        self.tell(&Told::Answer { re: None, answer });
        if is_out {
            self.door.kept.forget(self.me.as_deref().unwrap_or(&self.door.user));
            self.is_over = true;
        }
    }

    /// Tells which are open. Nobody asked, so that it is not told why that is not known.
    fn tell_invitations(&self, answer: Result<Answer, Refusal>) {
        let Ok(Answer::Rooms { rooms, .. }) = answer else { return };
        for Listed { room, .. } in invitations::open(rooms) {
            let room = room.to_string();
            self.note(&format!("{} {}", INVITED_TO.of(self.lang), Escaped(room.as_bytes())));
        }
    }

    /// Is where it was, if that is one of the rooms that it is in, or with somebody.
    fn stay_in(&mut self, rooms: &[Listed]) {
        let Some(here) = self.here.place().filter(|here| !may_be_in(here, rooms)) else { return };
        let here = here.to_string();
        self.note(&format!("{} {}", OUT_OF.of(self.lang), Escaped(here.as_bytes())));
        self.be_at(Stand::Nowhere);
    }

    /// Has what is typed be said there from here on.
    fn be_at(&mut self, stand: Stand) {
        let prompt_of = |place: &Place| format!("{}> ", Escaped(place.to_string().as_bytes()));
        let prompt = stand.place().map_or(PROMPT.to_owned(), prompt_of);
        self.screen.prompt(&prompt);
        self.here = stand;
    }

    fn tell(&self, told: &Told) {
        let (lang, me, here) = (self.lang, self.me.as_deref(), self.here.place());
        self.show(words::show(told, Reader { lang, me, here }));
    }

    fn show(&self, text: impl AsRef<str>) {
        if !text.as_ref().is_empty() {
            self.screen.show(text.as_ref());
        }
    }

    fn say(&self, text: Text) {
        self.note(text.of(self.lang));
    }

    /// Tells something of our own, as the hub does.
    fn note(&self, text: &str) {
        self.show(format!("# {text}"));
    }
}

/// What who comes in is shown, without what is nobody's to see.
fn as_entered(user: &str, (rooms, wishes): (Vec<Listed>, Wishes)) -> Told {
    let (user, session, cursor) = (user.to_owned(), String::new(), Seq::default());
    Told::Answer {
        re: None,
        answer: Ok(Answer::LoggedIn { user, session, token: None, cursor, rooms, wishes }),
    }
}

/// Whether the answer may say where what is typed next is said.
fn moves(ask: &Ask) -> bool {
    matches!(ask, Ask::Join { .. } | Ask::Create { .. } | Ask::Part { .. } | Ask::Dialogue { .. })
}
