//! Commands for who makes rooms and looks after them.

use super::super::{
    command::{Command, Who, same},
    lang::Text,
    reading,
};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        names: &["create"],
        who: Who::Account,
        arguments: Text { en: "ROOM [private]", fr: "SALON [privé]" },
        does: Text { en: "make a room", fr: "créer un salon" },
        example: Text { en: "/create den private", fr: "/create refuge privé" },
        read: reading::create,
    },
    Command {
        names: &["invite"],
        who: Who::Moderator,
        arguments: Text { en: "NAME", fr: "NOM" },
        does: Text { en: "let somebody in", fr: "laisser entrer quelqu'un" },
        example: same("/invite bob"),
        read: reading::invite,
    },
    Command {
        names: &["hook"],
        who: Who::Moderator,
        arguments: Text { en: "NAME", fr: "NOM" },
        does: Text {
            en: "let a program say something here by HTTP",
            fr: "laisser un programme parler ici par HTTP",
        },
        example: Text { en: "/hook build", fr: "/hook construction" },
        read: reading::hook,
    },
    Command {
        names: &["kick"],
        who: Who::Moderator,
        arguments: Text { en: "NAME [REASON]", fr: "NOM [RAISON]" },
        does: Text { en: "send somebody out", fr: "faire sortir quelqu'un" },
        example: Text { en: "/kick bob too loud", fr: "/kick bob trop de bruit" },
        read: reading::kick,
    },
    Command {
        names: &["ban"],
        who: Who::Moderator,
        arguments: Text { en: "NAME [30s|10m|2h|7d] [REASON]", fr: "NOM [30s|10m|2h|7j] [RAISON]" },
        does: Text { en: "keep somebody out", fr: "ne plus laisser entrer quelqu'un" },
        example: Text { en: "/ban bob 7d too loud", fr: "/ban bob 7j trop de bruit" },
        read: reading::ban,
    },
    Command {
        names: &["unban"],
        who: Who::Moderator,
        arguments: Text { en: "NAME", fr: "NOM" },
        does: Text { en: "let somebody come in again", fr: "laisser de nouveau entrer quelqu'un" },
        example: same("/unban bob"),
        read: reading::unban,
    },
    Command {
        names: &["mute"],
        who: Who::Moderator,
        arguments: Text { en: "NAME [30s|10m|2h|7d]", fr: "NOM [30s|10m|2h|7j]" },
        does: Text { en: "let somebody say nothing", fr: "ne plus laisser parler quelqu'un" },
        example: same("/mute bob 10m"),
        read: reading::mute,
    },
    Command {
        names: &["unmute"],
        who: Who::Moderator,
        arguments: Text { en: "NAME", fr: "NOM" },
        does: Text { en: "let somebody speak again", fr: "laisser de nouveau parler quelqu'un" },
        example: same("/unmute bob"),
        read: reading::unmute,
    },
    Command {
        names: &["slow"],
        who: Who::Moderator,
        arguments: Text { en: "SECONDS", fr: "SECONDES" },
        does: Text {
            en: "have everybody wait between two messages",
            fr: "faire attendre chacun entre deux messages",
        },
        example: same("/slow 30"),
        read: reading::slow,
    },
    Command {
        names: &["role"],
        who: Who::Owner,
        arguments: Text {
            en: "NAME member|moderator|owner",
            fr: "NOM membre|modérateur|propriétaire",
        },
        does: Text { en: "say what somebody may do", fr: "dire ce que quelqu'un peut faire" },
        example: Text { en: "/role bob moderator", fr: "/role bob modérateur" },
        read: reading::role,
    },
    Command {
        names: &["keep"],
        who: Who::Owner,
        arguments: Text { en: "DAYS|forever", fr: "JOURS|toujours" },
        does: Text {
            en: "keep messages so long, 1 day or more, or for good",
            fr: "garder les messages tant de jours, 1 ou plus, ou toujours",
        },
        example: same("/keep 90"),
        read: reading::keep,
    },
    Command {
        names: &["all", "tous"],
        who: Who::Administrator,
        arguments: Text { en: "TEXT", fr: "TEXTE" },
        does: Text { en: "say something to everybody", fr: "dire quelque chose à tout le monde" },
        example: Text { en: "/all back at noon", fr: "/all de retour à midi" },
        read: reading::all,
    },
];
