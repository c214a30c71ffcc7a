//! How the terminal treats what is typed: by keys while lines are edited here, by lines else.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

/// The terminal gives keys as they are pressed. Dropped, it does what it did before.
#[derive(Debug)]
pub(super) struct Mode {
    found: Termios,
}

impl Mode {
    /// Asks for keys: no lines, no echo, no signals. What is printed is treated as before.
    pub(super) fn for_typing() -> io::Result<Self> {
        let found = tcgetattr(io::stdin())?;
        *taken() = Some(found.clone());
        let mut typing = found.clone();
        let off = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        typing.local_modes.remove(off);
        typing.input_modes.remove(InputModes::IXON | InputModes::ICRNL | InputModes::INLCR);
        typing.special_codes[SpecialCodeIndex::VMIN] = 1;
        typing.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Drain, &typing)?;
        Ok(Self { found })
    }
}

impl Drop for Mode {
    fn drop(&mut self) {
        _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.found);
        *taken() = None;
    }
}

/// How the terminal was found, while it is not as it was.
static TAKEN: Mutex<Option<Termios>> = Mutex::new(None);

fn taken() -> std::sync::MutexGuard<'static, Option<Termios>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the terminal do what it did before at once, whatever is still to be printed: who stopped it
/// with Ctrl-S keeps others waiting.
pub(crate) fn give_back() {
    if let Some(found) = &*taken() {
        _ = tcsetattr(io::stdin(), OptionalActions::Now, found);
    }
}
