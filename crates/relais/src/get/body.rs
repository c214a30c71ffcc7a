//! The body of an answer: fit for a terminal, or as it is.

use std::{
    future::pending,
    io::{self, IsTerminal as _},
    time::Duration,
};

use relais_http::client::{AnswerBody, BodyError, Exchange, Head, Request};
use rustix::fs::{Stat, fstat};
use tokio::{select, time::sleep};

use super::{
    heads::Heads,
    image::pixels,
    kept::{COUNTED_BYTES_MAX, Kept, Kind, keep_on, kind},
    latin1::text_of,
    live::Live,
    pretty::pretty,
};
use crate::{
    calling::broken,
    interrupt::{Interrupt, Interrupted},
    measure::said_bytes,
    output::{PRINTING, Reader, Telling, tell},
    stop::Stop,
    visible::visible,
};

/// How much of a body is shown on a terminal.
const SHOWN_BYTES_MAX: usize = 1 << 20;

/// How long JSON may become by being laid out: by indents alone it may be sixty times as long.
const LAID_OUT_BYTES_MAX: usize = 4 * SHOWN_BYTES_MAX;

/// How much of a text a terminal is given at once: who interrupts has seen enough of it.
const PIECE_BYTES: usize = 4096;

/// How long JSON is waited for, which can be laid out only once it is whole.
const WHOLE_WITHIN: Duration = Duration::from_secs(2);

/// Why a body was not shown to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unshown {
    /// It broke off.
    #[error(transparent)]
    Broken(#[from] BodyError),
    /// It cannot be written.
    #[error(transparent)]
    Lost(#[from] io::Error),
    /// Somebody did not want to wait.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Unshown {
    /// What it means to the answer to `request`.
    pub(super) fn stop(self, request: &Request) -> Stop {
        match self {
            Self::Broken(error) => broken(&request.url.endpoint(), "reading from", &error),
            Self::Lost(error) => anyhow::Error::new(error).context(PRINTING).into(),
            Self::Interrupted(interrupted) => interrupted.into(),
        }
    }
}

/// Shows the body of an exchange on standard output: on a terminal what can be read of it, else all
/// of it as it comes.
pub(super) async fn show(
    exchange: Exchange,
    heads: Heads,
    mut interrupt: Interrupt,
) -> Result<(), Unshown> {
    let Exchange { head, mut body, .. } = exchange;
    if io::stdout().is_terminal() {
        return show_readable(&head, &mut body, heads, interrupt).await;
    }
    let mut last = b'\n';
    let ended = pass_on(&mut body, &mut interrupt, &mut last).await;
    let is_told = heads.telling != Telling::Less || ended.is_err();
    if last != b'\n' && is_told && is_one_place() {
        // What is told next would stand in the body's last line.
        tell("");
    }
    ended
}

/// Prints a body as it is; `last` is the last byte of it then.
async fn pass_on(
    body: &mut AnswerBody,
    interrupt: &mut Interrupt,
    last: &mut u8,
) -> Result<(), Unshown> {
    while let Some(piece) = interrupt.or(body.next()).await?? {
        *last = piece.last().copied().unwrap_or(*last);
        if interrupt.or_printing(piece).await?? == Reader::HasEnough {
            break;
        }
    }
    Ok(())
}

/// Whether data and talk go to the same place.
fn is_one_place() -> bool {
    let place = |stat: rustix::io::Result<Stat>| stat.map(|stat| (stat.st_dev, stat.st_ino)).ok();
    let out = place(fstat(io::stdout()));
    out.is_some() && out == place(fstat(io::stderr()))
}

/// Shows what can be read: text as it comes, JSON laid out if it is whole soon.
async fn show_readable(
    head: &Head,
    body: &mut AnswerBody,
    heads: Heads,
    mut interrupt: Interrupt,
) -> Result<(), Unshown> {
    let mut kept = Kept::default();
    if head.field("content-encoding").is_none()
        && interrupt.or(begin(body, &mut kept)).await?? == Begun::Ended
    {
        return Ok(());
    }
    let kind = (kept.came > 0).then(|| kind(head, &kept));
    kept.is_cut = false;
    if kind == Some(Kind::Text) {
        return go_on(head, body, (kept, heads), interrupt).await;
    }
    let late = async {
        match kind {
            Some(Kind::Json) => sleep(WHOLE_WITHIN).await,
            _ => pending().await,
        }
    };
    let ended = select! {
        biased;
        () = interrupt.came() => Err(Interrupted.into()),
        ended = keep_on(head, body, &mut kept, SHOWN_BYTES_MAX) => ended.map_err(Unshown::Broken),
        () = late => return go_on(head, body, (kept, heads), interrupt).await,
    };
    print(head, &kept, heads, &mut interrupt).await?;
    ended
}

/// Whether there is a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    Comes,
    Ended,
}

