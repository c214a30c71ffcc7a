//! Whom a relay may call, and at what endpoints there may be one at all.

use relais_net::{Endpoint, Host, HostPort, Scheme};

use super::{
    Table,
    kind::Kind,
    names::{self, Route},
};
use crate::{
    complaint::{KeyPath, Problem, Wrong},
    proxy::is_at,
    spelling::BareEndpoint,
};

/// Whom a relay is to call.
pub(super) struct Called<'t> {
    /// Where it listens.
    pub(super) listen: &'t [BareEndpoint],
}

impl Called<'_> {
    /// Those that are `said` at `key`, and what is wrong with them to `problems`.
    pub(super) fn all(
        &self,
        (said, passed): (&[BareEndpoint], Passed),
        key: &KeyPath,
        problems: &mut Vec<Problem>,
    ) -> Vec<Endpoint> {
        for (index, BareEndpoint(on)) in said.iter().enumerate() {
            let at = if said.len() == 1 { key.clone() } else { key.index(index) };
            problems.extend(self.one(on, passed).map_err(|wrong| at.wrong(wrong)).err());
        }
        said.iter().map(|BareEndpoint(on)| on.clone()).collect()
    }

    /// The same for each name of `table`; its names stand at `key`.
    pub(super) fn routes(
        &self,
        table: &Table,
        key: &KeyPath,
        problems: &mut Vec<Problem>,
    ) -> Vec<Route> {
        let mut routes = Vec::new();
        for (said, upstream) in &table.sni {
            let at = key.key(said);
            if upstream.0.is_empty() {
                problems.push(at.wrong(Wrong::expected("no upstream", "one endpoint or more")));
            }
            let upstream = self.all((&upstream.0, Passed::Streams), &at, problems);
            match names::name(said) {
                Ok(name) if routes.iter().any(|route: &Route| route.name == name) => {
                    let what = format!("{said:?} is there already, in other letters");
                    problems.push(at.wrong(Wrong::expected(what, "each name once")));
                }
                Ok(name) => routes.push(Route { name, upstream }),
                Err(wrong) => problems.push(at.wrong(wrong)),
            }
        }
        names::sort(&mut routes);
        routes
    }

    fn one(&self, on: &Endpoint, passed: Passed) -> Result<(), Wrong> {
        judge(on, "no relay calls", passed)?;
        if let Some(HostPort { host: Host::Any, port }) = on.host_port() {
            let what = format!("no host in {:?}", on.to_string());
            let hint = format!("on this machine it is {}://127.0.0.1:{port}", on.scheme);
            return Err(Wrong::expected(what, "the host of a server").hint(hint));
        }
        if on.host_port().is_some_and(|at| at.port == 0) {
            let what = format!("nobody can be called at port 0: {:?}", on.to_string());
            return Err(Wrong::expected(what, "1 to 65535"));
        }
        if self
            .listen
            .iter()
            .any(|BareEndpoint(listen)| Kind::of(on) == Kind::of(listen) && is_at(on, listen))
        {
            let what = format!("it would call itself: {:?}", on.to_string());
            return Err(Wrong::expected(what, "another place than `listen`"));
        }
        Ok(())
    }
}

/// What may pass somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Any,
    /// What has a name under TLS, or passes where that is.
    Streams,
}

/// Whether something can be at `on`; `what` begins to tell that it cannot.
pub(super) fn judge(on: &Endpoint, what: &str, passed: Passed) -> Result<(), Wrong> {
    match on.scheme {
        Scheme::Tcp | Scheme::Tls | Scheme::Unix => Ok(()),
        Scheme::Udp if passed == Passed::Any => Ok(()),
        Scheme::Udp | Scheme::Http | Scheme::Https | Scheme::Ws | Scheme::Wss => {
            let what = format!("{what} at {:?}", on.to_string());
            Err(Wrong::expected(
                what,
                match passed {
                    Passed::Any => "tcp, tls, udp or unix",
                    Passed::Streams => "tcp, tls or unix",
                },
            ))
        }
    }
}
