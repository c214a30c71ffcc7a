//! What there is to do about accounts, rooms, invitations and tokens, word for word.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{Args, Subcommand, ValueHint};

use crate::spelling::Time;

/// What to do about accounts.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum UserTask {
    /// List all accounts
    List {
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
    },
    /// Show an account, and its devices
    Show {
        /// Its name
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make an account, also where nobody may register; the first one administers the hub
    Add {
        /// Its name
        name: String,
        #[command(flatten)]
        password: Password,
    },
    /// Give an account another password; its devices stay logged in
    Password {
        /// Its name
        name: String,
        #[command(flatten)]
        password: Password,
    },
    /// Delete an account: nobody else ever has its name
    Delete {
        /// Its name
        name: String,
        /// Take out all that it said, too
        #[arg(long)]
        messages: bool,
        #[command(flatten)]
        sure: Sure,
    },
    /// Write all that there is of an account as lines of JSON
    Export {
        /// Its name
        name: String,
        /// Where to: a new file [default: standard output]
        // Named apart from `--file`.
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        to: Option<PathBuf>,
    },
    /// Have an account administer the hub
    Admin {
        /// Its name
        name: String,
        /// Have it do so no more
        #[arg(long)]
        off: bool,
    },
}

#[derive(Clone, Debug, Args)]
#[group(skip)]
pub(crate) struct Password {
    /// Read the password from standard input, one line, in place of asking for it twice
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// Whether it is asked once more before what cannot be undone.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub(crate) struct Sure {
    /// Do not ask on a terminal whether it is meant
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// What to do about rooms.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum RoomTask {
    /// List all rooms, private ones, too
    List {
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
    },
    /// Show a room
    Show {
        /// Its name; the # may be left out
        room: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List who is in a room
    Members {
        /// Its name; the # may be left out
        room: String,
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
    },
    /// Delete a room, and all that was said in it
    Delete {
        /// Its name; the # may be left out
        room: String,
        #[command(flatten)]
        sure: Sure,
    },
    /// Have a room keep what is said for so many days
    Retain {
        /// Its name; the # may be left out
        room: String,
        /// How many; `forever`, for good
        #[arg(value_parser = days)]
        days: Days,
    },
    /// Make somebody an owner of a room, and a member, who was none
    Owner {
        /// Its name; the # may be left out
        room: String,
        /// Who
        name: String,
    },
}

/// For how many days; for good without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days(pub(crate) Option<u32>);

fn days(text: &str) -> Result<Days, String> {
    if text == "forever" {
        return Ok(Days(None));
    }
    let days = text.parse().map(|days: NonZeroU32| Days(Some(days.get())));
    days.map_err(|_| format!("bad number of days {text:?}: expected 1 to {MOST}, or `forever`"))
}

fn uses(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| format!("expected a number from 1 to {MOST}"))
}

/// As large a number as there may be.
const MOST: NonZeroU32 = NonZeroU32::MAX;

/// For whom an invitation is.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub(crate) struct Terms {
    /// How many accounts may be made with it
    #[arg(long, value_name = "N", default_value = "1", value_parser = uses)]
    pub(crate) uses: NonZeroU32,
    /// How long it is good for, e.g. 7d [default: for good]
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<Time>,
    /// The room in which who comes by it is from the first
    #[arg(long, value_name = "ROOM")]
    pub(crate) room: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to do about invitations.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum InviteTask {
    /// List invitations
    List {
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
    },
    /// Have nobody come by an invitation any more
    Revoke {
        /// What `list` calls it: i_…
        name: String,
    },
}

/// What to do about tokens, and other devices.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TokenTask {
    /// List the devices of an account
    List {
        /// Its name
        name: String,
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
    },
    /// Log a device out, and end its connections
    Revoke {
        /// What `list` calls it: s_…
        session: String,
        /// Whose it is, should two be called so
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_a_number_or_forever() {
        assert_eq!(days("30"), Ok(Days(Some(30))));
        assert_eq!(days("forever"), Ok(Days(None)));
        for wrong in ["-1", "0", "x"] {
            let expect =
                format!("bad number of days {wrong:?}: expected 1 to {MOST}, or `forever`");
            assert_eq!(days(wrong), Err(expect));
        }
    }

    #[test]
    fn an_invitation_that_nobody_could_use_is_none() {
        assert_eq!(uses("2").map(NonZeroU32::get), Ok(2));
        assert_eq!(uses(&MOST.to_string()), Ok(MOST));
        let more = (u64::from(MOST.get()) + 1).to_string();
        for wrong in ["0", &more] {
            assert_eq!(uses(wrong), Err(format!("expected a number from 1 to {MOST}")));
        }
    }
}
