//! What accounts and rooms may be called, and which names are too much alike.

/// What a name looks like: two names with the same skeleton are not to be told apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Skeleton(String);

impl Skeleton {
    /// Of `name`.
    pub fn of(name: &str) -> Self {
        Self(name.to_lowercase())
    }
}

/// Whether two names are the same, but for how they are spelled.
pub fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
