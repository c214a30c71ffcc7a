//! What `[relay.NAME]` means.

use std::path::PathBuf;

use relais_net::Endpoint;
use serde::Serialize;

use super::{
    Table,
    called::{Called, Passed, judge},
    kind::{Kind, mismatches},
    limits::Limits,
    names::{Route, one_of, spelled},
    shape::Impair,
    table::SendProxy,
};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    listen::Shows,
    proxy::{Balance, LogFile},
    spelling::{Addresses, Size, Time},
    tree::Node,
    upstream_tls::UpstreamTls,
};

/// A relay, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relay {
    /// Who is called for callers who ask for no name of `sni`. May be empty if there are some.
    #[serde(serialize_with = "spelled")]
    pub upstream: Vec<Endpoint>,
    /// Who is called for callers who ask for a name, in the order in which they are looked at.
    pub sni: Vec<Route>,
    /// Whom upstreams have to be that speak TLS; `None` if none does.
    pub upstream_tls: Option<UpstreamTls>,
    /// Which of several is called.
    pub balance: Balance,
    /// How often they are called to see whether they are there.
    pub(crate) check_every: Option<Time>,
    /// Who alone may call, unless empty.
    pub(crate) allow: Vec<Addresses>,
    /// Who may not.
    pub(crate) deny: Vec<Addresses>,
    /// Relays that tell first who called them.
    pub(crate) accept_proxy: Vec<Addresses>,
    /// How upstreams are told who called.
    pub send_proxy: Option<SendProxy>,
    /// Where a line for each connection goes; `-` is the standard output.
    pub log: Option<PathBuf>,
    /// How large that file may be.
    pub(crate) log_size_max: Size,
    /// How many older ones are kept.
    pub log_keep: u32,
    /// How long things may take, and how quick they may be.
    pub limits: Limits,
    /// What makes the network like a bad one.
    pub impair: Impair,
}

/// More often would be a load of its own.
const CHECK_EVERY_MIN: Time = Time(std::time::Duration::from_millis(100));

impl Relay {
    /// Resolves `table`, which stands at `key`.
    pub(crate) fn plan(table: &Table, base: &Base, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let called = Called { listen: &table.listen };
        let upstream =
            called.all((&table.upstream, Passed::Any), &key.key("upstream"), &mut problems);
        let sni = called.routes(table, &key.key("sni"), &mut problems);
        problems.extend(no_upstream(table, key));
        let mut all = sni.iter().flat_map(|route| &route.upstream).chain(&upstream);
        let at = key.key("upstream_tls");
        let upstream_tls = if all.any(|upstream| upstream.scheme.is_secure()) {
            table.upstream_tls.plan(base, &at).map(Some)
        } else {
            table.upstream_tls.unused(&at, "tls").map(|()| None)
        };
        let upstream_tls = upstream_tls.map_err(|problem| problems.push(problem)).ok().flatten();
        problems.extend(bad_check(table, key));
        problems.extend(mismatches(table, key));
        let log = table.log.as_ref().map(|log| in_place(log, base));
        let file = log_file(table, log.clone());
        problems.extend(file.problems(key, ("log_size_max", "log_keep")));
        problems.extend(unused_of_log(table, key));
        let limits = table.limits.plan(&key.key("limits"));
        let limits = limits.map_err(|found| problems.extend(found)).ok();
        let impair = table.impair.plan(&key.key("impair"));
        let impair = impair.map_err(|found| problems.extend(found)).ok();
        let (Some(limits), Some(impair), true) = (limits, impair, problems.is_empty()) else {
            return Err(problems);
        };
        Ok(Self {
            upstream,
            sni,
            upstream_tls,
            balance: table.balance.unwrap_or_default(),
            check_every: table.check_every,
            allow: table.allow.clone(),
            deny: table.deny.clone(),
            accept_proxy: table.accept_proxy.clone(),
            send_proxy: table.send_proxy,
            log,
            log_size_max: file.size_max,
            log_keep: file.keep,
            limits,
            impair,
        })
    }

