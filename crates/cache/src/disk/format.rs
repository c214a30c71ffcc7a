//! `format`: which version a folder has, and its secret.
//!
//! *Shape*: three lines: the version, the secret in hexadecimal digits, and a sum of the first.

use std::{
    fmt::Write as _,
    fs,
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use super::{
    secret::{SECRET_BYTES, Secret},
    segment::{create_private, sync_folder},
};

/// What the first line says. The number goes up with each change that an older program would misread.
pub(super) const FORMAT: &str = "relais disk cache 1";

/// What a folder's file says.
#[derive(Debug)]
pub(super) enum Format {
    /// There is none.
    Missing,
    /// It cannot be read as one.
    Broken,
    /// Another version's.
    Other(String),
    Ours(Secret),
}

/// Reads that of a folder.
///
/// # Errors
///
/// What the system says.
pub(super) fn read(folder: &Path) -> io::Result<Format> {
    let text = match fs::read(path(folder)) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Format::Missing),
        Err(error) => return Err(error),
    };
    Ok(match parse(&text) {
        None => Format::Broken,
        Some((FORMAT, secret)) => Format::Ours(secret),
        Some((found, _)) => Format::Other(found.to_owned()),
    })
}

/// Writes it.
///
/// # Errors
///
/// What the system says.
pub(super) fn write(folder: &Path, secret: &Secret) -> io::Result<()> {
    replace(&path(folder), print(FORMAT, secret).as_bytes())
}

/// Where it is.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("format")
}

fn print(format: &str, secret: &Secret) -> String {
    let mut text = format!("{format}\n");
    for byte in secret.bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    let _ = writeln!(text, "\n{:016x}", secret.sum(format.as_bytes()));
    text
}

fn parse(text: &str) -> Option<(&str, Secret)> {
    let mut lines = text.lines();
    let (found, secret, sum) = (lines.next()?, lines.next()?, lines.next()?);
    let secret = unhex(secret).map(Secret::of)?;
    (sum == format!("{:016x}", secret.sum(found.as_bytes()))).then_some((found, secret))
}

fn unhex(text: &str) -> Option<[u8; SECRET_BYTES]> {
    if text.len() != SECRET_BYTES * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; SECRET_BYTES];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

/// Writes `bytes` so that whoever reads the file at `path` finds all of them, or what was there.
///
/// # Errors
///
/// What the system says; then the file is as it was.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let written = create_private(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| fs::rename(&part, path));
    if let Err(error) = replaced {
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_again_and_nothing_else() {
        let secret = Secret::random();
        let text = print("relais disk cache 2", &secret);
        let (found, read) = parse(&text).unwrap();
        assert_eq!((found, read.bytes()), ("relais disk cache 2", secret.bytes()));
        for at in 0..text.trim_end().len() {
            assert!(parse(&text[..at]).is_none(), "cut at {at}");
            // The half of the secret that keys are hashed with is in no sum: with another, nothing is
            // found.
            if (20..52).contains(&at) {
                continue;
            }
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let is_read = String::from_utf8(bytes).is_ok_and(|text| parse(&text).is_some());
            assert!(!is_read, "changed at {at}");
        }
    }
}
