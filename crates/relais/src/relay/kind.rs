//! What passes at an endpoint, streams or datagrams, and what is asked of a relay that makes no sense
//! for what it passes.

use relais_net::{Endpoint, Scheme};

use super::Table;
use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::BareEndpoint,
};

/// What passes at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Streams,
    Datagrams,
}

impl Kind {
    pub(super) fn of(on: &Endpoint) -> Self {
        if on.scheme == Scheme::Udp { Self::Datagrams } else { Self::Streams }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Streams => "streams",
            Self::Datagrams => "datagrams",
        }
    }

    /// Where it passes, for people.
    fn schemes(self) -> &'static str {
        match self {
            Self::Streams => "tcp://, tls:// or unix://",
            Self::Datagrams => "udp://",
        }
    }
}

/// What is wrong with `table`, which stands at `key`, as to what passes where: datagrams go to
/// upstreams of datagrams, streams to those of streams, and neither is there without the other.
pub(super) fn mismatches(table: &Table, key: &KeyPath) -> Vec<Problem> {
    let has = |all: &[BareEndpoint], kind| all.iter().any(|on| Kind::of(&on.0) == kind);
    let mut problems = Vec::new();
    for kind in [Kind::Streams, Kind::Datagrams] {
        let has_names = kind == Kind::Streams && !table.sni.is_empty();
        let (listens, calls) = (has(&table.listen, kind), has(&table.upstream, kind) || has_names);
        let name = kind.name();
        let is_none_at_all = table.upstream.is_empty() && !has_names;
        if listens && !calls && !is_none_at_all {
            let what = format!("no upstream takes {name}");
            let wrong = Wrong::expected(what, format!("one of {}", kind.schemes()));
            problems.push(key.key("upstream").wrong(with_hint(wrong, &table.upstream, kind)));
        } else if calls && !listens {
            let what = format!("nothing listens for {name}");
            let wrong = Wrong::expected(what, format!("an endpoint of {}", kind.schemes()));
            problems.push(key.key("listen").wrong(with_hint(wrong, &table.listen, kind)));
        }
    }
    let missing = |kind, names: &[(&'static [&'static str], bool)]| {
        let given = names.iter().filter(|(_, is_given)| *is_given && !has(&table.listen, kind));
        let problem = |(names, _): &(&'static [&'static str], bool)| {
            let at = names.iter().fold(key.clone(), |at, name| at.key(name));
            let what = format!("`{}` is for {}", names.join("."), Kind::name(kind));
            at.wrong(Wrong::expected(what, format!("`listen` with {} beside it", kind.schemes())))
        };
        given.map(problem).collect::<Vec<_>>()
    };
    problems.extend(missing(Kind::Datagrams, &table.of_datagrams()));
    problems.extend(missing(Kind::Streams, &table.of_streams()));
    if table.limits.hello_max.is_some() && table.sni.is_empty() {
        let wrong = Wrong::expected("nothing is done with `limits.hello_max`", "`sni` beside it");
        problems.push(key.key("limits").key("hello_max").wrong(wrong));
    }
    problems
}

/// `wrong`, with a hint how the first of `all` that is of TCP, maybe as it has no scheme, is written for
/// datagrams, if it is those that are missing.
fn with_hint(wrong: Wrong, all: &[BareEndpoint], kind: Kind) -> Wrong {
    let of_tcp = all.iter().map(|on| &on.0).find(|on| on.scheme == Scheme::Tcp);
    match of_tcp.filter(|_| kind == Kind::Datagrams) {
        Some(on) => {
            let meant = Endpoint { scheme: Scheme::Udp, ..on.clone() };
            wrong.hint(format!("without `udp://` it is TCP's: {meant} is for datagrams"))
        }
        None => wrong,
    }
}

