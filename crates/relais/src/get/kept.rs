//! What is kept of a body, to be looked at as a whole.

use relais_http::client::{AnswerBody, BadGzip, BodyError, Gunzip, Head};

use super::body::{Kind, kind};
use crate::visible::visible;

/// How much of a body that is not shown is read, to say how long it is.
pub(super) const COUNTED_BYTES_MAX: u64 = 64 << 20;

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

/// Reads a body, and keeps at most so many bytes of it. Of a text that is longer the rest is not
/// waited for.
pub(super) async fn keep(
    head: &Head,
    body: &mut AnswerBody,
    bytes_max: usize,
) -> (Kept, Result<(), BodyError>) {
    let mut kept = Kept::default();
    let ended = keep_on(head, body, (&mut kept, bytes_max)).await;
    (kept, ended)
}

/// The same, behind what is kept already. Cancel safe where nothing is packed.
pub(super) async fn keep_on(
    head: &Head,
    body: &mut AnswerBody,
    (kept, bytes_max): (&mut Kept, usize),
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
