//! What terminals send for keys that write nothing: arrows, function keys, the marks of a paste, controls. Who
//! types into a bare connection sends it in the line.

use std::{borrow::Cow, iter::Peekable, str::Chars};

/// `line` without what was sent for keys. Tabs and line ends, and joiners in names and emoji, stay.
///
/// *Cost*: one pass; nothing is copied where no key was.
///
/// *Source*: ECMA-48, 5.4 (control sequences); xterm's "PC-Style Function Keys".
pub(super) fn without_keys(line: &str) -> Cow<'_, str> {
    if !line.contains(is_key) {
        return Cow::Borrowed(line);
    }
    let mut left = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            ESCAPE => skip_sequence(&mut chars),
            SEQUENCE => skip_parameters(&mut chars),
            key if is_key(key) => {}
            char => left.push(char),
        }
    }
    Cow::Owned(left)
}

const ESCAPE: char = '\u{1b}';

/// Begins a control sequence by itself.
const SEQUENCE: char = '\u{9b}';

fn is_key(char: char) -> bool {
    char.is_control() && !matches!(char, '\t' | '\r' | '\n')
}

/// Skips what follows an escape, if it is of a key: pressed alone it has nothing behind it that is.
fn skip_sequence(chars: &mut Peekable<Chars<'_>>) {
    let mut ahead = chars.clone();
    match (ahead.next(), ahead.next()) {
        (Some('['), _) => {
            chars.next();
            skip_parameters(chars);
        }
        (Some('O'), Some('A'..='D' | 'F' | 'H' | 'M' | 'P'..='S')) => {
            chars.nth(1);
        }
        _ => {}
    }
}

/// Skips the rest of a control sequence, to its last character; another, if none may stand there, is none of it.
fn skip_parameters(chars: &mut Peekable<Chars<'_>>) {
    // The console of Linux has one more for its function keys.
    chars.next_if_eq(&'[');
    while chars.next_if(|char| matches!(char, '0'..='?')).is_some() {}
    chars.next_if(|char| matches!(char, '@'..='~'));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(line: &str, expect: &str) {
        assert_eq!(without_keys(line), expect, "{line:?}");
    }

    #[test]
    fn what_was_sent_for_keys_is_left_out() {
        check("\u{c}/join den", "/join den");
        check("\u{1b}[A/calc 2+2", "/calc 2+2");
        check("\u{1b}OA/calc", "/calc");
        check("\u{1b}[1;5Ca\u{1b}[3~b", "ab");
        check("\u{1b}[200~salut\u{1b}[201~", "salut");
        check("\u{1b}[[Aa", "a");
        check("\u{9b}Aa", "a");
        check("\u{1b}", "");
        check("\u{1b}[12", "");
    }

    #[test]
    fn what_was_typed_stays() {
        check("a\tb\nc", "a\tb\nc");
        check("\u{1b}/calc", "/calc");
        check("\u{1b}Oh", "Oh");
        check("\u{1b}[ /calc", " /calc");
        check("👩\u{200d}🔬 é", "👩\u{200d}🔬 é");
    }

    proptest! {
        #[test]
        fn nothing_panics_and_no_key_stays(line: String) {
            prop_assert!(!without_keys(&line).contains(is_key));
        }
    }
}
