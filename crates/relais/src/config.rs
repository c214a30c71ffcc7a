//! The configuration, word for word: what a file says, or a command line.
//!
//! Nothing is checked here but spelling. What it means is for [`Plan`](crate::Plan) to say.

use std::{
    fs,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use relais_net::open_regular;
use serde::de::DeserializeOwned;
use toml::de::DeValue;

use crate::{
    base::Base,
    complaint::{Complaint, KeyPath, Place, Problem, Wrong, in_order_of_lines},
    document::{Document, Entry, in_order, unknown},
    limits, service, site,
};

/// A configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What paths are relative to.
    pub base: Base,
    /// `[limits]`.
    pub limits: limits::Table,
    /// Each `[serve.NAME]` and `[proxy.NAME]`, in the order of the file.
    pub sites: Vec<(String, site::Table)>,
    /// Each `[hub.NAME]`, `[listen.NAME]` and `[relay.NAME]`, in the order of the file.
    pub services: Vec<(String, service::Table)>,
}

/// Where a configuration comes from, to be read again at a reload.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// A text in this program.
    Embedded {
        /// What the text is called.
        name: &'static str,
        /// The text.
        text: String,
        /// What paths in it are relative to.
        base: Base,
    },
    /// A command line, which says the same whenever it is asked.
    Flags(Box<Config>),
}

/// What a [`Source`] said, and what is needed to show where it said it.
#[derive(Debug)]
pub struct Said {
    /// The configuration.
    pub config: Config,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    File { path: PathBuf, text: String },
    Flags,
}

/// The tables there are.
const TABLES: &[&str] = &["hub", "limits", "listen", "proxy", "relay", "serve"];

/// No configuration is that long; whatever is, is some other file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

