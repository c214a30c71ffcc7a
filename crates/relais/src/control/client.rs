//! The end that asks.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, anyhow};

use super::{ANSWER_BYTES_MAX, Answer, LINE_MAX, Refusal, Request, socket_of};
use crate::{
    complaint::{Complaint, Wrong},
    data::Data,
    output::say,
    stop::Stop,
};

/// How long a reload may take: files are read, and certificates made.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// Has the relais that runs `file` read it again.
pub(crate) fn reload(file: &Path, data: &Data) -> Result<(), Stop> {
    if let Err(error) = std::fs::metadata(file) {
        let wrong = Wrong::reading("the configuration", file, &error);
        return Err(Stop::Wrong(vec![Complaint::of_file(file, wrong)]));
    }
    match ask(Request::Reload {}, file, data)? {
        Answer::Done { text } => {
            say(format_args!("reloaded: {text}"));
            Ok(())
        }
        Answer::Refused(Refusal { text, exit }) => {
            let text = format!("{}\n\nthe old configuration runs on", text.trim_end());
            Err(Stop::Elsewhere { text, exit })
        }
    }
}

fn ask(request: Request, file: &Path, data: &Data) -> Result<Answer, Stop> {
    let path = socket_of(file, data)?;
    let mut stream = UnixStream::connect(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            Stop::Refused(vec![Complaint::of_file(file, nobody(file, &path))])
        }
        _ => anyhow!(error).context(format!("calling {:?}", path.display())).into(),
    })?;
    stream.set_write_timeout(Some(LINE_MAX)).context("setting a deadline")?;
    stream.set_read_timeout(Some(ANSWER_MAX)).context("setting a deadline")?;
    let mut line = serde_json::to_string(&request).context("asking")?;
    line.push('\n');
    stream.write_all(line.as_bytes()).context("asking the relais that runs")?;
    line.clear();
    let mut answer = BufReader::new(stream.take(ANSWER_BYTES_MAX));
    answer.read_line(&mut line).context("waiting for the relais that runs")?;
    if line.len() as u64 == ANSWER_BYTES_MAX && !line.ends_with('\n') {
        return Err(anyhow!("the relais that runs says more than {ANSWER_BYTES_MAX} bytes").into());
    }
    Ok(serde_json::from_str(&line).context("understanding the relais that runs")?)
}

/// What is wrong if nobody listens at `path`.
fn nobody(file: &Path, path: &Path) -> Wrong {
    let (file, path) = (file.display(), path.display());
    let what = format!("no relais runs {file:?}: nobody listens on {path:?}");
    Wrong { what, expected: None, hint: None }
        .hint("`relais serve` and `relais proxy` run no file; `kill -HUP PID` reloads them")
}
