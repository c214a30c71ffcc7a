//! Dialogues over streams: line by line, or as the bytes come.

mod echo;
mod reading;

use std::{borrow::Cow, io};

use relais_net::{Conn, Drain, Fault, Scheme, Service, Stream};
use relais_tap::{By, Ending, Ends};
use tokio::task::coop::consume_budget;

use crate::{
    dialogues::{Dialogues, Way, line},
    lines::{Extent, Lines, Message, SILENCE},
    passing::{End, Passed, fault, idle, linger, send},
    person::{Call, Manners},
    role::{Reply, Role, Then},
    web_socket,
};
use reading::read_some;

/// How much of the answers is gathered before it is sent.
const GATHERED_BYTES: usize = 64 << 10;

impl Service for Dialogues {
    async fn serve(&self, conn: Conn, drain: Drain) -> Result<(), Fault> {
        let Conn { stream, peer, local, .. } = conn;
        let way = Way { from: peer, on: &local };
        let ends = || Ends { client: peer.to_string(), server: local.to_string() };
        let flow = self.tap.open(ends, (self.clock)());
        let mut passed = Passed { flow, heard: 0, said: 0 };
        let ended = match (local.scheme, &self.role) {
            (Scheme::Ws | Scheme::Wss, _) => {
                // Boxed for the size of every other dialogue's task.
                Box::pin(web_socket::serve(self, stream, way, (&drain, &mut passed))).await
            }
            (_, Role::Echo) => echo::serve(self, stream, &drain, &mut passed).await,
            _ => serve_lines(self, stream, way, (&drain, &mut passed)).await,
        };
        let (by, why) = match &ended {
            Ok((by, why)) => (*by, why.clone()),
            Err(fault) => (By::Client, Cow::Owned(reason(&fault.source))),
        };
        tracing::debug!(%peer, by = by.name(), %why, "dialogue ended");
        let Passed { flow, heard, said } = passed;
        let at = (self.clock)();
        flow.close(Ending { at, by, why, to_server: heard, to_client: said });
        ended.map(|_| ())
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionReset => "reset".to_owned(),
        _ => error.to_string(),
    }
}

/// What there is to do next.
enum Turn {
    /// So many bytes were read; none at the end.
    Read(usize),
    /// Nothing came for a moment.
    Silence,
    /// Nothing came for too long.
    Idle,
    /// A person typed this.
    Typed(String),
    /// We were told to stop.
    Drain,
}

/// One dialogue, line by line.
struct Dialogue<'d> {
    all: &'d Dialogues,
    stream: Stream,
    way: Way<'d>,
    drain: &'d Drain,
    /// The place at a person's table, if a person answers.
    call: Option<Call>,
    passed: &'d mut Passed,
}

async fn serve_lines<'d>(
    all: &'d Dialogues,
    stream: Stream,
    way: Way<'d>,
    (drain, passed): (&'d Drain, &'d mut Passed),
) -> Result<End, Fault> {
    let mut lines = Lines::new(all.limits.line_bytes_max);
    let mut dialogue = Dialogue { all, stream, way, drain, call: None, passed };
    if let Role::Talk(person) = &all.role {
        dialogue.call = person.come(way.from, all.limits.callers_max).await;
        if dialogue.call.is_none() {
            dialogue.say(&line("error: too many are talking already")).await?;
            return Ok(dialogue.close((By::Relais, "no place at the table".into())).await);
        }
    }
    loop {
        let then = match dialogue.turn(&mut lines).await? {
            Turn::Read(0) => {
                dialogue.answer_rest(&mut lines).await?;
                return Ok(dialogue.close((By::Client, "closed".into())).await);
            }
            Turn::Read(_) => dialogue.answer(&mut lines).await?,
            Turn::Silence => dialogue.answer_rest(&mut lines).await?,
            Turn::Typed(text) => {
                dialogue.say(&line(&text)).await?;
                Then::GoOn
            }
            Turn::Idle => {
                let why = idle(all.limits.idle_max).into();
                return Ok(dialogue.close((By::Relais, why)).await);
            }
            Turn::Drain => return Ok(dialogue.close((By::Relais, "told to stop".into())).await),
        };
        if then != Then::GoOn {
            return Ok(dialogue.close((By::Client, "said its last word".into())).await);
        }
        lines.shrink();
    }
}

