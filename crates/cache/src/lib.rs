//! HTTP caching for many clients at once: the rules of [RFC 9111], a store in memory, and one on
//! disk.
//!
//! No socket, no runtime and no clock: requests, heads and `now` go in, verdicts come out.
//!
//! [RFC 9111]: https://www.rfc-editor.org/rfc/rfc9111

mod age;
mod cache;
mod cache_status;
mod completion;
mod conditional;
mod counts;
mod directives;
pub mod disk;
mod entering;
mod explain;
mod fetch;
mod fields;
mod fill;
mod filling;
mod freshening;
mod freshness;
mod glob;
mod hit;
mod joining;
mod key;
mod looking;
mod memory;
mod object;
mod of_request;
mod on_disk;
mod outcome;
mod part;
mod partial;
mod prebuilt;
mod purge;
mod purging;
mod reference;
mod request;
mod retiring;
mod reuse;
mod room;
mod rules;
mod searches;
mod settings;
mod store;
mod stored;
mod stored_body;
mod storing;
mod tags;
mod taking;
mod taking_parts;
mod terms;
#[cfg(test)]
mod tests;
mod validation;
mod vary;
mod wish;
mod writer;

pub use self::{
    age::Times,
    cache::{Cache, Lookup},
    cache_status::{CacheStatus, Forward, Kept, Source},
    completion::Completion,
    conditional::Form,
    counts::Counts,
    directives::{Directives, Flag},
    explain::{Counted, Explanation, Left, Reused, Step, Values, Wish},
    fetch::Fetch,
    fill::{Broken, Came, Cold, Reader, Waiter, Watch, Woken},
    freshness::{Basis, Lifetime},
    hit::{FilePiece, Hit},
    key::Key,
    object::{Object, Tier},
    on_disk::{AtRest, disk_settings},
    outcome::Outcome,
    partial::Parts,
    purge::{BadPattern, Glob, PATTERN_BYTES_MAX, Pattern, Purge, Text, Url},
    purging::Purged,
    request::{Condition, Content, Request, Sender, Sent, Switch},
    reuse::{NoStandIn, WhyAsk, WhyStale},
    rules::{Device, KeyParts, Name, Origin, Query, Rule, Storing},
    settings::{Abandoned, ClientDirectives, Joining, SetCookie, Settings},
    stored::{Softened, Stored},
    stored_body::{Pages, StoredBody},
    storing::NotStored,
    tags::{NoTags, Tag},
    taking::{Answered, Taken},
    terms::{Ask, Terms},
    vary::Selecting,
    writer::{Writer, Written},
};
