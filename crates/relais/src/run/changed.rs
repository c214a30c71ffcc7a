//! What a reload did, told to who asked for it.

use std::fmt;

use relais_wire::plural::plural;

/// What a reload did. Prints as half a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(super) kept: usize,
    pub(super) opened: usize,
    pub(super) closed: usize,
    /// Whether who comes from now on meets other limits than those who are inside: connections keep
    /// what they began with.
    pub(crate) has_new_limits: bool,
    /// The proxies whose caches begin anew.
    pub(super) emptied: Vec<String>,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, opened, closed, has_new_limits, emptied } = self;
        let s = plural(*kept);
        write!(f, "{kept} listener{s} kept, {opened} opened, {closed} closed")?;
        if *has_new_limits {
            f.write_str("; the changed limits hold for new connections, and those that are open keep theirs")?;
        }
        for name in emptied {
            write!(f, "; the cache of {name:?} starts empty, as its configuration changed")?;
        }
        Ok(())
    }
}
