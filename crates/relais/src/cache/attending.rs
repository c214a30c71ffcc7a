//! The end that is asked: it has the caches.

use std::{ops::ControlFlow, time::Duration};

use http::{HeaderMap, Method, StatusCode, Uri};
use relais_cache::{
    Cache, Pattern, Purge,
    disk::{NotDurable, NotPurged},
};
use relais_http::{Ask, Desk, Fetched, StandsIn};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    task::{JoinError, spawn_blocking},
    time::timeout,
};

use super::{
    doors::{Desks, House, Meant},
    hints, objects, sentences,
    verified::Told,
};
use crate::{
    clock,
    complaint::{Complaint, Wrong},
    control::{Answer, AskedFor, CacheRequest, Chosen, Fetches, OfCaches, Refusal},
    stop,
};

/// How long an upstream may take: whoever asked waits no longer than a minute.
const FETCH_MAX: Duration = Duration::from_secs(50);

type Answers = mpsc::Sender<Answer>;

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
        OfCaches::Stats {} => {
            for (name, desk) in house.desks {
                let found = objects::stats(&name, desk.cache());
                if answers.send(Answer::Found(found)).await.is_err() {
                    break;
                }
            }
            Ok(done())
        }
        OfCaches::Verify {} => verify(house.desks, answers.clone()).await,
        OfCaches::Purge { what, how } => {
            let (pattern, doubt) = (what.pattern()?, house.doubts(&what, proxy));
            let purged = purge(house.desks, (pattern, how.purge()), answers.clone()).await;
            Ok(purged.map_or_else(Into::into, |()| Answer::Done { text: doubt }))
        }
        OfCaches::Explain { request, fetches } => {
            let read = request.read()?;
            let meant = house.meant_by(&read.0, proxy);
            let meant = meant.or_else(|wrong| house.that_has(&read).ok_or(wrong))?;
            let mut found = explain(&*meant.desk, (&request, &read), fetches).await?;
            found["before"] = meant.before.into();
            Ok(found_by(&meant.name, found, answers).await)
        }
        OfCaches::Fetch { request } => {
            let read = request.read()?;
            let Meant { name, desk, .. } = house.meant_by(&read.0, proxy)?;
            let found = fetch(&*desk, (&request, &read)).await?;
            Ok(found_by(&name, found, answers).await)
        }
    }
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

/// A request as a client's.
fn ask(desk: &dyn Desk, method: Method, (uri, headers): &(Uri, HeaderMap)) -> Result<Ask, Wrong> {
    desk.request(method, uri, headers).ok_or_else(|| {
        let what = format!("nobody can be asked for {:?}", uri.to_string());
        Wrong::expected(what, "a URL with http:// or https:// and a host")
    })
}

/// Why a request is answered as it is; and if nothing is stored for it, what would be.
async fn explain(
    desk: &dyn Desk,
    (request, read): (&AskedFor, &(Uri, HeaderMap)),
    fetches: Fetches,
) -> Result<Value, Wrong> {
    let asked = ask(desk, Method::GET, read)?;
    let Some(explanation) = desk.explain(&asked) else {
        let what = format!("no host in {:?}", request.url);
        return Err(Wrong::expected(what, "a whole URL"));
    };
    let now = clock::now();
    let is_stored = explanation.is_about_stored();
    let mut told = sentences::reused(&explanation, now);
    told["url"] = request.url.clone().into();
    let (cache, url) = (desk.cache().clone(), read.0.clone());
    // It may look at all there is.
    let hints = spawn_blocking(move || hints::of(&cache, &url, &explanation)).await;
    told["hints"] = hints.unwrap_or_default().into();
    if !is_stored && fetches == Fetches::Once {
        told["storing"] = judge(desk, read).await?;
    }
    Ok(told)
}

/// Asks the upstream for the head of what it would answer, and tells whether that would be stored.
async fn judge(desk: &dyn Desk, read: &(Uri, HeaderMap)) -> Result<Value, Wrong> {
    let head = timeout(FETCH_MAX, desk.fetch(ask(desk, Method::HEAD, read)?, 0)).await;
    let (method, fetched) = match head {
        // A server that knows no HEAD.
        Ok(Ok(Fetched { status, .. }))
            if [StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_IMPLEMENTED].contains(&status) =>
        {
            let get = desk.fetch(ask(desk, Method::GET, read)?, 0);
            ("GET", timeout(FETCH_MAX, get).await)
        }
        head => ("HEAD", head),
    };
    let mut told = match fetched {
        Ok(Ok(fetched)) => came(&fetched),
        Ok(Err(fault)) => json!({ "failed": why(&fault) }),
        Err(_) => json!({ "failed": late() }),
    };
    told["method"] = method.into();
    Ok(told)
}

fn came(fetched: &Fetched) -> Value {
    match fetched.stands_in {
        StandsIn::No => sentences::storing(&fetched.storing, clock::now()),
        StandsIn::For(error) => json!({
            "failed": format!(
                "the server could not be asked ({}): {}",
                error.unwrap_or("no answer"),
                fetched.status
            ),
        }),
    }
}

fn late() -> String {
    format!("no answer came in {} s", FETCH_MAX.as_secs())
}

fn why(fault: &relais_net::Fault) -> String {
    let error: &dyn std::error::Error = fault;
    Wrong::from_error(error).what
}

/// Has `request` answered, and tells whether the answer is stored then.
async fn fetch(
    desk: &dyn Desk,
    (request, read): (&AskedFor, &(Uri, HeaderMap)),
) -> Result<Value, Wrong> {
    // What is longer is not stored, and need not come.
    let bytes_max = desk.cache().settings().object_max.saturating_add(1);
    let fetched = timeout(FETCH_MAX, desk.fetch(ask(desk, Method::GET, read)?, bytes_max)).await;
    let failed = |why: String| json!({ "url": request.url, "outcome": "failed", "why": why });
    let fetched = match fetched {
        Err(_) => return Ok(failed(late())),
        Ok(Err(fault)) => return Ok(failed(why(&fault))),
        Ok(Ok(fetched)) => fetched,
    };
    if fetched.stands_in != StandsIn::No {
        let why = came(&fetched)["failed"].as_str().unwrap_or_default().to_owned();
        return Ok(failed(why));
    }
    let next = desk.explain(&ask(desk, Method::GET, read)?);
    let is_stored = next.is_some_and(|next| next.is_about_stored());
    let cache_status = fetched.cache_status.as_ref().map(|said| said.to_str().unwrap_or_default());
    let says = |word: &str| cache_status.is_some_and(|said| said.contains(word));
    let came_in = is_stored && (says("; stored") || says("; collapsed"));
    let (outcome, why) = match &fetched.storing.verdict {
        _ if says("; hit") => ("hit", Value::Null),
        _ if came_in => ("stored", Value::Null),
        Err(why) => ("not_stored", sentences::why_not_stored(*why).into()),
        Ok(()) if says("; stored") => {
            ("not_stored", "too large, cut short, purged meanwhile, or no room".into())
        }
        Ok(()) => ("not_stored", "its server's answer was for this request alone".into()),
    };
    Ok(json!({
        "url": request.url,
        "outcome": outcome,
        "why": why,
        "status": fetched.status.as_u16(),
        "bytes": fetched.bytes,
        "cache_status": cache_status,
    }))
}
