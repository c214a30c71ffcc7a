//! What is kept of a body, to be looked at as a whole, and what it is.

use relais_http::client::{AnswerBody, BadGzip, BodyError, Gunzip, Head};

use crate::visible::visible;

/// How much of a body that is not shown is read, to say how long it is.
pub(super) const COUNTED_BYTES_MAX: u64 = 64 << 20;

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

/// Reads a body, and keeps at most so many bytes of it, behind what is kept already. Of a text that is
/// longer the rest is not waited for.
///
/// Cancel safe where nothing is packed; else what is kept is sound, and the rest is lost.
pub(super) async fn keep_on(
    head: &Head,
    body: &mut AnswerBody,
    kept: &mut Kept,
    bytes_max: usize,
) -> Result<(), BodyError> {
    let coding = head.field("content-encoding").map(<[u8]>::to_ascii_lowercase);
    let mut gunzip = match coding.as_deref() {
        None | Some(b"identity") => None,
        Some(b"gzip" | b"x-gzip") => Some(Gunzip::new(bytes_max as u64)),
        Some(other) => {
            kept.note = Some(format!("packed by {}, which is not undone here", visible(other)));
            None
        }
    };
    // What follows is only counted: there was enough to unpack, or it is broken.
    let mut is_counted_only = false;
    // Of what is cut it does not change any more.
    let mut cut_kind = None;
    loop {
        let piece = body.next().await?;
        let is_over = piece.is_none();
        kept.came += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        let mut take = |bytes: &[u8]| {
            let room = bytes_max - kept.bytes.len();
            kept.is_cut |= bytes.len() > room;
            kept.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        };
        let unpacked = match (piece, &mut gunzip) {
            (Some(_), _) if is_counted_only => Ok(()),
            (Some(piece), None) => {
                take(&piece);
                Ok(())
            }
            (Some(piece), Some(gunzip)) => gunzip.feed(&piece, &mut take),
            // Who asks for a head, or has it already, is told how the rest would be packed.
            (None, _) if kept.came == 0 => Ok(()),
            (None, gunzip) => gunzip.take().map_or(Ok(()), |gunzip| gunzip.end(&mut take)),
        };
        if let Err(error) = unpacked {
            (kept.is_cut, gunzip, is_counted_only) = (true, None, true);
            if !matches!(error, BadGzip::TooLarge(_)) {
                kept.note = Some(error.to_string());
            }
        }
        if is_over {
            // Nothing was packed, whatever was said of it.
            kept.note.take_if(|_| kept.came == 0);
            break;
        }
        // Of what is not shown at least the length is told.
        let kind = kept.is_cut.then(|| *cut_kind.get_or_insert_with(|| kind(head, kept)));
        if kind.is_some_and(|kind| kind != Kind::Other || kept.came > COUNTED_BYTES_MAX) {
            break;
        }
    }
    Ok(())
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

#[cfg(test)]
pub(super) mod tests {
    use http::Version;

    use super::*;

    /// The head of a body of this type.
    pub(in super::super) fn head(kind: &str) -> Head {
        let fields = vec![("Content-Type".to_owned(), kind.as_bytes().to_vec())];
        Head { version: Version::HTTP_11, status: 200, reason: Vec::new(), fields }
    }

    /// A whole body.
    pub(in super::super) fn kept(bytes: &[u8]) -> Kept {
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
}
