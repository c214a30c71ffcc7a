//! What goes wrong over HTTP/2, by the kinds that are counted. Nothing that a server writes is told
//! but its error code.

use std::io::{self, ErrorKind};

use h2::Reason;

use crate::load::failure::{Failure, Kind};

/// Why a request has no whole answer.
pub(super) fn failure(error: &h2::Error) -> Failure {
    if let Some(error) = error.get_io() {
        return of_io(error, "closed before the answer's end");
    }
    let Some(reason) = error.reason() else {
        // What h2 does not send for us.
        return Failure::new(Kind::Other, error.to_string());
    };
    if !error.is_remote() {
        return Failure::new(Kind::Malformed, format!("not by the rules of HTTP/2: {reason:?}"));
    }
    match reason {
        _ if error.is_go_away() => Failure::new(
            Kind::GoneAway,
            format!("the server goes away, before an answer: {reason:?}"),
        ),
        Reason::REFUSED_STREAM => {
            Failure::new(Kind::StreamRefused, "the server has not begun with it: REFUSED_STREAM")
        }
        _ => Failure::new(Kind::StreamReset, format!("the stream was reset: {reason:?}")),
    }
}

/// Why a connection has no settings from the server.
pub(super) fn unspoken(error: &h2::Error) -> Failure {
    if let Some(error) = error.get_io() {
        return of_io(error, "closed before HTTP/2 was spoken");
    }
    match failure(error) {
        Failure { kind: Kind::Malformed, .. } => {
            let what = "what came is no HTTP/2: expected a server that speaks it";
            Failure::new(Kind::Malformed, what)
        }
        failure => failure,
    }
}

fn of_io(error: &io::Error, closed: &str) -> Failure {
    match error.kind() {
        // What h2 calls an end that nobody announced.
        ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => Failure::new(Kind::Closed, closed),
        _ => Failure::of_talk(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sends_for_us_is_told_as_it_is() {
        let failure = failure(&Reason::CANCEL.into());
        assert_eq!(failure.kind, Kind::Malformed);
        assert_eq!(failure.what, "not by the rules of HTTP/2: CANCEL");
    }

    #[test]
    fn an_end_is_told_from_a_reset() {
        let check = |kind: ErrorKind, expect| {
            assert_eq!(of_io(&kind.into(), "closed").kind, expect, "{kind}");
        };
        check(ErrorKind::BrokenPipe, Kind::Closed);
        check(ErrorKind::UnexpectedEof, Kind::Closed);
        check(ErrorKind::ConnectionReset, Kind::Reset);
        check(ErrorKind::TimedOut, Kind::TimedOut);
    }
}
