//! What became of a response that was to be stored.

/// What became of a response that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored.
    Stored,
    /// It was invalidated while it came: it may tell of a state that is past.
    Invalidated,
    /// A response to a newer request was there first.
    Overtaken,
    /// Its body ended before it was complete: nothing of it is kept.
    CutShort,
    /// Its body has more bytes than are stored of one.
    TooLarge,
    /// There was no room for it while it came.
    NoRoom,
}
