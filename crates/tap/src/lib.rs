//! What the data path tells about itself, and how others listen in.
//!
//! Whoever moves bytes opens a [`Flow`] on a [`Tap`] and reports to it. Nobody on the data path
//! waits for a watcher: a watcher that falls behind loses the oldest events and is told how many
//! ([`Event::Missed`]). With no watcher a report costs one relaxed load; with one that asked for
//! [`Detail::Flows`] alone, what passes is not copied either.
//!
//! This crate knows no protocol and no socket. Time is a parameter, so that a flow replayed from a
//! capture file carries the capture's clock, not ours.

mod event;
mod flow;
mod ring;
mod shared;
mod watcher;

pub use event::{By, Direction, Ending, Ends, Event, FlowId};
pub use flow::{Flow, Tap};
pub use shared::Detail;
pub use watcher::Watcher;
