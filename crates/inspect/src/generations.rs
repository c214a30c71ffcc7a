//! A log and its older files.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// So many older files are looked for.
const OLDER_MAX: u32 = 9_999;

/// The file at `path` and the older ones of the same log beside it, the oldest first: `FILE.2`,
/// `FILE.1`, `FILE`.
///
/// A file that is an older one itself has none, and a number that is missing ends the search for
/// more. `path` is among them whether there is such a file or not.
pub fn generations(path: &Path) -> Vec<PathBuf> {
    let mut files = vec![path.to_owned()];
    if !is_older(path) {
        let older = (1..=OLDER_MAX).map(|number| numbered(path, number));
        files.extend(older.take_while(|older| is_file(older)));
    }
    files.reverse();
    files
}

/// Whether the name ends in a number, as those of older files do.
fn is_older(path: &Path) -> bool {
    let number = path.extension().and_then(|extension| extension.to_str());
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_files_come_first_up_to_one_that_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["log", "log.1", "log.2", "log.4", "log.old", "log.jsonl", "log.1.1"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        fs::create_dir(dir.path().join("log.3")).unwrap();
        let check = |name: &str, expect: &[&str]| {
            let expect: Vec<_> = expect.iter().map(|name| dir.path().join(name)).collect();
            assert_eq!(generations(&dir.path().join(name)), expect);
        };
        check("log", &["log.2", "log.1", "log"]);
        check("log.1", &["log.1"]);
        check("log.jsonl", &["log.jsonl"]);
        check("none", &["none"]);
    }
}
