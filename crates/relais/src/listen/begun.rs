//! What shows a dialogue to people, beside those who hold it.

use super::{
    printing::{Printing, Unprinted},
    talking::Talking,
};

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

    /// Waits until all that came so far is shown, for as long as somebody takes some of it.
    ///
    /// # Errors
    ///
    /// If nobody does, and it was to be whole.
    pub(super) async fn printed(&self) -> Result<(), Unprinted> {
        match self {
            Self::Printing(printing) => printing.printed().await,
            Self::Nothing | Self::Talking(_) => Ok(()),
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
