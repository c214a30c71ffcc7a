//! The small dialogues (print, ack, echo, upper, calc, talk, notify), and the clients that hold
//! them: one message and its answer, a dialogue, or many at once.
//!
//! What a message comes to is a function of the [`Role`]; [`Dialogues`] carries it over streams,
//! datagrams and `WebSocket`s. Nothing that a peer says is ever executed.

pub mod calc;
mod datagrams;
mod dialogues;
mod echo;
mod frames;
mod lines;
pub mod load;
mod notify;
mod passing;
mod person;
mod responders;
mod role;
mod seated;
pub mod send;
mod show;
mod streams;
mod watching;
mod web_socket;

pub use dialogues::{Dialogues, EndServer, Limits};
pub use echo::Echo;
pub use lines::LineEnd;
pub use notify::Subscribers;
pub use person::{Manners, News, Person, Typed};
pub use role::{Answer, Role, Word, cut_at};
pub use show::{Next, Showcase, Shown};
