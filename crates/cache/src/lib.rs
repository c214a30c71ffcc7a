//! HTTP caching for many clients at once: the rules of [RFC 9111], and a store in memory.
//!
//! No socket, no runtime and no clock: requests, heads and `now` go in, verdicts come out.
//!
//! [RFC 9111]: https://www.rfc-editor.org/rfc/rfc9111

mod age;
mod asked;
mod directives;
mod freshness;
mod reuse;
mod settings;
mod storing;
mod terms;
#[cfg(test)]
mod tests;
mod vary;

pub use self::{
    age::{Times, current_age, initial_age, read_age, read_date},
    asked::{Asked, Condition, Content, Sender},
    directives::{
        Control, ControlSource, Directives, Flag, SECONDS_MAX, read_cache_control, read_targeted,
    },
    freshness::{Basis, Head, Lifetime, is_heuristically_cacheable, lifetime},
    reuse::{Excuse, Failure, NoStandIn, Reuse, WhyAsk, judge_failure, judge_reuse},
    settings::{ClientDirectives, SetCookie, Settings},
    storing::{NotStored, judge_storing},
    terms::{Ask, Terms},
    vary::{Selecting, VARY_NAMES_MAX, Vary},
};
