//! The end that is asked.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use rustix::process::geteuid;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::{Semaphore, mpsc, oneshot},
    task::AbortHandle,
    time::timeout,
};
use tracing::{debug, warn};

use super::{Call, LINE_MAX, REQUEST_BYTES_MAX, Request, socket_of};
use crate::{
    config::Source,
    data::{Data, make_private},
};

/// How many may ask at once; the next wait.
const CALLERS_MAX: usize = 8;

/// An open control socket. Closed and removed when dropped.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    task: AbortHandle,
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        _ = fs::remove_file(&self.path);
    }
}

/// Opens the control socket of the file that `source` is, if it is one, and passes what is asked
/// there on to `calls`.
pub(crate) fn listen(
    source: &Source,
    data: &Data,
    calls: mpsc::Sender<Call>,
) -> anyhow::Result<Option<Control>> {
    let Source::File(file) = source else { return Ok(None) };
    let path = socket_of(file, data)?;
    let folder = data.sockets();
    make_private(&folder).with_context(|| format!("making the folder {:?}", folder.display()))?;
    let listener = bind(&path).with_context(|| format!("listening on {:?}", path.display()))?;
    let task = tokio::spawn(accept(listener, calls)).abort_handle();
    Ok(Some(Control { path, task }))
}

fn bind(path: &Path) -> anyhow::Result<UnixListener> {
    let bound = match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                bail!("another relais runs the same file");
            }
            // Left behind by one that was killed.
            fs::remove_file(path)?;
            UnixListener::bind(path)?
        }
        bound => bound?,
    };
    // The folder keeps others out already; this is the second lock.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(bound)
}

async fn accept(listener: UnixListener, calls: mpsc::Sender<Call>) {
    let places = Arc::new(Semaphore::new(CALLERS_MAX));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("an open semaphore");
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "the control socket fails");
                tokio::time::sleep(LINE_MAX).await;
                continue;
            }
        };
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
    let mut line = String::new();
    let mut read = BufReader::new(read.take(REQUEST_BYTES_MAX));
    timeout(LINE_MAX, read.read_line(&mut line)).await??;
    let request: Request = serde_json::from_str(&line)?;
    let (answer, answered) = oneshot::channel();
    let closing = || io::Error::from(ErrorKind::ConnectionAborted);
    calls.send(Call { request, answer }).await.map_err(|_| closing())?;
    let answer = answered.await.map_err(|_| closing())?;
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    timeout(LINE_MAX, write.write_all(&line)).await?
}
