//! What is wrong with a configuration or a command line, told so that it can be mended.
//!
//! Whoever finds a [`Problem`] knows its key only; [`Complaint`] adds the place in the file.

use std::{fmt, path::PathBuf};

use serde::Serialize;

/// A problem and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Where it is.
    pub place: Place,
    /// Which key has it; empty for the file as a whole.
    pub key: KeyPath,
    /// What is wrong.
    pub fault: Wrong,
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the command line, in this flag or argument.
    Flag(String),
    /// In a file, no matter where.
    File(PathBuf),
    /// In a line of a file.
    Line(Line),
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// All of the line.
    pub text: String,
    /// How many characters of it are meant.
    pub width: usize,
}

/// What is wrong, without its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What was found, its value in `{:?}`.
    pub what: String,
    /// What was expected instead.
    pub expected: Option<String>,
    /// What could be done about it.
    pub hint: Option<String>,
}

/// A key of the configuration and what is wrong with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which key.
    pub key: KeyPath,
    /// What is wrong.
    pub fault: Wrong,
}

/// The way to a value: `serve.site.listen[1]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPath(pub Vec<Step>);

/// One step of a [`KeyPath`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a table.
    Key(String),
    /// Into a list.
    Index(usize),
}

impl Wrong {
    /// Takes a message of the form `what: expected …` or `what, expected …` apart.
    pub fn from_message(message: &str) -> Self {
        let split = [": expected ", ", expected "].iter().find_map(|seam| message.split_once(seam));
        let (what, expected) = match split {
            Some((what, expected)) => (what, Some(expected.to_owned())),
            None => (message, None),
        };
        Self { what: what.to_owned(), expected, hint: None }
    }

    /// Something that should have been `expected`.
    pub fn expected(what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { what: what.into(), expected: Some(expected.into()), hint: None }
    }

    /// Adds what could be done about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What `error` says, and what it says of its cause.
    pub fn from_error(error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message += ": ";
            message += &plain(&error.to_string());
            cause = error.source();
        }
        Self::from_message(&message)
    }

    /// What happened when `path` was asked for.
    pub fn reading(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let why = plain(&error.to_string());
        let what = format!("cannot read {what} {:?}: {why}", path.display());
        Self { what, expected: None, hint: None }
    }

    /// Says in a hint which of `known` is spelled much like `found`, if one is.
    #[must_use]
    pub fn near<'k>(self, found: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        match near(found, known) {
            Some(meant) => self.hint(did_you_mean(meant)),
            None => self,
        }
    }
}

/// A message of the system as people put it: without its number, and in lower case.
fn plain(message: &str) -> String {
    let words = message.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    match letters.next() {
        Some(first) if message.len() > words.len() => first.to_lowercase().chain(letters).collect(),
        _ => words.to_owned(),
    }
}

/// The hint for someone who likely meant `meant`.
pub(crate) fn did_you_mean(meant: &str) -> String {
    format!("did you mean `{meant}`?")
}

/// Which of `known` is spelled most like `found`, if one is close.
fn near<'k>(found: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let likeness = |name: &str| strsim::jaro_winkler(&found.to_lowercase(), name);
    known
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > LIKENESS_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// From here on two spellings may be taken for one another; `rot` and `root` have 0.93.
const LIKENESS_MIN: f64 = 0.8;

impl KeyPath {
    /// The way through these tables.
    pub fn of<const N: usize>(keys: [&str; N]) -> Self {
        Self(keys.into_iter().map(|key| Step::Key(key.to_owned())).collect())
    }

    /// One step further, into a table.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.to_owned()));
        Self(steps)
    }

    /// One step further, into a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(index));
        Self(steps)
    }

    /// What is wrong with the value there.
    pub fn wrong(&self, fault: Wrong) -> Problem {
        Problem { key: self.clone(), fault }
    }

    /// Whether there is no step at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    let dot = if place == 0 { "" } else { "." };
                    let bare = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
                    if !key.is_empty() && key.chars().all(bare) {
                        write!(f, "{dot}{key}")?;
                    } else {
                        write!(f, "{dot}{key:?}")?;
                    }
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Complaint {
    /// Several lines, without a line end after the last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, fault: Wrong { what, expected, hint } } = self;
        write!(f, "error: {what}")?;
        match place {
            Place::Flag(flag) => write!(f, "\n --> command line: {flag}")?,
            Place::File(file) => write!(f, "\n --> {}", file.display())?,
            Place::Line(line) => {
                return fmt_line(f, line, key, expected.as_deref(), hint.as_deref());
            }
        }
        if let Some(expected) = expected {
            write!(f, "\n  = expected {expected}")?;
        }
        fmt_tail(f, "", &KeyPath::default(), hint.as_deref())
    }
}

