//! What names look like.

use super::folded;

/// What a name looks like, in whatever case it is spelled: two names with the same skeleton are not
/// to be told apart ([UTS #39 §4]).
///
/// It is that of the name in small letters, with two additions, as names are shown in the case
/// that their owners chose: a capital I looks like a small l, so i and l are one; and a letter that
/// is Latin only as a capital, as the Cyrillic т, counts as that capital. Of Greek letters whose
/// capital looks like one Latin letter and whose small one looks like another, as ν, only the small
/// one counts.
///
/// [UTS #39 §4]: https://www.unicode.org/reports/tr39/#Confusable_Detection
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Skeleton(String);

impl Skeleton {
    /// Of `name`, or of any other text. *Cost*: that of reading it.
    pub fn of(name: &str) -> Self {
        let letters: String = folded(name).chars().map(latin_by_capital).collect();
        // Some looks are capitals: that of 0 is O.
        Self(look(&letters).to_lowercase().replace('i', "l"))
    }
}

/// Whether `name`, as it is spelled or in small letters, looks like `word` in small letters, or in
/// capitals as it is spelled. Finer than a [`Skeleton`]: `ali` is not read as `all`, but `aIl` is.
pub(super) fn is_read_as(name: &str, word: &str) -> bool {
    let looks = [look(word), look(&word.to_uppercase())];
    looks.contains(&look(name)) || look(&folded(name)) == looks[0]
}

/// Who speaks for a hub, or keeps it.
const SPEAKERS: [&str; 6] = ["relais", "hub", "server", "system", "admin", "administrator"];

/// All who are there. Read more finely: many are called `Ali`.
const EVERYBODY: [&str; 3] = ["all", "everyone", "here"];

/// Which of these `name` claims to be: with digits, dashes, dots and underscores around, or as several.
pub(super) fn claim_of(name: &str) -> Option<&'static str> {
    let is_sign = |char: char| matches!(char, '_' | '-' | '.');
    // A digit may stand for a letter: both ways.
    let words = [
        name.trim_matches(is_sign),
        name.trim_matches(|char: char| is_sign(char) || char.is_numeric()),
    ];
    let singular = |word| str::strip_suffix(word, ['s', 'S']);
    let words = words.into_iter().chain(words.into_iter().filter_map(singular));
    let claim = |word: &str| {
        let look = Skeleton::of(word);
        let speaks = SPEAKERS.into_iter().find(|known| look == Skeleton::of(known));
        speaks.or_else(|| EVERYBODY.into_iter().find(|known| is_read_as(word, known)))
    };
    words.filter(|word| !word.is_empty()).find_map(claim)
}

/// The capital of `letter` in small, if it looks like a Latin one and `letter` itself does not.
fn latin_by_capital(letter: char) -> char {
    let is_latin = |look: &str| look.starts_with(|char: char| char.is_ascii_alphabetic());
    if letter.is_ascii() || is_latin(&look_of(letter)) {
        return letter;
    }
    let mut capitals = letter.to_uppercase();
    let (Some(capital), None) = (capitals.next(), capitals.next()) else { return letter };
    let look = look_of(capital);
    let mut seen = look.chars();
    match (seen.next(), seen.next()) {
        (Some(one), None) if one.is_ascii_alphabetic() => one.to_ascii_lowercase(),
        _ => letter,
    }
}

fn look_of(char: char) -> String {
    look(char.encode_utf8(&mut [0; 4]))
}

fn look(text: &str) -> String {
    unicode_security::skeleton(text).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        for (one, other) in [
            ("alice", "аlice"),
            ("alice", "alıce"),
            ("alice", "aIice"),
            ("alice", "A1ice"),
            ("admin", "admіn"),
            ("admin", "adrnin"),
            ("paypal", "pаypal"),
            ("paypal", "paypaI"),
            ("paypal", "PAYPA1"),
            ("ian", "lan"),
            ("bob", "B0B"),
            ("tom", "ТОМ"),
            ("capa", "Сара"),
            ("bob", "ｂｏｂ"),
            ("ana", "a\u{200d}n\u{200b}a\u{202e}"),
            ("#lab", "#LАВ"),
        ] {
            assert_eq!(Skeleton::of(one), Skeleton::of(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn names_that_do_not_look_alike_have_two() {
        for (one, other) in [
            ("ana", "anna"),
            ("zoe", "zoë"),
            ("ana", "#ana"),
            ("jose", "josé"),
            ("bob", "bob2"),
            ("Вера", "Веры"),
            ("日本", "日木"),
            ("lodz", "łodz"),
        ] {
            assert_ne!(Skeleton::of(one), Skeleton::of(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn who_claims_to_speak_for_the_hub_is_known_by_the_look_of_it() {
        for (name, claims) in [
            ("hub", Some("hub")),
            ("_hub_", Some("hub")),
            ("hub1", Some("hub")),
            ("hubs", Some("hub")),
            ("42.HUB-7", Some("hub")),
            ("_server_", Some("server")),
            ("admin", Some("admin")),
            ("Adm1n", Some("admin")),
            ("_adrnin.", Some("admin")),
            ("admins", Some("admin")),
            ("Administrator", Some("administrator")),
            ("system-1", Some("system")),
            ("_a11_", Some("all")),
            ("Everyone", Some("everyone")),
            ("here2", Some("here")),
            ("relais", Some("relais")),
            ("adminka", None),
            ("hubert", None),
            ("Ali", None),
            ("alis", None),
            // Roles that people have here and there.
            ("moderator", None),
            ("operator", None),
            ("root", None),
            ("bob_admin_bob", None),
            ("ana", None),
            ("42", None),
            ("___", None),
            ("s", None),
            ("", None),
        ] {
            assert_eq!(claim_of(name), claims, "{name:?}");
        }
    }

    #[test]
    fn what_is_no_name_has_a_skeleton_too() {
        assert_eq!(Skeleton::of(""), Skeleton::of(&"\u{200d}".repeat(10_000)));
        assert_ne!(Skeleton::of("\0"), Skeleton::of("\u{1b}"));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_case_changes_nothing(text: String, name in "[a-zA-Z0-9_.-]{1,32}") {
            Skeleton::of(&text);
            claim_of(&text);
            prop_assert_eq!(Skeleton::of(&name.to_uppercase()), Skeleton::of(&name.to_lowercase()));
        }
    }
}
