//! The end that asks.

use std::{
    fs,
    io::{self, BufRead, BufReader, ErrorKind, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use serde_json::Value;
use tracing::debug;

use super::{
    ANSWER_BYTES_MAX, Answer, LINE_MAX, Listening, Refusal, Request, as_said, socket_of,
    socket_of_demo, socket_of_gone,
};
use crate::{
    complaint::{Complaint, Wrong},
    data::Data,
    output::say,
    spelling::Time,
    stop::Stop,
};

/// How long an answer may take: files are read, and certificates made, and upstreams asked.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// A relais that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Running {
    /// The one that runs this file.
    File(PathBuf),
    /// The one that runs the demo.
    Demo,
    /// The one that has this control socket.
    Socket(PathBuf),
}

/// A relais that runs, and what it says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Its control socket.
    pub(crate) socket: PathBuf,
    pub(crate) listening: Listening,
}

/// Every relais that runs and has its control socket in the data folder. Who does not answer within
/// a moment is not among them.
pub(crate) fn running(data: &Data) -> Vec<Found> {
    let Ok(entries) =
        data.sockets().map_err(anyhow::Error::from).and_then(|folder| Ok(fs::read_dir(folder)?))
    else {
        return Vec::new();
    };
    let mut sockets: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    sockets.sort_unstable();
    let found = |socket: PathBuf| match listening(&socket) {
        Ok(listening) => Some(Found { socket, listening }),
        Err(error) => {
            debug!(socket = %socket.display(), %error, "nobody answers");
            None
        }
    };
    sockets
        .into_iter()
        .filter(|path| path.extension() == Some("sock".as_ref()))
        .filter_map(found)
        .collect()
}

fn listening(socket: &Path) -> anyhow::Result<Listening> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_write_timeout(Some(LINE_MAX))?;
    stream.set_read_timeout(Some(LINE_MAX))?;
    let line = serde_json::to_string(&Request::Listening {})? + "\n";
    stream.write_all(line.as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).take(ANSWER_BYTES_MAX).read_line(&mut line)?;
    match serde_json::from_str(&line)? {
        Answer::Listening(listening) => Ok(listening),
        _ => Err(anyhow!("it answers another thing")),
    }
}

/// Has the relais that runs `file` read it again.
pub(crate) fn reload(file: &Path, data: &Data) -> Result<(), Stop> {
    let running = Running::File(file.to_owned());
    match ask(&Request::Reload {}, &running, data, |_| Ok(()))? {
        Answer::Refused(Refusal { text, exit }) => {
            let text = format!("{}\n\nthe old configuration runs on", text.trim_end());
            Err(Stop::Elsewhere { text, exit })
        }
        Answer::Done { text } => {
            say(format_args!("reloaded: {text}"));
            Ok(())
        }
        Answer::Found(_) | Answer::Listening(_) => {
            Err(anyhow!("the relais that runs answers another thing").into())
        }
    }
}

/// Asks the relais that is `running`. What it finds is `taken`, and the last that it says is given.
pub(crate) fn ask(
    request: &Request,
    running: &Running,
    data: &Data,
    mut taken: impl FnMut(Value) -> Result<(), Stop>,
) -> Result<Answer, Stop> {
    let mut stream = call(request, running, data)?;
    stream.set_write_timeout(Some(LINE_MAX)).context("setting a deadline")?;
    stream.set_read_timeout(Some(ANSWER_MAX)).context("setting a deadline")?;
    let mut line = serde_json::to_string(request).context("asking")?;
    line.push('\n');
    stream.write_all(line.as_bytes()).context("asking the relais that runs")?;
    let mut answers = BufReader::new(stream);
    loop {
        match next(&mut answers)? {
            Answer::Found(found) => taken(found)?,
            last => return Ok(last),
        }
    }
}

