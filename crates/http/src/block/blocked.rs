//! The handler that keeps what is blocked from another handler.

use std::{fmt, sync::Arc};

use http::Method;
use relais_net::Fault;

use super::{BlockList, Notice, Rule};
use crate::{
    Accepts, Answer, Answering, Ask, Caller, Handler, Provenance, Refused, Target,
    proxy_status::{PROXY_STATUS, proxy_status},
    refusing::or_answering,
};

/// Answers what a list blocks by itself, and asks `H` for the rest.
///
/// What is blocked never reaches the inner handler. It is answered with a page that names the rule,
/// as HTML, JSON or plain text.
///
/// *Cost*: see [`Rules::judge`](super::Rules::judge); once for a request, though it is asked twice.
pub struct Blocked<H> {
    inner: H,
    list: Arc<BlockList>,
    notice: Notice,
    /// Our name in `Proxy-Status`.
    name: Option<String>,
    hook: Option<Hook>,
}

/// Learns of every request that is blocked. Must not block.
pub type Hook = Arc<dyn Fn(&BlockedRequest<'_>) + Send + Sync>;

/// A request that was blocked.
#[derive(Clone, Copy, Debug)]
pub struct BlockedRequest<'a> {
    /// Who asked.
    pub caller: &'a Caller,
    /// The request's method.
    pub method: &'a Method,
    /// What was asked for, as it was sent.
    pub target: Target<'a>,
    /// What blocked it.
    pub rule: Rule<'a>,
    /// What the list's file is called.
    pub list: &'a str,
}

impl<H> Blocked<H> {
    /// Keeps from `inner` what `list` blocks, and answers it with `notice`.
    pub fn new(inner: H, list: Arc<BlockList>, notice: Notice) -> Self {
        Self { inner, list, notice, name: None, hook: None }
    }

    /// The same, which says in `Proxy-Status` (RFC 9209), as the proxy that is called `name`, what it
    /// blocked and by which rule: of the answer to a `CONNECT` clients show no more than that.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// The same, with `hook` told of what was blocked.
    #[must_use]
    pub fn telling(self, hook: Hook) -> Self {
        Self { hook: Some(hook), ..self }
    }

    /// The answer to `ask`, if it is blocked.
    fn refuse(&self, ask: &Ask) -> Option<Answer> {
        if ask.has_passed(self.list.number()) {
            return None;
        }
        let rules = self.list.rules();
        let target = Target::of(ask);
        let Some(rule) = rules.judge(&target) else {
            ask.note_passed(rules.number());
            return None;
        };
        let list = self.list.name();
        if let Some(hook) = &self.hook {
            let (caller, method) = (&*ask.caller, ask.request.method());
            hook(&BlockedRequest { caller, method, target, rule, list });
        }
        let mut answer = self.notice.answer(ask, rule, list);
        if let Some(name) = &self.name {
            let details = format!("blocked: {}", rule.text);
            let status = proxy_status(name, "http_request_denied", Some(&details));
            answer.headers_mut().insert(PROXY_STATUS, status);
        }
        let blocked = Some(rule.text.into());
        answer.body_mut().came_from(Provenance { blocked, ..Provenance::default() });
        Some(answer)
    }
}

impl<H: Handler> Handler for Blocked<H> {
    fn accepts(&self) -> Accepts {
        self.inner.accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        self.refuse(ask).or_else(|| self.inner.at_once(ask))
    }

    fn answer(&self, ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send {
        self.answering(ask)
    }

    fn answering(&self, ask: Ask) -> Answering<'_> {
        or_answering(self.refuse(&ask), &self.inner, ask)
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.inner.refused(refused);
    }
}

impl<H: fmt::Debug> fmt::Debug for Blocked<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, list, notice, name, hook: _ } = self;
        f.debug_struct("Blocked")
            .field("inner", inner)
            .field("list", &list.path())
            .field("notice", notice)
            .field("name", name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
