//! `[serve.NAME]`, word for word.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

use crate::{
    access_log, auth, front,
    spelling::{HostName, HttpEndpoint, one_at_least, one_or_more},
    tls,
};

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `[serve.site]`")]
pub struct Table {
    /// Where it listens: one endpoint or a list.
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) listen: Vec<HttpEndpoint>,
    /// The folder that `/` is.
    pub root: PathBuf,
    /// Which hosts it answers for; all that no other site answers for, if none.
    #[serde(default, deserialize_with = "one_or_more")]
    pub(crate) hosts: Vec<HostName>,
    /// Whether it answers only for names of this machine where only this machine can call.
    #[serde(default)]
    pub own_names: bool,
    /// The files that a folder is answered with; the first that is there counts.
    #[serde(default, deserialize_with = "one_at_least")]
    pub index: Vec<String>,
    /// Whether a folder without such a file is listed.
    #[serde(default)]
    pub listing: bool,
    /// The file under the root that is sent, with 200, for a path that has none.
    pub fallback: Option<String>,
    /// Files under the root that are sent with an error status, by status.
    #[serde(default)]
    pub error_pages: BTreeMap<String, String>,
    /// What is said about keeping an answer, by path; the first that matches counts.
    #[serde(default)]
    pub cache_control: Vec<CacheRule>,
    /// Whether files whose names begin with a dot are served.
    #[serde(default)]
    pub dotfiles: bool,
    /// Whether answers are compressed for those who take that; yes, if not said.
    pub compress: Option<bool>,
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

/// One of `cache_control`: `{ match = "*.css", value = "max-age=3600" }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table, e.g. `{ match = \"*.css\", value = \"max-age=3600\" }`"
)]
pub struct CacheRule {
    /// Which paths.
    #[serde(rename = "match")]
    pub glob: String,
    /// The value of `Cache-Control`.
    pub value: String,
}
