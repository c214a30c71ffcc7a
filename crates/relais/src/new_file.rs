//! Files that are to be made, and are not: why.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use crate::complaint::plain;

/// Why there is no new file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotMade {
    /// A folder has its name.
    Folder,
    /// Something else has its name.
    There,
    /// The folder that it would be in is not there.
    NoFolder,
    /// What the system says.
    Otherwise(String),
}

impl NotMade {
    /// Why none was made at `path`, of which the system says `error`.
    pub(crate) fn of(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::AlreadyExists if path.is_dir() => Self::Folder,
            ErrorKind::AlreadyExists => Self::There,
            ErrorKind::NotFound => Self::NoFolder,
            _ => Self::Otherwise(plain(&error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_file_from_being_made_has_a_kind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let check = |path: &Path, kind: ErrorKind, expect: NotMade| {
            assert_eq!(NotMade::of(path, &kind.into()), expect);
        };
        check(folder.path(), ErrorKind::AlreadyExists, NotMade::Folder);
        check(&path, ErrorKind::AlreadyExists, NotMade::There);
        check(&path, ErrorKind::NotFound, NotMade::NoFolder);
        let denied = NotMade::Otherwise("permission denied".into());
        check(&path, ErrorKind::PermissionDenied, denied);
    }
}
