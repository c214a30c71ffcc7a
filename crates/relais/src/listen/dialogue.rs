//! What `[listen.NAME]` means.

use std::fmt;

use serde::Serialize;

use super::{Role, Table};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem},
};

/// A dialogue, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dialogue {
    /// What it does with what comes.
    #[serde(rename = "as")]
    pub role: Role,
}

impl Dialogue {
    /// Resolves `table`, which stands at `key`.
    #[expect(clippy::unnecessary_wraps, reason = "what is planned may make no sense")]
    pub(crate) fn plan(table: &Table, _base: &Base, _key: &KeyPath) -> Result<Self, Vec<Problem>> {
        // Where it is to be found is for the plan as a whole to say.
        let Table { on: _, role, tls: _ } = table;
        Ok(Self { role: *role })
    }
}

impl fmt::Display for Dialogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.role {
            Role::Echo => f.write_str("echo"),
        }
    }
}
