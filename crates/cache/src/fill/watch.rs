//! A fill, as who writes it sees those who wait for it.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use super::Fill;

/// Tells of a fetch whether others wait for it.
#[derive(Clone, Debug)]
pub struct Watch {
    fill: Arc<Fill>,
}

impl Watch {
    pub(crate) fn of(fill: &Arc<Fill>) -> Self {
        Self { fill: Arc::clone(fill) }
    }

    /// Waits until nobody waits for it or reads it but who asked for it.
    pub fn poll_deserted(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.fill.poll_deserted(cx)
    }

    /// Has `takeover` called when the first joins who reads; at once, if somebody waits already.
    ///
    /// Until then the body may come at the pace of who asked for it, and nobody minds.
    pub fn on_join(&self, takeover: impl FnOnce() + Send + 'static) {
        self.fill.on_join(Box::new(takeover));
    }

    /// Ends it if nobody waits for it or reads it. Whether it is over.
    pub fn end_if_alone(&self) -> bool {
        self.fill.end_if_alone()
    }
}
