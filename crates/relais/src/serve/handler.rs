//! From a planned site to what answers its requests.

use std::sync::Arc;

use relais_http::{
    Answer, Ask, Body, DynHandler, Handler,
    access_log::Logged,
    auth::{self, Basic, Realm, Users},
};
use relais_net::Fault;

use super::{Root, Site};
use crate::{
    access_log::Logs,
    clock,
    complaint::{KeyPath, Problem, Wrong},
};

/// Everything of a site that is read from the disk, read. Nothing on the disk is changed for it.
#[derive(Debug)]
pub(crate) struct Parts {
    files: Pending,
    auth: Option<(Realm, Users)>,
}

impl Parts {
    /// Reads what `site` needs.
    ///
    /// # Errors
    ///
    /// Everything that is not there or cannot be read.
    pub(crate) fn read(site: &Site) -> Result<Self, Vec<Problem>> {
        let key = site.key();
        let mut problems = Vec::new();
        problems.extend(root_problem(site, &key));
        if let Some(log) = &site.access_log {
            problems.extend(log.problem(&key.key("access_log")));
        }
        let auth = site.auth.as_ref().and_then(|auth| {
            let users = auth.read(&key.key("auth"));
            let users = users.map_err(|problem| problems.push(problem)).ok()?;
            Some((auth.realm.clone(), users))
        });
        if problems.is_empty() { Ok(Self { files: Pending, auth }) } else { Err(problems) }
    }

    /// Puts the parts of `site` together, opening its log.
    pub(crate) fn handler(
        self,
        site: &Site,
        logs: &mut Logs,
    ) -> Result<Arc<dyn DynHandler>, Problem> {
        let Self { files, auth } = self;
        let Some((realm, users)) = auth else { return logged(files, site, logs) };
        logged(Basic::new(files, &realm, users, &auth::Limits::default()), site, logs)
    }
}

/// The log is outermost, so that it has those, too, who were not let in.
fn logged<H: Handler>(
    inner: H,
    site: &Site,
    logs: &mut Logs,
) -> Result<Arc<dyn DynHandler>, Problem> {
    let Some(planned) = &site.access_log else { return Ok(Arc::new(inner)) };
    let log = logs.open(planned, &site.key().key("access_log"))?;
    Ok(Arc::new(Logged::new(inner, log, clock::now)))
}

fn root_problem(site: &Site, key: &KeyPath) -> Option<Problem> {
    let Root::Folder(path) = &site.root else { return None };
    let key = key.key("root");
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => None,
        Ok(_) => {
            let wrong = Wrong::expected(
                format!("the root is not a folder: {:?}", path.display()),
                "a folder",
            );
            Some(key.wrong(wrong))
        }
        Err(error) => Some(key.wrong(Wrong::reading("the root", path, &error))),
    }
}

/// Stands where the files will be.
#[derive(Debug)]
struct Pending;

impl Handler for Pending {
    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        Ok(Answer::new(Body::full("files are not wired yet\n".into())))
    }
}
