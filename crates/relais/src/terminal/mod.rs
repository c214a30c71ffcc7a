//! The person at the terminal: lines typed, with history, while texts appear above them.
//!
//! Where standard input or output is no terminal, lines are read as they come and texts are printed
//! as they are: a pipe works the same. Nothing here escapes: what is shown is fit to be shown.

mod editor;
mod history;
mod keys;
mod mode;
mod reading;
mod view;

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::termios::tcgetwinsize;
use tokio::sync::mpsc;

use editor::Editor;
use mode::Mode;
use view::View;

pub(crate) use history::History;
pub(crate) use mode::give_back;

/// How many lines may wait to be taken. A pipe that has more waits, too.
const LINES_MAX: usize = 64;

/// The same of lines that are typed or pasted: keys are read on, or nobody would heed Ctrl-C.
const TYPED_LINES_MAX: usize = 1 << 20;

/// How wide a terminal is that does not say.
const USUAL_COLUMNS: usize = 80;

/// The lines that a person types, or a pipe brings. Dropped, it leaves the terminal as it was found.
#[derive(Debug)]
pub(crate) struct Lines {
    typed: mpsc::Receiver<Line>,
    screen: Screen,
}

/// A line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) bytes: Vec<u8>,
    /// Whom it was for, by the prompt that stood before it when it was begun.
    pub(crate) begun_for: Option<u32>,
}

/// Where texts are shown. Clones show in the same place.
#[derive(Clone, Debug)]
pub(crate) struct Screen(Arc<Mutex<Drawn>>);

/// What is on the screen: the line being typed, in the last row, while it is `seen`.
#[derive(Debug)]
struct Drawn {
    prompt: String,
    /// Whom the prompt names, if anybody.
    addressee: Option<u32>,
    /// The same, when the line being typed was begun.
    begun_for: Option<u32>,
    /// `None` where lines are not edited by us.
    editor: Option<Editor>,
    mode: Option<Mode>,
    /// What of it is.
    seen: Option<View>,
    /// Whether the terminal is not to be taken again.
    is_over: bool,
}

/// Takes standard input. `prompt` stands before the line being typed; it is shown on terminals only.
///
/// Lines come from a thread that lives as long as the program does, so this is asked once. A signal
/// that ends the program without a return from `main` leaves the terminal as the typing needed it,
/// but for Ctrl-C, which sets it back first and then is an ordinary `SIGINT`.
pub(crate) fn open(prompt: &str) -> (Lines, Screen) {
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let mode = if is_terminal { Mode::for_typing().ok() } else { None };
    let editor = mode.is_some().then(Editor::default);
    let lines_max = if mode.is_some() { TYPED_LINES_MAX } else { LINES_MAX };
    let screen = Screen::of(prompt, editor, mode);
    let (lines, typed) = mpsc::channel(lines_max);
    screen.with(Drawn::draw);
    reading::start(screen.clone(), lines);
    (Lines { typed, screen: screen.clone() }, screen)
}

impl Lines {
    /// Waits for a line, without its end. `None` once there are no more: the end of a pipe, or
    /// Ctrl-D.
    ///
    /// A line of a pipe that has more than a mebibyte comes in parts.
    ///
    /// Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        self.next_line().await.map(|line| line.bytes)
    }

    /// The same, with whom it was begun for.
    ///
    /// Cancel safe.
    pub(crate) async fn next_line(&mut self) -> Option<Line> {
        self.typed.recv().await
    }

    /// Tells something about them, above the one being typed.
    pub(crate) fn tell(&self, text: &str) {
        self.screen.show(text);
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.screen.with(|drawn| {
            drawn.is_over = true;
            drawn.leave();
        });
    }
}

impl Screen {
    fn of(prompt: &str, editor: Option<Editor>, mode: Option<Mode>) -> Self {
        let drawn = Drawn {
            prompt: prompt.to_owned(),
            addressee: None,
            begun_for: None,
            editor,
            mode,
            seen: None,
            is_over: false,
        };
        Self(Arc::new(Mutex::new(drawn)))
    }

    /// Shows a text of one or more lines, above the one being typed. Blocks while the terminal does.
    pub(crate) fn show(&self, text: &str) {
        self.with(|drawn| drawn.print_above(text));
    }

    /// Has another text stand before the line being typed.
    pub(crate) fn prompt(&self, prompt: &str) {
        self.prompt_for(prompt, None);
    }

    /// The same, of a text that says whom it is for.
    pub(crate) fn prompt_for(&self, prompt: &str, addressee: Option<u32>) {
        self.with(|drawn| {
            drawn.addressee = addressee;
            if drawn.prompt != prompt {
                prompt.clone_into(&mut drawn.prompt);
                drawn.draw();
            }
        });
    }

    /// Whether a person types here, and sees what is shown.
    pub(crate) fn is_terminal(&self) -> bool {
        self.with(|drawn| drawn.editor.is_some())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Drawn) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drawn {
    /// Draws the line being typed where the cursor is, or what of it is not seen yet.
    fn draw(&mut self) {
        if let (Some(editor), Some(_)) = (&self.editor, &self.mode) {
            let view = editor.view(&self.prompt, columns());
            write(&self.seen.as_ref().map_or_else(|| view.whole(), |seen| view.behind(seen)));
            self.seen = Some(view);
        }
    }

    /// Draws all of the line that was typed, in as many rows as it takes, if not all of it is seen.
    fn draw_whole(&mut self) {
        if let (Some(editor), Some(_)) = (&self.editor, &self.mode) {
            let whole = editor.whole(&self.prompt);
            if self.seen.as_ref().is_none_or(|seen| seen.text != whole) {
                write(&format!("\r{whole}\x1b[K"));
            }
        }
    }

    /// Has it be drawn anew: something else may be seen.
    fn forget(&mut self) {
        if let Some(seen) = &mut self.seen {
            seen.columns = 0;
        }
    }

    fn print_above(&mut self, text: &str) {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let was_seen = self.seen.take().is_some();
        let erase = if was_seen { "\r\x1b[K" } else { "" };
        write(&format!("{erase}{text}{end}"));
        if was_seen {
            self.draw();
        }
    }

    /// Leaves the line that was typed where it stands, and begins the next row.
    fn enter(&mut self) {
        write("\r\n");
        self.seen = None;
    }

    /// Takes the line being typed off the screen, and sets the terminal back.
    fn leave(&mut self) {
        if self.seen.take().is_some() {
            write("\r\x1b[K");
        }
        self.mode = None;
    }

    /// Takes the terminal again, unless nobody wants lines any more.
    fn come_back(&mut self) {
        if !self.is_over {
            self.mode = Mode::for_typing().ok();
        }
    }
}

fn columns() -> usize {
    let told = tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
    if told == 0 { USUAL_COLUMNS } else { told }
}

/// What cannot be written is dropped: who looked is gone.
fn write(text: &str) {
    let mut out = io::stdout().lock();
    _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
