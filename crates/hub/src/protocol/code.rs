//! Why something is refused: a code that stays, which programs read. The text beside it is for
//! people, in their language.

/// Why something is refused. Printed as in `HUB` of the reference: `BAD_FRAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// No JSON, or not of this kind.
    BadFrame,
    /// Longer than frames may be.
    FrameTooBig,
    /// Nothing is called so.
    UnknownCommand,
    /// Something has to be said that was not.
    MissingField,
    /// What was said is nothing that it may be.
    BadField,
    /// Another version is spoken.
    UnsupportedProto,
    /// For who has an account.
    NotLoggedIn,
    /// Once is enough.
    AlreadyLoggedIn,
    /// Nobody has this name and password.
    BadCredentials,
    /// The name is somebody's.
    AccountExists,
    /// The room's name is another's.
    NameTaken,
    /// The name looks like another.
    NameConfusable,
    /// Nothing may be called so.
    NameInvalid,
    /// Too easy to guess.
    WeakPassword,
    /// Nobody, or nobody without an invitation, may make an account.
    RegistrationClosed,
    /// Not where others could read it.
    TlsRequired,
    /// The token is of no use any more.
    TokenExpired,
    /// The device was logged out elsewhere.
    SessionRevoked,
    /// There is none, or none that may be known of.
    NoSuchRoom,
    /// Nobody is called so.
    NoSuchUser,
    /// For who is in the room.
    NotInRoom,
    /// For who may do more.
    Forbidden,
    /// Not for who asks.
    Banned,
    /// Who asks may not speak.
    Muted,
    /// As many are in as may be.
    RoomFull,
    /// Nothing is there in the log, or nothing of this room.
    NoSuchEvent,
    /// What was said so long ago stays.
    EditTooLate,
    /// The client called something else so.
    CidReused,
    /// Longer than it may be.
    TooLong,
    /// As many as there may be.
    TooMany,
    /// Later, yes.
    RateLimited,
    /// It comes to nothing.
    CalcError,
    /// It took too long.
    CalcTimeout,
    /// The disk takes no more.
    StoreFull,
    /// Later, perhaps.
    Unavailable,
    /// The hub goes.
    Shutdown,
    /// A bug, or the disk.
    Internal,
}

/// Why something is refused, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub code: Code,
    /// What was found and what was expected, in a few words; may be empty.
    pub why: String,
    /// Which of what was said.
    pub field: Option<&'static str>,
    /// When it may be asked again, in milliseconds.
    pub retry_ms: Option<u64>,
}

impl Refusal {
    /// For `code`, and nothing more.
    pub fn of(code: Code) -> Self {
        Self { code, why: String::new(), field: None, retry_ms: None }
    }

    /// The same, of `field`.
    #[must_use]
    pub fn field(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    /// The same, because of `why`.
    #[must_use]
    pub fn why(self, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..self }
    }

    /// The same, for so long.
    #[must_use]
    pub fn retry_ms(self, ms: u64) -> Self {
        Self { retry_ms: Some(ms), ..self }
    }
}
