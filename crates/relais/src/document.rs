//! A TOML text whose every key and value still knows where it stands.

use std::{ops::Range, path::Path};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use crate::complaint::{
    Complaint, KeyPath, Line, Part, Place, Problem, Step, Wrong, did_you_mean, in_order_of_lines,
};

/// The text of a configuration file, taken apart.
#[derive(Debug)]
pub(crate) struct Document<'t> {
    file: &'t Path,
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

/// A key that was found, with its value.
pub(crate) type Entry<'d, 't> = (&'d str, Range<usize>, &'d Spanned<DeValue<'t>>);

/// How many syntax errors are told at once; after a few they are mostly echoes.
const SYNTAX_ERRORS_MAX: usize = 3;

impl<'t> Document<'t> {
    /// Reads `text`, which `file` holds.
    pub(crate) fn parse(file: &'t Path, text: &'t str) -> Result<Self, Vec<Complaint>> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self { file, text, root };
        if errors.is_empty() {
            return Ok(document);
        }
        let complain = |error: &toml::de::Error| {
            let span = error.span().unwrap_or_default();
            let wrong = match error.message() {
                "duplicate key" => {
                    let key = text.get(span.clone()).unwrap_or_default();
                    Wrong::expected(format!("key `{key}` twice"), "it once")
                }
                message => Wrong::from_message(message),
            };
            let place = document.place(span);
            Complaint { place, key: KeyPath::default(), wrong }
        };
        Err(errors.iter().take(SYNTAX_ERRORS_MAX).map(complain).collect())
    }

    /// The tables and values at the top, in the order of the file.
    pub(crate) fn entries(&self) -> Vec<Entry<'_, 't>> {
        in_order(self.root.get_ref())
    }

    /// Where `problem` is.
    pub(crate) fn complaint(&self, problem: Problem) -> Complaint {
        let Problem { key, part, wrong } = problem;
        Complaint { place: self.place_of(&key, part), key, wrong }
    }

    /// Where a problem with a key itself is, rather than with its value.
    pub(crate) fn key_complaint(
        &self,
        key: KeyPath,
        span: Range<usize>,
        wrong: Wrong,
    ) -> Complaint {
        Complaint { place: self.place(span), key, wrong }
    }

    /// Turns `value`, which stands at `key`, into a `T`; or says everything that is wrong with it.
    ///
    /// A key that is wrong is taken out and the rest read again, so that one reading tells all.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        key: &KeyPath,
        value: &Spanned<DeValue<'t>>,
    ) -> Result<T, Vec<Complaint>> {
        let mut complaints: Vec<Complaint> = Vec::new();
        let mut value = value.clone();
        let mut taken: Vec<String> = Vec::new();
        loop {
            let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
                Ok(read) if complaints.is_empty() => return Ok(read),
                Ok(_) => break,
                Err(error) => error,
            };
            let span = error.span().unwrap_or_else(|| value.span());
            if !is_echo(error.message(), &taken, &complaints) {
                complaints.push(self.misread(key, &span, error.message()));
            }
            match take_out(value.get_mut(), &span) {
                Some(key) => taken.push(key),
                None => break,
            }
        }
        Err(in_order_of_lines(complaints))
    }

    fn misread(&self, key: &KeyPath, span: &Range<usize>, message: &str) -> Complaint {
        let message = message.trim_end();
        let path = self.path_at(span);
        // A table's header has no span of its own inside the table: its key is the one asked for.
        let path = if path.0.len() < key.0.len() { key.clone() } else { path };
        let wrong = match message.strip_prefix("unknown field ") {
            Some(_) => unknown_key(message),
            None => unquoted(Wrong::from_message(&in_our_words(message))),
        };
        Complaint { place: self.place(span.clone()), key: path, wrong }
    }

    /// The deepest key whose own text or value holds `span`.
    fn path_at(&self, span: &Range<usize>) -> KeyPath {
        let mut path = KeyPath::default();
        descend_table(self.root.get_ref(), span, &mut path);
        path
    }

    /// The place of `part` of what stands at `key`, or of the last table or value on the way.
    fn place_of(&self, key: &KeyPath, part: Part) -> Place {
        let mut span = None;
        let mut steps = key.0.iter();
        let mut inside = match steps.next() {
            Some(Step::Key(first)) => entry(self.root.get_ref(), first),
            _ => None,
        };
        while let Some((key, value)) = inside {
            span = Some(if part == Part::Key { key } else { value.span() });
            inside = match (steps.next(), value.get_ref()) {
                (Some(Step::Key(key)), DeValue::Table(table)) => entry(table, key),
                (Some(Step::Index(index)), DeValue::Array(array)) => {
                    array.get(*index).map(|value| (value.span(), value))
                }
                _ => None,
            };
        }
        match span {
            Some(span) => self.place(span),
            None => Place::File(self.file.to_owned()),
        }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let start = self.floor(span.start);
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = &self.text[line_start..];
        let text = rest.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let end = self.floor(span.end.min(line_start + text.len())).max(start);
        Place::Line(Line {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: self.text[line_start..start].chars().count() + 1,
            text: text.to_owned(),
            width: self.text[start..end].chars().count(),
        })
    }

    /// `at`, or the start of the character it falls into.
    fn floor(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or_default()
    }
}

