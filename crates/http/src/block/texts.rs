//! Which of many texts stand in another text.
//!
//! An automaton of some megabytes waits for memory at each byte, one wait after the other. So each
//! text is known by a few bytes of it, and a filter that stays in a core's cache is asked for all of
//! a text's, none of which waits for another. What these can't tell apart, short texts and those of
//! the same few bytes, an automaton finds.

use std::{cmp::Reverse, ops::ControlFlow};

use aho_corasick::{Input, automaton::Automaton as _, nfa::contiguous::NFA};

use super::grams::{self, Grams, SHARED_MAX};

/// Texts to be found, by their numbers. The default has none.
#[derive(Debug, Default)]
pub(super) struct Texts {
    long: Long,
    /// Those that are too short for the others, or share what these know them by with too many.
    middling: Middling,
    /// The same once more.
    short: Short,
    /// For the rest.
    automaton: Option<NFA>,
    /// The numbers of the automaton's texts.
    others: Vec<u32>,
}

/// For texts of eight bytes and more: four places of each eight are asked about.
type Long = Grams<5, 4>;
type Middling = Grams<4, 2>;
type Short = Grams<4, 1>;

impl Texts {
    /// All of `texts`, none of them empty; their numbers are their places.
    ///
    /// *Cost*: some 40 bytes for each and their own, and twice that while they are made.
    pub(super) fn new(texts: &[&[u8]], rarity: &Rarity) -> Self {
        let [mut shorter, mut short, mut others] = [const { Vec::new() }; 3];
        let all = (0..).zip(texts.iter().copied());
        let long = Long::new(all, &rarity.of_five, |number, text| shorter.push((number, text)));
        let rest = shorter.into_iter();
        let rarity = &rarity.of_four;
        let middling = Middling::new(rest, rarity, |number, text| short.push((number, text)));
        let rest = short.into_iter();
        let short = Short::new(rest, rarity, |number, text| others.push((number, text)));
        let (others, rest): (Vec<u32>, Vec<&[u8]>) = others.into_iter().unzip();
        let nfa = || NFA::builder().prefilter(false).build(rest);
        let automaton =
            (!others.is_empty()).then(|| nfa().expect("fewer states than can be counted"));
        Self { long, middling, short, automaton, others }
    }

    /// Gives `found` the numbers of those that stand in `text`, some of them perhaps more than once,
    /// until it breaks off.
    ///
    /// *Cost*: 1 to 2 ns for each byte of `text`, and 5 to 10 ns more where there is an automaton.
    pub(super) fn each_within<B>(
        &self,
        text: &[u8],
        mut found: impl FnMut(u32) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.long.each_within(text, &mut found)?;
        self.middling.each_within(text, &mut found)?;
        self.short.each_within(text, &mut found)?;
        let automaton = self.automaton.iter();
        let rest = automaton.flat_map(|nfa| nfa.try_find_overlapping_iter(Input::new(text)));
        let mut rest = rest.flatten().map(|found| self.others[found.pattern().as_usize()]);
        rest.try_for_each(found)
    }

    /// Bytes.
    pub(super) fn memory(&self) -> usize {
        let automaton = self.automaton.as_ref().map_or(0, NFA::memory_usage);
        let grams = self.long.memory() + self.middling.memory() + self.short.memory();
        grams + automaton + size_of_val(&*self.others)
    }
}

/// How rare bytes are among texts.
#[derive(Debug)]
pub(super) struct Rarity {
    of_five: grams::Rarity<5>,
    of_four: grams::Rarity<4>,
}

/// The lower, the fewer URLs are likely to have a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// It is known by a gram: whether too many have it, how long it is, how many have it.
    Known(bool, Reverse<usize>, u32),
    /// It is too short for one.
    Short(Reverse<usize>),
    /// Every other URL has it.
    Usual,
}

