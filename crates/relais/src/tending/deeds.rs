//! What is asked of a hub, done: what there is, is read beside it; what changes, it does itself.

use std::{path::PathBuf, sync::Arc, time::Duration};

use relais_hub::{
    Hub, Terms,
    model::{AccountId, Said},
    protocol::Secret,
};
use serde_json::json;
use tokio::task::spawn_blocking;

use super::{
    answers::{Answers, Done, Not, broke_off, broken, not, on_a_thread},
    looking::look,
    new_file::not_copied,
    openmetrics,
    stats::Stats,
    tended::Tended,
};
use crate::{
    complaint::Wrong,
    control::{Hidden, OfHub, WhatWasSaid},
    measure::counted,
};

/// How often who waits for a copy is told how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn obey(of: OfHub, tended: &Arc<Tended>, answers: &Answers) -> Done {
    let hub = &tended.hub;
    match of {
        of @ (OfHub::AddUser { .. }
        | OfHub::Password { .. }
        | OfHub::DeleteUser { .. }
        | OfHub::Administer { .. }) => of_users(of, hub).await,
        of @ (OfHub::Token { .. } | OfHub::RevokeToken { .. }) => of_tokens(of, hub, answers).await,
        of @ (OfHub::Invite { .. } | OfHub::RevokeInvitation { .. }) => {
            of_invitations(of, hub, answers).await
        }
        of @ (OfHub::DeleteRoom { .. } | OfHub::Retain { .. } | OfHub::Own { .. }) => {
            of_rooms(of, hub).await
        }
        OfHub::Backup { file } => back_up(tended, file, answers).await,
        of @ (OfHub::Stats {} | OfHub::Metrics {}) => count(of, tended, answers).await,
        of => look(of, hub, answers).await,
    }
}

async fn of_users(of: OfHub, hub: &Hub) -> Done {
    match of {
        OfHub::AddUser { user, password: Hidden(password) } => {
            hub.add_user(&user, &Secret(password)).await.map_err(|why| not(&why, &user))?;
            Ok(format!("{user} has an account"))
        }
        OfHub::Password { user, password: Hidden(password) } => {
            hub.set_password(&user, &Secret(password)).await.map_err(|why| not(&why, &user))?;
            Ok(format!("{user} has another password"))
        }
        OfHub::DeleteUser { user, said } => {
            let said = match said {
                WhatWasSaid::Stays => Said::Stays,
                WhatWasSaid::Goes => Said::Goes,
            };
            hub.delete_user(&user, said).await.map_err(|why| not(&why, &user))?;
            Ok(format!("{user} has no account any more"))
        }
        OfHub::Administer { user, on } => {
            hub.administer(&user, on).await.map_err(|why| not(&why, &user))?;
            let no_more = if on { "" } else { " no more" };
            Ok(format!("{user} administers the hub{no_more}"))
        }
        _ => Ok(String::new()),
    }
}

async fn of_tokens(of: OfHub, hub: &Hub, answers: &Answers) -> Done {
    match of {
        OfHub::Token { user, device } => {
            let drawn = hub.make_token(&user, &device).await.map_err(|why| not(&why, &user))?;
            _ = answers.give(json!({ "token": drawn.secret.0, "session": drawn.name })).await;
            return Ok(format!("{} logs in as {user}", drawn.name));
        }
        OfHub::RevokeToken { session, user } => {
            let who = match user {
                Some(user) => hub.find_user(&user).await.map_err(|why| not(&why, &user))?,
                None => owner(hub, &session).await?,
            };
            hub.revoke(who, &session).await.map_err(|why| not(&why, &session))?;
            return Ok(format!("{session} is logged out"));
        }
        _ => {}
    }
    Ok(String::new())
}

