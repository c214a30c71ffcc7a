//! What there is, as it is told: an object each. The guide lists their fields.

use std::time::{Duration, UNIX_EPOCH};

use relais_hub::{
    Exported, json,
    model::{Access, Member, Millis, Role, Said, Standing, Voice},
    protocol::{Event, Told},
    store::{Absentee, Chamber, Invitation, Seated, Session, User},
};
use relais_wire::timestamp::Timestamp;
use serde_json::{Value, json};

/// An account, and whether it is connected now.
pub(super) fn user(user: &User, online: Option<bool>) -> Value {
    let User { id, name, since, admin, gone, devices, seen } = user;
    let deleted = gone.map(|said| match said {
        Said::Stays => "messages stay",
        Said::Goes => "messages taken out",
    });
    let mut told = json!({
        "user": name, "id": id.0.0, "since": time(*since), "administrator": admin,
        "deleted": deleted, "devices": devices, "seen": seen.map(time),
    });
    if let Some(online) = online {
        told["online"] = online.into();
    }
    told
}

/// A device. What it is known by is not told.
pub(super) fn device(session: &Session) -> Value {
    let Session { hash: _, name, account: _, device, since, seen, room: _, stays: _ } = session;
    json!({ "session": name, "device": device, "since": time(*since), "seen": time(*seen) })
}

/// A room.
pub(super) fn room(room: &Chamber) -> Value {
    let Chamber { id, name, access, topic, members, slow_seconds, retain_days } = room;
    json!({
        "room": name, "id": id.0.0, "private": *access == Access::Private, "topic": topic,
        "members": members, "slow": slow_seconds, "retain": retain_days,
    })
}

/// Somebody in a room.
pub(super) fn member(seated: &Seated) -> Value {
    let Member { role: rank, voice, .. } = seated.member;
    json!({ "user": seated.name, "role": role(rank), "muted": muted(voice), "in": true })
}

/// Somebody who left one, and ranks there, or is muted.
pub(super) fn absentee(absentee: &Absentee) -> Value {
    let Standing { role: rank, voice, .. } = absentee.standing;
    json!({ "user": absentee.name, "role": role(rank), "muted": muted(voice), "in": false })
}

fn muted(voice: Voice) -> Value {
    match voice {
        Voice::Free => Value::Bool(false),
        Voice::Muted(None) => Value::Bool(true),
        Voice::Muted(Some(until)) => time(until),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Moderator => "moderator",
        Role::Owner => "owner",
    }
}

/// An invitation into `room`.
pub(super) fn invitation(invitation: &Invitation, room: Option<&str>) -> Value {
    let Invitation { hash: _, name, since, until, uses, room: _ } = invitation;
    json!({
        "name": name, "since": time(*since), "expires": until.map(time), "uses": uses, "room": room,
    })
}

/// Something of an account that is exported.
pub(super) fn exported(exported: &Exported) -> Value {
    let (is, mut told) = match exported {
        Exported::Account(of) => ("account", user(of, None)),
        Exported::Device(session) => ("device", device(session)),
        Exported::Member(place, seated) => {
            let (since, read) = (seated.member.since.0, seated.member.read.0);
            let role = role(seated.member.role);
            let room = place.to_string();
            ("member", json!({ "room": room, "role": role, "since": since, "read": read }))
        }
        Exported::Event(event) => return event_told(event),
    };
    told["is"] = is.into();
    told
}

/// Something that an account did, as the protocol tells it.
pub(crate) fn event_told(event: &Event) -> Value {
    let mut line = Vec::new();
    json::write(&Told::Event(event.clone()), &mut line);
    let mut told = serde_json::from_slice(&line).unwrap_or(Value::Null);
    if let Value::Object(fields) = &mut told {
        // What was before it in the room may be others'.
        fields.remove("prev");
    }
    told
}

/// Where the milliseconds of a time end: `2026-11-20T19:00:03.511`.
const MILLIS_END: usize = 23;

pub(super) fn time(at: Millis) -> Value {
    let at = UNIX_EPOCH.checked_add(Duration::from_millis(at.0)).unwrap_or(UNIX_EPOCH);
    // To the millisecond, as the protocol has it.
    let text = Timestamp::of(at);
    format!("{}Z", &text.as_str()[..MILLIS_END]).into()
}
