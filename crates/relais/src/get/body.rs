//! The body of an answer: fit for a terminal, or as it is.

use std::io::{self, IsTerminal as _, Write as _};

use relais_http::client::{AnswerBody, BadGzip, BodyError, Exchange, Gunzip, Head};

use super::{image::pixels, pretty::pretty};
use crate::{measure::said_bytes, output::tell, visible::visible};

/// How much of a body is shown on a terminal.
const SHOWN_BYTES_MAX: usize = 1 << 20;

/// How much of a body that is not shown is read, to say how long it is.
const COUNTED_BYTES_MAX: u64 = 64 << 20;

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    Text,
    Other,
}

/// What was kept of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// The first of it, without what it was packed in.
    pub(super) bytes: Vec<u8>,
    /// How many came, as they came.
    pub(super) came: u64,
    /// Whether there is more than was kept.
    pub(super) is_cut: bool,
    /// What is to be said of it beside that.
    pub(super) note: Option<String>,
}

/// Shows the body of an exchange on standard output: on a terminal what can be read of it, else all
/// of it as it comes.
pub(super) async fn show(exchange: Exchange) -> Result<(), BodyError> {
    let Exchange { head, mut body, .. } = exchange;
    if io::stdout().is_terminal() {
        let (kept, ended) = keep(&head, &mut body, SHOWN_BYTES_MAX).await;
        print(&head, &kept);
        return ended;
    }
    while let Some(piece) = body.next().await? {
        let mut out = io::stdout().lock();
        if out.write_all(&piece).and_then(|()| out.flush()).is_err() {
            // Who reads has enough.
            return Ok(());
        }
    }
    Ok(())
}

/// Reads a body, and keeps at most so many bytes of it. Of a text that is longer the rest is not
/// waited for.
pub(super) async fn keep(
    head: &Head,
    body: &mut AnswerBody,
    bytes_max: usize,
) -> (Kept, Result<(), BodyError>) {
    let mut kept = Kept::default();
    let coding = head.field("content-encoding").map(<[u8]>::to_ascii_lowercase);
    let mut gunzip = match coding.as_deref() {
        None | Some(b"identity") => None,
        Some(b"gzip" | b"x-gzip") => Some(Gunzip::new(bytes_max as u64)),
        Some(other) => {
            kept.note = Some(format!("packed by {}, which is not undone here", visible(other)));
            None
        }
    };
    // Of what is cut it does not change any more.
    let mut cut_kind = None;
    loop {
        let piece = match body.next().await {
            Ok(piece) => piece,
            Err(error) => return (kept, Err(error)),
        };
        let is_over = piece.is_none();
        kept.came += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        let mut take = |bytes: &[u8]| {
            let room = bytes_max - kept.bytes.len();
            kept.is_cut |= bytes.len() > room;
            kept.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        };
        let unpacked = match (piece, &mut gunzip) {
            (Some(piece), None) => {
                take(&piece);
                Ok(())
            }
            (Some(piece), Some(gunzip)) => gunzip.feed(&piece, &mut take),
            // Who asks for a head, or has it already, is told how the rest would be packed.
            (None, _) if kept.came == 0 => Ok(()),
            (None, gunzip) => gunzip.take().map_or(Ok(()), |gunzip| gunzip.end(&mut take)),
        };
        match unpacked {
            Ok(()) => {}
            Err(BadGzip::TooLarge(_)) => {
                kept.is_cut = true;
                break;
            }
            Err(error) => {
                kept.is_cut = true;
                kept.note = Some(error.to_string());
                break;
            }
        }
        if is_over {
            // Nothing was packed, whatever was said of it.
            kept.note = kept.note.filter(|_| kept.came > 0);
            break;
        }
        // Of what is not shown at least the length is told.
        let kind = kept.is_cut.then(|| *cut_kind.get_or_insert_with(|| kind(head, &kept)));
        if kind.is_some_and(|kind| kind != Kind::Other || kept.came > COUNTED_BYTES_MAX) {
            break;
        }
    }
    (kept, Ok(()))
}

/// What the head says that a body is, if it says something that is known.
fn kind_by_type(head: &Head) -> Option<Kind> {
    let said = String::from_utf8_lossy(head.field("content-type")?).to_ascii_lowercase();
    let kind = said.split(';').next().unwrap_or_default().trim();
    let (main, sub) = kind.split_once('/')?;
    Some(match (main, sub) {
        ("application", "json") => Kind::Json,
        (_, sub) if sub.ends_with("+json") => Kind::Json,
        ("text", _)
        | (
            "application",
            "javascript" | "xml" | "x-www-form-urlencoded" | "x-ndjson" | "toml" | "yaml",
        ) => Kind::Text,
        (_, sub) if sub.ends_with("+xml") => Kind::Text,
        ("image" | "audio" | "video" | "font", _) => Kind::Other,
        _ => return None,
    })
}