fn fmt_line(
    f: &mut fmt::Formatter<'_>,
    at: &Line,
    key: &KeyPath,
    expected: Option<&str>,
    hint: Option<&str>,
) -> fmt::Result {
    let Line { file, line, column, text, width } = at;
    let margin = " ".repeat(line.to_string().len());
    // Tabs stay tabs under themselves, so that the carets stand right whatever their width.
    let indent: String =
        text.chars().take(column - 1).map(|c| if c == '\t' { c } else { ' ' }).collect();
    let carets = "^".repeat((*width).max(1));
    write!(f, "\n{margin}--> {}:{line}:{column}", file.display())?;
    write!(f, "\n{margin} |\n{line} | {text}\n{margin} | {indent}{carets}")?;
    if let Some(expected) = expected {
        write!(f, " expected {expected}")?;
    }
    fmt_tail(f, &margin, key, hint)
}

fn fmt_tail(
    f: &mut fmt::Formatter<'_>,
    margin: &str,
    key: &KeyPath,
    hint: Option<&str>,
) -> fmt::Result {
    if !key.is_empty() {
        write!(f, "\n{margin} = key: {key}")?;
    }
    match hint {
        Some(hint) => write!(f, "\nhint: {hint}"),
        None => Ok(()),
    }
}

impl Serialize for Complaint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Flat<'c> {
            file: Option<&'c std::path::Path>,
            flag: Option<&'c str>,
            line: Option<usize>,
            column: Option<usize>,
            key: String,
            problem: &'c str,
            expected: Option<&'c str>,
            hint: Option<&'c str>,
        }
        let (file, flag, line) = match &self.place {
            Place::Flag(flag) => (None, Some(flag.as_str()), None),
            Place::File(file) => (Some(file.as_path()), None, None),
            Place::Line(line) => (Some(line.file.as_path()), None, Some(line)),
        };
        let Wrong { what, expected, hint } = &self.fault;
        Flat {
            file,
            flag,
            line: line.map(|line| line.line),
            column: line.map(|line| line.column),
            key: self.key.to_string(),
            problem: what,
            expected: expected.as_deref(),
            hint: hint.as_deref(),
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_shows_the_line_and_what_is_meant() {
        let complaint = Complaint {
            place: Place::Line(Line {
                file: "relais.toml".into(),
                line: 12,
                column: 2,
                text: "\trot = \"files\"".to_owned(),
                width: 3,
            }),
            key: KeyPath::of(["serve", "my site", "rot"]),
            fault: Wrong::from_message("unknown key `rot`, expected one of `listen`, `root`")
                .near("rot", ["listen", "root"]),
        };
        let expect = "error: unknown key `rot`\n\
                      \u{20} --> relais.toml:12:2\n\
                      \u{20}  |\n\
                      12 | \trot = \"files\"\n\
                      \u{20}  | \t^^^ expected one of `listen`, `root`\n\
                      \u{20}  = key: serve.\"my site\".rot\n\
                      hint: did you mean `root`?";
        assert_eq!(complaint.to_string(), expect);
    }

    #[test]
    fn a_flag_has_no_line() {
        let complaint = Complaint {
            place: Place::Flag("--cert".to_owned()),
            key: KeyPath::of(["serve", "files", "tls", "cert"]),
            fault: Wrong::expected("a certificate without its key", "`--key` beside it"),
        };
        let expect = "error: a certificate without its key\n --> command line: --cert\n  \
                      = expected `--key` beside it";
        assert_eq!(complaint.to_string(), expect);
    }

    #[test]
    fn near_spellings_are_found_and_far_ones_are_not() {
        let known = ["listen", "root", "hosts", "index", "listing"];
        assert_eq!(near("lisen", known), Some("listen"));
        assert_eq!(near("Root", known), Some("root"));
        assert_eq!(near("host", known), Some("hosts"));
        assert_eq!(near("upstream", known), None);
    }
}
