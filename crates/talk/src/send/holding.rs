//! A dialogue: what is to be said is said, what comes is heard, until one of both ends.

use std::{cell::RefCell, io, ops::ControlFlow, pin::pin};

use bytes::Bytes;
use tokio::{
    select,
    sync::mpsc,
    time::{Duration, Instant, timeout, timeout_at},
};

use super::{
    call::{Call, Heard, LAST_WORDS_MAX, Mouth, Unit},
    deadline::Deadline,
    goodbye::Goodbye,
    progress::Progress,
};

/// How a dialogue is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Whether an answer is waited for before the next is said.
    pub turns: Turns,
    /// How long an answer is waited for, and the rest of it once all is said; of who ended before, the
    /// input, if there is more of it.
    pub wait: Duration,
    /// What is done on a stream once the other side says that nothing more comes from it.
    pub once_ended: OnceEnded,
    /// What is done by messages once all is said and answered.
    pub once_answered: OnceAnswered,
}

/// What is done by datagrams, and on a WebSocket, once all is said, and as much was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnceAnswered {
    /// It is over.
    HangsUp,
    /// More may come of it: who subscribes is told later.
    ListensOn,
}

/// What is done on a stream once the other side says that nothing more comes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnceEnded {
    /// It may listen on: the rest of the input is said.
    SaysOn,
    /// It is over: somebody types, and sees nothing come of it.
    HangsUp,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The other side ended it; with its word for it, of a WebSocket.
    ByPeer(Option<Goodbye>),
    /// The same, before it took all that was to be said.
    Unsaid(Option<Goodbye>),
    /// The connection ended without the word for it that TLS has: what came may be a part.
    CutOff,
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
        if self.unit() == Unit::Messages && !matches!(ended, Ended::ByPeer(_) | Ended::Unsaid(_)) {
            // All that was to be heard is: this is but good manners.
            let until = Instant::now() + LAST_WORDS_MAX;
            _ = timeout_at(until, self.mouth.end()).await;
            while self.ear.last_word(until).await.is_some() {}
        }
        Ok(ended)
    }

    async fn converse(
        &mut self,
        input: &mut mpsc::Receiver<Bytes>,
        manner: Manner,
        audience: &mut Audience<'_>,
    ) -> io::Result<Ended> {
        let audience = RefCell::new(audience);
        let tell = |told: Told<'_>| (*audience.borrow_mut())(told);
        let progress = Progress::default();
        let ended = match self.talk(input, manner, (&progress, &tell)).await? {
            Some(ended) => ended,
            None => self.hear_rest(manner, &progress, &tell).await?,
        };
        let is_by_peer = matches!(ended, Ended::ByPeer(_) | Ended::CutOff);
        if is_by_peer && (self.has_left(&progress) || self.has_more(input, manner).await) {
            return Ok(Ended::Unsaid(self.ear.goodbye().cloned()));
        }
        Ok(ended)
    }

    /// Whether the other side, which ended, left some of what was said.
    fn has_left(&self, progress: &Progress) -> bool {
        // Who closes a WebSocket takes nothing of what is on its way there, and may say why it does so.
        let is_refusal = self.ear.goodbye().is_some_and(Goodbye::is_refusal);
        let is_read = self.ear.mark().is_none_or(|mark| mark + 1 >= progress.said());
        progress.is_saying() || is_refusal && !progress.is_answered() || !is_read
    }

    /// Whether there is more to say now that the other side ended, or there is in time.
    async fn has_more(&mut self, input: &mut mpsc::Receiver<Bytes>, manner: Manner) -> bool {
        match manner.once_ended {
            OnceEnded::HangsUp => !input.is_empty(),
            // On a stream all of it was said, or tried to.
            OnceEnded::SaysOn => {
                _ = timeout(LAST_WORDS_MAX, self.mouth.end()).await;
                // Who gives it may be waiting for us to end.
                timeout(manner.wait, input.recv()).await.is_ok_and(|more| more.is_some())
            }
        }
    }

    /// Says all that is to be said, and hears what comes meanwhile. `None` if more may come.
    async fn talk(
        &mut self,
        input: &mut mpsc::Receiver<Bytes>,
        manner: Manner,
        (progress, tell): (&Progress, &impl Fn(Told<'_>) -> ControlFlow<()>),
    ) -> io::Result<Option<Ended>> {
        let says_on = self.unit() == Unit::Bytes && manner.once_ended == OnceEnded::SaysOn;
        let Self { mouth, ear, .. } = self;
        let mut saying = pin!(say_all(mouth, input, manner, progress, tell));
        let mut ended = None;
        loop {
            select! {
                said = &mut saying => match said {
                    Ok(ControlFlow::Break(())) => return Ok(Some(Ended::ByAudience)),
                    Ok(ControlFlow::Continue(())) => return Ok(ended),
                    Err(_) if ended.is_some() => return Ok(ended),
                    Err(error) => {
                        // It may have said why, before it went.
                        let mut until = Deadline::within(LAST_WORDS_MAX);
                        while let Some(heard) = ear.last_word(until.at()).await {
                            if until.hear(|| tell(Told::Heard(&heard))).is_break() {
                                return Ok(Some(Ended::ByAudience));
                            }
                        }
                        return Err(error);
                    }
                },
                heard = ear.hear(), if ended.is_none() => match heard? {
                    Heard::Bytes(heard) if tell(Told::Heard(&heard)).is_break() => {
                        return Ok(Some(Ended::ByAudience));
                    }
                    Heard::Bytes(_) => progress.hear(),
                    Heard::End => ended = Some(Ended::ByPeer(ear.goodbye().cloned())),
                    Heard::CutOff => ended = Some(Ended::CutOff),
                },
            }
            if ended.is_some() && !says_on {
                return Ok(ended);
            }
        }
    }

    /// Hears what is still to come when all is said.
    async fn hear_rest(
        &mut self,
        manner: Manner,
        progress: &Progress,
        tell: &impl Fn(Told<'_>) -> ControlFlow<()>,
    ) -> io::Result<Ended> {
        let mut over_at = None;
        loop {
            // Each message may have its answer: then no more is expected.
            let is_answered = progress.is_answered();
            let is_over = is_answered && manner.once_answered == OnceAnswered::HangsUp;
            let mut next = Deadline::within(manner.wait);
            let until = match self.unit() {
                Unit::Datagrams if is_over => return Ok(Ended::AllSaid),
                // Counted from the last answer: what is said besides may have no end.
                Unit::Messages if is_over => {
                    over_at.get_or_insert_with(|| Deadline::within(LAST_WORDS_MAX.min(manner.wait)))
                }
                _ => &mut next,
            };
            let Some(heard) = self.ear.hear_until(until.at()).await? else {
                let is_answered = self.unit() == Unit::Messages && is_answered;
                return Ok(if is_answered { Ended::AllAnswered } else { Ended::AllSaid });
            };
            match heard {
                Heard::End => return Ok(Ended::ByPeer(self.ear.goodbye().cloned())),
                Heard::CutOff => return Ok(Ended::CutOff),
                Heard::Bytes(heard) if until.hear(|| tell(Told::Heard(&heard))).is_break() => {
                    return Ok(Ended::ByAudience);
                }
                Heard::Bytes(_) => progress.hear(),
            }
        }
    }
}

/// Says all of the input, and on a stream that nothing more comes: a WebSocket has no half-close, and
/// who closes it gets no more answers.
async fn say_all(
    mouth: &mut Mouth,
    input: &mut mpsc::Receiver<Bytes>,
    manner: Manner,
    progress: &Progress,
    tell: &impl Fn(Told<'_>) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    while let Some(message) = input.recv().await {
        if tell(Told::Saying(&message)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        progress.begin();
        // What is behind the last mark that is told may be the word for which the other side ended.
        if progress.said() > 0 {
            mouth.mark(progress.said()).await?;
        }
        // Who takes nothing for a while may have a reason: it is the person's to wait or not.
        mouth.say(&message, Duration::MAX).await?;
        progress.say();
        // What came before is no answer: it was late, or doubled on the way.
        if manner.turns == Turns::EachAnswered
            && timeout(manner.wait, progress.answered()).await.is_err()
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
mod tests;
