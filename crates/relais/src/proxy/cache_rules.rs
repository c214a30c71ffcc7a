//! `cache.rules = [{ path, bypass, ttl, ignore_origin, key }]`: what is said of some paths.

use std::{collections::BTreeMap, fmt};

use http::HeaderName;
use relais_cache::{Device, KeyParts, Name, Origin, Query, Rule, Storing};
use serde::{Deserialize, Serialize};

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::{Time, one_or_more},
};

/// One of `rules`, word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ path = \"/images\", ttl = \"1d\" }`")]
pub(crate) struct Table {
    /// What the path begins with.
    path: String,
    /// Whether nothing is kept.
    #[serde(default)]
    bypass: bool,
    /// How long an answer is fresh that does not say.
    ttl: Option<Time>,
    /// Whether what answers say of caching does not count.
    ignore_origin: Option<bool>,
    /// What tells answers apart besides the path.
    #[serde(default)]
    key: KeyTable,
}

/// The `key` of a rule, word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ query_drop = \"utm_*\" }`")]
struct KeyTable {
    /// The parameters of the query that count.
    query_keep: Option<Names>,
    /// Those that do not.
    query_drop: Option<Names>,
    /// The fields of the request that count.
    #[serde(default, deserialize_with = "one_or_more")]
    headers: Vec<String>,
    /// The cookies that count.
    #[serde(default, deserialize_with = "one_or_more")]
    cookies: Vec<String>,
    /// What stands in `User-Agent` for each class of clients.
    #[serde(default)]
    devices: BTreeMap<String, Names>,
}

/// One name, or a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct Names(#[serde(deserialize_with = "one_or_more")] Vec<String>);

/// What is said of some paths, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Ruled {
    /// What the path begins with, up to a slash or its end.
    pub(super) path: String,
    /// Whether nothing is kept.
    pub(super) bypass: bool,
    /// How long an answer is fresh that does not say, if that is said.
    pub(super) ttl: Option<Time>,
    /// Whether what answers say of caching does not count, if that is said.
    pub(super) ignore_origin: Option<bool>,
    /// The parameters of the query that count; `None` for all but those that do not.
    pub(super) query_keep: Option<Vec<String>>,
    /// Those that do not.
    pub(super) query_drop: Vec<String>,
    /// The fields of the request that count.
    pub(super) headers: Vec<String>,
    /// The cookies that count.
    pub(super) cookies: Vec<String>,
    /// What stands in `User-Agent` for each class of clients: the first that does counts.
    pub(super) devices: Vec<(String, Vec<String>)>,
}

/// Each of them, and what is wrong with some.
pub(super) fn plan_all(tables: &[Table], key: &KeyPath) -> Result<Vec<Ruled>, Vec<Problem>> {
    let (mut planned, mut problems) = (Vec::new(), Vec::new());
    for (index, table) in tables.iter().enumerate() {
        let at = key.index(index);
        if let Some(wrong) = path_problem(&table.path, &planned) {
            problems.push(at.key("path").wrong(wrong));
        }
        problems.extend(table.problems(&at));
        // It may be there for what comes behind it not to count.
        if table.says_nothing()
            && !tables[index + 1..].iter().any(|other| holds(&other.path, &table.path))
        {
            let expected = "`bypass`, `ttl`, `ignore_origin` or `key`";
            let wrong = Wrong::expected("a rule that says nothing", expected);
            problems.push(at.key("path").wrong_key(wrong));
        }
        planned.push(table.ruled());
    }
    if problems.is_empty() { Ok(planned) } else { Err(problems) }
}

impl Table {
    fn says_nothing(&self) -> bool {
        let Self { path: _, bypass, ttl, ignore_origin, key } = self;
        !bypass && ttl.is_none() && ignore_origin.is_none() && *key == KeyTable::default()
    }

    fn problems(&self, at: &KeyPath) -> Vec<Problem> {
        let Self { path: _, bypass, ttl, ignore_origin, key } = self;
        let mut problems = Vec::new();
        let said = [
            ("ttl", ttl.is_some()),
            ("ignore_origin", ignore_origin.is_some()),
            ("key", *key != KeyTable::default()),
        ];
        for (name, _) in said.into_iter().filter(|(_, is_said)| *bypass && *is_said) {
            let what = format!("nothing is done with `{name}` beside `bypass`");
            problems.push(at.key(name).wrong_key(Wrong::expected(what, "one of them")));
        }
        problems.extend(key.problems(&at.key("key")));
        problems
    }

    fn ruled(&self) -> Ruled {
        let Self { path, bypass, ttl, ignore_origin, key } = self.clone();
        let KeyTable { query_keep, query_drop, headers, cookies, devices } = key;
        let names = |names: Names| names.0;
        Ruled {
            path,
            bypass,
            ttl,
            ignore_origin,
            query_keep: query_keep.map(names),
            query_drop: query_drop.map(names).unwrap_or_default(),
            headers,
            cookies,
            devices: devices.into_iter().map(|(name, words)| (name, words.0)).collect(),
        }
    }
}