impl Table {
    /// The keys that mean something for datagrams alone, and whether they are given.
    fn of_datagrams(&self) -> [(&'static [&'static str], bool); 4] {
        let (loss, duplicate, reorder) = self.impair.of_datagrams();
        [
            (&["limits", "senders_max"], self.limits.senders_max.is_some()),
            (&["impair", "loss"], loss),
            (&["impair", "duplicate"], duplicate),
            (&["impair", "reorder"], reorder),
        ]
    }

    /// The keys that mean something for streams alone, and whether they are given.
    fn of_streams(&self) -> [(&'static [&'static str], bool); 10] {
        let (reset_after, close_after, slice) = self.impair.of_streams();
        let limits = &self.limits;
        [
            (&["check_every"], self.check_every.is_some()),
            (&["accept_proxy"], !self.accept_proxy.is_empty()),
            (&["send_proxy"], self.send_proxy.is_some()),
            (&["limits", "connect_max"], limits.connect_max.is_some()),
            (&["limits", "handshake_max"], limits.handshake_max.is_some()),
            (&["limits", "half_closed_max"], limits.half_closed_max.is_some()),
            (&["limits", "total_max"], limits.total_max.is_some()),
            (&["impair", "reset_after"], reset_after),
            (&["impair", "close_after"], close_after),
            (&["impair", "slice"], slice),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_for_what_passes_is_told() {
        let streams = "listen = \"9000\"\nupstream = \"9001\"\n";
        let datagrams = "listen = \"udp://:53\"\nupstream = \"udp://a:53\"\n";
        check(streams, "", &[]);
        check(datagrams, "limits = { senders_max = 5 }\nimpair = { loss = \"1%\" }", &[]);
        check(
            "listen = \"udp://:53\"\nupstream = \"a:53\"",
            "",
            &["nothing listens for streams", "no upstream takes datagrams"],
        );
        let hint = "without `udp://` it is TCP's: udp://127.0.0.1:53 is for datagrams";
        check("listen = \"udp://:5\"\nupstream = \"53\"", "", &["nothing listens", hint]);
        check("listen = \"53\"\nupstream = \"udp://a:5\"", "", &["no upstream takes", hint]);
        let written = "listen = \"tcp://127.0.0.1:53\"\nupstream = \"udp://a:5\"";
        check(written, "", &["no upstream takes", hint]);
        check("listen = [\":53\", \"udp://:53\"]\nupstream = [\"a:53\", \"udp://a:53\"]", "", &[]);
        check(
            "listen = [\":53\", \"udp://:53\"]\nupstream = \"a:53\"",
            "",
            &["no upstream takes datagrams"],
        );
        let lost = "impair = { loss = \"1%\", duplicate = \"1%\", reorder = \"1%\" }";
        check(
            streams,
            lost,
            &[
                "`impair.loss` is for datagrams",
                "`impair.duplicate` is for datagrams",
                "`impair.reorder` is for datagrams",
            ],
        );
        check(streams, "limits = { senders_max = 5 }", &["`limits.senders_max` is for datagrams"]);
        let hello = "limits = { hello_max = \"1s\" }";
        check(streams, hello, &["nothing is done with `limits.hello_max`"]);
        check(streams, &format!("{hello}\nsni = {{ \"a.example\" = \"9001\" }}"), &[]);
        check(
            datagrams,
            "check_every = \"1s\"\nsend_proxy = \"v1\"",
            &["`check_every` is for streams", "`send_proxy` is for streams"],
        );
        check(
            datagrams,
            "impair = { slice = \"1\" }\nlimits = { total_max = \"1s\" }",
            &["`limits.total_max` is for streams", "`impair.slice` is for streams"],
        );
    }

    #[track_caller]
    fn check(ends: &str, rest: &str, expect: &[&str]) {
        let table: Table = toml::from_str(&format!("{ends}\n{rest}")).unwrap();
        let found = mismatches(&table, &KeyPath::of(["relay", "front"]));
        let found: Vec<_> = found.iter().map(|problem| format!("{problem:?}")).collect();
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (found, expect) in found.iter().zip(expect) {
            assert!(found.contains(expect), "{found}");
        }
    }
}
