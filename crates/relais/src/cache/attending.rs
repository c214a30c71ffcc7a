//! The end that is asked: it has the caches.

use std::ops::ControlFlow;

use relais_cache::{
    Cache, Pattern, Purge,
    disk::{NotDurable, NotPurged},
};
use serde_json::{Value, json};
use tokio::task::{JoinError, spawn_blocking};

use super::{
    doors::{Desks, House},
    objects,
    trying::{explain, fetch},
    verified::Told,
};
use crate::{
    clock,
    complaint::{Complaint, Wrong},
    control::{Answer, Answers, AskedFor, CacheRequest, Chosen, Fetches, OfCaches, Refusal},
    stop,
};

/// Answers `request` from the caches of this house.
pub(crate) async fn attend(request: CacheRequest, house: House, answers: Answers) {
    let CacheRequest { proxy, of } = request;
    let answer = match house.with_proxy(proxy.as_deref()) {
        Ok(house) => obey(of, (house, proxy.as_deref()), &answers).await.unwrap_or_else(refused),
        Err(wrong) => refused(wrong),
    };
    // An error is a caller that did not wait.
    _ = answers.send(answer).await;
}

fn refused(wrong: Wrong) -> Answer {
    // What the other end could judge by itself, it has judged.
    let complaint = Complaint::of_nothing_said(wrong);
    Refusal { text: stop::list(&[complaint]), exit: 2 }.into()
}

fn done() -> Answer {
    Answer::Done { text: String::new() }
}

async fn obey(
    of: OfCaches,
    (house, proxy): (House, Option<&str>),
    answers: &Answers,
) -> Result<Answer, Wrong> {
    match of {
        OfCaches::List { what } => {
            let (pattern, doubt) = (what.pattern()?, house.doubts(&what, proxy));
            list(house.desks, (pattern, objects::Detail::Line), answers.clone()).await?;
            Ok(Answer::Done { text: doubt })
        }
        OfCaches::Show { url } => {
            let what = Chosen::Url(url);
            let (pattern, doubt) = (what.pattern()?, house.doubts(&what, proxy));
            list(house.desks, (pattern, objects::Detail::All), answers.clone()).await?;
            Ok(Answer::Done { text: doubt })
        }
        OfCaches::Stats {} => Ok(stats(house.desks, answers).await),
        OfCaches::Verify {} => verify(house.desks, answers.clone()).await,
        OfCaches::Purge { what, how } => {
            let (pattern, doubt) = (what.pattern()?, house.doubts(&what, proxy));
            let purged = purge(house.desks, (pattern, how.purge()), answers.clone()).await;
            Ok(purged.map_or_else(Into::into, |()| Answer::Done { text: doubt }))
        }
        OfCaches::Explain { request, fetches } => {
            explained((&request, fetches), (&house, proxy), answers).await
        }
        OfCaches::Fetch { request } => {
            let read = request.read()?;
            let meant = house.meant_by(&read.0, proxy)?;
            let found = fetch(&meant, (&request, &read), answers).await?;
            Ok(found_by(&meant.name, found, answers).await)
        }
    }
}

async fn stats(desks: Desks, answers: &Answers) -> Answer {
    for (name, desk) in desks {
        let found = objects::stats(&name, desk.cache());
        if answers.send(Answer::Found(found)).await.is_err() {
            break;
        }
    }
    done()
}

async fn explained(
    (request, fetches): (&AskedFor, Fetches),
    (house, proxy): (&House, Option<&str>),
    answers: &Answers,
) -> Result<Answer, Wrong> {
    let read = request.read()?;
    let meant = match house.meant_by(&read.0, proxy) {
        Ok(meant) => meant,
        Err(wrong) => house.that_has(&read).await.ok_or(wrong)?,
    };
    let mut found = explain(&meant, (request, &read), fetches).await?;
    found["before"] = meant.before.into();
    Ok(found_by(&meant.name, found, answers).await)
}

