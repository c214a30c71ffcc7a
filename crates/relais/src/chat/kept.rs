//! The tokens that log this machine in again: a file for each account, in a folder for each hub.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use relais_hub::{name::is_same, protocol::Secret};
use relais_net::Endpoint;

use crate::data::make_private;

/// The tokens of one hub.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// Those of the hub at `endpoint`, in the folder of all.
    pub(super) fn of(all: &Path, endpoint: &Endpoint) -> Self {
        Self { folder: all.join(escape(&endpoint.to_string())) }
    }

    /// The token of `user`, if one was kept, however the name is spelled.
    pub(super) fn token(&self, user: &str) -> Option<Secret> {
        let text = Secret(fs::read_to_string(self.file(&self.known(user)?)).ok()?);
        let token = text.0.trim();
        (!token.is_empty()).then(|| Secret(token.to_owned()))
    }

    /// Who has a token here, by name.
    pub(super) fn all(&self) -> Vec<String> {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = files.filter_map(|file| unescape(&file.file_name().into_string().ok()?));
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names
    }

    /// `user` as the hub calls it, if it has a token here.
    pub(super) fn known(&self, user: &str) -> Option<String> {
        self.all().into_iter().find(|name| is_same(name, user))
    }

    /// Who has a token here, if it is one alone.
    pub(super) fn only(&self) -> Option<String> {
        let mut all = self.all();
        all.pop().filter(|_| all.is_empty())
    }

    /// Keeps the token of `user`, for the owner of the folder only.
    ///
    /// # Errors
    ///
    /// The system's.
    pub(super) fn keep(&self, user: &str, token: &str) -> io::Result<()> {
        make_private(&self.folder)?;
        let file = self.file(user);
        // Anew: one that is there may be readable by others.
        self.forget(user);
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(file)?;
        file.write_all(token.as_bytes())
    }

    /// Forgets the token of `user`, however the name is spelled.
    pub(super) fn forget(&self, user: &str) {
        // What is not there is forgotten.
        _ = self.known(user).map(|name| fs::remove_file(self.file(&name)));
    }

    fn file(&self, user: &str) -> PathBuf {
        self.folder.join(escape(user))
    }
}

/// `text` as the name of a file: but for letters and digits of ASCII, bytes are `%` and two digits.
fn escape(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let spell = |byte| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(spell).collect()
}

/// What is escaped so; `None` if nothing is.
fn unescape(name: &str) -> Option<String> {
    let mut pieces = name.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn any_name_is_a_file_and_is_read_back() {
        for name in ["ana", "../x", "élan d'or", "a%b", "", "."] {
            assert_eq!(unescape(&escape(name)).as_deref(), Some(name));
        }
        assert_eq!(escape("tcp://[::1]:6680"), "tcp%3A%2F%2F%5B%3A%3A1%5D%3A6680");
        for bad in ["%", "%4", "%zz", "%é"] {
            assert_eq!(unescape(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn tokens_are_kept_for_their_owner_until_they_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::of(folder.path(), &"tcp://127.0.0.1:6680".parse().unwrap());
        assert_eq!((kept.token("ana"), kept.only()), (None, None));
        kept.keep("ana", "rt_1").unwrap();
        kept.keep("ana", "rt_2").unwrap();
        assert_eq!(kept.token("ana"), Some(Secret("rt_2".into())));
        assert_eq!(kept.only().as_deref(), Some("ana"));
        let mode = fs::metadata(kept.file("ana")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        kept.keep("bob", "rt_3").unwrap();
        assert_eq!((kept.only(), kept.all()), (None, vec!["ana".to_owned(), "bob".to_owned()]));
        kept.forget("ana");
        assert_eq!((kept.token("ana"), kept.only().as_deref()), (None, Some("bob")));
    }

    #[test]
    fn a_name_that_is_spelled_otherwise_is_the_same_as_it_is_for_the_hub() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::of(folder.path(), &"tcp://127.0.0.1:6680".parse().unwrap());
        kept.keep("Zoë", "rt_1").unwrap();
        assert_eq!(kept.known("ZOË").as_deref(), Some("Zoë"));
        assert_eq!(kept.token("zoë"), Some(Secret("rt_1".into())));
        // An account of the name that was made anew may be spelled so.
        kept.keep("zoë", "rt_2").unwrap();
        assert_eq!(
            (kept.all(), kept.token("Zoë")),
            (vec!["zoë".to_owned()], Some(Secret("rt_2".into())))
        );
        kept.forget("ZOË");
        assert_eq!(kept.all(), Vec::<String>::new());
    }
}
