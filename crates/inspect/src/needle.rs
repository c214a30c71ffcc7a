//! Finds a text in many bytes, quickly.

use memchr::memmem::Finder;

/// Whether capitals and small letters are the same. Of ASCII alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// They are.
    Same,
    /// They are not.
    Apart,
}

/// A text to be found, or one of some.
#[derive(Clone, Debug)]
pub(crate) struct Needle(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Exact(Box<Finder<'static>>),
    Folded(Folded),
    Any(Box<[Needle]>),
}

impl Needle {
    /// Looks for `text`, which is not empty.
    pub(crate) fn new(text: &[u8], case: Case) -> Self {
        debug_assert!(!text.is_empty());
        Self(match case {
            Case::Apart => Kind::Exact(Box::new(Finder::new(text).into_owned())),
            Case::Same => Kind::Folded(Folded::new(text)),
        })
    }

    /// Looks for any of `needles`, which are all within a line.
    pub(crate) fn any(needles: impl IntoIterator<Item = Self>) -> Self {
        Self(Kind::Any(needles.into_iter().collect()))
    }

    /// Where it begins in `hay` first. Of several, where one of them does that is in the first line
    /// that has any.
    pub(crate) fn find(&self, hay: &[u8]) -> Option<usize> {
        match &self.0 {
            Kind::Exact(finder) => finder.find(hay),
            Kind::Folded(folded) => folded.find(hay),
            // By lines: one that is far away is not to be looked for again behind each of the others.
            Kind::Any(needles) => hay.split_inclusive(|byte| *byte == b'\n').find_map(|line| {
                let at = needles.iter().find_map(|needle| needle.find(line))?;
                Some(line.as_ptr().addr() - hay.as_ptr().addr() + at)
            }),
        }
    }
}

/// Looks for a text in any case.
///
/// Two of its bytes, the least usual ones, are looked for at their distance, many places at once;
/// where both are, the whole is compared. That is as quick as memory whatever the other bytes are,
/// unless the two are common together.
#[derive(Clone, Debug)]
struct Folded {
    text: Box<[u8]>,
    /// Where the two are in it: below its length. The same for a text of one byte.
    rare: [usize; 2],
}

/// So many places are looked at together.
const LANES: usize = 32;

/// The bit that tells small letters from capitals. Set in other bytes it makes some alike that are
/// not: those are told apart by comparing the whole.
const SMALL: u8 = 0x20;

impl Folded {
    fn new(text: &[u8]) -> Self {
        let mut places: Vec<usize> = (0..text.len()).collect();
        places.sort_by_key(|&at| std::cmp::Reverse(rarity(text[at])));
        let first = places[0];
        // The same byte again tells less.
        let other = |at: &&usize| text[**at] | SMALL != text[first] | SMALL;
        let second = places.iter().find(other).copied().unwrap_or(first);
        Self { text: text.into(), rare: [first, second] }
    }

    fn find(&self, hay: &[u8]) -> Option<usize> {
        // How many places there are to begin at.
        let starts = (hay.len() + 1).checked_sub(self.text.len())?;
        let [one, other] = self.rare.map(|at| &hay[at..at + starts]);
        let [byte, other_byte] = self.rare.map(|at| self.text[at] | SMALL);
        let both = |one: u8, other: u8| {
            u8::from(one | SMALL == byte) & u8::from(other | SMALL == other_byte)
        };
        let ((ones, _), (others, _)) = (one.as_chunks::<LANES>(), other.as_chunks::<LANES>());
        for (index, (one, other)) in ones.iter().zip(others).enumerate() {
            let pairs = one.iter().zip(other);
            if pairs.fold(0, |any, (&one, &other)| any | both(one, other)) != 0
                && let Some(at) = self.first_of(hay, index * LANES..(index + 1) * LANES)
            {
                return Some(at);
            }
        }
        self.first_of(hay, ones.len() * LANES..starts)
    }

    fn first_of(&self, hay: &[u8], mut places: std::ops::Range<usize>) -> Option<usize> {
        places.find(|&at| hay[at..at + self.text.len()].eq_ignore_ascii_case(&self.text))
    }
}

/// How seldom a byte is in sniff logs: the more the greater.
fn rarity(byte: u8) -> usize {
    /// From what every line has many times down, digits first.
    const USUAL: &[u8] = b"0123456789\"te:,_scuosrinlpahmyd/.fbgqwx-v=k?&%;jz+";
    let byte = byte.to_ascii_lowercase();
    USUAL.iter().position(|usual| *usual == byte).unwrap_or(USUAL.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_found_in_their_case_or_in_any() {
        let check = |text: &str, hay: &str, apart, same| {
            let find = |case| Needle::new(text.as_bytes(), case).find(hay.as_bytes());
            assert_eq!((find(Case::Apart), find(Case::Same)), (apart, same), "{text:?} in {hay:?}");
        };
        check("a", "", None, None);
        check("ab", "a", None, None);
        check("ab", "ab", Some(0), Some(0));
        check("ab", "xxAB ab", Some(5), Some(2));
        check("aaa", "aaAAaaa", Some(4), Some(0));
        check("_", "\x7f_", Some(1), Some(1));
        check("a.js", "A\x0ejs A.JS", None, Some(5));
        check("é", "\u{c9}é", Some(2), Some(2));
        let long = "x".repeat(1000) + "Index.HTML";
        check("index", &long, None, Some(1000));
        check("HTML", &long, Some(1006), Some(1006));
        check(&long, &long[1..], None, None);
    }

    #[test]
    fn of_several_texts_that_in_the_first_line_is_found() {
        let needles = ["aa", "b"].map(|text| Needle::new(text.as_bytes(), Case::Same));
        let any = Needle::any(needles);
        let check = |hay: &str, expect| assert_eq!(any.find(hay.as_bytes()), expect, "{hay:?}");
        check("", None);
        check("a\na\n", None);
        check("x\nxB aa\naa", Some(5));
        check("x\nxb\naa", Some(3));
    }

    proptest! {
        #[test]
        fn any_case_finds_what_exact_finds_in_small_letters(
            text in "[aB._x]{1,4}",
            hay in "[abAB._xX]{0,100}",
        ) {
            let small = memchr::memmem::find(
                hay.to_ascii_lowercase().as_bytes(),
                text.to_ascii_lowercase().as_bytes(),
            );
            prop_assert_eq!(Needle::new(text.as_bytes(), Case::Same).find(hay.as_bytes()), small);
        }
    }
}
