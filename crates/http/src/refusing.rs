//! What handlers have in common that stand before another, and answer some of its requests by
//! themselves.

use std::future::ready;

use crate::{Answer, Answering, Ask, Handler};

/// The answer to `ask` as it was `refused`, or else that of `inner`, which then is asked.
///
/// *Cost*: what is refused costs an allocation; for the rest no place is made beside that of `inner`.
pub(crate) fn or_answering<H: Handler>(
    refused: Option<Answer>,
    inner: &H,
    ask: Ask,
) -> Answering<'_> {
    match refused {
        Some(answer) => Box::pin(ready(Ok(answer))),
        None => inner.answering(ask),
    }
}
