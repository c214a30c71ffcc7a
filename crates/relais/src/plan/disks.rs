//! Folders of caches that would be one another's.

use std::path::Path;

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    site::{Job, Site},
};

/// Each folder that is another cache's, too, or lies in one, or holds one.
pub(super) fn clashes(sites: &[Site]) -> Vec<Problem> {
    let all: Vec<(KeyPath, &Path)> = sites.iter().filter_map(folder).collect();
    let clash = |(place, (key, folder)): (usize, &(KeyPath, &Path))| {
        let is_shared =
            |other: &&(KeyPath, &Path)| other.1.starts_with(folder) || folder.starts_with(other.1);
        let (other, _) = all[..place].iter().find(is_shared)?;
        let what = format!("{:?} is used by `{other}`, too", folder.display());
        Some(key.wrong(Wrong::expected(what, "a folder for this cache alone")))
    };
    all.iter().enumerate().filter_map(clash).collect()
}

fn folder(site: &Site) -> Option<(KeyPath, &Path)> {
    let Job::Proxy(proxy) = &site.job else { return None };
    let disk = proxy.cache.as_ref()?.disk.as_ref()?;
    Some((site.key().key("cache").key("disk"), &disk.path))
}