    /// Where a line for each connection goes, and how much of it there may be.
    pub(super) fn log_file(&self) -> Option<LogFile> {
        let Self { log, log_size_max, log_keep, .. } = self;
        let file = |path: &PathBuf| {
            let (size_max, keep) = (*log_size_max, *log_keep);
            LogFile { path: path.clone(), size_max, keep }
        };
        log.as_ref().map(file)
    }

    /// Whether a relay can be `on` an endpoint.
    pub(crate) fn judge(on: &Endpoint) -> Result<(), Wrong> {
        judge(on, "no relay listens", Passed::Any)
    }

    /// What is shown on standard output while it runs: lines of the log, if they go there.
    pub(crate) fn shows(&self) -> Shows {
        let is_shown = self.log.as_ref().is_some_and(|log| log.as_os_str() == "-");
        if is_shown { Shows::Messages } else { Shows::Nothing }
    }

    /// What becomes of a caller at `on`, step by step.
    pub(crate) fn steps(&self, on: &Endpoint) -> Vec<Node> {
        let routes = self.routes(on).iter().map(|route| Node::last(format!("for {route}")));
        let rest = self.upstreams(on);
        let rest = (!rest.is_empty()).then(|| Node::last(self.described(on, &rest)));
        let steps: Vec<_> = routes.chain(rest).collect();
        let clients = |networks: &[Addresses]| {
            networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let mut who = String::new();
        if !self.allow.is_empty() {
            who = format!("callers from {}", clients(&self.allow));
        }
        if !self.deny.is_empty() {
            who = if who.is_empty() { "callers".to_owned() } else { who };
            who = format!("{who} not from {}", clients(&self.deny));
        }
        if who.is_empty() { steps } else { vec![Node::before(who, steps)] }
    }

    /// Who is called for callers at `on`, in few words.
    pub(crate) fn does(&self, on: &Endpoint) -> String {
        let route = |route: &Route| format!("{} ▸ {}", route.name, one_of(&route.upstream));
        let rest = self.upstreams(on);
        let rest = (!rest.is_empty()).then(|| one_of(rest));
        let all = self.routes(on).iter().map(route).chain(rest);
        all.collect::<Vec<_>>().join(", ") + self.made_worse()
    }

    /// Names are asked for on streams alone.
    fn routes(&self, on: &Endpoint) -> &[Route] {
        if Kind::of(on) == Kind::Streams { &self.sni } else { &[] }
    }

    /// Who is called for callers at `on` who ask for no name. May be nobody.
    fn upstreams(&self, on: &Endpoint) -> Vec<&Endpoint> {
        self.upstream.iter().filter(|upstream| Kind::of(upstream) == Kind::of(on)).collect()
    }

    fn described(&self, on: &Endpoint, upstreams: &[&Endpoint]) -> String {
        let balance = (upstreams.len() > 1).then(|| format!(", {}", self.balance));
        let (checked, believed) = match Kind::of(on) {
            Kind::Streams => (self.check_every, self.upstream_tls.as_ref()),
            Kind::Datagrams => (None, None),
        };
        let checked = checked.map(|every| format!(", looked at every {every}"));
        let believed = believed.map(|tls| tls.believed.to_string());
        let tail: String = balance.into_iter().chain(checked).chain(believed).collect();
        let all = one_of(upstreams.iter().copied());
        format!("upstream: {all}{tail}{}", self.made_worse())
    }

    /// Who runs it is to see that it is not as good as it could be.
    fn made_worse(&self) -> &'static str {
        if self.impair == Impair::default() { "" } else { ", made worse on purpose" }
    }
}

fn no_upstream(table: &Table, key: &KeyPath) -> Option<Problem> {
    if !table.upstream.is_empty() || !table.sni.is_empty() {
        return None;
    }
    let wrong = Wrong::expected("`upstream` is empty", "one endpoint or more");
    Some(key.key("upstream").wrong(wrong))
}

