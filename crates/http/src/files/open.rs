//! Making [`Files`] of [`Options`]: whatever is wrong with them is told before the first request.

use std::{sync::Arc, time::Duration};

use super::{
    Files,
    embedded::Embedded,
    folder::Folder,
    hot::Hot,
    listing::Lister,
    options::{Compress, Dotfiles, Limits, OpenError, Options, Purpose, Root},
    packer::{Crew, Packer},
    refusal::Hush,
    room::Room,
    rules::CacheRules,
    tree::Tree,
    withheld::OwnFiles,
};

impl Files {
    /// Opens the root and prepares to serve what is in it.
    ///
    /// *Cost*: blocks while the file system is asked; starts the threads that compress.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: whatever of `options` cannot be had.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let Options {
            root,
            index,
            listing,
            fallback,
            error_pages,
            cache_control,
            dotfiles,
            own_files,
            compress,
            limits,
            open_files,
            clock,
        } = options;
        if let Some(name) = index.iter().find(|name| name.is_empty() || name.contains('/')) {
            return Err(OpenError::Index { name: name.clone() });
        }
        let error_pages = error_pages.into_iter().map(|(status, path)| (status, below_root(&path)));
        let room = Room::of(limits.hot_bytes_max.saturating_mul(2));
        let files = Self {
            tree: Arc::new(open_tree((root, dotfiles, own_files), limits.renew_after)?),
            index,
            listing,
            fallback: fallback.as_deref().map(below_root),
            error_pages: error_pages.collect(),
            cache_rules: CacheRules::of(&cache_control)?,
            dotfiles,
            compress,
            packer: start_packer(compress, &limits, room.clone())?,
            hot: Hot::of(limits.hot_bytes_max / 4 * 3),
            places: open_files,
            lister: Lister::new(&limits),
            room,
            hush: Hush::default(),
            limits,
            clock,
        };
        files.check_pages()?;
        Ok(files)
    }

    /// Finds the files that are not asked for by callers.
    fn check_pages(&self) -> Result<(), OpenError> {
        let pages = self.error_pages.iter();
        let pages = pages.map(|(status, path)| (path, Purpose::ErrorPage(*status)));
        let fallback = self.fallback.iter().map(|path| (path, Purpose::Fallback));
        for (path, purpose) in pages.chain(fallback) {
            if self.tree.open_file(path.as_bytes(), (self.clock)()).is_err() {
                return Err(OpenError::File { path: path.clone(), purpose });
            }
        }
        Ok(())
    }
}

fn open_tree(
    (root, dotfiles, own_files): (Root, Dotfiles, OwnFiles),
    look_every: Duration,
) -> Result<Tree, OpenError> {
    Ok(match root {
        Root::Folder(path) => {
            Tree::Folder(Folder::open_root(path, dotfiles, look_every)?.without(own_files))
        }
        Root::Embedded(assets) => Tree::Embedded(Embedded::of(assets)),
    })
}

fn start_packer(
    compress: Compress,
    limits: &Limits,
    room: Room,
) -> Result<Option<Packer>, OpenError> {
    let Compress::On(levels) = compress else { return Ok(None) };
    let Limits { compress_threads: threads, compress_waiting_max: waiting_max, .. } = *limits;
    let bytes_max = limits.hot_bytes_max / 4;
    Packer::start(Crew { threads, waiting_max, bytes_max, levels }, room).map(Some)
}

fn below_root(path: &str) -> String {
    path.trim_start_matches('/').to_owned()
}
