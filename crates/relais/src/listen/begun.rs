//! What shows a dialogue to people, beside those who hold it.

use super::{printing::Printing, talking::Talking};

/// What shows a dialogue. Dropped, it has shown all.
#[derive(Debug)]
pub(super) enum Begun {
    /// Nothing is shown.
    Nothing,
    /// Messages are printed.
    Printing(Printing),
    /// A person takes part.
    Talking(Talking),
}

impl Begun {
    /// Begins, once.
    pub(super) fn begin(&self) {
        match self {
            Self::Nothing => (),
            Self::Printing(printing) => printing.begin(),
            Self::Talking(talking) => talking.begin(),
        }
    }

    /// Ends, whoever still talks. Blocks, but not for long.
    pub(super) fn end(&self) {
        match self {
            Self::Nothing => (),
            Self::Printing(printing) => printing.end(),
            Self::Talking(talking) => talking.end(),
        }
    }
}