fn bad_check(table: &Table, key: &KeyPath) -> Option<Problem> {
    let every = table.check_every.filter(|every| *every < CHECK_EVERY_MIN)?;
    let what = format!("`check_every` is too short: {:?}", every.to_string());
    let wrong = Wrong::expected(what, format!("{CHECK_EVERY_MIN} or more"));
    Some(key.key("check_every").wrong(wrong))
}

/// The file of the log at `log`, if there is one: how much of it there may be.
fn log_file(table: &Table, log: Option<PathBuf>) -> LogFile {
    let LogFile { path, size_max, keep } = LogFile::at(log.unwrap_or_default());
    let size_max = table.log_size_max.unwrap_or(size_max);
    LogFile { path, size_max, keep: table.log_keep.unwrap_or(keep) }
}

/// What is said of a file that there is not.
fn unused_of_log(table: &Table, key: &KeyPath) -> Option<Problem> {
    let is_file = table.log.as_ref().is_some_and(|log| log.as_os_str() != "-");
    let said =
        [("log_size_max", table.log_size_max.is_some()), ("log_keep", table.log_keep.is_some())];
    let (name, _) = said.into_iter().find(|(_, is_said)| *is_said && !is_file)?;
    let what = format!("nothing is done with `{name}`");
    Some(key.key(name).wrong(Wrong::expected(what, "a file as `log` beside it")))
}

fn in_place(log: &std::path::Path, base: &Base) -> PathBuf {
    if log.as_os_str() == "-" { log.to_owned() } else { base.join(log) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let table: Table = toml::from_str(&format!("listen = '9000'\n{text}")).unwrap();
        let planned = Relay::plan(&table, &Base("/".into()), &KeyPath::of(["relay", "front"]));
        let problems = format!("{:?}", planned.unwrap_err());
        assert!(problems.contains(expect), "{problems}");
    }

    #[test]
    fn a_name_is_said_once_whatever_its_letters() {
        let text = "[sni]\n'A.example' = '9001'\n'a.example' = '9002'\n";
        check(text, "there already, in other letters");
    }

    #[test]
    fn each_endpoint_tells_of_the_upstreams_that_are_called_from_there() {
        let text = "listen = ['9000', 'udp://:9000']\nupstream = ['9001', 'udp://a:53', 'udp://b:53']\n\
            check_every = '1s'\nsni = { 'a.example' = '9002' }";
        let table: Table = toml::from_str(text).unwrap();
        let key = KeyPath::of(["relay", "front"]);
        let relay = Relay::plan(&table, &Base("/".into()), &key).unwrap();
        let told = |on: &str| {
            let on = on.parse().unwrap();
            let steps: Vec<_> = relay.steps(&on).into_iter().map(|step| step.text).collect();
            (relay.does(&on), steps.join("; "))
        };
        let streams = "upstream: tcp://127.0.0.1:9001, looked at every 1s";
        let streams = format!("for a.example: tcp://127.0.0.1:9002; {streams}");
        let does = "a.example ▸ tcp://127.0.0.1:9002, tcp://127.0.0.1:9001";
        assert_eq!(told("tcp://127.0.0.1:9000"), (does.to_owned(), streams));
        let does = "udp://a:53 or udp://b:53";
        let datagrams = format!("upstream: {does}, {}", relay.balance);
        assert_eq!(told("udp://:9000"), (does.to_owned(), datagrams));
    }

    #[test]
    fn a_connection_ends_in_one_way() {
        let text = "upstream = '9001'\nimpair = { reset_after = '1KiB', close_after = '2KiB' }\n";
        check(text, "a connection is not both reset and closed");
    }

    #[test]
    fn how_large_a_log_is_is_said_of_a_file() {
        let text = "upstream = '9001'\nlog_keep = 3\n";
        check(text, "nothing is done with `log_keep`");
        check(&format!("{text}log = '-'"), "nothing is done with `log_keep`");
        check(&format!("{text}log = 'a'\nlog_size_max = '1B'"), "`log_size_max` is too small");
    }
}
