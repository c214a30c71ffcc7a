//! Why a call came to nothing.

use std::{
    fmt,
    io::{self, ErrorKind},
    net::SocketAddr,
    time::Duration,
};

use rustix::io::Errno;

use crate::{Endpoint, Side, is_scarce, tls::ConnectError};

/// Why a call came to nothing. Where several addresses were called, it is told of the one whose
/// failure says most.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Only a listener can be there, or it is of datagrams.
    #[error("nobody can be called at {endpoint}: {why}")]
    Uncallable {
        /// Where.
        endpoint: Endpoint,
        /// Half a sentence.
        why: &'static str,
    },
    /// Its name has no address, as far as the resolver knows.
    #[error("no address of {endpoint} is known")]
    NotFound {
        /// Who.
        endpoint: Endpoint,
        /// What the resolver says.
        source: io::Error,
    },
    /// Whoever may say so will not have any of its addresses called.
    #[error("{0} may not be called")]
    Denied(Callee),
    /// Nobody listens there.
    #[error("{0} refused the connection")]
    Refused(Callee),
    /// There is no way there, or it broke before anybody answered.
    #[error("cannot reach {callee}")]
    Unreachable {
        /// Who.
        callee: Callee,
        /// What the system says.
        source: io::Error,
    },
    /// It took too long.
    #[error("{stage} {callee} took longer than {most:?}")]
    TimedOut {
        /// Who.
        callee: Callee,
        /// What was being done.
        stage: Stage,
        /// How long it might have taken, with the stages that share this limit.
        most: Duration,
    },
    /// It is not believed to be who it should be.
    #[error("the certificate of {callee} is not believed: {why}")]
    Untrusted {
        /// Who.
        callee: Callee,
        /// Half a sentence. Escaped.
        why: String,
    },
    /// It answers, and not in TLS.
    #[error("no TLS is spoken at {0}")]
    NoTls(Callee),
    /// It answers, and not in a TLS of ours.
    #[error("cannot shake hands with {callee}")]
    Handshake {
        /// Who.
        callee: Callee,
        /// What rustls or the system says.
        source: ConnectError,
    },
    /// It is for want of something here: descriptors or memory; or of a port, an address, or permission
    /// for this call.
    #[error("cannot call {callee} from here")]
    Local {
        /// Who.
        callee: Callee,
        /// What the system says.
        source: io::Error,
    },
}

/// Who was called. Prints as the endpoint, and behind it the address if that says more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callee {
    /// Who was meant.
    pub endpoint: Endpoint,
    /// Which of its addresses, if it came to that.
    pub address: Option<SocketAddr>,
}

/// A part of a call. Prints as what is being done, with whom to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A name becomes addresses.
    Resolve,
    /// An address is called.
    Connect,
    /// TLS is agreed on.
    Handshake,
}

/// Why a call to one address came to nothing.
#[derive(Debug)]
pub(super) enum Failed {
    Denied,
    System(io::Error),
}

impl Callee {
    /// Whether what the system says here may be what is said there: that a firewall prohibits it, by
    /// `ICMPv6` (`tab_unreach` of Linux), or that the mode of a socket's file does.
    fn says(&self, error: &io::Error) -> bool {
        let may_say = self.address.is_none_or(|address| address.is_ipv6());
        may_say && is_one_of(error, &[Errno::ACCESS])
    }
}

impl DialError {
    /// Whose fault it is. What may not be called was asked for by a client. What is wanting here for one
    /// upstream alone, such as one more port, counts as that one's: another may be called.
    pub fn side(&self) -> Side {
        match self {
            Self::Local { source, .. } if is_one_of(source, &MISSING) => Side::Upstream,
            Self::Uncallable { .. } | Self::Local { .. } => Side::Relais,
            Self::Denied(_) => Side::Client,
            Self::NotFound { .. }
            | Self::Refused(_)
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Untrusted { .. }
            | Self::NoTls(_)
            | Self::Handshake { .. } => Side::Upstream,
        }
    }

    pub(super) fn of_lookup(endpoint: &Endpoint, source: io::Error) -> Self {
        let endpoint = endpoint.clone();
        if is_local(&source) {
            Self::Local { callee: Callee { endpoint, address: None }, source }
        } else {
            Self::NotFound { endpoint, source }
        }
    }

    pub(super) fn of_call(callee: Callee, failed: Failed) -> Self {
        match failed {
            Failed::Denied => Self::Denied(callee),
            Failed::System(source) if is_local(&source) && !callee.says(&source) => {
                Self::Local { callee, source }
            }
            Failed::System(source) if source.kind() == ErrorKind::ConnectionRefused => {
                Self::Refused(callee)
            }
            Failed::System(source) => Self::Unreachable { callee, source },
        }
    }

    /// Of calls to an endpoint's addresses, which are some, in the order in which they failed.
    pub(super) fn of_calls(endpoint: &Endpoint, failed: Vec<(SocketAddr, Failed)>) -> Self {
        let errors = failed.into_iter().map(|(address, failed)| {
            Self::of_call(Callee { endpoint: endpoint.clone(), address: Some(address) }, failed)
        });
        let telling =
            errors.reduce(|one, other| if other.tells() > one.tells() { other } else { one });
        telling.unwrap_or_else(|| Self::Uncallable {
            endpoint: endpoint.clone(),
            why: "it has no address of the source's family",
        })
    }

