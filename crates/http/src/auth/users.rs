//! Who may come in: a table of users and hashes of their passwords.

use std::{collections::HashMap, fmt, hash::BuildHasher, str::FromStr, sync::Arc};

use sha2::{Digest as _, Sha256};

use super::{
    Slate, User,
    hashed::{Hashed, WrongHash},
};

/// The longest name, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 128;

/// Users and the hashes of their passwords.
///
/// *Shape*: lines of `user:hash`, as `htpasswd -B` and [`hash_password`](super::hash_password) make
/// them. Blank lines and those that begin with `#` are skipped. A hash is as in [`Hashed`].
///
/// ```
/// # use relais_http::auth::{Users, hash_password};
/// let line = format!("ada:{}", hash_password("correct horse"));
/// let users: Users = line.parse()?;
/// assert_eq!(users.len(), 1);
/// # Ok::<(), relais_http::auth::UsersError>(())
/// ```
pub struct Users {
    users: Vec<(Proven, Hashed)>,
    /// Where in `users` a name is.
    places: HashMap<Arc<str>, usize>,
}

/// A user whose password was right, and by which hash: where another stands in its place, that says nothing.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Proven {
    pub(super) user: User,
    /// The SHA-256 of the hash as it is spelled.
    pub(super) mark: [u8; 32],
}

/// Why a text is not a table of [`Users`]. Never says what the hash was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {wrong}")]
pub struct UsersError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub wrong: WrongUser,
}

/// What is wrong with a line of a table of [`Users`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongUser {
    /// Not of two parts.
    #[error("no `:`: expected user:hash")]
    NoColon,
    /// A name that nobody can type, or none.
    #[error(
        "bad user name: expected 1 to {NAME_BYTES_MAX} bytes without `:`, control characters, a \
         leading `#` and outer spaces"
    )]
    BadName,
    /// A name that was there before.
    #[error("the user of line {0} again: expected one line for each")]
    Twice(usize),
    /// A hash that is not taken.
    #[error(transparent)]
    Hash(#[from] WrongHash),
}

impl Users {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there is none, and so nobody may come in.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Whether what was `proven` is so by what they are now.
    pub(super) fn have(&self, proven: &Proven) -> bool {
        let place = self.places.get(&proven.user.0);
        place.is_some_and(|place| self.users[*place].0 == *proven)
    }

    /// The user of that name, if the password is right. Takes as long for a name that is not there.
    ///
    /// Blocks for as long as the hash is made to take: some 20 ms to seconds.
    pub(super) fn verify(&self, name: &str, password: &[u8], slate: &mut Slate) -> Option<Proven> {
        if self.is_empty() {
            return None;
        }
        let place = self.places.get(name).copied();
        let (proven, hashed) = &self.users[place.unwrap_or_else(|| self.stand_in(name))];
        // First the hash, then whether it counts.
        (hashed.fits(password, slate) && place.is_some()).then(|| proven.clone())
    }

    /// Whose hash is computed for a name that is not there.
    ///
    /// Not one dummy for all: where some hashes take longer than others, strangers then spread over
    /// them as users do. The hash has a random key, so nobody outside knows who stands for whom.
    fn stand_in(&self, name: &str) -> usize {
        let spread = self.places.hasher().hash_one(name);
        let users = u64::try_from(self.users.len()).expect("a count of at most 64 bits");
        usize::try_from(spread % users).expect("less than a length")
    }
}

impl FromStr for Users {
    type Err = UsersError;

    fn from_str(text: &str) -> Result<Self, UsersError> {
        let mut users = Self { users: Vec::new(), places: HashMap::new() };
        let mut lines = Vec::new();
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, text) in text.lines().map(str::trim).enumerate() {
            let line = index + 1;
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (proven, hashed) = parse_line(text).map_err(|wrong| UsersError { line, wrong })?;
            let name = &proven.user.0;
            if let Some(&place) = users.places.get(name) {
                return Err(UsersError { line, wrong: WrongUser::Twice(lines[place]) });
            }
            lines.push(line);
            users.places.insert(Arc::clone(name), users.users.len());
            users.users.push((proven, hashed));
        }
        Ok(users)
    }
}

fn parse_line(line: &str) -> Result<(Proven, Hashed), WrongUser> {
    let (name, hash) = line.split_once(':').ok_or(WrongUser::NoColon)?;
    check_name(name)?;
    let (user, mark) = (User(name.into()), Sha256::digest(hash).into());
    Ok((Proven { user, mark }, hash.parse()?))
}

/// Whether a line of [`Users`] may begin with `name`.
///
/// # Errors
///
/// [`WrongUser::BadName`], if the line would not be read, or as another user's.
pub fn check_name(name: &str) -> Result<(), WrongUser> {
    let is_plain = !name.contains(|c: char| c == ':' || c.is_control());
    let is_whole = !name.starts_with('#') && name.trim() == name;
    if is_plain && is_whole && (1..=NAME_BYTES_MAX).contains(&name.len()) {
        Ok(())
    } else {
        Err(WrongUser::BadName)
    }
}

