//! What was found and expected, in French: rules and names say it in English, which programs read. `{}` stands
//! for what was found, and for numbers.

use super::{
    misuse::{NOWHERE, UNKNOWN},
    nearer::{DELETED, NONE_SHOWN, NOT_INVITED, UNKNOWN_CERTIFICATE},
    reread::misuse_in_french,
};

/// `why` in French, if that is known; else as it is.
pub(super) fn in_french(why: &str) -> String {
    let said = WHYS.iter().find_map(|(english, french)| said_so(why, english, french));
    said.or_else(|| misuse_in_french(why)).unwrap_or_else(|| why.to_owned())
}

/// What `french` says of that for which `english` says `why`, if it does.
fn said_so(why: &str, english: &str, french: &str) -> Option<String> {
    let mut parts = english.split("{}");
    let mut rest = why.strip_prefix(parts.next()?)?;
    let mut said = french.to_owned();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let end = if parts.peek().is_none() {
            rest.len().checked_sub(part.len()).filter(|end| rest.is_char_boundary(*end))?
        } else {
            rest.find(part)?
        };
        let (found, behind) = rest.split_at(end);
        rest = behind.strip_prefix(part)?;
        // What was found may have the sign for what comes next in it.
        said = said.replacen("{}", &found.replace("{}", "{ }"), 1);
    }
    rest.is_empty().then_some(said)
}

