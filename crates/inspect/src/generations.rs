//! Logs and their older files.

use std::{
    cmp::Reverse,
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// So many older files may a log have. Greater numbers are dates.
pub const OLDER_MAX: u32 = 10_000;

/// A log: its files, the oldest first, so `FILE.2`, `FILE.1`, `FILE`.
pub type Files = Vec<PathBuf>;

/// The logs that the files `named` are of, each once, in the order in which they are named first.
///
/// A file that is named brings its older ones along, up to a number that is missing. An older one
/// that is named comes alone. Whether what is named is there is not asked.
pub fn logs(named: &[PathBuf]) -> Vec<Files> {
    let mut logs: Vec<(PathBuf, BTreeSet<Reverse<u32>>)> = Vec::new();
    for path in named {
        let (log, number) = older(path).unwrap_or_else(|| (path.clone(), 0));
        let at = logs.iter().position(|(known, _)| *known == log).unwrap_or_else(|| {
            logs.push((log.clone(), BTreeSet::new()));
            logs.len() - 1
        });
        logs[at].1.insert(Reverse(number));
        if number == 0 {
            let older = (1..=OLDER_MAX).take_while(|number| is_file(&numbered(&log, *number)));
            logs[at].1.extend(older.map(Reverse));
        }
    }
    let files = |(log, numbers): (PathBuf, BTreeSet<Reverse<u32>>)| {
        numbers.into_iter().map(|Reverse(number)| numbered(&log, number)).collect()
    };
    logs.into_iter().map(files).collect()
}

/// Which log an older file is of, and its number.
fn older(path: &Path) -> Option<(PathBuf, u32)> {
    let text = path.extension()?.to_str()?;
    let number = text.parse::<u32>().ok().filter(|number| (1..=OLDER_MAX).contains(number))?;
    // Not with zeros before it, which relais does not write.
    (number.to_string() == text).then(|| (path.with_extension(""), number))
}

fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

/// The log itself is number 0.
fn numbered(log: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(log);
    if number > 0 {
        name.push(format!(".{number}"));
    }
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_files_come_first_up_to_one_that_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["log", "log.1", "log.2", "log.4", "log.old", "log.jsonl", "b", "b.1"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        fs::create_dir(dir.path().join("log.3")).unwrap();
        let check = |named: &[&str], expect: &[&[&str]]| {
            let paths = |names: &[&str]| -> Vec<_> {
                names.iter().map(|name| dir.path().join(name)).collect()
            };
            let expect: Vec<_> = expect.iter().map(|names| paths(names)).collect();
            assert_eq!(logs(&paths(named)), expect, "{named:?}");
        };
        check(&[], &[]);
        check(&["log"], &[&["log.2", "log.1", "log"]]);
        check(&["log.1"], &[&["log.1"]]);
        check(&["log.jsonl", "none"], &[&["log.jsonl"], &["none"]]);
        check(&["log.1", "log.2"], &[&["log.2", "log.1"]]);
        check(&["log", "log.1", "log.2", "log.4"], &[&["log.4", "log.2", "log.1", "log"]]);
        check(&["log.1", "b", "log"], &[&["log.2", "log.1", "log"], &["b.1", "b"]]);
        check(&["log.01", "log.20260131"], &[&["log.01"], &["log.20260131"]]);
        check(&["b", "b"], &[&["b.1", "b"]]);
        check(&["b.10000", "b.10001"], &[&["b.10000"], &["b.10001"]]);
        for number in 2..1010 {
            fs::write(dir.path().join(format!("b.{number}")), "").unwrap();
        }
        assert_eq!(logs(&[dir.path().join("b")])[0].len(), 1010);
    }
}
