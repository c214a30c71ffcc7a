//! The servers that were asked.

use std::{convert::Infallible, sync::Arc};

use quick_cache::sync::Cache;
use relais_net::{Dialer, Endpoint};

use crate::upstream::{Balance, Group, Limits, Options, Speaks, Upstream};

/// How many servers are known at once. One that is forgotten costs the next who asks it a connection.
const ORIGINS_MAX: usize = 1024;

/// The servers that were asked, so that who asks one again finds its connections. Those that are
/// asked least are forgotten first.
#[derive(Debug)]
pub(super) struct Origins {
    known: Cache<Endpoint, Arc<Group>>,
    dialer: Arc<Dialer>,
    limits: Limits,
}

impl Origins {
    pub(super) fn new(dialer: Arc<Dialer>, limits: Limits) -> Self {
        Self { known: Cache::new(ORIGINS_MAX), dialer, limits }
    }

    /// What asks `server`.
    pub(super) fn group(&self, server: &Endpoint) -> Arc<Group> {
        let known =
            self.known.get_or_insert_with(server, || Ok::<_, Infallible>(self.new_group(server)));
        match known {
            Ok(group) => group,
            Err(never) => match never {},
        }
    }

    fn new_group(&self, server: &Endpoint) -> Arc<Group> {
        let upstream = Upstream::new(Options {
            endpoint: server.clone(),
            host: None,
            dialer: Arc::clone(&self.dialer),
            // Whole URLs are of http, mostly; what is https comes in tunnels.
            speaks: Speaks::Http1,
            limits: self.limits,
        });
        let upstream = upstream.named_by_client();
        let group = Group::new(vec![Arc::new(upstream)], Balance::Least);
        Arc::new(group.expect("one upstream is a group"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::dialer_for_tests;

    #[test]
    fn who_is_asked_again_is_known_and_many_are_forgotten() {
        let origins = Origins::new(dialer_for_tests(), Limits::default());
        let group = |text: &str| origins.group(&text.parse().unwrap());
        let first = group("http://a.example");
        assert!(Arc::ptr_eq(&first, &group("http://a.example:80/")));
        assert!(!Arc::ptr_eq(&first, &group("https://a.example")));
        assert!(!Arc::ptr_eq(&first, &group("http://a.example:81")));
        for port in 1..=60_000 {
            group(&format!("http://b.example:{port}"));
        }
        assert!(origins.known.len() <= ORIGINS_MAX, "{}", origins.known.len());
    }
}
