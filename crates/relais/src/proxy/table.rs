//! `[proxy.NAME]`, word for word.

use serde::Deserialize;

use super::{
    block, cache_table, edits, forward, group,
    group::Balance,
    limits, routes, sniff,
    upstream::{HostField, Speaks},
};
use crate::{
    access_log, auth, front,
    spelling::{Addresses, HostName, HttpEndpoint, Switch, one_or_more},
    tls, upstream_tls as trust,
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
    /// Who is asked for some paths.
    #[serde(default)]
    pub(crate) routes: Vec<routes::Table>,
    /// What `Host` says to upstreams.
    pub(crate) upstream_host: Option<HostField>,
    /// Which HTTP is spoken with upstreams.
    pub(crate) upstream_http: Option<Speaks>,
    /// Whom upstreams over TLS have to be.
    #[serde(default)]
    pub(crate) upstream_tls: trust::Table,
    /// Which of several upstreams is asked.
    pub(crate) balance: Option<Balance>,
    /// How upstreams are asked whether they are well.
    pub(crate) health: Option<group::Table>,
    /// Whose word counts about the way before.
    #[serde(default, deserialize_with = "one_or_more")]
    pub(crate) trust: Vec<Addresses>,
    /// Whether fields are passed on whose names servers may take for others.
    #[serde(default)]
    pub(crate) underscores: bool,
    /// Whether whoever the client names is asked.
    #[serde(default)]
    pub(crate) forward: Switch<forward::Table>,
    /// Whether answers are kept for who asks next.
    #[serde(default)]
    pub(crate) cache: Switch<cache_table::Table>,
    /// Where each exchange is written down.
    pub(crate) sniff: Option<sniff::Table>,
    /// What must not be asked for.
    pub(crate) block: Option<block::Table>,
    /// What is changed in requests.
    #[serde(default)]
    pub(crate) request: edits::Table,
    /// What is changed in answers.
    #[serde(default)]
    pub(crate) response: edits::Table,
    /// How much an upstream may cost us.
    #[serde(default)]
    pub(crate) limits: limits::Table,
    /// What we are called in `Via`.
    pub name: Option<String>,
    /// Which hosts it answers for; all that no other site answers for, if none.
    #[serde(default, deserialize_with = "one_or_more")]
    pub(crate) hosts: Vec<HostName>,
    /// Whether it answers only for names of this machine where only this machine can call.
    #[serde(default)]
    pub own_names: bool,
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
            own_names: self.own_names,
            tls: self.tls.clone(),
            access_log: self.access_log.clone(),
            auth: self.auth.clone(),
        }
    }
}
