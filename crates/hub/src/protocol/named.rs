//! What is named in what clients ask and are told: places, parts of what was said, secrets.

use std::fmt;

use zeroize::Zeroize;

use crate::model::Seq;

/// By which way events come to who speaks by datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventsBy {
    /// By the connection, as before.
    #[default]
    Here,
    /// By datagrams.
    Udp,
}

/// A room by its name, with `#`, or who is spoken with, with `@`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// `#lab`.
    Room(String),
    /// `@ana`, without the `@`.
    Person(String),
}

/// How it is shown who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a name and its password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// By what an earlier login gave.
    Token(Secret),
    /// By the certificate that its connection has shown.
    External,
}

/// What was missed: all since an entry, or in each of some rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// In all.
    Since(Seq),
    /// In these.
    Rooms(Vec<(Place, Seq)>),
}

impl Resume {
    /// The furthest entry up to which who asks says that it was told.
    pub fn furthest(&self) -> Seq {
        match self {
            Self::Since(since) => *since,
            Self::Rooms(rooms) => rooms.iter().map(|(_, since)| *since).max().unwrap_or_default(),
        }
    }
}

/// Which of what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The last of it.
    Latest,
    /// The last before.
    Before(Seq),
    /// The first after.
    After(Seq),
    /// Half of it before, and half from there on.
    Around(Seq),
    /// All from the one to the other.
    Between(Seq, Seq),
}

/// What nobody is to read: it is not shown when it is debugged, and is overwritten when it is
/// dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Place {
    /// `#lab` or `@ana`; `None` without a sign.
    pub fn read(text: &str) -> Option<Self> {
        if let Some(person) = text.strip_prefix('@') {
            return Some(Self::Person(person.to_owned()));
        }
        text.starts_with('#').then(|| Self::Room(text.to_owned()))
    }
}

/// As [`Place::read`] takes it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room(name) => f.write_str(name),
            Self::Person(name) => write!(f, "@{name}"),
        }
    }
}
