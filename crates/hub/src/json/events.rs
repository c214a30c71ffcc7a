//! What happened, and why something did not, written as the fields of a frame.

use super::{
    names::{KINDS, LEVELS, MODES, ROLES, WHYS},
    spelling::{Object, Spell},
};
use crate::{
    model::{Kind, Quiet, Words},
    protocol::{Event, Gap, Refusal, Where},
    words::{Lang, sentence_of_field},
};

/// Fills `frame` with an event: what it is comes first.
pub(super) fn say_event(event: &Event, lang: Lang, frame: &mut Object<'_>) {
    match event {
        Event::Message { at, kind, body, reply, mention, notify, edited } => {
            say_where("message", at, frame);
            say_message((*kind, body.as_ref()), frame);
            frame.maybe("reply", reply.as_ref()).maybe("edited", edited.then_some(&true));
            frame.maybe("mention", mention.then_some(&true));
            frame.maybe("notify", notify.map(|why| WHYS.of(why)));
        }
        Event::Announce { at, from, body } => {
            frame.put("ev", "announce").put("ts", at).put("from", from).put("body", body);
        }
        Event::Read { room, last } => {
            frame.put("ev", "read").put("room", room).put("last", last);
        }
        Event::Turn { room, who } => {
            frame.put("ev", "turn").put("room", room).put("who", who);
        }
        Event::Notify { room, level } => {
            frame.put("ev", "notify").put("room", room).put("level", LEVELS.of(*level));
        }
        Event::Keywords(words) => say_words("words", words, frame.put("ev", "keywords")),
        Event::Quiet(quiet) => say_quiet(*quiet, frame.put("ev", "quiet")),
        Event::Gap(Gap { room, from, to }) => {
            frame.put("ev", "gap").put("room", room).put("from", from).put("to", to);
        }
        Event::Rewound { last } => {
            frame.put("ev", "rewound").put("last", last);
        }
        Event::Lagged { room, last } => {
            frame.put("ev", "lagged").put("room", room).put("last", last);
        }
        Event::Typing { room, user, on } => {
            frame.put("ev", "typing").put("room", room).put("user", user).put("on", on);
        }
        Event::Presence { user, state, text } => {
            let frame = frame.put("ev", "presence").put("user", user).put("state", *state);
            frame.maybe("text", text.as_ref());
        }
        Event::Bye(refusal) => say_refusal(refusal, lang, frame.put("ev", "bye")),
        in_a_room => say_in_a_room(in_a_room, frame),
    }
}

pub(super) fn say_words(field: &str, words: &Words, frame: &mut Object<'_>) {
    let words: Vec<_> = words.iter().collect();
    frame.list(field, &words, |word, out| word.spell(out));
}

pub(super) fn say_quiet(quiet: Quiet, frame: &mut Object<'_>) {
    let until = match quiet {
        Quiet::Until(until) => Some(until),
        Quiet::Off | Quiet::On => None,
    };
    frame.put("on", &(quiet != Quiet::Off)).maybe("until", until.as_ref());
}

/// What was taken out is `null`.
fn say_message((kind, body): (Kind, Option<&String>), frame: &mut Object<'_>) {
    let frame = frame.put("kind", KINDS.of(kind));
    match body {
        Some(body) => frame.put("body", body),
        None => frame.put("body", &None::<u64>),
    };
}

/// What else stands in a room's log. What happens elsewhere is written above.
fn say_in_a_room(event: &Event, frame: &mut Object<'_>) {
    match event {
        Event::Edit { at, of, body } => {
            say_where("edit", at, frame).put("of", of).put("body", body);
        }
        Event::Redact { at, of, reason } => {
            say_where("redact", at, frame).put("of", of).maybe("reason", reason.as_ref());
        }
        Event::React { at, of, emoji, on } => {
            say_where("react", at, frame).put("of", of).put("emoji", emoji).put("on", on);
        }
        Event::Create(at) => _ = say_where("create", at, frame),
        Event::Delete(at) => _ = say_where("delete", at, frame),
        Event::Join(at) => _ = say_where("join", at, frame),
        Event::Part(at) => _ = say_where("part", at, frame),
        Event::Topic { at, topic } => _ = say_where("topic", at, frame).put("topic", topic),
        Event::Role { at, user, role } => {
            say_where("role", at, frame).put("user", user).put("role", ROLES.of(*role));
        }
        Event::About { at, what, user, until, reason } => {
            let frame = say_where(what, at, frame).put("user", user);
            frame.maybe("until", until.as_ref()).maybe("reason", reason.as_ref());
        }
        Event::Rule { at, what, value } => _ = say_where(what, at, frame).put("value", value),
        Event::Dialogue { at, mode } => {
            say_where("dialogue", at, frame).put("mode", MODES.of(*mode));
        }
        Event::DialogueEnd { at, word } => {
            let frame = say_where("dialogue_end", at, frame).put("by", &at.from);
            frame.maybe("word", word.as_ref());
        }
        _ => {}
    }
}

/// What happened, and where.
fn say_where<'f, 'o>(what: &str, at: &Where, frame: &'f mut Object<'o>) -> &'f mut Object<'o> {
    let Where { room, seq, prev, at, from, cid } = at;
    let frame = frame.put("ev", what).put("room", room).put("seq", seq).put("prev", prev);
    frame.put("ts", at).put("from", from).maybe("cid", cid.as_ref())
}

/// What programs read comes first, what people read behind it.
pub(super) fn say_refusal(refusal: &Refusal, lang: Lang, err: &mut Object<'_>) {
    say_refusal_as(refusal, &sentence_of_field(refusal, lang), err);
}

/// The same, in a sentence of its own.
pub(super) fn say_refusal_as(refusal: &Refusal, msg: &str, err: &mut Object<'_>) {
    let Refusal { code, why, field, retry_ms } = refusal;
    err.put("code", code.as_str()).maybe("field", *field).maybe("retry_ms", retry_ms.as_ref());
    err.put("msg", msg);
    err.maybe("why", (!why.is_empty()).then_some(why));
}
