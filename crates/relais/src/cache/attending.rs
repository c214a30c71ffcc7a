//! The end that is asked: it has the caches.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc, time::Duration};

use http::{HeaderMap, Method, StatusCode, Uri};
use relais_cache::{
    Pattern, Purge, Step,
    disk::{NotDurable, NotPurged},
};
use relais_http::{Ask, Desk, Fetched, StandsIn};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};

use super::{objects, sentences, verified::Told};
use crate::{
    clock,
    complaint::{Complaint, Wrong},
    control::{Answer, AskedFor, CacheRequest, Chosen, Fetches, OfCaches, Refusal},
    stop,
};

/// The caches that there are, by the names of their proxies.
pub(crate) type Desks = BTreeMap<String, Arc<dyn Desk>>;

/// How long an upstream may take: whoever asked waits no longer than a minute.
const FETCH_MAX: Duration = Duration::from_secs(50);

type Answers = mpsc::Sender<Answer>;

/// Answers `request` from these caches.
pub(crate) async fn attend(request: CacheRequest, desks: Desks, answers: Answers) {
    let CacheRequest { proxy, of } = request;
    let answer = match chosen(desks, proxy.as_deref()) {
        Ok(desks) => obey(of, desks, &answers).await.unwrap_or_else(refused),
        Err(wrong) => refused(wrong),
    };
    // An error is a caller that did not wait.
    _ = answers.send(answer).await;
}

/// Only those of the proxy called so.
fn chosen(desks: Desks, proxy: Option<&str>) -> Result<Desks, Wrong> {
    if desks.is_empty() {
        let hint = "`cache = true` in a `[proxy.NAME]` gives it one";
        let wrong = Wrong::expected("no proxy has a cache", "a running relais with one");
        return Err(wrong.hint(hint));
    }
    let Some(proxy) = proxy else { return Ok(desks) };
    let names = names(&desks);
    let of_proxy: Desks = desks.into_iter().filter(|(name, _)| name == proxy).collect();
    if of_proxy.is_empty() {
        let what = format!("no proxy with a cache is called {proxy:?}");
        return Err(Wrong::expected(what, names));
    }
    Ok(of_proxy)
}

fn names(desks: &Desks) -> String {
    desks.keys().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or ")
}

fn refused(wrong: Wrong) -> Answer {
    // What the other end could judge by itself, it has judged.
    Refusal { text: stop::list(&[Complaint::of_flag("--proxy", wrong)]), exit: 2 }.into()
}

fn done() -> Answer {
    Answer::Done { text: String::new() }
}

async fn obey(of: OfCaches, desks: Desks, answers: &Answers) -> Result<Answer, Wrong> {
    match of {
        OfCaches::List { what } => {
            let pattern = pattern_of(&what)?;
            Ok(list(desks, pattern, objects::Detail::Line, answers.clone()).await)
        }
        OfCaches::Show { url } => {
            let pattern = pattern_of(&Chosen::Url(url))?;
            Ok(list(desks, pattern, objects::Detail::All, answers.clone()).await)
        }
        OfCaches::Stats {} => {
            for (name, desk) in desks {
                let found = objects::stats(&name, desk.cache());
                if answers.send(Answer::Found(found)).await.is_err() {
                    break;
                }
            }
            Ok(done())
        }
        OfCaches::Verify {} => verify(desks, answers.clone()).await,
        OfCaches::Purge { what, how } => {
            let pattern = pattern_of(&what)?;
            Ok(purge(desks, (pattern, how.purge()), answers.clone()).await)
        }
        OfCaches::Explain { request, fetches } => {
            let (name, desk) = only(desks)?;
            let found = explain(&*desk, &request, fetches).await?;
            Ok(found_by(&name, found, answers).await)
        }
        OfCaches::Fetch { request } => {
            let (name, desk) = only(desks)?;
            let found = fetch(&*desk, &request).await?;
            Ok(found_by(&name, found, answers).await)
        }
    }
}

fn pattern_of(chosen: &Chosen) -> Result<Pattern, Wrong> {
    chosen.pattern()
}

async fn found_by(name: &str, mut found: Value, answers: &Answers) -> Answer {
    found["proxy"] = name.into();
    _ = answers.send(Answer::Found(found)).await;
    done()
}

/// The one cache that is meant: a request goes to one proxy.
fn only(desks: Desks) -> Result<(String, Arc<dyn Desk>), Wrong> {
    let names = names(&desks);
    let mut desks = desks.into_iter();
    if let (Some(only), None) = (desks.next(), desks.next()) {
        return Ok(only);
    }
    let wrong = Wrong::expected("several proxies have a cache", names);
    Err(wrong.hint("`--proxy NAME` says which is meant"))
}

