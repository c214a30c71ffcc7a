//! `relais listen`, word for word.

use clap::Args;

use super::{Role, Style, Table};
use crate::{
    complaint::KeyPath,
    spelling::{BareEndpoint, Size, Time},
    tls,
};

/// What a dialogue is called that a command line asks for.
const NAME: &str = "dialogue";

/// The flags.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// Where to listen: `tcp://`, `tls://`, `udp://`, `unix://`, `ws://` or `wss://`; a bare port is TCP
    /// on this machine
    #[arg(value_name = "ENDPOINT", required = true)]
    on: Vec<BareEndpoint>,
    /// What to do with what comes
    #[arg(long = "as", value_name = "ROLE")]
    role: Role,
    /// The word that ends it [default: quit ends `print` and `ack`; fin ends a dialogue of another role]
    #[arg(long, value_name = "WORD")]
    until: Option<String>,
    /// What `ack` answers [default: Message reçu]
    #[arg(long, value_name = "TEXT")]
    reply: Option<String>,
    /// How messages are shown [default: plain]
    #[arg(long, value_name = "STYLE", conflicts_with_all = ["hex", "json"])]
    style: Option<Style>,
    /// The same as `--style hex`
    #[arg(long, conflicts_with = "json")]
    hex: bool,
    /// The same as `--style json`
    #[arg(long)]
    json: bool,
    /// Speak in turns: who is early waits
    #[arg(long)]
    turns: bool,
    /// How long a caller may be silent [default: 10m]
    #[arg(long, value_name = "TIME")]
    idle_max: Option<Time>,
    /// How long a line may be; what is longer is cut [default: 64KiB]
    #[arg(long, value_name = "SIZE")]
    line_max: Option<Size>,
    /// How many may be notified [default: 1000]
    #[arg(long, value_name = "NUMBER")]
    subscribers_max: Option<usize>,
    /// How long somebody is notified who is not heard of any more [default: 5m]
    #[arg(long, value_name = "TIME")]
    lease: Option<Time>,
    /// Let pages of this site open a WebSocket, e.g. `http://a.example:8080`, or those of any: `*`; may
    /// be given again [default: pages of the very host and port that they call]
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    #[command(flatten)]
    tls: tls::Flags,
}

const EXAMPLES: &str = "\
Examples:
  relais listen 6666 --as print                      shows what comes; `quit` ends it
  relais listen 6666 udp://127.0.0.1:6666 --as echo  the same port by TCP and by UDP
  relais listen tls://127.0.0.1:6667 --as calc
  relais listen ws://127.0.0.1:6668 --as talk --turns
  relais listen 6670 udp://127.0.0.1:6670 --as notify";

impl Flags {
    /// The table that says the same, and its name.
    pub(crate) fn table(self) -> (String, Table) {
        let Self {
            on,
            role,
            until,
            reply,
            style,
            hex,
            json,
            turns,
            idle_max,
            line_max,
            subscribers_max,
            lease,
            origins,
            tls,
        } = self;
        let style = style.or(hex.then_some(Style::Hex)).or(json.then_some(Style::Json));
        let table = Table {
            on,
            role,
            until,
            reply,
            style,
            turns,
            idle_max,
            line_max,
            subscribers_max,
            lease,
            origins,
            tls: tls.table(),
        };
        (NAME.to_owned(), table)
    }
}

/// The flag that says what `key` says in a file.
pub(crate) fn flag_of(key: &KeyPath) -> Option<&'static str> {
    Some(match key.names().get(2..)? {
        ["on"] => "ENDPOINT",
        ["as"] => "--as",
        ["until"] => "--until",
        ["reply"] => "--reply",
        ["style"] => "--style",
        ["turns"] => "--turns",
        ["idle_max"] => "--idle-max",
        ["line_max"] => "--line-max",
        ["subscribers_max"] => "--subscribers-max",
        ["lease"] => "--lease",
        ["origins", ..] => "--origin",
        ["tls", keys @ ..] => tls::flag_of(keys.first().copied()),
        _ => return None,
    })
}
