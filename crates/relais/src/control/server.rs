//! The end that is asked.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, anyhow};
use relais_net::{SocketFile, bind_path, next_caller};
use rustix::process::geteuid;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Semaphore, mpsc},
    task::AbortHandle,
    time::timeout,
};
use tracing::debug;

use super::{
    ANSWER_BYTES_MAX, Answer, Call, FOUND_MAX, LINE_MAX, REQUEST_BYTES_MAX, Refusal, Request,
    socket_of, socket_of_demo, socket_of_flags,
};
use crate::{
    config::Source,
    data::{Data, make_private},
    spelling::Time,
};

/// How many may ask at once; the next wait.
const CALLERS_MAX: usize = 32;

/// An open control socket. Closed and removed when dropped.
#[derive(Debug)]
pub(crate) struct Control {
    /// Dropped first: while the file is there, somebody listens.
    _file: SocketFile,
    _task: Accepting,
}

#[derive(Debug)]
struct Accepting(AbortHandle);

impl Drop for Accepting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Opens the control socket of who runs `source` and speaks HTTP at these `ports`, and passes what is
/// asked there on to `calls`. `None` if there is no place for one, and none was asked for.
pub(crate) fn listen(
    (source, ports): (&Source, &[u16]),
    data: &Data,
    calls: mpsc::Sender<Call>,
) -> anyhow::Result<Option<Control>> {
    let mut path = match source {
        Source::File(file) => socket_of(file, data)?,
        Source::Embedded { .. } => socket_of_demo(data)?,
        // Who names no file may have no home either.
        Source::Flags(_) if data.sockets().is_err() => return Ok(None),
        Source::Flags(_) => socket_of_flags(ports, data)?,
    };
    let folder = data.sockets()?;
    make_private(&folder).with_context(|| format!("making the folder {:?}", folder.display()))?;
    let bound = match (source, bind(&path)) {
        // Another demo has that. This one is found by its port, as who names no file is.
        (Source::Embedded { .. }, Err(error)) if error.kind() == ErrorKind::AddrInUse => {
            path = socket_of_flags(ports, data)?;
            bind(&path)
        }
        (_, bound) => bound,
    };
    let bound = bound.map_err(why);
    let (listener, file) = bound.with_context(|| format!("listening on {:?}", path.display()))?;
    let task = Accepting(tokio::spawn(accept(listener, calls)).abort_handle());
    Ok(Some(Control { _file: file, _task: task }))
}

fn why(error: io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::AddrInUse => anyhow!("another relais has this control socket"),
        _ => error.into(),
    }
}

fn bind(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    let (listener, file) = bind_path(path)?;
    // The folder keeps others out already; this is the second lock.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok((UnixListener::from_std(listener)?, file))
}

async fn accept(listener: UnixListener, calls: mpsc::Sender<Call>) {
    let places = Arc::new(Semaphore::new(CALLERS_MAX));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("an open semaphore");
        let (stream, _) = next_caller(&"the control socket", || listener.accept()).await;
        let calls = calls.clone();
        tokio::spawn(async move {
            if let Err(error) = talk(stream, calls).await {
                debug!(%error, "a call to the control socket failed");
            }
            drop(place);
        });
    }
}

async fn talk(stream: UnixStream, calls: mpsc::Sender<Call>) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    if uid != geteuid().as_raw() && uid != 0 {
        return Err(ErrorKind::PermissionDenied.into());
    }
    let (read, mut write) = stream.into_split();
    match listen_to(read).await? {
        Heard::Nothing => Ok(()),
        Heard::Nonsense(what) => {
            let text = format!("error: the request is not understood: {what}\n");
            say(&Refusal { text, exit: 2 }.into(), &mut write).await
        }
        Heard::Request(request) => {
            let (answers, mut answered) = mpsc::channel(1);
            let closing = || io::Error::from(ErrorKind::ConnectionAborted);
            calls.send(Call { request, answers }).await.map_err(|_| closing())?;
            // What finds them learns that nobody takes them, and ends.
            while let Some(answer) = answered.recv().await {
                say(&answer, &mut write).await?;
            }
            Ok(())
        }
    }
}

async fn say(answer: &Answer, write: &mut OwnedWriteHalf) -> io::Result<()> {
    let patience = if matches!(answer, Answer::Found(_)) { FOUND_MAX } else { LINE_MAX };
    timeout(patience, write.write_all(&line_of(answer)?)).await?
}

/// An answer as it is sent; if whoever asked would not read all of it, one that says so.
fn line_of(answer: &Answer) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    if line.len() as u64 <= ANSWER_BYTES_MAX {
        return Ok(line);
    }
    let Answer::Refused(Refusal { exit, .. }) = answer else {
        return Err(ErrorKind::FileTooLarge.into());
    };
    let text =
        "error: more is wrong than can be told here\nhint: `relais check` tells it".to_owned();
    line_of(&Refusal { text, exit: *exit }.into())
}

/// What a caller says.
enum Heard {
    /// It only looked whether somebody is there.
    Nothing,
    /// With what is wrong with it.
    Nonsense(String),
    Request(Request),
}

async fn listen_to(read: OwnedReadHalf) -> io::Result<Heard> {
    let mut line = Vec::new();
    let mut read = BufReader::new(read.take(REQUEST_BYTES_MAX));
    let Ok(read) = timeout(LINE_MAX, read.read_until(b'\n', &mut line)).await else {
        return Ok(Heard::Nonsense(format!("no whole line came in {}", Time(LINE_MAX))));
    };
    read?;
    if line.is_empty() {
        return Ok(Heard::Nothing);
    }
    if line.last() != Some(&b'\n') {
        let most = format!("expected a whole line of at most {REQUEST_BYTES_MAX} bytes");
        return Ok(Heard::Nonsense(most));
    }
    Ok(match serde_json::from_slice(&line) {
        Ok(request) => Heard::Request(request),
        Err(error) => Heard::Nonsense(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_no_longer_than_is_read() {
        let told = |bytes: usize| {
            let line = line_of(&Refusal { text: "x".repeat(bytes), exit: 2 }.into()).unwrap();
            assert!(line.len() as u64 <= ANSWER_BYTES_MAX && line.ends_with(b"\n"));
            match serde_json::from_slice(&line).unwrap() {
                Answer::Refused(Refusal { text, exit: 2 }) => text,
                other => panic!("{other:?}"),
            }
        };
        let most = usize::try_from(ANSWER_BYTES_MAX).unwrap() - told_beside_the_text();
        assert_eq!(told(most), "x".repeat(most));
        assert!(told(most + 1).starts_with("error: more is wrong than can be told"));
    }

    /// How many bytes of a line are not the text.
    fn told_beside_the_text() -> usize {
        line_of(&Refusal { text: String::new(), exit: 2 }.into()).unwrap().len()
    }
}
