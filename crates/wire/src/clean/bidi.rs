//! What changes the direction of text, kept within its line ([UAX #9]).
//!
//! [UAX #9]: https://www.unicode.org/reports/tr9/

/// Text in which all that opens is closed before its line ends, and nothing closes what is not open.
#[derive(Debug, Default)]
pub(super) struct Balanced {
    text: String,
    /// What closes each that is open, the outermost first.
    open: Vec<char>,
    /// How many of `open` are [`ISOLATE_END`].
    isolates: usize,
}

/// PDF: closes an embedding or an override.
const EMBEDDING_END: char = '\u{202c}';
/// PDI: closes an isolate.
const ISOLATE_END: char = '\u{2069}';

impl Balanced {
    /// Nothing yet, with room for `bytes`.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ..Self::default() }
    }

    /// Goes on with `char`.
    pub(super) fn push(&mut self, char: char) {
        match char {
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => self.open.push(EMBEDDING_END),
            '\u{2066}'..='\u{2068}' => {
                self.open.push(ISOLATE_END);
                self.isolates += 1;
            }
            EMBEDDING_END if self.open.last() == Some(&EMBEDDING_END) => return self.close(),
            ISOLATE_END if self.isolates > 0 => return self.close_isolate(),
            EMBEDDING_END | ISOLATE_END => return,
            '\n' => self.close_all(),
            _ => {}
        }
        self.text.push(char);
    }

    /// The text, all closed.
    pub(super) fn end(mut self) -> String {
        self.close_all();
        self.text
    }

    /// Closes the innermost.
    fn close(&mut self) {
        let Some(end) = self.open.pop() else { return };
        self.isolates -= usize::from(end == ISOLATE_END);
        self.text.push(end);
    }

    /// Closes the innermost isolate, and before it what was opened in it: it would end there anyway,
    /// but not for all programs.
    fn close_isolate(&mut self) {
        while self.open.last() == Some(&EMBEDDING_END) {
            self.close();
        }
        self.close();
    }

    fn close_all(&mut self) {
        while !self.open.is_empty() {
            self.close();
        }
        debug_assert_eq!(self.isolates, 0);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn what_opens_is_closed_and_nothing_else_closes() {
        check("a", "a");
        check("(a)[b]", "(a)[b]");
        check("(a", "(a)");
        check("[a", "[a]");
        check("a)b]", "ab");
        check("([(a", "([(a)])");
        check("[(a]b)", "[(a)]b");
        check("[(a)]", "[(a)]");
        check("([a)b])", "([ab])");
        check("((a\n)b", "((a))\nb");
        check("[[((a]b", "[[((a))]b]");
    }

    /// With brackets for an override and an isolate.
    #[track_caller]
    fn check(text: &str, expect: &str) {
        let mut balanced = Balanced::default();
        text.chars().for_each(|char| balanced.push(from_bracket(char)));
        let expect: String = expect.chars().map(from_bracket).collect();
        assert_eq!(balanced.end(), expect, "for {text:?}");
        assert!(expect.split('\n').all(is_balanced));
    }

    fn from_bracket(char: char) -> char {
        match char {
            '(' => '\u{202e}',
            ')' => EMBEDDING_END,
            '[' => '\u{2067}',
            ']' => ISOLATE_END,
            _ => char,
        }
    }

    #[test]
    fn deep_nests_cost_no_more_than_their_length() {
        let mut balanced = Balanced::default();
        let opened = std::iter::repeat_n('\u{202e}', 100_000);
        opened.chain(std::iter::repeat_n(ISOLATE_END, 100_000)).for_each(|c| balanced.push(c));
        assert_eq!(balanced.end().chars().count(), 200_000);
    }

    /// Whether all of a line's controls come in pairs, well nested.
    pub(in super::super) fn is_balanced(line: &str) -> bool {
        let mut open = Vec::new();
        let is_fit = line.chars().all(|char| match char {
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => {
                open.push(EMBEDDING_END);
                true
            }
            '\u{2066}'..='\u{2068}' => {
                open.push(ISOLATE_END);
                true
            }
            EMBEDDING_END | ISOLATE_END => open.pop() == Some(char),
            _ => true,
        });
        is_fit && open.is_empty()
    }
}
