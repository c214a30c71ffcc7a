//! What can be typed: each command is one entry here, and all doors know it.

use super::{
    command::{Command, Who},
    lang::{Lang, Text},
    line::Line,
    reading,
};
use crate::protocol::Ask;

/// What can be typed, and what it does, for people.
pub fn help(lang: Lang) -> Vec<(String, String)> {
    COMMANDS.iter().map(|command| (command.line(lang), command.about(lang))).collect()
}

/// Nothing is typed behind it.
const NOTHING: Text = Text { en: "", fr: "" };

/// What can be typed, in the order of `/help`.
pub const COMMANDS: &[Command] = &[
    Command {
        names: &["help", "h", "aide", "?"],
        who: Who::Anybody,
        arguments: NOTHING,
        does: Text { en: "show what can be typed", fr: "montrer ce qui peut être tapé" },
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
        read: reading::join,
    },
    Command {
        names: &["leave", "part"],
        who: Who::Account,
        arguments: Text { en: "[ROOM]", fr: "[SALON]" },
        does: Text { en: "leave this room, or another", fr: "quitter ce salon, ou un autre" },
        read: reading::leave,
    },
    Command {
        names: &["rooms", "list", "salons"],
        who: Who::Account,
        arguments: Text { en: "[WORD]", fr: "[MOT]" },
        does: Text { en: "list the rooms", fr: "donner la liste des salons" },
        read: |typed| Ok(Line::Ask(Ask::Rooms { matching: typed.rest() })),
    },
    Command {
        names: &["who", "names", "qui"],
        who: Who::Account,
        arguments: Text { en: "[ROOM]", fr: "[SALON]" },
        does: Text { en: "list who is in the room", fr: "dire qui est dans le salon" },
        read: reading::who,
    },
    Command {
        names: &["whois"],
        who: Who::Account,
        arguments: Text { en: "NAME", fr: "NOM" },
        does: Text { en: "say who somebody is", fr: "dire qui est quelqu'un" },
        read: reading::whois,
    },
    Command {
        names: &["msg", "m"],
        who: Who::Account,
        arguments: Text { en: "NAME TEXT", fr: "NOM TEXTE" },
        does: Text { en: "say something to one person", fr: "dire quelque chose à une personne" },
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
        read: reading::dialogue,
    },
    Command {
        names: &["me"],
        who: Who::Account,
        arguments: Text { en: "TEXT", fr: "TEXTE" },
        does: Text { en: "say what you do: /me laughs", fr: "dire ce que vous faites : /me rit" },
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
        read: reading::reply,
    },
    Command {
        names: &["edit"],
        who: Who::Account,
        arguments: Text { en: "NUMBER TEXT", fr: "NUMÉRO TEXTE" },
        does: Text { en: "say it otherwise", fr: "le dire autrement" },
        read: reading::edit,
    },
    Command {
        names: &["delete", "del", "redact"],
        who: Who::Account,
        arguments: Text { en: "NUMBER [REASON]", fr: "NUMÉRO [RAISON]" },
        does: Text { en: "take a message out", fr: "retirer un message" },
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
        read: reading::react,
    },
    Command {
        names: &["unreact"],
        who: Who::Account,
        arguments: Text { en: "NUMBER SIGN", fr: "NUMÉRO SIGNE" },
        does: Text { en: "take the sign back", fr: "reprendre le signe" },
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
        read: |typed| Ok(Line::Ask(Ask::Away { text: typed.rest() })),
    },
    Command {
        names: &["notify", "signaler"],
        who: Who::Account,
        arguments: Text { en: "all|mentions|none", fr: "tout|mentions|rien" },
        does: Text {
            en: "say how much of this room you want to notice",
            fr: "dire ce qui doit vous être signalé dans ce salon",
        },
        read: reading::notify,
    },
    Command {
        names: &["keywords", "mots"],
        who: Who::Account,
        arguments: Text { en: "WORDS", fr: "MOTS" },
        does: Text {
            en: "look out for these words and no others; - for none",
            fr: "guetter ces mots et aucun autre ; - pour aucun",
        },
        read: reading::keywords,
    },
    Command {
        names: &["quiet", "silence"],
        who: Who::Account,
        arguments: Text { en: "[30s|10m|2h|7d|off]", fr: "[30s|10m|2h|7j|off]" },
        does: Text {
            en: "not be disturbed, for so long or until off",
            fr: "ne pas être dérangé, tant de temps ou jusqu'à off",
        },
        read: reading::quiet,
    },
    Command {
        names: &["create"],
        who: Who::Account,
        arguments: Text { en: "ROOM [private]", fr: "SALON [privé]" },
        does: Text { en: "make a room", fr: "créer un salon" },
        read: reading::create,
    },
    Command {
        names: &["invite"],
        who: Who::Moderator,
        arguments: Text { en: "NAME", fr: "NOM" },
        does: Text { en: "let somebody in", fr: "laisser entrer quelqu'un" },
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
        read: reading::hook,
    },
    Command {
        names: &["kick"],
        who: Who::Moderator,
        arguments: Text { en: "NAME [REASON]", fr: "NOM [RAISON]" },
        does: Text { en: "send somebody out", fr: "faire sortir quelqu'un" },
        read: reading::kick,
    },
    Command {
        names: &["ban"],
        who: Who::Moderator,
        arguments: Text { en: "NAME [30s|10m|2h|7d] [REASON]", fr: "NOM [30s|10m|2h|7j] [RAISON]" },
        does: Text { en: "keep somebody out", fr: "ne plus laisser entrer quelqu'un" },
        read: reading::ban,
    },
    Command {
        names: &["unban"],
        who: Who::Moderator,
        arguments: Text { en: "NAME", fr: "NOM" },
        does: Text { en: "let somebody come in again", fr: "laisser de nouveau entrer quelqu'un" },
        read: reading::unban,
    },
    Command {
        names: &["mute"],
        who: Who::Moderator,
        arguments: Text { en: "NAME [30s|10m|2h|7d]", fr: "NOM [30s|10m|2h|7j]" },
        does: Text { en: "let somebody say nothing", fr: "ne plus laisser parler quelqu'un" },
        read: reading::mute,
    },
    Command {
        names: &["unmute"],
        who: Who::Moderator,
        arguments: Text { en: "NAME", fr: "NOM" },
        does: Text { en: "let somebody speak again", fr: "laisser de nouveau parler quelqu'un" },
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
        read: reading::role,
    },
    Command {
        names: &["keep"],
        who: Who::Owner,
        arguments: Text { en: "[DAYS]", fr: "[JOURS]" },
        does: Text {
            en: "keep messages so long; without a number, for good",
            fr: "garder les messages tant de jours ; sans nombre, toujours",
        },
        read: reading::keep,
    },
    Command {
        names: &["all", "tous"],
        who: Who::Administrator,
        arguments: Text { en: "TEXT", fr: "TEXTE" },
        does: Text { en: "say something to everybody", fr: "dire quelque chose à tout le monde" },
        read: reading::all,
    },
    Command {
        names: &["calc"],
        who: Who::Account,
        arguments: Text { en: "EXPRESSION", fr: "EXPRESSION" },
        does: Text { en: "work something out: /calc 2^64", fr: "calculer : /calc 2^64" },
        read: reading::calc,
    },
    Command {
        names: &["nick"],
        who: Who::Account,
        arguments: NOTHING,
        does: Text { en: "your name stays what it is", fr: "votre nom reste ce qu'il est" },
        read: |_| Ok(Line::NameStays),
    },
    Command {
        names: &["password", "passwd"],
        who: Who::Account,
        arguments: Text { en: "OLD NEW", fr: "ANCIEN NOUVEAU" },
        does: Text { en: "take another password", fr: "prendre un autre mot de passe" },
        read: reading::password,
    },
    Command {
        names: &["unregister", "désinscrire"],
        who: Who::Account,
        arguments: Text { en: "[PASSWORD]", fr: "[MOT DE PASSE]" },
        does: Text {
            en: "delete your account; what you said stays, without your name",
            fr: "supprimer votre compte ; ce que vous avez dit reste, sans votre nom",
        },
        read: |typed| Ok(reading::unregister(typed)),
    },
    Command {
        names: &["sessions"],
        who: Who::Account,
        arguments: NOTHING,
        does: Text { en: "list your devices", fr: "donner la liste de vos appareils" },
        read: |_| Ok(Line::Ask(Ask::Sessions)),
    },
    Command {
        names: &["revoke"],
        who: Who::Account,
        arguments: Text { en: "SESSION", fr: "SESSION" },
        does: Text { en: "log a device out", fr: "déconnecter un appareil" },
        read: reading::revoke,
    },
    Command {
        names: &["cert", "certificat"],
        who: Who::Anybody,
        arguments: Text { en: "[NAME]", fr: "[NOM]" },
        does: Text {
            en: "log in by the certificate that you show over TLS; NAME has it known as yours first",
            fr: "se connecter par le certificat présenté en TLS ; NOM le fait d'abord connaître",
        },
        read: |typed| Ok(reading::cert(typed)),
    },
    Command {
        names: &["logout"],
        who: Who::Account,
        arguments: NOTHING,
        does: Text { en: "log out, and stay", fr: "se déconnecter, et rester" },
        read: |_| Ok(Line::Ask(Ask::Logout { all: false })),
    },
    Command {
        names: &["lang", "langue"],
        who: Who::Anybody,
        arguments: Text { en: "en|fr", fr: "en|fr" },
        does: Text { en: "choose the language", fr: "choisir la langue" },
        read: reading::lang,
    },
    Command {
        names: &["ping"],
        who: Who::Anybody,
        arguments: NOTHING,
        does: Text { en: "see whether the hub is there", fr: "voir si le serveur est là" },
        read: |_| Ok(Line::Ask(Ask::Ping { t: None })),
    },
    Command {
        names: &["bye", "quit", "exit", "fin"],
        who: Who::Anybody,
        arguments: NOTHING,
        does: Text { en: "leave; fin and quit do it, too", fr: "sortir ; fin et quit aussi" },
        read: |_| Ok(Line::End),
    },
];
