//! What is wrong with a line, and what helps: examples and `/help`.

use super::*;

#[test]
fn what_is_wrong_says_what() {
    is_wrong("/fly", Code::UnknownCommand, "");
    is_wrong("/", Code::UnknownCommand, "");
    is_wrong("/join", Code::MissingField, "room");
    is_wrong("/join lab private", Code::BadField, "room");
    is_wrong("/login", Code::MissingField, "user");
    is_wrong("/password old", Code::MissingField, "new");
    is_wrong("/msg bob", Code::MissingField, "body");
    is_wrong("/calc", Code::MissingField, "expr");
    is_wrong("/lang de", Code::BadField, "lang");
    is_wrong("/create lab secret", Code::BadField, "private");
    let here = Some(lab());
    for (line, field) in
        [("/history x", "limit"), ("/reply un oui", "seq"), ("/slow -1", "seconds")]
    {
        let Line::Wrong(misuse) = read(line, here.as_ref()) else { panic!("{line}") };
        let refusal = misuse.refusal();
        assert_eq!((refusal.code, refusal.field), (Code::BadField, Some(field)), "{line}");
    }
}

#[track_caller]
fn says(line: &str, here: Option<&Place>, [en, fr]: [&str; 2]) {
    let Line::Wrong(misuse) = read(line, here) else { panic!("{line} is right") };
    // What programs are told people read in their language.
    let told = sentence(&misuse.refusal(), Lang::Fr);
    assert!(told == fr || told.ends_with(&format!("({fr})")), "{told}");
    assert_eq!((&*misuse.sentence(Lang::En), &*misuse.sentence(Lang::Fr)), (en, fr), "{line}");
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_the_command_with_an_example() {
    let lab = lab();
    says(
        "/kick",
        Some(&lab),
        [
            "NAME is missing: /kick NAME [REASON], as in /kick bob too loud",
            "il manque NOM : /kick NOM [RAISON], par exemple /kick bob trop de bruit",
        ],
    );
    says(
        "/re un oui",
        Some(&lab),
        [
            "\"un\" is not a number: /reply NUMBER TEXT, as in /reply 12 at noon",
            "\"un\" n'est pas un nombre : /reply NUMÉRO TEXTE, par exemple /reply 12 à midi",
        ],
    );
    says(
        "/fly",
        None,
        [
            "no command is called \"/fly\": /help lists them",
            "aucune commande ne s'appelle \"/fly\" : /help les donne toutes",
        ],
    );
    says(
        "salut",
        None,
        [
            "you are in no room: /join ROOM comes into one, /msg NAME TEXT speaks to one person",
            "vous n'êtes dans aucun salon : /join SALON entre dans un salon, /msg NOM TEXTE parle à une personne",
        ],
    );
    let Line::Wrong(misuse) = read("/fly\u{1b}[2J", None) else { panic!("it flies") };
    assert!(!misuse.line(Lang::En).trim_end().contains(|char: char| char.is_control()));
}

/// What is typed behind a command, in parts.
fn typed_behind(command: &Command) -> Vec<&'static str> {
    command.example.en.split_whitespace().skip(1).collect()
}

#[test]
fn every_example_is_right_and_what_is_missing_stands_in_the_usage() {
    for command in commands() {
        for lang in Lang::ALL {
            let line = command.example.of(lang);
            let read = read(line, Some(&lab()));
            assert!(!matches!(read, Line::Wrong(_) | Line::Nothing), "{line}: {read:?}");
        }
        for count in 0..typed_behind(command).len() {
            let begin = typed_behind(command)[..count].join(" ");
            let line = format!("/{} {begin}", command.names[0]);
            let Line::Wrong(misuse) = read(&line, Some(&lab())) else { continue };
            for lang in Lang::ALL {
                let sentence = misuse.sentence(lang);
                let (what, usage) = sentence.split_once(['/']).unwrap();
                let word = what.trim_end_matches([' ', ':']).trim_start_matches("il manque ");
                let word = word.trim_end_matches(" is missing");
                assert!(usage.contains(word), "{sentence}");
            }
            let told = sentence(&misuse.refusal(), Lang::Fr);
            assert!(told.ends_with(&format!("({})", misuse.sentence(Lang::Fr))), "{told}");
        }
    }
}

#[test]
fn no_command_is_called_as_another() {
    let mut names: Vec<_> = commands().flat_map(|command| command.names).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn help_has_every_command_in_each_language() {
    for lang in Lang::ALL {
        let help = help(lang);
        assert_eq!(help.len(), commands().count());
        assert!(help.iter().all(|(line, does)| line.starts_with('/') && !does.is_empty()));
    }
    let kick = |lang| help(lang).into_iter().find(|(line, _)| line.starts_with("/kick")).unwrap();
    let does = "send somebody out (moderators)".to_owned();
    assert_eq!(kick(Lang::En), ("/kick NAME [REASON]".to_owned(), does));
    assert_eq!(kick(Lang::Fr).0, "/kick NOM [RAISON]");
}