impl Source {
    /// The file that it is, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file),
            Self::Embedded { .. } | Self::Flags(_) => None,
        }
    }

    /// Whoever runs it, in words.
    pub(crate) fn runs(&self) -> String {
        match self {
            Self::File(file) => format!("{:?}", file.display()),
            Self::Embedded { .. } => "the demo".to_owned(),
            Self::Flags(config) => {
                let sites = config.sites.iter().map(|(name, table)| (table.verb(), name));
                let services = config.services.iter().map(|(name, table)| (table.verb(), name));
                let titles = sites.chain(services).map(|(verb, name)| format!("{verb} {name}"));
                format!("`{}`, by flags", titles.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Config {
    /// The configuration that asks for nothing yet.
    pub(crate) fn of(base: Base) -> Self {
        Self { base, limits: limits::Table::default(), sites: Vec::new(), services: Vec::new() }
    }

    /// The flag that says what `key` says in a file, if this is a command line: one table.
    fn flag_of(&self, key: &KeyPath) -> Option<&'static str> {
        match (self.sites.first(), self.services.first()) {
            (Some((_, table)), _) => table.flag_of(key),
            (None, Some((_, table))) => table.flag_of(key),
            (None, None) => None,
        }
    }
}

impl Source {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with its spelling.
    pub fn read(&self) -> Result<Said, Vec<Complaint>> {
        match self {
            Self::Flags(config) => Ok(Said { config: (**config).clone(), origin: Origin::Flags }),
            Self::File(path) => {
                let text =
                    read_text(path).map_err(|wrong| vec![Complaint::of_file(path, wrong)])?;
                Said::parse(path.clone(), text)
            }
            Self::Embedded { name, text, base } => {
                Said::parse_in(base.clone(), name.into(), text.clone())
            }
        }
    }
}

impl Said {
    /// Reads `text`, which the file at `path` holds.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with its spelling.
    pub fn parse(path: PathBuf, text: String) -> Result<Self, Vec<Complaint>> {
        let base = Base(path.parent().map(Path::to_owned).unwrap_or_default());
        Self::parse_in(base, path, text)
    }

    /// The same, with paths relative to `base`.
    fn parse_in(base: Base, path: PathBuf, text: String) -> Result<Self, Vec<Complaint>> {
        let document = Document::parse(&path, &text)?;
        let mut complaints = Vec::new();
        let mut config = Config::of(base);
        for entry in document.entries() {
            if let Err(found) = read_table(&document, &entry, &mut config) {
                complaints.extend(found);
            }
        }
        if !complaints.is_empty() {
            return Err(complaints);
        }
        drop(document);
        Ok(Self { config, origin: Origin::File { path, text } })
    }

    /// Shows where these problems are.
    pub fn complaints(&self, problems: Vec<Problem>) -> Vec<Complaint> {
        match &self.origin {
            Origin::File { path, text } => match Document::parse(path, text) {
                Ok(document) => {
                    let complaints = problems.into_iter().map(|found| document.complaint(found));
                    in_order_of_lines(complaints.collect())
                }
                Err(complaints) => complaints,
            },
            Origin::Flags => {
                let complaint = |found| flag_complaint(&self.config, found);
                problems.into_iter().map(complaint).collect()
            }
        }
    }
}

fn read_table(
    document: &Document<'_>,
    (name, span, value): &Entry<'_, '_>,
    config: &mut Config,
) -> Result<(), Vec<Complaint>> {
    let key = KeyPath::of([name]);
    let at = (&key, *value);
    match *name {
        "limits" => config.limits = document.read(&key, value)?,
        "hub" => {
            let all = read_all(document, at, ("hub.main", service::Table::Hub))?;
            config.services.extend(all);
        }
        "listen" => {
            let all = read_all(document, at, ("listen.echo", service::Table::Listen))?;
            config.services.extend(all);
        }
        "relay" => {
            let all = read_all(document, at, ("relay.front", service::Table::Relay))?;
            config.services.extend(all);
        }
        "serve" => {
            config.sites.extend(read_all(document, at, ("serve.site", site::Table::Serve))?);
        }
        "proxy" => {
            config.sites.extend(read_all(document, at, ("proxy.front", site::Table::Proxy))?);
        }
        _ => return Err(vec![document.key_complaint(key, span.clone(), unknown_table(name))]),
    }
    Ok(())
}

/// The tables of one kind, by their names, each as what it is among others.
fn read_all<'t, T: DeserializeOwned, U>(
    document: &Document<'t>,
    (key, value): (&KeyPath, &toml::Spanned<DeValue<'t>>),
    (example, made): (&str, fn(T) -> U),
) -> Result<Vec<(String, U)>, Vec<Complaint>> {
    let tables = read_tables(document, key, value, example)?;
    Ok(tables.into_iter().map(|(name, table)| (name, made(table))).collect())
}

fn unknown_table(name: &str) -> Wrong {
    let wrong = unknown(name, TABLES);
    Wrong { what: wrong.what.replacen("key", "table", 1), ..wrong }
}

/// Reads the tables that stand under `key`, each with a name.
fn read_tables<'t, T: DeserializeOwned>(
    document: &Document<'t>,
    key: &KeyPath,
    value: &toml::Spanned<DeValue<'t>>,
    example: &str,
) -> Result<Vec<(String, T)>, Vec<Complaint>> {
    let expected = format!("tables with names, e.g. `[{example}]`");
    let DeValue::Table(tables) = value.get_ref() else {
        let found = match value.get_ref().type_str() {
            "array" => "list",
            other => other,
        };
        let what = format!("`{key}` is not a table: {found}");
        return Err(vec![document.complaint(key.wrong(Wrong::expected(what, expected)))]);
    };
    let (mut read, mut complaints) = (Vec::new(), Vec::new());
    for (name, span, value) in in_order(tables) {
        let key = key.key(name);
        if name.trim().is_empty() {
            let wrong = Wrong::expected("a table without a name", expected.clone());
            complaints.push(document.key_complaint(key, span, wrong));
            continue;
        }
        if !value.get_ref().is_table() {
            let wrong = Wrong::expected(format!("`{name}` is not a table"), expected.clone());
            complaints.push(document.key_complaint(key, span, wrong));
            continue;
        }
        match document.read(&key, value) {
            Ok(table) => read.push((name.to_owned(), table)),
            Err(found) => complaints.extend(found),
        }
    }
    if complaints.is_empty() { Ok(read) } else { Err(complaints) }
}

/// For those who have no configuration yet.
const START: &str = "\
these lines are a start; `relais up` without any file runs the demo
  [serve.site]
  listen = \"http://127.0.0.1:8080\"
  root = \"site\"";

fn read_text(path: &Path) -> Result<String, Wrong> {
    let reading = |error| Wrong::reading("the configuration", path, &error);
    let about = fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => reading(error).hint(START),
        _ => reading(error),
    })?;
    if about.is_dir() {
        return Err(Wrong::expected(
            format!("{:?} is a folder", path.display()),
            "a configuration file",
        ));
    }
    // Not by the length that the system tells: it may grow meanwhile, and in `/proc` that is 0.
    let mut bytes = Vec::new();
    let file = open_regular(path).map_err(reading)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(reading)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let what = format!("{:?} is too long", path.display());
        return Err(Wrong::expected(what, "a configuration of 1MiB at most"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = String::from_utf8_lossy(&error.as_bytes()[..good]).matches('\n').count() + 1;
        let what = format!("{:?} is not text: bad byte in line {line}", path.display());
        Wrong::expected(what, "UTF-8")
    })
}

/// The same words, told to someone who typed a flag.
fn flag_complaint(config: &Config, Problem { key, part: _, wrong }: Problem) -> Complaint {
    let flag_of = |key: &KeyPath| config.flag_of(key);
    let flag = flag_of(&key).unwrap_or("arguments").to_owned();
    let Wrong { what, expected, hint } = wrong;
    let what = in_flags(&what, &key, flag_of);
    let expected = expected.map(|expected| in_flags(&expected, &key, flag_of));
    Complaint { place: Place::Flag(flag), key, wrong: Wrong { what, expected, hint } }
}

/// What is said at `key`, with flags in the place of keys: of `key` itself, of others of its table,
/// and of the site's.
fn in_flags(
    text: &str,
    key: &KeyPath,
    flag_of: impl Fn(&KeyPath) -> Option<&'static str>,
) -> String {
    let site = KeyPath(key.0.iter().take(2).cloned().collect());
    let table = KeyPath(key.0.iter().take(key.0.len() - 1).cloned().collect());
    let flag = |word: &str| {
        let word = word.strip_suffix(" = true").unwrap_or(word);
        let is_key = |byte: u8| byte.is_ascii_lowercase() || b"_.".contains(&byte);
        let below =
            |table: &KeyPath| word.split('.').fold(table.clone(), |key, step| key.key(step));
        let keys = [below(&table), below(&site)];
        keys.iter().filter(|_| word.bytes().all(is_key)).find_map(&flag_of)
    };
    let words = text.split('`').enumerate().map(|(place, word)| match flag(word) {
        Some(flag) if place % 2 == 1 => flag,
        _ => word,
    });
    words.collect::<Vec<_>>().join("`")
}
