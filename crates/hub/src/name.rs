//! What accounts and rooms may be called, and which names are too much alike.
//!
//! A name is kept as its owner spells it, and found however it is spelled. It is made of letters,
//! digits, `-`, `_` and `.`, as PRECIS would have it ([RFC 8265 §3.3]), and of scripts that go
//! together ([UTS #39 §5.2]), so that whoever reads it can type it.
//!
//! [RFC 8265 §3.3]: https://www.rfc-editor.org/rfc/rfc8265#section-3.3
//! [UTS #39 §5.2]: https://www.unicode.org/reports/tr39/#Restriction_Level_Detection

mod password;
mod skeleton;

use std::{borrow::Cow, ops::RangeInclusive};

use precis_profiles::{
    UsernameCaseMapped,
    precis_core::{
        Error,
        profile::{Profile, Rules},
    },
};
use relais_wire::{clean::is_mark, plural::plural};
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

pub use self::{
    password::{NotAPassword, password_text},
    skeleton::Skeleton,
};

/// Why nobody, or no room, may be called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAName {
    /// Nothing, or more than can be shown in a line with others.
    #[error(
        "a name of {found} character{}: expected {} to {}", plural(*found), expected.start(), expected.end()
    )]
    Length {
        /// How many characters it has.
        found: usize,
        /// How many it may have.
        expected: RangeInclusive<usize>,
    },
    /// Rooms are told from accounts by their `#`.
    #[error("a room's name that begins with {found:?}: expected `#`")]
    NoSign {
        /// What is there in its place.
        found: char,
    },
    /// Something that names are not made of.
    #[error("{found:?} in a name: expected letters, digits, `-`, `_` and `.`")]
    Character {
        /// The first such.
        found: char,
    },
    /// A name could be taken for an option, or for the end of what is before it.
    #[error("a name that begins with {found:?}: expected a letter, a digit or `_`")]
    Start {
        /// Its first character, after the `#` of a room.
        found: char,
    },
    /// It would be read as the end of a sentence.
    #[error("a name that ends with {found:?}: expected a letter, a digit, `-` or `_`")]
    End {
        /// Its last character.
        found: char,
    },
    /// They would cover the lines around it.
    #[error("{found} marks on one character of a name: expected at most {allowed}")]
    Marks {
        /// How many there are.
        found: usize,
        /// How many there may be.
        allowed: usize,
    },
    /// Most who mix scripts want to look like somebody else.
    #[error("letters of several scripts: expected those of one, or Latin ones with one more")]
    Scripts,
    /// What is right and what is left would depend on what stands around it.
    #[error("letters that run left beside some that run right: expected one direction")]
    Direction,
    /// It means something else where names are written.
    #[error("a name like {found:?}: expected one that means nothing else")]
    Reserved {
        /// What it looks like.
        found: &'static str,
    },
    /// Others would take its owner for somebody who speaks for the hub.
    #[error(
        "{name:?} is for the hub and who runs it, as all is that looks like {claims:?}: expected another name"
    )]
    Claim {
        /// What somebody wants to be called.
        name: String,
        /// What that says of him.
        claims: &'static str,
    },
}

const ACCOUNT_CHARS: RangeInclusive<usize> = 1..=32;
/// With the `#`.
const ROOM_CHARS: RangeInclusive<usize> = 2..=64;
/// As many as Arabic wants, beyond those that compose; towers of them cover other lines.
const MARKS_MAX: usize = 2;

/// What no account may be called, or look as if it were: who is called `all` would be told what is
/// meant for all, who is called `server` believed, and who is called `fin` could not be spoken of
/// on a line of its own. Who keeps a hub is often called `admin`: that is a [claim](judge_claim), which is his.
const RESERVED: [&str; 13] = [
    // Who is spoken to.
    "all", "everyone", "here", "me", //
    // Who speaks for the hub.
    "relais", "hub", "server", "system", //
    // What ends a conversation, and what is typed for want of a command.
    "bye", "exit", "fin", "quit", "help",
];

/// The name of an account as it is kept: `text` as its owner spells it, in normalization form C,
/// its letters of full or half width as the usual ones.
///
/// Whether it is somebody's, or looks as if it were, its [`Skeleton`] tells.
///
/// *Cost*: that of reading `text`, however long.
///
/// # Errors
///
/// If nobody may be called so.
pub fn account_name(text: &str) -> Result<String, NotAName> {
    let name = spelled(text);
    in_length(&name, ACCOUNT_CHARS)?;
    judge(&name)?;
    if let Some(found) = RESERVED.into_iter().find(|word| skeleton::is_read_as(&name, word)) {
        return Err(NotAName::Reserved { found });
    }
    Ok(name.into_owned())
}

