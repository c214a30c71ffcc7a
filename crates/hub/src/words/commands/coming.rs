//! Commands to come in, and to see where one may go and who is there.

use super::super::{
    command::{Command, NOTHING, Who, same},
    lang::Text,
    line::Line,
    reading,
};
use crate::protocol::Ask;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        names: &["help", "h", "aide", "?"],
        who: Who::Anybody,
        arguments: NOTHING,
        does: Text { en: "show what can be typed", fr: "montrer ce qui peut être tapé" },
        example: same("/help"),
        read: |_| Ok(Line::Ask(Ask::Help)),
    },
    Command {
        names: &["register", "inscrire"],
        who: Who::Anybody,
        arguments: Text {
            en: "NAME [INVITATION] [PASSWORD]",
            fr: "NOM [INVITATION] [MOT DE PASSE]",
        },
        does: Text { en: "make an account", fr: "créer un compte" },
        example: same("/register ana"),
        read: reading::register,
    },
    Command {
        names: &["login", "connexion"],
        who: Who::Anybody,
        arguments: Text { en: "NAME [PASSWORD]", fr: "NOM [MOT DE PASSE]" },
        does: Text {
            en: "log in; without a password it is asked for",
            fr: "se connecter ; sans mot de passe, il est demandé",
        },
        example: same("/login ana"),
        read: reading::login,
    },
    Command {
        names: &["join", "j"],
        who: Who::Account,
        arguments: Text { en: "ROOM|@NAME", fr: "SALON|@NOM" },
        does: Text {
            en: "come into a room, or make it, or speak with one person from here on",
            fr: "entrer dans un salon, ou le créer, ou parler désormais à une personne",
        },
        example: Text { en: "/join lab", fr: "/join labo" },
        read: reading::join,
    },
    Command {
        names: &["leave", "part"],
        who: Who::Account,
        arguments: Text { en: "[ROOM]", fr: "[SALON]" },
        does: Text { en: "leave this room, or another", fr: "quitter ce salon, ou un autre" },
        example: same("/leave"),
        read: reading::leave,
    },
    Command {
        names: &["rooms", "list", "salons"],
        who: Who::Account,
        arguments: Text { en: "[WORD]", fr: "[MOT]" },
        does: Text { en: "list the rooms", fr: "donner la liste des salons" },
        example: Text { en: "/rooms lab", fr: "/rooms labo" },
        read: |typed| Ok(Line::Ask(Ask::Rooms { matching: typed.rest() })),
    },
    Command {
        names: &["who", "names", "qui"],
        who: Who::Account,
        arguments: Text { en: "[ROOM]", fr: "[SALON]" },
        does: Text { en: "list who is in the room", fr: "dire qui est dans le salon" },
        example: same("/who"),
        read: reading::who,
    },
    Command {
        names: &["whois"],
        who: Who::Account,
        arguments: Text { en: "NAME", fr: "NOM" },
        does: Text { en: "say who somebody is", fr: "dire qui est quelqu'un" },
        example: same("/whois bob"),
        read: reading::whois,
    },
];
