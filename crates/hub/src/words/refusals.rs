//! What codes say to people: what is wrong, and what to do about it.

use super::{
    lang::{Lang, Text},
    nearer::nearer,
    plain::Plain,
    whys::in_french,
};
use crate::protocol::{Code, Refusal};

/// One sentence about a refusal: what its code says, what was found, and when to ask again. What strangers
/// said is in it as it came.
pub fn sentence(refusal: &Refusal, lang: Lang) -> String {
    told((refusal, ""), lang)
}

/// The same for who writes programs: which field it is about is in it, too.
pub(crate) fn sentence_of_field(refusal: &Refusal, lang: Lang) -> String {
    let field = refusal.field.map(|field| format!(" [{field}]")).unwrap_or_default();
    told((refusal, &field), lang)
}

/// Says, as a line of the hub, that what was typed was not done, and why.
pub fn not_done(typed: &str, refusal: &Refusal, lang: Lang) -> String {
    let why = sentence(refusal, lang);
    let line = match lang {
        Lang::En => format!("not done: {typed}: {why}"),
        Lang::Fr => format!("pas fait : {typed} : {why}"),
    };
    format!("# {}\n", Plain(&line))
}

fn told((refusal, field): (&Refusal, &str), lang: Lang) -> String {
    let Refusal { code, why, field: _, retry_ms } = refusal;
    let again = retry_ms.map(|ms| again(ms, lang)).unwrap_or_default();
    if let Some(text) = nearer(refusal) {
        return format!("{}{field}{again}", text.of(lang));
    }
    let why = match lang {
        Lang::En => why.clone(),
        Lang::Fr => in_french(why),
    };
    match (code, &*why) {
        (_, "") => format!("{}{field}{again}", text(*code).of(lang)),
        // What it names says it all.
        (Code::NoSuchUser | Code::UnknownCommand, why) => format!("{why}{field}{again}"),
        (_, why) => format!("{}{field} ({why}){again}", text(*code).of(lang)),
    }
}

fn again(ms: u64, lang: Lang) -> String {
    let seconds = ms.div_ceil(1000);
    match lang {
        Lang::En => format!(", again in {seconds} s"),
        Lang::Fr => format!(", de nouveau dans {seconds} s"),
    }
}

fn text(code: Code) -> Text {
    let found = SENTENCES.iter().find(|(known, _)| *known == code);
    found.expect("a sentence for every code").1
}

