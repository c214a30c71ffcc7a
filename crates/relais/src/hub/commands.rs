//! `relais hub user|room|invite|token|backup|stats`, word for word.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::tasks::{InviteTask, RoomTask, Terms, TokenTask, UserTask};
use crate::spelling::Time;

/// What to look after.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Look after accounts: list, add, delete them, export what is theirs
    #[command(after_help = USER_EXAMPLES)]
    User(Users),
    /// Look after rooms: list, delete them, say who owns one and how long it keeps what is said
    Room(Rooms),
    /// Make an invitation, with which people make an account; it is shown once
    #[command(args_conflicts_with_subcommands = true, after_help = INVITE_EXAMPLES)]
    Invite(Invite),
    /// Make a token, with which a program logs in; it is shown once
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Token(Token),
    /// Copy all that a hub keeps to a new file, while it runs
    Backup(Backup),
    /// Tell what a hub does: who is connected, what is said, how long commits take, what is refused
    #[command(after_help = STATS_EXAMPLES)]
    Stats(Stats),
}

const STATS_EXAMPLES: &str = "\
Examples:
  relais hub stats --watch         a line every two seconds
  relais hub stats --prometheus    for a collector of metrics, as OpenMetrics";

const USER_EXAMPLES: &str = "\
Examples:
  relais hub user add ana                 asks for a password; the first account administers the hub
  relais hub user export ana ana.jsonl    all that there is of ana
  relais hub user list --store team.db    of a hub that does not run";

const INVITE_EXAMPLES: &str = "\
Examples:
  relais hub invite --uses 30 --expires 7d --room '#class'
  relais hub invite list";

/// Which hub is meant.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which hub")]
#[group(skip)]
pub(crate) struct Which {
    /// The hub of this name, of several that run
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) hub: Option<String>,
    /// The hub that listens at this port
    #[arg(long, global = true, value_name = "PORT")]
    pub(crate) at: Option<u16>,
    /// The hub that runs what this file says
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with = "at")]
    pub(crate) file: Option<PathBuf>,
    /// No hub that runs, but what one kept in this file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["hub", "at", "file"])]
    pub(crate) store: Option<PathBuf>,
}

/// Something to do, whatever it is about.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    User(UserTask),
    Room(RoomTask),
    Invite(Terms),
    Invitation(InviteTask),
    Token { user: String, device: String, json: bool },
    Tokens(TokenTask),
    Backup { to: PathBuf },
    Stats { form: StatsForm, watch: Option<Time> },
}

/// As what it is told what a hub does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatsForm {
    Words,
    Json,
    OpenMetrics,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Users {
    #[command(subcommand)]
    task: UserTask,
    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Rooms {
    #[command(subcommand)]
    task: RoomTask,
    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Invite {
    #[command(subcommand)]
    task: Option<InviteTask>,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    task: Option<TokenTask>,
    /// As whom it logs in
    #[arg(required = true)]
    name: Option<String>,
    /// What the program is called in lists of devices
    #[arg(long, value_name = "TEXT", default_value = "token")]
    device: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Backup {
    /// Where to: a new file, for its owner alone
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    to: PathBuf,
    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Stats {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print metrics as programs collect them: `OpenMetrics`, which Prometheus reads
    #[arg(long, conflicts_with_all = ["json", "watch", "store"])]
    prometheus: bool,
    /// Go on telling what happens, every TIME
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "2s")]
    #[arg(conflicts_with = "store")]
    watch: Option<Time>,
    #[command(flatten)]
    which: Which,
}

impl Command {
    /// Which hub is meant, and what is to be done.
    pub(crate) fn taken_apart(self) -> (Which, Task) {
        match self {
            Self::User(Users { task, which }) => (which, Task::User(task)),
            Self::Room(Rooms { task, which }) => (which, Task::Room(task)),
            Self::Invite(Invite { task: Some(task), which, .. }) => (which, Task::Invitation(task)),
            Self::Invite(Invite { task: None, terms, which }) => (which, Task::Invite(terms)),
            Self::Token(Token { task: Some(task), which, .. }) => (which, Task::Tokens(task)),
            Self::Token(Token { task: None, name, device, json, which }) => {
                let user = name.unwrap_or_default();
                (which, Task::Token { user, device, json })
            }
            Self::Backup(Backup { to, which }) => (which, Task::Backup { to }),
            Self::Stats(Stats { json, prometheus, watch, which }) => {
                let form = match (json, prometheus) {
                    (_, true) => StatsForm::OpenMetrics,
                    (true, false) => StatsForm::Json,
                    (false, false) => StatsForm::Words,
                };
                (which, Task::Stats { form, watch })
            }
        }
    }
}
