//! The terminal, taken for a screen and given back: at the end, at a panic, while it rests.

use std::{
    io::{self, BufWriter, IsTerminal as _, Stdout, Write as _},
    os::fd::OwnedFd,
    panic,
    sync::{Mutex, Once, PoisonError},
};

use crossterm::{
    cursor::Show,
    event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange},
    execute,
    terminal::{
        Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
        enable_raw_mode,
    },
};
use ratatui::{Terminal, backend::CrosstermBackend};
use rustix::io::dup;

use super::{
    drawing::draw,
    model::{Model, Mouse},
};

/// A terminal that shows a screen. Dropped, it is as it was found.
pub(super) struct Tty {
    terminal: Drawn,
}

/// What was drawn on a terminal. A drawing is written at once.
type Drawn = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// Presses and the wheel, in coordinates without an end; moves are not told: they would go over the network.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

impl Tty {
    /// Takes the terminal.
    pub(super) fn take(mouse: Mouse) -> io::Result<Self> {
        give_back_at_a_panic();
        begin(mouse)?;
        Ok(Self { terminal: empty()? })
    }

    /// Draws what differs from what was drawn before.
    pub(super) fn draw(&mut self, model: &mut Model) -> io::Result<()> {
        self.terminal.autoresize()?;
        let area = self.terminal.get_frame().area();
        model.resize((area.width, area.height));
        self.terminal.draw(|frame| draw(model, frame))?;
        Ok(())
    }

    /// Has all be drawn anew the next time.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        // `Terminal::clear` would ask the terminal where its cursor is, and the answer would be typed.
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.terminal = empty()?;
        Ok(())
    }

    /// Takes it again, after it was given back.
    pub(super) fn take_again(&mut self, mouse: Mouse) -> io::Result<()> {
        begin(mouse)?;
        self.forget()
    }

    /// Shows a text where the shell's own are, which the terminal breaks into rows, and which stays there.
    pub(super) fn show_bare(text: &str) -> io::Result<()> {
        Self::set_mouse(Mouse::Terminals)?;
        execute!(io::stdout(), LeaveAlternateScreen, Show)?;
        if let Some(taken) = taken().as_mut() {
            taken.page = Page::Shells;
        }
        let mut out = io::stdout();
        out.write_all(text.replace('\n', "\r\n").as_bytes())?;
        out.flush()
    }

    /// Gives the mouse to who has it now.
    pub(super) fn set_mouse(mouse: Mouse) -> io::Result<()> {
        let mut out = io::stdout();
        out.write_all(if mouse == Mouse::Ours { MOUSE_ON } else { MOUSE_OFF })?;
        out.flush()
    }
}

/// A terminal on which nothing is drawn.
fn empty() -> io::Result<Drawn> {
    Terminal::new(CrosstermBackend::new(BufWriter::new(io::stdout())))
}

impl Drop for Tty {
    fn drop(&mut self) {
        give_back();
    }
}

/// Where standard error went, while the terminal is taken and it would go there: nothing is to be written over
/// the screen.
static TAKEN: Mutex<Option<Taken>> = Mutex::new(None);

struct Taken {
    errors: Option<OwnedFd>,
    page: Page,
}

/// Which of a terminal's two is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Ours,
    Shells,
}

fn taken() -> std::sync::MutexGuard<'static, Option<Taken>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn begin(mouse: Mouse) -> io::Result<()> {
    let kept = taken().take();
    let errors = match kept {
        Some(Taken { errors, .. }) => errors,
        None => silence_errors()?,
    };
    *taken() = Some(Taken { errors, page: Page::Ours });
    // Whoever had it meanwhile may have set it otherwise.
    disable_raw_mode()?;
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange)?;
    Tty::set_mouse(mouse)
}

fn silence_errors() -> io::Result<Option<OwnedFd>> {
    if !io::stderr().is_terminal() {
        return Ok(None);
    }
    let before = dup(rustix::stdio::stderr())?;
    let nowhere = std::fs::File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stderr(nowhere)?;
    Ok(Some(before))
}

/// Gives the terminal back, if it is taken. What cannot be done is left: who looked is gone.
pub(super) fn give_back() {
    let Some(Taken { errors, page }) = taken().take() else { return };
    _ = Tty::set_mouse(Mouse::Terminals);
    _ = execute!(io::stdout(), DisableFocusChange, DisableBracketedPaste);
    if page == Page::Ours {
        _ = execute!(io::stdout(), LeaveAlternateScreen);
    }
    _ = execute!(io::stdout(), Show);
    _ = disable_raw_mode();
    if let Some(errors) = errors {
        _ = rustix::stdio::dup2_stderr(errors);
    }
}

fn give_back_at_a_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
    });
}
