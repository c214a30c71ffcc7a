//! The end that asks.

use std::path::{Path, PathBuf};

use clap::ColorChoice;
use http::Uri;
use serde_json::Value;

use super::{at_rest, doors::port_of};
use crate::{
    CONFIG,
    complaint::{Complaint, Wrong},
    control::{self, Answer, CacheRequest, Found, OfCaches, Refusal, Request, Running},
    data::Data,
    stop::Stop,
};

/// Who is asked.
#[derive(Debug)]
pub(super) enum Whom {
    /// A relais that runs.
    Running(Running),
    /// One of those that run: what is asked says which, or there is but one that has a cache.
    Found(Vec<Found>),
    /// A cache's folder, which no relais uses.
    Folder(PathBuf),
}

/// Who is asked, and how.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) whom: Whom,
    /// Whose cache is meant; `None` for all, or the only one.
    pub(super) proxy: Option<String>,
    pub(super) data: &'a Data,
    pub(super) color: ColorChoice,
}

/// Whom those mean who name a file, or a port, or nothing.
pub(super) fn running(
    (file, at): (Option<PathBuf>, Option<u16>),
    data: &Data,
) -> Result<Whom, Stop> {
    Ok(match (file, at) {
        (Some(file), _) => Whom::Running(Running::File(file)),
        (None, Some(port)) => Whom::Running(listening_at(port, data)?),
        (None, None) if Path::new(CONFIG).exists() => Whom::Running(Running::File(CONFIG.into())),
        (None, None) => Whom::Found(control::running(data)),
    })
}

/// Of `all` that run, the one that listens at the port of `url`; else the only one that has a cache.
///
/// # Errors
///
/// Which have one, if several do; or that none has.
fn meant(all: &[Found], url: Option<&str>) -> Result<Running, Wrong> {
    let port = url.and_then(|url| port_of(&url.parse::<Uri>().ok()?));
    let is_there = |found: &&Found| port.is_some_and(|port| found.listening.ports.contains(&port));
    let with_cache: Vec<_> = all.iter().filter(|found| found.listening.has_caches()).collect();
    let only = match (&with_cache[..], all) {
        ([found], _) => Some(*found),
        // It says itself that it has none, and what gives it one.
        ([], [found]) => Some(found),
        _ => None,
    };
    if let Some(found) = all.iter().find(is_there).or(only) {
        return Ok(Running::Socket(found.socket.clone()));
    }
    if all.is_empty() { Ok(Running::Demo) } else { Err(none_alone(&with_cache, all)) }
}

/// What is told where none of `all` that run is the only one that has a cache.
fn none_alone(with_cache: &[&Found], all: &[Found]) -> Wrong {
    let (what, hint) = if with_cache.is_empty() {
        (
            format!("no relais that runs has a cache, of: {}", told(all)),
            "`cache = true` in a `[proxy.NAME]`, or `relais proxy … --cache`, gives it one",
        )
    } else {
        (
            format!("several relais run that have a cache: {}", told(with_cache.iter().copied())),
            "`--at PORT` or `--file FILE` says which is meant; so does the port of a URL",
        )
    };
    Wrong { what, expected: None, hint: None }.hint(hint)
}

fn listening_at(port: u16, data: &Data) -> Result<Running, Stop> {
    let mut all = control::running(data);
    if let Some(at) = all.iter().position(|found| found.listening.ports.contains(&port)) {
        return Ok(Running::Socket(all.swap_remove(at).socket));
    }
    let what = format!("no relais of this user listens at port {port}");
    let wrong = match all.len() {
        0 => Wrong { what, expected: None, hint: None }.hint("none runs at all"),
        _ => Wrong { what, expected: None, hint: None }.hint(format!("there runs {}", told(&all))),
    };
    Err(Stop::Refused(vec![Complaint::of_flag("--at", wrong)]))
}