impl Rarity {
    /// Among `texts`.
    pub(super) fn within<'t>(texts: impl Iterator<Item = &'t [u8]> + Clone) -> Self {
        let of_five = grams::Rarity::within(texts.clone());
        Self { of_five, of_four: grams::Rarity::within(texts) }
    }

    /// Of `text`.
    pub(super) fn rank(&self, text: &[u8]) -> Rank {
        let counts = [
            (Long::LEN_MIN, self.of_five.count(text, 4)),
            (Middling::LEN_MIN, self.of_four.count(text, 2)),
            (Short::LEN_MIN, self.of_four.count(text, 1)),
        ];
        let ranks = counts.into_iter().filter_map(|(len, count)| Some(Rank::of(len, count?)));
        ranks.min().unwrap_or(Rank::Short(Reverse(text.len())))
    }
}

impl Rank {
    fn of(len: usize, count: u32) -> Self {
        let is_usual = count == u32::MAX;
        if is_usual { Self::Usual } else { Self::Known(count > SHARED_MAX, Reverse(len), count) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_found_wherever_they_stand() {
        let texts: [&[u8]; 7] =
            [b"casino", b"ads", b"/banner/", b"abcd", b"http", b"o", b"a long text"];
        check(&texts, "http://a/casino", &[0, 4, 5]);
        check(&texts, "casin", &[]);
        check(&texts, "abcd", &[3]);
        check(&texts, "xads/banner/", &[1, 2]);
        check(&texts, "xa long text", &[5, 6]);
        check(&texts, "xa long tex", &[5]);
        check(&texts, "", &[]);
        check(&[], "abcd", &[]);
    }

    #[test]
    fn a_text_of_any_length_is_found_at_any_place() {
        let whole = b"0123456789abcdefghij";
        let of_each_length: Vec<_> = (1..=whole.len()).map(|len| &whole[..len]).collect();
        for len in 1..=whole.len() {
            let texts = make(&[&whole[..len]]);
            for before in 0..10 {
                let text = "x".repeat(before) + str::from_utf8(&whole[..len]).unwrap();
                assert_eq!(all_within(&texts, &text), [0].into(), "{text}");
                assert_eq!(all_within(&texts, &text[..text.len() - 1]), [].into(), "{text}");
            }
        }
        check(&of_each_length, "x0123456789abc", &(0..13).collect::<Vec<_>>());
    }

    #[test]
    fn texts_that_cannot_be_told_apart_by_grams_are_found_all_the_same() {
        let many: Vec<Vec<u8>> = (4..100).map(|len| vec![b'a'; len]).collect();
        let texts: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
        check(&texts, &"a".repeat(6), &[0, 1, 2]);
        assert_eq!(make(&texts).others.len(), texts.len());
    }

    #[test]
    fn what_few_texts_have_ranks_first() {
        let texts: [&[u8]; 3] = [b"/common/", b"/common/x", b"/seldom/"];
        let rarity = Rarity::within(texts.into_iter());
        let mut ranked = [&b"http://"[..], b"ad", b"/ads", b"ads", b"/common/", b"/seldom/"];
        ranked.sort_by_key(|text| rarity.rank(text));
        assert_eq!(ranked, [&b"/seldom/"[..], b"/common/", b"/ads", b"ads", b"ad", b"http://"]);
    }

    #[track_caller]
    fn check(texts: &[&[u8]], text: &str, expect: &[u32]) {
        let found = all_within(&make(texts), text);
        assert_eq!(found, expect.iter().copied().collect());
    }

    fn make(texts: &[&[u8]]) -> Texts {
        Texts::new(texts, &Rarity::within(texts.iter().copied()))
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_one_by_one_would_find(
            texts in prop::collection::vec("[ab]{1,12}", 0..40),
            text in "[ab]{0,30}",
        ) {
            let bytes: Vec<_> = texts.iter().map(String::as_bytes).collect();
            let found = all_within(&make(&bytes), &text);
            let stands = texts.iter().zip(0..).filter(|(one, _)| text.contains(one.as_str()));
            prop_assert_eq!(found, stands.map(|(_, number)| number).collect());
        }
    }

    fn all_within(texts: &Texts, text: &str) -> BTreeSet<u32> {
        let mut all = BTreeSet::new();
        let looked = texts.each_within(text.as_bytes(), |number| {
            all.insert(number);
            ControlFlow::<()>::Continue(())
        });
        assert!(looked.is_continue());
        all
    }
}
