//! The signs that were put to messages of a room, and by whom.

use std::collections::BTreeMap;

use relais_hub::model::Seq;

/// How many are held. More are not shown.
pub(super) const SIGNS_MAX: usize = 20_000;

/// Of each sign who put it there last or took it back, and when: what comes by pages comes later than what is
/// newer.
#[derive(Debug, Default)]
pub(super) struct Signs(BTreeMap<(Seq, String, String), (Seq, Last)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    Put,
    TakenBack,
}

impl Signs {
    /// Somebody did that with a sign of the message `of`, at `seq`.
    pub(super) fn hear(&mut self, of: Seq, (emoji, user): (&str, &str), did: (Seq, Last)) {
        if self.0.len() >= SIGNS_MAX {
            return;
        }
        let kept = self.0.entry((of, emoji.to_owned(), user.to_owned())).or_insert(did);
        if kept.0 <= did.0 {
            *kept = did;
        }
    }

    /// The signs of a message, each with who put it there.
    pub(super) fn of(&self, seq: Seq) -> Vec<(&str, Vec<&str>)> {
        let from = (seq, String::new(), String::new());
        let all = self.0.range(from..).take_while(|((of, ..), _)| *of == seq);
        let mut signs: Vec<(&str, Vec<&str>)> = Vec::new();
        for ((_, emoji, user), _) in all.filter(|(_, (_, last))| *last == Last::Put) {
            match signs.last_mut().filter(|(last, _)| last == emoji) {
                Some((_, users)) => users.push(user),
                None => signs.push((emoji, vec![user])),
            }
        }
        signs
    }

    /// Forgets those of all messages up to `seq`.
    pub(super) fn forget(&mut self, seq: Seq) {
        self.0.retain(|(of, ..), _| *of > seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_as_they_were_put_last_in_whatever_order_that_is_heard() {
        let (mut signs, of) = (Signs::default(), Seq(1));
        signs.hear(of, ("👍", "bob"), (Seq(5), Last::TakenBack));
        signs.hear(of, ("👍", "bob"), (Seq(3), Last::Put));
        assert_eq!(signs.of(of), []);
        signs.hear(of, ("👍", "bob"), (Seq(7), Last::Put));
        signs.hear(of, ("👍", "ana"), (Seq(8), Last::Put));
        signs.hear(Seq(2), ("❤", "ana"), (Seq(9), Last::Put));
        assert_eq!(signs.of(of), [("👍", vec!["ana", "bob"])]);
        signs.forget(of);
        assert_eq!((signs.of(of), signs.of(Seq(2)).len()), (vec![], 1));
    }

    #[test]
    fn too_many_are_not_held() {
        let mut signs = Signs::default();
        for seq in 0..=SIGNS_MAX as u64 {
            signs.hear(Seq(seq), ("👍", "bob"), (Seq(seq + 1), Last::Put));
        }
        assert_eq!(signs.0.len(), SIGNS_MAX);
    }
}