const WHYS: &[(&str, &str)] = &[
    (NOWHERE.en, NOWHERE.fr),
    (UNKNOWN.en, UNKNOWN.fr),
    ("nobody is called {}", "personne ne s'appelle {}"),
    ("no room is called {}", "aucun salon ne s'appelle {}"),
    ("no session is called {}", "aucune session ne s'appelle {}"),
    ("no invitation is called {}", "aucune invitation ne s'appelle {}"),
    ("for moderators and owners of the room", "pour les modérateurs et propriétaires du salon"),
    ("for owners of the room", "pour les propriétaires du salon"),
    ("for the administrator of the hub", "pour l'administrateur du serveur"),
    ("unban them first", "levez d'abord son bannissement"),
    (
        "nobody else in the room owns it: have somebody be an owner first",
        "personne d'autre dans le salon n'en est propriétaire : nommez-en un d'abord",
    ),
    ("between two there is none", "à deux il n'y en a pas"),
    ("leave one of your rooms first", "quittez d'abord un de vos salons"),
    ("you spoke to as many as may be", "vous avez parlé à autant de personnes que permis"),
    ("expected somebody else than yourself", "il faut quelqu'un d'autre que vous"),
    ("expected somebody else", "il faut quelqu'un d'autre"),
    ("this room is slow", "ce salon est lent"),
    ("nothing said at {}", "rien n'a été dit à {}"),
    ("who said it edits it", "qui l'a dit le corrige"),
    ("it was taken out", "il a été retiré"),
    (
        "another dialogue is held with them: end it first",
        "un autre dialogue est en cours : terminez-le d'abord",
    ),
    ("it is the turn of {}", "c'est à {}"),
    ("who may do as much as you stays", "qui peut autant que vous reste"),
    ("{} words: expected at most {}", "{} mots : {} au plus"),
    ("{}: expected {} to {} characters, found {}", "{} : de {} à {} caractères, et non {}"),
    (
        "{}: expected one word, of letters, digits and _",
        "{} : un mot, de lettres, de chiffres et de _",
    ),
    ("expected at most {} bytes", "{} octets au plus"),
    ("{} bytes: expected at most {}", "{} octets : {} au plus"),
    ("nothing calculates here", "rien ne calcule ici"),
    ("nothing is said", "rien n'est dit"),
    ("expected a sign or a word", "il faut un signe ou un mot"),
    (NOT_INVITED, "pour qui est invité"),
    ("there is no such invitation", "cette invitation n'existe pas"),
    (
        "the first account is made by who runs the hub",
        "le premier compte est créé par qui tient le serveur",
    ),
    ("this hub speaks version 1", "ce serveur parle la version 1"),
    ("the invitation has expired", "l'invitation a expiré"),
    ("the invitation is used up", "l'invitation est épuisée"),
    ("many log in just now", "beaucoup se connectent en ce moment"),
    ("this much is for who has logged in", "autant est pour qui est connecté"),
    ("as many devices are connected as may be", "autant d'appareils que permis sont connectés"),
    ("expected a name", "il faut un nom"),
    ("you have as many hooks as may be", "vous avez autant de crochets que permis"),
    (
        "the only administrator: another one is to be made first",
        "le seul administrateur : il en faut d'abord un autre",
    ),
    ("{} does not administer the hub", "{} n'administre pas le serveur"),
    (DELETED, "le compte a été supprimé"),
    (
        "nobody has an account yet: the first is made by `relais hub user add`",
        "personne n'a encore de compte : le premier est créé par `relais hub user add`",
    ),
    ("there are {} invitations: revoke some first", "il y a {} invitations : révoquez-en d'abord"),
    (
        "there is more to search through than a second is enough for: name a room, or rarer words",
        "il y a plus à parcourir qu'en une seconde : prenez des mots plus rares",
    ),
    ("words of {} characters: expected at most {}", "des mots de {} caractères : {} au plus"),
    ("a name of {} character{}: expected {} to {}", "un nom de {} caractère{} : de {} à {}"),
    (
        "a room's name that begins with {}: expected `#`",
        "un nom de salon qui commence par {} : il faut `#`",
    ),
    (
        "{} in a name: expected letters, digits, `-`, `_` and `.`",
        "{} dans un nom : des lettres, des chiffres, `-`, `_` et `.`",
    ),
    (
        "a name that begins with {}: expected a letter, a digit or `_`",
        "un nom qui commence par {} : une lettre, un chiffre ou `_`",
    ),
    (
        "a name that ends with {}: expected a letter, a digit, `-` or `_`",
        "un nom qui finit par {} : une lettre, un chiffre, `-` ou `_`",
    ),
    (
        "{} marks on one character of a name: expected at most {}",
        "{} signes sur un caractère d'un nom : {} au plus",
    ),
    (
        "letters of several scripts: expected those of one, or Latin ones with one more",
        "des lettres de plusieurs écritures : d'une seule, ou latines et d'une autre",
    ),
    (
        "letters that run left beside some that run right: expected one direction",
        "des lettres de droite à gauche à côté d'autres : un seul sens",
    ),
    (
        "a name like {}: expected one that means nothing else",
        "un nom comme {} : un qui ne veuille rien dire d'autre",
    ),
    (
        "{} is for the hub and who runs it, as all is that looks like {}: expected another name",
        "{} est pour le serveur et qui le tient, comme tout ce qui ressemble à {} : un autre nom",
    ),
    (
        "{} begins as hooks do: expected another name",
        "{} commence comme les crochets : un autre nom",
    ),
    ("{}: expected at most {}, {} hours", "{} : {} au plus, soit {} heures"),
    ("{}: expected 1 or more, or none, for good", "{} : 1 ou plus, ou rien, pour toujours"),
    ("{}: expected at most {}, or none, for good", "{} : {} au plus, ou rien, pour toujours"),
    ("this certificate is another account's", "ce certificat est celui d'un autre compte"),
    (
        "this certificate was revoked, which is yet to be written: try again later",
        "ce certificat a été révoqué, ce qui n'est pas encore écrit : réessayez plus tard",
    ),
    (
        "a device is called {} already: show another certificate",
        "un appareil s'appelle déjà {} : montrez un autre certificat",
    ),
    (UNKNOWN_CERTIFICATE, "aucun compte ne connaît le certificat que vous montrez"),
    (NONE_SHOWN, "aucun certificat n'a été montré sur cette connexion"),
    (
        "none of what came last could be understood",
        "rien de ce qui est venu en dernier n'a été compris",
    ),
    (
        "who was to be logged out is, while the hub runs; for good once that can be written",
        "qui devait être déconnecté l'est, tant que le serveur tourne ; pour de bon dès que cela peut s'écrire",
    ),
    (
        "an empty password: expected some characters",
        "un mot de passe vide : il faut des caractères",
    ),
    ("a password of {} bytes: expected at most {}", "un mot de passe de {} octets : {} au plus"),
    ("{} character{}: expected at least {}", "{} caractère{} : {} au moins"),
    ("it is the name", "c'est le nom"),
    ("many people have it", "beaucoup de gens l'ont"),
    ("a NUL at byte {}: expected text without", "un NUL à l'octet {} : un texte sans"),
    ("a text of {} bytes: expected at most {}", "un texte de {} octets : {} au plus"),
    ("a text of {} lines: expected at most {}", "un texte de {} lignes : {} au plus"),
];

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_found_stands_in_the_french_as_it_was() {
        for (why, expect) in [
            ("nobody is called \"bob\"", "personne ne s'appelle \"bob\""),
            ("nothing said at 7", "rien n'a été dit à 7"),
            ("a name of 40 characters: expected 1 to 32", "un nom de 40 caractères : de 1 à 32"),
            ("a name of 1 character: expected 2 to 64", "un nom de 1 caractère : de 2 à 64"),
            ("1 character: expected at least 8", "1 caractère : 8 au moins"),
            ("7 characters: expected at least 8", "7 caractères : 8 au moins"),
            ("no room is called \"{}\"", "aucun salon ne s'appelle \"{ }\""),
            ("something else", "something else"),
        ] {
            assert_eq!(in_french(why), expect);
        }
    }

    /// What begins a reason, wherever one is given.
    const BEGINS: [&str; 7] = [
        "why(\"",
        "why(format!(\"",
        "let why = \"",
        "let why = format!(\"",
        "let why = || format!(\"",
        " no(\"",
        "#[error(\"",
    ];

    /// Where people are told reasons, and not programs alone.
    const ROOMS: [&str; 9] = [
        "rules",
        "rules.rs",
        "desk",
        "session",
        "text.rs",
        "name",
        "name.rs",
        "proof/weak.rs",
        "archive",
    ];

    #[test]
    fn every_reason_that_people_are_told_is_known_in_french() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files: Vec<_> = ROOMS.iter().map(|room| source.join(room)).collect();
        let mut count = 0;
        while let Some(file) = files.pop() {
            if file.is_dir() {
                files.extend(fs::read_dir(file).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let is_for_programs =
                file.ends_with("by_datagrams.rs") || file.ends_with("web_socket.rs");
            let is_tests = file
                .components()
                .any(|part| part.as_os_str().to_string_lossy().starts_with("tests"));
            if is_for_programs || is_tests {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            for why in text.split("#[cfg(test)]").next().unwrap().lines().flat_map(reasons) {
                // What else is expected of a word is in the table, too.
                if why == "7: expected 7" {
                    continue;
                }
                assert_ne!(in_french(&why), why, "{}", file.display());
                count += 1;
            }
        }
        assert!(count > 30, "{count} reasons");
    }

    /// The reasons in a line of the source, with a number for what is found.
    fn reasons(line: &str) -> Vec<String> {
        let given = BEGINS.iter().filter_map(|begin| line.split_once(begin));
        let literal = |(_, rest): (&str, &str)| rest.split('"').next().unwrap().to_owned();
        given
            .map(literal)
            .map(|text| with_numbers(&text))
            .filter(|text| !text.starts_with('/'))
            .collect()
    }

    fn with_numbers(text: &str) -> String {
        let parts = text.split('{').enumerate().map(|(nth, part)| match part.split_once('}') {
            Some((_, behind)) if nth > 0 => format!("7{behind}"),
            _ => part.to_owned(),
        });
        parts.collect()
    }

    proptest! {
        #[test]
        fn nothing_panics(why: String, found: String) {
            in_french(&why);
            in_french(&format!("nobody is called {found}"));
            in_french(&format!("a name of {found}: expected {why}"));
        }
    }
}
