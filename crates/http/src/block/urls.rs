//! Words and globs that are blocked in URLs, found by texts of them.
//!
//! A word is its text. Of each glob the text is looked for that is likely to be the rarest; the glob
//! itself is looked at only where that was found.

use std::{
    collections::BTreeSet,
    ops::{ControlFlow, Range},
};

use super::{
    glob,
    texts::{Rarity, Texts},
};

/// The words and globs of a list. The default has none.
#[derive(Debug, Default)]
pub(super) struct Urls {
    texts: Texts,
    /// For each of the texts where its entries begin; and where the last ones end.
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

/// What words and globs are gathered in before they can be looked for.
#[derive(Debug, Default)]
pub(super) struct UrlsBuilder {
    /// The words, one after the other.
    words: Vec<u8>,
    globs: Vec<u8>,
    gathered: Vec<Gathered>,
}

/// A rule: a word, or a glob.
#[derive(Debug)]
struct Gathered {
    rule: u32,
    /// In which of the builder's two texts it is.
    kind: Kind,
    place: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Glob,
}

impl UrlsBuilder {
    /// Adds a word, folded.
    pub(super) fn add_word(&mut self, word: &[u8], rule: u32) {
        let start = self.words.len();
        self.words.extend(word);
        let place = start..self.words.len();
        self.gathered.push(Gathered { rule, kind: Kind::Word, place });
    }

    /// Adds a compiled glob that has a text.
    pub(super) fn add_glob(&mut self, glob: &[u8], rule: u32) {
        let start = self.globs.len();
        self.globs.extend(glob);
        let place = start..self.globs.len();
        self.gathered.push(Gathered { rule, kind: Kind::Glob, place });
    }

    /// How many bytes were gathered: what [`Urls`]' size goes by.
    pub(super) fn bytes(&self) -> usize {
        self.words.len() + self.globs.len()
    }

    /// Makes ready for looking.
    pub(super) fn build(self) -> Urls {
        if self.gathered.is_empty() {
            return Urls::default();
        }
        let rarity = Rarity::within(self.gathered.iter().flat_map(|it| self.texts_of(it)));
        let entry = |it| (self.rarest(it, &rarity), Entry::of(it));
        let mut entries: Vec<(&[u8], Entry)> = self.gathered.iter().map(entry).collect();
        // Words before the globs for the same text, which they make needless.
        entries.sort_unstable_by_key(|(text, entry)| (*text, entry.glob, entry.rule));
        let mut urls = Urls::default();
        let mut distinct: Vec<&[u8]> = Vec::new();
        for same in entries.chunk_by(|(one, _), (other, _)| one == other) {
            distinct.push(same[0].0);
            urls.starts.push(narrow(urls.entries.len()));
            let needed = if same[0].1.is_word() { &same[..1] } else { same };
            urls.entries.extend(needed.iter().map(|(_, entry)| *entry));
        }
        urls.starts.push(narrow(urls.entries.len()));
        urls.texts = Texts::new(&distinct, &rarity);
        urls.entries.shrink_to_fit();
        Urls { globs: self.globs, ..urls }
    }

    /// What every URL has that it blocks.
    fn texts_of(&self, it: &Gathered) -> impl Iterator<Item = &[u8]> + Clone {
        let (word, glob) = match it.kind {
            Kind::Word => (Some(&self.words[it.place.clone()]), &[][..]),
            Kind::Glob => (None, &self.globs[it.place.clone()]),
        };
        word.into_iter().chain(glob::literals(glob))
    }

    /// Of these the one that fewest URLs are likely to have.
    fn rarest(&self, it: &Gathered, rarity: &Rarity) -> &[u8] {
        self.texts_of(it).min_by_key(|text| rarity.rank(text)).unwrap_or_default()
    }
}

/// A place in lists that are kept small enough.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).expect("lists of less than 4 GiB")
}

