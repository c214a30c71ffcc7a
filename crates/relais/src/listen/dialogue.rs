//! What `[listen.NAME]` means.

use std::{fmt, path::PathBuf, time::Duration};

use relais_net::Scheme;
use serde::Serialize;

use super::{Role, Style, Table};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    spelling::{BareEndpoint, Size, Time, strange_origin},
};

/// A dialogue, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dialogue {
    /// What it does with what comes.
    #[serde(rename = "as")]
    pub role: Role,
    /// The word that ends the server, or a dialogue; `None` is the usual one of the role.
    pub until: Option<String>,
    /// What `ack` answers.
    pub reply: String,
    /// The file that `ack` answers instead.
    pub reply_file: Option<PathBuf>,
    /// How messages are shown.
    pub style: Style,
    /// Whether the two sides of a talk speak in turns.
    pub turns: bool,
    /// How long a caller may be silent.
    pub(crate) idle_max: Time,
    /// How long a line may be.
    pub(crate) line_max: Size,
    /// How many may be notified.
    pub subscribers_max: usize,
    /// How long somebody is notified who is not heard of any more.
    pub(crate) lease: Time,
    /// Pages of which other sites may open a WebSocket here.
    pub origins: Vec<String>,
}

/// Whether something is shown on standard output while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// Nothing.
    Nothing,
    /// What callers say.
    Messages,
    /// A person's side of a talk.
    Talk,
}

/// What `ack` answers that was told nothing else.
const REPLY: &str = "Message reçu";

const IDLE_MAX: Time = Time(Duration::from_mins(10));
const LINE_MAX: Size = Size(64 << 10);
const SUBSCRIBERS_MAX: usize = 1_000;
const LEASE: Time = Time(Duration::from_mins(5));

/// A line that is longer is none: it takes so much memory for each caller.
const LINE_MAX_MAX: Size = Size(16 << 20);

impl Dialogue {
    /// Resolves `table`, which stands at `key`.
    pub(crate) fn plan(table: &Table, base: &Base, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        // Where it is to be found is for the plan as a whole to say.
        let Table {
            on,
            role,
            until,
            reply,
            reply_file,
            style,
            turns,
            idle_max,
            line_max,
            subscribers_max,
            lease,
            origins,
            tls: _,
        } = table;
        let mut problems = misplaced(table, key);
        problems.extend(sizes(table, key));
        problems.extend(strange_origins(table, key));
        if *role == Role::Notify {
            problems.extend(one_sided(on).map(|wrong| key.key("on").wrong(wrong)));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            role: *role,
            until: until.clone(),
            reply: reply.clone().unwrap_or_else(|| REPLY.to_owned()),
            reply_file: reply_file.as_ref().map(|file| base.join(file)),
            style: style.unwrap_or(Style::Plain),
            turns: *turns,
            idle_max: idle_max.unwrap_or(IDLE_MAX),
            line_max: line_max.unwrap_or(LINE_MAX),
            subscribers_max: subscribers_max.unwrap_or(SUBSCRIBERS_MAX),
            lease: lease.unwrap_or(LEASE),
            origins: origins.clone(),
        })
    }

    /// What is shown while it runs.
    pub(crate) fn shows(&self) -> Shows {
        match self.role {
            Role::Print | Role::Ack => Shows::Messages,
            Role::Talk => Shows::Talk,
            Role::Echo | Role::Upper | Role::Calc | Role::Notify => Shows::Nothing,
        }
    }
}

