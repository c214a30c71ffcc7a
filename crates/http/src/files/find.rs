//! Which file answers for a path: the one that is there, an index, or the fallback.

use std::os::fd::OwnedFd;

use http::header::ACCEPT;
use relais_wire::{
    accept::{media_quality, prefers_json},
    target::FilePath,
};

use super::{
    Files,
    found::{Found, Source},
    media,
    options::Listing,
    refusal::Refusal,
    reply::Asked,
};
use crate::joined::joined;

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Hit {
    File {
        /// Below the root.
        at: Vec<u8>,
        source: Source,
        stands_for: StandsFor,
    },
    /// A folder, asked for like a file.
    Folder,
    /// A folder without an index.
    Open(Option<OwnedFd>),
}

/// What a file is the answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StandsFor {
    Itself,
    /// The folder it is in.
    Folder,
    /// Any path where nothing is.
    Anything,
}

impl Files {
    /// Opens what `path` leads to.
    pub(super) fn find(&self, path: &FilePath<'_>, asked: &Asked<'_>) -> Result<Hit, Refusal> {
        if path.directory {
            return self.find_in_folder(path, asked);
        }
        match self.tree.open(&path.path, asked.now) {
            Ok(Found::File(source)) => {
                let at = path.path.to_vec();
                Ok(Hit::File { at, source, stands_for: StandsFor::Itself })
            }
            Ok(Found::Directory(_)) => Ok(Hit::Folder),
            Err(Refusal::Missing) => self.fall_back(path, asked),
            Err(refusal) => Err(refusal),
        }
    }

    /// Finds the index of a folder, which then need not be readable itself.
    fn find_in_folder(&self, path: &FilePath<'_>, asked: &Asked<'_>) -> Result<Hit, Refusal> {
        for (nth, index) in self.index.iter().enumerate() {
            let index = index.as_bytes();
            let at = match &*path.path {
                b"" => index.to_vec(),
                folder => [folder, b"/", index].concat(),
            };
            match self.tree.open_file(&at, asked.now) {
                Ok(source) => {
                    // Kept for the folder's path only if no other index could come before it.
                    let stands_for = if nth == 0 { StandsFor::Folder } else { StandsFor::Itself };
                    return Ok(Hit::File { at, source, stands_for });
                }
                Err(Refusal::Missing) => (),
                Err(refusal) => return Err(refusal),
            }
        }
        match self.tree.open(&path.path, asked.now) {
            Ok(Found::File(_)) => Err(Refusal::Missing),
            Ok(Found::Directory(_)) if self.listing == Listing::Off => Err(Refusal::Unlisted),
            Ok(Found::Directory(fd)) => Ok(Hit::Open(fd)),
            Err(Refusal::Missing) => self.fall_back(path, asked),
            Err(refusal) => Err(refusal),
        }
    }

    /// The page for paths where nothing is, for who may want a page.
    fn fall_back(&self, path: &FilePath<'_>, asked: &Asked<'_>) -> Result<Hit, Refusal> {
        let accept = joined(asked.headers, ACCEPT);
        let accept = accept.as_deref();
        let wants_page = || {
            let is_asked_for =
                media_quality(accept, "text", "html") > media_quality(accept, "text", "plain");
            (media::extension(&path.path).is_none() || is_asked_for) && !prefers_json(accept)
        };
        let at = self.fallback.as_ref().filter(|_| wants_page()).ok_or(Refusal::Missing)?;
        let at = at.as_bytes().to_vec();
        let source = self.tree.open_file(&at, asked.now)?;
        Ok(Hit::File { at, source, stands_for: StandsFor::Anything })
    }
}
