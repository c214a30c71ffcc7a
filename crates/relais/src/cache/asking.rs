//! The end that asks.

use std::path::{Path, PathBuf};

use clap::ColorChoice;
use http::Uri;
use serde_json::Value;

use super::{at_rest, doors::port_of};
use crate::{
    CONFIG,
    complaint::{Complaint, Wrong},
    control::{self, Answer, CacheRequest, OfCaches, Refusal, Request, Running},
    data::Data,
    stop::Stop,
};

/// Who is asked.
#[derive(Debug)]
pub(super) enum Whom {
    /// A relais that runs.
    Running(Running),
    /// A cache's folder, which no relais uses.
    Folder(PathBuf),
}

/// Who is asked, and how.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) whom: Whom,
    /// Whose cache is meant; `None` for all, or the only one.
    pub(super) proxy: Option<String>,
    pub(super) data: &'a Data,
    pub(super) color: ColorChoice,
}

/// Whom those mean who name a file, or a port, or a URL, or nothing.
pub(super) fn running(
    (file, at): (Option<PathBuf>, Option<u16>),
    url: Option<&str>,
    data: &Data,
) -> Result<Running, Stop> {
    match (file, at) {
        (Some(file), _) => return Ok(Running::File(file)),
        (None, Some(port)) => return listening_at(port, data),
        (None, None) if Path::new(CONFIG).exists() => return Ok(Running::File(CONFIG.into())),
        (None, None) => (),
    }
    let mut all = control::running(data);
    let port = url.and_then(|url| port_of(&url.parse::<Uri>().ok()?));
    let at =
        all.iter().position(|found| port.is_some_and(|port| found.listening.ports.contains(&port)));
    match (at, all.len()) {
        (Some(at), _) => Ok(Running::Socket(all.swap_remove(at).socket)),
        (None, 0) => Ok(Running::Demo),
        (None, 1) => Ok(Running::Socket(all.swap_remove(0).socket)),
        (None, _) => {
            let what = format!("several relais run, of: {}", told(&all));
            let wrong = Wrong::expected(what, "one of them, by `--at PORT` or `--file FILE`");
            Err(Stop::Wrong(vec![Complaint::of_nothing_said(wrong)]))
        }
    }
}

fn listening_at(port: u16, data: &Data) -> Result<Running, Stop> {
    let mut all = control::running(data);
    if let Some(at) = all.iter().position(|found| found.listening.ports.contains(&port)) {
        return Ok(Running::Socket(all.swap_remove(at).socket));
    }
    let what = format!("no relais of this user listens at port {port}");
    let wrong = match all.len() {
        0 => Wrong { what, expected: None, hint: None }.hint("none runs at all"),
        _ => Wrong { what, expected: None, hint: None }.hint(format!("there runs {}", told(&all))),
    };
    Err(Stop::Refused(vec![Complaint::of_flag("--at", wrong)]))
}

/// Who runs, and where each listens.
fn told(all: &[control::Found]) -> String {
    let told = |found: &control::Found| {
        let ports: Vec<_> = found.listening.ports.iter().map(u16::to_string).collect();
        match &ports[..] {
            [] => found.listening.runs.clone(),
            [port] => format!("{} (port {port})", found.listening.runs),
            ports => format!("{} (ports {})", found.listening.runs, ports.join(", ")),
        }
    };
    all.iter().map(told).collect::<Vec<_>>().join("; ")
}

impl Asking<'_> {
    /// Asks, and has all `taken` that is found. Gives what is said at the end: what is to be told if
    /// nothing was found.
    pub(super) fn ask(
        &self,
        of: OfCaches,
        taken: impl FnMut(Value) -> Result<(), Stop>,
    ) -> Result<String, Stop> {
        let running = match &self.whom {
            Whom::Running(running) => running,
            Whom::Folder(folder) => {
                return at_rest::obey(folder, of, taken).map(|()| String::new());
            }
        };
        let request = Request::Cache(CacheRequest { proxy: self.proxy.clone(), of });
        match control::ask(&request, running, self.data, taken)? {
            Answer::Refused(Refusal { text, exit }) => Err(Stop::Elsewhere { text, exit }),
            Answer::Done { text } => Ok(text),
            Answer::Found(_) | Answer::Listening(_) => Ok(String::new()),
        }
    }
}
