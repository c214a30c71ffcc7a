//! Which upstreams a request is for, by its path.

use std::{borrow::Cow, sync::Arc};

use http::{Uri, uri::PathAndQuery};
use relais_wire::target::file_path;

use super::edits::Edits;
use crate::upstream::Group;

/// Where requests go whose path begins so.
#[derive(Clone, Debug)]
pub struct Route {
    /// What the path begins with, up to a slash or its end: `/api` is for `/api`, `/api/` and
    /// `/api/a`, not for `/apis`. `/` is for all.
    pub path: String,
    /// Whether the upstream sees it.
    pub prefix: Prefix,
    /// Who is asked.
    pub group: Arc<Group>,
    /// What is changed in requests.
    pub request: Edits,
    /// What is changed in answers.
    pub response: Edits,
}

/// What becomes of a [`Route::path`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefix {
    /// It is passed on.
    #[default]
    Kept,
    /// It is taken off.
    Stripped,
}

/// Why a request goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// No route is for its path.
    Nowhere,
    /// Its path means one thing as it is written and another once it is resolved, or one thing to who
    /// knows of parameters in it and another to who does not.
    Ambiguous,
}

/// Finds the route for `uri`: the first that its path, decoded and resolved, begins with.
///
/// So it does not matter how a path is spelled: what an upstream would take for `/admin` goes where
/// `/admin` goes. Servers of Java take `/api/..;a/admin` for that: where it is for one route with the
/// [parameters](readings_without_parameters) of its segments and for another without, it is for none.
pub(super) fn route<'r>(routes: &'r [Route], uri: &Uri) -> Result<&'r Route, Lost> {
    if let [only] = routes
        && only.path == "/"
    {
        return Ok(only);
    }
    let found = route_for(routes, uri.path())?;
    for reading in readings_without_parameters(uri.path()).iter().flatten() {
        if !std::ptr::eq(route_for(routes, reading)?, found) {
            return Err(Lost::Ambiguous);
        }
    }
    Ok(found)
}

/// The first route for `path`, with its parameters as parts of its names.
fn route_for<'r>(routes: &'r [Route], path: &str) -> Result<&'r Route, Lost> {
    let path = match path {
        // For the server as a whole.
        "*" => Cow::Borrowed(&b""[..]),
        path => file_path(path.as_bytes()).map_err(|_| Lost::Ambiguous)?.path,
    };
    let fits = |route: &&Route| {
        let prefix = route.path.trim_matches('/').as_bytes();
        match path.strip_prefix(prefix) {
            Some(rest) => prefix.is_empty() || rest.is_empty() || rest.starts_with(b"/"),
            None => false,
        }
    };
    routes.iter().find(fits).ok_or(Lost::Nowhere)
}

/// `path` without what stands behind a `;` in each segment (RFC 3986 §3.3): where that is looked for
/// before it is decoded, and where after. Nothing if it has none.
fn readings_without_parameters(path: &str) -> Option<[String; 2]> {
    let decoded = || path.replace("%3b", ";").replace("%3B", ";");
    let has_some = path.contains(';') || path.contains('%') && decoded().contains(';');
    has_some.then(|| [without_parameters(path), without_parameters(&decoded())])
}

fn without_parameters(path: &str) -> String {
    let names = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    names.collect::<Vec<_>>().join("/")
}

