//! Files that are to be made, and are not: what is told of it to who looks after a hub.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use relais_hub::store::Broken;

use super::answers::{Not, broken};
use crate::{complaint::Wrong, new_file::NotMade};

/// What is wrong with `path`, of which the system says `error`, where a new file was to be made.
pub(super) fn not_made(path: &Path, error: &io::Error) -> Wrong {
    let at = path.display().to_string();
    let wrong = match NotMade::of(path, error) {
        NotMade::Folder => {
            Wrong::expected(format!("{at:?} is a folder"), "a new file, in it or elsewhere")
        }
        NotMade::There => {
            Wrong::expected(format!("there is a file at {at:?} already"), "a new one")
        }
        NotMade::NoFolder => {
            let folder = path.parent().unwrap_or(path).display().to_string();
            Wrong::expected(format!("there is no folder {folder:?}"), "one that there is")
        }
        NotMade::Otherwise(why) => {
            Wrong { what: format!("cannot make {at:?}: {why}"), expected: None, hint: None }
        }
    };
    wrong.at_home(path)
}

/// Why there is no copy of a store at `to`, which the hub makes itself.
pub(super) fn not_copied(to: &Path, error: &Broken) -> Not {
    match error {
        Broken::Io { source, .. } => {
            let by_whom = "the hub writes it, as the user that runs it";
            let is_said = matches!(source.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound);
            let wrong = not_made(to, source);
            let wrong = if is_said { wrong } else { wrong.hint(by_whom) };
            Not { wrong, exit: if is_said { 2 } else { 1 } }
        }
        Broken::Full { .. } => {
            let what = format!("no space is left for a copy at {:?}", to.display().to_string());
            let wrong = Wrong::expected(what, "as much as the store takes, on that disk");
            Not { wrong, exit: 1 }
        }
        error => broken(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &Path, kind: ErrorKind, expect: &str) {
        let Wrong { what, expected, .. } = not_made(path, &kind.into());
        let found = [what, expected.unwrap_or_default()].join(", ");
        assert!(found.contains(expect), "{found}");
    }

    #[test]
    fn what_keeps_a_file_from_being_made_is_told_in_plain_words() {
        let folder = tempfile::tempdir().unwrap();
        check(
            folder.path(),
            ErrorKind::AlreadyExists,
            "is a folder, a new file, in it or elsewhere",
        );
        let path = folder.path().join("x");
        check(&path, ErrorKind::AlreadyExists, "already, a new one");
        check(&path, ErrorKind::NotFound, "there is no folder");
        check(&path, ErrorKind::PermissionDenied, "permission denied");
        assert!(not_made(Path::new("~/x"), &ErrorKind::NotFound.into()).hint.is_some());
    }

    #[test]
    fn a_copy_that_is_not_made_says_who_would_write_it() {
        let io = |kind: ErrorKind| {
            let (doing, path) = ("making", "x".into());
            not_copied(Path::new("/b/x"), &Broken::Io { doing, path, source: kind.into() })
        };
        assert_eq!(io(ErrorKind::AlreadyExists).exit, 2);
        let Not { wrong, exit } = io(ErrorKind::PermissionDenied);
        assert_eq!((exit, wrong.hint.is_some()), (1, true));
        let real = io::Error::from_raw_os_error(17);
        let found = not_made(Path::new("/b/x"), &real).what;
        assert!(!found.contains("os error"), "{found}");
    }
}
