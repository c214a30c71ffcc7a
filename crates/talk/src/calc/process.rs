//! A child process that evaluates, kept alive: a line goes in, a line comes out, or it is killed.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    os::fd::AsFd as _,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use relais_net::ToldRarely;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use tokio::time::Instant;

use super::{NO_CHILD, Program, READY};

/// How long a child may take for an answer. It interrupts itself in half of that, if it can.
const ANSWER_MAX: Duration = Duration::from_millis(400);

/// How long a child may take until it says that it is [`READY`]: its program is read from the disk.
const START_MAX: Duration = Duration::from_secs(2);

/// How many expressions a child evaluates before another takes its place: its processor time is
/// limited for all its life.
const EXPRESSIONS_MAX: u32 = 1_000;

/// Longer answers are none: the child cuts them.
const ANSWER_BYTES_MAX: usize = 4 << 10;

/// A child, or the place of one.
#[derive(Debug)]
pub(super) struct Process {
    program: Program,
    running: Option<Running>,
    /// How often there was none to be had: whoever asks on and on is not to fill the log.
    refused: ToldRarely,
}

#[derive(Debug)]
struct Running {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    evaluated: u32,
}

/// Why there is no answer.
enum NoAnswer {
    /// Not in time.
    Late,
    /// The child is gone, or says what it cannot say.
    Broken,
}

impl Process {
    pub(super) fn new(program: Program) -> Self {
        Self { program, running: None, refused: ToldRarely::default() }
    }

    /// The value of an expression of one line, or what is the matter with it. Blocks.
    pub(super) fn value(&mut self, expression: &str) -> String {
        // Who was killed while nobody asked is no answer to who asks now.
        let running = self
            .running
            .take()
            .and_then(Running::if_alive)
            .map_or_else(|| Running::start(&self.program), Ok);
        let mut running = match running {
            Ok(running) => running,
            Err(error) => {
                if let Some(times) = self.refused.add(1) {
                    tracing::warn!(%error, times, "cannot start the calculator's process");
                }
                return NO_CHILD.to_owned();
            }
        };
        let answer = running.ask(expression);
        running.evaluated += 1;
        if answer.is_ok() && running.evaluated < EXPRESSIONS_MAX {
            self.running = Some(running);
        }
        match answer {
            Ok(answer) => answer,
            Err(NoAnswer::Late) => super::evaluate::LATE.to_owned(),
            Err(NoAnswer::Broken) => "error: it takes more memory than there is for it".to_owned(),
        }
    }
}

impl Running {
    fn start(program: &Program) -> io::Result<Self> {
        let mut child = Command::new(&program.path)
            .args(&program.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take().expect("it is piped");
        let output = child.stdout.take().expect("it is piped");
        let mut running = Self { child, input, output, evaluated: 0 };
        // Nothing is asked before: what it takes to start is not what an expression takes, and a child
        // whose parent dies meanwhile has nothing to do.
        match running.hear(START_MAX) {
            Ok(word) if word == READY => Ok(running),
            Ok(word) => Err(io::Error::other(format!("it says {word:?}: expected {READY:?}"))),
            Err(NoAnswer::Late) => Err(ErrorKind::TimedOut.into()),
            Err(NoAnswer::Broken) => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Itself, if it may be asked.
    fn if_alive(mut self) -> Option<Self> {
        matches!(self.child.try_wait(), Ok(None)).then_some(self)
    }

    fn ask(&mut self, expression: &str) -> Result<String, NoAnswer> {
        // A pipe has room for it: nothing else is in there.
        let sent = self.input.write_all(format!("{expression}\n").as_bytes());
        sent.map_err(|_| NoAnswer::Broken)?;
        self.hear(ANSWER_MAX)
    }

    /// The next line, without its end.
    fn hear(&mut self, patience: Duration) -> Result<String, NoAnswer> {
        let deadline = Instant::now() + patience;
        let (mut answer, mut buffer) = (Vec::new(), [0; 1024]);
        loop {
            self.wait_until(deadline)?;
            match self.output.read(&mut buffer) {
                Ok(0) | Err(_) => return Err(NoAnswer::Broken),
                Ok(count) => answer.extend_from_slice(&buffer[..count]),
            }
            if answer.ends_with(b"\n") {
                answer.pop();
                return String::from_utf8(answer).map_err(|_| NoAnswer::Broken);
            }
            if answer.len() > ANSWER_BYTES_MAX {
                return Err(NoAnswer::Broken);
            }
        }
    }

    /// Waits until there is something to read.
    fn wait_until(&self, deadline: Instant) -> Result<(), NoAnswer> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(|_| NoAnswer::Late)?;
            let mut waited = [PollFd::from_borrowed_fd(self.output.as_fd(), PollFlags::IN)];
            match poll(&mut waited, Some(&left)) {
                Ok(0) => return Err(NoAnswer::Late),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => (),
                Err(_) => return Err(NoAnswer::Broken),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
