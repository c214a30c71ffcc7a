//! What was let pass last on this thread, so that it is not judged twice.
//!
//! A handler is asked at once first, and then, if that brings no answer, to answer in time. Only
//! where another handler asks it in time straight away is a request new to it then. So what was
//! judged is compared as a whole, and not taken on trust.

use std::{
    cell::RefCell,
    sync::{Arc, Weak},
};

use super::Rules;
use crate::Target;

thread_local! {
    static PASSED: RefCell<Passed> = const { RefCell::new(Passed::nothing()) };
}

#[derive(Debug)]
struct Passed {
    /// By these rules. Held weakly: their place in memory is not given to others meanwhile.
    rules: Weak<Rules>,
    scheme: String,
    host: String,
    port: Option<u16>,
    path_and_query: String,
}

impl Passed {
    const fn nothing() -> Self {
        Self {
            rules: Weak::new(),
            scheme: String::new(),
            host: String::new(),
            port: None,
            path_and_query: String::new(),
        }
    }

    /// Whether it is by `rules` that `target` was let pass.
    fn is(&self, rules: &Arc<Rules>, target: &Target<'_>) -> bool {
        let Target { scheme, host, port, path_and_query } = *target;
        std::ptr::eq(self.rules.as_ptr(), Arc::as_ptr(rules))
            && (&*self.path_and_query, &*self.host) == (path_and_query, host)
            && (&*self.scheme, self.port) == (scheme, port)
    }
}

/// Keeps that `rules` let `target` pass.
pub(super) fn keep(rules: &Arc<Rules>, target: &Target<'_>) {
    let Target { scheme, host, port, path_and_query } = *target;
    PASSED.with_borrow_mut(|passed| {
        // Counted on all cores together, so done only if need be.
        if !std::ptr::eq(passed.rules.as_ptr(), Arc::as_ptr(rules)) {
            passed.rules = Arc::downgrade(rules);
        }
        for (room, text) in [
            (&mut passed.scheme, scheme),
            (&mut passed.host, host),
            (&mut passed.path_and_query, path_and_query),
        ] {
            room.clear();
            room.push_str(text);
        }
        passed.port = port;
    });
}

/// Whether it is known that `rules` let `target` pass.
pub(super) fn is_kept(rules: &Arc<Rules>, target: &Target<'_>) -> bool {
    PASSED.with_borrow(|passed| passed.is(rules, target))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target<'static> =
        Target { scheme: "http", host: "h", port: None, path_and_query: "/a" };

    #[test]
    fn only_the_same_target_and_rules_are_known() {
        let rules = || Arc::new(Rules::parse(Vec::new()).unwrap());
        let (ours, theirs) = (rules(), rules());
        assert!(!is_kept(&ours, &TARGET));
        keep(&ours, &TARGET);
        assert!(is_kept(&ours, &TARGET));
        assert!(!is_kept(&theirs, &TARGET));
        assert!(!is_kept(&ours, &Target { scheme: "https", ..TARGET }));
        assert!(!is_kept(&ours, &Target { host: "ha", path_and_query: "/", ..TARGET }));
        assert!(!is_kept(&ours, &Target { port: Some(80), ..TARGET }));
        assert!(!is_kept(&ours, &Target { path_and_query: "/b", ..TARGET }));
        keep(&theirs, &Target { host: "other", ..TARGET });
        assert!(!is_kept(&ours, &TARGET));
        assert!(is_kept(&theirs, &Target { host: "other", ..TARGET }));
    }
}
