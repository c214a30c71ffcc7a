//! Files over HTTP: a folder, or what is embedded in this program.
//!
//! [`Files`] is a [`Handler`]. The way of a request: `admit` judges method and path; `find` opens
//! what is there (`tree`: `folder`, `embedded`), below the root and nowhere else (`beneath`);
//! `load` knows the file's forms (`variant`), one of which the reader gets by `Accept-Encoding`
//! (`resource`), made first if need be (`packer`); `reply` judges conditions and ranges. Small
//! files and coded ones are kept in memory (`hot`) and answered from there by
//! [`Handler::at_once`], after a look at the file: what is sent is never staler than that look.
//!
//! Not noticed at once: a file written through a mapping, whose times the kernel sets when it
//! pleases; and a folder that was moved away and replaced by a link, which takes
//! [`Limits::renew_after`].

mod beneath;
mod conditional;
mod embedded;
mod find;
mod folder;
mod found;
mod hot;
mod listing;
mod load;
mod looked;
mod media;
mod open;
mod options;
mod pack;
mod packer;
mod ranges;
mod refusal;
mod refused;
mod reply;
mod resource;
mod room;
mod rules;
mod sending;
mod stamp;
#[cfg(test)]
mod tests;
mod tree;
mod variant;
mod withheld;

use std::{collections::BTreeMap, os::fd::OwnedFd, sync::Arc, time::SystemTime};

use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS},
};
use relais_cache::StoredBody;
use relais_net::Fault;
use relais_wire::target::{FilePath, file_path};

pub use self::options::{
    Asset, Compress, Dotfiles, Levels, Limits, Listing, OpenError, Options, Purpose, Root,
};
pub use self::refusal::ERROR_STATUSES;
pub use self::withheld::OwnFiles;
use self::{
    find::{Hit, StandsFor},
    found::{Freshness, Source},
    hot::{Hot, KeyRef},
    listing::Lister,
    packer::Packer,
    ranges::Content,
    refusal::{Hush, Refusal},
    reply::{Asked, options, redirect, reply, with_head},
    resource::{Choice, Offer, Resource},
    room::Room,
    rules::CacheRules,
    tree::Tree,
    variant::{Kept, Variant},
};
use crate::{Answer, Ask, Body, Handler, OpenFiles, Piece, unfold};

/// Serves files. See [`Options`] for what and how.
#[derive(Debug)]
pub struct Files {
    tree: Arc<Tree>,
    index: Vec<String>,
    listing: Listing,
    fallback: Option<String>,
    error_pages: BTreeMap<StatusCode, String>,
    cache_rules: CacheRules,
    dotfiles: Dotfiles,
    compress: Compress,
    /// `None` if we do not code ourselves.
    packer: Option<Packer>,
    hot: Hot,
    places: OpenFiles,
    lister: Lister,
    /// For small files and coded ones that are kept, or on their way.
    room: Room,
    hush: Hush,
    limits: Limits,
    clock: fn() -> SystemTime,
}

impl Handler for Files {
    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        let request = &ask.request;
        let now = (self.clock)();
        let asked = Asked {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            client: ask.caller.peer.client(),
            now,
        };
        match self.admit(&asked) {
            Ok(Admitted::Path(path)) => match self.recall(&asked, &path)? {
                Ok(answer) => Some(answer),
                Err(refusal) => self.refuse_at_once(refusal, &asked),
            },
            Ok(Admitted::Options) => Some(options()),
            Err(refusal) => self.refuse_at_once(refusal, &asked),
        }
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        let (head, _body) = ask.request.into_parts();
        let asked = Asked::of(&head, ask.caller.peer.client(), (self.clock)());
        let answered = match self.admit(&asked) {
            Ok(Admitted::Path(path)) => self.look_up(&asked, &path).await,
            Ok(Admitted::Options) => Ok(options()),
            Err(refusal) => Err(refusal),
        };
        Ok(answered.unwrap_or_else(|refusal| self.refuse(refusal, &asked)))
    }
}

/// What may be done about a request.
#[derive(Debug)]
enum Admitted<'a> {
    /// What the path leads to may be sent.
    Path(FilePath<'a>),
    /// Tell what methods there are.
    Options,
}

