//! Why a body breaks off, until that is told.

use std::task::{Context, Poll};

use relais_net::Fault;

/// Holds back the [`Fault`] with which a body breaks off until it is asked the next time.
///
/// So what came before it leaves first, the head at least: a client that got nothing at all would
/// take its connection for one that was dead before, and ask again.
#[derive(Debug, Default)]
pub(crate) struct Breaking {
    fault: Option<Fault>,
}

impl Breaking {
    /// The fault, if it is time to tell it. To be asked before anything else is.
    pub(crate) fn take(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    /// Keeps `fault`, and has the body asked again.
    pub(crate) fn hold<T>(&mut self, fault: Fault, cx: &Context<'_>) -> Poll<T> {
        self.fault = Some(fault);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::{io, task::Waker};

    use relais_net::Side;

    use super::*;

    #[test]
    fn a_fault_is_told_the_next_time_and_once() {
        let mut breaking = Breaking::default();
        assert!(breaking.take().is_none());
        let fault = Fault::new(Side::Upstream, "reading", io::ErrorKind::UnexpectedEof.into());
        let cx = Context::from_waker(Waker::noop());
        assert!(breaking.hold::<()>(fault, &cx).is_pending());
        assert_eq!(breaking.take().map(|fault| fault.doing), Some("reading".to_owned()));
        assert!(breaking.take().is_none());
    }
}
