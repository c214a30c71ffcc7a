//! Sockets: where we listen, whom we call, and everything between the kernel and a protocol.
//!
//! The way in is [`Listener`] → [`Incoming`] → [`Conn`]. What a listener does with its connections
//! is a [`Service`]; a [`Door`] joins the two, and [`serve`] lets callers in through it. Each
//! connection lives on one of the [`Cores`] from its handshake to its end. The way out is a
//! [`Dialer`].

mod accept;
mod alarm;
mod balance;
mod bind;
mod cores;
mod datagrams;
mod dial;
mod door;
mod endpoint;
mod fault;
mod gate;
mod header;
mod health;
mod hearing;
mod listener;
mod network;
mod own;
mod peer;
mod pipe;
mod reach;
mod regular;
mod room;
mod scarce;
pub mod sealing;
mod security;
mod service;
mod shutdown;
mod stream;
mod switched;
pub mod tls;
mod told_rarely;
mod turn;
mod unpanicked;
mod waiting;
mod worked;

pub use accept::next_caller;
pub use alarm::{Alarm, Patience};
pub use balance::{Balance, Candidate, Choice, mix};
pub use bind::{SocketFile, bind_path};
pub use cores::{Cores, Seat, core_ends, turn};
pub use datagrams::{
    Batch, DatagramConn, DatagramListener, DatagramService, Datagrams, DynDatagramService, Heard,
    Outgoing, Sent, Train, Word,
};
pub use dial::{
    Access, Callee, DialError, DialLimits, Dialed, DialedDatagrams, Dialer, Lookup, Names, Stage,
    Timings,
};
pub use door::{Door, Tally, serve};
pub use endpoint::{Endpoint, Host, HostPort, ParseEndpointError, Place, Scheme};
pub use fault::{Fault, Side};
pub use gate::{Gate, Permit, Refused};
pub use health::{Checked, Health, News};
pub use hearing::serve_datagrams;
pub use listener::{Conn, HandshakeError, Header, Incoming, Listener};
pub use network::{Network, ParseNetworkError};
pub use own::is_own_address;
pub use peer::{Client, Peer};
pub use pipe::Pipe;
pub use regular::open_regular;
pub use room::Room;
pub use scarce::is_scarce;
pub use security::Security;
pub use service::{DynService, Service, Unmet, Welcome};
pub use shutdown::{Drain, Drained, Shutdown};
pub use stream::{ByteCounts, CountedStream, Idle, Stream};
pub use switched::Switched;
pub use told_rarely::ToldRarely;
pub use turn::after_others;
pub use worked::Worked;
