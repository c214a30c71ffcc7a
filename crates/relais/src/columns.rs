//! Texts in the columns of a terminal: strangers' texts without what it would obey, cut where it ends.

use std::{
    io::{self, IsTerminal},
    os::fd::AsFd,
};

use relais_wire::visible::is_disturbing;

/// What a text on its way to a terminal looks like that is cut.
pub(crate) const CUT: char = '…';

/// How wide the terminal is that standard output is; `None` if it is none.
pub(crate) fn of_terminal() -> Option<usize> {
    of(&io::stdout())
}

/// How wide the terminal `out` is; `None` if it is none.
pub(crate) fn of(out: &(impl AsFd + IsTerminal)) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(out).ok().filter(|_| out.is_terminal());
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// A stranger's text without what a terminal would obey; `-` for none.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            char if is_disturbing(char) => clean.extend(char.escape_unicode()),
            char => clean.push(char),
        }
    }
    if clean.is_empty() { "-".to_owned() } else { clean }
}

/// As much of a URL as fits into so many columns. Its scheme goes first, then its end, for which a
/// mark stands.
pub(crate) fn fit(url: &str, columns_max: usize, out: &mut String) {
    if columns(url) <= columns_max {
        out.push_str(url);
        return;
    }
    let text = url.split_once("://").map_or(url, |(_scheme, rest)| rest);
    if columns(text) <= columns_max {
        out.push_str(text);
        return;
    }
    out.extend(begin(text, columns_max - 1));
    out.push(CUT);
}

/// As much of the begin of `text` as fits into so many columns.
pub(crate) fn begin(text: &str, columns_max: usize) -> impl Iterator<Item = char> {
    let mut left = columns_max;
    text.chars().take_while(move |char| {
        let fits = width(*char) <= left;
        left = left.saturating_sub(width(*char));
        fits
    })
}

pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Never too few: beyond ASCII all but what bars are made of are taken for wide ones.
fn width(char: char) -> usize {
    if char.is_ascii() || matches!(char, '\u{2500}'..='\u{259f}') { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut() {
        let check = |text, columns, expect: &str| {
            assert_eq!(begin(text, columns).collect::<String>(), expect);
        };
        check("abc", 3, "abc");
        check("abc", 2, "ab");
        check("aéc", 2, "a");
        check("▕██▏ 50 %", 5, "▕██▏ ");
        check("", 0, "");
    }
}
