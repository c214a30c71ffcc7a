//! Starts the built program, as a person would.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

/// No answer takes longer, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What [`Place::write_big`] writes.
pub(crate) const BIG_BYTES: u64 = 32 * 1024 * 1024;

/// A folder to be started in, with a data folder of its own.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Makes a file that is larger than what sockets hold.
    pub(crate) fn write_big(&self, name: &str) {
        let path = self.write(name, "");
        fs::File::options().write(true).open(path).unwrap().set_len(BIG_BYTES).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command(self.path(), &self.path().join("data"), arguments)
    }

    /// Runs to the end, which is to come soon.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts what runs until it is told to end, and waits for `lines` lines on standard output.
    pub(crate) fn start(&self, arguments: &[&str], lines: usize) -> Running {
        Running::of(self.command(arguments), lines)
    }
}

pub(crate) fn command(folder: &Path, data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relais"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command.env_clear().env("RELAIS_DATA", data).env("HOME", folder);
    command
}

/// A program that runs. Killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// The first words of the lines it printed: where it listens.
    pub(crate) listeners: Vec<String>,
    lines: Receiver<String>,
    said: Receiver<String>,
}

/// How a program ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

impl Running {
    pub(crate) fn of(mut command: Command, lines: usize) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = collect(child.stderr.take().unwrap());
        let lines_read = read_lines(child.stdout.take().unwrap());
        let mut running = Self { child, listeners: Vec::new(), lines: lines_read, said };
        for _ in 0..lines {
            let Ok(line) = running.lines.recv_timeout(PATIENCE) else {
                _ = running.child.kill();
                panic!("it does not listen: {}", running.said.recv().unwrap_or_default());
            };
            let listener = line.split_whitespace().next().unwrap_or_default().to_owned();
            running.listeners.push(listener);
        }
        running
    }

    /// The next line on standard output.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        let stderr = self.said.recv_timeout(PATIENCE).expect("it ends");
        Ended { code: self.child.wait().unwrap().code(), stderr }
    }

    /// Connects to the nth listener.
    pub(crate) fn connect(&self, nth: usize) -> TcpStream {
        connect(&self.listeners[nth])
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

pub(crate) fn connect(listener: &str) -> TcpStream {
    let (_, at) = listener.split_once("://").unwrap();
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Asks for `path` and keeps the connection: the head and the body of the answer.
pub(crate) fn get(stream: &mut TcpStream, path: &str, host: &str) -> (String, String) {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    answer(stream)
}

/// Asks for a file named `big`, which [`Place::write_big`] wrote, and takes nothing of the answer,
/// which has begun: the request is under way, and stays so.
pub(crate) fn ask_for_big(stream: &mut TcpStream) {
    write!(stream, "GET /big HTTP/1.1\r\nHost: a.localhost\r\n\r\n").unwrap();
    assert_eq!(stream.peek(&mut [0]).unwrap(), 1);
}

/// Reads an answer whose length is said.
pub(crate) fn answer(stream: &mut TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "the answer is cut: {head:?}");
    }
    let len = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; len];
    reader.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

fn read_lines(from: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn collect(mut from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, said) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        _ = from.read_to_end(&mut text);
        _ = sender.send(String::from_utf8_lossy(&text).into_owned());
    });
    said
}

/// Waits for `is_so`, which nothing announces.
#[track_caller]
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came to be");
        thread::park_timeout(Duration::from_millis(2));
    }
}
