//! Asking upstream, and what becomes of its answer.
//!
//! What waits for it is kept short: an allocator has pieces of up to 1 KiB at hand, and takes ten
//! times as long for others. So nothing is a local that is captured, too; and what few need is boxed.

use std::{pin::Pin, sync::Arc, time::SystemTime};

use http::StatusCode;
use relais_cache::{Answered, Completion, Fetch, Taken, Times};
use relais_net::{Fault, Side};

use super::{
    REVALIDATION_MAX, Shared,
    joined::Asking,
    question::Question,
    reply::{is_stored, label, reply, reply_after, unanswered},
    written::{complete, drain, write},
};
use crate::{
    Answer, Ask,
    handler::{status_of, unfold},
    places::Place,
    proxy::Onward,
};

/// What came, where it is no answer yet.
enum Unfinished {
    /// A part that was missing to what is stored.
    Rest(Box<(Answer, Box<Completion>)>),
    /// Nothing that would do: this is to be asked.
    Nothing(Box<Fetch>),
}

type Completing<'s> = Pin<Box<dyn Future<Output = Result<Answer, Box<Fetch>>> + Send + 's>>;

impl<H: Onward> Shared<H> {
    /// Asks `inner` what `question` asks, first by `ask`. It is asked about what is stored only if that
    /// can be sent then.
    pub(super) fn asking(
        self: Arc<Self>,
        fetch: Box<Fetch>,
        question: Question,
        ask: Ask,
    ) -> Asking {
        if fetch.stored().is_none_or(|stored| stored.file().is_none()) {
            return Box::pin(self.ask(fetch, question, ask));
        }
        Box::pin(async move {
            let (fetch, _held) = self.about_what_is_readable(fetch).await;
            self.ask(fetch, question, ask).await
        })
    }

    #[expect(clippy::manual_async_fn, reason = "an `async fn` holds what it is given twice")]
    pub(super) fn ask(
        self: Arc<Self>,
        mut fetch: Box<Fetch>,
        question: Question,
        mut ask: Ask,
    ) -> impl Future<Output = Result<Answer, Fault>> + Send {
        async move {
            let interim = ask.interim.clone();
            loop {
                fetch.prepare(ask.request.headers_mut());
                let requested = (self.clock)();
                let came = self.inner.answering(ask).await;
                let times = Times { requested, received: (self.clock)() };
                match self.take(came, times, (fetch, &question)) {
                    Ok(answer) => return answer,
                    Err(Unfinished::Rest(rest)) => match self.complete(rest, &question).await {
                        Ok(answer) => return Ok(answer),
                        Err(again) => (fetch, ask) = (again, question.ask()),
                    },
                    // Without a precondition it is not asked a third time.
                    Err(Unfinished::Nothing(again)) => {
                        (fetch, ask) = (again, question.ask());
                        ask.interim.clone_from(&interim);
                    }
                }
            }
        }
    }

    /// The answer that is made of what `came`.
    ///
    /// # Errors
    ///
    /// What is to be done for one.
    fn take(
        &self,
        came: Result<Answer, Fault>,
        times: Times,
        (fetch, question): (Box<Fetch>, &Question),
    ) -> Result<Result<Answer, Fault>, Unfinished> {
        let mut answer = match came {
            Ok(answer) if fault(&answer).is_none() => answer,
            failed => {
                return Ok(self.stand_in(&fetch, question, (failed, times.received)));
            }
        };
        unfold(&mut answer);
        let answered = Answered { status: answer.status(), headers: answer.headers(), times };
        let taken = self.cache.take(fetch, &question.sent_by(&self.inner).asked(), answered);
        Ok(Ok(match taken {
            Taken::Fill(writer) => {
                let abandoned = self.cache.settings().joining.abandoned;
                write(answer, writer, (abandoned, self.reads()))
            }
            Taken::Pass(status) => label(answer, status),
            Taken::Answer(hit) => {
                let came = answer.body().provenance().cloned();
                reply_after(hit, came, (&self.sending, question.client()))
            }
            Taken::Complete(completion) => {
                return Err(Unfinished::Rest(Box::new((answer, completion))));
            }
            Taken::AskAgain(again) => return Err(Unfinished::Nothing(again)),
        }))
    }

    /// What `question` is answered, if `rest` is what was missing to it; else what to ask.
    fn complete<'s>(
        &'s self,
        rest: Box<(Answer, Box<Completion>)>,
        question: &'s Question,
    ) -> Completing<'s> {
        Box::pin(async move {
            let (answer, completion) = *rest;
            let provenance = answer.body().provenance().cloned();
            let completion = complete(answer.into_body(), completion).await?;
            let sent = question.sent_by(&self.inner);
            let hit = completion.finish(&sent.asked(), (self.clock)())?;
            Ok(reply_after(hit, provenance, (&self.sending, question.client())))
        })
    }

    /// What is stored, in the place of an answer that did not come; else what came instead.
    fn stand_in(
        &self,
        fetch: &Fetch,
        question: &Question,
        (failed, now): (Result<Answer, Fault>, SystemTime),
    ) -> Result<Answer, Fault> {
        let side = failed.as_ref().map_or_else(|fault| Some(fault.side), fault);
        match &failed {
            // What cannot be asked for is no fault of anybody's but who asks.
            Ok(_) if side == Some(Side::Client) => fetch.pass_by(),
            Ok(answer) => fetch.fail(answer.status()),
            Err(fault) => fetch.fail(status_of(fault.side).unwrap_or(StatusCode::BAD_GATEWAY)),
        }
        // Who asks for what cannot be asked for is told so.
        if side != Some(Side::Client)
            && let Ok(hit) = self.cache.fail(fetch, &question.sent_by(&self.inner).asked(), now)
        {
            if let Err(fault) = &failed {
                let error: &dyn std::error::Error = fault;
                tracing::debug!(error, "what is stored stands in for an answer");
            }
            return Ok(reply(hit, (&self.sending, question.client())));
        }
        failed.map(|answer| unanswered(answer, fetch.why()))
    }

    /// Asks about what is stored and stale, while its client has it already.
    pub(super) async fn revalidate(
        self: Arc<Self>,
        fetch: Box<Fetch>,
        question: Question,
        _place: Place,
    ) {
        let bytes_max = self.cache.settings().object_max;
        let ask = question.ask();
        let asking = Arc::clone(&self).asking(fetch, question, ask);
        let asked = match tokio::time::timeout(REVALIDATION_MAX, asking).await {
            // It is there already: nobody is to read it for nothing.
            Ok(Ok(answer)) if is_stored(&answer) => Ok(()),
            Ok(Ok(answer)) => drain(answer.into_body(), bytes_max, REVALIDATION_MAX).await,
            Ok(Err(fault)) => Err(fault),
            Err(_) => Ok(()),
        };
        if let Err(fault) = asked {
            let error: &dyn std::error::Error = &fault;
            tracing::debug!(error, "a stored answer could not be asked about");
        }
    }
}

/// Whose fault it is that `answer` is no answer to what was asked, if so.
fn fault(answer: &Answer) -> Option<Side> {
    answer.body().provenance()?.fault
}