/// Where the key `name` of a table stands, and its value.
fn entry<'d, 't>(
    table: &'d DeTable<'t>,
    name: &str,
) -> Option<(Range<usize>, &'d Spanned<DeValue<'t>>)> {
    table.get_key_value(name).map(|(key, value)| (key.span(), value))
}

/// The entries of a table in the order of the file, which TOML's own tables do not keep.
pub(crate) fn in_order<'d, 't>(table: &'d DeTable<'t>) -> Vec<Entry<'d, 't>> {
    let mut entries: Vec<_> =
        table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value)).collect();
    entries.sort_by_key(|(_, span, _)| span.start);
    entries
}

/// serde's words for Rust's types, in those of the file.
fn in_our_words(message: &str) -> String {
    const WORDS: &[(&str, &str)] = &[
        ("missing field", "missing key"),
        ("invalid type: map", "invalid type: table"),
        ("invalid type: sequence", "invalid type: list"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected a table"),
        ("expected path string", "expected a path in quotes"),
        ("expected usize", "expected a whole number"),
        ("expected u32", "expected a whole number"),
        ("expected a boolean", "expected true or false"),
        ("unknown variant", "unknown word"),
    ];
    // Where one of some words is read, a value that is no string at all.
    if message == "wanted string or table" || message.starts_with("expected table, found ") {
        return "not a word, expected one in quotes".to_owned();
    }
    let words = WORDS.iter();
    words.fold(message.to_owned(), |message, (theirs, ours)| message.replacen(theirs, ours, 1))
}

/// Whether a key is missing only because it was taken out, or because it is misspelled.
fn is_echo(message: &str, taken: &[String], complaints: &[Complaint]) -> bool {
    if !message.starts_with("missing field") {
        return false;
    }
    let missing = quoted(message).next().unwrap_or_default();
    let meant = did_you_mean(missing);
    taken.iter().any(|key| key == missing)
        || complaints.iter().any(|complaint| complaint.wrong.hint.as_ref() == Some(&meant))
}

/// Adds, where a bare number stands for a string, how it would be one.
fn unquoted(wrong: Wrong) -> Wrong {
    let number = wrong.what.strip_prefix("invalid type: integer `");
    let number = number.and_then(|rest| rest.strip_suffix('`')).map(str::to_owned);
    let is_for_string = |expected: &str| {
        ["a string", "an endpoint", "a path"].iter().any(|start| expected.starts_with(start))
    };
    match number {
        Some(number) if wrong.expected.as_deref().is_some_and(is_for_string) => {
            wrong.hint(format!("put it in quotes: `\"{number}\"`"))
        }
        _ => wrong,
    }
}

/// What is wrong with a key that nobody reads, from serde's own words for it.
fn unknown_key(message: &str) -> Wrong {
    let mut words = quoted(message);
    let found = words.next().unwrap_or_default();
    let known: Vec<&str> = words.collect();
    unknown(found, &known)
}

/// What is wrong with the key `found` where only `known` ones are read.
pub(crate) fn unknown(found: &str, known: &[&str]) -> Wrong {
    let list = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let expected = match known {
        [_] => list,
        _ => format!("one of {list}"),
    };
    Wrong::expected(format!("unknown key `{found}`"), expected).near(found, known.iter().copied())
}

/// What stands in backquotes.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

/// Takes the entry of the table `value` out that `span` lies in.
fn take_out(value: &mut DeValue<'_>, span: &Range<usize>) -> Option<String> {
    let DeValue::Table(table) = value else { return None };
    let (key, _) = table.iter().find(|(key, value)| is_within(span, key, value))?;
    let key = key.get_ref().to_string();
    table.remove(key.as_str());
    Some(key)
}

fn is_within<K>(span: &Range<usize>, key: &Spanned<K>, value: &Spanned<DeValue<'_>>) -> bool {
    holds(&key.span(), span) || holds_value(value, span)
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Like [`holds`]. What a table with a header holds lies outside the header.
fn holds_value(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    holds(&value.span(), span)
        || match value.get_ref() {
            DeValue::Table(table) => table.iter().any(|(key, value)| is_within(span, key, value)),
            DeValue::Array(array) => array.iter().any(|value| holds_value(value, span)),
            _ => false,
        }
}

fn descend_table(table: &DeTable<'_>, span: &Range<usize>, path: &mut KeyPath) {
    for (key, value) in table {
        if is_within(span, key, value) {
            path.0.push(Step::Key(key.get_ref().to_string()));
            return descend(value.get_ref(), span, path);
        }
    }
}

fn descend(value: &DeValue<'_>, span: &Range<usize>, path: &mut KeyPath) {
    match value {
        DeValue::Table(table) => descend_table(table, span, path),
        DeValue::Array(array) => {
            let found = array.iter().enumerate().find(|(_, value)| holds_value(value, span));
            if let Some((index, value)) = found {
                path.0.push(Step::Index(index));
                descend(value.get_ref(), span, path);
            }
        }
        _ => (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_syntax_errors_only_the_first_are_told() {
        let told = |text: &str| Document::parse(Path::new("a.toml"), text).unwrap_err().len();
        assert_eq!(told("a = ?\nb = ?\n"), 2);
        assert_eq!(told(&"a = ?\n".repeat(50)), SYNTAX_ERRORS_MAX);
    }
}