async fn found_by(name: &str, mut found: Value, answers: &Answers) -> Answer {
    found["proxy"] = name.into();
    _ = answers.send(Answer::Found(found)).await;
    done()
}

/// Tells of what `pattern` chooses, as fast as it is taken. Not on the thread that signals and
/// reloads wait for.
async fn list(
    desks: Desks,
    (pattern, detail): (Pattern, objects::Detail),
    answers: Answers,
) -> Result<(), Wrong> {
    let list = move || {
        let now = clock::now();
        for (name, desk) in &desks {
            for object in desk.cache().objects(&pattern) {
                let found = objects::told(name, &object, (desk.cache().settings(), now), detail);
                if answers.blocking_send(Answer::Found(found)).is_err() {
                    return;
                }
            }
        }
    };
    spawn_blocking(list).await.map_err(|error| broken("listing", &error))
}

/// What is told where a thread of ours ended before its work did.
fn broken(doing: &str, error: &JoinError) -> Wrong {
    let what = format!("{doing} broke off, not all was done: {error}");
    Wrong { what, expected: None, hint: None }
}

/// Reads all that is on disk, and tells how far that has come.
async fn verify(desks: Desks, answers: Answers) -> Result<Answer, Wrong> {
    if desks.values().all(|desk| desk.cache().disk().is_none()) {
        let wrong = Wrong::expected("no cache has a disk", "one with `disk = \"FOLDER\"`");
        return Err(wrong);
    }
    let verify = move || {
        for (name, desk) in &desks {
            let Some(disk) = desk.cache().disk() else { continue };
            let mut told = Told::new(name);
            let is_heard = |found: Value| answers.blocking_send(Answer::Found(found)).is_ok();
            let all = disk.verify(|so_far| {
                let goes_on = told.progress(&so_far).is_none_or(is_heard);
                if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            if !is_heard(told.end(&all)) {
                return;
            }
        }
    };
    let verified = spawn_blocking(verify).await;
    verified.map(|()| done()).map_err(|error| broken("verifying", &error))
}

/// Purges each of the caches, whatever becomes of the others.
async fn purge(
    desks: Desks,
    (pattern, how): (Pattern, Purge),
    answers: Answers,
) -> Result<(), Refusal> {
    let purge = move || {
        let mut refusals = Vec::new();
        for (name, desk) in &desks {
            match purge_one((name, desk.cache()), &pattern, how) {
                // To its end, even if nobody waits to be told.
                Ok(found) => _ = answers.blocking_send(Answer::Found(found)),
                Err(why) => refusals.push(why),
            }
        }
        refusals
    };
    let failed =
        |why: Vec<String>| Refusal { text: format!("error: {}", why.join("\nerror: ")), exit: 1 };
    match spawn_blocking(purge).await {
        Ok(refusals) if refusals.is_empty() => Ok(()),
        Ok(refusals) => Err(failed(refusals)),
        Err(error) => Err(failed(vec![broken("purging", &error).what])),
    }
}

fn purge_one(
    (name, cache): (&str, &Cache),
    pattern: &Pattern,
    how: Purge,
) -> Result<Value, String> {
    let purged = cache.purge(pattern, how, clock::now()).map_err(refused_by(name))?;
    let count = purged.count;
    purged.wait().map_err(not_noted(name))?;
    if let Some(disk) = cache.disk() {
        // Whoever purges looks at what is left.
        disk.sweep();
    }
    Ok(json!({ "proxy": name, "purged": count, "on_disk": cache.disk().is_some() }))
}

/// What is told of a cache whose disk does not purge.
fn refused_by(name: &str) -> impl Fn(NotPurged) -> String {
    move |why| format!("the cache of {name:?} is not purged: {why}")
}

/// What is told of a cache whose disk does not remember it.
fn not_noted(name: &str) -> impl Fn(NotDurable) -> String {
    move |why| {
        format!(
            "the cache of {name:?} is purged, but its disk did not take that down ({why}): it may be \
             there again after a crash"
        )
    }
}
