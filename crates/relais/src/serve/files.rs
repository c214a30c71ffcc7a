//! What a `[serve.NAME]` says of files: every name resolved, nothing opened.

use std::path::{Component, Path, PathBuf};

use http::{HeaderValue, StatusCode};
use relais_http::files::ERROR_STATUSES;
use serde::{Serialize, Serializer};

use super::{CacheRule, Table};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
};

/// Files over HTTP, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Files {
    /// What `/` is.
    pub root: Root,
    /// The files that a folder is answered with; the first that is there counts.
    pub index: Vec<String>,
    /// Whether a folder without such a file is listed.
    pub listing: bool,
    /// The file under the root for a path that has none.
    pub fallback: Option<String>,
    /// Files under the root that go with an error status.
    pub error_pages: Vec<ErrorPage>,
    /// What is said about keeping an answer; the first that matches counts.
    pub cache_control: Vec<CacheControl>,
    /// Whether files whose names begin with a dot are served.
    pub dotfiles: bool,
    /// Whether answers are compressed for those who take that.
    pub compress: bool,
}

/// What `/` is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Root {
    /// A folder.
    Folder(PathBuf),
    /// The pages in this program, `relais:demo`.
    Demo,
}

/// A file that goes with a status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorPage {
    /// One of [`ERROR_STATUSES`].
    #[serde(serialize_with = "number")]
    pub status: StatusCode,
    /// Relative to the root.
    pub file: String,
}

/// What is said about keeping an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CacheControl {
    /// Which paths.
    pub glob: String,
    /// The value of the field.
    #[serde(serialize_with = "text")]
    pub value: HeaderValue,
}

/// How the pages in this program are written as a root.
pub(super) const DEMO: &str = "relais:demo";

/// What the name of everything in this program begins with.
pub(super) const BUILT_IN: &str = "relais:";

/// The file that a folder is answered with, if nothing else is said.
const INDEX: &str = "index.html";

impl Files {
    /// Resolves what the `table` at `key` says of files.
    pub(crate) fn plan(table: &Table, base: &Base, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let table = table.clone();
        let files = Self {
            root: Root::of(&table.root, base),
            index: if table.index.is_empty() { vec![INDEX.to_owned()] } else { table.index },
            listing: table.listing,
            error_pages: error_pages(&table.error_pages, key, &mut problems),
            cache_control: cache_control(table.cache_control, key, &mut problems),
            fallback: table.fallback,
            dotfiles: table.dotfiles,
            compress: table.compress.unwrap_or(true),
        };
        if let Some(file) = files.fallback.as_deref().filter(|file| !is_below(file)) {
            problems.push(key.key("fallback").wrong(outside(file)));
        }
        if problems.is_empty() { Ok(files) } else { Err(problems) }
    }
}

impl std::fmt::Display for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "files: {}", self.root)?;
        if self.index != [INDEX] {
            write!(f, ", index {}", self.index.join(" or "))?;
        }
        if let Some(file) = &self.fallback {
            write!(f, ", fallback {file}")?;
        }
        for page in &self.error_pages {
            write!(f, ", {} {}", page.status.as_u16(), page.file)?;
        }
        let marks = [
            (self.listing, ", folders listed"),
            (self.dotfiles, ", dotfiles too"),
            (!self.compress, ", not compressed"),
        ];
        marks.iter().filter(|(is, _)| *is).try_for_each(|(_, mark)| f.write_str(mark))
    }
}

impl Root {
    fn of(root: &Path, base: &Base) -> Self {
        if root.as_os_str() == DEMO { Self::Demo } else { Self::Folder(base.join(root)) }
    }
}

impl std::fmt::Display for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Demo => f.write_str(DEMO),
        }
    }
}

fn error_pages(
    pages: &std::collections::BTreeMap<String, String>,
    key: &KeyPath,
    problems: &mut Vec<Problem>,
) -> Vec<ErrorPage> {
    let key = key.key("error_pages");
    let mut planned = Vec::new();
    for (status, file) in pages {
        let found = status.parse::<StatusCode>().ok();
        match found.filter(|found| ERROR_STATUSES.contains(&found.as_u16())) {
            None => {
                // Others are not told by files, but by what stands before them.
                let all = ERROR_STATUSES.map(|status| status.to_string()).join(", ");
                let what = format!("bad status {status:?}");
                let wrong = Wrong::expected(what, format!("one that files have: {all}"));
                problems.push(key.key(status).wrong_key(wrong));
            }
            Some(_) if !is_below(file) => problems.push(key.key(status).wrong(outside(file))),
            Some(status) => planned.push(ErrorPage { status, file: file.clone() }),
        }
    }
    planned
}

fn cache_control(
    rules: Vec<CacheRule>,
    key: &KeyPath,
    problems: &mut Vec<Problem>,
) -> Vec<CacheControl> {
    let key = key.key("cache_control");
    let mut planned = Vec::new();
    for (index, CacheRule { glob, value }) in rules.into_iter().enumerate() {
        let at = key.index(index);
        if let Ok(value) = HeaderValue::from_str(&value) {
            planned.push(CacheControl { glob, value });
        } else {
            let wrong = Wrong::expected(format!("bad field value {value:?}"), "one line");
            problems.push(at.key("value").wrong(wrong));
        }
    }
    planned
}

/// Whether `file` can only be below whatever it is joined to.
fn is_below(file: &str) -> bool {
    let file = Path::new(file);
    file.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        && file.file_name().is_some()
}

fn outside(file: &str) -> Wrong {
    Wrong::expected(format!("{file:?} is not below the root"), "a path relative to the root")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

fn text<S: Serializer>(value: &HeaderValue, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&String::from_utf8_lossy(value.as_bytes()))
}
