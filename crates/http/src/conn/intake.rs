//! What comes in over HTTP/1, judged before hyper sees it.
//!
//! Of heads hyper sees whole lines only, each of which the guard has judged. It would find fault
//! with the start of a line by itself, and give an answer that depends on how the line was cut.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use relais_net::Stream;
use relais_wire::http1::{Guard, Refusal, Stage, Within};
use tokio::io::{AsyncRead, ReadBuf};

/// What was read and did not pass yet, and who judges it.
#[derive(Debug)]
pub(super) struct Intake {
    /// `None` for HTTP/2, whose framing cannot be read in two ways. Holds the line under way.
    guard: Option<Guard>,
    refused: Option<Refusal>,
    /// The same, once hyper asked for more and met an error.
    hit: Option<Refusal>,
    /// Bytes that were read and put back, or are held: they come before what is not read, and are not
    /// judged.
    put_back: Vec<u8>,
    /// Bytes that are judged, and pass next.
    judged: Vec<u8>,
}

/// What judging came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// A head or a body has begun, or ended.
    Turned,
    Same,
}

impl Intake {
    pub(super) fn new(guard: Option<Guard>) -> Self {
        Self { guard, refused: None, hit: None, put_back: Vec::new(), judged: Vec::new() }
    }

    /// Reads without judging, what was put back first.
    ///
    /// Behind the head of a CONNECT nothing is read. That ends with its answer, whose head is the last
    /// thing on the connection, and nobody has to be told.
    pub(super) fn poll_read(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.stage() == Some(Stage::Held) {
            return Poll::Pending;
        }
        if give(&mut self.put_back, buf) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(stream).poll_read(cx, buf)
    }

    /// Puts into `buf` what is judged and did not pass yet, if there is any.
    ///
    /// # Errors
    ///
    /// The refusal, if there is none and what comes next was refused.
    pub(super) fn pass_on(&mut self, buf: &mut ReadBuf<'_>) -> Result<bool, Refusal> {
        match self.refused {
            _ if give(&mut self.judged, buf) => Ok(true),
            None => Ok(false),
            Some(refusal) => {
                self.hit = Some(refusal);
                Err(refusal)
            }
        }
    }

    /// Judges what is in `buf` from `before` on, and leaves there what may pass. Where that is
    /// nothing, there may be something to [pass on](Self::pass_on).
    ///
    /// *Cost*: only lines that come in pieces are copied.
    pub(super) fn judge(&mut self, buf: &mut ReadBuf<'_>, before: usize) -> Course {
        let Some(guard) = &mut self.guard else { return Course::Same };
        let came = &buf.filled()[before..];
        // The guard forgets it at the line's end.
        let is_ended = !guard.line().is_empty() && memchr::memchr(b'\n', came).is_some();
        let start = if is_ended { guard.line().to_vec() } else { Vec::new() };
        let stage = guard.stage();
        let fed = guard.feed(came);
        if guard.stage() == Stage::Held {
            // No more than came in one read.
            self.put_back.splice(..0, came[fed.passed..].iter().copied());
        }
        // What is refused is not kept.
        let passed = fed.passed - guard.line().len().min(fed.passed);
        if start.is_empty() || passed == 0 {
            buf.set_filled(before + passed);
        } else {
            self.judged = [&start, &came[..passed]].concat();
            buf.set_filled(before);
        }
        self.refused = fed.refusal;
        if fed.refusal.is_none() && stage != guard.stage() { Course::Turned } else { Course::Same }
    }

    /// What the guard is after `bytes`, if they are sound, a head without a body, and nothing more.
    pub(super) fn guard_after(&self, bytes: &[u8]) -> Option<Guard> {
        let before = self.guard.as_ref()?;
        if before.stage() != Stage::BetweenMessages || !bytes.ends_with(b"\r\n\r\n") {
            return None;
        }
        let mut guard = before.clone();
        let is_one = guard.feed(bytes).refusal.is_none()
            && guard.stage() == Stage::BetweenMessages
            && guard.heads() == before.heads() + 1;
        is_one.then_some(guard)
    }

