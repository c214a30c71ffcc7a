//! Which fields of a request are passed on, by their names.

use http::HeaderName;
use relais_net::{Fault, ToldRarely};

use crate::{
    Accepts, Answer, Answering, Ask, Handler, Refused,
    ambiguous::{is_ambiguous, names_a_proxy},
};

/// What becomes of fields whose names servers may take for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ambiguous {
    /// They are taken off requests.
    #[default]
    TakenOff,
    /// They are passed on. A cache keeps apart what they were asked with.
    PassedOn,
}

/// Takes fields off requests that servers may take for others, and asks `H`: a cache, too, knows of
/// none that is not passed on. `Proxy`, which is of no use but to attackers, is always taken off.
///
/// *Cost*: a look at each byte of each name; twice for what is not answered at once.
#[derive(Debug)]
pub struct FieldNames<H> {
    inner: H,
    ambiguous: Ambiguous,
    /// Of how many requests something was taken off.
    changed: ToldRarely,
}

/// How much of a name is told.
const NAME_CHARS_MAX: usize = 64;

impl<H> FieldNames<H> {
    /// Puts itself before `inner`.
    pub fn new(inner: H, ambiguous: Ambiguous) -> Self {
        Self { inner, ambiguous, changed: ToldRarely::default() }
    }

    fn is_out(&self, name: &HeaderName) -> bool {
        names_a_proxy(name) || self.ambiguous == Ambiguous::TakenOff && is_ambiguous(name)
    }

    /// Whether all fields of `ask` may be passed on.
    fn is_sound(&self, ask: &Ask) -> bool {
        !ask.request.headers().keys().any(|name| self.is_out(name))
    }

    /// `ask` without those that may not.
    fn cleared(&self, mut ask: Ask) -> Ask {
        let headers = ask.request.headers_mut();
        let out: Vec<_> = headers.keys().filter(|name| self.is_out(name)).cloned().collect();
        for name in &out {
            headers.remove(name);
        }
        if let Some(name) = out.first() {
            self.note(name);
        }
        ask
    }

    /// Writes down that something was taken off: the first time, and then ever more rarely.
    fn note(&self, name: &HeaderName) {
        let name: String = name.as_str().chars().take(NAME_CHARS_MAX).collect();
        if let Some(count) = self.changed.add(1) {
            tracing::warn!(
                name,
                "took fields off requests that servers may take for others: {count}"
            );
        } else {
            tracing::debug!(name, "took a field off a request");
        }
    }
}

impl<H: Handler> Handler for FieldNames<H> {
    fn accepts(&self) -> Accepts {
        self.inner.accepts()
    }

    /// What has to be changed first is not answered so.
    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        if self.is_sound(ask) { self.inner.at_once(ask) } else { None }
    }

    fn answer(&self, ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send {
        self.answering(ask)
    }

    fn answering(&self, ask: Ask) -> Answering<'_> {
        self.inner.answering(self.cleared(ask))
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.inner.refused(refused);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;
    use relais_net::Peer;

    use super::*;
    use crate::{Body, says};

    /// Answers with the names that it is asked with.
    #[derive(Debug)]
    struct Names;

    fn names(ask: &Ask) -> Answer {
        let names: Vec<_> = ask.request.headers().keys().map(HeaderName::as_str).collect();
        Response::new(Body::full(Bytes::from(names.join(" "))))
    }

    impl Handler for Names {
        fn at_once(&self, ask: &Ask) -> Option<Answer> {
            Some(names(ask))
        }

        async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
            Ok(names(&ask))
        }
    }

    /// What is asked with the field `name`, and another.
    async fn passed(ambiguous: Ambiguous, name: &str) -> String {
        let handler = FieldNames::new(Names, ambiguous);
        let ask = || says::ask(Peer::Local, "/", &[("x-a", "1"), (name, "2"), (name, "3")]);
        let at_once = handler.at_once(&ask());
        let answer = match at_once {
            Some(answer) => answer,
            None => handler.answer(ask()).await.unwrap(),
        };
        String::from_utf8(answer.into_body().take_memory().unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_servers_may_take_for_another_field_is_not_passed_on_unless_that_is_wanted() {
        for name in ["x_forwarded_for", "x-forwarded_host", "x.original.url", "_", "x+a", "a~"] {
            assert_eq!(passed(Ambiguous::TakenOff, name).await, "x-a", "{name}");
            assert_eq!(passed(Ambiguous::PassedOn, name).await, format!("x-a {name}"), "{name}");
        }
        for name in ["x-1", "accept", "proxy-a", "9"] {
            assert_eq!(passed(Ambiguous::TakenOff, name).await, format!("x-a {name}"), "{name}");
        }
    }

    #[tokio::test]
    async fn nobody_is_given_a_proxy_by_a_client() {
        for ambiguous in [Ambiguous::TakenOff, Ambiguous::PassedOn] {
            assert_eq!(passed(ambiguous, "proxy").await, "x-a");
        }
    }
}
