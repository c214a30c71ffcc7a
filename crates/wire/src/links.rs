//! Where links stand in text that people wrote, for clients to underline.

use std::ops::Range;

use crate::visible::is_disturbing;

/// Where the `http` and `https` URLs of `text` stand, as they are written there: what is underlined
/// is what is opened.
///
/// A URL goes on to a space, to what is not seen, and to what has no place in it ([RFC 3986 §2],
/// but letters of all languages are taken); punctuation at its end is the sentence's, and so is a
/// bracket that it does not open. One that names a user before its host is left alone:
/// `https://bank.example@evil.example` is of another than it seems.
///
/// *Shape*: in bytes, in their order, never overlapping. *Cost*: that of reading `text` once.
///
/// [RFC 3986 §2]: https://www.rfc-editor.org/rfc/rfc3986#section-2
pub fn links(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(at) = text[from..].find("://") {
            let (before, rest) = (&text[from..from + at], &text[from + at + "://".len()..]);
            let after = from + at + "://".len();
            from = after;
            let Some(scheme_len) = scheme_len(before) else { continue };
            if !rest.starts_with(is_host_start) {
                continue;
            }
            let url = &rest[..rest.find(ends_url).unwrap_or(rest.len())];
            from = after + url.len();
            if names_no_user(url) {
                let start = after - "://".len() - scheme_len;
                return Some(start..after + trimmed(url).len());
            }
        }
        None
    })
}

/// How long the scheme is that `before` ends with, if it is one that links may have.
fn scheme_len(before: &str) -> Option<usize> {
    let bytes = before.as_bytes();
    let is_end = |scheme: &&str| {
        let start = bytes.len().checked_sub(scheme.len());
        start.is_some_and(|start| bytes[start..].eq_ignore_ascii_case(scheme.as_bytes()))
    };
    let length = ["https", "http"].iter().find(|scheme| is_end(scheme))?.len();
    let last = before[..before.len() - length].chars().next_back();
    // `git+https` is another scheme, and `xhttp`.
    let is_longer = last.is_some_and(|last| last.is_alphanumeric() || matches!(last, '+' | '-'));
    (!is_longer).then_some(length)
}

fn ends_url(char: char) -> bool {
    char.is_whitespace()
        || is_disturbing(char)
        || matches!(char, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
        || matches!(char, '«' | '»' | '“' | '”' | '、' | '。' | '「' | '」' | '『' | '』')
}

/// `url` without what is the sentence's around it.
fn trimmed(url: &str) -> &str {
    let mut unopened = BRACKETS
        .map(|(open, close)| url.matches(close).count().saturating_sub(url.matches(open).count()));
    let mut rest = url;
    while let Some(last) = rest.chars().next_back() {
        match BRACKETS.iter().position(|(_, close)| *close == last) {
            Some(at) if unopened[at] > 0 => unopened[at] -= 1,
            None if is_punctuation(last) => {}
            _ => break,
        }
        rest = &rest[..rest.len() - last.len_utf8()];
    }
    rest
}

/// What URLs have in pairs.
const BRACKETS: [(char, char); 2] = [('(', ')'), ('[', ']')];

fn is_punctuation(char: char) -> bool {
    matches!(char, '!' | '\'' | '*' | ',' | '.' | ':' | ';' | '?' | '_' | '~')
        || matches!(char, '‘' | '’' | '…' | '！' | '）' | '，' | '：' | '；' | '？' | '】' | '》')
}

fn is_host_start(char: char) -> bool {
    char.is_alphanumeric() || char == '['
}

/// Whether only a host, and perhaps a port, is before the path.
fn names_no_user(url: &str) -> bool {
    !url.split(['/', '?', '#']).next().unwrap_or_default().contains('@')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_stand_as_they_are_written() {
        check("", &[]);
        check("no link, http: nor https:// here, nor http://", &[]);
        check("http://a.example", &["http://a.example"]);
        check("see https://a.example/b?c=d#e now", &["https://a.example/b?c=d#e"]);
        check("HTTPS://A.example/B", &["HTTPS://A.example/B"]);
        check("http://a/ http://b/\nhttps://c/", &["http://a/", "http://b/", "https://c/"]);
        check("lien:http://localhost:8080/x", &["http://localhost:8080/x"]);
        check("http://[::1]:80/ and http://127.0.0.1", &["http://[::1]:80/", "http://127.0.0.1"]);
        check("https://fr.wikipedia.org/wiki/Été", &["https://fr.wikipedia.org/wiki/Été"]);
        check("https://例え.jp/道。次", &["https://例え.jp/道"]);
        check("http://web.example/http://a.example/", &["http://web.example/http://a.example/"]);
        check("a://b://https://c.example", &["https://c.example"]);
    }

    #[test]
    fn the_sentence_around_a_link_is_not_of_it() {
        check("Is it https://a.example/b?", &["https://a.example/b"]);
        check("https://a.example/b, https://c.", &["https://a.example/b", "https://c"]);
        check("(https://a.example/b).", &["https://a.example/b"]);
        check("(see https://a.example/b_(c))!", &["https://a.example/b_(c)"]);
        check("[x](https://a.example/b)", &["https://a.example/b"]);
        check("<https://a.example/b>", &["https://a.example/b"]);
        check(
            "« https://a.example/b », «https://c.example»",
            &["https://a.example/b", "https://c.example"],
        );
        check("**https://a.example/b**…", &["https://a.example/b"]);
        check("https://a.example/a)b", &["https://a.example/a)b"]);
        check("{\"url\":\"https://a.example/b\"}", &["https://a.example/b"]);
    }

    #[test]
    fn what_is_not_what_it_seems_is_no_link() {
        check("javascript://a.example ftp://a.example irc://a", &[]);
        check("git+https://a.example xhttps://a.example éhttp://a", &[]);
        check("https://bank.example@evil.example/", &[]);
        check("https://bank.example:pass@evil.example", &[]);
        check("https://a.example/@ana", &["https://a.example/@ana"]);
        check("https://a.example\\@evil.example", &["https://a.example"]);
        check("https://a.example/\u{202e}b", &["https://a.example/"]);
        check("https://a.ex\u{200b}ample", &["https://a.ex"]);
        check("https:///a https://?b https://.c https://)", &[]);
        check("https://@https://a.example", &["https://a.example"]);
    }

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let found: Vec<_> = links(text).map(|link| &text[link]).collect();
        assert_eq!(found, expect, "in {text:?}");
    }

    #[test]
    fn text_of_nothing_but_beginnings_is_read_once() {
        assert_eq!(links(&"http://".repeat(100_000)).count(), 1);
        assert_eq!(links(&format!("http://a{}", ")".repeat(100_000))).count(), 1);
        assert_eq!(links(&"https://@".repeat(100_000)).count(), 0);
        assert_eq!(links(&"https://a@".repeat(100_000)).count(), 0);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_links_are_in_order(
            text in "(http|https|://|[a-zé@/.()\\[\\] ]|\\PC){0,30}",
        ) {
            let mut end = 0;
            for link in links(&text) {
                prop_assert!(end <= link.start && link.start < link.end);
                prop_assert!(text[link.clone()].to_lowercase().starts_with("http"));
                end = link.end;
            }
        }
    }
}
