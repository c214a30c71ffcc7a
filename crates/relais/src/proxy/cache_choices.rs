//! What may be chosen for a cache by a word.

use serde::{Deserialize, Serialize};

/// What becomes of a fetch whose clients have all left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Abandoned {
    /// It ends.
    #[default]
    End,
    /// It goes on, and is kept.
    Finish,
}

/// Which answers that set cookies are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SetsCookie {
    /// None.
    Never,
    /// Those that speak of shared caches.
    #[default]
    Shared,
    /// All that say how long they are fresh.
    Explicit,
}

/// Whether what clients say of caching counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClientDirectives {
    /// It does.
    #[default]
    Honoured,
    /// It does not, but for `no-store` and `only-if-cached`: nobody has a server asked by a reload.
    Ignored,
}
