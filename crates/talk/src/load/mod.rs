//! Many clients at once against one server, and what that tells of it.
//!
//! A [`Load`] says what is to be done; [`Running`] does it on cores of its own, and gives an
//! [`Outcome`]. Each client has a line to the target (a connection, or a socket of datagrams) and one
//! request under way; over HTTP/2 a connection has one client for each of its streams. Without a rate it
//! sends the next one once the last is answered (*closed loop*). With a rate requests are due at times
//! that do not depend on the server (*open loop*), and their latency is counted from then: a server that
//! stands still for a second is not asked less often for it. Rules (when what is due, what an answer is, what is counted) know neither sockets
//! nor clocks.

mod answer;
mod client;
mod deadline;
mod exchange;
mod failure;
mod histogram;
mod http2;
mod ledger;
mod line;
mod message;
mod pacer;
mod parts;
mod running;
mod schedule;
mod target;
mod timeline;
mod web_socket;

pub use client::Task;
pub use failure::{Failure, Kind};
pub use histogram::{Bucket, Histogram, TIME_MAX};
pub use http2::Http2Request;
pub use ledger::{Answered, Dialogues, Failed, Ledger, Then};
pub use parts::{BadRequest, Parts};
pub use running::{Load, Outcome, Progress, Running, Stage};
pub use schedule::{Due, Schedule, Until};
pub use target::{Request, Said, Target};
pub use timeline::{STEPS_MAX, Step, Timeline};