impl fmt::Debug for Proven {
    /// Says who, and nothing of the hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proven").field(&self.user).finish()
    }
}

impl fmt::Debug for Users {
    /// Says how many, and nothing of their hashes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::hashed::tests::{argon2id_of, bcrypt_of};

    #[test]
    fn a_password_opens_to_its_own_user_only() {
        let text = format!(
            "\u{feff}ada:{}\r\n# who may\n\n  bob:{}  \n#bob:x\nзоя:{}",
            argon2id_of("één"),
            bcrypt_of("two"),
            bcrypt_of("three").replace("$2b$", "$2y$"),
        );
        let users: Users = text.parse().unwrap();
        assert_eq!(users.len(), 3);
        let opens = |name, password: &str| {
            users
                .verify(name, password.as_bytes(), &mut Slate::default())
                .map(|proven| proven.user.to_string())
        };
        assert_eq!(opens("ada", "één").as_deref(), Some("ada"));
        assert_eq!(opens("bob", "two").as_deref(), Some("bob"));
        assert_eq!(opens("зоя", "three").as_deref(), Some("зоя"));
        for (name, password) in [("ada", "two"), ("ada", ""), ("bob", "één"), ("eve", "two")] {
            assert_eq!(opens(name, password), None, "{name}");
        }
    }

    #[test]
    fn a_name_that_is_not_there_never_gets_in_with_the_password_of_another() {
        let users: Users = format!("ada:{}", bcrypt_of("pw")).parse().unwrap();
        for stranger in 0..20 {
            assert_eq!(
                users.verify(&format!("stranger{stranger}"), b"pw", &mut Slate::default()),
                None
            );
        }
    }

    #[test]
    fn an_empty_table_lets_nobody_in() {
        let users: Users = "# nobody yet\n".parse().unwrap();
        assert!(users.is_empty());
        assert_eq!(users.verify("ada", b"", &mut Slate::default()), None);
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(text.parse::<Users>().unwrap_err().to_string(), expect);
    }

    #[test]
    fn what_is_no_table_names_the_line_and_what_was_expected() {
        let expected = "expected argon2id ($argon2id$…) or bcrypt ($2y$…)";
        let weak = |kind| format!("line 2: {kind}: {expected}");
        check("\na:$apr1$salt$hash", &weak("an MD5 hash"));
        check("\na:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", &weak("an SHA-1 hash"));
        check("\na:$6$salt$hash", &weak("an SHA-512 crypt hash"));
        check("\na:$argon2i$v=19$m=8,t=1,p=1$x$y", &weak("an argon2i or argon2d hash"));
        for other in ["rl.3StKT.4T8M", "secret", "", "$2x$04$a", "$y$j9T$a"] {
            check(&format!("#\na:{other}"), &weak("neither an argon2id nor a bcrypt hash"));
        }
        check("secret", "line 1: no `:`: expected user:hash");
        let name = "line 1: bad user name: expected 1 to 128 bytes without `:`, control \
                    characters, a leading `#` and outer spaces";
        check(&format!(":{}", bcrypt_of("x")), name);
        check(&format!("a\u{7}:{}", bcrypt_of("x")), name);
        check(&format!("{}:{}", "a".repeat(129), bcrypt_of("x")), name);
        check(&format!("a :{}", bcrypt_of("x")), name);
        let two = format!("\na:{0}\nb:{0}\na:{0}", bcrypt_of("x"));
        check(&two, "line 4: the user of line 2 again: expected one line for each");
    }

    #[test]
    fn a_name_that_checks_is_read_back_and_no_other() {
        for name in ["a", "ada lovelace", "зоя", "a#b", &"a".repeat(128)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
            let users: Users = format!("{name}:{}", bcrypt_of("x")).parse().unwrap();
            assert!(users.verify(name, b"x", &mut Slate::default()).is_some(), "{name}");
        }
        for name in ["", " a", "a\u{a0}", "#a", "a:b", "a\nb", "\u{7f}", &"é".repeat(65)] {
            assert_eq!(check_name(name), Err(WrongUser::BadName), "{name:?}");
        }
    }

    #[test]
    fn neither_debug_nor_errors_show_a_hash() {
        let hash = bcrypt_of("x");
        let users: Users = format!("ada:{hash}").parse().unwrap();
        assert_eq!(format!("{users:?}"), "Users { len: 1, .. }");
        let error = format!("ada:{}", &hash[..50]).parse::<Users>().unwrap_err();
        assert!(!format!("{error:?} {error}").contains(&hash[7..50]));
    }
}
