//! What is wrong with a configuration or a command line, told so that it can be mended.
//!
//! Whoever finds a [`Problem`] knows its key only; [`Complaint`] adds the place in the file.

mod print;

use std::path::{Path, PathBuf};

/// A problem and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Where it is.
    pub place: Place,
    /// Which key has it; empty for the file as a whole.
    pub key: KeyPath,
    /// What is wrong.
    pub wrong: Wrong,
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere in particular: nothing that was said is wrong.
    Nowhere,
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

/// A key of the configuration and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which key.
    pub key: KeyPath,
    /// Which part of it.
    pub part: Part,
    /// What is wrong.
    pub wrong: Wrong,
}

/// A part of an entry of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its key.
    Key,
    /// Its value.
    Value,
}

/// Something wrong that keeps a configuration from being run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// With what it says.
    Within(Problem),
    /// With what it needs, and does not speak of.
    Beside(Box<Complaint>),
}

impl Trouble {
    /// What is wrong.
    pub(crate) fn wrong(&self) -> &Wrong {
        match self {
            Self::Within(problem) => &problem.wrong,
            Self::Beside(complaint) => &complaint.wrong,
        }
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Within(problem)
    }
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

impl Complaint {
    /// About what stands at `flag` of the command line.
    pub fn of_flag(flag: impl Into<String>, wrong: Wrong) -> Self {
        Self { place: Place::Flag(flag.into()), key: KeyPath::default(), wrong }
    }

    /// About nothing that was said.
    pub fn of_nothing_said(wrong: Wrong) -> Self {
        Self { place: Place::Nowhere, key: KeyPath::default(), wrong }
    }

    /// About a file as a whole, or a folder.
    pub fn of_file(path: impl Into<PathBuf>, wrong: Wrong) -> Self {
        Self { place: Place::File(path.into()), key: KeyPath::default(), wrong }
    }
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
        let mut wrong = Self::from_message(&error.to_string());
        let mut cause = error.source();
        while let Some(error) = cause {
            wrong = wrong.because(error);
            cause = error.source();
        }
        wrong
    }

    /// What happened when `path` was asked for.
    pub fn reading(what: &str, path: &Path, error: &std::io::Error) -> Self {
        let what = format!("cannot read {what} {:?}", path.display());
        Self { what, expected: None, hint: None }.because(error).at_home(path)
    }

    /// Adds what `cause` says of it.
    #[must_use]
    pub(crate) fn because(self, cause: &dyn std::error::Error) -> Self {
        let why = plain(&cause.to_string());
        let Self { what, expected, hint } = self;
        let why = match expected {
            Some(expected) => Self { what: why, expected: Some(expected), hint: None },
            None => Self::from_message(&why),
        };
        Self { what: format!("{what}: {}", why.what), expected: why.expected, hint }
    }

    /// Says in a hint that `path` was taken as it is written, if a shell would not have done so.
    #[must_use]
    pub fn at_home(self, path: &Path) -> Self {
        if path.iter().any(|step| step == "~") {
            self.hint("`~` is a folder of that name here: write the home's path in full")
        } else {
            self
        }
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

/// The same, as they come in their file.
pub(crate) fn in_order_of_lines(mut complaints: Vec<Complaint>) -> Vec<Complaint> {
    complaints.sort_by_key(|complaint| match &complaint.place {
        Place::Line(at) => (at.line, at.column),
        Place::File(_) | Place::Flag(_) | Place::Nowhere => (0, 0),
    });
    complaints
}

/// A message of the system as people put it: without its number, and in lower case.
pub(crate) fn plain(message: &str) -> String {
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
pub(crate) fn near<'k>(found: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
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

    /// The tables on the way, and the key at its end; places in lists left out.
    pub fn names(&self) -> Vec<&str> {
        let names = self.0.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        });
        names.collect()
    }

    /// What is wrong with the value there.
    pub fn wrong(&self, wrong: Wrong) -> Problem {
        Problem { key: self.clone(), part: Part::Value, wrong }
    }

    /// What is wrong with its last key itself.
    pub fn wrong_key(&self, wrong: Wrong) -> Problem {
        Problem { key: self.clone(), part: Part::Key, wrong }
    }

    /// Whether there is no step at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_spellings_are_found_and_far_ones_are_not() {
        let known = ["listen", "root", "hosts", "index", "listing"];
        assert_eq!(near("lisen", known), Some("listen"));
        assert_eq!(near("Root", known), Some("root"));
        assert_eq!(near("host", known), Some("hosts"));
        assert_eq!(near("upstream", known), None);
    }
}
