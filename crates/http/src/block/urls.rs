//! Words and globs that are blocked in URLs, found by one automaton.
//!
//! Of each glob the automaton has the text that is likely to be the rarest; the glob itself is
//! looked at only where that was found.

use std::{collections::BTreeSet, ops::Range};

use aho_corasick::{Anchored, PatternID, automaton::Automaton as _, nfa::contiguous::NFA};

use super::{fold::fold_byte, glob};

/// The words and globs of a list. The default has none.
#[derive(Debug, Default)]
pub(super) struct Urls {
    nfa: Option<NFA>,
    /// For each of the automaton's texts where its entries begin; and where the last ones end.
    starts: Vec<u32>,
    entries: Vec<Entry>,
    /// The compiled globs, one after the other.
    globs: Vec<u8>,
}

/// What is to be looked at where a text was found.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The number of the rule.
    rule: u32,
    /// Where its glob is. Empty for a word: it is found.
    glob: (u32, u32),
}

/// What words and globs are gathered in before there is an automaton.
#[derive(Debug, Default)]
pub(super) struct UrlsBuilder {
    /// What the automaton is to find, one after the other.
    texts: Vec<u8>,
    globs: Vec<u8>,
    gathered: Vec<(Range<usize>, Entry)>,
}

impl UrlsBuilder {
    /// Adds a word, folded.
    pub(super) fn add_word(&mut self, word: &[u8], rule: u32) {
        let glob = (0, 0);
        self.add(word, Entry { rule, glob });
    }

    /// Adds a compiled glob that has a text.
    pub(super) fn add_glob(&mut self, glob: &[u8], rule: u32) {
        let start = self.globs.len();
        self.globs.extend(glob);
        let glob_at = (narrow(start), narrow(self.globs.len()));
        self.add(rarest(glob), Entry { rule, glob: glob_at });
    }

    fn add(&mut self, text: &[u8], entry: Entry) {
        let start = self.texts.len();
        self.texts.extend(text);
        self.gathered.push((start..self.texts.len(), entry));
    }

    /// How many bytes were gathered: what the automaton's size goes by.
    pub(super) fn bytes(&self) -> usize {
        self.texts.len() + self.globs.len()
    }

    /// Makes the automaton.
    ///
    /// *Cost*: some 10 bytes for each of texts, thrice that and more while it is made, and a
    /// second for a megabyte of them.
    pub(super) fn build(self) -> Urls {
        let Self { texts, globs, mut gathered } = self;
        // Words before the globs for the same text, which they make needless.
        gathered
            .sort_unstable_by_key(|(text, entry)| (&texts[text.clone()], entry.glob, entry.rule));
        let mut urls = Urls { globs, ..Urls::default() };
        let mut distinct: Vec<&[u8]> = Vec::new();
        for same in
            gathered.chunk_by(|(one, _), (other, _)| texts[one.clone()] == texts[other.clone()])
        {
            distinct.push(&texts[same[0].0.clone()]);
            urls.starts.push(narrow(urls.entries.len()));
            let needed = if same[0].1.is_word() { &same[..1] } else { same };
            urls.entries.extend(needed.iter().map(|(_, entry)| *entry));
        }
        if !distinct.is_empty() {
            urls.starts.push(narrow(urls.entries.len()));
            let nfa = NFA::builder().prefilter(false).build(distinct);
            urls.nfa = Some(nfa.expect("fewer states than can be counted, of so little text"));
        }
        urls.entries.shrink_to_fit();
        urls
    }
}

/// Of the texts of a glob the longest, without what every other URL begins with.
fn rarest(glob: &[u8]) -> &[u8] {
    let longest = glob::literals(glob).map(without_beginning).max_by_key(|text| text.len());
    let longest = longest.filter(|text| !text.is_empty());
    longest.or_else(|| glob::literals(glob).next()).unwrap_or_default()
}

fn without_beginning(text: &[u8]) -> &[u8] {
    let beginnings: [&[u8]; 4] = [b"https", b"http", b"://", b"www."];
    let strip = |text, beginning| <[u8]>::strip_prefix(text, beginning).unwrap_or(text);
    beginnings.into_iter().fold(text, strip)
}

/// A place in lists that are kept small enough.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).expect("lists of less than 4 GiB")
}