/// Whose session is called so.
async fn owner(hub: &Hub, session: &str) -> Result<AccountId, Not> {
    let (ledger, name) = (hub.ledger().map_err(|error| broken(&error))?, session.to_owned());
    let owners = on_a_thread(move || ledger.owners(&name)).await?;
    let wrong = |what| Not { wrong: what, exit: 2 };
    match owners[..] {
        [who] => Ok(who),
        [] => {
            let what = format!("no session is called {session:?}");
            Err(wrong(Wrong::expected(what, "one of `relais hub token list NAME`")))
        }
        _ => {
            let what = format!("several sessions are called {session:?}");
            Err(wrong(Wrong::expected(what, "whose is meant, by `--user NAME`")))
        }
    }
}

async fn of_invitations(of: OfHub, hub: &Hub, answers: &Answers) -> Done {
    match of {
        OfHub::Invite { uses, seconds, room } => {
            let (lasts, about) =
                (seconds.map(Duration::from_secs), room.clone().unwrap_or_default());
            let terms = Terms { uses, lasts, room };
            let drawn = hub.invite(terms).await.map_err(|why| not(&why, &about))?;
            let found = json!({ "invitation": drawn.secret.0, "name": drawn.name });
            _ = answers.give(found).await;
            Ok(format!("{} invites {uses}", drawn.name))
        }
        OfHub::RevokeInvitation { name } => {
            hub.revoke_invitation(&name).await.map_err(|why| not(&why, &name))?;
            Ok(format!("{name} is of no use any more"))
        }
        _ => Ok(String::new()),
    }
}

async fn of_rooms(of: OfHub, hub: &Hub) -> Done {
    match of {
        OfHub::DeleteRoom { room } => {
            hub.delete_room(&room).await.map_err(|why| not(&why, &room))?;
            Ok(format!("{room} is deleted"))
        }
        OfHub::Retain { room, days } => {
            hub.retain(&room, days).await.map_err(|why| not(&why, &room))?;
            let long = days.map_or_else(
                || "for good".to_owned(),
                |days| format!("for {}", counted(days.into(), "day")),
            );
            Ok(format!("{room} keeps what is said {long}"))
        }
        OfHub::Own { room, user } => {
            hub.own(&room, &user).await.map_err(|why| not(&why, &user))?;
            Ok(format!("{user} owns {room}"))
        }
        _ => Ok(String::new()),
    }
}

/// Tells what the hub counted, and how much it keeps.
async fn count(of: OfHub, tended: &Arc<Tended>, answers: &Answers) -> Done {
    let hub = tended.hub.clone();
    let size = on_a_thread(move || hub.size()).await?;
    let stats = Stats { name: tended.name.clone(), counted: tended.hub.counted(), size };
    let found = match of {
        OfHub::Metrics {} => json!({ "metrics": openmetrics::written(&[stats]) }),
        _ => stats.told(),
    };
    _ = answers.give(found).await;
    Ok(String::new())
}

/// Copies the store, and tells now and then how far that is: who asks does not wait in silence for long.
async fn back_up(tended: &Arc<Tended>, to: PathBuf, answers: &Answers) -> Done {
    let ledger = tended.hub.ledger().map_err(|error| broken(&error))?;
    // Only where relais ends is it dropped before: then nothing is to stay of a copy that is in part.
    let _breaks_off = ledger.breaks_off();
    let (file, mut part) = (to.clone(), to.clone().into_os_string());
    part.push(".part");
    let mut copying = spawn_blocking(move || ledger.backup(&file));
    let copied = loop {
        tokio::select! {
            copied = &mut copying => break copied,
            () = tokio::time::sleep(TOLD_EVERY) => {
                let bytes = std::fs::metadata(&part).map_or(0, |part| part.len());
                // Done to its end, whoever waits.
                _ = answers.give(json!({ "copied": bytes })).await;
            }
        }
    };
    copied.map_err(|error| broke_off(&error))?.map_err(|error| not_copied(&to, &error))?;
    let bytes = std::fs::metadata(&to).map_or(0, |copy| copy.len());
    _ = answers.give(json!({ "backup": to.display().to_string(), "bytes": bytes })).await;
    Ok(format!("it is copied to {:?}", to.display()))
}
