//! Whether an argument that stands alone is a word to look for, or the name of a log.

use std::{fs::File, io::Read as _, path::Path};

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alone {
    /// A word.
    Word,
    /// A log, or what is to be told why it is none.
    Log,
    /// A name as of a log, and no file.
    NoLog,
}

impl Alone {
    /// Looks at `text`, and at the file of that name.
    pub(super) fn of(text: &str) -> Self {
        let path = Path::new(text);
        let is_named = is_named_as_log(text);
        match path.metadata() {
            Err(_) if is_named => Self::NoLog,
            // Pages are looked for where they lie, too: `relais flows index.html`.
            Ok(about) if about.is_file() => match begins_as_log(path) {
                Some(false) if !is_named => Self::Word,
                Some(_) | None => Self::Log,
            },
            Ok(_) if is_named || text == "." || text.contains('/') => Self::Log,
            Ok(_) | Err(_) => Self::Word,
        }
    }
}

/// Whether there is a file at `path` that begins as logs do, or is empty as new ones are.
pub(super) fn is_log(path: &Path) -> bool {
    path.is_file() && begins_as_log(path) == Some(true)
}

/// `None` if it cannot be read.
fn begins_as_log(path: &Path) -> Option<bool> {
    let mut first = Vec::new();
    File::open(path).ok()?.take(1).read_to_end(&mut first).ok()?;
    Some(matches!(first.as_slice(), b"" | b"{"))
}

/// `front.jsonl`, `front.jsonl.2`, `front.log`; `front.jsonll` is a slip.
fn is_named_as_log(text: &str) -> bool {
    let path = Path::new(text);
    let digits = |extension: &str| extension.bytes().all(|byte| byte.is_ascii_digit());
    let extension = |path: &Path| Some(path.extension()?.to_str()?.to_ascii_lowercase());
    let last = match extension(path) {
        Some(age) if digits(&age) => extension(&path.with_extension("")),
        last => last,
    };
    last.is_some_and(|last| last.starts_with("jsonl") || last == "log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_logs_are_told_from_words() {
        for name in ["front.jsonl", "/var/front.jsonl.12", "l.jsonll", "front.log", "a.LOG.1"] {
            assert!(is_named_as_log(name), "{name}");
        }
        for name in ["", "jsonl", "log", "/api/", "index.html", "a.1", "data.json", "a.b/c"] {
            assert!(!is_named_as_log(name), "{name}");
        }
    }
}