/// What each code says, in their order.
const SENTENCES: [(Code, Text); Code::ALL.len()] = [
    (
        Code::BadFrame,
        Text {
            en: "a line has to be one JSON object",
            fr: "une ligne doit être un seul objet JSON",
        },
    ),
    (
        Code::FrameTooBig,
        Text {
            en: "the line is too long: say it in several",
            fr: "la ligne est trop longue : dites-le en plusieurs fois",
        },
    ),
    (
        Code::UnknownCommand,
        Text {
            en: "no command is called so: /help (HELP) lists them",
            fr: "cette commande n'existe pas : /help (HELP) les donne toutes",
        },
    ),
    (Code::MissingField, Text { en: "something is missing", fr: "il manque quelque chose" }),
    (
        Code::BadField,
        Text { en: "this is not what was expected", fr: "ce n'est pas ce qui était attendu" },
    ),
    (
        Code::UnsupportedProto,
        Text {
            en: "this version of the protocol is not spoken here: use version 1",
            fr: "cette version du protocole n'est pas parlée ici : prenez la version 1",
        },
    ),
    (
        Code::NotLoggedIn,
        Text {
            en: "this is for who has an account: /login NAME or /register NAME first",
            fr: "il faut un compte : d'abord /login NOM ou /register NOM",
        },
    ),
    (
        Code::AlreadyLoggedIn,
        Text {
            en: "you are logged in already: /logout first",
            fr: "vous êtes déjà connecté : d'abord /logout",
        },
    ),
    (
        Code::BadCredentials,
        Text {
            en: "nobody has this name and password",
            fr: "personne n'a ce nom et ce mot de passe",
        },
    ),
    (
        Code::AccountExists,
        Text {
            en: "this name is somebody's: take another, or log in",
            fr: "ce nom est déjà pris : prenez-en un autre, ou connectez-vous",
        },
    ),
    (
        Code::NameTaken,
        Text {
            en: "another room is called so: take another name",
            fr: "un autre salon s'appelle ainsi : prenez un autre nom",
        },
    ),
    (
        Code::NameConfusable,
        Text {
            en: "the name looks like another: take one that is easier to tell apart",
            fr: "ce nom ressemble trop à un autre : prenez-en un qui s'en distingue",
        },
    ),
    (
        Code::NameInvalid,
        Text {
            en: "nothing may be called so: take letters, digits, - and _",
            fr: "rien ne peut s'appeler ainsi : prenez des lettres, des chiffres, - et _",
        },
    ),
    (
        Code::WeakPassword,
        Text {
            en: "this password is too easy to guess: take another",
            fr: "ce mot de passe est trop facile à deviner : prenez-en un autre",
        },
    ),
    (
        Code::RegistrationClosed,
        Text {
            en: "accounts are made by invitation, or by an administrator: ask for one",
            fr: "les comptes se créent sur invitation ou par un administrateur : demandez-en un",
        },
    ),
    (
        Code::TlsRequired,
        Text {
            en: "no passwords where others could read them: connect with TLS",
            fr: "pas de mot de passe là où d'autres peuvent le lire : connectez-vous par TLS",
        },
    ),
    (
        Code::TokenExpired,
        Text {
            en: "the token is of no use any more: log in with your password",
            fr: "le jeton ne vaut plus rien : connectez-vous avec votre mot de passe",
        },
    ),
    (
        Code::SessionRevoked,
        Text {
            en: "this device was logged out: log in again",
            fr: "cet appareil a été déconnecté : connectez-vous de nouveau",
        },
    ),
    (
        Code::NoSuchRoom,
        Text {
            en: "there is no such room: /rooms lists them",
            fr: "ce salon n'existe pas : /rooms les donne tous",
        },
    ),
    (Code::NoSuchUser, Text { en: "nobody is called so", fr: "personne ne s'appelle ainsi" }),
    (Code::NoSuchHook, Text { en: "no hook has this path", fr: "aucun hook n'a ce chemin" }),
    (
        Code::NotInRoom,
        Text {
            en: "you have to be in the room, and so has who it is about: /join ROOM",
            fr: "il faut être dans le salon, vous et la personne dont il s'agit : /join SALON",
        },
    ),
    (Code::Forbidden, Text { en: "you may not do this", fr: "vous n'en avez pas le droit" }),
    (
        Code::Banned,
        Text {
            en: "you may not come into this room: ask its moderators",
            fr: "vous ne pouvez pas entrer dans ce salon : parlez-en à ses modérateurs",
        },
    ),
    (
        Code::Muted,
        Text {
            en: "you may not speak here now",
            fr: "vous ne pouvez pas parler ici pour le moment",
        },
    ),
    (
        Code::NotYourTurn,
        Text {
            en: "it is not your turn: wait for the other, or end the dialogue with fin",
            fr: "ce n'est pas votre tour : attendez l'autre, ou terminez le dialogue par fin",
        },
    ),
    (Code::RoomFull, Text { en: "the room is full", fr: "le salon est plein" }),
    (
        Code::NoSuchEvent,
        Text {
            en: "nothing was said at that place of this room",
            fr: "rien n'a été dit à cet endroit de ce salon",
        },
    ),
    (
        Code::EditTooLate,
        Text {
            en: "it was said too long ago to be edited: say it again",
            fr: "c'était il y a trop longtemps pour le corriger : redites-le",
        },
    ),
    (
        Code::CidReused,
        Text {
            en: "this cid was used for something else: take a new one",
            fr: "ce cid a déjà servi à autre chose : prenez-en un nouveau",
        },
    ),
    (Code::TooLong, Text { en: "the text is too long", fr: "le texte est trop long" }),
    (
        Code::TooMany,
        Text { en: "there are as many as there may be", fr: "il y en a déjà autant que permis" },
    ),
    (Code::RateLimited, Text { en: "too fast: wait a little", fr: "trop vite : attendez un peu" }),
    (Code::CalcError, Text { en: "this comes to nothing", fr: "cela ne se calcule pas" }),
    (
        Code::CalcTimeout,
        Text { en: "this takes too long to work out", fr: "ce calcul est trop long" },
    ),
    (
        Code::StoreFull,
        Text {
            en: "the hub's disk is full: nothing was kept",
            fr: "le disque du serveur est plein : rien n'a été gardé",
        },
    ),
    (
        Code::Unavailable,
        Text {
            en: "the hub cannot do it now: try again, with the same cid",
            fr: "le serveur ne peut pas le faire maintenant : réessayez, avec le même cid",
        },
    ),
    (
        Code::Shutdown,
        Text {
            en: "the hub goes: come back in a moment",
            fr: "le serveur s'arrête : revenez dans un instant",
        },
    ),
    (
        Code::Internal,
        Text {
            en: "something went wrong in the hub: tell its administrator",
            fr: "une erreur s'est produite dans le serveur : dites-le à son administrateur",
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_something_in_each_language() {
        for (code, (known, text)) in Code::ALL.into_iter().zip(SENTENCES) {
            assert_eq!(code, known);
            for lang in Lang::ALL {
                assert!(!text.of(lang).is_empty() && !text.of(lang).ends_with('.'), "{code}");
            }
        }
    }

    #[test]
    fn a_refusal_says_what_was_found_and_when_to_ask_again() {
        let refusal = Refusal::of(Code::RateLimited);
        check(&refusal, "too fast: wait a little", "trop vite : attendez un peu");
        let refusal = refusal.why("11 messages").field("body").retry_ms(1200);
        check(
            &refusal,
            "too fast: wait a little (11 messages), again in 2 s",
            "trop vite : attendez un peu (11 messages), de nouveau dans 2 s",
        );
        let found = sentence_of_field(&refusal, Lang::En);
        assert_eq!(found, "too fast: wait a little [body] (11 messages), again in 2 s");
    }

    #[test]
    fn who_is_not_there_is_named_once() {
        let refusal = Refusal::of(Code::NoSuchUser).why("nobody is called \"bob\"");
        check(&refusal, "nobody is called \"bob\"", "personne ne s'appelle \"bob\"");
        check(&Refusal::of(Code::NoSuchUser), "nobody is called so", "personne ne s'appelle ainsi");
    }

    #[test]
    fn what_is_no_command_is_named_once() {
        let why = "no command is called \"/nope\": /help lists them";
        let french = "aucune commande ne s'appelle \"/nope\" : /help les donne toutes";
        check(&Refusal::of(Code::UnknownCommand).why(why), why, french);
    }

    #[test]
    fn what_was_not_done_is_named() {
        let refusal = Refusal::of(Code::RateLimited).retry_ms(400);
        let found = Lang::ALL.map(|lang| not_done("hi\u{1b}[2J", &refusal, lang));
        let expect = [
            "# not done: hi[2J: too fast: wait a little, again in 1 s\n",
            "# pas fait : hi[2J : trop vite : attendez un peu, de nouveau dans 1 s\n",
        ];
        assert_eq!(found, expect);
    }

    #[track_caller]
    fn check(refusal: &Refusal, en: &str, fr: &str) {
        assert_eq!(sentence(refusal, Lang::En), en);
        assert_eq!(sentence(refusal, Lang::Fr), fr);
    }
}
