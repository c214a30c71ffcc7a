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

/// The text of `file`; `None` if there is too much of it, whatever that is. Blocks.
fn read_text(file: &Path) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let read = open_regular(file)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if read as u64 > FILE_BYTES_MAX {
        return Ok(None);
    }
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not text: expected UTF-8");
    String::from_utf8(bytes).map(Some).map_err(no_text)
}

impl std::fmt::Display for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "users of {}, realm {:?}", self.file.display(), self.realm.to_string())
    }
}

fn spelled<S: Serializer>(realm: &Realm, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(realm)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_too_large_is_told_as_such_wherever_it_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        let max = usize::try_from(FILE_BYTES_MAX).unwrap();
        let check = |text: &[u8]| {
            fs::write(&file, text).unwrap();
            read_text(&file).map(|text| text.map(|text| text.len())).map_err(|error| error.kind())
        };
        let of_two_bytes = "é".repeat(max / 2 + 1);
        assert_eq!(check(&of_two_bytes.as_bytes()[..max]), Ok(Some(max)));
        // The last byte that is read is the first of two.
        assert_eq!(check(of_two_bytes.as_bytes()), Ok(None));
        assert_eq!(check(&vec![0xff; max + 1]), Ok(None));
        assert_eq!(check(b"\xff"), Err(io::ErrorKind::InvalidData));
    }
}
