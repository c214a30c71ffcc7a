//! Why something is refused: a code that stays, which programs read. The text beside it is for
//! people, in their language.

use std::fmt;

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
    /// No hook has this path.
    NoSuchHook,
    /// For who is in the room.
    NotInRoom,
    /// For who may do more.
    Forbidden,
    /// Not for who asks.
    Banned,
    /// Who asks may not speak.
    Muted,
    /// The other is to speak first.
    NotYourTurn,
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

impl Code {
    /// All of them, in their order.
    pub const ALL: [Self; 39] = [
        Self::BadFrame,
        Self::FrameTooBig,
        Self::UnknownCommand,
        Self::MissingField,
        Self::BadField,
        Self::UnsupportedProto,
        Self::NotLoggedIn,
        Self::AlreadyLoggedIn,
        Self::BadCredentials,
        Self::AccountExists,
        Self::NameTaken,
        Self::NameConfusable,
        Self::NameInvalid,
        Self::WeakPassword,
        Self::RegistrationClosed,
        Self::TlsRequired,
        Self::TokenExpired,
        Self::SessionRevoked,
        Self::NoSuchRoom,
        Self::NoSuchUser,
        Self::NoSuchHook,
        Self::NotInRoom,
        Self::Forbidden,
        Self::Banned,
        Self::Muted,
        Self::NotYourTurn,
        Self::RoomFull,
        Self::NoSuchEvent,
        Self::EditTooLate,
        Self::CidReused,
        Self::TooLong,
        Self::TooMany,
        Self::RateLimited,
        Self::CalcError,
        Self::CalcTimeout,
        Self::StoreFull,
        Self::Unavailable,
        Self::Shutdown,
        Self::Internal,
    ];

    /// As programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadFrame => "BAD_FRAME",
            Self::FrameTooBig => "FRAME_TOO_BIG",
            Self::UnknownCommand => "UNKNOWN_COMMAND",
            Self::MissingField => "MISSING_FIELD",
            Self::BadField => "BAD_FIELD",
            Self::UnsupportedProto => "UNSUPPORTED_PROTO",
            Self::NotLoggedIn => "NOT_LOGGED_IN",
            Self::AlreadyLoggedIn => "ALREADY_LOGGED_IN",
            Self::BadCredentials => "BAD_CREDENTIALS",
            Self::AccountExists => "ACCOUNT_EXISTS",
            Self::NameTaken => "NAME_TAKEN",
            Self::NameConfusable => "NAME_CONFUSABLE",
            Self::NameInvalid => "NAME_INVALID",
            Self::WeakPassword => "WEAK_PASSWORD",
            Self::RegistrationClosed => "REGISTRATION_CLOSED",
            Self::TlsRequired => "TLS_REQUIRED",
            Self::TokenExpired => "TOKEN_EXPIRED",
            Self::SessionRevoked => "SESSION_REVOKED",
            Self::NoSuchRoom => "NO_SUCH_ROOM",
            Self::NoSuchUser => "NO_SUCH_USER",
            Self::NoSuchHook => "NO_SUCH_HOOK",
            Self::NotInRoom => "NOT_IN_ROOM",
            Self::Forbidden => "FORBIDDEN",
            Self::Banned => "BANNED",
            Self::Muted => "MUTED",
            Self::NotYourTurn => "NOT_YOUR_TURN",
            Self::RoomFull => "ROOM_FULL",
            Self::NoSuchEvent => "NO_SUCH_EVENT",
            Self::EditTooLate => "EDIT_TOO_LATE",
            Self::CidReused => "CID_REUSED",
            Self::TooLong => "TOO_LONG",
            Self::TooMany => "TOO_MANY",
            Self::RateLimited => "RATE_LIMITED",
            Self::CalcError => "CALC_ERROR",
            Self::CalcTimeout => "CALC_TIMEOUT",
            Self::StoreFull => "STORE_FULL",
            Self::Unavailable => "UNAVAILABLE",
            Self::Shutdown => "SHUTDOWN",
            Self::Internal => "INTERNAL",
        }
    }

    /// What is printed as `text`.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_and_reads_as_it_is_printed() {
        assert_eq!(Code::ALL.len(), Code::Internal as usize + 1);
        for (at, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, at);
            assert_eq!(Code::read(&code.to_string()), Some(code));
        }
        assert_eq!(Code::BadFrame.as_str(), "BAD_FRAME");
        assert_eq!(Code::read("bad_frame"), None);
    }
}
