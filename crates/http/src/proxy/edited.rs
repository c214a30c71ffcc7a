//! Changes to the fields of answers on their way to clients, past whatever looked at them before.

use relais_net::Fault;

use super::edits::Edits;
use crate::{Accepts, Answer, Ask, Handler, Refused, handler::unfold};

/// Makes changes to what `H` answers in the name of others: what it says by itself, since nobody could
/// be asked, is left alone.
#[derive(Debug)]
pub struct Edited<H> {
    inner: H,
    edits: Edits,
}

impl<H> Edited<H> {
    /// Makes `edits` to what `inner` answers.
    pub fn new(inner: H, edits: Edits) -> Self {
        Self { inner, edits }
    }

    /// *Cost*: a map of the fields, where there is none yet.
    fn edit(&self, mut answer: Answer) -> Answer {
        if answer.body().provenance().is_some_and(|provenance| provenance.fault.is_some()) {
            return answer;
        }
        unfold(&mut answer);
        self.edits.apply(answer.headers_mut());
        answer
    }
}

impl<H: Handler> Handler for Edited<H> {
    fn accepts(&self) -> Accepts {
        self.inner.accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        self.inner.at_once(ask).map(|answer| self.edit(answer))
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        self.inner.answer(ask).await.map(|answer| self.edit(answer))
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.inner.refused(refused);
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, header::CACHE_CONTROL};
    use relais_net::Peer;

    use super::*;
    use crate::says::{Says, ask};

    #[test]
    fn answers_are_edited_at_once_and_later() {
        let value = HeaderValue::from_static("no-cache");
        let remove = vec![HeaderName::from_static("content-type")];
        let edits = Edits::new(remove, vec![(CACHE_CONTROL, value.clone())], Vec::new()).unwrap();
        let edited = Edited::new(Says::AtOnce("a"), edits);
        let asked = || ask(Peer::Local, "/", &[("host", "h")]);
        let answer = edited.at_once(&asked()).unwrap();
        assert_eq!(answer.headers().get(CACHE_CONTROL), Some(&value));
        assert!(!answer.headers().contains_key("content-type"));
    }
}