/// Judges whether somebody may give himself `name`, which is that of an [account](account_name): he could be
/// taken for the hub, for who keeps it, or for everybody, if he were called `_hub_`, `Admin2` or `all.`. Who runs
/// the hub may call somebody so, and who has the first account; but nobody `hub` or `all` as it is.
///
/// # Errors
///
/// [`NotAName::Claim`]
pub fn judge_claim(name: &str) -> Result<(), NotAName> {
    match skeleton::claim_of(name) {
        Some(claims) => Err(NotAName::Claim { name: name.to_owned(), claims }),
        None => Ok(()),
    }
}

/// The name of a room as it is kept, with its `#`; otherwise as [`account_name`], but no word is
/// reserved.
///
/// # Errors
///
/// If no room may be called so.
pub fn room_name(text: &str) -> Result<String, NotAName> {
    let name = spelled(text);
    in_length(&name, ROOM_CHARS)?;
    match name.strip_prefix('#') {
        Some(rest) => judge(rest)?,
        None => return Err(NotAName::NoSign { found: first(&name) }),
    }
    Ok(name.into_owned())
}

/// Whether two names are the same, but for how they are spelled: in capitals, in full width, or
/// decomposed.
pub fn is_same(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// `name` in small letters, as PRECIS maps them: two are the same if this is. What is no name is folded,
/// too.
pub fn folded(name: &str) -> String {
    if name.is_ascii() {
        // All that PRECIS would do to it; most are, and each message names its room.
        return name.to_ascii_lowercase();
    }
    folded_by_profile(name)
}

fn folded_by_profile(name: &str) -> String {
    let profile = UsernameCaseMapped::new();
    let small = profile
        .case_mapping_rule(spelled(name))
        .and_then(|small| profile.normalization_rule(small))
        .unwrap_or(Cow::Borrowed(name));
    // At the end of a word a small sigma looks otherwise, and a capital one does not tell.
    small.replace('ς', "σ")
}

/// `text` with the usual width of letters, composed.
fn spelled(text: &str) -> Cow<'_, str> {
    let profile = UsernameCaseMapped::new();
    profile
        .width_mapping_rule(text)
        .and_then(|narrow| profile.normalization_rule(narrow))
        // The rules have no way to fail.
        .unwrap_or(Cow::Borrowed(text))
}

fn in_length(name: &str, expected: RangeInclusive<usize>) -> Result<(), NotAName> {
    let found = name.chars().count();
    if expected.contains(&found) { Ok(()) } else { Err(NotAName::Length { found, expected }) }
}

/// Judges what a name is made of. It is not empty and not long.
fn judge(name: &str) -> Result<(), NotAName> {
    if let Some(found) = name.chars().find(|&char| !is_of_names(char)) {
        return Err(NotAName::Character { found });
    }
    judge_ends(name)?;
    let found = most_marks(name);
    if found > MARKS_MAX {
        return Err(NotAName::Marks { found, allowed: MARKS_MAX });
    }
    if name.detect_restriction_level() > RestrictionLevel::ModeratelyRestrictive {
        return Err(NotAName::Scripts);
    }
    judge_by_profile(name)
}

/// Whether `char` is one of those that UTS #39 has for identifiers, and no punctuation but three.
/// Joiners are not among them, nor is what needs another character beside it to be allowed.
fn is_of_names(char: char) -> bool {
    let is_word = char.is_alphanumeric() || is_mark(char);
    (is_word || matches!(char, '-' | '_' | '.')) && char.identifier_allowed()
}

fn judge_ends(name: &str) -> Result<(), NotAName> {
    let found = first(name);
    if matches!(found, '-' | '.') || is_mark(found) {
        return Err(NotAName::Start { found });
    }
    if name.ends_with('.') {
        return Err(NotAName::End { found: '.' });
    }
    Ok(())
}

fn first(name: &str) -> char {
    name.chars().next().expect("a name that is not empty")
}

/// How many marks stand on the character that has most.
fn most_marks(name: &str) -> usize {
    let runs = name.split(|char| !is_mark(char));
    runs.map(|run| run.chars().count()).max().unwrap_or_default()
}

