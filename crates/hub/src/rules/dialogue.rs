//! How two hold a dialogue: who may speak when, and what ends it.

use super::{Judge, Past, Verdict};
use crate::{
    model::{Act, Deed, Dialogue, Kind, Mode, RoomId},
    protocol::{Code, Refusal},
};

/// What ends a dialogue, when it is all that is said.
const LAST_WORDS: [&str; 2] = ["fin", "quit"];

/// The last word that `body` is, however it is written, if it is one: what is done is none.
pub(super) fn last_word(kind: Kind, body: &str) -> Option<&'static str> {
    let word = body.trim();
    let is_meant = |last: &&str| last.eq_ignore_ascii_case(word);
    LAST_WORDS.into_iter().find(is_meant).filter(|_| kind == Kind::Text)
}

impl<P: Past> Judge<'_, P> {
    /// To hold a dialogue as `mode` says, or none any more. Of two who ask at once the first begins.
    pub(super) fn dialogue(&self, with: &str, mode: Option<Mode>) -> Verdict {
        if self.person(with)? == self.by {
            return Err(Refusal::of(Code::BadField).field("with").why("expected somebody else"));
        }
        let (mut deeds, room) = self.talk(with)?;
        let held = if deeds.is_empty() { self.state.room(room).dialogue } else { None };
        let act = match (mode, held) {
            (Some(mode), None) => Act::Dialogue { mode },
            (Some(mode), Some(held)) if held.mode() != mode => {
                return Err(Refusal::of(Code::Forbidden)
                    .field("mode")
                    .why("another dialogue is held with them: end it first"));
            }
            (None, Some(_)) => Act::DialogueEnd { word: None },
            // It is so already.
            (Some(_), Some(_)) | (None, None) => return Ok(Vec::new()),
        };
        deeds.push(Deed::In { room, act });
        Ok(deeds)
    }

    /// What is written of the last word of a dialogue, whoever's turn it is; `None` of any other.
    pub(super) fn last_word(&self, room: RoomId, (kind, body): (Kind, &str)) -> Option<Deed> {
        let word = last_word(kind, body)?;
        // A talk that begins with it has no dialogue to end.
        let is_held = room.0 < self.next && self.state.room(room).dialogue.is_some();
        let act = Act::DialogueEnd { word: Some(word.to_owned()) };
        is_held.then_some(Deed::In { room, act })
    }

    /// Whether who asks may speak, as far as a dialogue goes.
    pub(super) fn has_its_turn(&self, room: RoomId) -> Result<(), Refusal> {
        let dialogue = self.state.room(room).dialogue;
        match dialogue.and_then(Dialogue::turn).filter(|turn| *turn != self.by) {
            Some(turn) => {
                let name = &self.state.account(turn).name;
                Err(Refusal::of(Code::NotYourTurn).why(format!("it is the turn of {name:?}")))
            }
            None => Ok(()),
        }
    }
}