impl KeyTable {
    fn problems(&self, at: &KeyPath) -> Vec<Problem> {
        let Self { query_keep, query_drop, headers, cookies, devices } = self;
        let mut problems = Vec::new();
        if query_keep.is_some() && query_drop.is_some() {
            let what = "nothing is done with `query_drop` beside `query_keep`";
            problems.push(at.key("query_drop").wrong_key(Wrong::expected(what, "one of them")));
        }
        let names = |key: &str, names: &[String], wrong: fn(&str) -> Option<Wrong>| {
            let at = at.key(key);
            let place = |index| if names.len() == 1 { at.clone() } else { at.index(index) };
            let wrongs = names.iter().enumerate();
            wrongs
                .filter_map(|(index, name)| Some(place(index).wrong(wrong(name)?)))
                .collect::<Vec<_>>()
        };
        let of = |names: &Option<Names>| names.clone().map(|names| names.0).unwrap_or_default();
        problems.extend(names("query_keep", &of(query_keep), bad_parameter));
        problems.extend(names("query_drop", &of(query_drop), bad_parameter));
        problems.extend(names("headers", headers, bad_header));
        problems.extend(names("cookies", cookies, bad_cookie));
        for (name, Names(words)) in devices {
            if words.is_empty() || words.iter().any(|word| word.trim().is_empty()) {
                let what = format!("nothing tells a {name:?}");
                let expected = "words of `User-Agent`, e.g. [\"iPhone\", \"Android\"]";
                problems.push(at.key("devices").key(name).wrong(Wrong::expected(what, expected)));
            }
        }
        problems
    }
}

/// Whether all that a rule for `path` is for, one for `other` is for, too.
fn holds(other: &str, path: &str) -> bool {
    let other = other.trim_matches('/');
    let rest = path.trim_matches('/').strip_prefix(other);
    other.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What is wrong with the `path` of a rule that comes behind those `before`.
fn path_problem(path: &str, before: &[Ruled]) -> Option<Wrong> {
    let what = || format!("bad path {path:?}");
    if path.starts_with('/') && path.contains(['?', '#']) {
        let wrong = Wrong::expected(what(), "a path, without what is behind a `?` or `#`");
        return Some(
            wrong.hint("`key.query_keep` and `key.query_drop` say what of a query counts"),
        );
    }
    if path.contains('*') {
        let wrong = Wrong::expected(what(), "a path without `*`");
        return Some(
            wrong.hint("a rule is for its path and all below: \"/img\" is for \"/img/a.png\""),
        );
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"%\\".contains(&byte);
    let steps = path.strip_prefix('/').map(|steps| steps.strip_suffix('/').unwrap_or(steps));
    let is_odd = |steps: &str| {
        !steps.is_empty() && steps.split('/').any(|step| matches!(step, "" | "." | ".."))
    };
    if steps.is_none_or(|steps| !path.bytes().all(is_plain) || is_odd(steps)) {
        return Some(Wrong::expected(what(), "one that begins with a slash, e.g. \"/images\""));
    }
    let first = before.iter().find(|other| holds(&other.path, path))?;
    let what = format!("{path:?} is never asked for: {:?} before it takes all", first.path);
    Some(Wrong::expected(what, "the longer path first"))
}

/// Whether the word of an origin counts that is to be ignored, or not.
pub(super) fn origin(ignored: bool) -> Origin {
    if ignored { Origin::Ignored } else { Origin::Heard }
}

fn bad_parameter(name: &str) -> Option<Wrong> {
    let bare = name.strip_suffix('*').unwrap_or(name);
    let is_plain = bare.bytes().all(|byte| byte.is_ascii_graphic() && !b"*&=?#".contains(&byte));
    let what = || format!("bad parameter {name:?}");
    let expected = "a name as it stands in URLs, or how it begins, e.g. \"utm_*\"";
    (name.is_empty() || !is_plain).then(|| Wrong::expected(what(), expected))
}

fn bad_header(name: &str) -> Option<Wrong> {
    let what = || format!("bad field name {name:?}");
    name.parse::<HeaderName>().is_err().then(|| Wrong::expected(what(), "letters, digits and `-`"))
}

fn bad_cookie(name: &str) -> Option<Wrong> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"=;,\"\\".contains(&byte);
    let what = || format!("bad cookie {name:?}");
    (name.is_empty() || !name.bytes().all(is_plain))
        .then(|| Wrong::expected(what(), "its name, e.g. \"lang\""))
}

impl fmt::Display for Ruled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            bypass,
            ttl,
            ignore_origin,
            query_keep,
            query_drop,
            headers,
            cookies,
            devices,
        } = self;
        let key = [
            ("query_keep", query_keep.is_some()),
            ("query_drop", !query_drop.is_empty()),
            ("headers", !headers.is_empty()),
            ("cookies", !cookies.is_empty()),
            ("devices", !devices.is_empty()),
        ];
        let says = [
            bypass.then(|| "bypass".to_owned()),
            ttl.map(|ttl| format!("ttl {ttl}")),
            ignore_origin.map(|ignored| format!("ignore_origin {ignored}")),
        ];
        let key = key.into_iter().filter(|(_, is_said)| *is_said);
        let says = says.into_iter().flatten().chain(key.map(|(name, _)| format!("key.{name}")));
        write!(f, "{path}: {}", says.collect::<Vec<_>>().join(", "))
    }
}

