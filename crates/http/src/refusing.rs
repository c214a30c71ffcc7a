//! Handlers that refuse some requests, and have another one answer the rest.

use std::future::ready;

use relais_net::Fault;

use crate::{Accepts, Answer, Answering, Ask, Handler, Refused};

/// Refuses some requests, and has the handler that it holds answer the rest: a [`Handler`] by that.
pub(crate) trait Refusing {
    /// Who answers the rest.
    fn inner(&self) -> &impl Handler;

    /// The answer to `ask`, if it is refused. Must not block. Asked once, or twice, for a request.
    fn refuse(&self, ask: &Ask) -> Option<Answer>;
}

impl<R: Refusing + std::fmt::Debug + Send + Sync + 'static> Handler for R {
    fn accepts(&self) -> Accepts {
        self.inner().accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        self.refuse(ask).or_else(|| self.inner().at_once(ask))
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        match self.refuse(&ask) {
            Some(answer) => Ok(answer),
            None => self.inner().answer(ask).await,
        }
    }

    fn answering(&self, ask: Ask) -> Answering<'_> {
        match self.refuse(&ask) {
            Some(answer) => Box::pin(ready(Ok(answer))),
            None => self.inner().answering(ask),
        }
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.inner().refused(refused);
    }
}
