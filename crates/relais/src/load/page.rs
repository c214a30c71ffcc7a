//! `--html`: where the page goes. Whether it can be written is known before anything is measured.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// A file that is open, and has what it had.
#[derive(Debug)]
pub(super) struct Page {
    path: PathBuf,
    file: File,
}

impl Page {
    /// Opens the file at `path`, or makes an empty one.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = opened.with_context(|| format!("opening {:?}", path.display()))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Has it hold `text` and nothing else.
    pub(super) fn write(mut self, text: &str) -> anyhow::Result<()> {
        // What is no file, a terminal for example, has no length.
        let is_file = self.file.metadata().is_ok_and(|meta| meta.is_file());
        let emptied = if is_file { self.file.set_len(0) } else { Ok(()) };
        let written = emptied.and_then(|()| self.file.write_all(text.as_bytes()));
        written.with_context(|| format!("writing {:?}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_page_has_what_it_had_until_there_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        fs::write(&path, "a longer one of before").unwrap();
        let page = Page::open(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a longer one of before");
        page.write("new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(Page::open(&folder.path().join("none/page.html")).is_err());
        Page::open(Path::new("/dev/null")).unwrap().write("x").unwrap();
    }
}
