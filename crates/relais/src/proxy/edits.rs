//! `request = { set, add, remove }` and `response = …`: fields that are changed on their way.

use std::{collections::BTreeMap, fmt};

use clap::Args;
use http::{HeaderName, HeaderValue, header::VIA};
use relais_http::proxy::{Edits as Applied, NotEditable};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::{one_at_least, one_or_more},
};

/// The table, word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table, e.g. `{ set = { x-a = \"1\" }, remove = \"x-b\" }`"
)]
pub(crate) struct Table {
    /// Fields that have this value alone.
    #[serde(default)]
    set: BTreeMap<String, Values>,
    /// Fields that have these values, too.
    #[serde(default)]
    add: BTreeMap<String, Values>,
    /// Fields that are taken off.
    #[serde(default, deserialize_with = "one_or_more")]
    remove: Vec<String>,
}

/// What a field has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct Values(#[serde(deserialize_with = "one_at_least")] Vec<String>);

/// The flags that say the same.
#[derive(Clone, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Header fields")]
pub(crate) struct Flags {
    /// Set a field of requests; may be given again, as all of these
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    request_set: Vec<(String, String)>,
    /// Add a field to requests
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    request_add: Vec<(String, String)>,
    /// Take a field off requests
    #[arg(long, value_name = "NAME")]
    request_remove: Vec<String>,
    /// Set a field of answers
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    response_set: Vec<(String, String)>,
    /// Add a field to answers
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    response_add: Vec<(String, String)>,
    /// Take a field off answers
    #[arg(long, value_name = "NAME")]
    response_remove: Vec<String>,
}

/// Changes to fields, resolved: first some are removed, then some set, then some added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Edits {
    /// Taken off.
    #[serde(serialize_with = "names")]
    pub remove: Vec<HeaderName>,
    /// Have this value alone.
    #[serde(serialize_with = "fields")]
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// Have this value, too.
    #[serde(serialize_with = "fields")]
    pub add: Vec<(HeaderName, HeaderValue)>,
}

impl Flags {
    /// The tables that say the same: of requests, and of answers.
    pub(super) fn tables(self) -> (Table, Table) {
        let Self {
            request_set,
            request_add,
            request_remove,
            response_set,
            response_add,
            response_remove,
        } = self;
        let table = |set, add, remove| Table { set: by_name(set), add: by_name(add), remove };
        (
            table(request_set, request_add, request_remove),
            table(response_set, response_add, response_remove),
        )
    }
}

/// What each field has, in the order in which it was said.
fn by_name(said: Vec<(String, String)>) -> BTreeMap<String, Values> {
    let mut fields = BTreeMap::<_, Values>::new();
    for (name, value) in said {
        fields.entry(name).or_default().0.push(value);
    }
    fields
}

fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, e.g. x-from=relais")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(&self, key: &KeyPath) -> Result<Edits, Vec<Problem>> {
        let Self { set, add, remove } = self;
        let mut problems = Vec::new();
        let mut edits = Edits::default();
        let named = [("set", set, &mut edits.set), ("add", add, &mut edits.add)];
        for (verb, said, planned) in named {
            for (name, values) in said {
                let at = key.key(verb).key(name);
                let read = read_field(&at, (name.as_str(), values));
                let is_lost = |fields: &Vec<_>| verb == "set" && is_again(fields, planned);
                let lost = read.as_ref().is_ok_and(is_lost);
                problems.extend(lost.then(|| at.wrong(set_twice(name))));
                match read {
                    Ok(fields) => planned.extend(fields),
                    Err(found) => problems.extend(found),
                }
            }
        }
        let at = key.key("remove");
        for (index, name) in remove.iter().enumerate() {
            let at = if remove.len() == 1 { at.clone() } else { at.index(index) };
            match read_name(name) {
                Ok(name) => edits.remove.push(name),
                Err(wrong) => problems.push(at.wrong(wrong)),
            }
        }
        if problems.is_empty() { Ok(edits) } else { Err(problems) }
    }
}

/// A field, and what it is to have.
type Field = (HeaderName, HeaderValue);

/// What is said at `at` of one field.
fn read_field(
    at: &KeyPath,
    (name, Values(values)): (&str, &Values),
) -> Result<Vec<Field>, Vec<Problem>> {
    let mut problems = Vec::new();
    let name = read_name(name).map_err(|wrong| problems.push(at.wrong_key(wrong)));
    let mut read = Vec::new();
    for value in values {
        match read_value(value) {
            Ok(value) => read.extend(name.clone().ok().map(|name| (name, value))),
            Err(wrong) => problems.push(at.wrong(wrong)),
        }
    }
    if problems.is_empty() { Ok(read) } else { Err(problems) }
}

/// Whether one of `fields`, which are of one name, follows another of that.
fn is_again(fields: &[Field], before: &[Field]) -> bool {
    let is_there = |name| before.iter().any(|(before, _)| before == name);
    fields.len() > 1 || fields.iter().any(|(name, _)| is_there(name))
}

fn set_twice(name: &str) -> Wrong {
    Wrong::expected(format!("field {name:?} is set twice"), "one value; `add` has several")
}