impl Urls {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.nfa.is_none()
    }

    /// The number of a rule that a URL has a word of, or matches. The URL comes in `pieces`, decoded
    /// and resolved; they are folded here.
    ///
    /// *Cost*: a step of the automaton for each byte, 5 to 10 ns; and the globs whose texts were
    /// found, each of them once.
    pub(super) fn find(&self, pieces: &[&[u8]]) -> Option<u32> {
        let nfa = self.nfa.as_ref()?;
        let mut state = nfa.start_state(Anchored::No).ok()?;
        let mut found = BTreeSet::new();
        for piece in pieces {
            for &byte in *piece {
                state = nfa.next_state(Anchored::No, state, fold_byte(byte));
                if !(nfa.is_special(state) && nfa.is_match(state)) {
                    continue;
                }
                let texts = (0..nfa.match_len(state)).map(|at| nfa.match_pattern(state, at));
                let word = self.note(texts, &mut found);
                if word.is_some() {
                    return word;
                }
            }
        }
        if found.is_empty() { None } else { self.match_globs(&found, pieces) }
    }

    /// The number of a rule whose word is one of `texts`; the texts of globs are noted.
    fn note(
        &self,
        mut texts: impl Iterator<Item = PatternID>,
        found: &mut BTreeSet<PatternID>,
    ) -> Option<u32> {
        texts.find_map(|text| match self.entries_of(text) {
            [word] if word.is_word() => Some(word.rule),
            _ => {
                found.insert(text);
                None
            }
        })
    }

    /// The first glob that matches of those whose texts were found.
    fn match_globs(&self, found: &BTreeSet<PatternID>, pieces: &[&[u8]]) -> Option<u32> {
        let bytes = pieces.iter().copied().flatten();
        let url: Vec<u8> = bytes.map(|&byte| fold_byte(byte)).collect();
        let mut entries = found.iter().flat_map(|text| self.entries_of(*text));
        entries.find(|entry| glob::matches(self.glob(entry), &url)).map(|entry| entry.rule)
    }

    fn entries_of(&self, text: PatternID) -> &[Entry] {
        let [start, end] = [0, 1].map(|more| widen(self.starts[text.as_usize() + more]));
        &self.entries[start..end]
    }

    fn glob(&self, entry: &Entry) -> &[u8] {
        &self.globs[widen(entry.glob.0)..widen(entry.glob.1)]
    }

    /// Bytes.
    pub(super) fn memory(&self) -> usize {
        let nfa = self.nfa.as_ref().map_or(0, NFA::memory_usage);
        nfa + size_of_val(&*self.starts) + size_of_val(&*self.entries) + self.globs.len()
    }
}

impl Entry {
    fn is_word(&self) -> bool {
        self.glob.0 == self.glob.1
    }
}

fn widen(place: u32) -> usize {
    usize::try_from(place).expect("a place in memory")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::block::fold::fold;

    #[test]
    fn words_and_globs_are_found_across_pieces() {
        let urls = build(&["casino", "org/ads"], &["banner*gif", "|http://*.zip|"]);
        check(&urls, &["http://", "a.org", "/x"], None);
        check(&urls, &["http://", "a.org", "/my-CASINO"], Some(0));
        check(&urls, &["http://", "a.org", "/ads"], Some(1));
        check(&urls, &["http://", "a", "/Banner.gif"], Some(2));
        check(&urls, &["http://", "a", "/gif.banner"], None);
        check(&urls, &["http://", "a.zip"], Some(3));
        check(&urls, &["http://", "a.zip", "/"], None);
        check(&urls, &[], None);
    }

    #[test]
    fn globs_with_the_same_text_are_all_looked_at() {
        let urls = build(&[], &["common*a", "common*b", "common*c", "b*common"]);
        check(&urls, &["common c"], Some(2));
        check(&urls, &["b common"], Some(3));
        check(&urls, &["uncommon"], None);
        assert_eq!(urls.starts, [0, 4]);
    }

    #[test]
    fn a_word_makes_globs_for_its_text_needless() {
        let urls = build(&["common"], &["common*a", "common*b"]);
        assert_eq!(urls.entries.len(), 1);
        check(&urls, &["common"], Some(0));
    }

    #[test]
    fn nothing_is_found_where_nothing_is_blocked() {
        check(&build(&[], &[]), &["http://a/"], None);
        check(&Urls::default(), &["http://a/"], None);
    }

    #[test]
    fn a_glob_is_looked_for_by_what_few_urls_have() {
        check_rarest("https://www.*/ad?b", "/ad");
        check_rarest("https://www.example.org/*.gif", "example.org/");
        check_rarest("|https://*", "https://");
        check_rarest("a*bcd*ef", "bcd");
    }

    #[track_caller]
    fn check_rarest(glob: &str, expect: &str) {
        assert_eq!(rarest(&glob::compile(glob)), expect.as_bytes());
    }

    #[track_caller]
    fn check(urls: &Urls, pieces: &[&str], expect: Option<u32>) {
        let pieces: Vec<_> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        assert_eq!(urls.find(&pieces), expect);
    }

    /// Words get the first numbers, and globs those after.
    fn build(words: &[&str], globs: &[&str]) -> Urls {
        let mut builder = UrlsBuilder::default();
        for (word, rule) in words.iter().zip(0..) {
            builder.add_word(&fold(word.as_bytes()), rule);
        }
        for (glob, rule) in globs.iter().zip(narrow(words.len())..) {
            builder.add_glob(&glob::compile(glob), rule);
        }
        builder.build()
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_one_by_one_would_find(
            words in prop::collection::vec("[abc]{1,4}", 0..6),
            globs in prop::collection::vec(r"\|?[abc]{1,2}[*?][abc]{0,3}\|?", 0..6),
            url in "[abc]{0,12}",
        ) {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let globs: Vec<_> = globs.iter().map(String::as_str).collect();
            let slowly = words.iter().any(|word| url.contains(word))
                || globs.iter().any(|text| glob::matches(&glob::compile(text), url.as_bytes()));
            let found = build(&words, &globs).find(&[url.as_bytes()]);
            prop_assert_eq!(found.is_some(), slowly);
        }
    }
}