fn call(request: &Request, running: &Running, data: &Data) -> Result<UnixStream, Stop> {
    let path = match running {
        Running::File(file) => match fs::metadata(file) {
            Ok(_) => socket_of(file, data)?,
            Err(error) => return call_without(file, &error, data),
        },
        Running::Demo => socket_of_demo(data)?,
        Running::Socket(socket) => socket.clone(),
    };
    UnixStream::connect(&path).or_else(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => call_by_name(running, data)
            .ok_or_else(|| Stop::Refused(vec![nobody((running, &path), request)])),
        _ => Err(anyhow!(error).context(format!("calling {:?}", path.display())).into()),
    })
}

/// Calls who was told to run the file that is `meant`, where a link on the way to that leads elsewhere since.
fn call_by_name(meant: &Running, data: &Data) -> Option<UnixStream> {
    let Running::File(file) = meant else { return None };
    let file = as_said(file)?;
    let mut all = running(data).into_iter();
    let its = all.find(|found| found.listening.file.as_ref() == Some(&file))?;
    UnixStream::connect(its.socket).ok()
}

/// Calls who runs `file`, which is not found for this reason: they are asked all the same. Where nobody runs it,
/// that is the reason.
fn call_without(file: &Path, why: &io::Error, data: &Data) -> Result<UnixStream, Stop> {
    let found = socket_of_gone(file, data).ok().and_then(|path| UnixStream::connect(path).ok());
    let found = found.or_else(|| call_by_name(&Running::File(file.to_owned()), data));
    found.ok_or_else(|| {
        let wrong = Wrong::reading("the configuration", file, why);
        Stop::Wrong(vec![Complaint::of_file(file, wrong)])
    })
}

fn next(answers: &mut impl BufRead) -> Result<Answer, Stop> {
    let mut line = String::new();
    let mut answer = answers.by_ref().take(ANSWER_BYTES_MAX);
    answer.read_line(&mut line).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            let most = Time(ANSWER_MAX);
            anyhow!(
                "the relais that runs gave no answer in {most}: what was asked goes on, see its log"
            )
        }
        _ => anyhow!(error).context("waiting for the relais that runs"),
    })?;
    if line.len() as u64 == ANSWER_BYTES_MAX && !line.ends_with('\n') {
        return Err(anyhow!("the relais that runs says more than {ANSWER_BYTES_MAX} bytes").into());
    }
    if line.is_empty() {
        return Err(anyhow!("the relais that runs hung up: it ends, or is another version").into());
    }
    Ok(serde_json::from_str(&line).context("understanding the relais that runs")?)
}

/// What is wrong if nobody listens at `path` who could do what is asked.
fn nobody((running, path): (&Running, &Path), request: &Request) -> Complaint {
    let path = path.display();
    let wrong = |what, hint: &str| Wrong { what, expected: None, hint: None }.hint(hint);
    match running {
        Running::File(file) => {
            let what = format!("no relais runs {:?}: nobody listens on {path:?}", file.display());
            let hint = match request {
                Request::Reload {} => {
                    "`relais serve` and `relais proxy` run no file; `kill -HUP PID` reloads them"
                }
                Request::Hub(_) => {
                    "`relais up` runs it; `--at PORT` asks whoever listens there; `--store FILE` opens \
                     what a hub kept that does not run"
                }
                Request::Cache(_) | Request::Listening {} => {
                    "`relais up` runs it; `--at PORT` asks whoever listens there; `--folder FOLDER` looks \
                     into the `disk` of a cache that nobody uses"
                }
            };
            Complaint::of_file(file, wrong(what, hint))
        }
        Running::Demo => {
            let what = format!("no relais runs: nobody listens on {path:?}, nor beside it");
            let hint = "`relais up` runs ./relais.toml, or the demo; `--folder FOLDER` looks into the \
                        `disk` of a cache that nobody uses";
            Complaint::of_nothing_said(wrong(what, hint))
        }
        Running::Socket(_) => {
            let what = format!("it does not run any more: nobody listens on {path:?}");
            Complaint::of_nothing_said(Wrong { what, expected: None, hint: None })
        }
    }
}
