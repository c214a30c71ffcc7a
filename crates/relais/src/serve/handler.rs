//! From planned files to what answers requests for them.

use std::path::Path;

use relais_http::{
    OpenFiles,
    files::{
        Compress, Dotfiles, Files as Handler, Levels, Listing, OpenError, Options, OwnFiles,
        Purpose, Root as HandlerRoot,
    },
};

use super::{
    Files, Root,
    files::{BUILT_IN, DEMO},
};
use crate::{
    clock,
    complaint::{KeyPath, Problem, Wrong},
    demo,
    private::Private,
};

/// Looks at the files of the site at `key`; what is going to be opened takes places of `open_files`. What is
/// `private` below the root is answered to nobody.
///
/// # Errors
///
/// What is not there or cannot be read.
pub(crate) fn open(
    files: &Files,
    key: &KeyPath,
    (open_files, private): (&OpenFiles, &Private),
) -> Result<Handler, Problem> {
    let own_files = match &files.root {
        Root::Folder(root) => {
            let (root, private) = (root.clone(), private.clone());
            // All sites together ask once where they are, and not each for itself.
            OwnFiles::asked(private.below(&root), move || private.now_below(&root))
        }
        Root::Demo => OwnFiles::default(),
    };
    let options = Options { open_files: open_files.clone(), own_files, ..options(files) };
    Handler::open(options).map_err(|error| problem(files, key, &error))
}

fn options(files: &Files) -> Options {
    let root = match &files.root {
        Root::Folder(path) => HandlerRoot::Folder(path.clone()),
        Root::Demo => HandlerRoot::Embedded(demo::assets()),
    };
    let pages = files.error_pages.iter().map(|page| (page.status, page.file.clone()));
    let rules = files.cache_control.iter().map(|rule| (rule.glob.clone(), rule.value.clone()));
    Options {
        index: files.index.clone(),
        listing: if files.listing { Listing::On } else { Listing::Off },
        fallback: files.fallback.clone(),
        error_pages: pages.collect(),
        cache_control: rules.collect(),
        dotfiles: if files.dotfiles { Dotfiles::Shown } else { Dotfiles::Hidden },
        compress: if files.compress { Compress::On(Levels::default()) } else { Compress::Off },
        ..Options::of(root, clock::now)
    }
}

/// Which key of the site `error` is about.
fn problem(files: &Files, key: &KeyPath, error: &OpenError) -> Problem {
    let key = match error {
        OpenError::RootMissing { .. }
        | OpenError::RootNotFolder { .. }
        | OpenError::Root { .. }
        | OpenError::Thread { .. } => key.key("root"),
        OpenError::Index { name } => match files.index.iter().position(|index| index == name) {
            Some(place) if files.index.len() > 1 => key.key("index").index(place),
            _ => key.key("index"),
        },
        OpenError::Glob { glob, .. } => {
            let place = files.cache_control.iter().position(|rule| rule.glob == *glob);
            key.key("cache_control").index(place.unwrap_or_default()).key("match")
        }
        OpenError::File { purpose: Purpose::Fallback, .. } => key.key("fallback"),
        OpenError::File { purpose: Purpose::ErrorPage(status), .. } => {
            key.key("error_pages").key(status.as_str())
        }
    };
    let wrong = Wrong::from_error(error);
    key.wrong(match error {
        OpenError::RootMissing { path } => hint_at_root(wrong, path),
        _ => wrong,
    })
}

/// Adds what was likely meant by a root that is not there.
fn hint_at_root(wrong: Wrong, path: &Path) -> Wrong {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with(BUILT_IN) {
        return wrong.near(&name, [DEMO]);
    }
    wrong.at_home(path)
}
