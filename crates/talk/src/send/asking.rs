//! One message, and its answer.

use std::{io, ops::ControlFlow, pin::pin};

use tokio::{
    select,
    time::{Duration, Instant, sleep_until, timeout_at},
};

use super::{
    call::{Call, Heard, LAST_WORDS_MAX, Unit},
    deadline::Deadline,
    goodbye::Goodbye,
};

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until it begins.
    pub first: Duration,
    /// Of a stream, until more of it comes: after such a silence it is taken for whole.
    pub next: Duration,
    /// Until some of what is said is taken, and then some more of it.
    pub stall: Duration,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Something came.
    Answered,
    /// Nothing came in time.
    Unanswered,
    /// The other side ended, and took what was said; what came before that was heard. With its word for
    /// it, of a WebSocket.
    Ended(Option<Goodbye>),
    /// The other side closed the WebSocket with a word that says that something is the matter.
    Refused(Goodbye),
    /// The other side ended the WebSocket before it took what was said.
    Unsaid(Option<Goodbye>),
    /// The connection ended without the word for it that TLS has: what came may be a part.
    CutOff,
}

/// Whether more came behind an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// Nothing that could be missing.
    Whole,
    /// More came, and the connection ended without the word for it that TLS has.
    CutOff,
}

impl Asked {
    /// How the other side ended, with this word for it.
    fn ended(goodbye: Option<&Goodbye>) -> Self {
        match goodbye.cloned() {
            Some(goodbye) if goodbye.is_refusal() => Self::Refused(goodbye),
            goodbye => Self::Ended(goodbye),
        }
    }
}

