//! `routes = [{ path, upstream, upstream_host, strip }]`: other upstreams for some paths.

use serde::{Deserialize, Serialize};

use super::upstream::{HostField, Upstream};
use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::{HttpEndpoint, one_or_more},
};

/// One of `routes`, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table, e.g. `{ path = \"/api\", upstream = \"http://127.0.0.1:8082\" }`"
)]
pub(crate) struct Table {
    /// What the path begins with.
    pub(super) path: String,
    /// Who is asked.
    #[serde(deserialize_with = "one_or_more")]
    pub(super) upstream: Vec<HttpEndpoint>,
    /// What `Host` says to them.
    pub(super) upstream_host: Option<HostField>,
    /// Whether they do not see what the path begins with.
    #[serde(default)]
    pub(super) strip: bool,
}

/// Other upstreams for some paths, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// What the path begins with, up to a slash or its end.
    pub path: String,
    /// Who is asked. Never empty.
    pub upstream: Vec<Upstream>,
    /// Whether they do not see what the path begins with.
    pub strip: bool,
}

/// What is wrong with the `path` of a route that comes behind those `before`.
pub(super) fn path_problem(path: &str, before: &[Route]) -> Option<Wrong> {
    let bad = |what: &str, expected: &str| {
        Some(Wrong::expected(format!("{what} {path:?}"), expected.to_owned()))
    };
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"%?#\\".contains(&byte);
    let Some(steps) = path.strip_prefix('/').filter(|_| path.bytes().all(is_plain)) else {
        return bad("bad path", "one that begins with a slash, without `%`, `?` and `#`");
    };
    let steps = steps.strip_suffix('/').unwrap_or(steps);
    if steps.is_empty() {
        return bad("every path begins with", "`upstream` of the proxy for what no route takes");
    }
    if steps.split('/').any(|step| matches!(step, "" | "." | "..")) {
        return bad("bad path", "one without empty steps, `.` and `..`");
    }
    let holds = |other: &&Route| {
        let other = other.path.trim_matches('/');
        steps.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let first = before.iter().find(holds)?;
    let what = format!("{path:?} is never asked for: {:?} before it takes all", first.path);
    Some(Wrong::expected(what, "the longer path first"))
}

/// What a command line says of a route: `/api=http://127.0.0.1:8082`.
pub(super) fn route(text: &str) -> Result<Table, String> {
    let (path, upstream) =
        text.split_once('=').ok_or("expected PATH=UPSTREAM, e.g. /api=http://127.0.0.1:8082")?;
    let upstream = upstream.parse::<HttpEndpoint>().map_err(|error| error.to_string())?;
    let (path, upstream) = (path.to_owned(), vec![upstream]);
    Ok(Table { path, upstream, upstream_host: None, strip: false })
}

/// Each of them, and what is wrong with some.
pub(super) fn plan_all(
    tables: &[Table],
    key: &KeyPath,
    mut upstreams: impl FnMut(&Table, &KeyPath) -> Result<Vec<Upstream>, Vec<Problem>>,
) -> Result<Vec<Route>, Vec<Problem>> {
    let (mut planned, mut problems) = (Vec::new(), Vec::new());
    for (index, table) in tables.iter().enumerate() {
        let at = key.index(index);
        if let Some(wrong) = path_problem(&table.path, &planned) {
            problems.push(at.key("path").wrong(wrong));
        }
        match upstreams(table, &at) {
            Ok(upstream) => {
                planned.push(Route { path: table.path.clone(), upstream, strip: table.strip });
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(planned) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_no_request_would_find_are_told() {
        let before = [Route { path: "/api/".to_owned(), upstream: Vec::new(), strip: false }];
        let check = |path: &str, expect: Option<&str>| {
            let found = path_problem(path, &before).map(|wrong| wrong.what);
            assert_eq!(found.as_deref(), expect, "{path}");
        };
        check("/app", None);
        check("/app/v2/", None);
        check("/apis", None);
        check("app", Some("bad path \"app\""));
        check("", Some("bad path \"\""));
        check("/a b", Some("bad path \"/a b\""));
        check("/a%20b", Some("bad path \"/a%20b\""));
        check("/a?b", Some("bad path \"/a?b\""));
        check("/a/../b", Some("bad path \"/a/../b\""));
        check("//a", Some("bad path \"//a\""));
        check("/", Some("every path begins with \"/\""));
        check("/api", Some("\"/api\" is never asked for: \"/api/\" before it takes all"));
        check("/api/v2", Some("\"/api/v2\" is never asked for: \"/api/\" before it takes all"));
    }
}
