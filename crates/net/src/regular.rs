//! Opening files that somebody named, without waiting for whoever has to do with them.

use std::{
    fs::{File, FileType, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

/// Opens a regular file to be read. Who reads it sets a bound: it may grow meanwhile.
///
/// # Errors
///
/// What the system says; or that it is something else, as a pipe, where a read could wait for ever.
pub fn open_regular(path: &Path) -> io::Result<File> {
    // NONBLOCK: opening a pipe waits for who writes to it.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let text = format!("it is {}: expected a regular file", named(kind));
    Err(io::Error::new(ErrorKind::InvalidInput, text))
}

fn named(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a pipe",
        _ => "a device",
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Read as _};

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    #[test]
    fn a_regular_file_is_opened_and_nothing_else_nor_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "text").unwrap();
        mkfifoat(CWD, at("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        let mut text = String::new();
        open_regular(&at("file")).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
        let check = |path: &Path, found: &str| {
            let error = open_regular(path).unwrap_err().to_string();
            assert_eq!(error, format!("it is {found}: expected a regular file"));
        };
        check(&at("pipe"), "a pipe");
        check(folder.path(), "a folder");
        check(Path::new("/dev/zero"), "a device");
        assert_eq!(open_regular(&at("none")).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
