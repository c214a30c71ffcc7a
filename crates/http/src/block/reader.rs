//! Reading a block list, line by line.

use std::fmt;

use super::{
    host::canonical,
    names::Name,
    rule::{self, Form, WrongRule},
    urls::{Urls, UrlsBuilder},
};

/// Why a text is no block list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BadList {
    /// The first lines that are wrong, five at most. Never empty.
    pub lines: Vec<BadLine>,
}

/// A line that is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?}: {wrong}")]
pub struct BadLine {
    /// Where. The first line is 1.
    pub line: u32,
    /// What stands there, or its beginning.
    pub text: String,
    /// What is wrong with it, and what was expected.
    pub wrong: WrongRule,
}

/// How many bad lines are told: after a few they are mostly alike.
const TOLD_LINES_MAX: usize = 5;

/// How much of a bad line is told.
const TOLD_CHARS_MAX: usize = 80;

/// How much a list may have. Its bytes are counted by who reads its file.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "bounds are named as such")]
pub(super) struct Caps {
    pub(super) line_bytes_max: usize,
    /// Of rules, and of names of hosts.
    pub(super) rules_max: usize,
    /// Of words and globs together. If an automaton must find them all, because no four bytes tell
    /// them apart, that for 16 MiB takes 160 MiB, and some five times that while it is made.
    pub(super) url_bytes_max: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { line_bytes_max: 2048, rules_max: 2_000_000, url_bytes_max: 16 << 20 }
    }
}

/// A list that was read.
pub(super) struct Read {
    /// The list, and behind it the names that it spells in another way than they are looked up.
    pub(super) text: Box<str>,
    pub(super) places: Vec<Place>,
    pub(super) names: Vec<Name>,
    pub(super) urls: Urls,
}

/// Where a rule stands in the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) start: u32,
    pub(super) len: u16,
    pub(super) line: u32,
}

/// Reads `list`, which is shorter than 4 GiB.
///
/// # Errors
///
/// [`BadList`].
pub(super) fn read(list: Vec<u8>, caps: &Caps) -> Result<Read, BadList> {
    let list = into_text(list)?;
    let mut reader = Reader {
        list: &list,
        others: String::new(),
        places: Vec::new(),
        names: Vec::new(),
        urls: UrlsBuilder::default(),
    };
    let mut lines = Vec::new();
    for (line, number) in list.split('\n').zip(1..) {
        let Err(wrong) = reader.line(line, number, caps) else { continue };
        let is_full = matches!(wrong, WrongRule::TooMany(_) | WrongRule::TooMuch(_));
        lines.push(BadLine::new(number, line, wrong));
        if is_full || lines.len() == TOLD_LINES_MAX {
            break;
        }
    }
    if !lines.is_empty() {
        return Err(BadList { lines });
    }
    let Reader { others, mut places, names, urls, .. } = reader;
    places.shrink_to_fit();
    let mut text = list;
    text.push_str(&others);
    Ok(Read { text: text.into(), places, names, urls: urls.build() })
}

fn into_text(list: Vec<u8>) -> Result<String, BadList> {
    String::from_utf8(list).map_err(|error| {
        let (good, rest) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let start = memchr::memrchr(b'\n', good).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let text = &error.as_bytes()[start..good.len() + end];
        let text = String::from_utf8_lossy(&text[..text.len().min(4 * TOLD_CHARS_MAX)]);
        let line = memchr::memchr_iter(b'\n', good).count() + 1;
        BadList { lines: vec![BadLine::new(narrow(line), &text, WrongRule::NotUtf8)] }
    })
}

impl fmt::Display for BadList {
    /// The first of its lines, and how many more are known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first @ BadLine { line, .. }) = self.lines.first() else { return Ok(()) };
        write!(f, "line {line}: {first}")?;
        match self.lines.len() {
            1 => Ok(()),
            len => write!(f, " (and {} lines more)", len - 1),
        }
    }
}

impl BadLine {
    fn new(line: u32, text: &str, wrong: WrongRule) -> Self {
        Self { line, text: text.trim().chars().take(TOLD_CHARS_MAX).collect(), wrong }
    }
}

/// What was read of a list.
struct Reader<'t> {
    list: &'t str,
    /// Names in other spellings than the list has them.
    others: String,
    places: Vec<Place>,
    names: Vec<Name>,
    urls: UrlsBuilder,
}

impl<'t> Reader<'t> {
    fn line(&mut self, line: &'t str, number: u32, caps: &Caps) -> Result<(), WrongRule> {
        // Some editors begin a file with it.
        let line = if number == 1 { line.trim_start_matches('\u{feff}') } else { line };
        if line.len() > caps.line_bytes_max {
            return Err(WrongRule::TooLong(caps.line_bytes_max));
        }
        let Some(form) = rule::parse(line)? else { return Ok(()) };
        let text = rule::rule_text(line);
        let rule = narrow(self.places.len());
        let len = u16::try_from(text.len()).map_err(|_| WrongRule::TooLong(u16::MAX.into()))?;
        self.places.push(Place { start: narrow(self.place_of(text)), len, line: number });
        match form {
            Form::Word(word) => self.urls.add_word(&word, rule),
            Form::Glob(glob) => self.urls.add_glob(&glob, rule),
            Form::Names(reach, names) => {
                for name in names {
                    let (start, len) = self.spell(name);
                    self.names.push(Name { start, len, reach, rule });
                }
            }
        }
        if self.places.len().max(self.names.len()) > caps.rules_max {
            return Err(WrongRule::TooMany(caps.rules_max));
        }
        if self.urls.bytes() > caps.url_bytes_max {
            return Err(WrongRule::TooMuch(caps.url_bytes_max));
        }
        Ok(())
    }

    /// Where the one spelling of `name` is: in the list, or else among the others.
    fn spell(&mut self, name: &'t str) -> (u32, u8) {
        let bracketed = name.contains(':') && !name.starts_with('[');
        let bracketed = bracketed.then(|| format!("[{name}]"));
        let spelled = canonical(bracketed.as_deref().unwrap_or(name));
        let start = if name.starts_with(&*spelled) {
            self.place_of(name)
        } else {
            self.others.push_str(&spelled);
            self.list.len() + self.others.len() - spelled.len()
        };
        let len = u8::try_from(spelled.len()).expect("a name that was judged to be short");
        (narrow(start), len)
    }

    /// Where `part` begins in the list.
    fn place_of(&self, part: &'t str) -> usize {
        part.as_ptr().addr() - self.list.as_ptr().addr()
    }
}

/// A place in a list of less than 4 GiB.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).expect("a list of less than 4 GiB")
}
