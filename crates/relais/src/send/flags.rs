//! What `relais send` takes.

use std::net::IpAddr;

use clap::{Args, ValueEnum};
use relais_talk::LineEnd;

use crate::{calling, spelling::Time};

/// What `relais send` takes.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Flags {
    /// Who is talked to: `tcp://host:port`, `tls://`, `udp://`, `unix:///path`, `ws://host:port/path`
    /// or `wss://`; without a scheme it is tcp, and 9000 is 127.0.0.1:9000
    pub(super) endpoint: String,
    /// What is said; words are joined by spaces [default: what is typed or piped in, a line each]
    pub(super) message: Vec<String>,
    /// Talk in datagrams, where ENDPOINT has no scheme
    #[arg(long, conflicts_with = "tcp")]
    pub(super) udp: bool,
    /// Talk on a stream, where ENDPOINT has no scheme
    #[arg(long)]
    pub(super) tcp: bool,
    /// Ask which protocol to use
    #[arg(long, conflicts_with_all = ["udp", "tcp"])]
    pub(super) choose: bool,
    /// Check that what comes back is what was sent: prints `identical`, or where it first differs and
    /// exits with 3
    #[arg(long)]
    pub(super) verify: bool,
    /// What is sent is written in hexadecimal, and what comes is shown so
    #[arg(long)]
    pub(super) hex: bool,
    /// In what is sent `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH` stand for bytes
    #[arg(long, short = 'e', conflicts_with = "hex")]
    pub(super) escapes: bool,
    /// Exit with 3 if no answer came
    #[arg(long)]
    pub(super) check: bool,
    /// What stands behind each message [default: lf on streams, where what is piped in is sent as it
    /// is; none else, and with --hex and --escapes]
    #[arg(long, value_name = "END")]
    pub(super) line_end: Option<Ends>,
    /// How long an answer is waited for [default: 1s for datagrams, else 3s, and 10s for the rest
    /// behind the end of the input; where datagrams or messages of a WebSocket are piped in and it is
    /// given, also for more once all are answered]
    #[arg(long, value_name = "TIME")]
    pub(super) wait: Option<Time>,
    /// Send the message so many times, on one connection
    #[arg(long, value_name = "N", default_value = "1", requires = "message")]
    pub(super) repeat: u64,
    /// How long after an answer the message is sent again
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub(super) every: Time,
    /// The address of this machine to call from
    #[arg(long, value_name = "ADDRESS")]
    pub(super) source: Option<IpAddr>,
    /// How long connecting may take, and a handshake
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(super) timeout: Time,
    // Last: the arguments after it would stand under its heading.
    #[command(flatten)]
    pub(super) tls: calling::TlsFlags,
}

/// What stands behind each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Ends {
    /// A line feed
    Lf,
    /// A carriage return and a line feed
    Crlf,
    /// Nothing
    None,
}

impl From<Ends> for LineEnd {
    fn from(ends: Ends) -> Self {
        match ends {
            Ends::Lf => Self::Lf,
            Ends::Crlf => Self::Crlf,
            Ends::None => Self::None,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  relais send 6666 hello                              one message to port 6666, and its answer
  relais send udp://127.0.0.1:6666 --verify hello     is the echo what was sent?
  seq 3 | relais send tls://example.org:7777          each line, and each answer
  relais send wss://example.org/chat                  a dialogue over a WebSocket
  relais send --line-end crlf example.org:25          one with a mail server
  relais send -e example.org:80 'HEAD / HTTP/1.0\r\n\r\n'
  relais send --check udp://192.0.2.1:53 x            does anybody answer there?

Exit codes: 0 done, 1 not reached or broken off, 2 wrong arguments, 3 `--verify` found a difference, or
`--check` no answer";
