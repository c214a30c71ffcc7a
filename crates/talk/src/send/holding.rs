//! A dialogue: what is to be said is said, what comes is heard, until one of both ends.

use std::{
    cell::{Cell, RefCell},
    io,
    ops::ControlFlow,
    pin::pin,
};

use bytes::Bytes;
use tokio::{
    select,
    sync::{Notify, mpsc},
    time::{Duration, timeout},
};

use super::call::{Call, Mouth, Unit};

/// How a dialogue is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Whether an answer is waited for before the next is said.
    pub turns: Turns,
    /// How long an answer is waited for, and the rest of it once all is said.
    pub wait: Duration,
}

/// Whether an answer is waited for before the next is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turns {
    /// Both sides talk as they like.
    Free,
    /// Each message is answered, or waited for in vain, before the next: what is sent faster than it
    /// is answered may be lost where nobody says so.
    EachAnswered,
}

/// What an audience is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// This is about to be said.
    Saying(&'a [u8]),
    /// This was heard.
    Heard(&'a [u8]),
    /// The last that was said was not answered in time.
    Unanswered,
}

/// How a dialogue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The other side ended it.
    ByPeer,
    /// All was said, and nothing more came in time, or nothing more was to come.
    AllSaid,
    /// All was said, and as much was answered.
    AllAnswered,
    /// The audience had enough.
    ByAudience,
}

/// Who is told.
pub(super) type Audience<'a> = dyn FnMut(Told<'_>) -> ControlFlow<()> + 'a;

impl Call {
    /// Says what `input` gives, and hears what comes. After the last of the input the other side is
    /// told that nothing more comes, and heard to its end, or until it is silent for too long.
    ///
    /// All of it goes through `audience`, which breaks if it has enough.
    ///
    /// Cancel safe: no.
    ///
    /// # Errors
    ///
    /// What the system says, or of a WebSocket what is wrong with it.
    pub async fn hold(
        mut self,
        input: &mut mpsc::Receiver<Bytes>,
        manner: Manner,
        audience: &mut Audience<'_>,
    ) -> io::Result<Ended> {
        let ended = self.converse(input, manner, audience).await?;
        if self.unit() == Unit::Messages && ended != Ended::ByPeer {
            // All that was to be heard is: this is but good manners.
            _ = timeout(LAST_WORDS_MAX, self.mouth.end()).await;
            while let Ok(Ok(Some(_))) = timeout(LAST_WORDS_MAX, self.ear.hear()).await {}
        }
        Ok(ended)
    }

    async fn converse(
        &mut self,
        input: &mut mpsc::Receiver<Bytes>,
        manner: Manner,
        audience: &mut Audience<'_>,
    ) -> io::Result<Ended> {
        let (audience, answered) = (RefCell::new(audience), Notify::new());
        let tell = |told: Told<'_>| (*audience.borrow_mut())(told);
        let unit = self.unit();
        let Self { mouth, ear, .. } = self;
        let (said, mut heard_count) = (Cell::new(0_u64), 0);
        let mut saying = pin!(say_all(mouth, input, manner, (&answered, &said), &tell));
        loop {
            select! {
                end = &mut saying => match end {
                    Ok(ControlFlow::Break(())) => return Ok(Ended::ByAudience),
                    Ok(ControlFlow::Continue(())) => break,
                    Err(error) => {
                        // It may have said why, before it went.
                        while let Ok(Ok(Some(heard))) = timeout(LAST_WORDS_MAX, ear.hear()).await {
                            if tell(Told::Heard(&heard)).is_break() {
                                return Ok(Ended::ByAudience);
                            }
                        }
                        return Err(error);
                    }
                },
                heard = ear.hear() => match heard? {
                    None => return Ok(Ended::ByPeer),
                    Some(heard) if tell(Told::Heard(&heard)).is_break() => {
                        return Ok(Ended::ByAudience);
                    }
                    Some(_) => {
                        heard_count += 1;
                        answered.notify_one();
                    }
                },
            }
        }
        if manner.turns == Turns::EachAnswered {
            return Ok(Ended::AllSaid);
        }
        loop {
            // Each message of a WebSocket may have its answer: then no more is expected.
            let is_answered = unit == Unit::Messages && heard_count >= said.get();
            let wait = if is_answered { LAST_WORDS_MAX.min(manner.wait) } else { manner.wait };
            let Ok(heard) = timeout(wait, ear.hear()).await else {
                return Ok(if is_answered { Ended::AllAnswered } else { Ended::AllSaid });
            };
            match heard? {
                None => return Ok(Ended::ByPeer),
                Some(heard) if tell(Told::Heard(&heard)).is_break() => {
                    return Ok(Ended::ByAudience);
                }
                Some(_) => heard_count += 1,
            }
        }
    }
}

