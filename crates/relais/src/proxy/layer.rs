//! A layer that a handler may have or not.

use relais_http::{Accepts, Answer, Ask, Handler, Refused};
use relais_net::Fault;

/// A handler within a layer, or by itself: one type for both, so that handlers of several layers are
/// not a type for each choice of them.
#[derive(Debug)]
pub(super) enum Layer<L, H> {
    /// Within the layer.
    Within(L),
    /// By itself.
    Bare(H),
}

impl<L: Handler, H: Handler> Handler for Layer<L, H> {
    fn accepts(&self) -> Accepts {
        match self {
            Self::Within(layer) => layer.accepts(),
            Self::Bare(handler) => handler.accepts(),
        }
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        match self {
            Self::Within(layer) => layer.at_once(ask),
            Self::Bare(handler) => handler.at_once(ask),
        }
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        match self {
            Self::Within(layer) => layer.answer(ask).await,
            Self::Bare(handler) => handler.answer(ask).await,
        }
    }

    fn refused(&self, refused: &Refused<'_>) {
        match self {
            Self::Within(layer) => layer.refused(refused),
            Self::Bare(handler) => handler.refused(refused),
        }
    }
}
