//! What goes wrong with a request, by kinds that are counted.

use std::{
    fmt,
    io::{self, ErrorKind},
};

use relais_net::DialError;
use rustix::io::Errno;

/// A request, or a call for one, that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// As what it is counted.
    pub kind: Kind,
    /// A sentence about this one. Escaped.
    pub what: String,
}

/// As what a [`Failure`] is counted. Prints as a column's title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nobody listens there.
    Refused,
    /// There is no way there, or no such name.
    Unreachable,
    /// It took too long to be called, or to answer.
    TimedOut,
    /// The connection was broken off.
    Reset,
    /// The connection was closed before the answer's end.
    Closed,
    /// Something else came back than was sent.
    Wrong,
    /// The answer is none by the rules of its protocol.
    Malformed,
    /// Over HTTP/2 the server went away, and said so (GOAWAY).
    GoneAway,
    /// Over HTTP/2 the server reset the one stream.
    StreamReset,
    /// The same, and said that it had not begun with it (`REFUSED_STREAM`).
    StreamRefused,
    /// No TLS, or with a stranger.
    Tls,
    /// No descriptor is left here.
    Descriptors,
    /// No source port is left here.
    Ports,
    /// The system says something else.
    Other,
}

impl Kind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 14] = [
        Self::Refused,
        Self::Unreachable,
        Self::TimedOut,
        Self::Reset,
        Self::Closed,
        Self::Wrong,
        Self::Malformed,
        Self::GoneAway,
        Self::StreamReset,
        Self::StreamRefused,
        Self::Tls,
        Self::Descriptors,
        Self::Ports,
        Self::Other,
    ];

    /// Its place in [`Kind::ALL`].
    pub(super) fn index(self) -> usize {
        Self::ALL.iter().position(|kind| *kind == self).expect("one of all")
    }

    /// The word for it in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timeout",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Wrong => "wrong_answer",
            Self::Malformed => "malformed",
            Self::GoneAway => "goaway",
            Self::StreamReset => "stream_reset",
            Self::StreamRefused => "stream_refused",
            Self::Tls => "tls",
            Self::Descriptors => "descriptors",
            Self::Ports => "source_ports",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed out",
            Self::Reset => "reset",
            Self::Closed => "closed early",
            Self::Wrong => "wrong answer",
            Self::Malformed => "malformed answer",
            Self::GoneAway => "GOAWAY",
            Self::StreamReset => "stream reset",
            Self::StreamRefused => "stream refused",
            Self::Tls => "TLS failed",
            Self::Descriptors => "no descriptor left here",
            Self::Ports => "no source port left here",
            Self::Other => "other errors",
        })
    }
}

impl Failure {
    pub(super) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }

    /// While bytes were sent or waited for.
    pub(super) fn of_talk(error: &io::Error) -> Self {
        Self::new(kind_of(error), error.to_string())
    }
}

impl From<DialError> for Failure {
    fn from(error: DialError) -> Self {
        let kind = match &error {
            DialError::Refused(_) => Kind::Refused,
            DialError::TimedOut { .. } => Kind::TimedOut,
            DialError::NotFound { .. } | DialError::Uncallable { .. } | DialError::Denied(_) => {
                Kind::Unreachable
            }
            DialError::Unreachable { source, .. } => match kind_of(source) {
                Kind::Other => Kind::Unreachable,
                kind => kind,
            },
            DialError::Untrusted { .. } | DialError::NoTls(_) | DialError::Handshake { .. } => {
                Kind::Tls
            }
            DialError::Local { source, .. } => kind_of(source),
        };
        let mut what = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            what.extend([": ", &error.to_string()]);
            cause = error.source();
        }
        Self { kind, what }
    }
}

fn kind_of(error: &io::Error) -> Kind {
    match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE) => return Kind::Descriptors,
        Some(Errno::ADDRNOTAVAIL | Errno::ADDRINUSE) => return Kind::Ports,
        _ => (),
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => Kind::Refused,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => {
            Kind::Reset
        }
        ErrorKind::UnexpectedEof => Kind::Closed,
        ErrorKind::TimedOut => Kind::TimedOut,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_of_a_kind() {
        let check = |errno: Errno, expect| {
            assert_eq!(Failure::of_talk(&errno.into()).kind, expect);
        };
        check(Errno::CONNRESET, Kind::Reset);
        check(Errno::PIPE, Kind::Reset);
        check(Errno::CONNREFUSED, Kind::Refused);
        check(Errno::TIMEDOUT, Kind::TimedOut);
        check(Errno::MFILE, Kind::Descriptors);
        check(Errno::NFILE, Kind::Descriptors);
        check(Errno::ADDRNOTAVAIL, Kind::Ports);
        check(Errno::IO, Kind::Other);
    }

    #[test]
    fn each_kind_has_a_place_and_a_word_of_its_own() {
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), place);
            let namesakes = Kind::ALL.iter().filter(|other| other.name() == kind.name());
            assert_eq!(namesakes.count(), 1, "{kind}");
        }
    }
}