    /// Takes what was read for judged.
    pub(super) fn pass(&mut self, guard: Guard) {
        self.guard = Some(guard);
    }

    /// Has `bytes`, which were read, be read again.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        self.put_back.extend_from_slice(bytes);
    }

    /// Why something that came does not pass.
    pub(super) fn refused(&self) -> Option<Refusal> {
        self.refused
    }

    /// Why nothing more is read, if hyper wanted more. What is refused behind a connection's last
    /// request is nobody's business.
    pub(super) fn hit(&self) -> Option<Refusal> {
        self.hit
    }

    pub(super) fn stage(&self) -> Option<Stage> {
        self.guard.as_ref().map(Guard::stage)
    }

    /// Whether a body is under way whose request is among the first `answers`.
    pub(super) fn is_body_of(&self, answers: u64) -> bool {
        let guard = self.guard.as_ref();
        guard.is_some_and(|guard| guard.within() == Within::Body && answers >= guard.heads())
    }

    /// The number, from 1 on, of the request of whose body more than `bytes` may be to come, if one is.
    pub(super) fn long_body(&self, bytes: u64) -> Option<u64> {
        self.guard.as_ref().filter(|guard| guard.body_left() > bytes).map(Guard::heads)
    }

    /// All that was read and did not pass.
    pub(super) fn into_unread(self) -> Vec<u8> {
        let line = self.guard.as_ref().map_or(&[][..], Guard::line);
        [&self.judged, line, &self.put_back].concat()
    }
}

