//! `cache = { disk, disk_max }`: a folder in which what is kept outlives the program.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use relais_cache::{
    disk::{Disk, DiskState},
    disk_settings,
};
use serde::Serialize;
use tracing::{error, info};

use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    spelling::Size,
};

/// A folder for what is kept, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DiskFolder {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How many bytes it may have.
    pub(crate) max: Size,
}

/// As much as a small server can spare.
const USUAL_MAX: Size = Size(10 << 30);

/// With less, nothing large would ever be kept.
const MAX_MIN: Size = Size(32 << 20);

impl DiskFolder {
    /// Resolves what is said of it in the table at `key`.
    pub(super) fn plan(
        (path, max): (Option<&Path>, Option<Size>),
        base: &Base,
        key: &KeyPath,
    ) -> Result<Option<Self>, Problem> {
        let Some(path) = path else {
            let unused = |_| {
                let wrong = Wrong::expected("`disk_max` without `disk`", "a folder as `disk`");
                Err(key.key("disk_max").wrong(wrong))
            };
            return max.map_or(Ok(None), unused);
        };
        if path.as_os_str().is_empty() {
            let wrong = Wrong::expected("an empty `disk`", "a folder, e.g. \"var/cache\"");
            return Err(key.key("disk").wrong(wrong));
        }
        let max = max.unwrap_or(USUAL_MAX);
        if max < MAX_MIN {
            let what = format!("`disk_max` is too small: {:?}", max.to_string());
            let wrong = Wrong::expected(what, format!("{MAX_MIN} or more"));
            return Err(key.key("disk_max").wrong(wrong));
        }
        Ok(Some(Self { path: base.join(path), max }))
    }

    /// What keeps it from being opened, as far as that can be told without making it; `key` is that of
    /// the cache's table.
    pub(super) fn unusable(&self, key: &KeyPath) -> Option<Problem> {
        let path = &self.path;
        let is_other = path.exists() && !path.is_dir();
        let what = || format!("{:?} is no folder", path.display());
        let wrong = || Wrong::expected(what(), "a folder of its own, which is made if need be");
        is_other.then(|| key.key("disk").wrong(wrong().at_home(path)))
    }

    /// Opens it. Says so if the disk fails, and when it works again.
    pub(super) fn open(&self, key: &KeyPath) -> Result<Arc<Disk>, Problem> {
        let folder = self.path.display().to_string();
        let on_state = Box::new(move |state: &DiskState| match state {
            DiskState::Degraded { why } => {
                error!(%folder, "the cache's disk fails ({why}): what comes is kept in memory alone");
            }
            DiskState::Ended { why } => error!(%folder, "{why}"),
            DiskState::Working => info!(%folder, "the cache's disk works again"),
        });
        let opened = Disk::open_and_tell(&self.path, disk_settings(self.max.0), on_state);
        opened.map(Arc::new).map_err(|error| {
            let what = Wrong::from_error(&error).what;
            key.key("disk").wrong(Wrong { what, expected: None, hint: None })
        })
    }
}

impl fmt::Display for DiskFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.max, self.path.display())
    }
}
