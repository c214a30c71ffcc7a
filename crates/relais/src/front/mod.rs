//! What every table has whose service answers over HTTP: where it listens and for which hosts, how
//! it proves who it is, who may ask, and where that is written down.

mod flags;
mod handler;

use std::collections::HashSet;

use serde::{Serialize, Serializer};

pub(crate) use flags::{Flags, flag_of};
pub(crate) use handler::{Parts, Ready};

use crate::{
    access_log::{self, AccessLog},
    auth::{self, Auth},
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    spelling::{HostName, HttpEndpoint},
    tls,
};

/// The keys, word for word. Each table spells them for itself: serde's `flatten` forgets where a
/// value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) listen: Vec<HttpEndpoint>,
    pub(crate) hosts: Vec<HostName>,
    pub(crate) own_names: bool,
    pub(crate) tls: tls::Table,
    pub(crate) access_log: Option<access_log::Table>,
    pub(crate) auth: Option<auth::Table>,
}

/// What they mean, but for where it listens, which is for the plan as a whole to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Front {
    /// Which hosts it answers for; empty for all that no other site answers for.
    #[serde(serialize_with = "names")]
    pub(crate) hosts: Vec<HostName>,
    /// Whether it answers only for names of this machine where only this machine can call.
    pub own_names: bool,
    /// Where each answer is written down.
    pub access_log: Option<AccessLog>,
    /// Who may ask.
    pub auth: Option<Auth>,
}

impl Front {
    /// Resolves the `table` of the site at `key`.
    pub(crate) fn plan(table: Table, base: &Base, key: &KeyPath) -> Result<Self, Problem> {
        let Table { listen: _, hosts, own_names, tls: _, access_log, auth } = table;
        if let Some(place) = first_double(&hosts) {
            let what = format!("the host `{}` twice", hosts[place].0);
            return Err(key.key("hosts").index(place).wrong(Wrong::expected(what, "it once")));
        }
        let auth = auth.map(|table| Auth::plan(table, base, &key.key("auth"))).transpose()?;
        let access_log = access_log.map(|table| AccessLog::plan(table, base));
        Ok(Self { hosts, own_names, access_log, auth })
    }
}

/// The place of the first that stands before itself, too.
fn first_double(hosts: &[HostName]) -> Option<usize> {
    let mut seen = HashSet::new();
    hosts.iter().position(|host| !seen.insert(host.0.to_string()))
}

fn names<S: Serializer>(hosts: &[HostName], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(hosts.iter().map(|host| host.0.to_string()))
}
