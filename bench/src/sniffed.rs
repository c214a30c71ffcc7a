//! What a sniffer's log has of a measurement.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use memchr::memchr_iter;

/// How far a log is: the time of its last line, as it stands there. Times of one length and one
/// zone follow each other like texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(Vec<u8>);

/// How far the log at `path` is. There may be none yet.
pub(crate) fn mark(path: &Path) -> Result<Mark> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Mark::default()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let last = lines(&bytes).filter_map(time).last();
    Ok(Mark(last.unwrap_or_default().to_vec()))
}

/// How many exchanges the log at `path` has after `mark`, in the older files beside it, too.
pub(crate) fn count_after(path: &Path, mark: &Mark) -> Result<u64> {
    let mut count = 0;
    for generation in 0_u32.. {
        let file = generation_of(path, generation);
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound && generation > 0 => break,
            Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
        };
        let newer = lines(&bytes).filter_map(time).filter(|&time| time > &mark.0[..]);
        let newer = u64::try_from(newer.count())?;
        count += newer;
        // The first may have been begun just now.
        if newer == 0 && generation > 0 {
            break;
        }
    }
    Ok(count)
}

/// `FILE`, then `FILE.1`, which is older.
fn generation_of(path: &Path, generation: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    if generation > 0 {
        name.push(format!(".{generation}"));
    }
    name.into()
}

/// The whole lines.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begin = 0;
    memchr_iter(b'\n', bytes).map(move |end| {
        let line = &bytes[begin..end];
        begin = end + 1;
        line
    })
}

/// The time of an exchange; none of a line that says how many are missing.
fn time(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"{\"time\":\"")?;
    rest.get(..rest.iter().position(|&byte| byte == b'"')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_after_the_mark_count_wherever_they_went() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert_eq!(mark(&path).unwrap(), Mark::default());
        fs::write(&path, log(&["01", "02"])).unwrap();
        let marked = mark(&path).unwrap();
        assert_eq!(count_after(&path, &marked).unwrap(), 0);
        fs::write(&path, log(&["01", "02", "03"])).unwrap();
        fs::rename(&path, folder.path().join("log.1")).unwrap();
        let dropped = "{\"dropped\":12,\"time\":\"2026-01-31T13:55:05Z\"}\n";
        fs::write(&path, log(&["04", "05"]) + dropped).unwrap();
        assert_eq!(count_after(&path, &marked).unwrap(), 3);
        assert_eq!(count_after(&path, &Mark::default()).unwrap(), 5);
    }

    fn log(seconds: &[&str]) -> String {
        let line = |second| format!("{{\"time\":\"2026-01-31T13:55:{second}.000000Z\",\"x\":1}}\n");
        seconds.iter().map(line).collect()
    }
}
