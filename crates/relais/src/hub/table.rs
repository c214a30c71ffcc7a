//! `[hub.NAME]`, word for word.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    spelling::{BareEndpoint, Size, one_or_more},
    tls,
};

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `[hub.main]`")]
pub struct Table {
    /// Where it listens: one endpoint or a list.
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) listen: Vec<BareEndpoint>,
    /// The file of its log.
    pub(crate) store: Option<PathBuf>,
    /// Who may have an account.
    #[serde(default)]
    pub(crate) registration: Registration,
    /// Whether passwords are taken in the clear from other machines.
    #[serde(default)]
    pub(crate) clear_passwords: bool,
    /// Whether who calls over `tls://` may show a certificate, and log in by it.
    #[serde(default)]
    pub(crate) client_certificates: bool,
    /// How it speaks to people who do not say.
    #[serde(default)]
    pub(crate) lang: Lang,
    /// What datagrams are like.
    #[serde(default)]
    pub(crate) udp: Form,
    /// How much may be said at once.
    pub(crate) message_max: Option<Size>,
    /// How many messages an account may say at once.
    pub(crate) burst: Option<u32>,
    /// How many a second after that; 0, as many as it likes.
    pub(crate) messages_a_second: Option<u32>,
    /// Pages of which other sites may come in over HTTP.
    #[serde(default)]
    pub(crate) origins: Vec<String>,
    /// How `tls://` and `https://` prove who they are.
    #[serde(default)]
    pub(crate) tls: tls::Table,
}

/// Who may have an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Whoever asks
    #[default]
    Open,
    /// Who shows an invitation
    Invitation,
    /// Nobody who has none yet
    Closed,
}

/// What datagrams are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Nobody else reads them
    #[default]
    Sealed,
    /// Everybody may read them, and nobody else can write them: to be looked at
    Mac,
}

/// How people are spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// In English
    #[default]
    En,
    /// In French
    Fr,
}
