//! The small dialogues (print, ack, echo, upper, calc, talk, notify), and the clients that hold
//! them: one message and its answer, a dialogue, or many at once.

mod echo;
pub mod load;

pub use echo::Echo;
