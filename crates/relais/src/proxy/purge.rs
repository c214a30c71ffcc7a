//! `cache.purge = { token_file, from }`: who may take answers out with the method `PURGE`.

use std::{
    fmt,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use clap::{Args, ValueHint};
use relais_http::{Purgers, Token};
use relais_net::open_regular;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::made_of::networks;
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    spelling::{Addresses, one_or_more},
};

/// The table, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table, e.g. `{ token_file = \"purge.token\", from = \"127.0.0.1\" }`"
)]
pub(crate) struct Table {
    /// A file with a secret.
    token_file: PathBuf,
    /// Where who knows it may call from.
    #[serde(deserialize_with = "one_or_more")]
    from: Vec<Addresses>,
}

/// The flags that say the same.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub(crate) struct Flags {
    /// Let who sends the token in FILE take answers out with the method `PURGE`
    #[arg(long, value_name = "FILE", requires = "cache_purge_from")]
    #[arg(value_hint = ValueHint::FilePath)]
    cache_purge_token: Option<PathBuf>,
    /// But only from there, e.g. 127.0.0.1 or 10.0.0.0/8; may be given again
    #[arg(long, value_name = "ADDRESSES", requires = "cache_purge_token")]
    cache_purge_from: Vec<Addresses>,
}

/// Who may purge, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Purge {
    /// A file with a secret.
    token_file: PathBuf,
    /// Where who knows it may call from.
    from: Vec<Addresses>,
}

/// A shorter token may be found by trying.
const TOKEN_LEN_MIN: usize = 16;

/// A longer one is no token, but some other file.
const TOKEN_LEN_MAX: u64 = 1024;

impl Flags {
    /// The table that says the same.
    pub(super) fn table(self) -> Option<Table> {
        let Self { cache_purge_token, cache_purge_from: from } = self;
        cache_purge_token.map(|token_file| Table { token_file, from })
    }
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(&self, base: &Base, key: &KeyPath) -> Result<Purge, Problem> {
        let Self { token_file, from } = self;
        if from.is_empty() {
            let wrong = Wrong::expected("nobody may purge", "addresses, e.g. \"127.0.0.1\"");
            return Err(key.key("from").wrong(wrong));
        }
        Ok(Purge { token_file: base.join(token_file), from: from.clone() })
    }
}

impl Purge {
    /// Where the secret is.
    pub(super) fn token_file(&self) -> &Path {
        &self.token_file
    }

    /// Reads the token of the table at `key`.
    ///
    /// # Errors
    ///
    /// If it is not there, or none. It is not told what was found: it may be a secret.
    pub(super) fn read(&self, key: &KeyPath) -> Result<Purgers, Problem> {
        let (key, file) = (key.key("token_file"), &self.token_file);
        let bytes =
            read(file).map_err(|error| key.wrong(Wrong::reading("the token", file, &error)))?;
        let (found, most) = (bytes.trim_ascii(), TOKEN_LEN_MAX);
        let is_one = |token: &&str| {
            token.len() >= TOKEN_LEN_MIN
                && token.len() as u64 <= most
                && token.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let Some(token) = std::str::from_utf8(found).ok().filter(is_one) else {
            let what = format!("no token in {:?}, which has {} bytes", file.display(), found.len());
            let expected = format!("{TOKEN_LEN_MIN} to {most} letters, digits and signs");
            let wrong = Wrong::expected(what, expected);
            return Err(key.wrong(wrong.hint("`openssl rand -hex 32` prints one")));
        };
        Ok(Purgers { from: networks(&self.from), token: Token::of(token) })
    }
}

/// As much of the file as tells whether it is a token. Warns if others may read it, too.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let opened = open_regular(file)?;
    let mode = opened.metadata()?.permissions().mode() & 0o777;
    opened.take(2 * TOKEN_LEN_MAX).read_to_end(&mut bytes)?;
    if mode & 0o077 != 0 {
        warn!("{:?} holds a token and is open to others: mode {mode:03o}", file.display());
    }
    Ok(bytes)
}

impl fmt::Display for Purge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from: Vec<_> = self.from.iter().map(|from| from.0.to_string()).collect();
        write!(f, "PURGE from {} with the token in {}", from.join(", "), self.token_file.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_some_length_and_is_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let check = |text: &[u8], expect: &str| {
            let file = folder.path().join("token");
            std::fs::write(&file, text).unwrap();
            let from = vec!["127.0.0.1".parse().unwrap()];
            let read = Purge { token_file: file, from }.read(&KeyPath::of(["purge"]));
            let told =
                read.map_or_else(|problem| format!("{problem:?}"), |read| format!("{read:?}"));
            assert!(told.contains(expect), "{told}");
            assert!(!told.contains("secret"), "{told}");
        };
        check(b"secret-of-16-let\n", "token: Token");
        check(b"secret-of-15-le\n", "which has 15 bytes");
        check(b"secret with spaces in it", "which has 24 bytes");
        check("secret-of-sütterlin".as_bytes(), "which has 20 bytes");
        check(b"", "which has 0 bytes");
        check(&[b'x'; 1024], "token: Token");
        check(&[b'x'; 1025], "which has 1025 bytes");
        check(&[b'x'; 9999], "which has 2048 bytes");
        check(&[0xff; 20], "which has 20 bytes");
        // What is read of it ends within a letter.
        check(("e".to_owned() + &"é".repeat(1024)).as_bytes(), "which has 2048 bytes");
    }
}
