//! What is known of senders, and so who of them makes room, and in which order.

use super::rows::Row;

/// Whether a sender was ever answered, and went on. Whose address is made up never is, or never hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Unanswered,
    /// Nothing came from it since.
    Answered,
    /// It sent something after it was answered. It makes room for nobody.
    Talking,
}

/// A row for each standing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rows {
    unanswered: Row,
    answered: Row,
    talking: Row,
}

impl Rows {
    pub(super) fn of(&mut self, standing: Standing) -> &mut Row {
        match standing {
            Standing::Unanswered => &mut self.unanswered,
            Standing::Answered => &mut self.answered,
            Standing::Talking => &mut self.talking,
        }
    }

    pub(super) fn all(self) -> [Row; 3] {
        [self.unanswered, self.answered, self.talking]
    }

    /// The first places of the rows whose senders make room, in the order in which they do.
    pub(super) fn first_to_go(self) -> impl Iterator<Item = usize> {
        [self.unanswered.first(), self.answered.first()].into_iter().flatten()
    }
}
