//! `auth = { file, realm }`: who may ask.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::Base;

/// The table, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// One `user:hash` a line, as `relais password` prints it.
    pub file: PathBuf,
    /// What the password is for, as shown to the one who is asked for it.
    pub realm: Option<String>,
}

/// Who may ask, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Auth {
    /// The users and the hashes of their passwords.
    pub file: PathBuf,
    /// What the password is for.
    pub realm: String,
}

/// The realm of those who name none.
const REALM: &str = "relais";

impl Auth {
    pub(crate) fn plan(Table { file, realm }: Table, base: &Base) -> Self {
        Self { file: base.join(&file), realm: realm.unwrap_or_else(|| REALM.to_owned()) }
    }
}

impl std::fmt::Display for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "users of {}, realm {:?}", self.file.display(), self.realm)
    }
}
