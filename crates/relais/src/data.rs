//! The data folder: what relais keeps for a user between runs.

use std::{
    env, fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Where the local authority and the control sockets are.
#[derive(Clone, Debug)]
pub(crate) struct Data(PathBuf);

/// What the authority's certificate is called in its folder.
pub(crate) const CERTIFICATE: &str = "ca.pem";

impl Data {
    /// The folder that was asked for, or the usual one.
    pub(crate) fn of(asked: Option<PathBuf>) -> anyhow::Result<Self> {
        let absolute =
            |variable| env::var_os(variable).map(PathBuf::from).filter(|p| p.is_absolute());
        let found = asked.or_else(|| {
            let share = absolute("XDG_DATA_HOME")
                .or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
            share.map(|share| share.join("relais"))
        });
        let found = found.context("no data folder: expected HOME, RELAIS_DATA or --data")?;
        Ok(Self(std::path::absolute(found).context("finding the current folder")?))
    }

    /// Where the local authority is.
    pub(crate) fn authority(&self) -> PathBuf {
        self.0.join("authority")
    }

    /// Where the local authority's certificate is, if there is one.
    pub(crate) fn authority_certificate(&self) -> PathBuf {
        self.authority().join(CERTIFICATE)
    }

    /// Where the sockets of running programs are.
    pub(crate) fn sockets(&self) -> PathBuf {
        self.0.join("run")
    }
}

/// Makes `folder` and those above it, where they are missing, for their owner only.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
