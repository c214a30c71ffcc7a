//! `[relay.NAME]`, word for word.

use std::{collections::BTreeMap, path::PathBuf};

use relais_wire::proxy_header;
use serde::{Deserialize, Serialize};

use super::{limits, names::OneOrMore, shape};
use crate::{
    proxy::Balance,
    spelling::{Addresses, BareEndpoint, Size, Time, one_or_more},
    tls, upstream_tls,
};

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `[relay.front]`")]
pub struct Table {
    /// Where it listens: one endpoint or a list.
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) listen: Vec<BareEndpoint>,
    /// Who is called: one endpoint or a list.
    #[serde(default, deserialize_with = "one_or_more")]
    pub(crate) upstream: Vec<BareEndpoint>,
    /// Who is called for callers that ask for a name under TLS.
    #[serde(default)]
    pub(crate) sni: BTreeMap<String, OneOrMore>,
    /// How upstreams with `tls://` prove who they are.
    #[serde(default)]
    pub(crate) upstream_tls: upstream_tls::Table,
    /// Which of several is called.
    pub(crate) balance: Option<Balance>,
    /// How often they are called to see whether they are there.
    pub(crate) check_every: Option<Time>,
    /// Who alone may call.
    #[serde(default, deserialize_with = "one_or_more")]
    pub(crate) allow: Vec<Addresses>,
    /// Who may not.
    #[serde(default, deserialize_with = "one_or_more")]
    pub(crate) deny: Vec<Addresses>,
    /// Relays that tell first who called them.
    #[serde(default, deserialize_with = "one_or_more")]
    pub(crate) accept_proxy: Vec<Addresses>,
    /// How upstreams are told who called.
    pub(crate) send_proxy: Option<SendProxy>,
    /// Where a line for each connection goes; `-` is the standard output.
    pub(crate) log: Option<PathBuf>,
    /// How large that file may be.
    pub(crate) log_size_max: Option<Size>,
    /// How many older ones are kept.
    pub(crate) log_keep: Option<u32>,
    /// How long things may take, and how quick they may be.
    #[serde(default)]
    pub(crate) limits: limits::Table,
    /// What makes the network like a bad one.
    #[serde(default)]
    pub(crate) impair: shape::Table,
    /// How `tls://` proves who it is.
    #[serde(default)]
    pub(crate) tls: tls::Table,
}

/// How upstreams are told who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum SendProxy {
    /// By a line of text.
    V1,
    /// In binary.
    V2,
}

impl From<SendProxy> for proxy_header::Version {
    fn from(how: SendProxy) -> Self {
        match how {
            SendProxy::V1 => Self::V1,
            SendProxy::V2 => Self::V2,
        }
    }
}
