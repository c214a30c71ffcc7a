//! The small dialogues, and the clients that hold them.

pub mod send;
