//! `[listen.NAME]`, word for word.

use serde::{Deserialize, Serialize};

use crate::{
    spelling::{BareEndpoint, one_or_more},
    tls,
};

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `[listen.echo]`")]
pub struct Table {
    /// Where it listens: one endpoint or a list.
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) on: Vec<BareEndpoint>,
    /// What it does with what comes.
    #[serde(rename = "as")]
    pub(crate) role: Role,
    /// How `tls://` and `wss://` prove who they are.
    #[serde(default)]
    pub(crate) tls: tls::Table,
}

/// What a dialogue does with what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sends it back
    Echo,
}
