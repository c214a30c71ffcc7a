//! `auth = { file, realm }`: who may ask.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use relais_http::auth::{ParseRealmError, Realm, Users, UsersError};
use relais_net::open_regular;
use serde::{Deserialize, Serialize, Serializer};
use tracing::warn;

use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    spelling::Size,
};

/// The table, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ file = \"users.txt\" }`")]
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
    #[serde(serialize_with = "spelled")]
    pub realm: Realm,
}

/// The realm of those who name none.
const REALM: &str = "relais";

impl Auth {
    pub(crate) fn plan(
        Table { file, realm }: Table,
        base: &Base,
        key: &KeyPath,
    ) -> Result<Self, Problem> {
        let realm = realm.as_deref().unwrap_or(REALM).parse();
        let wrong = |error| key.key("realm").wrong(Wrong::from_error(&error));
        Ok(Self {
            file: base.join(&file),
            realm: realm.map_err(|error: ParseRealmError| wrong(error))?,
        })
    }

    /// Reads the users.
    pub(crate) fn read(&self, key: &KeyPath) -> Result<Users, Problem> {
        let key = key.key("file");
        let file = &self.file;
        let reading = |error| key.wrong(Wrong::reading("the auth file", file, &error));
        let text = read_text(file).map_err(reading)?.ok_or_else(|| {
            let what = format!("the auth file {:?} is too large", file.display());
            let most = Size(FILE_BYTES_MAX);
            key.wrong(Wrong::expected(what, format!("{most} or less")))
        })?;
        let users: Users = text.parse().map_err(|error: UsersError| {
            let UsersError { line, wrong } = error;
            let wrong = Wrong::from_message(&wrong.to_string());
            let what = format!("bad auth file {:?}, line {line}: {}", file.display(), wrong.what);
            key.wrong(Wrong { what, ..wrong }.hint("`relais password USER` prints such lines"))
        })?;
        if users.is_empty() {
            warn!("nobody is let in: there is no user in {:?}", file.display());
        }
        Ok(users)
    }
}

/// How much an auth file may have, in bytes: some 150,000 users.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The text of `file`; `None` if there is too much of it. Blocks.
fn read_text(file: &Path) -> io::Result<Option<String>> {
    let mut text = String::new();
    let read = open_regular(file)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    Ok((read as u64 <= FILE_BYTES_MAX).then_some(text))
}

impl std::fmt::Display for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "users of {}, realm {:?}", self.file.display(), self.realm.to_string())
    }
}

fn spelled<S: Serializer>(realm: &Realm, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(realm)
}
