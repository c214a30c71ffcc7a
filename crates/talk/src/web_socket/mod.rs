//! Dialogues over `WebSocket`s: each message of one is a message, and its answer one of the same kind.

mod early;
mod opening;

use std::{io, ops::ControlFlow, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use relais_net::{Drain, Fault, Stream};
use relais_tap::By;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message as Frame,
        error::ProtocolError,
        protocol::{CloseFrame, Role as Part, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    dialogues::{Dialogues, Way, too_long},
    frames::io_error,
    lines::Message,
    passing::{End, Passed, closed, fault, idle, linger, refused, told_to_stop, without_goodbye},
    role::{Reply, Role},
    seated::{Seated, Unseated},
};
use early::Early;

/// How much is read at once, and kept for each: little, as most say little.
const BUFFER_BYTES: usize = 4 << 10;

/// How long an answer may be that is no longer than what was said. Letters in upper case take up to
/// three times as much.
const ANSWER_BYTES: usize = 256 << 10;

/// How long a good end may take: the other side has to say goodbye, too.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// One dialogue.
struct Dialogue<'d> {
    all: &'d Dialogues,
    socket: WebSocketStream<Stream>,
    way: Way<'d>,
    drain: &'d Drain,
    seated: Seated<'d>,
    early: Early,
    passed: &'d mut Passed,
}

/// What there is to do next.
enum Step {
    Heard(Frame),
    Typed(String),
}

/// How it is over, and the word for that.
type Over = (End, CloseCode);

pub(crate) async fn serve<'d>(
    all: &'d Dialogues,
    mut stream: Stream,
    way: Way<'d>,
    (drain, passed): (&'d Drain, &'d mut Passed),
) -> Result<End, Fault> {
    let early = match opening::open(all, &mut stream, way, drain).await? {
        opening::Opened::Yes { early } => early,
        opening::Opened::No(end) => return Ok(end),
    };
    let bytes_max = all.limits.line_bytes_max;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(answer_bytes_max(all) + BUFFER_BYTES)
        .max_message_size(Some(bytes_max))
        .max_frame_size(Some(bytes_max));
    let socket = WebSocketStream::from_partially_read(stream, early, Part::Server, Some(config));
    let (socket, seated) = (socket.await, Seated::nowhere(all, drain));
    let mut dialogue =
        Dialogue { all, socket, way, drain, seated, early: Early::default(), passed };
    let over = match dialogue.seated.sit(all, way).await {
        Ok(()) => dialogue.hold().await?,
        Err(unseated) => {
            let is_full = matches!(unseated, Unseated::Full);
            (unseated.end(), if is_full { CloseCode::Again } else { CloseCode::Away })
        }
    };
    Ok(dialogue.close(over).await)
}

/// How long an answer may be.
fn answer_bytes_max(all: &Dialogues) -> usize {
    ANSWER_BYTES.max(2 * all.limits.line_bytes_max)
}

