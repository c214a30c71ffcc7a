//! From a planned front to what stands before a handler.

use std::{collections::BTreeMap, sync::Arc};

use relais_http::{
    DynHandler, Erase, OwnNames,
    access_log::Logged,
    auth::{Basic, Known, Limits, Realm, Users},
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
        let Front { hosts: _, own_names: _, access_log, auth } = front;
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
}

/// What stands before the handler of a site, but for its log, which is to be opened.
#[derive(Debug)]
pub(crate) struct Ready<'a> {
    pub(crate) parts: Parts,
    pub(crate) front: &'a Front,
    /// The key of the site's table.
    pub(crate) key: &'a KeyPath,
    pub(crate) logs: &'a mut Logs,
    /// Of those who showed passwords, by the keys of sites: a reload does not have all of them hashed again.
    pub(crate) known: &'a mut BTreeMap<String, Arc<Known>>,
}

impl Ready<'_> {
    /// Puts itself before `inner`.
    pub(crate) fn before(
        mut self,
        inner: Arc<dyn DynHandler>,
    ) -> Result<Arc<dyn DynHandler>, Problem> {
        let inner = self.guard(inner);
        let inner = self.name(inner);
        self.log(inner)
    }

    /// Puts the password before `inner`, if there is one.
    pub(crate) fn guard(&mut self, inner: Arc<dyn DynHandler>) -> Arc<dyn DynHandler> {
        match self.parts.auth.take() {
            Some((realm, users)) => {
                let nothing = || Arc::new(Known::new(&Limits::default()));
                let known = self.known.entry(self.key.to_string()).or_insert_with(nothing);
                Basic::new(inner, &realm, users, Arc::clone(known)).erase()
            }
            None => inner,
        }
    }

    /// Keeps names from `inner` that are not this machine's, where only this machine can call, if that
    /// was asked for; but not if it was said by which it is called: [`Hosts`](relais_http::Hosts) keeps
    /// to that.
    pub(crate) fn name(&self, inner: Arc<dyn DynHandler>) -> Arc<dyn DynHandler> {
        if !self.front.own_names || !self.front.hosts.is_empty() {
            return inner;
        }
        OwnNames::new(inner).erase()
    }

    /// Puts the log before `inner`, if there is one.
    pub(crate) fn log(self, inner: Arc<dyn DynHandler>) -> Result<Arc<dyn DynHandler>, Problem> {
        let Self { parts: _, front, key, logs, known: _ } = self;
        // The log is outermost, so that it has those, too, who were not let in.
        let Some(planned) = &front.access_log else { return Ok(inner) };
        let log = logs.open(planned, &key.key("access_log"))?;
        Ok(Logged::new(inner, log, clock::now).erase())
    }
}