impl Files {
    /// Judges what can be judged without asking the file system.
    fn admit<'a>(&self, asked: &Asked<'a>) -> Result<Admitted<'a>, Refusal> {
        match *asked.method {
            Method::GET | Method::HEAD => (),
            Method::OPTIONS => return Ok(Admitted::Options),
            _ => return Err(Refusal::BadMethod),
        }
        let path = file_path(asked.uri.path().as_bytes()).map_err(|_| Refusal::BadPath)?;
        if path.dotted && self.dotfiles == Dotfiles::Hidden {
            return Err(Refusal::Missing);
        }
        Ok(Admitted::Path(path))
    }

    /// Answers with what is in memory, if that is what is on disk.
    fn recall(&self, asked: &Asked<'_>, path: &FilePath<'_>) -> Option<Result<Answer, Refusal>> {
        if self.tree.is_due(asked.now) {
            return None;
        }
        let key = KeyRef { path: &path.path, directory: path.directory };
        let resource = self.hot.find(key)?;
        let Choice::Have(variant) = resource.choose(asked.headers, Offer::All) else { return None };
        let content = match &variant.kept {
            Kept::Memory(body) => Content::Memory(body.clone()),
            Kept::Static(bytes) => Content::Memory(StoredBody::Heap(bytes.clone())),
            Kept::Disk if variant.sidecar.is_none() => {
                Content::File(self.places.hold(asked.client, &resource.lent.upgrade()?)?)
            }
            Kept::Disk => return None,
        };
        let is_kept = self.is_recent(&resource, asked.now)
            && variant.looked.is_fresh(|| self.is_fresh(&resource, variant));
        is_kept.then(|| reply(asked, variant, content, self.limits.ranges_max))
    }

    /// Whether a file, and the one beside it that `variant` is, are still what is kept of them.
    fn is_fresh(&self, resource: &Resource, variant: &Variant) -> bool {
        let fresh = |at, stamp, way| self.tree.freshness(at, stamp, way) == Freshness::Fresh;
        fresh(&resource.at, &resource.stamp, resource.way)
            && variant
                .sidecar
                .as_ref()
                .is_none_or(|beside| fresh(&beside.at, &beside.stamp, beside.way))
    }

    /// Answers with what is on disk.
    async fn look_up(&self, asked: &Asked<'_>, path: &FilePath<'_>) -> Result<Answer, Refusal> {
        self.tree.renew(asked.now)?;
        match self.find(path, asked)? {
            Hit::Folder => Ok(redirect(asked, path)),
            Hit::Open(fd) => self.list(asked, path, fd).await,
            Hit::File { at, source, stands_for } => {
                let mut answer = self.send(asked, &at, source).await?;
                match stands_for {
                    StandsFor::Itself => (),
                    StandsFor::Folder => self.keep_for_folder(&at),
                    StandsFor::Anything => {
                        unfold(&mut answer);
                        answer.headers_mut().append(VARY, HeaderValue::from_static("accept"));
                    }
                }
                Ok(answer)
            }
        }
    }

    /// Answers with the file at `at`, in the form that is most welcome.
    async fn send(
        &self,
        asked: &Asked<'_>,
        at: &[u8],
        mut source: Source,
    ) -> Result<Answer, Refusal> {
        let resource = self.resource(at, &mut source, asked.now)?;
        let variant = self.negotiate(asked, &resource, &mut source).await?;
        let ranges_max = self.limits.ranges_max;
        if let Some(content) = self.content(&variant, &source, asked) {
            return reply(asked, &variant, content, ranges_max);
        }
        // A sidecar that changed: what was known of it is forgotten, and the file itself sent.
        self.hot.forget(KeyRef { path: at, directory: false });
        let content = self.content(&resource.identity, &source, asked);
        reply(asked, &resource.identity, content.ok_or(Refusal::Busy)?, ranges_max)
    }

    /// Answers with what is in a folder.
    async fn list(
        &self,
        asked: &Asked<'_>,
        path: &FilePath<'_>,
        fd: Option<OwnedFd>,
    ) -> Result<Answer, Refusal> {
        let turn = self.lister.turn(asked.client).await?;
        let (tree, path) = (Arc::clone(&self.tree), path.path.to_vec());
        let (headers, most) = (asked.headers.clone(), self.limits.listing_entries_max);
        let query = asked.uri.query().unwrap_or_default().to_owned();
        // All of it there, the turn too: who leaves early stops no work and escapes no count.
        let listed = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let entries = tree.entries(&path, fd, most)?;
            Ok(listing::show(&path, entries, &query, &headers))
        });
        let page = listed.await.map_err(|_panicked| Refusal::Broken)??;
        let mut head = page.head();
        head.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let text = self.lister.keep(asked.client, page.text)?;
        let body = asked.body(Body::of([Piece::Bytes(text)]));
        Ok(with_head(StatusCode::OK, head, body))
    }

    /// Tells that there is no file, in the words of the site if it has any.
    fn refuse(&self, refusal: Refusal, asked: &Asked<'_>) -> Answer {
        self.error_page(refusal, asked).unwrap_or_else(|| refused::refuse(refusal, asked))
    }

    /// The same, if that takes no reading.
    fn refuse_at_once(&self, refusal: Refusal, asked: &Asked<'_>) -> Option<Answer> {
        let is_ours = !self.error_pages.contains_key(&refusal.status());
        is_ours.then(|| refused::refuse(refusal, asked))
    }

    fn error_page(&self, refusal: Refusal, asked: &Asked<'_>) -> Option<Answer> {
        let at = self.error_pages.get(&refusal.status())?.as_bytes();
        let mut source = self.tree.open_file(at, asked.now).ok()?;
        let resource = self.resource(at, &mut source, asked.now).ok()?;
        let content = self.content(&resource.identity, &source, asked)?;
        let mut head = HeaderMap::with_capacity(6);
        head.insert(CONTENT_TYPE, resource.traits.media.value());
        head.insert(CONTENT_LENGTH, HeaderValue::from(resource.identity.len));
        head.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.fallback.is_some() && matches!(refusal, Refusal::Missing) {
            // Who accepts other types may have been sent the fallback.
            head.insert(VARY, HeaderValue::from_static("accept"));
        }
        refused::explain(refusal, &mut head);
        Some(with_head(refusal.status(), head, asked.body(content.whole())))
    }
}
