//! The thread that reads standard input: keys of a terminal, or the lines of a pipe.

use std::{
    io::{self, BufRead as _, Read as _},
    thread,
    time::Duration,
};

use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::mpsc::{Sender, error::TrySendError};

use super::{
    Drawn, Line, Screen,
    editor::Pressed,
    keys::{Key, Keys},
};

/// How long a line of a pipe may be: what is longer comes in parts.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Reads until the end, or until nobody takes lines any more.
///
/// Detached: nothing ends a read of standard input but what is read. The program does not wait for it.
pub(super) fn start(screen: Screen, lines: Sender<Line>) {
    let read = move || {
        if screen.is_terminal() {
            read_keys(&screen, &lines);
        } else {
            read_lines(&lines);
        }
    };
    // Without a thread there are no lines: dropping the sender says so.
    _ = thread::Builder::new().name("typing".to_owned()).stack_size(128 << 10).spawn(read);
}

fn read_lines(lines: &Sender<Line>) {
    let mut input = io::stdin().lock();
    loop {
        let mut bytes = Vec::new();
        match input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes) {
            Ok(1..) => (),
            Ok(0) | Err(_) => return,
        }
        if bytes.ends_with(b"\n") {
            bytes.pop();
            bytes.pop_if(|last| *last == b'\r');
        }
        if lines.blocking_send(Line { bytes, begun_for: None }).is_err() {
            return;
        }
    }
}

fn read_keys(screen: &Screen, lines: &Sender<Line>) {
    let mut keys = Keys::default();
    let mut buffer = [0; 4096];
    loop {
        // Not by `io::stdin()`, whose buffer keeps what a paste brings from being seen as one.
        let read = match rustix::io::read(rustix::stdio::stdin(), &mut buffer) {
            Ok(0) => return,
            Ok(read) => read,
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
        };
        for key in keys.take(&buffer[..read]) {
            if !obey(screen, lines, key) {
                return;
            }
        }
        screen.with(|drawn| {
            if drawn.mode.is_some() {
                drawn.draw();
            }
        });
    }
}

/// Does what `key` says. Whether there may be more of them.
fn obey(screen: &Screen, lines: &Sender<Line>, key: Key) -> bool {
    match press(screen, key) {
        None => (),
        Some(Pressed::Line(line)) => {
            let begun_for = screen.with(|drawn| drawn.begun_for);
            return hand_on(screen, lines, Line { bytes: line.into_bytes(), begun_for });
        }
        Some(Pressed::End) => return false,
        Some(Pressed::Interrupt) => {
            screen.with(Drawn::leave);
            _ = kill_process(getpid(), Signal::INT);
        }
        Some(Pressed::Suspend) => suspend(screen),
    }
    true
}

/// Passes a line on. Whether anybody takes it.
fn hand_on(screen: &Screen, lines: &Sender<Line>, line: Line) -> bool {
    match lines.try_send(line) {
        Ok(()) => true,
        Err(TrySendError::Closed(_)) => false,
        Err(TrySendError::Full(line)) => {
            // Meanwhile nobody reads keys: that Ctrl-C ends us is left to the terminal.
            screen.with(Drawn::leave);
            let is_taken = lines.blocking_send(line).is_ok();
            screen.with(Drawn::come_back);
            is_taken
        }
    }
}

fn press(screen: &Screen, key: Key) -> Option<Pressed> {
    screen.with(|drawn| {
        match key {
            // All of it, before it is left for good: some scrolled away, or was not drawn yet.
            Key::Enter => drawn.draw_whole(),
            Key::Redraw => drawn.forget(),
            _ => {}
        }
        let editor = drawn.editor.as_mut()?;
        if editor.is_empty() {
            drawn.begun_for = drawn.addressee;
        }
        let pressed = editor.press(key);
        if let Some(Pressed::Line(_)) = pressed {
            drawn.enter();
        }
        pressed
    })
}

/// How long it takes all threads to be stopped, and much more.
const STOPPED_WITHIN: Duration = Duration::from_millis(50);

/// Rests until the shell has us go on.
fn suspend(screen: &Screen) {
    screen.with(Drawn::leave);
    _ = kill_process(getpid(), Signal::TSTP);
    // Another thread may take the signal: this one is stopped with it, a moment later. Were it not,
    // the shell would find a terminal that gives keys.
    thread::park_timeout(STOPPED_WITHIN);
    screen.with(Drawn::come_back);
}

#[cfg(test)]
mod tests {
    use super::{super::editor::Editor, *};

    #[test]
    fn a_line_is_for_whom_the_prompt_named_when_it_was_begun() {
        let screen = Screen::of("@1> ", Some(Editor::default()), None);
        let (lines, mut typed) = tokio::sync::mpsc::channel(8);
        let press = |key| assert!(obey(&screen, &lines, key));
        let mut check = |text: &str, begun_for| {
            press(Key::Enter);
            let line = Line { bytes: text.into(), begun_for };
            assert_eq!(typed.try_recv(), Ok(line));
        };
        screen.prompt_for("@1> ", Some(1));
        press(Key::Char('a'));
        screen.prompt_for("@2> ", Some(2));
        press(Key::Char('b'));
        check("ab", Some(1));
        check("", Some(2));
        // What was taken back was not begun.
        press(Key::Char('a'));
        press(Key::Backspace);
        screen.prompt_for("@3> ", Some(3));
        press(Key::Older);
        check("ab", Some(3));
    }
}
