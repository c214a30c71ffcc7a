//! A plan as people and programs read it: who is listened to, and the way of a request from there.

use std::fmt;

use serde::Serialize;

use super::{Listener, Plan};
use crate::{
    limits::Limits,
    serve::{INDEX, Site},
    tls::{Papers, Tls},
};

/// A part of the picture, and what comes after it.
struct Node {
    text: String,
    next: Vec<Node>,
}

impl fmt::Display for Plan {
    /// A tree for each listener, without a line end after the last line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, listener) in self.listeners.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            self.node(listener).fmt(f, "")?;
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
        }
        #[derive(Serialize)]
        struct Whole<'p> {
            limits: &'p Limits,
            listeners: Vec<Door<'p>>,
        }
        let mut listeners = Vec::new();
        for Listener { on, key: _, tls, sites } in &self.listeners {
            listeners.push(Door {
                listen: on.to_string(),
                tls: tls.iter().map(|tls| &tls.papers).collect(),
                client_ca: tls.first().and_then(|tls| tls.client_ca.as_deref()),
                serve: sites.iter().map(|site| &self.sites[*site]).collect(),
            });
        }
        let whole = Whole { limits: &self.limits, listeners };
        serde_json::to_value(whole).expect("only strings, numbers, lists and tables of names")
    }

    fn node(&self, listener: &Listener) -> Node {
        let mut sites: Vec<&Site> = listener.sites.iter().map(|site| &self.sites[*site]).collect();
        sites.sort_by_key(|site| site.hosts.is_empty());
        let is_alone = sites.len() == 1 && sites[0].hosts.is_empty();
        let mut next: Vec<Node> = sites.into_iter().map(|site| site_node(site, is_alone)).collect();
        if let Some(text) = tls(&listener.tls) {
            next = vec![Node { text, next }];
        }
        Node { text: listener.on.to_string(), next }
    }
}

/// One step for all papers: which of them is shown depends on the name that is asked for.
fn tls(papers: &[Tls]) -> Option<String> {
    let client_ca = papers.first()?.client_ca.as_deref();
    let papers: Vec<String> = papers.iter().map(|tls| tls.papers.to_string()).collect();
    let mut text = format!("tls: {}", papers.join(" or "));
    if let Some(file) = client_ca {
        text += "; callers need one signed by ";
        text += &file.display().to_string();
    }
    Some(text)
}

/// Each step behind the one before it, as a request passes them.
fn site_node(site: &Site, is_alone: bool) -> Node {
    let mut node = Node { text: files(site), next: Vec::new() };
    if let Some(auth) = &site.auth {
        node = Node { text: format!("auth: {auth}"), next: vec![node] };
    }
    if let Some(log) = &site.access_log {
        node = Node { text: format!("log: {log}"), next: vec![node] };
    }
    let hosts: Vec<String> = site.hosts.iter().map(|host| host.0.to_string()).collect();
    let hosts = match hosts.as_slice() {
        [] if is_alone => String::new(),
        [] => " for every other host".to_owned(),
        hosts => format!(" for {}", hosts.join(", ")),
    };
    Node { text: format!("serve {}{hosts}", site.name), next: vec![node] }
}

fn files(site: &Site) -> String {
    let mut text = format!("files: {}", site.root);
    if site.index != [INDEX] {
        text += ", index ";
        text += &site.index.join(" or ");
    }
    if let Some(file) = &site.fallback {
        text += ", fallback ";
        text += file;
    }
    text.extend(
        site.error_pages.iter().map(|page| format!(", {} {}", page.status.as_u16(), page.file)),
    );
    let marks = [
        (site.listing, ", folders listed"),
        (site.dotfiles, ", dotfiles too"),
        (!site.compress, ", not compressed"),
    ];
    text.extend(marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark));
    text
}

impl Node {
    /// Writes the node; what comes after it stands under it, each line after `margin`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>, margin: &str) -> fmt::Result {
        f.write_str(&self.text)?;
        for (place, node) in self.next.iter().enumerate() {
            let is_last = place + 1 == self.next.len();
            let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            write!(f, "\n{margin}{branch}")?;
            node.fmt(f, &format!("{margin}{below}"))?;
        }
        Ok(())
    }
}
