//! Commands to speak, to read what was said, and to say what one wants to notice.

use super::super::{
    command::{Command, Who, same},
    lang::Text,
    line::Line,
    reading,
};
use crate::protocol::Ask;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        names: &["msg", "m"],
        who: Who::Account,
        arguments: Text { en: "NAME TEXT", fr: "NOM TEXTE" },
        does: Text { en: "say something to one person", fr: "dire quelque chose à une personne" },
        example: Text { en: "/msg bob between us", fr: "/msg bob entre nous" },
        read: reading::msg,
    },
    Command {
        names: &["dialogue"],
        who: Who::Account,
        arguments: Text { en: "NAME [turns|free|end]", fr: "NOM [tours|libre|fin]" },
        does: Text {
            en: "hold a dialogue with one person, each in turn or freely; fin ends it",
            fr: "dialoguer avec une personne, chacun son tour ou librement ; fin y met fin",
        },
        example: same("/dialogue bob"),
        read: reading::dialogue,
    },
    Command {
        names: &["me"],
        who: Who::Account,
        arguments: Text { en: "TEXT", fr: "TEXTE" },
        does: Text { en: "say what you do: /me laughs", fr: "dire ce que vous faites : /me rit" },
        example: Text { en: "/me laughs", fr: "/me rit" },
        read: reading::me,
    },
    Command {
        names: &["reply", "re"],
        who: Who::Account,
        arguments: Text { en: "NUMBER TEXT", fr: "NUMÉRO TEXTE" },
        does: Text {
            en: "answer a message; /history shows numbers",
            fr: "répondre à un message ; /history montre les numéros",
        },
        example: Text { en: "/reply 12 at noon", fr: "/reply 12 à midi" },
        read: reading::reply,
    },
    Command {
        names: &["edit"],
        who: Who::Account,
        arguments: Text { en: "NUMBER TEXT", fr: "NUMÉRO TEXTE" },
        does: Text { en: "say it otherwise", fr: "le dire autrement" },
        example: Text { en: "/edit 12 at one", fr: "/edit 12 à une heure" },
        read: reading::edit,
    },
    Command {
        names: &["delete", "del", "redact"],
        who: Who::Account,
        arguments: Text { en: "NUMBER [REASON]", fr: "NUMÉRO [RAISON]" },
        does: Text { en: "take a message out", fr: "retirer un message" },
        example: Text { en: "/delete 12 wrong room", fr: "/delete 12 mauvais salon" },
        read: reading::delete,
    },
    Command {
        names: &["react"],
        who: Who::Account,
        arguments: Text { en: "NUMBER SIGN", fr: "NUMÉRO SIGNE" },
        does: Text {
            en: "answer with a sign: /react 12 👍",
            fr: "répondre par un signe : /react 12 👍",
        },
        example: same("/react 12 👍"),
        read: reading::react,
    },
    Command {
        names: &["unreact"],
        who: Who::Account,
        arguments: Text { en: "NUMBER SIGN", fr: "NUMÉRO SIGNE" },
        does: Text { en: "take the sign back", fr: "reprendre le signe" },
        example: same("/unreact 12 👍"),
        read: reading::unreact,
    },
    Command {
        names: &["history", "hist"],
        who: Who::Account,
        arguments: Text { en: "[N] [NUMBER]", fr: "[N] [NUMÉRO]" },
        does: Text {
            en: "show the last N messages, or those before one",
            fr: "montrer les N derniers messages, ou ceux avant un autre",
        },
        example: same("/history 20"),
        read: reading::history,
    },
    Command {
        names: &["search"],
        who: Who::Account,
        arguments: Text { en: "WORDS", fr: "MOTS" },
        does: Text {
            en: "find messages that have these words",
            fr: "trouver les messages qui ont ces mots",
        },
        example: Text { en: "/search report", fr: "/search rapport" },
        read: reading::search,
    },
    Command {
        names: &["topic"],
        who: Who::Account,
        arguments: Text { en: "[TEXT]", fr: "[TEXTE]" },
        does: Text {
            en: "show what the room is about, or, as a moderator, say it; - for nothing",
            fr: "montrer de quoi parle le salon ou, comme modérateur, le dire ; - pour rien",
        },
        example: Text { en: "/topic what we build", fr: "/topic ce que nous faisons" },
        read: reading::topic,
    },
    Command {
        names: &["away", "abs"],
        who: Who::Account,
        arguments: Text { en: "[TEXT]", fr: "[TEXTE]" },
        does: Text {
            en: "be away; without a text, be back",
            fr: "être absent ; sans texte, de retour",
        },
        example: Text { en: "/away lunch", fr: "/away à table" },
        read: |typed| Ok(Line::Ask(Ask::Away { text: typed.rest() })),
    },
    Command {
        names: &["notify", "signaler"],
        who: Who::Account,
        arguments: Text { en: "[all|mentions|none]", fr: "[tout|mentions|rien]" },
        does: Text {
            en: "say how much of this room you want to notice; without it, show what is set",
            fr: "dire ce qui doit vous être signalé dans ce salon ; sans rien, le montrer",
        },
        example: Text { en: "/notify none", fr: "/notify rien" },
        read: reading::wishing::notify,
    },
    Command {
        names: &["keywords", "mots"],
        who: Who::Account,
        arguments: Text { en: "[WORDS]", fr: "[MOTS]" },
        does: Text {
            en: "look out for these words and no others, - for none; without, show which",
            fr: "guetter ces mots et aucun autre, - pour aucun ; sans rien, les montrer",
        },
        example: Text { en: "/keywords deadline exam", fr: "/keywords examen devoir" },
        read: |typed| Ok(reading::wishing::keywords(typed)),
    },
    Command {
        names: &["quiet", "silence"],
        who: Who::Account,
        arguments: Text { en: "[30s|10m|2h|7d|on|off]", fr: "[30s|10m|2h|7j|on|off]" },
        does: Text {
            en: "not be disturbed, for so long or until off; without, show whether you are",
            fr: "ne pas être dérangé, tant de temps ou jusqu'à off ; sans rien, le montrer",
        },
        example: same("/quiet 2h"),
        read: reading::wishing::quiet,
    },
];
