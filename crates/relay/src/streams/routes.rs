//! Which upstreams a caller is for: by the name it asked for under TLS, or the same for all.

use std::sync::Arc;

use super::upstreams::Upstreams;

/// A name of servers: `a.example`, or `*.example` for every name below it, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name(pub String);

/// Which upstreams there are.
#[derive(Debug)]
pub struct Routes {
    /// For callers who ask for one of these names; the first that fits.
    pub named: Vec<(Name, Arc<Upstreams>)>,
    /// For all others; nobody if `None`.
    pub others: Option<Arc<Upstreams>>,
}

impl Name {
    /// Whether it is that of `asked`, which is in lower case.
    pub fn fits(&self, asked: &str) -> bool {
        let asked = asked.strip_suffix('.').unwrap_or(asked);
        match self.0.strip_prefix("*.") {
            Some(domain) => {
                let below = asked.strip_suffix(domain);
                below.is_some_and(|below| below.len() > 1 && below.ends_with('.'))
            }
            None => asked == self.0,
        }
    }
}

impl Routes {
    /// Whether what callers say first is to be looked at.
    pub(super) fn look_inside(&self) -> bool {
        !self.named.is_empty()
    }

    /// Whether somebody is there for those who ask for none of the names.
    pub(super) fn has_others(&self) -> bool {
        self.others.is_some()
    }

    /// Who is called for a caller who asked for `name`.
    pub(super) fn find(&self, name: Option<&str>) -> Option<&Arc<Upstreams>> {
        let named = name.and_then(|name| self.named.iter().find(|(route, _)| route.fits(name)));
        named.map(|(_, upstreams)| upstreams).or(self.others.as_ref())
    }

    /// How all of them are named, before one was chosen.
    pub(super) fn name(&self) -> String {
        let groups = self.others.iter().chain(self.named.iter().map(|(_, upstreams)| upstreams));
        let mut all = groups.flat_map(|group| group.all());
        let Some(first) = all.next() else { return String::new() };
        match all.count() {
            0 => first.endpoint().to_string(),
            more => format!("{} or {more} more", first.endpoint()),
        }
    }
}

#[cfg(test)]
mod tests {
    use relais_net::Balance;

    use super::*;
    use crate::streams::upstreams::tests::dialer;

    #[test]
    fn names_fit_whole_or_below() {
        let check = |name: &str, asked, expect| {
            assert_eq!(Name(name.to_owned()).fits(asked), expect, "{asked} as {name}");
        };
        check("a.example", "a.example", true);
        check("a.example", "a.example.", true);
        check("a.example", "b.a.example", false);
        check("*.example", "a.example", true);
        check("*.example", "b.a.example", true);
        check("*.example", "aexample", false);
        check("*.example", ".example", false);
        check("*.example", "example", false);
        check("*.a.example", "b.a.example", true);
    }

    fn upstreams(at: &[&str]) -> Arc<Upstreams> {
        let endpoints = at.iter().map(|at| at.parse().unwrap()).collect();
        Arc::new(Upstreams::new(endpoints, Balance::Round, dialer()).unwrap())
    }

    #[tokio::test]
    async fn the_first_name_that_fits_wins_and_others_have_theirs() {
        let (a, any, rest) = (
            upstreams(&["tcp://a:1"]),
            upstreams(&["tcp://b:1", "tcp://b:2"]),
            upstreams(&["tcp://c:1"]),
        );
        let name = |name: &str| Name(name.to_owned());
        let named = vec![(name("a.example"), a), (name("*.example"), any)];
        let mut routes = Routes { named, others: Some(rest) };
        let found = |routes: &Routes, name| {
            routes.find(name).map(|found| found.all()[0].endpoint().to_string())
        };
        assert_eq!(found(&routes, Some("a.example")).as_deref(), Some("tcp://a:1"));
        assert_eq!(found(&routes, Some("b.example")).as_deref(), Some("tcp://b:1"));
        assert_eq!(found(&routes, Some("b.example.org")).as_deref(), Some("tcp://c:1"));
        assert_eq!(found(&routes, None).as_deref(), Some("tcp://c:1"));
        assert_eq!(routes.name(), "tcp://c:1 or 3 more");
        assert!(routes.look_inside());
        routes.others = None;
        assert_eq!(found(&routes, None), None);
        let routes = Routes { named: Vec::new(), others: Some(upstreams(&["tcp://c:1"])) };
        assert!(!routes.look_inside());
        assert_eq!(routes.name(), "tcp://c:1");
    }
}