impl Ruled {
    /// What a cache is told.
    pub(super) fn rule(&self) -> Rule {
        let Self { path, bypass, ttl, ignore_origin, .. } = self.clone();
        let names = |names: Vec<String>| names.into_iter().map(Name).collect::<Vec<_>>();
        let query = match (self.query_keep.clone(), self.query_drop.clone()) {
            (Some(kept), _) => Query::Kept(names(kept)),
            (None, dropped) if dropped.is_empty() => Query::All,
            (None, dropped) => Query::Dropped(names(dropped)),
        };
        let devices = self.devices.iter().cloned();
        let headers = self.headers.iter();
        Rule {
            path,
            storing: if bypass { Storing::Bypassed } else { Storing::Usual },
            ttl: ttl.map(|Time(ttl)| ttl),
            origin: ignore_origin.map(origin),
            parts: KeyParts {
                query,
                headers: headers.map(|name| name.parse().expect("a name, read before")).collect(),
                cookies: self.cookies.clone(),
                devices: devices.map(|(name, words)| Device { name, words }).collect(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rules_are_what_they_say() {
        let text = "path = '/images'\nttl = '1d'\nignore_origin = true\n\
                    key = { query_drop = 'utm_*', headers = 'X-Country', cookies = ['lang'], \
                    devices = { mobile = ['iPhone', 'Android'], tablet = 'iPad' } }";
        let device = |name: &str, words: &[&str]| Device {
            name: name.to_owned(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        let expect = Rule {
            path: "/images".to_owned(),
            storing: Storing::Usual,
            ttl: Some(Duration::from_hours(24)),
            origin: Some(Origin::Ignored),
            parts: KeyParts {
                query: Query::Dropped(vec![Name("utm_*".to_owned())]),
                headers: vec![HeaderName::from_static("x-country")],
                cookies: vec!["lang".to_owned()],
                devices: vec![
                    device("mobile", &["iPhone", "Android"]),
                    device("tablet", &["iPad"]),
                ],
            },
        };
        assert_eq!(planned(&[text]).unwrap(), [expect]);
        let kept = planned(&["path = '/'\nkey.query_keep = []"]).unwrap();
        assert_eq!(kept[0].parts.query, Query::Kept(Vec::new()));
        assert_eq!(planned(&["path = '/a'\nbypass = true"]).unwrap()[0].storing, Storing::Bypassed);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for path in ["a", "/a%20b", "/a/../b", "/a?b=c", "/a#b", "/a*", "*"] {
            let text = format!("path = '{path}'\nbypass = true");
            check(&[&text], &format!("[0].path: bad path {path:?}"));
        }
        check(&["path = '/a'"], "[0].path: a rule that says nothing");
        assert!(planned(&["path = '/a/b'", "path = '/a'\nttl = '1d'"]).is_ok());
        let never = "[1].path: \"/a/b\" is never asked for: \"/a\" before it takes all";
        let bypass = |path: &str| format!("path = '{path}'\nbypass = true");
        check(&[&bypass("/a"), &bypass("/a/b")], never);
        let never = "[1].path: \"/b\" is never asked for: \"/\" before it takes all";
        check(&[&bypass("/"), &bypass("/b")], never);
        let beside = "[0].ttl: nothing is done with `ttl` beside `bypass`";
        check(&["path = '/'\nbypass = true\nttl = '1s'"], beside);
        let beside = "[0].key.query_drop: nothing is done with `query_drop` beside `query_keep`";
        check(&["path = '/'\nkey = { query_keep = 'a', query_drop = 'b' }"], beside);
        let bad = "[0].key.query_drop[1]: bad parameter \"a=b\"";
        check(&["path = '/'\nkey = { query_drop = ['*', 'a=b'] }"], bad);
        check(
            &["path = '/'\nkey = { headers = 'a b' }"],
            "[0].key.headers: bad field name \"a b\"",
        );
        check(&["path = '/'\nkey = { cookies = 'a=b' }"], "[0].key.cookies: bad cookie \"a=b\"");
        let nothing = "[0].key.devices.tv: nothing tells a \"tv\"";
        check(&["path = '/'\nkey = { devices = { tv = [] } }"], nothing);
    }

    #[track_caller]
    fn check(tables: &[&str], expect: &str) {
        let problems = planned(tables).unwrap_err();
        let told: Vec<_> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.key, problem.wrong.what))
            .collect();
        assert_eq!(told, [expect.to_owned()], "for {tables:?}");
        assert!(problems[0].wrong.expected.is_some(), "for {tables:?}");
    }

    fn planned(tables: &[&str]) -> Result<Vec<Rule>, Vec<Problem>> {
        let tables: Vec<Table> = tables.iter().map(|text| toml::from_str(text).unwrap()).collect();
        let ruled = plan_all(&tables, &KeyPath::default())?;
        Ok(ruled.iter().map(Ruled::rule).collect())
    }
}