/// How long somebody who takes nothing more is listened to.
const LAST_WORDS_MAX: Duration = Duration::from_millis(200);

/// Says all of the input, and on a stream that nothing more comes: a WebSocket has no half-close, and
/// who closes it gets no more answers.
async fn say_all(
    mouth: &mut Mouth,
    input: &mut mpsc::Receiver<Bytes>,
    manner: Manner,
    (answered, said): (&Notify, &Cell<u64>),
    tell: &impl Fn(Told<'_>) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    while let Some(message) = input.recv().await {
        if tell(Told::Saying(&message)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        mouth.say(&message).await?;
        said.set(said.get() + 1);
        if manner.turns == Turns::EachAnswered
            && timeout(manner.wait, answered.notified()).await.is_err()
            && tell(Told::Unanswered).is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
    }
    if let Mouth::Stream(_) = mouth {
        mouth.end().await?;
    }
    Ok(ControlFlow::Continue(()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use relais_net::Stream;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        net::UdpSocket,
        time::Instant,
    };

    use super::*;

    const FREE: Manner = Manner { turns: Turns::Free, wait: Duration::from_secs(2) };
    const TURNS: Manner = Manner { turns: Turns::EachAnswered, wait: Duration::from_secs(1) };

    fn input(messages: &[&'static str]) -> mpsc::Receiver<Bytes> {
        let (sender, receiver) = mpsc::channel(16);
        for message in messages {
            sender.try_send(Bytes::from_static(message.as_bytes())).unwrap();
        }
        receiver
    }

    #[tokio::test(start_paused = true)]
    async fn all_is_said_then_the_half_close_and_the_rest_is_heard() {
        let (ours, mut theirs) = duplex(64);
        let server = async {
            let mut said = String::new();
            theirs.read_to_string(&mut said).await.unwrap();
            theirs.write_all(said.to_uppercase().as_bytes()).await.unwrap();
            drop(theirs);
        };
        let mut heard = String::new();
        let mut audience = |told: Told<'_>| {
            if let Told::Heard(bytes) = told {
                heard.push_str(str::from_utf8(bytes).unwrap());
            }
            ControlFlow::Continue(())
        };
        let mut lines = input(&["a\n", "b\n"]);
        let call = Call::of_stream(Stream::Memory(ours));
        let (ended, ()) = tokio::join!(call.hold(&mut lines, FREE, &mut audience), server);
        assert_eq!((ended.unwrap(), heard.as_str()), (Ended::ByPeer, "A\nB\n"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_after_the_end_is_waited_for_so_long() {
        let (ours, theirs) = duplex(64);
        let begin = Instant::now();
        let call = Call::of_stream(Stream::Memory(ours));
        let mut audience = |_: Told<'_>| ControlFlow::Continue(());
        let ended = call.hold(&mut input(&["a\n"]), FREE, &mut audience).await.unwrap();
        assert_eq!((ended, begin.elapsed()), (Ended::AllSaid, FREE.wait));
        drop(theirs);
    }

    #[tokio::test]
    async fn each_datagram_is_answered_before_the_next() {
        let server = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        client.connect(server.local_addr().unwrap()).await.unwrap();
        let serving = Arc::clone(&server);
        tokio::spawn(async move {
            let mut buffer = [0; 64];
            loop {
                let (length, from) = serving.recv_from(&mut buffer).await.unwrap();
                serving.send_to(&buffer[..length], from).await.unwrap();
            }
        });
        let call = Call::of_datagrams(Arc::new(client));
        let mut order = Vec::new();
        let mut audience = |told: Told<'_>| {
            order.push(match told {
                Told::Saying(bytes) => format!(">{}", str::from_utf8(bytes).unwrap()),
                Told::Heard(bytes) => format!("<{}", str::from_utf8(bytes).unwrap()),
                Told::Unanswered => "?".to_owned(),
            });
            ControlFlow::Continue(())
        };
        let ended = call.hold(&mut input(&["1", "2"]), TURNS, &mut audience).await.unwrap();
        assert_eq!((ended, order.join(" ").as_str()), (Ended::AllSaid, ">1 <1 >2 <2"));
    }
}
