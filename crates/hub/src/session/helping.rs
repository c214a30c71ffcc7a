//! What can be typed, for who asks: spelled once in each language, and not anew for each.

use std::sync::{Arc, OnceLock};

use super::{Dialect, Session};
use crate::{
    json,
    outbox::Spoken,
    protocol::{Answer, Told},
    words::{self, Lang},
};

/// How many languages there are.
const LANGS: usize = Lang::ALL.len();

/// What a frame of it has behind what every frame has.
static TAILS: [OnceLock<Vec<u8>>; LANGS] = [const { OnceLock::new() }; LANGS];

impl Session<'_> {
    /// Tells the client what can be typed.
    pub(super) fn help(&mut self, re: Option<u64>) {
        let lang = self.lang();
        if let Dialect::Words(_) = self.dialect {
            return self.answer(re, Ok(Answer::Help(words::help(lang))));
        }
        self.asked += 1;
        // Who hears frames is told nothing but those.
        let told = Told::Answer { re, answer: Ok(Answer::Done) };
        self.taken.push_back(Arc::new(Spoken { json: frame(re, lang).into(), told }));
    }
}

fn frame(re: Option<u64>, lang: Lang) -> Vec<u8> {
    let at = Lang::ALL.iter().position(|one| *one == lang).unwrap_or_default();
    let tail = TAILS[at].get_or_init(|| {
        let all = spelled(None, Answer::Help(words::help(lang)));
        all[begun(None).len()..].to_vec()
    });
    let mut frame = begun(re);
    frame.extend_from_slice(tail);
    frame
}

/// What every frame begins with that answers what was asked as `re`.
fn begun(re: Option<u64>) -> Vec<u8> {
    let mut frame = spelled(re, Answer::Done);
    let open = frame.len() - b"}\n".len();
    frame.truncate(open);
    frame
}

fn spelled(re: Option<u64>, answer: Answer) -> Vec<u8> {
    let mut frame = Vec::new();
    json::write(&Told::Answer { re, answer: Ok(answer) }, &mut frame);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_as_if_it_were_spelled_anew() {
        for lang in Lang::ALL {
            for re in [None, Some(0), Some(7), Some(u64::from(u32::MAX))] {
                let expect = spelled(re, Answer::Help(words::help(lang)));
                assert_eq!(frame(re, lang), expect, "{re:?} {lang:?}");
            }
        }
    }
}
