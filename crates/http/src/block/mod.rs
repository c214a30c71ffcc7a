//! What must not be asked for: a list of rules, and the handler that keeps to it.

mod fold;
mod glob;
mod host;
mod names;
mod punycode;
mod reader;
mod rule;
mod rules;
mod target;
mod urls;

pub use reader::BadList;
pub use rule::WrongRule;
pub use rules::{Rule, Rules};
pub use target::Target;
