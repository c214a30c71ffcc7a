//! Dialogues over streams: line by line, or as the bytes come.

mod echo;
mod reading;
mod receiving;

use std::{borrow::Cow, io, ops::ControlFlow, time::Duration};

use relais_net::{Conn, Drain, Fault, Scheme, Service, Stream, Worked};
use relais_tap::{By, Ending, Ends};
use tokio::task::coop::consume_budget;

use crate::{
    dialogues::{Dialogues, Way, line},
    lines::{Lines, Message, SILENCE},
    passing::{End, Passed, closed, fault, idle, linger, send, send_whole, told_to_stop},
    role::{Reply, Role},
    seated::{Seated, Unseated},
    web_socket,
};
use reading::{is_end, read_some};

/// How much of the answers is gathered before it is sent.
const GATHERED_BYTES: usize = 64 << 10;

impl Service for Dialogues {
    async fn serve(&self, conn: Conn, drain: Drain) -> Result<(), Fault> {
        let Conn { stream, peer, local, .. } = conn;
        let worked = Worked::default();
        let way = Way { from: peer, on: &local, worked: &worked };
        let ends = || Ends { client: peer.to_string(), server: local.to_string() };
        let flow = self.tap.open(ends, (self.clock)());
        tracing::debug!("{peer} ▸ {local}: open");
        let mut passed = Passed { flow, heard: 0, said: 0 };
        let ended = match (local.scheme, &self.role) {
            (Scheme::Ws | Scheme::Wss, _) => {
                // Boxed for the size of every other dialogue's task.
                Box::pin(web_socket::serve(self, stream, way, (&drain, &mut passed))).await
            }
            (_, Role::Echo) => echo::serve(self, stream, &drain, &mut passed).await,
            (_, Role::Receive) => receiving::serve(self, stream, way, (&drain, &mut passed)).await,
            _ => serve_lines(self, stream, way, (&drain, &mut passed)).await,
        };
        let (by, why) = match &ended {
            Ok((by, why)) => (*by, why.clone()),
            Err(fault) => (By::Client, Cow::Owned(reason(&fault.source))),
        };
        let Passed { flow, heard, said } = passed;
        if tracing::enabled!(tracing::Level::DEBUG) {
            // What it said is shown before it is told to be gone, unless nobody looks.
            _ = tokio::time::timeout(SHOWN_WITHIN, self.showcase.printed()).await;
            let by = by.name();
            tracing::debug!("{peer} ▸ {local}: {why}, by {by}; {heard} B there, {said} B back");
        }
        let at = (self.clock)();
        flow.close(Ending { at, by, why, to_server: heard, to_client: said });
        ended.map(|_| ())
    }
}

/// How long what somebody said may take to be shown who is gone.
const SHOWN_WITHIN: Duration = Duration::from_millis(200);

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionReset => "reset".to_owned(),
        _ => error.to_string(),
    }
}

/// What there is to do next.
enum Step {
    /// So many bytes were read; none at the end.
    Read(usize),
    /// Nothing came for a moment.
    Silence,
    /// Nothing came for too long.
    Idle,
    /// A person typed this.
    Typed(String),
    /// We were told to stop.
    Stop,
}

/// One dialogue, line by line.
struct Dialogue<'d> {
    all: &'d Dialogues,
    stream: Stream,
    way: Way<'d>,
    drain: &'d Drain,
    seated: Seated<'d>,
    /// Answers that are to be sent together.
    gathered: Vec<u8>,
    passed: &'d mut Passed,
}

async fn serve_lines<'d>(
    all: &'d Dialogues,
    stream: Stream,
    way: Way<'d>,
    (drain, passed): (&'d Drain, &'d mut Passed),
) -> Result<End, Fault> {
    let seated = Seated::nowhere(all, drain);
    let mut dialogue = Dialogue { all, stream, way, drain, seated, gathered: Vec::new(), passed };
    let end = match dialogue.seated.sit(all, way).await {
        Ok(()) => dialogue.hold().await?,
        Err(unseated) => {
            if let Unseated::Full = unseated {
                dialogue.say(&line("error: too many are talking already")).await?;
            }
            unseated.end()
        }
    };
    // Its place is free for another meanwhile.
    drop(dialogue.seated);
    linger(&mut dialogue.stream).await;
    Ok(end)
}

