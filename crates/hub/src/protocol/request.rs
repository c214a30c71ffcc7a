//! What a client asks for: one type for all doors, whatever its spelling there. It is long for being one
//! list.

use super::{EventsBy, Page, Place, Proof, Resume, Secret};
use crate::model::{Access, Cid, Kind, Level, Mode, Role, Said, Seq};

/// What a client asks for, and what the answer is to be known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The client's own number, which comes back with the answer.
    pub id: Option<u64>,
    /// What it asks.
    pub ask: Ask,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Who are you? Needed by nobody.
    Hello {
        /// Which version of the protocol the client speaks.
        proto: Option<u64>,
        /// What the client is.
        client: Option<String>,
        /// In which language it is spoken to, as `fr`.
        lang: Option<String>,
    },
    /// An account of this name. Who asks is logged in then.
    Register {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
        /// Where only who was invited may.
        invitation: Option<Secret>,
        /// What the device is called that asks.
        device: Option<String>,
    },
    /// To be who has this name and password, or this token.
    Login {
        /// How it is shown who it is.
        proof: Proof,
        /// What the device is called that asks.
        device: Option<String>,
        /// What was missed since.
        resume: Option<Resume>,
    },
    /// To be nobody again.
    Logout {
        /// On all devices.
        all: bool,
    },
    /// Another password.
    Password {
        /// The one until now.
        old: Secret,
        /// The one from now on.
        new: Secret,
    },
    /// To have no account any more.
    Unregister {
        /// Its password.
        password: Secret,
        /// What becomes of what it said.
        said: Said,
    },
    /// What was missed.
    Resume(Resume),
    /// To say something.
    Message {
        /// Where.
        to: Place,
        /// How.
        kind: Kind,
        /// What.
        body: String,
        /// To what it is the answer.
        reply: Option<Seq>,
        /// What the client calls it.
        cid: Option<Cid>,
    },
    /// To tell something to everybody who is there. It is not kept. For administrators.
    Announce {
        /// What.
        body: String,
    },
    /// To have what was said read otherwise.
    Edit {
        /// Where it was said.
        room: Place,
        /// What.
        seq: Seq,
        /// How.
        body: String,
        /// What the client calls it.
        cid: Option<Cid>,
    },
    /// To take out what was said.
    Redact {
        /// Where it was said.
        room: Place,
        /// What.
        seq: Seq,
        /// Why.
        reason: Option<String>,
        /// What the client calls it.
        cid: Option<Cid>,
    },
    /// To answer with a sign.
    React {
        /// Where it was said.
        room: Place,
        /// To what.
        seq: Seq,
        /// An emoji, or a short word.
        emoji: String,
        /// Put there, or taken away.
        on: bool,
        /// What the client calls it.
        cid: Option<Cid>,
    },
    /// To have read so far.
    Read {
        /// Where.
        room: Place,
        /// The last.
        seq: Seq,
    },
    /// To be writing, or not any more.
    Typing {
        /// Where.
        room: Place,
        /// Whether.
        on: bool,
    },
    /// To be away, with a word about it, or back.
    Away {
        /// The word; back without.
        text: Option<String>,
    },
    /// What was said.
    History {
        /// Where.
        room: Place,
        /// Which of it.
        page: Page,
        /// At most so much.
        limit: Option<usize>,
        /// Only so many messages of that, with what lies between. Of [`Page::Around`] it says nothing.
        messages: Option<usize>,
    },
    /// What was said that has these words.
    Search {
        /// The words.
        words: String,
        /// Only there.
        room: Option<Place>,
        /// Only of who is called so.
        from: Option<String>,
        /// At most so much.
        limit: Option<usize>,
    },
    /// To come in, or to speak with somebody; what is not there is made.
    Join {
        /// Where.
        room: Place,
    },
    /// To leave.
    Part {
        /// Where.
        room: Place,
    },
    /// To make a room.
    Create {
        /// What it is to be called.
        room: String,
        /// For whom.
        access: Access,
        /// What it is about.
        topic: Option<String>,
    },
    /// To let somebody in.
    Invite {
        /// Where.
        room: Place,
        /// Whom.
        user: String,
    },
    /// To say what a room is about.
    Topic {
        /// Which.
        room: Place,
        /// Nothing, if it is empty.
        topic: String,
    },
    /// To give somebody another standing.
    Role {
        /// Where.
        room: Place,
        /// Whom.
        user: String,
        /// Which.
        role: Role,
    },
    /// To send somebody out.
    Kick {
        /// From where.
        room: Place,
        /// Whom.
        user: String,
        /// Why.
        reason: Option<String>,
    },
    /// To keep somebody out.
    Ban {
        /// Of where.
        room: Place,
        /// Whom.
        user: String,
        /// For how many seconds; for good without.
        seconds: Option<u64>,
        /// Why.
        reason: Option<String>,
    },
    /// To let somebody in again.
    Unban {
        /// Where.
        room: Place,
        /// Whom.
        user: String,
    },
    /// To have somebody say nothing, or speak again.
    Mute {
        /// Where.
        room: Place,
        /// Whom.
        user: String,
        /// Whether.
        on: bool,
        /// For how many seconds; for good without.
        seconds: Option<u64>,
    },
    /// To have everybody wait between two things they say.
    Slow {
        /// Where.
        room: Place,
        /// So many seconds.
        seconds: u32,
    },
    /// How long what is said is kept.
    Retain {
        /// Where.
        room: Place,
        /// So many days; for good without.
        days: Option<u32>,
    },
    /// To hold a dialogue with somebody, or to end it.
    Dialogue {
        /// With whom.
        with: String,
        /// How; no more without.
        mode: Option<Mode>,
    },
    /// To notice more of a room, or less.
    Notify {
        /// Which.
        room: Place,
        /// How much.
        level: Level,
    },
    /// To look out for words.
    Keywords {
        /// These, and none that were named before.
        words: Vec<String>,
    },
    /// To notice nothing for now, or what one did before.
    Quiet {
        /// Whether nothing.
        on: bool,
        /// For how many seconds; for good without.
        seconds: Option<u64>,
    },
    /// What is set of all that: which words are looked out for, and whether one is not disturbed.
    Wishes {
        /// How much of this room is noticed, too.
        room: Option<Place>,
    },
    /// Which rooms there are.
    Rooms {
        /// Whose name has this in it.
        matching: Option<String>,
    },
    /// Who is in a room.
    Who {
        /// Which.
        room: Place,
    },
    /// Who somebody is.
    Whois {
        /// Who.
        user: String,
    },
    /// What an expression comes to.
    Calc {
        /// The expression.
        expr: String,
    },
    /// All that the account did, as it was written.
    Export {
        /// What was written behind this; all, without.
        after: Option<Seq>,
    },
    /// Which devices are logged in.
    Sessions,
    /// To have a device be nobody again.
    Revoke {
        /// Which.
        session: String,
    },
    /// To have a program say something in a room over HTTP. For its moderators.
    Hook {
        /// Where.
        room: Place,
        /// What it is called there.
        name: String,
    },
    /// To log in by the certificate that this connection has shown, from here on.
    Certify {
        /// What the device is called.
        name: String,
    },
    /// Are you there?
    Ping {
        /// Comes back as it is.
        t: Option<u64>,
    },
    /// What can be asked.
    Help,
    /// To speak by datagrams, too.
    Udp {
        /// By which way events come.
        events: EventsBy,
    },
    /// The end of the connection. The session stays.
    Bye {
        /// Why.
        reason: Option<String>,
    },
}
