//! `[listen.NAME]`, word for word.

use serde::{Deserialize, Serialize};

use crate::{
    spelling::{BareEndpoint, Size, Time, one_or_more},
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
    /// The word that ends the server, or a dialogue; empty, none does.
    pub(crate) until: Option<String>,
    /// What `ack` answers.
    pub(crate) reply: Option<String>,
    /// How messages are shown.
    pub(crate) style: Option<Style>,
    /// Whether the two sides of a talk speak in turns.
    #[serde(default)]
    pub(crate) turns: bool,
    /// How long a caller may be silent.
    pub(crate) idle_max: Option<Time>,
    /// How long a line may be.
    pub(crate) line_max: Option<Size>,
    /// How many may be notified.
    pub(crate) subscribers_max: Option<usize>,
    /// How long somebody is notified who is not heard of any more.
    pub(crate) lease: Option<Time>,
    /// Pages of which other sites may open a WebSocket here.
    #[serde(default)]
    pub(crate) origins: Vec<String>,
    /// How `tls://` and `wss://` prove who they are.
    #[serde(default)]
    pub(crate) tls: tls::Table,
}

/// What a dialogue does with what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Shows it
    Print,
    /// Shows it, and answers always the same
    Ack,
    /// Sends it back
    Echo,
    /// Sends it back in upper case
    Upper,
    /// Answers the value of an expression
    Calc,
    /// Has the person at the terminal answer
    Talk,
    /// Passes on each line of a stream to everyone who asked for it by UDP
    Notify,
}

/// How messages are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A line each: when, from where, how much, what
    Plain,
    /// As many courses on sockets have it
    Lab,
    /// A line each, and below it the bytes
    Hex,
    /// A JSON object each
    Json,
}
