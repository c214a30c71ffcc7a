//! The data folder: what relais keeps for a user between runs.

use std::{
    env, fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Where the local authority and the control sockets are. There may be no such folder: not every
/// command needs one.
#[derive(Clone, Debug)]
pub(crate) struct Data(Option<PathBuf>);

/// There is no data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no data folder: expected HOME, RELAIS_DATA or --data")]
pub(crate) struct NoDataFolder;

/// What the authority's certificate is called in its folder.
pub(crate) const CERTIFICATE: &str = "ca.pem";

impl Data {
    /// The folder that was asked for, or the usual one, if there is one.
    pub(crate) fn of(asked: Option<PathBuf>) -> anyhow::Result<Self> {
        let absolute =
            |variable| env::var_os(variable).map(PathBuf::from).filter(|p| p.is_absolute());
        // What is empty is as if it were not set, as everywhere.
        let named = || env::var_os("RELAIS_DATA").filter(|it| !it.is_empty()).map(PathBuf::from);
        let found = asked.or_else(named).or_else(|| {
            let share = absolute("XDG_DATA_HOME")
                .or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
            share.map(|share| share.join("relais"))
        });
        let found = found.map(std::path::absolute).transpose();
        Ok(Self(found.context("finding the current folder")?))
    }

    /// Where the local authority is.
    pub(crate) fn authority(&self) -> Result<PathBuf, NoDataFolder> {
        self.folder().map(|folder| folder.join("authority"))
    }

    /// Where the local authority's certificate is, if there is one.
    pub(crate) fn authority_certificate(&self) -> Result<PathBuf, NoDataFolder> {
        self.authority().map(|folder| folder.join(CERTIFICATE))
    }

    /// Where the sockets of running programs are.
    pub(crate) fn sockets(&self) -> Result<PathBuf, NoDataFolder> {
        self.folder().map(|folder| folder.join("run"))
    }

    /// Where the tokens are that log in at hubs.
    pub(crate) fn chat(&self) -> Result<PathBuf, NoDataFolder> {
        self.folder().map(|folder| folder.join("chat"))
    }

    /// Where the demo has its list and its logs.
    pub(crate) fn demo(&self) -> Result<PathBuf, NoDataFolder> {
        self.folder().map(|folder| folder.join("demo"))
    }

    fn folder(&self) -> Result<&Path, NoDataFolder> {
        self.0.as_deref().ok_or(NoDataFolder)
    }
}

/// Makes `folder` and those above it, where they are missing, for their owner only.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
