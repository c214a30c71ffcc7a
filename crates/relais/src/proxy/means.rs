//! What a `[proxy.NAME]` says of passing on: every name resolved, nothing opened.

use std::path::{Path, PathBuf};

use relais_net::Endpoint;
use serde::Serialize;

use super::{
    Table, block::Block, cache::Cache, edits::Edits, forward::Forward, limits::Limits,
    log_file::LogFile, purge::Purge, upstreams::Upstreams,
};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    tree::Node,
    upstream_tls::UpstreamTls,
};

/// Requests passed on, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proxy {
    /// Who is asked.
    #[serde(flatten)]
    pub to: To,
    /// Whether answers are kept for who asks next.
    pub cache: Option<Cache>,
    /// Where each exchange is written down.
    pub sniff: Option<LogFile>,
    /// What must not be asked for.
    pub block: Option<Block>,
    /// Whether fields are passed on whose names servers may take for others.
    pub underscores: bool,
    /// What is changed in requests.
    pub request: Edits,
    /// What is changed in answers.
    pub response: Edits,
    /// How much an upstream may cost us.
    pub limits: Limits,
    /// What we are called in `Via`; `None` for a name that is drawn when we start.
    #[serde(rename = "via")]
    pub name: Option<String>,
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// Whom the client names.
    Forward(Forward),
    /// Whom we name.
    #[serde(untagged)]
    Upstreams(Box<Upstreams>),
}

impl Proxy {
    /// Files that are for nobody to read: the secrets it knows, and what its cache keeps.
    pub(crate) fn private(&self) -> Vec<PathBuf> {
        let key = match &self.to {
            To::Upstreams(upstreams) => {
                upstreams.upstream_tls.as_ref().and_then(UpstreamTls::key_file)
            }
            To::Forward(_) => None,
        };
        let cache = self.cache.as_ref();
        let token = cache.and_then(|cache| cache.purge.as_ref()).map(Purge::token_file);
        let stored = cache.and_then(|cache| cache.disk.as_ref()).map(|disk| disk.path.as_path());
        key.into_iter().chain(token).chain(stored).map(Path::to_owned).collect()
    }

    /// Where those are that we name, for some paths or all.
    pub(crate) fn upstreams(&self) -> impl Iterator<Item = &Endpoint> {
        let upstreams = match &self.to {
            To::Upstreams(upstreams) => Some(upstreams),
            To::Forward(_) => None,
        };
        let all = upstreams
            .into_iter()
            .flat_map(|it| it.routes.iter().flat_map(|route| &route.upstream).chain(&it.upstream));
        all.map(|upstream| &upstream.endpoint)
    }

    /// Resolves what the `table` at `key` says of passing on.
    pub(crate) fn plan(table: &Table, base: &Base, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut told = |found: Vec<Problem>| problems.extend(found);
        let to = To::plan(table, base, key).map_err(&mut told).ok();
        let cache = table.cache.as_option().map(|cache| cache.plan(base, &key.key("cache")));
        let cache = cache.transpose().map_err(&mut told).ok().flatten();
        let sniff = table.sniff.as_ref().map(|sniff| sniff.plan(base, &key.key("sniff")));
        let sniff = sniff.transpose().map_err(&mut told).ok().flatten();
        let block = table.block.as_ref().map(|block| block.plan(base, &key.key("block")));
        let block = block.transpose().map_err(&mut told).ok().flatten();
        let request = table.request.plan(&key.key("request")).map_err(&mut told).ok();
        let response = table.response.plan(&key.key("response")).map_err(&mut told).ok();
        let limits = table.limits.plan(&key.key("limits")).map_err(&mut told).ok();
        told(bad_name(table.name.as_deref(), key).into_iter().collect());
        match (to, request, response, limits) {
            (Some(to), Some(request), Some(response), Some(limits)) if problems.is_empty() => {
                let (underscores, name) = (table.underscores, table.name.clone());
                Ok(Self { to, cache, sniff, block, underscores, request, response, limits, name })
            }
            _ => Err(problems),
        }
    }

