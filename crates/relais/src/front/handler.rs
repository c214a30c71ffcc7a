//! From a planned front to what stands before a handler.

use std::sync::Arc;

use relais_http::{
    DynHandler, Handler,
    access_log::Logged,
    auth::{self, Basic, Realm, Users},
};

use super::Front;
use crate::{
    access_log::Logs,
    clock,
    complaint::{KeyPath, Problem},
};

/// Everything of a front that is read from the disk, read.
#[derive(Debug)]
pub(crate) struct Parts {
    auth: Option<(Realm, Users)>,
}

impl Parts {
    /// Reads what the `front` of the site at `key` needs.
    ///
    /// # Errors
    ///
    /// Everything that is not there or cannot be read.
    pub(crate) fn read(front: &Front, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let Front { hosts: _, access_log, auth } = front;
        let mut problems = Vec::new();
        if let Some(log) = access_log {
            problems.extend(log.problem(&key.key("access_log")));
        }
        let auth = auth.as_ref().and_then(|auth| {
            let users = auth.read(&key.key("auth"));
            let users = users.map_err(|problem| problems.push(problem)).ok()?;
            Some((auth.realm.clone(), users))
        });
        if problems.is_empty() { Ok(Self { auth }) } else { Err(problems) }
    }

    /// Puts itself before `inner`, opening its log.
    pub(crate) fn before<H: Handler>(
        self,
        inner: H,
        log: Log<'_>,
    ) -> Result<Arc<dyn DynHandler>, Problem> {
        let Some((realm, users)) = self.auth else { return log.before(inner) };
        log.before(Basic::new(inner, &realm, users, &auth::Limits::default()))
    }
}

/// The log of a site, to be opened.
#[derive(Debug)]
pub(crate) struct Log<'a> {
    pub(crate) front: &'a Front,
    /// The key of the site's table.
    pub(crate) key: &'a KeyPath,
    pub(crate) logs: &'a mut Logs,
}

impl Log<'_> {
    /// The log is outermost, so that it has those, too, who were not let in.
    fn before<H: Handler>(self, inner: H) -> Result<Arc<dyn DynHandler>, Problem> {
        let Self { front, key, logs } = self;
        let Some(planned) = &front.access_log else { return Ok(Arc::new(inner)) };
        let log = logs.open(planned, &key.key("access_log"))?;
        Ok(Arc::new(Logged::new(inner, log, clock::now)))
    }
}
