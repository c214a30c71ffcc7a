//! From a planned site to what answers its requests.

use std::{path::Path, sync::Arc};

use relais_http::{
    DynHandler, Handler, OpenFiles,
    access_log::Logged,
    auth::{self, Basic, Realm, Users},
    files::{
        Compress, Dotfiles, Files, Levels, Listing, OpenError, Options, Purpose, Root as FilesRoot,
    },
};

use super::{
    Root, Site,
    site::{BUILT_IN, DEMO},
};
use crate::{
    access_log::Logs,
    clock,
    complaint::{KeyPath, Problem, Wrong},
    demo,
};

/// Everything of a site that is read from the disk, read. Nothing on the disk is changed for it.
#[derive(Debug)]
pub(crate) struct Parts {
    files: Files,
    auth: Option<(Realm, Users)>,
}

impl Parts {
    /// Reads what `site` needs; what it is going to open takes places of `open_files`.
    ///
    /// # Errors
    ///
    /// Everything that is not there or cannot be read.
    pub(crate) fn read(site: &Site, open_files: &OpenFiles) -> Result<Self, Vec<Problem>> {
        let key = site.key();
        let mut problems = Vec::new();
        let files = Files::open(Options { open_files: open_files.clone(), ..options(site) });
        let files = files.map_err(|error| problems.push(files_problem(site, &key, &error)));
        if let Some(log) = &site.access_log {
            problems.extend(log.problem(&key.key("access_log")));
        }
        let auth = site.auth.as_ref().and_then(|auth| {
            let users = auth.read(&key.key("auth"));
            let users = users.map_err(|problem| problems.push(problem)).ok()?;
            Some((auth.realm.clone(), users))
        });
        match files {
            Ok(files) if problems.is_empty() => Ok(Self { files, auth }),
            _ => Err(problems),
        }
    }

    /// Puts the parts of `site` together, opening its log.
    pub(crate) fn handler(
        self,
        site: &Site,
        logs: &mut Logs,
    ) -> Result<Arc<dyn DynHandler>, Problem> {
        let Self { files, auth } = self;
        let Some((realm, users)) = auth else { return logged(files, site, logs) };
        logged(Basic::new(files, &realm, users, &auth::Limits::default()), site, logs)
    }
}

/// The log is outermost, so that it has those, too, who were not let in.
fn logged<H: Handler>(
    inner: H,
    site: &Site,
    logs: &mut Logs,
) -> Result<Arc<dyn DynHandler>, Problem> {
    let Some(planned) = &site.access_log else { return Ok(Arc::new(inner)) };
    let log = logs.open(planned, &site.key().key("access_log"))?;
    Ok(Arc::new(Logged::new(inner, log, clock::now)))
}

fn options(site: &Site) -> Options {
    let root = match &site.root {
        Root::Folder(path) => FilesRoot::Folder(path.clone()),
        Root::Demo => FilesRoot::Embedded(demo::assets()),
    };
    let pages = site.error_pages.iter().map(|page| (page.status, page.file.clone()));
    let rules = site.cache_control.iter().map(|rule| (rule.glob.clone(), rule.value.clone()));
    Options {
        index: site.index.clone(),
        listing: if site.listing { Listing::On } else { Listing::Off },
        fallback: site.fallback.clone(),
        error_pages: pages.collect(),
        cache_control: rules.collect(),
        dotfiles: if site.dotfiles { Dotfiles::Shown } else { Dotfiles::Hidden },
        compress: if site.compress { Compress::On(Levels::default()) } else { Compress::Off },
        ..Options::of(root, clock::now)
    }
}

/// Which key of the site `error` is about.
fn files_problem(site: &Site, key: &KeyPath, error: &OpenError) -> Problem {
    let key = match error {
        OpenError::RootMissing { .. }
        | OpenError::RootNotFolder { .. }
        | OpenError::Root { .. }
        | OpenError::Thread { .. } => key.key("root"),
        OpenError::Index { name } => match site.index.iter().position(|index| index == name) {
            Some(place) if site.index.len() > 1 => key.key("index").index(place),
            _ => key.key("index"),
        },
        OpenError::Glob { glob, .. } => {
            let place = site.cache_control.iter().position(|rule| rule.glob == *glob);
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
