//! Why there is no answer.

use std::{sync::Arc, time::Duration};

use relais_net::{DialError, Fault, Side, Stage};

use super::Busy;

/// Why a request was not answered.
#[derive(Debug)]
pub enum Failed {
    /// Its client did not send all of it.
    Client(Fault),
    /// Nobody answered it.
    NoAnswer {
        /// Who was asked last.
        upstream: Arc<str>,
        /// Why that one did not.
        error: CallError,
    },
}

/// Why there is no answer to a request that came whole.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no connection to be had.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// What came is no answer, or breaks off before its head ends.
    #[error("no answer from {upstream}")]
    Broken {
        /// Who was asked.
        upstream: String,
        /// What was found.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// As many ask it already as may.
    #[error("no place to ask {upstream}")]
    Busy {
        /// Who was to be asked.
        upstream: String,
        /// Why there is none.
        source: Busy,
        /// How long it waited for one, if it did.
        waited: Option<Duration>,
    },
    /// It was to change to another protocol, which HTTP/2 has no way to, and nothing else is spoken there.
    #[error("no change of the protocol over HTTP/2, which alone is spoken with {upstream}")]
    NoUpgrade {
        /// Who was to be asked.
        upstream: String,
    },
    /// It took too long.
    #[error("no answer in time from {upstream}")]
    Late {
        /// Who was asked.
        upstream: String,
    },
}

impl CallError {
    /// Whose fault it is.
    pub fn side(&self) -> Side {
        match self {
            Self::Dial(error) => error.side(),
            Self::Broken { .. } | Self::Late { .. } => Side::Upstream,
            Self::Busy { .. } | Self::NoUpgrade { .. } => Side::Relais,
        }
    }

    /// The type of the error (RFC 9209 §2.3).
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dial(error) => match error {
                DialError::NotFound { .. } => "dns_error",
                DialError::Refused(_) => "connection_refused",
                DialError::Unreachable { .. } => "destination_ip_unroutable",
                DialError::TimedOut { stage: Stage::Resolve, .. } => "dns_timeout",
                DialError::TimedOut { .. } => "connection_timeout",
                DialError::Untrusted { .. } => "tls_certificate_error",
                DialError::NoTls(_) | DialError::Handshake { .. } => "tls_protocol_error",
                DialError::Denied(_) | DialError::Uncallable { .. } => "destination_ip_prohibited",
                DialError::Local { .. } => "proxy_internal_error",
            },
            Self::Broken { .. } => "http_protocol_error",
            Self::Late { .. } => "http_response_timeout",
            Self::Busy { .. } => "connection_limit_reached",
            Self::NoUpgrade { .. } => "http_upgrade_failed",
        }
    }

    /// `upstream` gave no answer, because of `error`.
    pub(super) fn broken(
        upstream: &str,
        error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Broken { upstream: upstream.to_owned(), source: error.into() }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use relais_net::Callee;

    use super::*;

    #[test]
    fn what_is_wanting_here_or_may_not_be_called_is_not_the_upstreams_fault() {
        let callee = || Callee { endpoint: "http://a.example".parse().unwrap(), address: None };
        let check = |error: CallError, expect| assert_eq!(error.side(), expect, "{error}");
        let source = io::ErrorKind::OutOfMemory.into();
        check(DialError::Local { callee: callee(), source }.into(), Side::Relais);
        check(DialError::Denied(callee()).into(), Side::Client);
        check(DialError::Refused(callee()).into(), Side::Upstream);
        check(CallError::Late { upstream: "a".to_owned() }, Side::Upstream);
        check(CallError::broken("a", io::Error::other("b")), Side::Upstream);
    }
}
