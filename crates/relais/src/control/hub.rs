//! What is asked of the hubs of a relais that runs.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

/// Something that is asked of a hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HubRequest {
    /// Of which; `None` for the only one.
    pub(crate) hub: Option<String>,
    /// What.
    pub(crate) of: OfHub,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum OfHub {
    /// Every account, one after the other.
    Users {},
    /// One account, and its devices.
    User { user: String },
    /// An account is to be made.
    AddUser { user: String, password: Hidden },
    /// One is to have another password.
    Password { user: String, password: Hidden },
    /// One is to be deleted.
    DeleteUser { user: String, said: WhatWasSaid },
    /// One is to administer, or to do so no more.
    Administer { user: String, on: bool },
    /// All that there is of one.
    Export { user: String },
    /// Every room, one after the other.
    Rooms {},
    /// One room.
    Room { room: String },
    /// Who is in it.
    Members { room: String },
    /// It is to be deleted.
    DeleteRoom { room: String },
    /// It is to keep what is said for so many days; for good without.
    Retain { room: String, days: Option<u32> },
    /// Somebody is to own it.
    Own { room: String, user: String },
    /// An invitation is to be made, good for so many seconds; for good without.
    Invite { uses: u32, seconds: Option<u64>, room: Option<String> },
    /// Every invitation.
    Invitations {},
    /// One is to be of no use any more.
    RevokeInvitation { name: String },
    /// A token is to be made, that logs in as somebody.
    Token { user: String, device: String },
    /// The devices of somebody.
    Tokens { user: String },
    /// A device is to be nobody again.
    RevokeToken { session: String, user: Option<String> },
    /// The store is to be copied to a file, whose path is whole.
    Backup { file: PathBuf },
    /// What it counted, and how much it keeps.
    Stats {},
    /// The same, as programs collect it.
    Metrics {},
}

/// What becomes of what a deleted account said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhatWasSaid {
    /// It stays.
    Stays,
    /// It is taken out.
    Goes,
}

/// What is passed on and shown to nobody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(pub(crate) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_passed_on_and_not_shown() {
        let password = Hidden("secret".to_owned());
        let of = OfHub::AddUser { user: "ana".to_owned(), password };
        assert!(!format!("{of:?}").contains("secret"));
        let line = serde_json::to_string(&of).unwrap();
        assert_eq!(line, r#"{"add_user":{"user":"ana","password":"secret"}}"#);
        assert_eq!(serde_json::from_str::<OfHub>(&line).unwrap(), of);
    }
}
