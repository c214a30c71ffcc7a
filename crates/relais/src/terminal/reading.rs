//! The thread that reads standard input: keys of a terminal, or the lines of a pipe.

use std::{
    io::{self, BufRead as _, Read as _},
    thread,
    time::Duration,
};

use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::mpsc::{Sender, error::TrySendError};

use super::{
    Drawn, Screen,
    editor::Pressed,
    keys::{Key, Keys},
};

/// How long a line of a pipe may be: what is longer comes in parts.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Reads until the end, or until nobody takes lines any more.
///
/// Detached: nothing ends a read of standard input but what is read. The program does not wait for it.
pub(super) fn start(screen: Screen, lines: Sender<Vec<u8>>) {
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

fn read_lines(lines: &Sender<Vec<u8>>) {
    let mut input = io::stdin().lock();
    loop {
        let mut line = Vec::new();
        match input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(1..) => (),
            Ok(0) | Err(_) => return,
        }
        if line.ends_with(b"\n") {
            line.pop();
            line.pop_if(|last| *last == b'\r');
        }
        if lines.blocking_send(line).is_err() {
            return;
        }
    }
}

fn read_keys(screen: &Screen, lines: &Sender<Vec<u8>>) {
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
fn obey(screen: &Screen, lines: &Sender<Vec<u8>>, key: Key) -> bool {
    match press(screen, key) {
        None => (),
        Some(Pressed::Line(line)) => return hand_on(screen, lines, line.into_bytes()),
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
fn hand_on(screen: &Screen, lines: &Sender<Vec<u8>>, line: Vec<u8>) -> bool {
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
        let pressed = drawn.editor.as_mut()?.press(key);
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
