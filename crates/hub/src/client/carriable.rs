//! What may be asked by datagrams.

use crate::protocol::Ask;

/// Whether `ask` may be carried by datagrams: its answer fits, or is cut to no harm.
pub(super) fn fits_datagrams(ask: &Ask) -> bool {
    let is_long = ask.wants_much() && !matches!(ask, Ask::Resume(_));
    let is_of_connection = matches!(
        ask,
        // Twenty words of 32 letters may be more than a datagram.
        Ask::Hello { .. } | Ask::Revoke { .. } | Ask::Help | Ask::Bye { .. } | Ask::Wishes { .. }
    );
    !(ask.is_for_connections() || is_long || is_of_connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        datagram::written,
        limits::Limits,
        model::{Millis, Quiet, Wishes},
        protocol::{Answer, Place, Told},
    };

    #[test]
    fn the_longest_answer_of_what_is_wished_for_goes_by_the_connection() {
        let limits = Limits::default();
        let letters = ('а'..='я').cycle();
        let word = |skipped| letters.clone().skip(skipped).take(32).collect::<String>();
        let words = (0..limits.keywords_max).map(word).collect();
        let wishes = Wishes { words, quiet: Quiet::Until(Millis(1)) };
        let answer = Ok(Answer::Wishes { wishes, level: None });
        let frame = written(&Told::Answer { re: Some(1), answer });
        assert!(frame.len() > 1200, "{}", frame.len());
        for room in [None, Some(Place::Room("#lab".into()))] {
            assert!(!fits_datagrams(&Ask::Wishes { room }));
        }
    }
}