/// The keys that mean nothing to this role.
fn misplaced(table: &Table, key: &KeyPath) -> Vec<Problem> {
    let is = |roles: &[Role]| roles.contains(&table.role);
    let keys = [
        ("until", table.until.is_some() && is(&[Role::Notify]), "another role than `notify`"),
        ("reply", table.reply.is_some() && !is(&[Role::Ack]), "`ack`"),
        ("reply_file", table.reply_file.is_some() && !is(&[Role::Ack]), "`ack`"),
        ("style", table.style.is_some() && !is(&[Role::Print, Role::Ack]), "`print` or `ack`"),
        ("turns", table.turns && !is(&[Role::Talk]), "`talk`"),
        ("subscribers_max", table.subscribers_max.is_some() && !is(&[Role::Notify]), "`notify`"),
        ("lease", table.lease.is_some() && !is(&[Role::Notify]), "`notify`"),
    ];
    let is_raw = table.style == Some(Style::Raw);
    let mut problems = Vec::new();
    let mut wrong = |name, what: &str, expected: &str| {
        problems.push(key.key(name).wrong(Wrong::expected(what, expected)));
    };
    if is_raw && is(&[Role::Ack]) {
        wrong("style", "`raw` means nothing to `ack`", "`print`");
    }
    if is_raw && table.until.is_some() {
        wrong("until", "`until` means nothing to bytes that are no messages", "another style");
    }
    if table.reply.is_some() && table.reply_file.is_some() {
        wrong("reply_file", "there is a `reply` already", "one of both");
    }
    let wrong = keys.into_iter().filter(|(_, is_misplaced, _)| *is_misplaced);
    let problem = |(name, _, of): (&str, bool, &str)| {
        let what = format!("`{name}` means nothing to `{}`", table.role.name());
        key.key(name).wrong(Wrong::expected(what, of))
    };
    problems.extend(wrong.map(problem));
    problems
}

/// The numbers that cannot be.
fn sizes(table: &Table, key: &KeyPath) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(size) = table.line_max.filter(|size| *size < Size(1) || *size > LINE_MAX_MAX) {
        let what = format!("no lines of {size}");
        let expected = format!("1 B to {LINE_MAX_MAX}");
        problems.push(key.key("line_max").wrong(Wrong::expected(what, expected)));
    }
    for (name, time) in [("idle_max", table.idle_max), ("lease", table.lease)] {
        if let Some(time) = time.filter(|Time(time)| *time < Duration::from_secs(1)) {
            let what = format!("`{name}` is too short: {:?}", time.to_string());
            problems.push(key.key(name).wrong(Wrong::expected(what, "1s or more")));
        }
    }
    problems
}

/// The origins that no browser ever sends, and all of them where there is no WebSocket.
fn strange_origins(table: &Table, key: &KeyPath) -> Vec<Problem> {
    let Table { on, origins, .. } = table;
    let is_web_socket =
        |BareEndpoint(on): &BareEndpoint| matches!(on.scheme, Scheme::Ws | Scheme::Wss);
    if !origins.is_empty() && !on.iter().any(is_web_socket) {
        let wrong =
            Wrong::expected("`origins` means nothing here", "an endpoint of ws:// or wss://");
        return vec![key.key("origins").wrong(wrong)];
    }
    let strange = origins.iter().filter_map(|origin| strange_origin(origin));
    strange.map(|wrong| key.key("origins").wrong(wrong)).collect()
}

/// What is missing where nobody could be notified, or nobody notify.
fn one_sided(on: &[BareEndpoint]) -> Option<Wrong> {
    let by_datagrams = on.iter().filter(|BareEndpoint(on)| on.scheme == Scheme::Udp).count();
    let (what, expected) = match by_datagrams {
        0 => ("nobody could be notified", "a udp:// endpoint, too"),
        all if all == on.len() => ("nobody could notify", "an endpoint of streams, too"),
        _ => return None,
    };
    let hint = "`notify` hears lines by tcp and tells them by udp";
    Some(Wrong::expected(what, expected).hint(hint))
}

impl Role {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Print => "print",
            Self::Ack => "ack",
            Self::Echo => "echo",
            Self::Upper => "upper",
            Self::Calc => "calc",
            Self::Talk => "talk",
            Self::Notify => "notify",
        }
    }
}

