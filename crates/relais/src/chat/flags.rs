//! What `relais chat` takes.

use clap::Args;
use relais_net::Endpoint;

use super::screen::{Alerts, Theme};
use crate::{
    calling,
    spelling::{BareEndpoint, Time},
};

/// What `relais chat` takes.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Flags {
    /// The hub: `tcp://host:port`, `tls://` or `unix:///path`; a bare port is TCP on this machine. The screen
    /// takes several
    #[arg(default_value = "tcp://127.0.0.1:6680", value_name = "ENDPOINT")]
    pub(super) endpoints: Vec<BareEndpoint>,
    /// Who you are [default: who logged in there from here, if it was one; else a terminal is asked]
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Make an account of this name first
    #[arg(long, requires = "user")]
    pub(super) register: bool,
    /// What lets you make one, where only who was invited may
    #[arg(long, value_name = "CODE", requires = "register")]
    pub(super) invitation: Option<String>,
    /// Log in by the certificate of --cert, which your account knows since `/cert NAME`
    #[arg(long, requires = "cert", conflicts_with_all = ["register", "user"])]
    pub(super) by_certificate: bool,
    /// Say TEXT in ROOM, which is come into first, and end once the hub has written it down; ROOM is
    /// a room that there is, or somebody with `@`
    #[arg(long, num_args = 2.., value_names = ["ROOM", "TEXT"], group = "script")]
    pub(super) send: Option<Vec<String>>,
    /// Print what is said in ROOM from now on, which is come into first
    #[arg(long, value_name = "ROOM", group = "script")]
    pub(super) tail: Option<String>,
    /// Make ROOM, where there is none of that name
    #[arg(long, requires = "script")]
    pub(super) create: bool,
    /// Print what is told as frames, a line of JSON each
    #[arg(long, requires = "tail")]
    pub(super) json: bool,
    /// Talk in lines, as for a pipe or a screen reader, not on a screen
    #[arg(long)]
    pub(super) plain: bool,
    /// How the screen looks
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["plain", "send", "tail"])]
    pub(super) theme: Theme,
    /// How the screen tells of what is said to you while you do not look
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["plain", "send", "tail"])]
    pub(super) alerts: Alerts,
    /// Have all go by datagrams that fits them, beside the connection: sealed, and sent again until they
    /// come through
    #[arg(long)]
    pub(super) udp: bool,
    /// Where datagrams go, of one hub [default: the hub's host, at the port that it tells]
    #[arg(long, value_name = "ENDPOINT", requires = "udp")]
    pub(super) udp_at: Option<Endpoint>,
    /// How long connecting may take, and a handshake
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(super) timeout: Time,
    // Last: the arguments after it would stand under its heading.
    #[command(flatten)]
    pub(super) tls: calling::TlsFlags,
}

const EXAMPLES: &str = "\
Examples:
  relais chat                                          at the hub on this machine; F1 tells what can be typed
  relais chat --user bob --register                    an account for somebody else, there
  relais chat tls://hub.example.org:6697 --user ana    a hub elsewhere
  make || relais chat --send lab 'it does not build'   a word from a script
  relais chat --tail lab --json                        what happens there, for programs
  relais chat 6680 tls://hub.example.org:6697          two hubs on one screen
  relais chat --udp                                    by datagrams, once it is logged in

The password is asked for once, or read from RELAIS_PASSWORD; then a token is kept in the data folder,
until /logout. A connection that is lost is made again: nothing is lost, and nothing comes twice.

Exit codes: 0 done, 1 not reached, not let in or refused, 2 wrong arguments";