/// Waits for enough to tell what it is. Cancel safe.
async fn begin(body: &mut AnswerBody, kept: &mut Kept) -> Result<Begun, BodyError> {
    let Some(piece) = body.next().await? else { return Ok(Begun::Ended) };
    kept.came = piece.len() as u64;
    kept.bytes = piece.to_vec();
    // More may follow: a character may be cut.
    kept.is_cut = true;
    Ok(Begun::Comes)
}

/// Shows a text as it comes, behind what was kept of it.
async fn go_on(
    head: &Head,
    body: &mut AnswerBody,
    (kept, heads): (Kept, Heads),
    mut interrupt: Interrupt,
) -> Result<(), Unshown> {
    let mut live = Live::of(head);
    show_text(&live.shown(&kept.bytes), &mut interrupt).await?;
    let mut shown = kept.bytes.len();
    // What happens is watched for as long as somebody likes.
    let is_endless = is_of_type(head, "text/event-stream");
    let (ended, is_cut) = loop {
        if shown >= SHOWN_BYTES_MAX && !is_endless {
            break (Ok(()), true);
        }
        select! {
            biased;
            () = interrupt.came() => break (Err(Interrupted.into()), false),
            next = body.next() => match next {
                Ok(Some(piece)) => {
                    let room = if is_endless { piece.len() } else { SHOWN_BYTES_MAX - shown };
                    let piece = &piece[..piece.len().min(room)];
                    show_text(&live.shown(piece), &mut interrupt).await?;
                    shown += piece.len();
                }
                Ok(None) => break (Ok(()), false),
                Err(error) => break (Err(Unshown::Broken(error)), false),
            },
        }
    };
    show_text(&live.end(), &mut interrupt).await?;
    if is_cut {
        heads.note(cut(shown));
    }
    ended
}

/// Shows `text`, unless somebody has seen enough of it.
async fn show_text(text: &str, interrupt: &mut Interrupt) -> Result<(), Unshown> {
    let mut left = text;
    while !left.is_empty() {
        let (piece, rest) = left.split_at(left.floor_char_boundary(PIECE_BYTES));
        match interrupt.or_printing(piece.to_owned()).await {
            Ok(printed) => _ = printed?,
            Err(interrupted) => {
                // What is told next would stand in the line that is cut.
                tell("");
                return Err(interrupted.into());
            }
        }
        left = rest;
    }
    Ok(())
}

fn cut(shown: usize) -> String {
    format!("* cut after {}: `-o FILE` writes all of it", said_bytes(shown as u64))
}

fn is_of_type(head: &Head, kind: &str) -> bool {
    let said = head.field("content-type").unwrap_or_default();
    let said = said.split(|byte| *byte == b';').next().unwrap_or_default();
    said.trim_ascii().eq_ignore_ascii_case(kind.as_bytes())
}

async fn print(
    head: &Head,
    kept: &Kept,
    heads: Heads,
    interrupt: &mut Interrupt,
) -> Result<(), Unshown> {
    if kept.came == 0 {
        return Ok(());
    }
    let mut text = match kind(head, kept) {
        Kind::Other => {
            heads.note(described(head, kept));
            return Ok(());
        }
        Kind::Json => {
            let text = String::from_utf8_lossy(&kept.bytes);
            let laid_out = if kept.is_cut { None } else { pretty(&text, LAID_OUT_BYTES_MAX) };
            visible(laid_out.as_deref().map_or(&kept.bytes, str::as_bytes))
        }
        Kind::Text => visible(text_of(head, &kept.bytes).as_ref()),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    show_text(&text, interrupt).await?;
    if kept.is_cut {
        heads.note(cut(kept.bytes.len()));
    }
    Ok(())
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
    use super::*;
    use crate::get::kept::tests::{head, kept};

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
