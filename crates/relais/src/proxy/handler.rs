//! From a planned proxy to what answers its requests.

use std::sync::Arc;

use relais_http::{
    Cached, Counted, Desk, DynHandler, Erase, Looked, OpenFiles, Purgers, Purging, Trust,
    forward::Clients,
    line_log::LineLog,
    proxy::{Ambiguous, Edited, FieldNames, Onward},
    sniff::{SniffLog, Sniffed},
};

use tracing::warn;

use super::{
    Proxy, block,
    cache::Cache,
    edits::Edits,
    lasting::Lasting,
    means::To,
    passing::{Admitting, forwarding, name_of, passing, response_edits, trust_of},
};
use crate::{
    clock,
    complaint::{KeyPath, Problem},
    front, upstream_tls as trust,
};

/// Everything of a proxy that is read from the disk, read.
#[derive(Debug)]
pub(crate) struct Parts {
    proxy: Proxy,
    /// `None` if no upstream speaks TLS.
    trust: Option<trust::Read>,
    block: Option<block::Read>,
    /// Who may purge; `None` for nobody.
    purgers: Option<Purgers>,
    /// The key of the table.
    key: KeyPath,
}

impl Parts {
    /// Reads what `proxy`, which stands at `key`, needs.
    ///
    /// # Errors
    ///
    /// Everything that is not there or cannot be read.
    pub(crate) fn read(proxy: &Proxy, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        if let Some(sniff) = &proxy.sniff {
            problems.extend(sniff.unwritable(&key.key("sniff")));
        }
        if let Some(log) = proxy.block.as_ref().and_then(|block| block.log.as_ref()) {
            problems.extend(log.unwritable(&key.key("block")));
        }
        let block = proxy.block.as_ref().map(|block| block.read(&key.key("block"))).transpose();
        let block = block.map_err(|found| problems.extend(found)).ok().flatten();
        let trust = match &proxy.to {
            To::Upstreams(upstreams) => upstreams.upstream_tls.as_ref(),
            To::Forward(_) => None,
        };
        let trust = trust.map(trust::UpstreamTls::read).transpose();
        let trust = trust.map_err(|problem| problems.push(problem)).ok().flatten();
        if let Some(shortage) = proxy.cache.as_ref().and_then(Cache::shortage) {
            warn!("{}: {shortage}", key.key("cache").key("memory"));
        }
        let disk = proxy.cache.as_ref().and_then(|cache| cache.disk.as_ref());
        problems.extend(disk.and_then(|disk| disk.unusable(&key.key("cache"))));
        let purge = proxy.cache.as_ref().and_then(|cache| cache.purge.as_ref());
        let purgers = purge.map(|purge| purge.read(&key.key("cache").key("purge"))).transpose();
        let purgers = purgers.map_err(|problem| problems.push(problem)).ok().flatten();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { proxy: proxy.clone(), trust, block, purgers, key: key.clone() })
    }

    /// Puts the parts of the proxy that is called `name` together, and `front` before them.
    pub(crate) fn handler(
        self,
        (name, open_files): (&str, OpenFiles),
        front: front::Ready<'_>,
        lasting: &mut Lasting,
    ) -> Result<Arc<dyn DynHandler>, Problem> {
        let Self { mut proxy, trust, block, purgers, key } = self;
        let cache = lasting.cache(name, &proxy, &key.key("cache"))?;
        let trusted = trust_of(&proxy);
        let (_, edits) = response_edits(&proxy);
        let cache =
            cache.map(|cache| Caching { cache, trust: trusted, edits, purgers, open_files });
        let (at_sniff, at_block) = (key.key("sniff"), key.key("block"));
        let sniff =
            proxy.sniff.take().map(|log| lasting.sniffed.open(&log, &at_sniff)).transpose()?;
        let log = proxy.block.take().and_then(|block| block.log);
        let log = log.map(|log| lasting.blocked.open(&log, &at_block)).transpose()?;
        let block =
            block.map(|list| Blocking { name: name_of(&proxy, lasting), list, log, at: at_block });
        match &block {
            Some(Blocking { list, .. }) => {
                lasting.lists.insert(name.to_owned(), Arc::clone(list.list()));
            }
            None => _ = lasting.lists.remove(name),
        }
        let ambiguous = if proxy.underscores { Ambiguous::PassedOn } else { Ambiguous::TakenOff };
        let layers = Layers { front, sniff, clients: None, block, ambiguous, cache };
        let (handler, desk) = match &proxy.to {
            To::Upstreams(upstreams) => {
                let passing = passing(&proxy, upstreams, trust, lasting);
                layers.before(passing)?
            }
            To::Forward(forward) => {
                let clients = Some(Admitting::of(&proxy, forward, lasting));
                Layers { clients, ..layers }.before(forwarding(&proxy, forward, lasting))?
            }
        };
        lasting.desks.extend(desk.map(|desk| (name.to_owned(), desk)));
        Ok(handler)
    }
}

