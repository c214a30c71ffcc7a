//! A role, and all that its dialogues share, whatever carries them.

use std::{
    fmt, io,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use relais_net::{Endpoint, Peer, Scheme, Stream, Worked};
use relais_tap::Tap;

use crate::{
    lines::{Extent, LineEnd, Message},
    passing::{End, all_said, last_word},
    role::{Reply, Role, Showing, Then, Word, answer, ended},
    show::{Showcase, Shown},
};

/// A server of small dialogues: a [`Service`](relais_net::Service) of streams and `WebSocket`s, and a
/// [`DatagramService`](relais_net::DatagramService), at as many endpoints as one likes. Each caller
/// has a dialogue of its own.
#[derive(Debug)]
pub struct Dialogues {
    /// What is done with what comes.
    pub role: Role,
    /// What ends a dialogue, or the server.
    pub word: Word,
    /// How much, and how long.
    pub limits: Limits,
    /// Pages of which other sites may open a WebSocket here: `http://a.example:8080`, or `*` for any.
    pub origins: Vec<String>,
    /// Where messages are shown.
    pub showcase: Showcase,
    /// Where dialogues are reported as flows.
    pub tap: Tap,
    /// The time of day.
    pub clock: fn() -> SystemTime,
    /// What ends the server.
    pub end: EndServer,
}

/// How much, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a line or a datagram may be, in bytes: what is longer is cut. A message of a `WebSocket`
    /// that is longer ends it.
    pub line_bytes_max: usize,
    /// How long nothing may come, or be taken of what is sent.
    pub idle_max: Duration,
    /// With how many a person speaks at once.
    pub callers_max: usize,
}

/// The word that ends nothing.
static NO_WORD: Word = Word::NONE;

/// How much a datagram over IPv4 carries.
pub(crate) const CARRIED_BYTES_MAX: usize = 65_507;

/// What is called when a message ends the server.
#[derive(Clone)]
pub struct EndServer(pub Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for EndServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndServer")
    }
}

impl Then {
    /// The end that it is, if it is one.
    pub(crate) fn ends(self) -> ControlFlow<End> {
        match self {
            Self::GoOn => ControlFlow::Continue(()),
            Self::AllSaid => ControlFlow::Break(all_said()),
            Self::EndDialogue | Self::EndServer => ControlFlow::Break(last_word()),
        }
    }
}

/// Where a message came from, and to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'a> {
    pub(crate) from: Peer,
    pub(crate) on: &'a Arc<Endpoint>,
    /// How long was calculated for who says it.
    pub(crate) worked: &'a Worked,
}

impl Dialogues {
    /// Shows a message if it is one to be shown. Gives what is to be answered, and what comes then.
    pub(crate) fn hear(&self, message: &Message<'_>, way: Way<'_>) -> (Reply, Then) {
        let verdict = self.role.hear(message, self.word_at(way.on));
        if verdict.showing == Showing::Shown {
            self.showcase.show(self.shown(message, way));
        }
        if verdict.then == Then::EndServer {
            (self.end.0)();
        }
        (verdict.reply, verdict.then)
    }

    /// Shows a message as it came, once there is room for it.
    ///
    /// Cancel safe: what is not waited for is not shown.
    pub(crate) async fn receive(&self, message: &Message<'_>, way: Way<'_>) {
        self.showcase.show_in_turn(self.shown(message, way)).await;
    }

    fn shown(&self, message: &Message<'_>, way: Way<'_>) -> Shown {
        let is_cut = message.extent == Extent::Cut;
        Shown {
            at: (self.clock)(),
            on: Arc::clone(way.on),
            from: way.from,
            bytes: message.bytes.to_owned(),
            end: if is_cut { LineEnd::None } else { message.end },
            is_cut,
        }
    }

    /// What ends something there. By datagrams there is no dialogue that could end, but a person's.
    fn word_at(&self, on: &Endpoint) -> &Word {
        let is_none = matches!(self.role, Role::Echo | Role::Upper | Role::Calc(_));
        if is_none && on.scheme == Scheme::Udp { &NO_WORD } else { &self.word }
    }

    /// The bytes of an answer that takes a moment. Nothing if it is none of ours.
    ///
    /// Cancel safe.
    pub(crate) async fn answer(
        &self,
        reply: Reply,
        message: &Message<'_>,
        way: Way<'_>,
    ) -> Vec<u8> {
        match (reply, &self.role) {
            (Reply::Bytes(bytes), _) => bytes,
            // What carries it may take it at once only. Streams do not ask here.
            (Reply::File(bytes), _) if bytes.len() > CARRIED_BYTES_MAX => too_long(message),
            (Reply::File(bytes), _) => bytes.to_vec(),
            (Reply::Value(expression), Role::Calc(calculator)) => {
                let value =
                    calculator.value_after(way.worked, way.from.client(), &expression).await;
                ended(&value, message.end)
            }
            (Reply::Notify, Role::Notify(_)) if message.extent == Extent::Cut => {
                let told = format!("error: the line has more than {} bytes", message.bytes.len());
                ended(&told, message.end)
            }
            (Reply::Notify, _) if message.bytes.len() > CARRIED_BYTES_MAX => {
                let told = format!("error: a datagram holds at most {CARRIED_BYTES_MAX} bytes");
                ended(&told, message.end)
            }
            (Reply::Notify, Role::Notify(subscribers)) => {
                let sent = subscribers.notify(message.bytes).await;
                ended(&format!("sent to {sent}"), message.end)
            }
            _ => Vec::new(),
        }
    }

    /// The same, for who may hang up before it is there: then there is nothing left to do for it.
    ///
    /// # Errors
    ///
    /// `ConnectionReset`, if nobody is there any more who could take the value of an expression. What is
    /// passed on to others goes there all the same.
    ///
    /// Cancel safe.
    pub(crate) async fn answer_unless_gone(
        &self,
        reply: Reply,
        message: &Message<'_>,
        way: Way<'_>,
        stream: &Stream,
    ) -> io::Result<Vec<u8>> {
        let is_value = matches!(reply, Reply::Value(_));
        tokio::select! {
            biased;
            () = stream.broken(), if is_value => Err(io::ErrorKind::ConnectionReset.into()),
            answer = self.answer(reply, message, way) => Ok(answer),
        }
    }
}

/// An answer of one line.
pub(crate) fn line(text: &str) -> Vec<u8> {
    ended(text, LineEnd::Lf)
}

/// What is answered where a message was too long for what carries the answer.
pub(crate) fn too_long(message: &Message<'_>) -> Vec<u8> {
    answer("error: the answer is too long", message)
}

#[cfg(test)]
impl Dialogues {
    /// A role on its own, for tests: it lets two callers in, its clock stands, and nobody is watching.
    pub(crate) fn alone(role: Role, line_bytes_max: usize) -> Self {
        let idle_max = Duration::from_mins(1);
        Self {
            word: role.usual_word(),
            role,
            limits: Limits { line_bytes_max, idle_max, callers_max: 2 },
            origins: vec!["http://friend.example".to_owned()],
            showcase: Showcase::new(1 << 20),
            tap: Tap::new(1),
            clock: || SystemTime::UNIX_EPOCH,
            end: EndServer(Arc::new(|| ())),
        }
    }
}
