//! Made-up words, hosts, URLs and rules: always the same ones.

use std::fmt::Write as _;

/// A row of words like those in URLs.
pub(crate) struct Words {
    /// Never 0, from where this generator (xorshift64) would not move.
    state: u64,
}

impl Words {
    /// Another row for another `seed`, which is not 0.
    pub(crate) fn new(seed: u64) -> Self {
        assert_ne!(seed, 0, "a seed that leads somewhere");
        Self { state: seed }
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % end
    }

    /// A word of two to four syllables, one of a million.
    pub(crate) fn word(&mut self) -> String {
        let syllables = 2 + self.below(3);
        (0..syllables).map(|_| self.syllable()).collect()
    }

    /// A host as browsers ask for.
    pub(crate) fn host(&mut self) -> String {
        format!("www.{}.{}.com", self.word(), self.word())
    }

    /// A page, every other one with a query: 55 or 100 bytes with its host.
    pub(crate) fn path(&mut self) -> String {
        let (folder, name) = (self.word(), self.word());
        if self.below(2) == 0 {
            return format!("/{folder}/{name}.html");
        }
        let (word, session) = (self.word(), self.below(u64::MAX));
        let page = self.below(100);
        format!("/{folder}/{word}/{name}.html?session={session:x}&page={page}&from={word}")
    }

    /// What somebody says in a room: 4 to 19 words.
    pub(crate) fn said(&mut self) -> String {
        let many = 4 + self.below(16);
        (0..many).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    fn syllable(&mut self) -> &'static str {
        let count = u64::try_from(SYLLABLES.len()).expect("a small number");
        SYLLABLES[usize::try_from(self.below(count)).expect("a small number")]
    }
}

/// So many lines of host and path, as [`crate::site`]'s script for wrk reads them.
pub(crate) fn urls(count: usize) -> String {
    let mut words = Words::new(URL_SEED);
    let mut lines = String::new();
    for _ in 0..count {
        writeln!(lines, "{} {}", words.host(), words.path()).expect(ROOM);
    }
    lines
}

/// A block list of so many rules: of ten, seven hosts, two words and a glob. One of the words is
/// [`LISTED`]. None matches a URL of [`urls`].
pub(crate) fn rules(count: usize) -> String {
    let mut words = Words::new(RULE_SEED);
    let mut list = format!("{LISTED}\n");
    for _ in 1..count {
        // A number in it makes it one that no URL has.
        let (rare, number) = (words.word(), words.below(1_000_000));
        let usual = words.word();
        match words.below(10) {
            0..7 => writeln!(list, "{rare}{number}.{usual}.example"),
            7..9 => writeln!(list, "{usual}-{rare}{number}"),
            _ => writeln!(list, "/{usual}/*/{rare}{number}*.js"),
        }
        .expect(ROOM);
    }
    list
}

/// A word that the list of [`rules`] blocks.
pub(crate) const LISTED: &str = "never-to-be-seen";

const SYLLABLES: [&str; 24] = [
    "ar", "bel", "co", "den", "er", "fo", "gra", "hi", "is", "ju", "kel", "lo", "mi", "na", "os",
    "pra", "ri", "sta", "tu", "um", "ver", "wa", "yl", "zo",
];
const URL_SEED: u64 = 7;
const RULE_SEED: u64 = 42;
const ROOM: &str = "a string takes everything";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_rules_are_always_the_same_and_of_every_kind() {
        assert_eq!(urls(1000), urls(1000));
        assert_eq!(rules(1000), rules(1000));
        let (urls, rules) = (urls(1000), rules(1000));
        let count = |text: &str, part: &str| text.lines().filter(|it| it.contains(part)).count();
        assert!((400..600).contains(&count(&urls, "?session=")));
        assert!((600..800).contains(&count(&rules, ".example")));
        assert!((50..150).contains(&count(&rules, "*.js")));
        assert_eq!(rules.lines().count(), 1000);
    }

    #[test]
    fn the_urls_are_as_long_as_those_of_browsers() {
        let urls = urls(1000);
        assert!((70..100).contains(&(urls.len() / 1000)), "{}", urls.len());
    }

    #[test]
    fn no_url_has_the_word_that_is_searched_for_or_listed() {
        let urls = urls(10_000);
        assert!(!urls.contains(crate::subject::WORD) && !urls.contains(LISTED));
    }
}
