//! Requests that the end that is asked makes of a cache: explained, or answered.

use std::{pin::pin, time::Duration};

use http::{HeaderMap, Method, StatusCode, Uri};
use relais_http::{Ask, Desk, Fetched, StandsIn, Target};
use serde_json::{Value, json};
use tokio::{task::spawn_blocking, time::timeout};

use super::{doors::Meant, hints, sentences};
use crate::{
    clock,
    complaint::Wrong,
    control::{Answer, Answers, AskedFor, Fetches},
};

/// How long an upstream may take to be judged: whoever asked waits no longer than a minute.
const FETCH_MAX: Duration = Duration::from_secs(50);

/// How often whoever waits for a whole answer is told that it is coming still, within that minute.
const TOLD_EVERY: Duration = Duration::from_secs(20);

/// A request as a client's.
fn ask(desk: &dyn Desk, method: Method, (uri, headers): &(Uri, HeaderMap)) -> Result<Ask, Wrong> {
    desk.request(method, uri, headers).ok_or_else(|| {
        let what = format!("nobody can be asked for {:?}", uri.to_string());
        Wrong::expected(what, "a URL with http:// or https:// and a host")
    })
}

/// The rule that a block list has against a request: neither the cache nor a server is asked then.
fn blocked(meant: &Meant, asked: &Ask) -> Option<Value> {
    let list = meant.list.as_ref()?;
    let rules = list.rules();
    let rule = rules.judge(&Target::of(asked))?;
    Some(json!({ "rule": rule.text, "line": rule.line, "list": list.path().display().to_string() }))
}

/// Why a request is answered as it is; and if nothing is stored for it, what would be.
pub(super) async fn explain(
    meant: &Meant,
    (request, read): (&AskedFor, &(Uri, HeaderMap)),
    fetches: Fetches,
) -> Result<Value, Wrong> {
    let desk = &*meant.desk;
    let asked = ask(desk, Method::GET, read)?;
    if let Some(rule) = blocked(meant, &asked) {
        let mut told = sentences::blocked(&rule);
        told["url"] = request.url.clone().into();
        return Ok(told);
    }
    let Some(explanation) = desk.explain(asked).await else {
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

/// Has `request` answered, however long that takes within the limits of its proxy, and tells whether the
/// answer is stored then. Where nobody takes `answers` any more, it ends as with a client that left.
pub(super) async fn fetch(
    meant: &Meant,
    (request, read): (&AskedFor, &(Uri, HeaderMap)),
    answers: &Answers,
) -> Result<Value, Wrong> {
    let desk = &*meant.desk;
    let asked = ask(desk, Method::GET, read)?;
    let failed = |why: String| json!({ "url": request.url, "outcome": "failed", "why": why });
    if let Some(rule) = blocked(meant, &asked) {
        return Ok(failed(sentences::blocked_by(&rule)));
    }
    // What is longer is not stored, and need not come.
    let bytes_max = desk.cache().settings().object_max.saturating_add(1);
    let coming = json!({ "url": request.url, "outcome": COMING });
    let fetched =
        match told_meanwhile(desk.fetch(asked, bytes_max), TOLD_EVERY, (answers, coming)).await {
            Err(Left) => return Ok(failed("nobody waits for it any more".to_owned())),
            Ok(Err(fault)) => return Ok(failed(why(&fault))),
            Ok(Ok(fetched)) => fetched,
        };
    if fetched.stands_in != StandsIn::No {
        let why = came(&fetched)["failed"].as_str().unwrap_or_default().to_owned();
        return Ok(failed(why));
    }
    let next = desk.explain(ask(desk, Method::GET, read)?).await;
    let rests = match next {
        Some(next) if next.is_about_stored() => Rests::Yes,
        _ => Rests::No,
    };
    Ok(outcome(&request.url, &fetched, rests))
}

/// What is no outcome yet.
pub(super) const COMING: &str = "coming";

/// Whoever asked does not wait any more.
#[derive(Debug, PartialEq, Eq)]
struct Left;

/// What `done` gives, of which whoever asked is told so often meanwhile that it is `coming`.
async fn told_meanwhile<T>(
    done: impl Future<Output = T>,
    every: Duration,
    (answers, coming): (&Answers, Value),
) -> Result<T, Left> {
    let mut done = pin!(done);
    loop {
        if let Ok(done) = timeout(every, &mut done).await {
            return Ok(done);
        }
        answers.send(Answer::Found(coming.clone())).await.map_err(|_gone| Left)?;
    }
}

/// Whether something is stored for a request once it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rests {
    Yes,
    No,
}

/// What is told of what came from `url`: whether it is stored, and if not, why.
fn outcome(url: &str, fetched: &Fetched, rests: Rests) -> Value {
    let cache_status = fetched.cache_status.as_ref().map(|said| said.to_str().unwrap_or_default());
    let says = |word: &str| cache_status.is_some_and(|said| said.contains(word));
    let came_in = rests == Rests::Yes && (says("; stored") || says("; collapsed"));
    let (outcome, why) = match &fetched.storing.verdict {
        _ if says("; hit") => ("hit", Value::Null),
        _ if came_in => ("stored", Value::Null),
        Err(why) => ("not_stored", sentences::why_not_stored(*why).into()),
        Ok(()) if says("; stored") => {
            ("not_stored", "too large, cut short, purged meanwhile, or no room".into())
        }
        Ok(()) => ("not_stored", "its server's answer was for this request alone".into()),
    };
    json!({
        "url": url,
        "outcome": outcome,
        "why": why,
        "status": fetched.status.as_u16(),
        "bytes": fetched.bytes,
        "cache_status": cache_status,
    })
}

#[cfg(test)]
mod tests {
    use tokio::sync::{mpsc, oneshot};

    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn whoever_waits_for_long_is_told_that_it_is_coming() {
        let (answers, mut told) = mpsc::channel(1);
        let (come, comes) = oneshot::channel();
        let watching = async {
            for _ in 0..3 {
                assert!(matches!(told.recv().await, Some(Answer::Found(found)) if found == COMING));
            }
            come.send("all of it").unwrap();
        };
        let fetching = told_meanwhile(comes, SOON, (&answers, COMING.into()));
        let (fetched, ()) = tokio::join!(fetching, watching);
        assert_eq!(fetched, Ok(Ok("all of it")));
    }

    #[tokio::test]
    async fn for_who_left_nothing_is_fetched_any_longer() {
        let (answers, _) = mpsc::channel(1);
        let fetching = std::future::pending::<()>();
        assert_eq!(told_meanwhile(fetching, SOON, (&answers, COMING.into())).await, Err(Left));
    }
}