impl Urls {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of a rule that `url`, which is decoded, resolved and folded, has a word of, or matches.
    ///
    /// *Cost*: that of [`Texts::each_within`]; and the globs whose texts were found, each of them once.
    pub(super) fn find(&self, url: &[u8]) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        let mut found = BTreeSet::new();
        let looked = self.texts.each_within(url, |text| match self.entries_of(text) {
            [word] if word.is_word() => ControlFlow::Break(word.rule),
            _ => {
                found.insert(text);
                ControlFlow::Continue(())
            }
        });
        if let ControlFlow::Break(rule) = looked {
            return Some(rule);
        }
        let mut entries = found.iter().flat_map(|text| self.entries_of(*text));
        entries.find(|entry| glob::matches(self.glob(entry), url)).map(|entry| entry.rule)
    }

    fn entries_of(&self, text: u32) -> &[Entry] {
        let [start, end] = [0, 1].map(|more| widen(self.starts[widen(text) + more]));
        &self.entries[start..end]
    }

    fn glob(&self, entry: &Entry) -> &[u8] {
        &self.globs[widen(entry.glob.0)..widen(entry.glob.1)]
    }

    /// Bytes.
    pub(super) fn memory(&self) -> usize {
        let texts = self.texts.memory();
        texts + size_of_val(&*self.starts) + size_of_val(&*self.entries) + self.globs.len()
    }
}

impl Entry {
    fn of(it: &Gathered) -> Self {
        let glob = match it.kind {
            Kind::Word => (0, 0),
            Kind::Glob => (narrow(it.place.start), narrow(it.place.end)),
        };
        Self { rule: it.rule, glob }
    }

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
    fn words_and_globs_are_found() {
        let urls = build(&["casino", "org/ads"], &["banner*gif", "|http://*.zip|"]);
        check(&urls, "http://a.org/x", None);
        check(&urls, "http://a.org/my-casino", Some(0));
        check(&urls, "http://a.org/ads", Some(1));
        check(&urls, "http://a/banner.gif", Some(2));
        check(&urls, "http://a/gif.banner", None);
        check(&urls, "http://a.zip", Some(3));
        check(&urls, "http://a.zip/", None);
        check(&urls, "", None);
    }

    #[test]
    fn globs_with_the_same_text_are_all_looked_at() {
        let urls = build(&[], &["common*a", "common*b", "common*c", "b*common"]);
        check(&urls, "common c", Some(2));
        check(&urls, "b common", Some(3));
        check(&urls, "uncommon", None);
        assert_eq!(urls.starts, [0, 4]);
    }

    #[test]
    fn a_word_makes_globs_for_its_text_needless() {
        let urls = build(&["common"], &["common*a", "common*b"]);
        assert_eq!(urls.entries.len(), 1);
        check(&urls, "common", Some(0));
    }

    #[test]
    fn nothing_is_found_where_nothing_is_blocked() {
        check(&build(&[], &[]), "http://a/", None);
        check(&Urls::default(), "http://a/", None);
    }

    #[test]
    fn a_glob_is_looked_for_by_what_few_urls_have() {
        check_rarest("https://www.*/ad?b", "/ad");
        check_rarest("https://www.example.org/*.gif", "https://www.example.org/");
        check_rarest("|https://*", "https://");
        check_rarest("a*bcd*ef", "bcd");
        check_rarest("/common/*/seldom/", "/seldom/");
    }

    #[track_caller]
    fn check_rarest(glob: &str, expect: &str) {
        let mut builder = UrlsBuilder::default();
        builder.add_word(b"/common/", 0);
        builder.add_glob(&glob::compile(glob), 1);
        let texts = builder.gathered.iter().flat_map(|it| builder.texts_of(it));
        let rarest = builder.rarest(&builder.gathered[1], &Rarity::within(texts));
        assert_eq!(rarest, expect.as_bytes());
    }

    #[track_caller]
    fn check(urls: &Urls, url: &str, expect: Option<u32>) {
        assert_eq!(urls.find(url.as_bytes()), expect, "for {url:?}");
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
            let found = build(&words, &globs).find(url.as_bytes());
            prop_assert_eq!(found.is_some(), slowly);
        }
    }
}
