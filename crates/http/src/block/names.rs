//! Host names that are blocked, found by hash.

use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;

use super::mix::mix;

/// Which hosts a rule blocks that names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The host itself.
    Itself,
    /// What is below it.
    Below,
    /// Both.
    All,
}

/// The names of a list. They stand in its text, which every call is given.
#[derive(Debug, Default)]
pub(super) struct Names {
    table: HashTable<Name>,
    lengths: Lengths,
    /// Random: who writes a list cannot choose names that fall together.
    seed: u64,
}

/// A name in the list's text, in its one spelling.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    /// Where it begins.
    pub(super) start: u32,
    /// How long it is.
    pub(super) len: u8,
    pub(super) reach: Reach,
    /// The number of the rule.
    pub(super) rule: u32,
}

/// The longest name that is looked up, in bytes; the limit of DNS is 253.
pub(super) const NAME_BYTES_MAX: usize = 255;

impl Names {
    /// A table of `names`. Of those that are there twice with the same reach, the first counts.
    pub(super) fn new(names: Vec<Name>, text: &[u8]) -> Self {
        let seed = RandomState::new().hash_one(0);
        let hash = |name: &Name| hash(spelled(name, text), seed);
        let mut table: HashTable<Name> = HashTable::with_capacity(names.len());
        let mut lengths = Lengths::default();
        for name in names {
            lengths.add(name.len);
            let is_same =
                |old: &Name| old.reach == name.reach && spelled(old, text) == spelled(&name, text);
            table.entry(hash(&name), is_same, hash).or_insert(name);
        }
        table.shrink_to_fit(hash);
        Self { table, lengths, seed }
    }

    /// The number of a rule that blocks `host`, which is in its one spelling.
    ///
    /// *Cost*: a hash for each of its labels where a name of that length begins.
    pub(super) fn find(&self, host: &[u8], text: &[u8]) -> Option<u32> {
        if self.table.is_empty() {
            return None;
        }
        if let Some(rule) = self.get(host, Reach::Itself, text) {
            return Some(rule);
        }
        // What is below a longer name than is looked up is below its end, too.
        let mut rest = &host[host.len().saturating_sub(NAME_BYTES_MAX)..];
        while let Some(dot) = rest.iter().position(|&byte| byte == b'.') {
            rest = &rest[dot + 1..];
            if let Some(rule) = self.get(rest, Reach::Below, text) {
                return Some(rule);
            }
        }
        None
    }

    /// The rule for `name` with this reach, or with all.
    fn get(&self, name: &[u8], reach: Reach, text: &[u8]) -> Option<u32> {
        if !self.lengths.has(name.len()) {
            return None;
        }
        let fits = |found: &Name| {
            (found.reach == reach || found.reach == Reach::All) && spelled(found, text) == name
        };
        let found = self.table.find(hash(name, self.seed), fits)?;
        Some(found.rule)
    }

    /// Bytes.
    pub(super) fn memory(&self) -> usize {
        self.table.allocation_size()
    }
}

/// How long the names are.
#[derive(Debug, Default)]
struct Lengths {
    /// A bit for each length.
    words: [u64; 4],
}

impl Lengths {
    fn add(&mut self, len: u8) {
        let len = usize::from(len);
        self.words[len / 64] |= 1 << (len % 64);
    }

    fn has(&self, len: usize) -> bool {
        self.words.get(len / 64).is_some_and(|word| word >> (len % 64) & 1 == 1)
    }
}

/// Mixes a name, eight bytes at once.
fn hash(name: &[u8], seed: u64) -> u64 {
    let add = |mixed: u64, word: [u8; 8]| mix(mixed ^ u64::from_le_bytes(word));
    let (words, rest) = name.as_chunks();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    // Its length, too: else zeros behind a name would make no difference.
    let start = seed ^ name.len() as u64;
    add(words.iter().fold(start, |mixed, word| add(mixed, *word)), last)
}

fn spelled<'t>(name: &Name, text: &'t [u8]) -> &'t [u8] {
    let start = usize::try_from(name.start).expect("a place in memory");
    &text[start..start + usize::from(name.len)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"a.example b.example c.example example";

    #[test]
    fn a_name_reaches_as_far_as_it_says() {
        check("a.example", Some(0));
        check("x.a.example", Some(0));
        check("xa.example", None);
        check("b.example", None);
        check("x.b.example", Some(1));
        check("x.y.b.example", Some(1));
        check("c.example", Some(2));
        check("x.c.example", None);
        check("example", None);
        check("", None);
        check(".", None);
    }

    #[test]
    fn of_two_the_first_counts() {
        let again = Name { rule: 9, ..A };
        let names = Names::new(vec![A, again, again], TEXT);
        assert_eq!(names.table.len(), 1);
        assert_eq!(names.find(b"x.a.example", TEXT), Some(0));
    }

    #[test]
    fn of_an_endless_name_only_the_end_is_looked_at() {
        let endless = "a.".repeat(100_000);
        assert_eq!(names().find(format!("{endless}b.example").as_bytes(), TEXT), Some(1));
        assert_eq!(names().find(endless.as_bytes(), TEXT), None);
    }

    const A: Name = Name { start: 0, len: 9, reach: Reach::All, rule: 0 };

    fn names() -> Names {
        let below = Name { start: 10, len: 9, reach: Reach::Below, rule: 1 };
        let itself = Name { start: 20, len: 9, reach: Reach::Itself, rule: 2 };
        Names::new(vec![A, below, itself], TEXT)
    }

    #[track_caller]
    fn check(host: &str, expect: Option<u32>) {
        assert_eq!(names().find(host.as_bytes(), TEXT), expect, "for {host:?}");
    }
}