/// Judges by what PRECIS demands beyond all else: of the characters, and of their direction.
fn judge_by_profile(name: &str) -> Result<(), NotAName> {
    let profile = UsernameCaseMapped::new();
    if let Err(error) = profile.prepare(name) {
        let at = if let Error::BadCodepoint(bad) = error { bad.position } else { 0 };
        return Err(NotAName::Character { found: name.chars().nth(at).unwrap_or(first(name)) });
    }
    // The rule lets marks stand anywhere but at the start ([RFC 5893 §2]); this implementation
    // would have them at the end alone, and no name written in Thaana.
    //
    // [RFC 5893 §2]: https://www.rfc-editor.org/rfc/rfc5893#section-2
    let unmarked = name.replace(is_mark, "");
    profile.directionality_rule(unmarked).map(drop).map_err(|_| NotAName::Direction)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::HUB_NAME;

    #[test]
    fn names_are_kept_as_they_are_spelled() {
        for name in [
            "a",
            "Ana",
            "ali",
            "ALI",
            "jean-luc.b_2",
            "_ana_",
            "ana-",
            "42",
            "Zoë",
            "Straße",
            "Nguyễn",
            "Владимир",
            "Σοφοσ",
            "日本語",
            "たなかAki",
            "김철수",
            "प्रिया",
            "ทดสอบ",
            "محمد",
            "مُحَمَّد",
            "ދިވެހި",
            "שלום",
            "admin",
            "abcdefghijklmnopqrstuvwxyz_01234",
        ] {
            check(name, Ok(name));
        }
    }

    #[test]
    fn width_and_composition_are_no_part_of_a_name() {
        check("Ｂｏｂ", Ok("Bob"));
        check("ﾊﾞﾆﾗ", Ok("バニラ"));
        check("Zoe\u{308}", Ok("Zoë"));
        check(&"e\u{301}".repeat(32), Ok(&"é".repeat(32)));
    }

    #[test]
    fn what_is_not_seen_or_moves_text_is_in_no_name() {
        check("", Err("a name of 0 characters: expected 1 to 32"));
        check_character("ana maria", "' '");
        check_character("ana\t", r"'\t'");
        check_character("ana\r\n", r"'\r'");
        check_character("ana\0", r"'\0'");
        check_character("ana\u{1b}[0m", r"'\u{1b}'");
        check_character("ana\u{a0}b", r"'\u{a0}'");
        check_character("ana\u{200b}", r"'\u{200b}'");
        check_character("a\u{200d}na", r"'\u{200d}'");
        check_character("क्\u{200d}ष", r"'\u{200d}'");
        check_character("می\u{200c}خواهم", r"'\u{200c}'");
        check_character("\u{202e}ana", r"'\u{202e}'");
        check_character("ana\u{feff}", r"'\u{feff}'");
        check_character("ana\u{e0041}", r"'\u{e0041}'");
    }

    #[test]
    fn names_are_made_of_letters_and_digits() {
        check_character("ana🙂", "'🙂'");
        check_character("ana@hub", "'@'");
        check_character("#ana", "'#'");
        check_character("a/b", "'/'");
        check_character("a\"b", "'\"'");
        check_character("x²", "'²'");
        check_character("Ⅷ", "'Ⅷ'");
        check_character("l·l", "'·'");
        check_character("ꓐоb", "'ꓐ'");
        check_character("١۱", "'١'");
        check("-ana", Err("a name that begins with '-': expected a letter, a digit or `_`"));
        check(".ana", Err("a name that begins with '.': expected a letter, a digit or `_`"));
        check(
            "\u{301}a",
            Err("a name that begins with '\\u{301}': expected a letter, a digit or `_`"),
        );
        check("ana.", Err("a name that ends with '.': expected a letter, a digit, `-` or `_`"));
    }

    #[track_caller]
    fn check_character(name: &str, found: &str) {
        let expect = format!("{found} in a name: expected letters, digits, `-`, `_` and `.`");
        check(name, Err(&expect));
    }

    #[test]
    fn nobody_is_called_as_the_hub_is_or_looks_like_it() {
        for name in
            [HUB_NAME, "＊hub＊", "∗hub∗", "⁎hub⁎", "٭hub٭", "*HUB*", "hub", "Hυb", "ｈｕｂ"]
        {
            assert!(account_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn names_are_short_and_flat() {
        check(&"a".repeat(33), Err("a name of 33 characters: expected 1 to 32"));
        check(&"\u{200d}".repeat(10_000), Err("a name of 10000 characters: expected 1 to 32"));
        check("x\u{323}\u{301}", Ok("x\u{323}\u{301}"));
        let marks = |found| format!("{found} marks on one character of a name: expected at most 2");
        check("x\u{323}\u{301}\u{302}", Err(&marks(3)));
        check("Z\u{30a}\u{30c}\u{306}\u{304}a\u{323}lgo", Err(&marks(4)));
        check_character("Z\u{351}\u{36b}\u{489}algo", r"'\u{351}'");
    }

    #[test]
    fn scripts_that_are_mixed_to_deceive_are_refused() {
        let scripts =
            "letters of several scripts: expected those of one, or Latin ones with one more";
        for name in ["аlice", "admіn", "pаypal", "ρaul", "Аna", "क日"] {
            check(name, Err(scripts));
        }
        let direction = "letters that run left beside some that run right: expected one direction";
        for name in ["anaשלום", "محمدbob"] {
            check(name, Err(direction));
        }
    }

    #[test]
    fn words_that_mean_something_are_nobodys_name() {
        for word in RESERVED {
            let expect = format!("a name like {word:?}: expected one that means nothing else");
            check(word, Err(&expect));
            check(&word.to_uppercase(), Err(&expect));
        }
        let all = Err("a name like \"all\": expected one that means nothing else");
        check("All", all);
        check("aIl", all);
        check("a11", all);
        check("ａｌｌ", all);
        check("he1p", Err("a name like \"help\": expected one that means nothing else"));
        check("rne", Err("a name like \"me\": expected one that means nothing else"));
        check("fın", Err("a name like \"fin\": expected one that means nothing else"));
        check("helper", Ok("helper"));
    }

    #[track_caller]
    fn check(text: &str, expect: Result<&str, &str>) {
        let name = account_name(text).map_err(|error| error.to_string());
        assert_eq!(name.as_deref().map_err(String::as_str), expect, "for {text:?}");
    }

    #[test]
    fn rooms_have_a_sign_and_names_like_others() {
        let check = |text: &str, expect: Result<&str, &str>| {
            let name = room_name(text).map_err(|error| error.to_string());
            assert_eq!(name.as_deref().map_err(String::as_str), expect, "for {text:?}");
        };
        for name in ["#a", "#lab", "#Équipe-2", "#all", "#日本語", "#محمد", "#مُحَمَّد"]
        {
            check(name, Ok(name));
        }
        check("＃ｌａｂ", Ok("#lab"));
        check(&format!("#{}", "a".repeat(63)), Ok(&format!("#{}", "a".repeat(63))));
        let long = "a name of 65 characters: expected 2 to 64";
        check(&format!("#{}", "a".repeat(64)), Err(long));
        check("#", Err("a name of 1 character: expected 2 to 64"));
        check("lab", Err("a room's name that begins with 'l': expected `#`"));
        check(
            "#\u{301}a",
            Err("a name that begins with '\\u{301}': expected a letter, a digit or `_`"),
        );
        check("##a", Err("'#' in a name: expected letters, digits, `-`, `_` and `.`"));
        check("#a b", Err("' ' in a name: expected letters, digits, `-`, `_` and `.`"));
        check("#-a", Err("a name that begins with '-': expected a letter, a digit or `_`"));
    }

    #[test]
    fn names_are_the_same_however_they_are_spelled() {
        for (one, other) in [
            ("ana", "ANA"),
            ("Zoë", "zoe\u{308}"),
            ("bob", "ＢＯＢ"),
            ("Σοφος", "ΣΟΦΟΣ"),
            ("#Lab", "#lab"),
            ("", ""),
        ] {
            assert!(is_same(one, other), "{one:?} and {other:?}");
            assert_eq!(Skeleton::of(one), Skeleton::of(other), "{one:?} and {other:?}");
        }
        for (one, other) in [("ana", "anna"), ("elia", "ella"), ("admin", "adrnin"), ("a", "а")] {
            assert!(!is_same(one, other), "{one:?} and {other:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_names_stay_names(
            text in prop_oneof![any::<String>(), "#?[\\p{L}\\p{M}\\p{N}]{1,12}", "#?[a-zA-Z.'_-]{1,8}"]
        ) {
            for name in [account_name(&text), room_name(&text)].into_iter().flatten() {
                prop_assert!(is_same(&name, &text));
                prop_assert!(!name.contains(relais_wire::visible::is_disturbing));
                prop_assert!(name.chars().count() <= 64);
                let judged = if name.starts_with('#') { room_name } else { account_name };
                prop_assert_eq!(judged(&name), Ok(name));
            }
            is_same(&text, "ana");
        }

        #[test]
        fn what_is_ascii_is_folded_as_precis_would(text in "[\\x00-\\x7f]{0,70}") {
            prop_assert_eq!(folded(&text), folded_by_profile(&text));
        }
    }
}
