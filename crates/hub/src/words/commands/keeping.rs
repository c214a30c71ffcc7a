//! Commands about one's own account, its devices and this connection, and to calculate.

use super::super::{
    command::{Command, NOTHING, Who, same},
    lang::Text,
    line::Line,
    reading,
};
use crate::protocol::Ask;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        names: &["calc"],
        who: Who::Account,
        arguments: Text { en: "EXPRESSION", fr: "EXPRESSION" },
        does: Text { en: "work something out: /calc 2^64", fr: "calculer : /calc 2^64" },
        example: same("/calc 2^64"),
        read: reading::calc,
    },
    Command {
        names: &["nick"],
        who: Who::Account,
        arguments: NOTHING,
        does: Text { en: "your name stays what it is", fr: "votre nom reste ce qu'il est" },
        example: same("/nick"),
        read: |_| Ok(Line::NameStays),
    },
    Command {
        names: &["password", "passwd"],
        who: Who::Account,
        arguments: Text { en: "OLD NEW", fr: "ANCIEN NOUVEAU" },
        does: Text { en: "take another password", fr: "prendre un autre mot de passe" },
        example: Text { en: "/password OLD NEW", fr: "/password ANCIEN NOUVEAU" },
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
        example: same("/unregister"),
        read: |typed| Ok(reading::unregister(typed)),
    },
    Command {
        names: &["export", "exporter"],
        who: Who::Account,
        arguments: Text { en: "FILE", fr: "FICHIER" },
        does: Text {
            en: "write all that you did to a new file; `relais chat` and the page do",
            fr: "écrire tout ce que vous avez fait dans un nouveau fichier ; `relais chat` et la page le font",
        },
        example: Text { en: "/export mine.jsonl", fr: "/export moi.jsonl" },
        read: reading::export,
    },
    Command {
        names: &["sessions"],
        who: Who::Account,
        arguments: NOTHING,
        does: Text { en: "list your devices", fr: "donner la liste de vos appareils" },
        example: same("/sessions"),
        read: |_| Ok(Line::Ask(Ask::Sessions)),
    },
    Command {
        names: &["revoke"],
        who: Who::Account,
        arguments: Text { en: "SESSION", fr: "SESSION" },
        does: Text { en: "log a device out", fr: "déconnecter un appareil" },
        example: same("/revoke s_8f41a2c9"),
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
        example: Text { en: "/cert laptop", fr: "/cert portable" },
        read: |typed| Ok(reading::cert(typed)),
    },
    Command {
        names: &["logout"],
        who: Who::Account,
        arguments: NOTHING,
        does: Text { en: "log out, and stay", fr: "se déconnecter, et rester" },
        example: same("/logout"),
        read: |_| Ok(Line::Ask(Ask::Logout { all: false })),
    },
    Command {
        names: &["lang", "langue"],
        who: Who::Anybody,
        arguments: Text { en: "en|fr", fr: "en|fr" },
        does: Text { en: "choose the language", fr: "choisir la langue" },
        example: Text { en: "/lang fr", fr: "/lang en" },
        read: reading::lang,
    },
    Command {
        names: &["ping"],
        who: Who::Anybody,
        arguments: NOTHING,
        does: Text { en: "see whether the hub is there", fr: "voir si le serveur est là" },
        example: same("/ping"),
        read: |_| Ok(Line::Ask(Ask::Ping { t: None })),
    },
    Command {
        names: &["bye", "quit", "exit", "fin"],
        who: Who::Anybody,
        arguments: NOTHING,
        does: Text { en: "leave; fin and quit do it, too", fr: "sortir ; fin et quit aussi" },
        example: same("/bye"),
        read: |_| Ok(Line::End),
    },
];
