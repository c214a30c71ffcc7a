//! What somebody may want to notice.

use std::ops::RangeInclusive;

use super::{Judge, Past, Verdict};
use crate::{
    model::{Deed, Level, Quiet, Wish, Words, is_of_word},
    name::folded,
    protocol::{Code, Place, Refusal},
};

/// How many characters a word has that is looked out for.
const WORD_CHARS: RangeInclusive<usize> = 2..=32;

impl<P: Past> Judge<'_, P> {
    pub(super) fn notify(&self, place: &Place, level: Level) -> Verdict {
        let room = self.inside(place)?;
        let before = self.member(self.state.room(room))?.level;
        Ok(if before == level { Vec::new() } else { vec![Deed::Wish(Wish::Level { room, level })] })
    }

    pub(super) fn keywords(&self, words: &[String]) -> Verdict {
        let most = self.limits.keywords_max;
        if words.len() > most {
            let why = format!("{} words: expected at most {most}", words.len());
            return Err(Refusal::of(Code::TooMany).field("words").why(why));
        }
        let words: Words = words.iter().map(|word| keyword(word)).collect::<Result<_, _>>()?;
        let is_same = self.state.account(self.by).wishes.words == words;
        Ok(if is_same { Vec::new() } else { vec![Deed::Wish(Wish::Words(words))] })
    }

    pub(super) fn quiet(&self, quiet: Quiet) -> Vec<Deed> {
        let is_same = self.state.account(self.by).wishes.quiet == quiet;
        if is_same { Vec::new() } else { vec![Deed::Wish(Wish::Quiet(quiet))] }
    }
}

/// `word` as it is looked for, if it is one.
fn keyword(word: &str) -> Result<String, Refusal> {
    let refusal = |expect: String| {
        // What is that long is shown as far as words may be.
        let shown: String = word.chars().take(*WORD_CHARS.end()).collect();
        let why = format!("{shown:?}: expected {expect}");
        Err(Refusal::of(Code::BadField).field("words").why(why))
    };
    let count = word.chars().count();
    if !WORD_CHARS.contains(&count) {
        let (least, most) = (WORD_CHARS.start(), WORD_CHARS.end());
        return refusal(format!("{least} to {most} characters, found {count}"));
    }
    if !word.chars().all(is_of_word) {
        return refusal("one word, of letters, digits and _".to_owned());
    }
    Ok(folded(word))
}
