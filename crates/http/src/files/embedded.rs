//! A tree of files that are a part of this program.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use super::{
    found::{Entries, Entry, Found, Held, Source, Way},
    options::Asset,
    refusal::Refusal,
};
use crate::Stamp;

#[derive(Debug)]
pub(super) struct Embedded {
    /// By path, without a leading slash.
    assets: BTreeMap<&'static [u8], (usize, Asset)>,
}

impl Embedded {
    pub(super) fn of(assets: &'static [Asset]) -> Self {
        let key = |asset: &Asset| asset.path.trim_start_matches('/').as_bytes();
        let assets = assets.iter().enumerate();
        Self { assets: assets.map(|(at, asset)| (key(asset), (at, *asset))).collect() }
    }

    pub(super) fn open(&self, path: &[u8]) -> Result<Found, Refusal> {
        if let Some((at, asset)) = self.assets.get(path) {
            let held = Held::Static(asset.bytes);
            return Ok(Found::File(Source {
                held,
                stamp: stamp_of(*at, asset),
                way: Way::Straight,
            }));
        }
        let is_directory = path.is_empty() || self.below(path).next().is_some();
        if is_directory { Ok(Found::Directory(None)) } else { Err(Refusal::Missing) }
    }

    pub(super) fn entries(&self, path: &[u8], most: usize) -> Entries {
        let mut list = Vec::new();
        let mut folders = BTreeSet::new();
        for (rest, asset) in self.below(path) {
            match rest.iter().position(|&byte| byte == b'/') {
                Some(slash) => {
                    folders.insert(&rest[..slash]);
                }
                None => list.push(Entry {
                    name: rest.to_vec(),
                    bytes: Some(asset.bytes.len() as u64),
                    modified: modified(asset),
                }),
            }
        }
        let folder = |name: &[u8]| Entry { name: name.to_vec(), bytes: None, modified: None };
        list.extend(folders.into_iter().map(folder));
        list.retain(|entry| !entry.name.starts_with(b"."));
        let is_cut = list.len() > most;
        list.truncate(most);
        Entries { list, is_cut }
    }

    /// The assets below the folder `path`, and their paths from there.
    fn below(&self, path: &[u8]) -> impl Iterator<Item = (&'static [u8], &Asset)> {
        let start = if path.is_empty() { Vec::new() } else { [path, b"/"].concat() };
        let from = (Bound::Included(start.as_slice()), Bound::Unbounded);
        let within = self.assets.range::<[u8], _>(from);
        let within: Vec<_> = within
            .map_while(|(path, (_, asset))| Some((path.strip_prefix(start.as_slice())?, asset)))
            .collect();
        within.into_iter()
    }
}

/// A stamp that no file has, and no other asset.
fn stamp_of(at: usize, asset: &Asset) -> Stamp {
    let modified = modified(asset).unwrap_or_default();
    let len = asset.bytes.len() as u64;
    Stamp { identity: (u64::MAX, at as u64), len, modified, changed: modified }
}

fn modified(asset: &Asset) -> Option<(i64, i64)> {
    asset.modified_secs.and_then(|seconds| i64::try_from(seconds).ok()).map(|seconds| (seconds, 0))
}