/// Tells of what `pattern` chooses, as fast as it is taken. Not on the thread that signals and
/// reloads wait for.
async fn list(desks: Desks, pattern: Pattern, detail: objects::Detail, answers: Answers) -> Answer {
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
    // Nothing of it panics; and who asked gets an end in any case.
    _ = tokio::task::spawn_blocking(list).await;
    done()
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
    _ = tokio::task::spawn_blocking(verify).await;
    Ok(done())
}

async fn purge(desks: Desks, (pattern, how): (Pattern, Purge), answers: Answers) -> Answer {
    let purge = move || -> Result<(), Refusal> {
        for (name, desk) in &desks {
            let cache = desk.cache();
            let purged = cache.purge(&pattern, how, clock::now()).map_err(refused_by(name))?;
            let count = purged.count;
            purged.wait().map_err(not_noted(name))?;
            let on_disk = cache.disk().is_some();
            let found = json!({ "proxy": name, "purged": count, "on_disk": on_disk });
            // To its end, even if nobody waits to be told.
            _ = answers.blocking_send(Answer::Found(found));
        }
        Ok(())
    };
    let purged = tokio::task::spawn_blocking(purge).await;
    purged.unwrap_or(Ok(())).map_or_else(Into::into, |()| done())
}

/// What is told of a cache whose disk does not purge.
fn refused_by(name: &str) -> impl Fn(NotPurged) -> Refusal {
    move |why| Refusal { text: format!("the cache of {name:?} is not purged: {why}"), exit: 1 }
}

/// What is told of a cache whose disk does not remember it.
fn not_noted(name: &str) -> impl Fn(NotDurable) -> Refusal {
    move |why| {
        let text = format!(
            "the cache of {name:?} is purged, but its disk did not take that down ({why}): it may be \
             there again after a crash"
        );
        Refusal { text, exit: 1 }
    }
}

/// A request as a client's.
fn ask(desk: &dyn Desk, method: Method, (uri, headers): &(Uri, HeaderMap)) -> Result<Ask, Wrong> {
    desk.request(method, uri, headers).ok_or_else(|| {
        let what = format!("nobody can be asked for {:?}", uri.to_string());
        Wrong::expected(what, "a URL with http:// or https:// and a host")
    })
}

fn read(request: &AskedFor) -> Result<(Uri, HeaderMap), Wrong> {
    request.read()
}

/// Why `request` is answered as it is; and if nothing is stored for it, what would be.
async fn explain(desk: &dyn Desk, request: &AskedFor, fetches: Fetches) -> Result<Value, Wrong> {
    let read = read(request)?;
    let asked = ask(desk, Method::GET, &read)?;
    let Some(explanation) = desk.explain(asked).await else {
        let what = format!("no host in {:?}", request.url);
        return Err(Wrong::expected(what, "a whole URL"));
    };
    let now = clock::now();
    let is_stored = explanation.steps.iter().any(|step| matches!(step, Step::Response { .. }));
    let mut told = sentences::reused(&explanation, now);
    told["url"] = request.url.clone().into();
    if !is_stored && fetches == Fetches::Once {
        told["storing"] = judge(desk, &read).await?;
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
async fn fetch(desk: &dyn Desk, request: &AskedFor) -> Result<Value, Wrong> {
    let read = read(request)?;
    // What is longer is not stored, and need not come.
    let bytes_max = desk.cache().settings().object_max.saturating_add(1);
    let fetched = timeout(FETCH_MAX, desk.fetch(ask(desk, Method::GET, &read)?, bytes_max)).await;
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
    let next = desk.explain(ask(desk, Method::GET, &read)?).await;
    let is_stored = next
        .is_some_and(|next| next.steps.iter().any(|step| matches!(step, Step::Response { .. })));
    let cache_status = fetched.cache_status.as_ref().map(|said| said.to_str().unwrap_or_default());
    let was_there = cache_status.is_some_and(|said| said.contains("; hit"));
    let (outcome, why) = match (&fetched.storing.verdict, is_stored, was_there) {
        (_, true, true) => ("hit", Value::Null),
        (_, true, false) => ("stored", Value::Null),
        (Err(why), false, _) => ("not_stored", why.to_string().into()),
        (Ok(()), false, _) => {
            ("not_stored", "too large, cut short, purged meanwhile, or no room".into())
        }
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
