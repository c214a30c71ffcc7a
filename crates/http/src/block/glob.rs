//! Globs over URLs: `*` is anything, `?` is one character, and all else is itself.
//!
//! A glob may stand anywhere in a URL, as in other block lists; a `|` at its beginning or end ties
//! it to the URL's.

use memchr::memmem;

use super::fold::{decode, fold};

/// `*` in a compiled glob. What is folded has no capitals, so two of them are free.
const MANY: u8 = b'M';

/// `?` in a compiled glob.
const ONE: u8 = b'O';

/// Compiles `text`, as it stands in a list: its texts are folded, and its ends are those of the
/// URL, so that `MANY` is at its beginning and its end unless it is tied there.
pub(super) fn compile(text: &str) -> Vec<u8> {
    let (text, tied_first) = text.strip_prefix('|').map_or((text, false), |text| (text, true));
    let (text, tied_last) = text.strip_suffix('|').map_or((text, false), |text| (text, true));
    let mut glob = Vec::with_capacity(text.len() + 2);
    if !tied_first {
        glob.push(MANY);
    }
    for piece in text.split_inclusive(['*', '?']) {
        let literal = piece.trim_end_matches(['*', '?']);
        glob.extend(fold(&decode(literal.as_bytes())));
        match piece.as_bytes().last() {
            Some(b'?') => glob.push(ONE),
            Some(b'*') if glob.last() != Some(&MANY) => glob.push(MANY),
            _ => (),
        }
    }
    if !tied_last && glob.last() != Some(&MANY) {
        glob.push(MANY);
    }
    glob
}

/// The texts in a compiled glob: what matches it has them all.
pub(super) fn literals(glob: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    glob.split(|byte| matches!(*byte, MANY | ONE)).filter(|literal| !literal.is_empty())
}

/// Whether there may be a URL that a compiled glob matches. One that is not tied to the beginning
/// may match the end of any.
pub(super) fn has_matches(glob: &[u8]) -> bool {
    let first = glob.split(|byte| matches!(*byte, MANY | ONE)).next().unwrap_or_default();
    if first.is_empty() {
        return true;
    }
    let is_whole = first.len() == glob.len();
    [&b"http://"[..], b"https://"].iter().any(|scheme| match first.strip_prefix(*scheme) {
        Some(rest) if is_whole => {
            rest.iter().position(|&byte| byte == b'/').is_some_and(|at| at > 0)
        }
        Some(rest) => !rest.starts_with(b"/"),
        None => !is_whole && scheme.starts_with(first),
    })
}

/// Whether a compiled glob matches `url`, which is folded.
///
/// *Cost*: of one pass over `url` for texts between stars; with `?` in them, at worst of as many as
/// they are long.
pub(super) fn matches(glob: &[u8], url: &[u8]) -> bool {
    let mut segments = glob.split(|&byte| byte == MANY);
    let first = segments.next().unwrap_or_default();
    let Some(mut rest) = after_prefix(first, url) else { return false };
    let Some(last) = segments.next_back() else { return rest.is_empty() };
    // The first place for each segment leaves the most for those behind it.
    for segment in segments {
        match after_first(segment, rest) {
            Some(left) => rest = left,
            None => return false,
        }
    }
    is_suffix(last, rest)
}

/// What follows the first `segment` in `text`.
fn after_first<'t>(segment: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    if segment.contains(&ONE) {
        return (0..=text.len()).find_map(|at| after_prefix(segment, &text[at..]));
    }
    memmem::find(text, segment).map(|at| &text[at + segment.len()..])
}

fn is_suffix(segment: &[u8], text: &[u8]) -> bool {
    if !segment.contains(&ONE) {
        return text.ends_with(segment);
    }
    (0..=text.len()).any(|at| after_prefix(segment, &text[at..]).is_some_and(<[u8]>::is_empty))
}

/// What follows `segment`, if `text` starts with it.
fn after_prefix<'t>(segment: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    let mut rest = text;
    for &expected in segment {
        let (&byte, after) = rest.split_first()?;
        if expected == ONE {
            // One character: its first byte, and those that continue it.
            let more = after.iter().take_while(|&&byte| byte & 0xC0 == 0x80).count();
            rest = &after[more..];
        } else if byte == expected {
            rest = after;
        } else {
            return None;
        }
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const URL: &str = "http://example.org/ads/Big%20Banner.gif?id=7";

    #[test]
    fn a_glob_may_stand_anywhere() {
        check("ads/*.gif", true);
        check("*ads*", true);
        check("/ads/*banner", true);
        check("http://*.org/", true);
        check("a?s/", true);
        check("/ads/?ig", true);
        check(".gif%3Fid=?", true);
        check("ads/*.png", false);
        check("*banner*ads*", false);
        check("ads?big", true);
        check("ads??big", false);
        check("id=7?", false);
    }

    #[test]
    fn unless_it_is_tied() {
        check("|http://example.org/", true);
        check("|http://example.org|", false);
        check("|ads", false);
        check("|*ads", true);
        check("id=?|", true);
        check("id=|", false);
        check("|http*7|", true);
        check("|http*i|", false);
        check("|http://example.org/ads/big banner.gif%3fid=7|", true);
    }

    #[test]
    fn what_is_encoded_in_a_glob_is_no_star() {
        check_on("a%2Ab", "a*b", true);
        check_on("a%2Ab", "axb", false);
        check_on("a%3fb", "a?b", true);
        check_on("a%3fb", "axb", false);
        check_on("m*o", "mo", true);
        check_on("M?O", "mo", false);
    }

    #[test]
    fn a_question_mark_is_one_character() {
        check_on("к?зино", "казино", true);
        check_on("|??|", "é€", true);
        check_on("|??b|", "€b", false);
        check_on("a?|", "a€", true);
        check_on("a??|", "a€", false);
    }

    #[track_caller]
    fn check(glob: &str, expect: bool) {
        check_on(glob, URL, expect);
    }

    #[track_caller]
    fn check_on(glob: &str, url: &str, expect: bool) {
        let url = fold(&decode(url.as_bytes()));
        assert_eq!(matches(&compile(glob), &url), expect, "{glob:?}");
    }

    #[test]
    fn its_texts_are_between_its_wildcards() {
        let texts = |glob: &str| -> Vec<String> {
            let glob = compile(glob);
            literals(&glob).map(|text| String::from_utf8(text.to_vec()).unwrap()).collect()
        };
        assert_eq!(texts("|Ab*c??%2Ad|"), ["ab", "c", "*d"]);
        assert!(texts("**?*").is_empty());
    }

    /// By the book, and slowly.
    fn matches_slowly(glob: &[u8], url: &[u8]) -> bool {
        match glob {
            [] => url.is_empty(),
            [MANY, rest @ ..] => (0..=url.len()).any(|at| matches_slowly(rest, &url[at..])),
            [first, rest @ ..] => {
                after_prefix(&[*first], url).is_some_and(|left| matches_slowly(rest, left))
            }
        }
    }

    proptest! {
        #[test]
        fn it_matches_as_the_book_says(glob in r"\|?[ab*?é]{0,8}\|?", url in "[abé]{0,12}") {
            let glob = compile(&glob);
            prop_assert_eq!(matches(&glob, url.as_bytes()), matches_slowly(&glob, url.as_bytes()));
        }

        #[test]
        fn nothing_panics(glob: String, url: Vec<u8>) {
            matches(&compile(&glob), &fold(&url));
        }
    }
}
