//! What there is in a hub, read beside it, and told row by row.

use std::{collections::HashSet, ops::ControlFlow};

use relais_hub::{
    Hub, export,
    model::{AccountId, RoomId, Seq},
    store::{Broken, Ledger, User},
};
use serde_json::{Value, json};

use super::{
    answers::{Answers, Done, Not, broken, not, on_a_thread},
    found,
};
use crate::control::OfHub;

/// How many rows are read at once.
const READ_AT_ONCE: usize = 500;

/// Tells what there is.
pub(super) async fn look(of: OfHub, hub: &Hub, answers: &Answers) -> Done {
    let (ledger, answers) = (hub.ledger().map_err(|error| broken(&error))?, answers.clone());
    let looking: Looking = match of {
        OfHub::Users {} => {
            let present = present(hub).await;
            Box::new(move |ledger, answers| users(ledger, &present, answers))
        }
        OfHub::Rooms {} => Box::new(rooms),
        OfHub::Invitations {} => Box::new(invitations),
        OfHub::User { user } => {
            let who = hub.find_user(&user).await.map_err(|why| not(&why, &user))?;
            let present = present(hub).await;
            Box::new(move |ledger, answers| show_user(ledger, (who, &present), answers))
        }
        OfHub::Tokens { user } => of_user(hub, &user, devices).await?,
        OfHub::Export { user } => of_user(hub, &user, all_of).await?,
        OfHub::Room { room } => of_room(hub, &room, show_room).await?,
        OfHub::Members { room } => of_room(hub, &room, members).await?,
        // What is done is done elsewhere.
        _ => Box::new(|_, _| Ok(())),
    };
    on_a_thread(move || looking(&ledger, &answers)).await.map(|()| String::new())
}

/// Who is connected now: nobody that is known of, where the hub does not say.
async fn present(hub: &Hub) -> HashSet<AccountId> {
    hub.present().await.unwrap_or_default()
}

/// What is looked up, once it is known of whom or where.
type Looking = Box<dyn FnOnce(&Ledger, &Answers) -> Result<(), Broken> + Send>;

async fn of_user(
    hub: &Hub,
    user: &str,
    look: fn(&Ledger, AccountId, &Answers) -> Result<(), Broken>,
) -> Result<Looking, Not> {
    let who = hub.find_user(user).await.map_err(|why| not(&why, user))?;
    Ok(Box::new(move |ledger, answers| look(ledger, who, answers)))
}

async fn of_room(
    hub: &Hub,
    room: &str,
    look: fn(&Ledger, RoomId, &Answers) -> Result<(), Broken>,
) -> Result<Looking, Not> {
    let room = hub.find_room(room).await.map_err(|why| not(&why, room))?;
    Ok(Box::new(move |ledger, answers| look(ledger, room, answers)))
}

fn show_room(ledger: &Ledger, room: RoomId, answers: &Answers) -> Result<(), Broken> {
    if let Some(room) = ledger.room(room)? {
        answers.give_waiting(found::room(&room));
    }
    Ok(())
}

fn users(ledger: &Ledger, present: &HashSet<AccountId>, answers: &Answers) -> Result<(), Broken> {
    let mut after = AccountId::default();
    loop {
        let page = ledger.users(after, READ_AT_ONCE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        let told = |user: &User| found::user(user, Some(present.contains(&user.id)));
        if !page.iter().all(|user| answers.give_waiting(told(user))) {
            return Ok(());
        }
    }
}

fn rooms(ledger: &Ledger, answers: &Answers) -> Result<(), Broken> {
    let mut after = RoomId(Seq(0));
    loop {
        let page = ledger.rooms(after, READ_AT_ONCE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        if !page.iter().all(|room| answers.give_waiting(found::room(room))) {
            return Ok(());
        }
    }
}

/// Who is in a room; behind them who is not, and ranks there, or is muted.
fn members(ledger: &Ledger, room: RoomId, answers: &Answers) -> Result<(), Broken> {
    let mut after = AccountId::default();
    loop {
        let page = ledger.members(room, after, READ_AT_ONCE)?;
        let Some(last) = page.last() else { return absentees(ledger, room, answers) };
        after = last.who;
        if !page.iter().all(|seated| answers.give_waiting(found::member(seated))) {
            return Ok(());
        }
    }
}

fn absentees(ledger: &Ledger, room: RoomId, answers: &Answers) -> Result<(), Broken> {
    let mut after = AccountId::default();
    loop {
        let page = ledger.absent(room, after, READ_AT_ONCE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.who;
        if !page.iter().all(|absentee| answers.give_waiting(found::absentee(absentee))) {
            return Ok(());
        }
    }
}

fn invitations(ledger: &Ledger, answers: &Answers) -> Result<(), Broken> {
    for invitation in ledger.invitations()? {
        let room = invitation.room.map(|room| ledger.room(room)).transpose()?.flatten();
        let room = room.map(|room| room.name);
        if !answers.give_waiting(found::invitation(&invitation, room.as_deref())) {
            break;
        }
    }
    Ok(())
}

fn show_user(
    ledger: &Ledger,
    (who, present): (AccountId, &HashSet<AccountId>),
    answers: &Answers,
) -> Result<(), Broken> {
    let Some(user) = ledger.user(who)? else { return Ok(()) };
    let mut shown = found::user(&user, Some(present.contains(&who)));
    let devices = ledger.devices(who)?;
    shown["sessions"] = devices.iter().map(found::device).collect::<Vec<Value>>().into();
    answers.give_waiting(shown);
    Ok(())
}

fn devices(ledger: &Ledger, who: AccountId, answers: &Answers) -> Result<(), Broken> {
    let devices = ledger.devices(who)?;
    _ = devices.iter().all(|session| answers.give_waiting(found::device(session)));
    Ok(())
}

fn all_of(ledger: &Ledger, who: AccountId, answers: &Answers) -> Result<(), Broken> {
    let mut entries = 0_u64;
    let mut each = |exported| {
        entries += 1;
        let is_taken = answers.give_waiting(found::exported(&exported));
        if is_taken { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    if export(ledger, who, &mut each)?.is_continue() {
        // Who reads it sees that nothing is cut off.
        answers.give_waiting(json!({ "is": "end", "lines": entries }));
    }
    Ok(())
}
