//! One message, or what is said in one room: for scripts.

use anyhow::Context as _;
use relais_hub::{
    Lang,
    client::News,
    json,
    model::Kind,
    protocol::{Answer, Ask, Code, Event, Listed, Place, Refusal, Secret, Told},
    words::{self, Reader},
};
use tokio::time::Instant;

use super::{
    caller::Caller,
    ends::{is_out, may_be_in},
    let_in::{Door, refused},
    phrases::{BACK, LOST},
    place::{found, no_room, out_of, place},
};
use crate::{
    output::{self, PRINTING, Telling, print_on, tell},
    stop::Stop,
};

/// Who a script talks as, in which language it is told of it, and whether it makes rooms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) door: &'a Door,
    pub(super) lang: Lang,
    pub(super) absent: Absent,
}

/// What comes of a room that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// It is made.
    Made,
    /// It is told.
    Told,
}

/// Says one message, and ends once it is written down.
pub(super) async fn send(
    mut caller: Caller,
    asker: Asker<'_>,
    (words, telling): (&[String], Telling),
) -> Result<(), Stop> {
    let [room, body @ ..] = words else { return Ok(()) };
    let (_, rooms) = enter(&mut caller, asker).await?;
    let to = come_in(&mut caller, asker, (room, &rooms)).await?;
    let body = body.join(" ");
    let message = Ask::Message { to, kind: Kind::Text, body, reply: None, cid: None };
    let answer = answer(&mut caller, asker, message).await?;
    if let (Answer::Written { seq, .. }, Telling::More) = (answer, telling) {
        tell(format_args!("* written down as {seq}"));
    }
    caller.end().await;
    Ok(())
}

/// Prints what is said in `room`, for as long as somebody reads it, and who asks is in it.
pub(super) async fn tail(
    mut caller: Caller,
    asker: Asker<'_>,
    (room, is_json): (&str, bool),
) -> Result<(), Stop> {
    let (me, rooms) = enter(&mut caller, asker).await?;
    let here = come_in(&mut caller, asker, (room, &rooms)).await?;
    let show = if is_json { frame } else { line };
    loop {
        match caller.next().await? {
            Some(News::Happened(event)) if event.room() == Some(&here) => {
                let is_out = is_out(&event, &me);
                let text = show(event, (&here, asker.lang));
                if print_on(&text).context(PRINTING)? == output::Reader::HasEnough {
                    caller.end().await;
                    return Ok(());
                }
                if is_out {
                    return Err(out_of(&here, asker.lang));
                }
            }
            heard => {
                let is_out =
                    matches!(&heard, Some(News::Entered { rooms, .. }) if !may_be_in(&here, rooms));
                go_on(asker, heard)?;
                if is_out {
                    return Err(out_of(&here, asker.lang));
                }
            }
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

/// Waits to be let in. Gives what who asks is called, and the rooms that it is in.
async fn enter(caller: &mut Caller, asker: Asker<'_>) -> Result<(String, Vec<Listed>), Stop> {
    let mut heard = Some(asker.door.enter(caller, asker.lang).await?);
    loop {
        match heard {
            Some(News::Entered { user, token, rooms, .. }) => {
                keep(asker, (&user, token.as_ref()));
                return Ok((user, rooms));
            }
            other => go_on(asker, other)?,
        }
        heard = caller.next().await?;
    }
}

/// Comes into the room that is called `name`, where it is not in. Gives it as the hub calls it.
async fn come_in(
    caller: &mut Caller,
    asker: Asker<'_>,
    (name, rooms): (&str, &[Listed]),
) -> Result<Place, Stop> {
    let room = place(name);
    if let Some(room) = found(&room, rooms) {
        return Ok(room);
    }
    if let Place::Person(user) = &room {
        // Nobody says anything to who is not there: that is told at once.
        let user = user.clone();
        return answer(caller, asker, Ask::Whois { user }).await.map(|_| room);
    }
    if asker.absent == Absent::Told {
        is_there(caller, asker, &room).await?;
    }
    match answer(caller, asker, Ask::Join { room: room.clone() }).await? {
        Answer::Joined(listed) => Ok(listed.room),
        _ => Ok(room),
    }
}

/// Whether `room` is there: to come into one that is not would make it.
///
/// # Errors
///
/// That it is not, and which are like it.
async fn is_there(caller: &mut Caller, asker: Asker<'_>, room: &Place) -> Result<(), Stop> {
    // What one wants to notice of a room is told to who is in it alone; of one that is not there, that.
    let found = asked(caller, asker, Ask::Wishes { room: Some(room.clone()) }).await?;
    if !matches!(found, Err(Refusal { code: Code::NoSuchRoom, .. })) {
        return Ok(());
    }
    let all = answer(caller, asker, Ask::Rooms { matching: Some(String::new()) }).await?;
    let Answer::Rooms { rooms, .. } = all else { return Ok(()) };
    let rooms: Vec<_> = rooms.into_iter().map(|listed| listed.room.to_string()).collect();
    Err(no_room(room, &rooms, asker.lang))
}

/// Asks, and waits for the answer.
async fn answer(caller: &mut Caller, asker: Asker<'_>, ask: Ask) -> Result<Answer, Stop> {
    asked(caller, asker, ask).await?.map_err(|refusal| refused(&refusal, asker.lang))
}

/// The same, refused or not.
async fn asked(
    caller: &mut Caller,
    asker: Asker<'_>,
    ask: Ask,
) -> Result<Result<Answer, Refusal>, Stop> {
    caller.talk.ask(ask, Instant::now());
    loop {
        match caller.next().await? {
            Some(News::Answered(_, answer)) => return Ok(answer),
            heard => go_on(asker, heard)?,
        }
    }
}

fn keep(asker: Asker<'_>, (user, token): (&str, Option<&Secret>)) {
    if let Err(why) = asker.door.keep(user, token, asker.lang) {
        tell(why);
    }
}

/// Tells of what does not end it.
fn go_on(asker: Asker<'_>, heard: Option<News>) -> Result<(), Stop> {
    let Asker { door, lang, .. } = asker;
    match heard {
        None => tell(LOST.of(lang)),
        Some(News::Entered { user, token, .. }) => {
            keep(asker, (&user, token.as_ref()));
            tell(BACK.of(lang));
        }
        Some(News::Happened(event @ Event::Rewound { .. })) => {
            let reader = Reader { lang, me: None, here: None };
            let told = words::show(&Told::Event(event), reader);
            tell(told.trim_start_matches("# ").trim_end());
        }
        Some(News::Refused(refusal)) => return Err(door.refused(&refusal, lang)),
        Some(News::Happened(_) | News::Answered(..) | News::Unsure(_)) => {}
    }
    Ok(())
}