    /// Each step of a request behind the one before it.
    pub(crate) fn steps(&self) -> Vec<Node> {
        let Self { to, cache, sniff, block, underscores, request, response, limits: _, name: _ } =
            self;
        let mut steps = match to {
            To::Upstreams(upstreams) => upstreams.steps(),
            To::Forward(forward) => vec![Node::last(format!("forward: {forward}"))],
        };
        let edits = |of: &str, edits: &Edits| (!edits.is_none()).then(|| format!("{of}: {edits}"));
        // From the last to the first.
        let before = [
            edits("response", response),
            edits("request", request),
            cache.as_ref().map(|cache| format!("cache: {cache}")),
            underscores.then(|| "fields: those with underscores, too".to_owned()),
            block.as_ref().map(|block| format!("block: {block}")),
            // Outside: what is blocked is an exchange, too.
            sniff.as_ref().map(|sniff| format!("sniff: {sniff}")),
        ];
        for text in before.into_iter().flatten() {
            steps = vec![Node::before(text, steps)];
        }
        steps
    }

    /// Whether clients name whom to ask.
    pub(crate) fn is_forward(&self) -> bool {
        matches!(self.to, To::Forward(_))
    }

    /// Who is asked, in few words.
    pub(crate) fn target(&self) -> String {
        match &self.to {
            To::Upstreams(upstreams) => upstreams.target(),
            To::Forward(_) => "whom the client names".to_owned(),
        }
    }
}

impl To {
    fn plan(table: &Table, base: &Base, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let Some(forward) = table.forward.as_option() else {
            if table.upstream.is_empty() && table.routes.is_empty() {
                let wrong = Wrong::expected("nobody to ask", "`upstream`, or `forward = true`");
                return Err(vec![key.wrong_key(wrong)]);
            }
            return Upstreams::plan(table, base, key).map(Box::new).map(Self::Upstreams);
        };
        let useless = of_no_use(table).into_iter().filter(|(_, is_said)| *is_said);
        let mut problems: Vec<_> = useless
            .map(|(name, _)| {
                let what = format!("nothing is done with `{name}` beside `forward`");
                key.key(name).wrong_key(Wrong::expected(what, "one of them"))
            })
            .collect();
        if table.auth.is_some() {
            let what = "`auth` is for who asks a site, and no proxy";
            problems.push(key.key("auth").wrong_key(Wrong::expected(what, "`forward.clients`")));
        }
        match forward.plan(&key.key("forward")) {
            Ok(forward) if problems.is_empty() => Ok(Self::Forward(forward)),
            Ok(_) => Err(problems),
            Err(found) => Err(problems.into_iter().chain([found]).collect()),
        }
    }
}

/// What makes no sense where clients name whom to ask, and whether it is said.
fn of_no_use(table: &Table) -> [(&'static str, bool); 9] {
    [
        ("hosts", !table.hosts.is_empty()),
        ("upstream", !table.upstream.is_empty()),
        ("routes", !table.routes.is_empty()),
        ("upstream_host", table.upstream_host.is_some()),
        ("upstream_http", table.upstream_http.is_some()),
        ("upstream_tls", table.upstream_tls != crate::upstream_tls::Table::default()),
        ("balance", table.balance.is_some()),
        ("health", table.health.is_some()),
        ("trust", !table.trust.is_empty()),
    ]
}

/// What is wrong with a name that has to be one word in `Via`, and needs no quotes anywhere.
fn bad_name(name: Option<&str>, key: &KeyPath) -> Option<Problem> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let name = name.filter(|name| name.is_empty() || !name.bytes().all(is_plain))?;
    let expected = "letters, digits and `-` `.` `_`, e.g. \"front-1\"";
    Some(key.key("name").wrong(Wrong::expected(format!("bad name {name:?}"), expected)))
}
