//! Why a response is stored or not.

use http::Method;

use super::{Explanation, Step, of_terms, ruling, said};
use crate::{
    age::Times,
    cache::Cache,
    directives::Control,
    freshness::{Head, lifetime},
    key::Key,
    request::{Request, Sender},
    storing::{NotStored, judge_storing},
    taking::Answered,
    terms::Terms,
    vary::Vary,
};

impl Cache {
    /// Tells why what upstream `answered` to the request `asked` for `key` would be stored, or would
    /// not be, as far as its head tells. A request with HEAD is taken for a GET. Changes nothing.
    pub fn explain_storing(
        &self,
        key: &Key,
        asked: &Request<'_>,
        answered: Answered<'_>,
    ) -> Explanation<Result<(), NotStored>> {
        let asked = &*self.ruled(key, asked);
        let get = Request { method: &Method::GET, ..asked.clone() };
        let asked = if *asked.method == Method::HEAD { &get } else { asked };
        let Answered { status, headers, times } = answered;
        let head = Head { status, headers, received: times.received };
        let control = Control::said_of(headers, asked.rule, &self.settings);
        let mut steps: Vec<_> = ruling(&self.settings, key).into_iter().collect();
        steps.push(Step::Response { status, bytes: None, received: times.received });
        steps.push(said(headers, &self.settings));
        if let Vary::Fields(names) = Vary::of(headers) {
            steps.push(Step::Vary(names));
        }
        steps.push(Step::Lifetime(lifetime(head, &control, &self.settings)));
        if asked.sender != Sender::Nobody {
            steps.push(Step::Sender(asked.sender));
        }
        let verdict =
            self.judge_head(asked, head, times).map(|terms| steps.extend(of_terms(&terms)));
        Explanation { steps, verdict }
    }

    fn judge_head(
        &self,
        asked: &Request<'_>,
        head: Head<'_>,
        times: Times,
    ) -> Result<Terms, NotStored> {
        let storable = judge_storing(asked, head, times, &self.settings)?;
        let length = head.headers.get(http::header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let most = self.settings.object_max.min(self.store.body_max());
        if length.is_some_and(|length| length > most) {
            return Err(NotStored::TooLarge);
        }
        Ok(storable.terms)
    }
}
