//! Bytes on their way back, watched for the line that ends a dialogue. No sockets.

/// What is known of the line that passes.
///
/// `held` is the whole word, or the word and a CR, that a line may be made of and that is not sent
/// back yet; or nothing.
#[derive(Debug)]
pub(crate) struct Watching {
    word: Vec<u8>,
    line: Line,
    held: Vec<u8>,
    /// Whether a line ever ended.
    has_ended: bool,
}

/// What there has been of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// So many bytes, all of them those of the word, or behind it a CR.
    Word(usize),
    /// Something else.
    Other,
}

/// What is to be done with bytes that came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// What was held back before, and is to be sent first.
    pub(crate) late: Vec<u8>,
    /// How many of the bytes are to be sent.
    pub(crate) now: usize,
    /// Whether the rest of them began with the word: the dialogue is over.
    pub(crate) is_over: bool,
}

impl Watching {
    /// Watches for `word` as a line; for nothing if it is empty.
    pub(crate) fn of(word: &[u8]) -> Self {
        Self { word: word.to_owned(), line: Line::Word(0), held: Vec::new(), has_ended: false }
    }

    /// Whether what is held back is the word, if nothing follows it for a while: a peer that ends its
    /// lines will end this one, too, or go on with it.
    pub(crate) fn may_be_whole(&self) -> bool {
        !self.held.is_empty() && !self.has_ended
    }

    /// Judges what came next. Of a word that comes in parts those before the last are sent back.
    pub(crate) fn watch(&mut self, bytes: &[u8]) -> Seen {
        if self.word.is_empty() {
            return Seen { late: Vec::new(), now: bytes.len(), is_over: false };
        }
        self.has_ended = self.has_ended || memchr::memchr(b'\n', bytes).is_some();
        let late = std::mem::take(&mut self.held);
        // Where the line began, as far as it lies in `bytes`.
        let (mut start, mut at) = (0, 0);
        while at < bytes.len() {
            let Line::Word(count) = self.line else {
                let Some(end) = memchr::memchr(b'\n', &bytes[at..]) else { break };
                at += end + 1;
                (start, self.line) = (at, Line::Word(0));
                continue;
            };
            if bytes[at] == b'\n' && count >= self.word.len() {
                // In the first line what was held back belongs to the word.
                let late = if start == 0 { Vec::new() } else { late };
                return Seen { late, now: start, is_over: true };
            }
            self.line = self.after(count, bytes[at]);
            if bytes[at] == b'\n' {
                (start, self.line) = (at + 1, Line::Word(0));
            }
            at += 1;
        }
        self.hold(late, bytes, start)
    }

    /// What there is of a line after `count` bytes and this one.
    fn after(&self, count: usize, byte: u8) -> Line {
        let expected = self.word.get(count).copied();
        let is_end = count == self.word.len() && byte == b'\r';
        if expected == Some(byte) || is_end { Line::Word(count + 1) } else { Line::Other }
    }

    /// Holds back what may be the word, of a line that began at `start`.
    fn hold(&mut self, late: Vec<u8>, bytes: &[u8], start: usize) -> Seen {
        let is_word = matches!(self.line, Line::Word(count) if count >= self.word.len());
        if !is_word {
            return Seen { late, now: bytes.len(), is_over: false };
        }
        // In the first line what was held back before is the begin of the word.
        let (late, before) = if start == 0 { (Vec::new(), late) } else { (late, Vec::new()) };
        self.held = [&before, &bytes[start..]].concat();
        Seen { late, now: start, is_over: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is sent back of what comes in these parts, what is held at the end, and whether it is
    /// over.
    #[track_caller]
    fn check(parts: &[&str], expect: (&str, &str, bool)) {
        let mut watching = Watching::of(b"fin");
        let (mut sent, mut over) = (Vec::new(), false);
        for part in parts {
            let Seen { late, now, is_over } = watching.watch(part.as_bytes());
            sent.extend_from_slice(&late);
            sent.extend_from_slice(&part.as_bytes()[..now]);
            over = is_over;
            if over {
                break;
            }
        }
        let held = if over { "" } else { str::from_utf8(&watching.held).unwrap() };
        assert_eq!((str::from_utf8(&sent).unwrap(), held, over), expect, "{parts:?}");
    }

    #[test]
    fn bytes_pass_until_a_line_is_the_word() {
        check(&["hello\nyou"], ("hello\nyou", "", false));
        check(&["hello\nfin\nrest"], ("hello\n", "", true));
        check(&["fin\r\n"], ("", "", true));
        check(&["fin\n"], ("", "", true));
        check(
            &["finir\nenfin\nfin fin\nfin\r\r\n"],
            ("finir\nenfin\nfin fin\nfin\r\r\n", "", false),
        );
        check(&["fi\nfin\n"], ("fi\n", "", true));
        check(&["\nfin\n"], ("\n", "", true));
    }

    #[test]
    fn the_word_without_an_end_is_held_back_until_it_is_clear_what_it_is() {
        check(&["a\nfin"], ("a\n", "fin", false));
        check(&["fin", "\n"], ("", "", true));
        check(&["fin", "\r", "\n"], ("", "", true));
        check(&["fin", "al\n"], ("final\n", "", false));
        check(&["fin\r"], ("", "fin\r", false));
        check(&["fin", "\r", "x\nfin\n"], ("fin\rx\n", "", true));
        check(&["fin", "a\nfin\n"], ("fina\n", "", true));
    }

    #[test]
    fn who_ends_lines_ends_the_word_too() {
        let mut watching = Watching::of(b"fin");
        _ = watching.watch(b"fin");
        assert!(watching.may_be_whole());
        _ = watching.watch(b"ish\nfin");
        assert!(!watching.may_be_whole() && watching.held == b"fin");
    }

    #[test]
    fn of_a_word_in_parts_the_first_are_sent_back() {
        check(&["f", "i", "n", "\n"], ("fi", "", true));
        check(&["f", "i", "x"], ("fix", "", false));
    }

    #[test]
    fn nothing_is_lost_or_doubled_however_it_is_cut() {
        let text = "a\nfinal\nfin \r\nfi\n\nend";
        for cut in 0..text.len() {
            for other in cut..text.len() {
                check(&[&text[..cut], &text[cut..other], &text[other..]], (text, "", false));
            }
        }
    }

    #[test]
    fn an_empty_word_is_none() {
        let expect = Seen { late: Vec::new(), now: 2, is_over: false };
        assert_eq!(Watching::of(b"").watch(b"\n\n"), expect);
    }
}