impl Dialogue<'_> {
    /// Hears and answers, to the end.
    async fn hold(&mut self) -> Result<Over, Fault> {
        loop {
            // Asked before messages are: somebody who never stops is not to keep us from it.
            if self.drain.is_requested() {
                return Ok((told_to_stop(), CloseCode::Away));
            }
            let early = if self.seated.is_awaited() { None } else { self.early.pop() };
            let step = match early {
                Some(frame) => ControlFlow::Continue(Step::Heard(frame)),
                None => self.step().await?,
            };
            let then = match step {
                // Of what comes out of turn only whether it is the end is heard.
                ControlFlow::Continue(Step::Heard(frame)) if self.seated.is_awaited() => {
                    if frame.is_text() || frame.is_binary() {
                        self.early.push(frame);
                    }
                    ControlFlow::Continue(())
                }
                ControlFlow::Continue(Step::Heard(frame)) => self.hear(frame).await?,
                ControlFlow::Continue(Step::Typed(text)) => {
                    self.say(Frame::text(text)).await?;
                    ControlFlow::Continue(())
                }
                ControlFlow::Break(over) if over.0.0 == By::Client => {
                    ControlFlow::Break(self.hear_last().await?.break_value().unwrap_or(over))
                }
                ControlFlow::Break(over) => ControlFlow::Break(over),
            };
            if let ControlFlow::Break(over) = then {
                return Ok(over);
            }
        }
    }

    /// Waits for what comes next.
    async fn step(&mut self) -> Result<ControlFlow<Over, Step>, Fault> {
        if let Some(text) = self.seated.typed_already() {
            return Ok(ControlFlow::Continue(Step::Typed(text)));
        }
        let Self { socket, seated, drain, all, early, .. } = self;
        let next = async {
            // Of what is said out of turn so much is read, by which pings are answered and an end is seen.
            if !early.has_room(all.limits.line_bytes_max) {
                socket.get_ref().broken().await;
                return Some(Err(Error::Io(io::ErrorKind::ConnectionReset.into())));
            }
            socket.next().await
        };
        tokio::select! {
            biased;
            frame = next => match frame {
                Some(Ok(frame)) => Ok(ControlFlow::Continue(Step::Heard(frame))),
                Some(Err(error)) => {
                    over_by(error).map(ControlFlow::Break).map_err(|error| fault("reading", error))
                }
                None => Ok(ControlFlow::Break((closed(), CloseCode::Normal))),
            },
            text = seated.typed() => Ok(ControlFlow::Continue(Step::Typed(text))),
            () = drain.requested() => Ok(ControlFlow::Break((told_to_stop(), CloseCode::Away))),
            () = tokio::time::sleep(all.limits.idle_max) => {
                Ok(ControlFlow::Break((idle(all.limits.idle_max), CloseCode::Away)))
            }
        }
    }

    /// Hears what was said out of turn by who is gone: no answer is waited for.
    async fn hear_last(&mut self) -> Result<ControlFlow<Over>, Fault> {
        while !self.drain.is_requested()
            && let Some(frame) = self.early.pop()
        {
            if let ControlFlow::Break(over) = self.hear(frame).await? {
                return Ok(ControlFlow::Break(over));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn hear(&mut self, frame: Frame) -> Result<ControlFlow<Over>, Fault> {
        let is_text = match &frame {
            Frame::Text(_) => true,
            Frame::Binary(_) => false,
            // Pings are answered, and goodbyes returned, by who reads them.
            _ => return Ok(ControlFlow::Continue(())),
        };
        let bytes = frame.into_data();
        self.passed.hear(&bytes);
        if let Role::Receive = self.all.role {
            return Ok(self.receive(&bytes).await);
        }
        let message = Message::of(&bytes);
        let (reply, then) = self.all.hear(&message, self.way);
        let then = match then.ends() {
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(end) => ControlFlow::Break((end, CloseCode::Normal)),
        };
        let answer = match reply {
            Reply::Nothing => return Ok(then),
            Reply::ByPerson => {
                return Ok(match self.seated.pass_on(&message).await {
                    ControlFlow::Continue(()) => then,
                    ControlFlow::Break(end) => ControlFlow::Break((end, CloseCode::Away)),
                });
            }
            Reply::Bytes(bytes) => bytes,
            reply => {
                let stream = self.socket.get_ref();
                let answer = self.all.answer_unless_gone(reply, &message, self.way, stream);
                answer.await.map_err(|error| fault("answering", error))?
            }
        };
        let fits = answer.len() <= answer_bytes_max(self.all);
        let answer = if fits { answer } else { too_long(&message) };
        let answer = match String::from_utf8(answer) {
            Ok(text) if is_text => Frame::text(text),
            Ok(text) => Frame::binary(text.into_bytes()),
            Err(error) => Frame::binary(error.into_bytes()),
        };
        self.say(answer).await?;
        Ok(then)
    }

    /// Who prints may stand still: that keeps who sends, but not the end.
    async fn receive(&self, bytes: &[u8]) -> ControlFlow<Over> {
        let message = Message::unended(bytes);
        tokio::select! {
            biased;
            () = self.all.receive(&message, self.way) => ControlFlow::Continue(()),
            () = self.drain.requested() => ControlFlow::Break((told_to_stop(), CloseCode::Away)),
        }
    }

    async fn say(&mut self, frame: Frame) -> Result<(), Fault> {
        let bytes = match &frame {
            Frame::Text(_) | Frame::Binary(_) => frame.clone().into_data(),
            _ => bytes::Bytes::new(),
        };
        let sent = tokio::time::timeout(self.all.limits.idle_max, async {
            // Answers to pings may wait: they are not to take the room of this.
            self.socket.flush().await?;
            self.socket.send(frame).await
        });
        let late = |_| Err(Error::Io(io::ErrorKind::TimedOut.into()));
        sent.await.unwrap_or_else(late).map_err(|error| fault("answering", io_error(error)))?;
        self.passed.say(&bytes);
        Ok(())
    }

    async fn close(mut self, (end, code): Over) -> End {
        let frame = CloseFrame { code, reason: end.1.clone().into_owned().into() };
        let goodbye = async {
            self.socket.close(Some(frame)).await?;
            while let Some(Ok(_)) = self.socket.next().await {}
            Ok::<_, Error>(())
        };
        // Who does not answer goes without.
        _ = tokio::time::timeout(GOODBYE_MAX, goodbye).await;
        // What was broken off is not read above: the word for it would be lost.
        linger(self.socket.get_mut()).await;
        end
    }
}

/// How it is over if what came is none of the protocol, or too much.
fn over_by(error: Error) -> Result<Over, io::Error> {
    match error {
        Error::Capacity(error) => Ok((refused(error.to_string()), CloseCode::Size)),
        // Nobody broke a rule: it is gone.
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Ok((without_goodbye(), CloseCode::Normal))
        }
        Error::Protocol(error) => Ok((refused(error.to_string()), CloseCode::Protocol)),
        Error::Utf8(_) => Ok((refused("a text that is no UTF-8"), CloseCode::Invalid)),
        error => Err(io_error(error)),
    }
}

#[cfg(test)]
mod tests;
