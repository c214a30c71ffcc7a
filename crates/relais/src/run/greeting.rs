//! What is printed once everything listens.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

use relais_net::{Endpoint, Host, Scheme};
use tracing::warn;

use super::house::{House, Listening};
use crate::{
    listen::Shows,
    output::{greet, tell},
    private::Private,
    serve::Root,
    site::{Job, Site},
    tls::Age,
};

/// What is said beside the lines for the listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// Nothing.
    Plain,
    /// Nothing, but a browser is opened.
    Browser,
    /// What a newcomer could try.
    Demo,
}

impl Greeting {
    pub(crate) fn say(self, house: &House) {
        let lines: Vec<_> = house.listeners().collect();
        say_doors(&lines);
        // A site at several endpoints is one.
        let sites = || lines.iter().flat_map(|listening| &listening.sites);
        let bare: BTreeSet<_> = sites().filter_map(|site| bare(site)).collect();
        bare.iter().for_each(tell);
        let private = house.private();
        for withheld in sites().filter_map(|site| withheld(site, &private)).collect::<BTreeSet<_>>()
        {
            warn!("{withheld}");
        }
        for hub in house.hubs().iter().filter(|hub| hub.waits_for_its_first) {
            // Its name, where it says more than that it is one.
            let hub = Some(&*hub.name).filter(|name| *name != "hub");
            let name = hub.map_or_else(String::new, |name| format!(" {name}"));
            tell(format_args!(
                "nobody has an account at the hub{name} yet: `relais hub user add NAME` makes the first, \
                 who administers it"
            ));
        }
        self.tell_authority(house, &lines);
        match self {
            Self::Plain => (),
            Self::Browser => {
                if let Some(first) = lines.first() {
                    open_browser(&link(first.on));
                }
            }
            Self::Demo => demo(&lines),
        }
    }