/// What answers say to caches, or caches of answers.
const READ_BY_CACHES: [&str; 12] = [
    "age",
    "cache-control",
    "cache-group-invalidation",
    "cache-groups",
    "cache-status",
    "cache-tag",
    "cdn-cache-control",
    "expires",
    "no-vary-search",
    "pragma",
    "surrogate-control",
    "surrogate-key",
];

/// A name of a field that may be changed.
fn read_name(text: &str) -> Result<HeaderName, Wrong> {
    let name: HeaderName = text.parse().map_err(|_| {
        Wrong::expected(format!("bad field name {text:?}"), "letters, digits and `-`")
    })?;
    if name == VIA {
        let what = format!("field {:?} is what loops are found by", name.as_str());
        return Err(Wrong::expected(what, "another"));
    }
    Applied::new(vec![name.clone()], Vec::new(), Vec::new())
        .map_err(|error: NotEditable| Wrong::from_error(&error))?;
    Ok(name)
}

fn read_value(text: &str) -> Result<HeaderValue, Wrong> {
    let wrong = |_| Wrong::expected(format!("bad field value {text:?}"), "one line");
    HeaderValue::from_str(text).map_err(wrong)
}

impl Edits {
    /// Whether nothing is changed.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The changes to fields that no cache of ours reads, and those to the others.
    ///
    /// What is done to a field has no part in what is done to another: so both do the same one after
    /// the other as all at once. A cache is to read these as their server sent them; what is taken
    /// off or set of others (`Set-Cookie`, `Vary`, …) is so before it looks.
    pub(super) fn around_cache(&self, target: Option<&str>) -> (Self, Self) {
        let is_read = |name: &HeaderName| {
            READ_BY_CACHES.contains(&name.as_str()) || Some(name.as_str()) == target
        };
        let part = |read: bool| {
            let values = |fields: &[(HeaderName, HeaderValue)]| {
                let fields = fields.iter().filter(|(name, _)| is_read(name) == read);
                fields.cloned().collect()
            };
            let remove = self.remove.iter().filter(|name| is_read(name) == read);
            Self {
                remove: remove.cloned().collect(),
                set: values(&self.set),
                add: values(&self.add),
            }
        };
        (part(false), part(true))
    }

    /// What makes the changes.
    pub(super) fn applied(&self) -> Applied {
        let Self { remove, set, add } = self.clone();
        Applied::new(remove, set, add).expect("names that were asked for before")
    }
}

impl fmt::Display for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { remove, set, add } = self;
        let named = |fields: &[(HeaderName, HeaderValue)]| {
            fields.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()
        };
        let remove = remove.iter().map(ToString::to_string).collect();
        let mut is_first = true;
        for (verb, names) in [("removes", remove), ("sets", named(set)), ("adds", named(add))] {
            if !names.is_empty() {
                let seam = if std::mem::take(&mut is_first) { "" } else { ", " };
                write!(f, "{seam}{verb} {}", names.join(" "))?;
            }
        }
        Ok(())
    }
}

fn names<S: Serializer>(names: &[HeaderName], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter().map(HeaderName::as_str))
}

fn fields<S: Serializer>(
    fields: &[(HeaderName, HeaderValue)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Values {
        One(String),
        Several(Vec<String>),
    }

    let mut by_name = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in fields {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        by_name.entry(name.as_str()).or_default().push(value);
    }
    let values = |values: Vec<String>| match <[String; 1]>::try_from(values) {
        Ok([only]) => Values::One(only),
        Err(several) => Values::Several(several),
    };
    serializer.collect_map(by_name.into_iter().map(|(name, all)| (name, values(all))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cache_reads_is_edited_behind_it() {
        let text = "set = { cache-control = 'no-cache', x-a = '1' }\nadd = { ours = 'b' }\n\
                    remove = ['Surrogate-Key', 'set-cookie', 'cache-status']";
        let table: Table = toml::from_str(text).unwrap();
        let (before, behind) = table.plan(&KeyPath::default()).unwrap().around_cache(Some("ours"));
        assert_eq!(before.to_string(), "removes set-cookie, sets x-a");
        let told = "removes surrogate-key cache-status, sets cache-control, adds ours";
        assert_eq!(behind.to_string(), told);
    }

    #[test]
    fn a_field_is_added_as_often_as_it_is_said_and_set_once() {
        let twice = |name: &str| {
            [("x-b", "1"), (name, "2")].map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        let table = Table { add: by_name(twice("x-b").into()), ..Table::default() };
        let text = "add = { x-b = ['1', '2'] }";
        assert_eq!(table, toml::from_str(text).unwrap());
        let edits = table.plan(&KeyPath::default()).unwrap();
        assert_eq!(edits.add.iter().map(|(_, value)| value).collect::<Vec<_>>(), ["1", "2"]);
        let told = serde_json::to_value(&edits).unwrap();
        assert_eq!(told["add"], serde_json::json!({ "x-b": ["1", "2"] }));
        for name in ["x-b", "X-B"] {
            let table = Table { set: by_name(twice(name).into()), ..Table::default() };
            assert_eq!(table.plan(&KeyPath::default()).unwrap_err().len(), 1);
        }
    }
}
