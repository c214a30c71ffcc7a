//! What a `[proxy.NAME]` says of passing on: every name resolved, nothing opened.

use super::limits::Limits;
use serde::Serialize;

use super::{Table, limits, upstream::Upstream};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    spelling::HttpEndpoint,
    tree::Node,
};

/// Requests passed on, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proxy {
    /// Who is asked. Never empty.
    pub upstream: Vec<Upstream>,
    /// How much an upstream may cost us.
    #[serde(serialize_with = "limits::spelled")]
    pub limits: Limits,
    /// What we are called in `Via`; `None` for a name that is drawn when we start.
    #[serde(rename = "via_name")]
    pub name: Option<String>,
}

impl Proxy {
    /// Resolves what the `table` at `key` says of passing on.
    pub(crate) fn plan(table: &Table, _base: &Base, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let upstream = upstreams(table, key, &mut problems);
        let limits = table.limits.plan(&key.key("limits"));
        let limits = limits.map_err(|found| problems.extend(found)).ok();
        let name = table.name.clone();
        if let Some(name) = name.as_deref().filter(|name| !is_plain(name)) {
            let wrong = Wrong::expected(
                format!("bad name {name:?}"),
                "letters, digits and `-` `.` `_`, e.g. \"front-1\"",
            );
            problems.push(key.key("name").wrong(wrong));
        }
        match limits {
            Some(limits) if problems.is_empty() => Ok(Self { upstream, limits, name }),
            _ => Err(problems),
        }
    }

    /// Each step of a request behind the one before it.
    pub(crate) fn steps(&self) -> Node {
        Node::last(format!("upstream: {}", self.target()))
    }

    /// Who is asked, in words.
    pub(crate) fn target(&self) -> String {
        let upstreams: Vec<_> = self.upstream.iter().map(ToString::to_string).collect();
        upstreams.join(" or ")
    }
}

/// Whether a name needs no quotes anywhere, and is one word in `Via`.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !name.is_empty() && name.bytes().all(is_plain)
}

fn upstreams(table: &Table, key: &KeyPath, problems: &mut Vec<Problem>) -> Vec<Upstream> {
    let at = key.key("upstream");
    if table.upstream.is_empty() {
        let wrong = Wrong::expected("`upstream` is empty", "one endpoint or more");
        problems.push(at.wrong(wrong));
    }
    let mut planned: Vec<Upstream> = Vec::new();
    for (index, HttpEndpoint(endpoint)) in table.upstream.iter().enumerate() {
        let at = if table.upstream.len() == 1 { at.clone() } else { at.index(index) };
        match upstream(endpoint, table, &planned) {
            Ok(upstream) => planned.push(upstream),
            Err(wrong) => problems.push(at.wrong(wrong)),
        }
    }
    planned
}

fn upstream(
    endpoint: &relais_net::Endpoint,
    table: &Table,
    there: &[Upstream],
) -> Result<Upstream, Wrong> {
    let upstream = Upstream::plan(endpoint, table.upstream_host.as_ref())?;
    if there.contains(&upstream) {
        return Err(Wrong::expected("the same upstream twice", "it once"));
    }
    if table.listen.iter().any(|listen| upstream.is_at(listen)) {
        let what = format!("it would ask itself: {:?}", endpoint.to_string());
        return Err(Wrong::expected(what, "another server than `listen`"));
    }
    Ok(upstream)
}
