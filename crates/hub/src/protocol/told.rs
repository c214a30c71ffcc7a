//! What clients are told: answers to what they asked, and events.

use super::{Event, Place, Refusal, Secret};
use crate::model::{Access, Level, Millis, Mode, Role, Seq, Wishes};

/// Something that one client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What it asked comes to this.
    Answer {
        /// Its number.
        re: Option<u64>,
        /// What it comes to.
        answer: Result<Answer, Refusal>,
    },
    /// Something happened.
    Event(Event),
}

/// What something comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was done.
    Done,
    /// Who we are.
    Hello {
        /// Name and version.
        server: String,
        /// Whether an account can be made: `open`, `invitation`, `closed`.
        register: &'static str,
        /// The longest frame, in bytes.
        frame: usize,
        /// The longest text, in bytes.
        body: usize,
        /// What time it is.
        time: Millis,
        /// Whether others cannot read along.
        tls: bool,
        /// Whether a certificate was shown, by which who asks may log in.
        external: bool,
    },
    /// Who asked is somebody now.
    LoggedIn {
        /// Who.
        user: String,
        /// What this device's session is called.
        session: String,
        /// What logs it in again, told this once; none where a token was shown.
        token: Option<Secret>,
        /// The last entry that is included in `rooms`.
        cursor: Seq,
        /// What it is in.
        rooms: Vec<Listed>,
        /// What it wants to notice.
        wishes: Wishes,
    },
    /// It was written down.
    Written {
        /// Where.
        seq: Seq,
        /// When.
        at: Millis,
        /// Whether it was before.
        dup: bool,
    },
    /// Who asked is in.
    Joined(Listed),
    /// What was said.
    Page {
        /// In its order.
        events: Vec<Event>,
        /// Whether there is more of it.
        more: bool,
    },
    /// Rooms.
    Rooms {
        /// Which, those first that matter most to who asks.
        rooms: Vec<Listed>,
        /// Whether there are more.
        more: bool,
    },
    /// Who is in a room.
    Members {
        /// Who, as what, whether online; of many first those who may moderate, then those who are.
        members: Vec<(String, Role, bool)>,
        /// Whether there are more.
        more: bool,
    },
    /// Somebody.
    Person {
        /// What it is called.
        user: String,
        /// Since when it is.
        since: Millis,
        /// Whether it is online.
        online: bool,
        /// What it says about being away.
        away: Option<String>,
    },
    /// What an expression comes to.
    Value(String),
    /// What somebody wants to notice.
    Wishes {
        /// In all rooms.
        wishes: Wishes,
        /// Of the room that was asked about.
        level: Option<(Place, Level)>,
    },
    /// Devices: what each is called, what its session is, when it was last seen, whether it asks.
    Sessions(Vec<(String, String, Millis, bool)>),
    /// Where a program posts what it says.
    Hooked {
        /// The path. Told once.
        path: Secret,
        /// What its session is called, to revoke it.
        session: String,
    },
    /// By which certificate the account is known, too.
    Certified {
        /// Its fingerprint: SHA-256, in hexadecimal.
        certificate: String,
        /// What its session is called, to revoke it.
        session: String,
    },
    /// What the account did, as it was written.
    Exported {
        /// What it did.
        events: Vec<Event>,
        /// Up to where the log was looked through for it.
        upto: Seq,
        /// Whether there is more of the log behind that.
        more: bool,
    },
    /// All that was missed has been told.
    Live {
        /// The last entry of it.
        cursor: Seq,
    },
    /// Yes.
    Pong {
        /// As it came, if it did.
        t: Option<u64>,
    },
    /// What can be asked: what is typed, and what it does.
    Help(Vec<(String, String)>),
    /// What datagrams are made with.
    Datagrams(Ticket),
    /// The connection ends.
    Bye,
}

/// What datagrams are made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What the association is called, in hexadecimal digits.
    pub sid: String,
    /// What its keys are made of, in the same.
    pub key: Secret,
    /// Where the hub hears them.
    pub port: u16,
    /// The longest, in bytes.
    pub mtu: usize,
    /// Whether all but the two may read them: `sealed`, or `mac`.
    pub form: &'static str,
    /// Until when.
    pub expires: Millis,
}

/// A room in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub room: Place,
    /// What it is about.
    pub topic: String,
    /// For whom.
    pub access: Access,
    /// Its last entry.
    pub last: Seq,
    /// The last that who asked has read, and what it is there; `None` if not in it.
    pub mine: Option<(Seq, Role)>,
    /// How much was said since.
    pub unread: u64,
    /// How much of that is for who asked: names it, has a word that it looks out for, or is said to it
    /// alone.
    pub mentions: u64,
    /// How much of it who asked wants to notice.
    pub level: Level,
    /// How many are in it.
    pub members: usize,
    /// How many seconds each who is in it has to wait between two messages; 0 of who is not.
    pub slow: u32,
    /// The dialogue that is held there.
    pub dialogue: Option<Held>,
    /// Who has who asked come in, if it is invited and not in it.
    pub invited: Option<InvitedBy>,
}

/// An invitation that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitedBy {
    /// Who invited last.
    pub by: String,
    /// When.
    pub at: Millis,
}

/// A dialogue that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// How.
    pub mode: Mode,
    /// Whose turn it is, if they take turns.
    pub turn: Option<String>,
}
