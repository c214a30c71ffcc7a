//! Who is asked: the upstreams, those of some paths, and how one of them is chosen.

use serde::Serialize;

use super::{
    Table,
    group::{Balance, Health},
    routes::{self, Route},
    upstream::{HostField, Speaks, Upstream},
};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    spelling::{Addresses, HttpEndpoint},
    tree::Node,
    upstream_tls::UpstreamTls,
};

/// Who is asked, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Upstreams {
    /// Who is asked for what no route takes. Never empty.
    pub upstream: Vec<Upstream>,
    /// Who is asked for some paths; the first that fits counts.
    pub routes: Vec<Route>,
    /// Which HTTP is spoken with them.
    pub upstream_http: Speaks,
    /// Which of several is asked.
    pub balance: Balance,
    /// How they are asked whether they are well.
    pub health: Option<Health>,
    /// Whom they have to be where they speak TLS; `None` if none does.
    pub upstream_tls: Option<UpstreamTls>,
    /// Whose word counts about the way before.
    pub(crate) trust: Vec<Addresses>,
}

impl Upstreams {
    /// Resolves what the `table` at `key` says of them.
    pub(super) fn plan(table: &Table, base: &Base, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let asked = Asked { said: &table.upstream, host: table.upstream_host.as_ref(), table };
        let upstream = asked.plan(key).map_err(|found| problems.extend(found)).unwrap_or_default();
        let routes = routes::plan_all(&table.routes, &key.key("routes"), |route, key| {
            let host = route.upstream_host.as_ref().or(table.upstream_host.as_ref());
            Asked { said: &route.upstream, host, table }.plan(key)
        });
        let routes = routes.map_err(|found| problems.extend(found)).unwrap_or_default();
        let health = table.health.as_ref().and_then(|health| {
            let health = health.plan(&key.key("health"));
            health.map_err(|found| problems.extend(found)).ok()
        });
        let all = table.routes.iter().flat_map(|route| &route.upstream).chain(&table.upstream);
        let at = key.key("upstream_tls");
        let upstream_tls = if all.into_iter().any(|HttpEndpoint(on)| on.scheme.is_secure()) {
            table.upstream_tls.plan(base, &at).map(Some)
        } else {
            table.upstream_tls.unused(&at, "https").map(|()| None)
        };
        let upstream_tls = upstream_tls.map_err(|found| problems.push(found)).ok().flatten();
        let trust = table.trust.clone();
        if !problems.is_empty() {
            return Err(problems);
        }
        let balance = table.balance.unwrap_or_default();
        let upstream_http = table.upstream_http.unwrap_or_default();
        Ok(Self { upstream, routes, upstream_http, balance, health, upstream_tls, trust })
    }

    /// A step for each route, and one for the rest.
    pub(super) fn steps(&self) -> Vec<Node> {
        let tail = self.tail();
        let routes = self.routes.iter().map(|Route { path, upstream, strip }| {
            let strip = if *strip { ", taken off" } else { "" };
            Node::last(format!("for {path}{strip}: {}", self.described(upstream)))
        });
        let rest = Node::last(format!("upstream: {}{tail}", self.described(&self.upstream)));
        routes.chain([rest]).collect()
    }

    /// Who is asked, in few words.
    pub(super) fn target(&self) -> String {
        let routes =
            self.routes.iter().map(|route| format!("{} ▸ {}", route.path, one_of(&route.upstream)));
        let all: Vec<_> = routes.chain([one_of(&self.upstream)]).collect();
        all.join(", ")
    }

    fn described(&self, upstream: &[Upstream]) -> String {
        let mut text = one_of(upstream);
        if upstream.len() > 1 {
            text += ", ";
            text += &self.balance.to_string();
        }
        text
    }

    /// What holds for all of them.
    fn tail(&self) -> String {
        let http = (self.upstream_http == Speaks::Http2).then(|| ", over HTTP/2".to_owned());
        let health = self.health.as_ref().map(|health| format!(", {health}"));
        let believed = self.upstream_tls.as_ref().map(|tls| tls.believed.to_string());
        http.into_iter().chain(health).chain(believed).collect()
    }
}

fn one_of(upstream: &[Upstream]) -> String {
    upstream.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// `upstream` of a table or of a route, word for word.
struct Asked<'t> {
    said: &'t [HttpEndpoint],
    host: Option<&'t HostField>,
    /// The whole of it.
    table: &'t Table,
}

impl Asked<'_> {
    /// Resolves what stands at `upstream` of `key`.
    fn plan(&self, key: &KeyPath) -> Result<Vec<Upstream>, Vec<Problem>> {
        let at = key.key("upstream");
        if self.said.is_empty() {
            return Err(vec![
                at.wrong(Wrong::expected("`upstream` is empty", "one endpoint or more")),
            ]);
        }
        let (mut planned, mut problems) = (Vec::new(), Vec::new());
        for (index, said) in self.said.iter().enumerate() {
            let at = if self.said.len() == 1 { at.clone() } else { at.index(index) };
            match self.one(said, &planned) {
                Ok(upstream) => planned.push(upstream),
                Err(wrong) => problems.push(at.wrong(wrong)),
            }
        }
        if problems.is_empty() { Ok(planned) } else { Err(problems) }
    }

    fn one(&self, HttpEndpoint(on): &HttpEndpoint, there: &[Upstream]) -> Result<Upstream, Wrong> {
        let upstream = Upstream::plan(on, self.host)?;
        if there.contains(&upstream) {
            return Err(Wrong::expected("the same upstream twice", "it once"));
        }
        if self.table.listen.iter().any(|listen| upstream.is_at(listen)) {
            let what = format!("it would ask itself: {:?}", on.to_string());
            return Err(Wrong::expected(what, "another server than `listen`"));
        }
        Ok(upstream)
    }
}