/// The target that the upstream of `route` is asked for, if it is another than `uri`'s.
pub(super) fn target(route: &Route, uri: &Uri) -> Result<Option<PathAndQuery>, Lost> {
    let prefix = route.path.trim_end_matches('/');
    if route.prefix == Prefix::Kept || prefix.is_empty() {
        return Ok(None);
    }
    let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    // Taken off as it is written only: of another spelling nobody knows where it ends.
    let rest = whole.strip_prefix(prefix).ok_or(Lost::Ambiguous)?;
    let target = match rest.as_bytes() {
        [b'/', ..] => rest.parse(),
        [] | [b'?', ..] => format!("/{rest}").parse(),
        _ => return Err(Lost::Ambiguous),
    };
    target.map(Some).map_err(|_| Lost::Ambiguous)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{Balance, Limits, Options, Speaks, Upstream, dialer_for_tests};

    fn routes(paths: &[&str], prefix: Prefix) -> Vec<Route> {
        let endpoint = "http://127.0.0.1:1".parse().unwrap();
        let options = Options {
            endpoint,
            host: None,
            dialer: dialer_for_tests(),
            speaks: Speaks::Http1,
            limits: Limits::default(),
        };
        let upstream = Arc::new(Upstream::new(options));
        let group = Arc::new(Group::new(vec![upstream], Balance::Least).unwrap());
        let route = |path: &&str| Route {
            path: (*path).to_owned(),
            prefix,
            group: Arc::clone(&group),
            request: Edits::default(),
            response: Edits::default(),
        };
        paths.iter().map(route).collect()
    }

    #[test]
    fn the_first_that_fits_is_taken_however_the_path_is_spelled() {
        let routes = routes(&["/api/v2", "/api", "/a b"], Prefix::Kept);
        let check = |uri: &str, expect: Result<&str, Lost>| {
            let uri = uri.parse().unwrap();
            assert_eq!(route(&routes, &uri).map(|route| &*route.path), expect, "{uri}");
        };
        check("/api", Ok("/api"));
        check("/api/?a", Ok("/api"));
        check("/api/v2/x", Ok("/api/v2"));
        check("/api/v1", Ok("/api"));
        check("/apis", Err(Lost::Nowhere));
        check("/", Err(Lost::Nowhere));
        check("//api//v2", Ok("/api/v2"));
        check("/x/../%61pi", Ok("/api"));
        check("/api/../x", Err(Lost::Nowhere));
        check("/a%20b/c", Ok("/a b"));
        check("/api%2fv2", Err(Lost::Ambiguous));
    }

    #[test]
    fn what_is_for_another_route_without_its_parameters_is_for_none() {
        let routes = routes(&["/api/v2", "/api", "/"], Prefix::Kept);
        let check = |uri: &str, expect: Result<&str, Lost>| {
            let uri = uri.parse().unwrap();
            assert_eq!(route(&routes, &uri).map(|route| &*route.path), expect, "{uri}");
        };
        for uri in [
            "/api/..;/admin",
            "/api/..;a=b/admin",
            "/api/%2e%2e;/admin",
            "/api/..%3b/admin",
            "/api/..%3Ba/admin",
            "/..;/api",
            "/;/api",
            "/api;a",
            "/api/v2;a/x",
            "/x/..;/api",
            "/api/v2/..;/..%3b/api/v2/x",
        ] {
            check(uri, Err(Lost::Ambiguous));
        }
        check("/;jsessionid=1", Ok("/"));
        check("/a;b/..;/c", Ok("/"));
        check("/api/;jsessionid=1?x;/../y", Ok("/api"));
        check("/api/a;b/..;/c", Ok("/api"));
        check("/api/v2/a%3bb", Ok("/api/v2"));
    }

    #[test]
    fn a_prefix_is_taken_off_as_it_is_written() {
        let check = |path: &str, uri: &str, expect: Result<Option<&str>, Lost>| {
            let routes = routes(&[path], Prefix::Stripped);
            let target = target(&routes[0], &uri.parse().unwrap());
            let target = target.map(|target| target.map(|target| target.as_str().to_owned()));
            assert_eq!(target, expect.map(|target| target.map(str::to_owned)), "{path} {uri}");
        };
        check("/api/", "/api/a?b", Ok(Some("/a?b")));
        check("/api", "/api", Ok(Some("/")));
        check("/api", "/api?a", Ok(Some("/?a")));
        check("/api", "/api//a", Ok(Some("//a")));
        check("/", "/a", Ok(None));
        check("/api", "/%61pi/a", Err(Lost::Ambiguous));
        check("/api", "/x/../api", Err(Lost::Ambiguous));
    }
}