/// What answers for a proxy, and what its cache is looked after by, if it has one.
type Built = (Arc<dyn DynHandler>, Option<Arc<dyn Desk>>);

/// What stands before the handler of a proxy.
struct Layers<'a> {
    front: front::Ready<'a>,
    sniff: Option<SniffLog>,
    clients: Option<Admitting>,
    block: Option<Blocking>,
    /// What becomes of fields that servers may take for others.
    ambiguous: Ambiguous,
    cache: Option<Caching>,
}

struct Caching {
    cache: relais_cache::Cache,
    /// Whose word the handler behind it believes.
    trust: Trust,
    /// What is changed of what the cache answers.
    edits: Edits,
    /// Who may purge; `None` for nobody.
    purgers: Option<Purgers>,
    open_files: OpenFiles,
}

struct Blocking {
    /// What the proxy is called.
    name: String,
    list: block::Read,
    log: Option<LineLog>,
    /// The key of its table.
    at: KeyPath,
}

impl Layers<'_> {
    /// Puts itself before `inner`.
    fn before<H>(self, inner: H) -> Result<Built, Problem>
    where
        H: Onward + Erase,
        Cached<H>: Looked,
        Counted<Cached<H>>: Erase,
    {
        let Self { mut front, sniff, clients, block, ambiguous, cache } = self;
        let (mut handler, desk, purging) = match cache {
            Some(Caching { cache, trust, edits, purgers, open_files }) => {
                let files = (cache.clone(), open_files);
                let cached = Cached::with_files(inner, files, trust.clone(), clock::now);
                let desk = cached.desk();
                let mut handler = Counted::new(cached, cache.clone()).erase();
                if !edits.is_none() {
                    handler = Edited::new(handler, edits.applied()).erase();
                }
                (handler, Some(desk), Some((cache, trust, purgers)))
            }
            None => (inner.erase(), None, None),
        };
        // Before the cache: what is not passed on is no part of what is asked.
        handler = FieldNames::new(handler, ambiguous).erase();
        if let Some(Blocking { name, list, log, at }) = block {
            handler = list.before(handler, log, &at)?.named(&name).erase();
        }
        // Clients of a forward proxy name whom they like.
        let is_forward = clients.is_some();
        // Outside of the cache: what that has is for them, too.
        if let Some(Admitting { clients, name }) = clients {
            handler = Clients::new(handler, clients, &name).erase();
        }
        // Outside of the block list: what that refuses is an exchange, too.
        if let Some(log) = sniff {
            handler = Sniffed::new(handler, log, clock::now).erase();
        }
        handler = front.guard(handler);
        if !is_forward {
            handler = front.name(handler);
        }
        // Outside of the password: both would be in `Authorization`.
        if let Some((cache, trust, purgers)) = purging {
            handler = Purging::new(handler, (cache, trust), purgers, clock::now).erase();
        }
        Ok((front.log(handler)?, desk))
    }
}
