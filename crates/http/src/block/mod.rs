//! What must not be asked for: a list of rules, and the handler that keeps to it.
//!
//! The way of a request: [`Blocked`] asks its [`BlockList`] for the [`Rules`] of this moment, which
//! judge the request's [`Target`](crate::Target): first its host (`names`), then its URL (`urls`, which finds what
//! rules have in common with it by `texts`), in every form in which an upstream may read it
//! (`looks`, `host`, `fold`). A list is read by `reader`, line by
//! line (`rule`).

mod blocked;
mod fold;
mod glob;
mod grams;
mod host;
mod list;
mod looks;
mod mix;
mod names;
mod notice;
mod prefix;
mod punycode;
mod reader;
mod rule;
mod rules;
mod texts;
mod urls;

pub use blocked::{Blocked, BlockedRequest, Hook};
pub use list::{BlockList, ListError, Refreshed};
pub use notice::{BlockedBy, Notice, ParseBlockedByError};
pub use reader::{BadLine, BadList};
pub use rule::WrongRule;
pub use rules::{Rule, Rules};