impl Dialogue<'_> {
    /// Waits for what comes next.
    async fn turn(&mut self, lines: &mut Lines) -> Result<Turn, Fault> {
        let has_rest = lines.has_rest();
        let patience = if has_rest { SILENCE } else { self.all.limits.idle_max };
        let Self { stream, call, passed, drain, .. } = self;
        // Asked before bytes are: somebody who never stops is not to keep us from it.
        if drain.is_requested() {
            return Ok(Turn::Drain);
        }
        if let Some(text) = call.as_mut().and_then(|call| call.lines.try_recv().ok()) {
            return Ok(Turn::Typed(text));
        }
        let typed = async {
            match call {
                Some(call) => call.lines.recv().await,
                None => std::future::pending().await,
            }
        };
        let take = |bytes: &[u8]| {
            passed.hear(bytes);
            lines.push(bytes);
        };
        tokio::select! {
            biased;
            read = read_some(stream, take) => {
                read.map(Turn::Read).map_err(|error| fault("reading", error))
            }
            Some(text) = typed => Ok(Turn::Typed(text)),
            () = drain.requested() => Ok(Turn::Drain),
            () = tokio::time::sleep(patience) => {
                Ok(if has_rest { Turn::Silence } else { Turn::Idle })
            }
        }
    }

    /// Answers the lines that came.
    async fn answer(&mut self, lines: &mut Lines) -> Result<Then, Fault> {
        let (mut gathered, mut then) = (Vec::new(), Then::GoOn);
        while then == Then::GoOn
            && let Some(message) = lines.next()
        {
            then = self.hear(&message, &mut gathered).await?;
            // A read may bring thousands: others of this core are to have their turns between them.
            consume_budget().await;
            if gathered.len() > GATHERED_BYTES {
                self.say(&gathered).await?;
                gathered.clear();
            }
        }
        self.say(&gathered).await?;
        Ok(then)
    }

    /// Answers what has no line end.
    async fn answer_rest(&mut self, lines: &mut Lines) -> Result<Then, Fault> {
        let Some(message) = lines.rest() else { return Ok(Then::GoOn) };
        let mut gathered = Vec::new();
        let then = self.hear(&message, &mut gathered).await?;
        self.say(&gathered).await?;
        Ok(then)
    }

    async fn hear(&mut self, message: &Message<'_>, said: &mut Vec<u8>) -> Result<Then, Fault> {
        let (reply, then) = self.all.hear(message, self.way);
        match reply {
            Reply::Nothing => (),
            Reply::Bytes(bytes) => said.extend_from_slice(&bytes),
            Reply::ByPerson => self.pass_on(message).await?,
            // The next may take its time: this answer is not to wait for that.
            reply @ (Reply::Value(_) | Reply::Notify) => {
                let answer = self.all.answer(reply, message, self.way.from).await;
                self.say(&answer).await?;
            }
        }
        Ok(then)
    }

    /// Tells the person, and waits for the answer where there are turns: what the caller said
    /// meanwhile is not read.
    async fn pass_on(&mut self, message: &Message<'_>) -> Result<(), Fault> {
        let Some(call) = &mut self.call else { return Ok(()) };
        call.say(message.bytes, message.extent == Extent::Cut).await;
        if call.manners() == Manners::Turns {
            let late = || fault("waiting for the person", io::ErrorKind::TimedOut.into());
            let text = tokio::select! {
                text = call.lines.recv() => text,
                () = self.drain.requested() => None,
                () = tokio::time::sleep(self.all.limits.idle_max) => return Err(late()),
            };
            self.say(&text.map(|text| line(&text)).unwrap_or_default()).await?;
        }
        Ok(())
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.passed.say(bytes);
        send(&mut self.stream, bytes, self.all.limits.idle_max).await
    }

    async fn close(mut self, end: End) -> End {
        linger(&mut self.stream).await;
        end
    }
}

#[cfg(test)]
mod tests;
