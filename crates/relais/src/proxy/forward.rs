//! `forward = true` or `forward = { ports, clients, private }`: whoever the client names is asked, as
//! browsers want it of the proxy in their settings.

use std::fmt;

use clap::Args;
use relais_net::Network;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    complaint::{Complaint, KeyPath, Problem, Wrong},
    spelling::{Addresses, one_or_more},
};

/// The table, word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ ports = [443] }`")]
pub(crate) struct Table {
    /// Which ports a tunnel (`CONNECT`) may lead to.
    ports: Option<Vec<u16>>,
    /// Who may ask.
    #[serde(default, deserialize_with = "said")]
    clients: Option<Vec<Addresses>>,
    /// Whether private addresses may be asked.
    #[serde(default)]
    private: bool,
}

/// The flags that say the same.
#[derive(Clone, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Forward mode")]
pub(crate) struct Flags {
    /// Ask whoever the client names, as browsers want it of the proxy in their settings
    #[arg(long, conflicts_with = "asked")]
    forward: bool,
    /// Let tunnels (CONNECT) lead to this port [default: 443]; may be given again
    #[arg(long, value_name = "PORT", requires = "forward")]
    connect_port: Vec<u16>,
    /// Who may ask, e.g. 192.0.2.0/24 [default: this machine and private addresses]; may be given
    /// again
    #[arg(long, value_name = "ADDRESSES", requires = "forward")]
    client: Vec<Addresses>,
    /// Ask servers at loopback, link-local and private addresses, too
    #[arg(long, requires = "forward")]
    private: bool,
}

/// Whoever is named is asked, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forward {
    /// Which ports a tunnel may lead to. Never empty.
    pub ports: Vec<u16>,
    /// Who may ask. Never empty.
    pub(crate) clients: Vec<Addresses>,
    /// Whether servers at loopback, link-local and private addresses are asked.
    pub private: bool,
}

/// The ports of those who name none: what a browser tunnels is HTTPS.
const PORTS: [u16; 1] = [443];

impl Flags {
    /// The table that says the same.
    ///
    /// # Errors
    ///
    /// What is of no use without `--forward`. The parser does not mind beside an UPSTREAM: what it
    /// would miss there conflicts with that.
    pub(super) fn table(self) -> Result<Option<Table>, Box<Complaint>> {
        let Self { forward, connect_port, client, private } = self;
        if !forward {
            let said = [
                ("--client", !client.is_empty()),
                ("--connect-port", !connect_port.is_empty()),
                ("--private", private),
            ];
            return match said.into_iter().find(|(_, is_said)| *is_said) {
                Some((flag, _)) => Err(Box::new(useless(flag))),
                None => Ok(None),
            };
        }
        let ports = (!connect_port.is_empty()).then_some(connect_port);
        let clients = (!client.is_empty()).then_some(client);
        Ok(Some(Table { ports, clients, private }))
    }
}

/// Nobody may think that `flag` does something.
fn useless(flag: &str) -> Complaint {
    let what = format!("nothing is done with `{flag}`");
    let wrong = Wrong::expected(what, "`--forward` beside it");
    let wrong = match flag {
        "--client" => wrong.hint("before an UPSTREAM, `--auth` or `--client-ca` says who may ask"),
        _ => wrong,
    };
    Complaint::of_flag(flag, wrong)
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(&self, key: &KeyPath) -> Result<Forward, Problem> {
        let Self { ports, clients, private } = self;
        let ports = ports.clone().unwrap_or_else(|| PORTS.to_vec());
        if ports.is_empty() {
            let wrong = Wrong::expected("`ports` is empty", "one or more, e.g. `[443]`");
            return Err(key.key("ports").wrong(wrong));
        }
        if let Some(index) = ports.iter().position(|port| *port == 0) {
            let wrong = Wrong::expected("nobody can be asked at port 0", "1 to 65535");
            return Err(key.key("ports").index(index).wrong(wrong));
        }
        let clients = clients.clone().unwrap_or_else(usual_clients);
        if clients.is_empty() {
            let wrong =
                Wrong::expected("`clients` is empty", "one or more, e.g. `[\"10.0.0.0/8\"]`");
            return Err(key.key("clients").wrong(wrong));
        }
        Ok(Forward { ports, clients, private: *private })
    }
}

fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Addresses>>, D::Error> {
    one_or_more(deserializer).map(Some)
}

/// Neighbours: a proxy that the whole world may use will be.
fn usual_clients() -> Vec<Addresses> {
    Network::LOOPBACK.into_iter().chain(Network::PRIVATE).map(Addresses).collect()
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ports, clients, private } = self;
        let ports: Vec<_> = ports.iter().map(ToString::to_string).collect();
        write!(f, "whom the client names; tunnels to port {}; for ", ports.join(" or "))?;
        if *clients == usual_clients() {
            f.write_str("this machine and private addresses")?;
        } else {
            let clients: Vec<_> = clients.iter().map(ToString::to_string).collect();
            f.write_str(&clients.join(", "))?;
        }
        match private {
            true => f.write_str("; private addresses, too"),
            false => Ok(()),
        }
    }
}