impl fmt::Display for Dialogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.role.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a table, as flags would have it.
    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let table: Table = toml::from_str(text).unwrap();
        let key = KeyPath::of(["listen", "a"]);
        let planned = Dialogue::plan(&table, &Base(PathBuf::new()), &key);
        let problems = planned.err().unwrap_or_default();
        let told: Vec<_> = problems
            .iter()
            .map(|Problem { key, wrong, .. }| {
                format!("{key}: {}: {}", wrong.what, wrong.expected.as_deref().unwrap_or_default())
            })
            .collect();
        assert_eq!(told, expect);
    }

    #[test]
    fn keys_of_other_roles_are_refused() {
        check("on = '1'\nas = 'ack'\nreply = 'x'\nstyle = 'lab'\nuntil = 'bye'", &[]);
        check(
            "on = '1'\nas = 'echo'\nreply = 'x'\nstyle = 'lab'\nturns = true",
            &[
                "listen.a.reply: `reply` means nothing to `echo`: `ack`",
                "listen.a.style: `style` means nothing to `echo`: `print` or `ack`",
                "listen.a.turns: `turns` means nothing to `echo`: `talk`",
            ],
        );
        check(
            "on = '1'\nas = 'calc'\nlease = '1m'\nsubscribers_max = 1",
            &[
                "listen.a.subscribers_max: `subscribers_max` means nothing to `calc`: `notify`",
                "listen.a.lease: `lease` means nothing to `calc`: `notify`",
            ],
        );
    }

    #[test]
    fn what_is_received_raw_has_no_messages() {
        check("on = '1'\nstyle = 'raw'", &[]);
        check(
            "on = '1'\nas = 'ack'\nstyle = 'raw'\nuntil = 'x'\nreply = 'a'\nreply_file = 'b'",
            &[
                "listen.a.style: `raw` means nothing to `ack`: `print`",
                "listen.a.until: `until` means nothing to bytes that are no messages: another style",
                "listen.a.reply_file: there is a `reply` already: one of both",
            ],
        );
    }

    #[test]
    fn limits_have_limits() {
        check(
            "on = '1'\nas = 'echo'\nidle_max = '10ms'\nline_max = '17MiB'",
            &[
                "listen.a.line_max: no lines of 17MiB: 1 B to 16MiB",
                "listen.a.idle_max: `idle_max` is too short: \"10ms\": 1s or more",
            ],
        );
        check(
            "on = '1'\nas = 'echo'\nline_max = 0",
            &["listen.a.line_max: no lines of 0B: 1 B to 16MiB"],
        );
    }

    #[test]
    fn origins_are_as_browsers_send_them() {
        let fine = "['*', 'null', 'http://a.example', 'https://a.example:8443', 'http://[::1]:1']";
        check(&format!("on = 'ws://:1'\nas = 'echo'\norigins = {fine}"), &[]);
        let expected =
            "a scheme, a host and perhaps a port, e.g. \"http://a.example:8080\", or \"*\"";
        for wrong in ["a.example", "http://a.example/", "http://a.example:80", "http://"] {
            let told = format!("listen.a.origins: no origin of a page: {wrong:?}: {expected}");
            check(&format!("on = 'ws://:1'\nas = 'echo'\norigins = ['{wrong}']"), &[&told]);
        }
        check(
            "on = '1'\nas = 'echo'\norigins = ['*']",
            &["listen.a.origins: `origins` means nothing here: an endpoint of ws:// or wss://"],
        );
    }

    #[test]
    fn notify_needs_both_sides() {
        check("on = ['1', 'udp://:2']\nas = 'notify'", &[]);
        check(
            "on = '1'\nas = 'notify'",
            &["listen.a.on: nobody could be notified: a udp:// endpoint, too"],
        );
        check(
            "on = 'udp://:1'\nas = 'notify'",
            &["listen.a.on: nobody could notify: an endpoint of streams, too"],
        );
    }
}
