//! What fields mean that `Vary` names, whatever their spelling.

use std::{
    cell::OnceCell,
    cmp::{Ordering, Reverse},
};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE},
};
use relais_wire::list;

/// Wishes of more bytes are compared as they came.
pub(super) const WISHES_BYTES_MAX: usize = 2048;

/// What was read of a request's fields while it is held against one response after another: a client
/// that sends much costs as much once, and not for each of them.
#[derive(Debug, Default)]
pub(crate) struct NormalForms {
    /// In normal form.
    pub(super) values: Vec<(HeaderName, Option<Vec<u8>>)>,
    /// The language that the client would rather have than all others, if it was looked for.
    best: OnceCell<Option<Vec<u8>>>,
}

impl NormalForms {
    pub(super) fn value(&mut self, name: &HeaderName, headers: &HeaderMap) -> Option<&[u8]> {
        let at = self.values.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.values.push((name.clone(), normal(name, headers)));
            self.values.len() - 1
        });
        self.values[at].1.as_deref()
    }

    pub(super) fn best(&self, headers: &HeaderMap) -> Option<&[u8]> {
        self.best.get_or_init(|| best_language(headers)).as_deref()
    }
}

/// The one language that a client would rather have than all others.
fn best_language(headers: &HeaderMap) -> Option<Vec<u8>> {
    if bytes_of(&ACCEPT_LANGUAGE, headers) > WISHES_BYTES_MAX {
        return None;
    }
    let lines = headers.get_all(ACCEPT_LANGUAGE).iter().map(HeaderValue::as_bytes);
    let mut best: Option<(Vec<u8>, u16)> = None;
    let mut is_alone = false;
    for (wish, weight) in lines.flat_map(|line| list::parts(line, b',')).map(wish) {
        match best.as_ref().map(|(_, most)| weight.cmp(most)) {
            None | Some(Ordering::Greater) => (best, is_alone) = (Some((wish, weight)), true),
            Some(Ordering::Equal) => is_alone = false,
            Some(Ordering::Less) => (),
        }
    }
    // One with a weight below 1 has it in its text, and is no response's language.
    best.filter(|_| is_alone).map(|(wish, _)| wish)
}

/// The value of all fields called `name`, so that values which mean the same are the same.
///
/// Spaces beside commas outside of quotes are left out, and several fields are one list. Of what a
/// client would rather have, case does not matter either, and order only where it may be a wish; unless
/// it has very many wishes, as no browser does.
pub(super) fn normal(name: &HeaderName, headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut lines = headers.get_all(name).iter().map(HeaderValue::as_bytes).peekable();
    lines.peek()?;
    if bytes_of(name, headers) <= WISHES_BYTES_MAX
        && [ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE].contains(name)
    {
        let mut wishes: Vec<_> = lines.flat_map(|line| list::parts(line, b',')).map(wish).collect();
        // The first of equal media types is taken by many a server. Of codings and charsets either is
        // read as well, and of languages nobody can rely on it (RFC 9110 §12.5.4).
        wishes.sort_by_key(|(_, weight)| Reverse(*weight));
        let mut wishes: Vec<_> = wishes.into_iter().map(|(wish, _)| wish).collect();
        if *name != ACCEPT {
            wishes.sort_unstable();
        }
        return Some(wishes.join(&b","[..]));
    }
    let mut squeezed = Vec::new();
    for (at, line) in lines.enumerate() {
        if at > 0 {
            squeezed.push(b',');
        }
        squeeze(line, &mut squeezed);
    }
    Some(squeezed)
}

fn bytes_of(name: &HeaderName, headers: &HeaderMap) -> usize {
    headers.get_all(name).iter().map(HeaderValue::len).sum()
}

/// One thing that a client would like to have: its name in lower case, no spaces round its
/// parameters, and no weight that is 1 anyway. Beside it how much it would, in thousandths; what
/// cannot be read is 1.
fn wish(part: &[u8]) -> (Vec<u8>, u16) {
    let mut pieces = list::parts(part, b';');
    let mut wish = pieces.next().unwrap_or_default().to_ascii_lowercase();
    let mut thousandths = 1000;
    for piece in pieces {
        let weight = piece.strip_prefix(b"q=").or_else(|| piece.strip_prefix(b"Q="));
        match weight {
            Some(b"1" | b"1." | b"1.0" | b"1.00" | b"1.000") => (),
            Some(weight) => {
                thousandths = read_weight(weight).unwrap_or(1000);
                wish.extend([b";q=", weight].concat());
            }
            None => wish.extend([b";", piece].concat()),
        }
    }
    (wish, thousandths)
}

/// A weight below 1, in thousandths ([RFC 9110 §12.4.2]).
///
/// [RFC 9110 §12.4.2]: https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2
fn read_weight(weight: &[u8]) -> Option<u16> {
    let digits = match weight {
        b"0" => b"",
        [b'0', b'.', digits @ ..] if digits.len() <= 3 => digits,
        _ => return None,
    };
    let mut thousandths = 0;
    for place in 0..3 {
        let digit = digits.get(place).copied().unwrap_or(b'0');
        thousandths = thousandths * 10 + u16::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    Some(thousandths)
}

/// Appends `line` to `out`, without spaces at its ends and beside its commas.
fn squeeze(line: &[u8], out: &mut Vec<u8>) {
    let (mut quoted, mut escaped, mut after_comma) = (false, false, true);
    let mut end = out.len();
    for &byte in line {
        match byte {
            b' ' | b'\t' if after_comma => continue,
            b',' if !quoted => out.truncate(end),
            b'\\' if quoted && !escaped => escaped = true,
            b'"' if !escaped => quoted = !quoted,
            _ => escaped = false,
        }
        out.push(byte);
        after_comma = byte == b',' && !quoted;
        if quoted || !b" \t".contains(&byte) {
            end = out.len();
        }
    }
    out.truncate(end);
}