    pub(super) fn of_handshake(callee: Callee, source: ConnectError) -> Self {
        match source {
            ConnectError::NoTls => Self::NoTls(callee),
            ConnectError::Untrusted(why) => Self::Untrusted { callee, why },
            source => Self::Handshake { callee, source },
        }
    }

    /// How much the failure of one address says of all.
    fn tells(&self) -> u8 {
        match self {
            Self::Denied(_) => 0,
            Self::Local { source, .. } if is_scarce(source) => 4,
            // Often of a family that this machine has not.
            Self::Local { .. } => 1,
            Self::Unreachable { .. } => 2,
            _ => 3,
        }
    }
}

/// What is not to be had here for a call: the source address, a port, permission.
const MISSING: [Errno; 4] = [Errno::ADDRINUSE, Errno::ADDRNOTAVAIL, Errno::ACCESS, Errno::PERM];

fn is_local(error: &io::Error) -> bool {
    is_scarce(error) || is_one_of(error, &MISSING)
}

fn is_one_of(error: &io::Error, errnos: &[Errno]) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| errnos.contains(&errno))
}

impl fmt::Display for Callee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.endpoint)?;
        let is_named = matches!(
            self.endpoint.host_port(),
            Some(crate::HostPort { host: crate::Host::Name(_), .. })
        );
        match self.address {
            Some(address) if is_named => write!(f, " ({address})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolving",
            Self::Connect => "connecting to",
            Self::Handshake => "shaking hands with",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Endpoint {
        "https://a.example".parse().unwrap()
    }

    fn failed(errnos: &[Errno]) -> Vec<(SocketAddr, Failed)> {
        let each = errnos.iter().zip(1..).map(|(errno, port)| {
            let source = io::Error::from(*errno);
            (SocketAddr::from(([192, 0, 2, 1], port)), Failed::System(source))
        });
        each.collect()
    }

    #[test]
    fn a_failure_is_told_by_what_the_system_says() {
        let check = |errnos: &[Errno], expect: &str, side| {
            let error = DialError::of_calls(&endpoint(), failed(errnos));
            assert_eq!((error.to_string().as_str(), error.side()), (expect, side));
        };
        let refused = "https://a.example:443 (192.0.2.1:1) refused the connection";
        check(&[Errno::CONNREFUSED], refused, Side::Upstream);
        let unreachable = "cannot reach https://a.example:443 (192.0.2.1:1)";
        for errno in [Errno::HOSTUNREACH, Errno::NETUNREACH, Errno::CONNRESET, Errno::TIMEDOUT] {
            check(&[errno], unreachable, Side::Upstream);
        }
        let local = "cannot call https://a.example:443 (192.0.2.1:1) from here";
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
            check(&[errno], local, Side::Relais);
        }
        for errno in [Errno::ADDRNOTAVAIL, Errno::ADDRINUSE, Errno::ACCESS, Errno::PERM] {
            check(&[errno], local, Side::Upstream);
        }
        // Of several, what says most; of two alike, the first.
        check(&[Errno::CONNREFUSED, Errno::NETUNREACH], refused, Side::Upstream);
        let refused = "https://a.example:443 (192.0.2.1:2) refused the connection";
        check(
            &[Errno::NETUNREACH, Errno::CONNREFUSED, Errno::CONNREFUSED],
            refused,
            Side::Upstream,
        );
        check(&[Errno::ADDRNOTAVAIL, Errno::CONNREFUSED], refused, Side::Upstream);
        check(&[Errno::MFILE, Errno::CONNREFUSED], local, Side::Relais);
    }

    #[test]
    fn what_is_prohibited_there_is_told_of_there() {
        let check = |at: Option<&str>, expect: &str| {
            let callee = Callee { endpoint: endpoint(), address: at.map(|at| at.parse().unwrap()) };
            let error = DialError::of_call(callee, Failed::System(Errno::ACCESS.into()));
            assert!(error.to_string().starts_with(expect), "{error}");
            assert_eq!(error.side(), Side::Upstream);
        };
        check(None, "cannot reach ");
        check(Some("[2001:db8::1]:443"), "cannot reach ");
        check(Some("192.0.2.1:443"), "cannot call ");
    }

    #[test]
    fn who_may_not_be_called_is_told_last() {
        let denied = |port| (SocketAddr::from(([127, 0, 0, 1], port)), Failed::Denied);
        let check = |failed, expect: &str, side| {
            let error = DialError::of_calls(&endpoint(), failed);
            assert_eq!((error.to_string().as_str(), error.side()), (expect, side));
        };
        let text = "https://a.example:443 (127.0.0.1:7) may not be called";
        check(vec![denied(7), denied(8)], text, Side::Client);
        let mut both = failed(&[Errno::NETUNREACH]);
        both.insert(0, denied(7));
        let text = "cannot reach https://a.example:443 (192.0.2.1:1)";
        check(both, text, Side::Upstream);
    }

    #[test]
    fn a_resolver_that_knows_no_name_is_told_from_one_that_cannot_be_asked() {
        let unknown = DialError::of_lookup(&endpoint(), io::Error::other("not known"));
        assert_eq!(unknown.to_string(), "no address of https://a.example:443 is known");
        let ours = DialError::of_lookup(&endpoint(), Errno::MFILE.into());
        assert_eq!(
            (ours.to_string().as_str(), ours.side()),
            ("cannot call https://a.example:443 from here", Side::Relais)
        );
    }
}
