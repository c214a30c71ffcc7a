//! One message, or what is said in one room: for scripts.

use anyhow::Context as _;
use relais_hub::{
    Lang,
    client::News,
    json,
    model::Kind,
    protocol::{Answer, Ask, Event, Listed, Place, Refusal, Told},
    words::{self, Reader},
};
use tokio::time::Instant;

use super::{
    caller::Caller,
    let_in::{Door, refused},
    place::{found, place},
};
use crate::{
    output::{self, PRINTING, Telling, print_on, tell},
    stop::Stop,
};

/// What is told once a connection is lost.
pub(super) const LOST: &str = "the connection is lost; calling again";

/// What is told once it is there again.
pub(super) const BACK: &str = "connected again";

/// Says one message, and ends once it is written down.
pub(super) async fn send(
    mut caller: Caller,
    door: &Door,
    (words, telling): (&[String], Telling),
) -> Result<(), Stop> {
    let [room, body @ ..] = words else { return Ok(()) };
    let rooms = enter(&mut caller, door).await?;
    let to = come_in(&mut caller, door, (room, &rooms)).await?;
    let body = body.join(" ");
    let message = Ask::Message { to, kind: Kind::Text, body, reply: None, cid: None };
    let answer = answer(&mut caller, door, message).await?;
    if let (Answer::Written { seq, .. }, Telling::More) = (answer, telling) {
        tell(format_args!("* written down as {seq}"));
    }
    caller.end().await;
    Ok(())
}

/// Prints what is said in `room`, for as long as somebody reads it.
pub(super) async fn tail(
    mut caller: Caller,
    door: &Door,
    (room, is_json): (&str, bool),
) -> Result<(), Stop> {
    let rooms = enter(&mut caller, door).await?;
    let here = come_in(&mut caller, door, (room, &rooms)).await?;
    let show = if is_json { frame } else { line };
    loop {
        match caller.next().await? {
            Some(News::Happened(event)) if event.room() == Some(&here) => {
                let text = show(event, (&here, door.lang));
                if print_on(&text).context(PRINTING)? == output::Reader::HasEnough {
                    caller.end().await;
                    return Ok(());
                }
            }
            heard => go_on(door, heard)?,
        }
    }
}

fn frame(event: Event, _: (&Place, Lang)) -> Vec<u8> {
    let mut frame = Vec::new();
    json::write(&Told::Event(event), &mut frame);
    frame
}

fn line(event: Event, (here, lang): (&Place, Lang)) -> Vec<u8> {
    let reader = Reader { lang, me: None, here: Some(here) };
    words::show(&Told::Event(event), reader).into_bytes()
}

/// Waits to be let in. Gives the rooms that who asks is in.
async fn enter(caller: &mut Caller, door: &Door) -> Result<Vec<Listed>, Stop> {
    loop {
        match caller.next().await? {
            Some(News::Entered { user, token, rooms, .. }) => {
                door.keep(&user, token.as_ref());
                return Ok(rooms);
            }
            heard => go_on(door, heard)?,
        }
    }
}

/// Comes into the room that is called `name`, where it is not in. Gives it as the hub calls it.
async fn come_in(
    caller: &mut Caller,
    door: &Door,
    (name, rooms): (&str, &[Listed]),
) -> Result<Place, Stop> {
    let room = place(name);
    if let Some(room) = found(&room, rooms) {
        return Ok(room);
    }
    if let Place::Person(_) = room {
        return Ok(room);
    }
    match answer(caller, door, Ask::Join { room: room.clone() }).await? {
        Answer::Joined(listed) => Ok(listed.room),
        _ => Ok(room),
    }
}

/// Asks, and waits for the answer.
async fn answer(caller: &mut Caller, door: &Door, ask: Ask) -> Result<Answer, Stop> {
    caller.talk.ask(ask, Instant::now());
    loop {
        match caller.next().await? {
            Some(News::Answered(_, answer)) => {
                return answer.map_err(|refusal: Refusal| refused(&refusal, door.lang));
            }
            heard => go_on(door, heard)?,
        }
    }
}

/// Tells of what does not end it.
fn go_on(door: &Door, heard: Option<News>) -> Result<(), Stop> {
    match heard {
        None => tell(LOST),
        Some(News::Entered { user, token, .. }) => {
            door.keep(&user, token.as_ref());
            tell(BACK);
        }
        Some(News::Refused(refusal)) => return Err(door.refused(&refusal)),
        Some(News::Happened(_) | News::Answered(..) | News::Unsure(_)) => {}
    }
    Ok(())
}