/// Moves bytes from the start of `from` to `buf`, if there are any.
fn give(from: &mut Vec<u8>, buf: &mut ReadBuf<'_>) -> bool {
    if from.is_empty() {
        return false;
    }
    let bytes = from.len().min(buf.remaining());
    buf.put_slice(&from[..bytes]);
    from.drain(..bytes);
    if from.is_empty() {
        // Gives its memory back: an idle connection holds none.
        *from = Vec::new();
    }
    true
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use relais_wire::http1::HeadLimits;
    use tokio::io::AsyncWriteExt;

    use super::*;

    const HEAD: &str = "GET / HTTP/1.1\r\nHost: a\r\n";

    #[tokio::test]
    async fn of_heads_whole_lines_pass_and_of_bodies_all() {
        check(&[HEAD], &[HEAD]).await;
        check(
            &["GET / HT", "TP/1.1\r\nHo", "st: a\r\n\r", "\n"],
            &["GET / HTTP/1.1\r\n", "Host: a\r\n", "\r\n"],
        )
        .await;
        check(&[HEAD, "X: y\r\nZ", ": ", "a\r\n"], &[HEAD, "X: y\r\n", "Z: a\r\n"]).await;
        let body = [HEAD, "Content-Length: 9\r\n\r\n", "ab\nc", "\n", "defg"];
        check(&body, &body).await;
        check(&[HEAD, "\r\nGET"], &[HEAD, "\r\n"]).await;
    }

    #[tokio::test]
    async fn of_a_line_that_is_refused_nothing_passes_however_it_is_cut() {
        check(&[HEAD, "X : y\r\n"], &[HEAD, "refused"]).await;
        check(&[HEAD, "X :", " y\r\n"], &[HEAD, "refused"]).await;
        check(&[HEAD, "X", ": y\r\nZ : y\r\n"], &[HEAD, "refused"]).await;
        check(&[HEAD, "\r", "\n\0", "\r\n"], &[HEAD, "\r\n", "refused"]).await;
        check(&[HEAD, "\r", "\nGET\r\n"], &[HEAD, "\r\n", "refused"]).await;
    }

    #[tokio::test]
    async fn what_is_sound_passes_whole_however_it_is_cut() {
        let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\na\nb\r\n0\r\nX: y\r\n\r\n";
        let length = "Content-Length: 3\r\n\r\na\nb";
        let whole = format!("{HEAD}\r\n{HEAD}{chunked}{HEAD}{length}{HEAD}\r\n");
        for one in 0..whole.len() {
            for other in one..whole.len() {
                let parts = [&whole[..one], &whole[one..other], &whole[other..]];
                assert_eq!(passed(&parts).await.concat(), whole, "{one}, {other}");
            }
        }
    }

    #[tokio::test]
    async fn what_follows_a_connect_is_kept() {
        // As much of it as came in one read with the end of the head.
        let end = CONNECT.len();
        for (cut, kept) in [(end - 1, "early"), (end, ""), (end + 2, "ea")] {
            check_kept(cut, kept).await;
        }
    }

    const CONNECT: &str = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";

    /// Has a CONNECT and what follows come in two parts.
    async fn check_kept(cut: usize, kept: &str) {
        let said = [CONNECT, "early"].concat();
        let (mut client, server) = tokio::io::duplex(1 << 10);
        let mut stream = Stream::Memory(server);
        let mut intake = intake();
        let mut passed = Vec::new();
        for part in [&said[..cut], &said[cut..], "more"] {
            client.write_all(part.as_bytes()).await.unwrap();
            passed.extend(next(&mut intake, &mut stream, 1000).await.unwrap());
            passed.extend(next(&mut intake, &mut stream, 1000).await.unwrap());
        }
        assert_eq!(String::from_utf8(passed).unwrap(), CONNECT);
        assert_eq!(String::from_utf8(intake.into_unread()).unwrap(), kept);
    }

    #[tokio::test]
    async fn a_line_that_is_longer_than_a_read_passes_in_parts() {
        let long = format!("X: {}", "y".repeat(10_000));
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let mut stream = Stream::Memory(server);
        let mut intake = intake();
        let whole = format!("{HEAD}{long}\r\n");
        for part in [HEAD, &long, "\r\n"] {
            client.write_all(part.as_bytes()).await.unwrap();
        }
        let mut passed = Vec::new();
        while passed.len() < whole.len() {
            let more = next(&mut intake, &mut stream, 100).await.unwrap();
            assert!(!more.is_empty() && more.len() <= 100);
            passed.extend_from_slice(&more);
        }
        assert_eq!(passed, whole.as_bytes());
    }

    fn intake() -> Intake {
        let limits =
            HeadLimits { head_bytes_max: 1 << 16, line_bytes_max: 1 << 15, fields_max: 100 };
        Intake::new(Some(Guard::new(limits)))
    }

    async fn check(parts: &[&str], expect: &[&str]) {
        assert_eq!(passed(parts).await, expect, "{parts:?}");
    }

    /// What passes while `parts` come in one after the other.
    async fn passed(parts: &[&str]) -> Vec<String> {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let mut stream = Stream::Memory(server);
        let mut intake = intake();
        let mut passed = Vec::new();
        for part in parts {
            client.write_all(part.as_bytes()).await.unwrap();
            let mut more = next(&mut intake, &mut stream, 1000).await;
            while let Ok(bytes) = &more
                && !bytes.is_empty()
            {
                passed.push(String::from_utf8_lossy(bytes).into_owned());
                more = next(&mut intake, &mut stream, 1000).await;
            }
            if more.is_err() {
                passed.push("refused".to_owned());
                break;
            }
        }
        passed
    }

    /// What passes of what came, up to so many bytes; nothing if nothing may for now.
    async fn next(
        intake: &mut Intake,
        stream: &mut Stream,
        max: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let mut room = vec![0; max];
        let mut buf = ReadBuf::new(&mut room);
        while !intake.pass_on(&mut buf)? && buf.filled().is_empty() {
            let read = poll_fn(|cx| Poll::Ready(intake.poll_read(stream, cx, &mut buf)));
            if read.await.is_pending() {
                break;
            }
            intake.judge(&mut buf, 0);
        }
        Ok(buf.filled().to_vec())
    }
}