    fn tell_authority(self, house: &House, lines: &[Listening<'_>]) {
        let secure = secure(lines.iter().map(|listening| listening.on.scheme));
        match house.authority() {
            Some((path, Age::New)) => tell(format_args!(
                "{secure} a local authority that was just made, {}; `relais cert trust` tells how to \
                 trust it",
                path.display()
            )),
            Some((_, Age::Known)) if self != Self::Demo => tell(format_args!(
                "{secure} this machine's own authority; `relais cert trust` tells how to trust it"
            )),
            _ => (),
        }
    }
}

/// A line for each site and service, and where it is.
fn say_doors(lines: &[Listening<'_>]) {
    let shown: Vec<_> = lines.iter().map(|listening| shown(listening.on)).collect();
    let width = shown.iter().map(String::len).max().unwrap_or_default();
    // Where messages are shown on standard output, they are the data, and this is talk.
    let is_printing = |line: &Listening<'_>| {
        line.service.is_some_and(|service| service.shows() != Shows::Nothing)
    };
    let say = if lines.iter().any(is_printing) { tell } else { greet };
    for (shown, Listening { on, sites, service }) in shown.iter().zip(lines) {
        for site in sites {
            say(format!("{shown:width$}  {}", described(site)));
        }
        if let Some(service) = service {
            say(format!("{shown:width$}  {}  ({})", service.title(), service.does(on)));
        }
    }
}

/// The schemes among `all` that need a certificate, as a sentence's beginning: `https:// uses`.
fn secure(all: impl Iterator<Item = Scheme>) -> String {
    let mut named: Vec<String> = Vec::new();
    for scheme in all.filter(|scheme| scheme.is_secure()).map(|scheme| format!("{scheme}://")) {
        if !named.contains(&scheme) {
            named.push(scheme);
        }
    }
    let verb = if named.len() == 1 { "uses" } else { "use" };
    format!("{} {verb}", named.join(" and "))
}

fn described(site: &Site) -> String {
    let to = match &site.job {
        Job::Serve(files) => files.root.to_string(),
        Job::Proxy(proxy) => proxy.target(),
    };
    format!("{}  ({to})", site.title())
}

/// What to know of a site that has no page to begin with and lists none, if it is one.
fn bare(site: &Site) -> Option<String> {
    let Job::Serve(files) = &site.job else { return None };
    let Root::Folder(root) = &files.root else { return None };
    let has_page = files.index.iter().any(|index| root.join(index).exists());
    if files.listing || files.fallback.is_some() || has_page {
        return None;
    }
    let (root, index) = (root.display(), files.index.join(" or "));
    Some(format!("hint: {root} has no {index}; `--list`, or `listing = true`, lists what it has"))
}

/// What lies below the root of a site and is answered to nobody, if anything does.
fn withheld(site: &Site, private: &Private) -> Option<String> {
    let Job::Serve(files) = &site.job else { return None };
    let Root::Folder(root) = &files.root else { return None };
    let found = private.below(root).into_iter().filter(|path| path.exists());
    let found: Vec<_> = found.map(|path| format!("{:?}", path.display())).collect();
    if found.is_empty() {
        return None;
    }
    let root = root.display();
    Some(format!("below {root:?}, and answered to nobody, lie our own files: {}", found.join(", ")))
}

/// Where it listens, in a form that can be opened as it is printed.
fn shown(on: &Endpoint) -> String {
    match on.host_port().and_then(|at| from_here(&at.host)) {
        Some((_, every)) => format!("{} ({every})", base(on)),
        None => base(on),
    }
}

/// An address that a browser on this machine understands.
fn link(on: &Endpoint) -> String {
    if on.host_port().is_some() { base(on) + "/" } else { on.to_string() }
}

fn base(on: &Endpoint) -> String {
    match on.host_port().and_then(|at| Some((at, from_here(&at.host)?))) {
        Some((at, (host, _))) => format!("{}://{host}:{}", on.scheme, at.port),
        None => on.to_string(),
    }
}

/// How a host that is several addresses is reached from this machine, and which addresses it is.
fn from_here(host: &Host) -> Option<(&'static str, &'static str)> {
    match host {
        Host::Any => Some(("localhost", "every address")),
        Host::Ip(ip) if ip.is_unspecified() && ip.is_ipv4() => {
            Some(("localhost", "every IPv4 address"))
        }
        Host::Ip(ip) if ip.is_unspecified() => Some(("[::1]", "every IPv6 address")),
        Host::Ip(_) | Host::Name(_) => None,
    }
}

fn demo(lines: &[Listening<'_>]) {
    let find = |is_secure: bool, is_proxy: bool| {
        let fits = |site: &&Site| matches!(site.job, Job::Proxy(_)) == is_proxy;
        let mut lines = lines.iter().filter(|line| line.on.scheme.is_secure() == is_secure);
        lines.find(|line| line.sites.iter().any(&fits)).map(|line| link(line.on))
    };
    let show = |command: &str, what: &str| tell(format_args!("  {command:<46}  {what}"));
    tell("");
    if let Some(clear) = find(false, false) {
        tell(format_args!("This is the demo. Open {clear} in a browser, or try"));
        tell(format_args!("  curl -i {clear}"));
    }
    if let Some(secure) = find(true, false) {
        show(&format!("curl -k {secure}"), "over TLS; `relais cert trust`: without -k");
    }
    if let Some(proxy) = find(false, true) {
        show(&format!("curl -i {proxy}"), "the same through a proxy");
        show(&format!("curl -i {proxy}casino"), "what its list refuses");
        show("relais flows casino", "who asked for what through it");
        show(&format!("relais cache explain {proxy}"), "why that came from the cache, or not");
    }
    let port_of = |name| {
        let is_it = |line: &&Listening<'_>| {
            line.on.scheme == Scheme::Tcp && line.service.is_some_and(|it| it.name == name)
        };
        lines.iter().find(is_it).and_then(|line| line.on.host_port()).map(|at| at.port)
    };
    if let Some(port) = port_of("calc") {
        show(&format!("nc 127.0.0.1 {port}"), "a calculator: type 3 km in miles");
    }
    if let Some(port) = port_of("main") {
        show(&chat(port), "a hub; as somebody else: --user NAME --register");
    }
    let is_page = |line: &&Listening<'_>| {
        line.on.scheme == Scheme::Http && line.service.is_some_and(|it| it.name == "main")
    };
    if let Some(page) = lines.iter().find(is_page) {
        show(&link(page.on), "the same hub in a browser");
    }
    show("relais serve DIR", "your own files");
    tell("Ctrl-C ends it. `relais --help` tells the rest.");
}

/// Where `relais chat` calls that is not told where.
const CALLED: u16 = 6680;

/// What calls the hub at `port` of this machine.
fn chat(port: u16) -> String {
    if port == CALLED { "relais chat".to_owned() } else { format!("relais chat {port}") }
}

fn open_browser(link: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(opener);
    command.arg(link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        warn!(%error, "cannot open a browser with {opener}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(on: &str, expect: (&str, &str)) {
        let on = Endpoint::parse_in(on, Scheme::Http).unwrap();
        assert_eq!((shown(&on).as_str(), link(&on).as_str()), expect);
    }

    #[test]
    fn what_needs_a_certificate_is_named_once() {
        let check = |all: &[Scheme], expect| assert_eq!(secure(all.iter().copied()), expect);
        check(&[Scheme::Tcp, Scheme::Tls], "tls:// uses");
        check(&[Scheme::Https, Scheme::Https, Scheme::Wss], "https:// and wss:// use");
    }

    #[test]
    fn a_hub_is_called_at_the_port_that_it_has() {
        assert_eq!(
            (chat(6680).as_str(), chat(45951).as_str()),
            ("relais chat", "relais chat 45951")
        );
    }

    #[test]
    fn what_is_shown_can_be_opened() {
        check("9000", ("http://127.0.0.1:9000", "http://127.0.0.1:9000/"));
        check(":9000", ("http://localhost:9000 (every address)", "http://localhost:9000/"));
        let every = "http://localhost:9000 (every IPv4 address)";
        check("0.0.0.0:9000", (every, "http://localhost:9000/"));
        check("[::]:9000", ("http://[::1]:9000 (every IPv6 address)", "http://[::1]:9000/"));
        check("unix:///s", ("unix:///s", "unix:///s"));
    }
}
