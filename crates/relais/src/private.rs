//! Files that are nobody's but who runs relais, and which of them lie below a root.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

/// Files and folders that no site is to answer with, though they lie below its root. Clones are of the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Private {
    /// As they were said.
    said: Arc<[PathBuf]>,
    /// Their real paths, as far as they were there, in order.
    real: Arc<[PathBuf]>,
}

impl Private {
    /// All that is at `paths`. Asks the disk what is a link.
    pub(crate) fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let said: Arc<[_]> = paths.into_iter().collect();
        let mut all: Vec<_> = said.iter().map(|path| real(path)).collect();
        all.sort();
        all.dedup();
        Self { said, real: all.into() }
    }

    /// Those below `root`.
    pub(crate) fn below(&self, root: &Path) -> Vec<PathBuf> {
        let root = real(root);
        // They stand together: there may be as many as there are roots.
        let first = self.real.partition_point(|path| *path < root);
        self.real[first..].iter().take_while(|path| path.starts_with(&root)).cloned().collect()
    }

    /// The same, and those that are below `root` now, if links were set anew since. Asks the disk.
    pub(crate) fn now_below(&self, root: &Path) -> Vec<PathBuf> {
        let mut all = self.below(root);
        all.extend(Self::of(self.said.iter().cloned()).below(root));
        all.sort();
        all.dedup();
        all
    }
}

/// `path` without links; what is still to be made, by where it will be: folders above it may be missing,
/// too, and a link that leads nowhere yet is made there.
///
/// *Cost*: where nothing is missing, one question to the system; else some for each part of the path.
fn real(path: &Path) -> PathBuf {
    let mut links_left = LINKS_MAX;
    path.canonicalize().unwrap_or_else(|_| real_by_parts(path, &mut links_left))
}

/// As many links as the system follows in a path.
const LINKS_MAX: u8 = 40;

fn real_by_parts(path: &Path, links_left: &mut u8) -> PathBuf {
    let mut real = Path::new(".").canonicalize().unwrap_or_default();
    for part in path.components() {
        if part == Component::ParentDir {
            real.pop();
            continue;
        }
        let here = real.join(part);
        real = match (here.canonicalize(), here.read_link()) {
            (Ok(there), _) => there,
            (Err(_), Ok(to)) if *links_left > 0 => {
                *links_left -= 1;
                real_by_parts(&real.join(to), links_left)
            }
            (Err(_), _) => here,
        };
    }
    real
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn what_is_to_be_made_is_where_it_will_be_by_whatever_links() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().canonicalize().unwrap().join(name);
        fs::create_dir_all(at("site/in")).unwrap();
        fs::write(at("site/file"), "").unwrap();
        symlink("site", at("link")).unwrap();
        symlink("in/new.log", at("site/log")).unwrap();
        symlink("../link/data", at("site/far")).unwrap();
        symlink("b", at("a")).unwrap();
        symlink("a", at("b")).unwrap();
        let check = |path: &str, expect: &str| assert_eq!(real(&at(path)), at(expect), "{path}");
        check("link/file", "site/file");
        check("link/new", "site/new");
        check("link/data/authority/key", "site/data/authority/key");
        check("link/new/../in/../file/x", "site/file/x");
        check("link/./in/../../link/data", "site/data");
        check("link/log", "site/in/new.log");
        check("link/far/new", "site/data/new");
        check("a", "a");
        check("link/in/../../a/x", "a/x");
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(real(Path::new("no/such")), here.join("no/such"));
    }

    #[test]
    fn what_a_link_leads_to_since_is_found_and_what_it_led_to_is_not_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().canonicalize().unwrap().join(name);
        for name in ["releases/1", "releases/2"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        symlink("releases/1", at("current")).unwrap();
        let private = Private::of([at("current/users"), at("elsewhere")]);
        assert_eq!(private.now_below(&at("current")), [at("releases/1/users")]);
        fs::remove_file(at("current")).unwrap();
        symlink("releases/2", at("current")).unwrap();
        assert_eq!(private.now_below(&at("current")), [at("releases/2/users")]);
        let both = ["releases/1/users", "releases/2/users"].map(at);
        assert_eq!(private.now_below(&at("releases")), both);
    }

    #[test]
    fn what_is_to_be_made_below_a_root_by_a_link_is_found_there() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().canonicalize().unwrap().join(name);
        fs::create_dir(at("site")).unwrap();
        symlink("site", at("link")).unwrap();
        let private = Private::of([at("link/data/authority"), at("link/logs/log")]);
        let expect = ["data/authority", "logs/log"].map(|name| at("site").join(name));
        assert_eq!(private.below(&at("site")), expect);
    }
}
