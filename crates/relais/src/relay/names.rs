//! `sni = { "a.example" = "tcp://…" }`: who is called for whom, by the name asked for under TLS.

use std::{collections::BTreeMap, fmt};

use relais_net::Endpoint;
use relais_relay::Name;
use relais_wire::host::is_dns_name;
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    complaint::Wrong,
    spelling::{BareEndpoint, one_or_more},
};

/// One endpoint or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct OneOrMore(
    #[serde(deserialize_with = "one_or_more")] pub(super) Vec<BareEndpoint>,
);

/// A name and an upstream for it, as `--sni` says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    name: String,
    upstream: BareEndpoint,
}

/// A name and who is called for it, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// The name, or `*.` and what all of them end with.
    pub name: String,
    /// Who is called. Never empty.
    #[serde(serialize_with = "spelled")]
    pub upstream: Vec<Endpoint>,
}

/// Reads `NAME=UPSTREAM`.
pub(super) fn named(text: &str) -> Result<Named, String> {
    let (name, upstream) =
        text.split_once('=').ok_or_else(|| format!("bad {text:?}: expected NAME=UPSTREAM"))?;
    let upstream = upstream.parse::<BareEndpoint>().map_err(|error| error.to_string())?;
    Ok(Named { name: name.to_owned(), upstream })
}

/// What several of them say: the same name again is one more upstream for it.
pub(super) fn table(all: Vec<Named>) -> BTreeMap<String, OneOrMore> {
    let mut table = BTreeMap::<_, OneOrMore>::new();
    for Named { name, upstream } in all {
        table.entry(name.to_ascii_lowercase()).or_default().0.push(upstream);
    }
    table
}

/// The name that `text` says.
pub(super) fn name(text: &str) -> Result<String, Wrong> {
    let lower = text.to_ascii_lowercase();
    if is_dns_name(lower.strip_prefix("*.").unwrap_or(&lower)) {
        return Ok(lower);
    }
    Err(Wrong::expected(
        format!("bad name {text:?}"),
        "a name, or one with `*.` before it, e.g. \"*.example.org\"",
    ))
}

/// Puts the names in the order in which they are looked at: whole ones, then the longest endings.
pub(super) fn sort(routes: &mut [Route]) {
    routes.sort_by_key(|Route { name, .. }| (name.starts_with('*'), usize::MAX - name.len()));
}

impl Route {
    /// The name, as the relay has it.
    pub(super) fn name(&self) -> Name {
        Name(self.name.clone())
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, one_of(&self.upstream))
    }
}

/// Several, as people read them.
pub(super) fn one_of<'e>(endpoints: impl IntoIterator<Item = &'e Endpoint>) -> String {
    endpoints.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// Several, as programs read them.
pub(super) fn spelled<S: Serializer>(all: &[Endpoint], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(all.iter().map(ToString::to_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_or_endings_and_whole_ones_come_first() {
        for good in ["a.example", "*.example", "A.Example", "localhost"] {
            assert_eq!(name(good), Ok(good.to_ascii_lowercase()));
        }
        for bad in ["", "*", "*.", "a.*", "a b", "tcp://a", "*a.example"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        let route = |name: &str| Route { name: name.to_owned(), upstream: Vec::new() };
        let mut routes = ["*.b", "a.b", "*.a.b", "c.a.b"].map(route);
        sort(&mut routes);
        assert_eq!(routes.map(|route| route.name), ["c.a.b", "a.b", "*.a.b", "*.b"]);
    }

    #[test]
    fn a_name_said_again_has_one_more_upstream() {
        let said = ["a=1", "b=2", "A=3"].map(|text| named(text).unwrap());
        let table = table(said.to_vec());
        assert_eq!(table.values().map(|all| all.0.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(named("a").unwrap_err(), "bad \"a\": expected NAME=UPSTREAM");
        assert_eq!(named("a=b:x").unwrap_err(), "bad port \"x\": expected 0 to 65535");
    }
}
