//! The end that asks.

use std::path::{Path, PathBuf};

use clap::ColorChoice;
use serde_json::Value;

use super::at_rest;
use crate::{
    CONFIG,
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

/// Whom those mean who name `file`, or none.
pub(super) fn running(file: Option<PathBuf>) -> Running {
    match file {
        Some(file) => Running::File(file),
        None if Path::new(CONFIG).exists() => Running::File(CONFIG.into()),
        None => Running::Demo,
    }
}

impl Asking<'_> {
    /// Asks, and has all `taken` that is found.
    pub(super) fn ask(
        &self,
        of: OfCaches,
        taken: impl FnMut(Value) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let running = match &self.whom {
            Whom::Running(running) => running,
            Whom::Folder(folder) => return at_rest::obey(folder, of, taken),
        };
        let request = Request::Cache(CacheRequest { proxy: self.proxy.clone(), of });
        match control::ask(&request, running, self.data, taken)? {
            Answer::Refused(Refusal { text, exit }) => Err(Stop::Elsewhere { text, exit }),
            Answer::Done { .. } | Answer::Found(_) => Ok(()),
        }
    }
}
