//! A layer that a handler may have or not.

use relais_http::{Accepts, Answer, Ask, DynHandler as _, Handler, Refused};
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

    /// Boxed: a future that has room for either has to be moved as a whole, though nearly all of it is
    /// empty.
    fn answer(&self, ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send {
        match self {
            Self::Within(layer) => layer.answer_boxed(ask),
            Self::Bare(handler) => handler.answer_boxed(ask),
        }
    }

    fn refused(&self, refused: &Refused<'_>) {
        match self {
            Self::Within(layer) => layer.refused(refused),
            Self::Bare(handler) => handler.refused(refused),
        }
    }
}
