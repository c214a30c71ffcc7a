//! `[proxy.NAME]`, word for word.

use serde::Deserialize;

use super::{limits, upstream::HostField};
use crate::{
    access_log, auth, front,
    spelling::{HostName, HttpEndpoint, one_or_more},
    tls,
};

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `[proxy.front]`")]
pub struct Table {
    /// Where it listens: one endpoint or a list.
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) listen: Vec<HttpEndpoint>,
    /// Who is asked: one endpoint or a list.
    #[serde(default, deserialize_with = "one_or_more")]
    pub(crate) upstream: Vec<HttpEndpoint>,
    /// What `Host` says to upstreams.
    pub(crate) upstream_host: Option<HostField>,
    /// How much an upstream may cost us.
    #[serde(default)]
    pub(crate) limits: limits::Table,
    /// What we are called in `Via`.
    pub name: Option<String>,
    /// Which hosts it answers for; all that no other site answers for, if none.
    #[serde(default, deserialize_with = "one_or_more")]
    pub(crate) hosts: Vec<HostName>,
    /// Where each answer is written down.
    pub access_log: Option<access_log::Table>,
    /// Who may ask.
    pub auth: Option<auth::Table>,
    /// How `https://` proves who it is.
    #[serde(default)]
    pub tls: tls::Table,
}

impl Table {
    /// What it has of every site.
    pub(crate) fn front(&self) -> front::Table {
        front::Table {
            listen: self.listen.clone(),
            hosts: self.hosts.clone(),
            tls: self.tls.clone(),
            access_log: self.access_log.clone(),
            auth: self.auth.clone(),
        }
    }
}