/// What it is, by its head, else by its first bytes.
pub(super) fn kind(head: &Head, kept: &Kept) -> Kind {
    let bytes = &kept.bytes;
    // What is said to be text and is none would be nothing but escapes.
    let is_binary = kept.note.is_some() || bytes[..bytes.len().min(512)].contains(&0);
    match kind_by_type(head) {
        _ if is_binary => Kind::Other,
        Some(kind) => kind,
        None => match str::from_utf8(bytes) {
            Ok(_) => Kind::Text,
            // A character may have been cut where the rest was.
            Err(error) if kept.is_cut && error.error_len().is_none() => Kind::Text,
            Err(_) => Kind::Other,
        },
    }
}

fn print(head: &Head, kept: &Kept) {
    if kept.came == 0 {
        return;
    }
    let mut text = match kind(head, kept) {
        Kind::Other => {
            tell(described(head, kept));
            return;
        }
        Kind::Json => {
            let text = String::from_utf8_lossy(&kept.bytes);
            let laid_out = if kept.is_cut { None } else { pretty(&text) };
            visible(laid_out.as_deref().map_or(&kept.bytes, str::as_bytes))
        }
        Kind::Text => visible(&kept.bytes),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    _ = crate::output::print(text.as_bytes());
    if kept.is_cut {
        let shown = said_bytes(kept.bytes.len() as u64);
        tell(format_args!("* cut after {shown}: `-o FILE` writes all of it"));
    }
}

/// What a body is that is not shown.
fn described(head: &Head, kept: &Kept) -> String {
    let kind = head.field("content-type").map_or_else(|| "no type".to_owned(), visible);
    let more = if kept.came > COUNTED_BYTES_MAX { "more than " } else { "" };
    let size = said_bytes(kept.came.min(COUNTED_BYTES_MAX));
    let pixels = pixels(&kept.bytes);
    let pixels = pixels.map(|(wide, high)| format!(", {wide} × {high} pixels")).unwrap_or_default();
    let note = kept.note.as_ref().map(|note| format!(", {note}")).unwrap_or_default();
    format!("* a body of {more}{size}: {kind}{pixels}{note}; `-o FILE` writes it to a file")
}

#[cfg(test)]
mod tests {
    use http::Version;

    use super::*;

    fn head(kind: &str) -> Head {
        let fields = vec![("Content-Type".to_owned(), kind.as_bytes().to_vec())];
        Head { version: Version::HTTP_11, status: 200, reason: Vec::new(), fields }
    }

    fn kept(bytes: &[u8]) -> Kept {
        Kept { bytes: bytes.to_vec(), came: bytes.len() as u64, ..Kept::default() }
    }

    #[test]
    fn what_a_body_is_is_told_by_its_type_then_by_its_bytes() {
        let check = |said: &str, bytes: &[u8], expect| {
            assert_eq!(kind(&head(said), &kept(bytes)), expect, "{said}");
        };
        check("application/json; charset=utf-8", b"{}", Kind::Json);
        check("application/problem+json", b"{}", Kind::Json);
        check("TEXT/html", b"\xff", Kind::Text);
        check("text/html", b"a\0b", Kind::Other);
        check("image/svg+xml", b"<svg>", Kind::Text);
        check("image/png", b"text", Kind::Other);
        check("application/octet-stream", b"text", Kind::Text);
        check("nonsense", b"\xff\xfe", Kind::Other);
        let cut = Kept { is_cut: true, ..kept(b"caf\xc3") };
        assert_eq!(kind(&head("x/y"), &cut), Kind::Text);
    }

    #[test]
    fn what_is_not_shown_is_described() {
        let image = kept(b"GIF89a\x80\x02\xe0\x01");
        let expect = "* a body of 10 B: image/gif, 640 × 480 pixels; `-o FILE` writes it to a file";
        assert_eq!(described(&head("image/gif"), &image), expect);
        let packed = Kept { note: Some("packed by br".to_owned()), ..kept(b"abc") };
        let expect = "* a body of 3 B: a\\u{1b}, packed by br; `-o FILE` writes it to a file";
        assert_eq!(described(&head("a\x1b"), &packed), expect);
    }
}