impl Dialogue<'_> {
    /// Hears and answers, to the end. A line at a time: a read may bring thousands that take long.
    async fn hold(&mut self) -> Result<End, Fault> {
        let mut lines = Lines::new(self.all.limits.line_bytes_max);
        loop {
            // Asked before all else: somebody who never stops is not to keep us from it.
            if self.drain.is_requested() {
                self.send_gathered().await?;
                return Ok(told_to_stop());
            }
            let next = if self.seated.is_awaited() { None } else { lines.next() };
            let then = match next {
                Some(message) => {
                    let then = self.hear(&message).await?;
                    // Others of this core are to have their turns between them.
                    consume_budget().await;
                    then
                }
                None => self.go_on(&mut lines).await?,
            };
            if let ControlFlow::Break(end) = then {
                self.send_gathered().await?;
                return Ok(end);
            }
        }
    }

    /// Waits for more than the lines that came.
    async fn go_on(&mut self, lines: &mut Lines) -> Result<ControlFlow<End>, Fault> {
        self.send_gathered().await?;
        lines.shrink();
        let end = match self.step(lines).await? {
            Step::Read(1..) => return Ok(ControlFlow::Continue(())),
            Step::Typed(text) => {
                self.say(&line(&text)).await?;
                return Ok(ControlFlow::Continue(()));
            }
            Step::Silence => return self.hear_rest(lines).await,
            Step::Stop => return Ok(ControlFlow::Break(told_to_stop())),
            Step::Idle if self.seated.is_awaited() => {
                return Ok(ControlFlow::Break(idle(self.all.limits.idle_max)));
            }
            Step::Idle => idle(self.all.limits.idle_max),
            Step::Read(0) => closed(),
        };
        Ok(match self.hear_last(lines).await? {
            ControlFlow::Continue(()) => ControlFlow::Break(end),
            ControlFlow::Break(end) => ControlFlow::Break(end),
        })
    }

    /// Waits for what comes next.
    async fn step(&mut self, lines: &mut Lines) -> Result<Step, Fault> {
        if let Some(text) = self.seated.typed_already() {
            return Ok(Step::Typed(text));
        }
        let Self { all, stream, seated, passed, drain, .. } = self;
        let is_awaited = seated.is_awaited();
        let may_be_whole = lines.may_be_whole() && !is_awaited;
        let patience = if may_be_whole { SILENCE } else { all.limits.idle_max };
        // What is said out of turn waits, but for so much as shows that nobody is there any more.
        let reads = !is_awaited || lines.has_room();
        let take = |bytes: &[u8]| {
            passed.hear(bytes);
            lines.push(bytes);
        };
        let read = async {
            if !reads {
                stream.broken().await;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            read_some(stream, take)
                .await
                .or_else(|error| if is_end(&error) { Ok(0) } else { Err(error) })
        };
        tokio::select! {
            biased;
            read = read => read.map(Step::Read).map_err(|error| fault("reading", error)),
            text = seated.typed() => Ok(Step::Typed(text)),
            () = drain.requested() => Ok(Step::Stop),
            () = tokio::time::sleep(patience) => {
                Ok(if may_be_whole { Step::Silence } else { Step::Idle })
            }
        }
    }

    /// Hears all that is left: nothing more will come, and no answer be waited for.
    async fn hear_last(&mut self, lines: &mut Lines) -> Result<ControlFlow<End>, Fault> {
        while !self.drain.is_requested()
            && let Some(message) = lines.next()
        {
            if let ControlFlow::Break(end) = self.hear(&message).await? {
                return Ok(ControlFlow::Break(end));
            }
        }
        self.hear_rest(lines).await
    }

    /// Hears what has no line end.
    async fn hear_rest(&mut self, lines: &mut Lines) -> Result<ControlFlow<End>, Fault> {
        match lines.rest() {
            Some(message) => self.hear(&message).await,
            None => Ok(ControlFlow::Continue(())),
        }
    }

    async fn hear(&mut self, message: &Message<'_>) -> Result<ControlFlow<End>, Fault> {
        let (reply, then) = self.all.hear(message, self.way);
        match reply {
            Reply::Nothing => (),
            Reply::Bytes(bytes) => self.gathered.extend_from_slice(&bytes),
            Reply::ByPerson => {
                if let ControlFlow::Break(end) = self.seated.pass_on(message).await {
                    return Ok(ControlFlow::Break(end));
                }
            }
            // Not gathered: it may be large, and is shared.
            Reply::File(bytes) => {
                self.send_gathered().await?;
                send_whole(&mut self.stream, &bytes, self.all.limits.idle_max).await?;
                self.passed.say(&bytes);
            }
            reply @ (Reply::Value(_) | Reply::Notify) => {
                // This takes its time: answers before it are not to wait for that, nor this for the next.
                self.send_gathered().await?;
                let answer = self.all.answer_unless_gone(reply, message, self.way, &self.stream);
                let answer = answer.await.map_err(|error| fault("answering", error))?;
                self.say(&answer).await?;
            }
        }
        if self.gathered.len() > GATHERED_BYTES {
            self.send_gathered().await?;
        }
        Ok(then.ends())
    }

    async fn send_gathered(&mut self) -> Result<(), Fault> {
        let gathered = std::mem::take(&mut self.gathered);
        self.say(&gathered).await
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if bytes.is_empty() {
            return Ok(());
        }
        send(&mut self.stream, bytes, self.all.limits.idle_max).await?;
        self.passed.say(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