/// Who runs, and where each listens.
fn told<'f>(all: impl IntoIterator<Item = &'f Found>) -> String {
    let told = |found: &Found| {
        let ports: Vec<_> = found.listening.ports.iter().map(u16::to_string).collect();
        match &ports[..] {
            [] => found.listening.runs.clone(),
            [port] => format!("{} (port {port})", found.listening.runs),
            ports => format!("{} (ports {})", found.listening.runs, ports.join(", ")),
        }
    };
    all.into_iter().map(told).collect::<Vec<_>>().join("; ")
}

impl Asking<'_> {
    /// Asks, and has all `taken` that is found. Gives what is said at the end: what is to be told if
    /// nothing was found.
    pub(super) fn ask(
        &self,
        of: OfCaches,
        taken: impl FnMut(Value) -> Result<(), Stop>,
    ) -> Result<String, Stop> {
        let running = match &self.whom {
            Whom::Running(running) => running,
            Whom::Found(all) => &meant(all, of.url())
                .map_err(|wrong| Stop::Wrong(vec![Complaint::of_nothing_said(wrong)]))?,
            Whom::Folder(folder) => {
                return at_rest::obey(folder, of, taken).map(|()| String::new());
            }
        };
        let request = Request::Cache(CacheRequest { proxy: self.proxy.clone(), of });
        match control::ask(&request, running, self.data, taken)? {
            Answer::Refused(Refusal { text, exit }) => Err(Stop::Elsewhere { text, exit }),
            Answer::Done { text } => Ok(text),
            Answer::Found(_) | Answer::Listening(_) => Ok(String::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Listening;

    /// One that listens at `port`, and has these caches.
    fn found(runs: &str, port: u16, caches: Option<&[&str]>) -> Found {
        let caches = caches.map(|names| names.iter().map(ToString::to_string).collect());
        let (runs, ports, hubs) = (runs.to_owned(), vec![port], Vec::new());
        let listening = Listening { runs, ports, hubs, caches, file: None };
        Found { socket: format!("{port}.sock").into(), listening }
    }

    /// Who is meant of `all` by a URL: a socket, or what is wrong.
    fn told_of(all: &[Found], url: Option<&str>) -> String {
        match meant(all, url) {
            Ok(Running::Socket(socket)) => socket.display().to_string(),
            Ok(Running::Demo) => "nobody".to_owned(),
            Ok(other) => format!("{other:?}"),
            Err(wrong) => wrong.what,
        }
    }

    #[test]
    fn only_who_has_a_cache_is_meant_where_nothing_is_said() {
        let (site, none) = (found("a site", 1, Some(&[])), found("a proxy", 2, Some(&[])));
        let cached = found("the demo", 3, Some(&["front"]));
        let earlier = found("an earlier one", 4, None);
        let check = |all: &[&Found], expect: &str| {
            let all: Vec<_> = all.iter().copied().cloned().collect();
            assert_eq!(told_of(&all, None), expect);
        };
        check(&[], "nobody");
        check(&[&site], "1.sock");
        check(&[&site, &cached, &none], "3.sock");
        check(&[&site, &earlier], "4.sock");
        let expect = "no relais that runs has a cache, of: a site (port 1); a proxy (port 2)";
        check(&[&site, &none], expect);
        let expect =
            "several relais run that have a cache: the demo (port 3); an earlier one (port 4)";
        check(&[&site, &cached, &earlier], expect);
    }

    #[test]
    fn of_several_the_port_of_the_url_says_who_is_meant() {
        let all =
            [found("a", 80, Some(&[])), found("b", 1, Some(&["b"])), found("c", 2, Some(&["c"]))];
        let check = |url: &str, expect: &str| assert_eq!(told_of(&all, Some(url)), expect);
        check("http://127.0.0.1:1/a?b", "1.sock");
        check("http://127.0.0.1:2/*.css", "2.sock");
        // It says itself that it has none.
        check("http://127.0.0.1/", "80.sock");
        let several = "several relais run that have a cache: b (port 1); c (port 2)";
        for url in ["http://127.0.0.1:3/", "*.css", ""] {
            check(url, several);
        }
    }
}
