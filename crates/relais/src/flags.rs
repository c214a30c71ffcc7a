//! The command line, word for word.

use std::path::PathBuf;

use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand, ValueHint};

use crate::{cache, cert, chat, flows, get, hub, listen, load, proxy, relay, send, serve};

/// One program for both ends of a socket and everything between
#[derive(Clone, Debug, Parser)]
#[command(
    name = "relais",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = EXAMPLES
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  relais up                    the demo, or what ./relais.toml says
  relais serve files --list    a folder at http://127.0.0.1:8080
  relais proxy 9000 8081       port 9000 before the server at port 8081
  relais send 6666 hello       says hello to port 6666, and shows the answer
  relais get -v example.org    asks a site, and shows how it answers and how long that took
  relais cert trust            make this machine's browsers trust https://localhost

Exit codes: 0 done, 1 failed while running, 2 wrong arguments or configuration, 3 a check said no";

/// What every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Tell more on standard error; twice, everything
    #[arg(short, long, action = ArgAction::Count, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Tell only errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Whether to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(crate) color: ColorChoice,
    /// Where the local authority and the control sockets are; `RELAIS_DATA` says it, too [default:
    /// ~/.local/share/relais]
    // Not by clap's `env`: usages would have it as if it were required.
    #[arg(long, value_name = "DIR", global = true, value_hint = ValueHint::DirPath)]
    pub(crate) data: Option<PathBuf>,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything a file names; without a file, ./relais.toml or the demo
    Up {
        /// The configuration
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Show what a file would run; binds nothing
    Check {
        /// The configuration [default: relais.toml]
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Serve files over HTTP
    Serve(Box<serve::Flags>),
    /// Pass HTTP requests on to other servers
    Proxy(Box<proxy::Flags>),
    /// Pass bytes on as they are: TCP, TLS, UDP, Unix sockets, each side its own
    Relay(Box<relay::Flags>),
    /// Hold a small dialogue with everyone who calls: over TCP, TLS, UDP, Unix sockets, WebSocket
    Listen(Box<listen::Flags>),
    /// Have people and programs talk with each other: accounts, rooms, and all that was said
    Hub(Box<hub::Flags>),
    /// Talk with others at a hub: on a screen, line by line, or one message from a script
    Chat(Box<chat::Flags>),
    /// Say something to a server and show what it answers, or have a dialogue with it
    Send(Box<send::Flags>),
    /// Ask a server of HTTP for something, and show how it answers
    Get(Box<get::Flags>),
    /// Have a running relais read its file again; no connection is dropped
    Reload {
        /// The configuration [default: relais.toml]
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// What a running relais has stored: list it, explain it, purge it, warm it up
    Cache(Box<cache::Flags>),
    /// Search who asked for what through a proxy, in the sniffer's logs
    Flows(Box<flows::Flags>),
    /// Ask with many clients at once, and show how fast the answers come
    Load(Box<load::Flags>),
    /// A local authority, and certificates signed by it
    #[command(subcommand)]
    Cert(cert::Command),
    /// Read a password and print a line for an auth file
    #[command(after_help = "Examples:\n  relais password anna >> users.txt\n  \
                            pass show site | relais password anna")]
    Password {
        /// Who it is for; without it only the hash is printed
        user: Option<String>,
    },
    /// Print completions for a shell
    #[command(after_help = "Example:\n  relais completions bash > \
                            ~/.local/share/bash-completion/completions/relais")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Show the manual page, of a command if one is named, or write those of all to a folder
    Man {
        /// Of which command, e.g. `send`, or `cert trust`
        command: Vec<String>,
        /// Where to write them
        #[arg(
            long,
            value_name = "DIR",
            value_hint = ValueHint::DirPath,
            conflicts_with = "command"
        )]
        dir: Option<PathBuf>,
    },
}

impl Command {
    /// Whether it calls a server on behalf of who types it, and ends with what comes of that.
    pub(crate) fn is_client(&self) -> bool {
        matches!(self, Self::Chat(_) | Self::Get(_) | Self::Send(_))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