impl Call {
    /// Says `message`, and hears the answer: of datagrams and a WebSocket one message, of a stream
    /// what comes until `hear` has enough, or nothing comes for a while.
    ///
    /// What is heard goes to `hear`, which breaks if it is enough. It goes on hearing while it says,
    /// so that two sides that answer as they read do not wait for each other.
    ///
    /// Cancel safe: no.
    ///
    /// # Errors
    ///
    /// What the system says, or of a WebSocket what is wrong with it.
    pub async fn ask(
        &mut self,
        message: &[u8],
        patience: Patience,
        hear: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> io::Result<Asked> {
        let is_of_bytes = self.unit() == Unit::Bytes;
        let Self { mouth, ear, .. } = self;
        let mut saying = pin!(mouth.say(message, patience.stall));
        let (mut is_said, mut came, mut has_enough) = (false, false, false);
        // Who says that nothing more comes from it may listen on.
        let mut ended: Option<Asked> = None;
        let mut until = Instant::now() + patience.first;
        loop {
            match &ended {
                Some(ended) if is_said => return Ok(ended.clone()),
                _ if is_said && has_enough => return Ok(Asked::Answered),
                _ => {}
            }
            select! {
                // What goes at once is said before anything is heard, so that the same ends alike.
                biased;
                said = &mut saying, if !is_said => {
                    if let Err(error) = said {
                        // It may say why, before it goes.
                        let mut until = Deadline::within(LAST_WORDS_MAX);
                        while let Some(heard) = ear.last_word(until.at()).await {
                            _ = until.hear(|| hear(&heard));
                        }
                        return Err(error);
                    }
                    is_said = true;
                    if !came {
                        until = Instant::now() + patience.first;
                    }
                }
                // Before what may never end, as pings: that leaves the runtime no turn for this.
                () = sleep_until(until), if is_said => {
                    return Ok(if came { Asked::Answered } else { Asked::Unanswered });
                }
                heard = ear.hear(), if ended.is_none() => match heard? {
                    Heard::Bytes(heard) => {
                        came = true;
                        has_enough = hear(&heard).is_break() || !is_of_bytes;
                        until = Instant::now() + patience.next;
                    }
                    Heard::End if is_of_bytes => ended = Some(Asked::Ended(None)),
                    Heard::End => {
                        return Ok(match Asked::ended(ear.goodbye()) {
                            Asked::Ended(goodbye) if !is_said => Asked::Unsaid(goodbye),
                            ended => ended,
                        });
                    }
                    Heard::CutOff => ended = Some(Asked::CutOff),
                },
            }
        }
    }

    /// Hears what comes in so much `time` in which nothing is said; of a WebSocket pings are answered, too.
    /// Gives how the other side ended if it does, and then at once.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`ask`](Self::ask)'s.
    pub async fn rest(
        &mut self,
        time: Duration,
        hear: &mut dyn FnMut(&[u8]),
    ) -> io::Result<Option<Asked>> {
        let until = Instant::now() + time;
        while let Some(heard) = self.ear.hear_until(until).await? {
            match heard {
                Heard::Bytes(heard) => hear(&heard),
                Heard::End => return Ok(Some(Asked::ended(self.ear.goodbye()))),
                Heard::CutOff => return Ok(Some(Asked::CutOff)),
            }
        }
        Ok(None)
    }

    /// Says that nothing more comes, and hears what is still to come, for at most `linger`. Datagrams
    /// have no end, and are not waited for.
    ///
    /// What goes wrong now is nothing to anybody, as all that was to be said is said, unless more
    /// came, and not to its end.
    pub async fn finish(mut self, linger: Duration, hear: &mut dyn FnMut(&[u8])) -> Finished {
        let mut until = Deadline::within(linger);
        if self.unit() == Unit::Datagrams
            || !matches!(timeout_at(until.at(), self.mouth.end()).await, Ok(Ok(())))
        {
            return Finished::Whole;
        }
        let mut came = false;
        loop {
            match self.ear.hear_until(until.at()).await {
                Ok(Some(Heard::Bytes(heard))) => {
                    came = true;
                    until.hear(|| hear(&heard));
                }
                Ok(Some(Heard::CutOff)) if came => return Finished::CutOff,
                _ => return Finished::Whole,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::{SinkExt as _, StreamExt as _};
    use relais_net::Stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio_tungstenite::{
        WebSocketStream,
        tungstenite::{
            Message,
            protocol::{CloseFrame, Role, frame::coding::CloseCode},
        },
    };

    use super::*;

    const PATIENCE: Patience = Patience {
        first: Duration::from_secs(3),
        next: Duration::from_millis(200),
        stall: Duration::from_secs(5),
    };

    fn call() -> (Call, DuplexStream) {
        let (ours, theirs) = duplex(16);
        (Call::of_stream(Stream::Memory(ours)), theirs)
    }

    /// What is heard, and what comes of it, if `answers` come a tenth of a second apart.
    async fn ask(answers: &[&'static str]) -> (String, Asked) {
        let (mut call, mut theirs) = call();
        let server = async {
            theirs.read_exact(&mut [0; 3]).await.unwrap();
            for answer in answers {
                tokio::time::sleep(Duration::from_millis(100)).await;
                theirs.write_all(answer.as_bytes()).await.unwrap();
            }
            theirs
        };
        let mut heard = String::new();
        let mut hear = |bytes: &[u8]| {
            heard.push_str(str::from_utf8(bytes).unwrap());
            if bytes.ends_with(b"\n") { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let (_open, asked) = tokio::join!(server, call.ask(b"hi\n", PATIENCE, &mut hear));
        (heard, asked.unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_whole_when_it_is_enough_or_silence_follows() {
        let begin = Instant::now();
        assert_eq!(ask(&["a", "b\n"]).await, ("ab\n".to_owned(), Asked::Answered));
        assert_eq!(begin.elapsed().as_millis(), 200);
        assert_eq!(ask(&["a", "b"]).await, ("ab".to_owned(), Asked::Answered));
        assert_eq!(begin.elapsed().as_millis(), 200 + 400);
        assert_eq!(ask(&[]).await, (String::new(), Asked::Unanswered));
        assert_eq!(begin.elapsed().as_millis(), 600 + 3000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_message_is_said_while_its_echo_is_heard() {
        let (mut call, theirs) = call();
        let (mut read, mut write) = tokio::io::split(theirs);
        tokio::spawn(async move { tokio::io::copy(&mut read, &mut write).await });
        let message = vec![b'x'; 10_000];
        let mut count = 0;
        let mut hear = |bytes: &[u8]| {
            count += bytes.len();
            if count == 10_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let asked = call.ask(&message, PATIENCE, &mut hear).await.unwrap();
        assert_eq!((asked, count), (Asked::Answered, 10_000));
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_that_nothing_more_comes_is_told_all_the_same() {
        let (mut call, theirs) = call();
        let server = async {
            let (mut read, mut write) = tokio::io::split(theirs);
            write.shutdown().await.unwrap();
            let mut said = vec![0; 100];
            read.read_exact(&mut said).await.unwrap();
            said
        };
        let mut hear = |_: &[u8]| ControlFlow::Continue(());
        let message = vec![b'x'; 100];
        let (said, asked) = tokio::join!(server, call.ask(&message, PATIENCE, &mut hear));
        assert_eq!((said, asked.unwrap()), (message, Asked::Ended(None)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_closes_a_web_socket_meanwhile_was_not_told_all() {
        let away = || CloseFrame { code: CloseCode::Away, reason: "later".into() };
        let goodbye = Some(Goodbye::of(Some(away())));
        for (length, expect) in
            [(1, Asked::Ended(goodbye.clone())), (100_000, Asked::Unsaid(goodbye))]
        {
            let (ours, theirs) = duplex(1 << 10);
            let server = async {
                let mut socket = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
                socket.close(Some(away())).await.unwrap();
                socket
            };
            let ours = WebSocketStream::from_raw_socket(Stream::Memory(ours), Role::Client, None);
            let mut call = Call::of_web_socket(ours.await);
            let mut hear = |_: &[u8]| ControlFlow::Continue(());
            let message = vec![b'x'; length];
            let asking = call.ask(&message, PATIENCE, &mut hear);
            let (asked, _open) = tokio::join!(asking, server);
            assert_eq!(asked.unwrap(), expect);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_not_waited_for() {
        let (mut call, mut theirs) = call();
        let begin = Instant::now();
        let server = async {
            // Something, after a while; and then no more.
            tokio::time::sleep(Duration::from_secs(4)).await;
            theirs.read_exact(&mut [0; 8]).await.unwrap();
            theirs.write_all(b"why").await.unwrap();
            theirs
        };
        let mut heard = Vec::new();
        let mut hear = |bytes: &[u8]| {
            heard.extend_from_slice(bytes);
            ControlFlow::Continue(())
        };
        let (_open, asked) = tokio::join!(server, call.ask(&[b'x'; 100], PATIENCE, &mut hear));
        assert_eq!(asked.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!((begin.elapsed().as_secs(), heard.as_slice()), (4 + 5, b"why".as_slice()));
    }

    #[tokio::test(start_paused = true)]
    async fn last_words_are_heard_of_who_takes_no_more() {
        let (mut call, mut theirs) = call();
        theirs.write_all(b"too long").await.unwrap();
        drop(theirs);
        let mut heard = Vec::new();
        let mut hear = |bytes: &[u8]| {
            heard.extend_from_slice(bytes);
            ControlFlow::Continue(())
        };
        // Nobody reads: the first write fails.
        assert!(call.ask(&[b'x'; 100], PATIENCE, &mut hear).await.is_err());
        assert_eq!(heard, b"too long");
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_after_the_half_close_is_heard() {
        let (call, mut theirs) = call();
        let server = async {
            assert_eq!(theirs.read(&mut [0; 8]).await.unwrap(), 0);
            theirs.write_all(b"bye").await.unwrap();
            drop(theirs);
        };
        let mut heard = Vec::new();
        let mut hear = |bytes: &[u8]| heard.extend_from_slice(bytes);
        let ((), finished) = tokio::join!(server, call.finish(Duration::from_secs(1), &mut hear));
        assert_eq!((heard.as_slice(), finished), (b"bye".as_slice(), Finished::Whole));
    }

    #[tokio::test(start_paused = true)]
    async fn who_rests_hears_and_answers_pings() {
        let (ours, theirs) = duplex(1 << 10);
        let server = async {
            let mut socket = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
            let ping = Bytes::from_static(b"there?");
            socket.send(Message::text("news")).await.unwrap();
            socket.send(Message::Ping(ping.clone())).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong(ping));
            socket
        };
        let ours = WebSocketStream::from_raw_socket(Stream::Memory(ours), Role::Client, None);
        let mut call = Call::of_web_socket(ours.await);
        let mut heard = Vec::new();
        let mut hear = |bytes: &[u8]| heard.extend_from_slice(bytes);
        let begin = Instant::now();
        let (rested, mut socket) =
            tokio::join!(call.rest(Duration::from_mins(1), &mut hear), server);
        assert_eq!(rested.unwrap(), None);
        assert_eq!((heard.as_slice(), begin.elapsed().as_secs()), (b"news".as_slice(), 60));
        // Nobody is waited for who has ended.
        socket.close(None).await.unwrap();
        let rested = call.rest(Duration::from_mins(1), &mut |_| {}).await;
        assert_eq!(rested.unwrap(), Some(Asked::Ended(Some(Goodbye::of(None)))));
        assert_eq!(begin.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_end_is_not_waited_for() {
        let (call, theirs) = call();
        let begin = Instant::now();
        call.finish(Duration::from_secs(1), &mut |_| {}).await;
        assert_eq!(begin.elapsed().as_secs(), 1);
        drop(theirs);
    }
}
