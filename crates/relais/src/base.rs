//! What relative paths are relative to.

use std::path::{Path, PathBuf};

/// The folder that relative paths start from: the one the configuration file is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base(pub PathBuf);

impl Base {
    /// `path` as seen from here.
    pub fn join(&self, path: &Path) -> PathBuf {
        let joined = self.0.join(path);
        match joined.strip_prefix("./") {
            Ok(plain) if !plain.as_os_str().is_empty() => plain.to_owned(),
            _ => joined,
        }
    }
}
