//! Files that are nobody's but who runs relais, and which of them lie below a root.

use std::path::{Path, PathBuf};

/// Files and folders that no site is to answer with, though they lie below its root. Real paths, as far as
/// they are there, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Private(Vec<PathBuf>);

impl Private {
    /// All that is at `paths`. Asks the disk what is a link.
    pub(crate) fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut all: Vec<_> = paths.into_iter().map(|path| real(&path)).collect();
        all.sort();
        all.dedup();
        Self(all)
    }

    /// Those below `root`.
    pub(crate) fn below(&self, root: &Path) -> Vec<PathBuf> {
        let root = real(root);
        // They stand together: there may be as many as there are roots.
        let first = self.0.partition_point(|path| *path < root);
        self.0[first..].iter().take_while(|path| path.starts_with(&root)).cloned().collect()
    }
}

/// `path` without links; a file that is still to be made, by where it will be.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize();
        let made = folder.ok().zip(path.file_name()).map(|(folder, name)| folder.join(name));
        made.unwrap_or_else(|| path.to_owned())
    })
}
