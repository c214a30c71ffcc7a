//! What comes of asking.

use std::time::Duration;

use relais_net::{
    Timings as CallTimings,
    tls::{CertificateDer, ClientSession},
};

use super::{AnswerBody, Head, Sent};

/// A request that was answered.
#[derive(Debug)]
pub struct Exchange {
    /// What was sent.
    pub sent: Sent,
    /// Heads of 1xx that came before the answer's. Over HTTP/2 none is told of.
    pub interims: Vec<Head>,
    /// The head of the answer.
    pub head: Head,
    /// Its body.
    pub body: AnswerBody,
    /// Who answered the call: the proxy, if there is one.
    pub peer: String,
    /// What TLS agreed on with the server, where there is TLS.
    pub session: Option<ClientSession>,
    /// The certificates that it showed, its own first.
    pub chain: Vec<CertificateDer<'static>>,
    /// How long it took.
    pub timings: Timings,
}

/// How long the parts of an exchange took; zero for those it had not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// To reach the server, or the proxy.
    pub call: CallTimings,
    /// To have the proxy reach the server.
    pub tunnel: Duration,
    /// From the start of the request to the first byte of the answer.
    pub first_byte: Duration,
}

/// What came of a request on a connection.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) sent: Sent,
    pub(super) interims: Vec<Head>,
    pub(super) head: Head,
    pub(super) body: AnswerBody,
    pub(super) first_byte: Duration,
}
