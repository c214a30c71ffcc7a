//! A plan as people and programs read it: who is listened to, and the way of a request from there.

use std::fmt;

use serde::Serialize;

use super::{Listener, Plan};
use crate::{
    limits::Limits,
    service::Service,
    site::{Job, Site},
    tls::{Asks, Papers, Tls},
    tree::Node,
};

impl fmt::Display for Plan {
    /// A tree for each listener, without a line end after the last line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, listener) in self.listeners.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}", self.node(listener))?;
        }
        Ok(())
    }
}

impl Plan {
    /// The plan as JSON.
    pub fn json(&self) -> serde_json::Value {
        #[derive(Serialize)]
        struct Door<'p> {
            listen: String,
            tls: Vec<&'p Papers>,
            client_ca: Option<&'p std::path::Path>,
            serve: Vec<&'p Site>,
            proxy: Vec<&'p Site>,
            service: Option<&'p Service>,
        }
        #[derive(Serialize)]
        struct Whole<'p> {
            limits: &'p Limits,
            listeners: Vec<Door<'p>>,
        }
        let mut listeners = Vec::new();
        for listener @ Listener { on, key: _, tls, behind: _ } in &self.listeners {
            let (mut serve, mut proxy) = (Vec::new(), Vec::new());
            for site in self.sites_of(listener) {
                match &site.job {
                    Job::Serve(_) => serve.push(site),
                    Job::Proxy(_) => proxy.push(site),
                }
            }
            listeners.push(Door {
                listen: on.to_string(),
                tls: tls.iter().map(|tls| &tls.papers).collect(),
                client_ca: tls.first().and_then(|tls| tls.client_ca.as_deref()),
                serve,
                proxy,
                service: self.service_of(listener),
            });
        }
        let whole = Whole { limits: &self.limits, listeners };
        serde_json::to_value(whole).expect("only strings, numbers, lists and tables of names")
    }

    fn node(&self, listener: &Listener) -> Node {
        let mut next = match self.service_of(listener) {
            Some(service) => vec![Node::before(service.title(), service.steps(&listener.on))],
            None => self.site_nodes(listener),
        };
        if let Some(text) = tls(&listener.tls) {
            next = vec![Node { text, next }];
        }
        Node { text: listener.on.to_string(), next }
    }

    fn site_nodes(&self, listener: &Listener) -> Vec<Node> {
        let mut sites = self.sites_of(listener);
        sites.sort_by_key(|site| site.front.hosts.is_empty());
        let is_alone = sites.len() == 1 && sites[0].front.hosts.is_empty();
        let node = |site: &Site| {
            let is_rest = site.front.hosts.is_empty() && !is_alone;
            let rest = if is_rest { " for every other host" } else { "" };
            Node::before(site.title() + rest, site.steps())
        };
        sites.into_iter().map(node).collect()
    }
}

/// One step for all papers: which of them is shown depends on the name that is asked for.
fn tls(papers: &[Tls]) -> Option<String> {
    let (client_ca, asks) = papers.first().map(|tls| (tls.client_ca.as_deref(), tls.asks))?;
    let papers: Vec<String> = papers.iter().map(|tls| tls.papers.to_string()).collect();
    let mut text = format!("tls: {}", papers.join(" or "));
    if let Some(file) = client_ca {
        text += "; callers need one signed by ";
        text += &file.display().to_string();
    } else if asks == Asks::ForAny {
        text += "; callers may show one, whoever signed it";
    }
    Some(text)
}
