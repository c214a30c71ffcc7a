//! What can be asked of a cache that runs, besides requests of clients.

use http::{HeaderMap, Method};
use relais_cache::{NotStored, Reused, Step};

use super::{
    FRESH,
    world::{Act, World, ok},
};
use crate::{Ask, Desk, StandsIn};

fn ask(desk: &dyn Desk, method: Method, url: &str) -> Option<Ask> {
    desk.request(method, &url.parse().unwrap(), &HeaderMap::new())
}

/// What would be done about a GET for `url`, in a word.
async fn explained(world: &World, url: &str) -> String {
    let ask = ask(&*world.desk, Method::GET, url).unwrap();
    let explanation = world.desk.explain(ask).await.unwrap();
    let is_stored = explanation.steps.iter().any(|step| matches!(step, Step::Response { .. }));
    match explanation.verdict {
        Reused::Fresh if is_stored => "fresh".to_owned(),
        Reused::Asks(why) => why.to_string(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_is_explained_as_its_client_would_be_answered() {
    let world = World::new().await;
    assert_eq!(explained(&world, "http://a/x").await, "nothing is stored for the URI");
    world.get_then(ok(FRESH, "x"), "/x", "").await;
    assert_eq!(explained(&world, "http://A:80/x#y").await, "fresh");
    assert_eq!(explained(&world, "https://a/x").await, "nothing is stored for the URI");
    world.at(60);
    assert_eq!(explained(&world, "http://a/x").await, "stale");
    assert_eq!(world.asked(), ["GET /x"], "nobody is asked for an explanation");
    assert!(ask(&*world.desk, Method::GET, "ftp://a/x").is_none());
    assert!(ask(&*world.desk, Method::GET, "/x").is_none());
}

#[tokio::test]
async fn what_is_fetched_is_stored_for_clients() {
    let world = World::new().await;
    let get = || ask(&*world.desk, Method::GET, "http://a/x").unwrap();
    world.then(ok(FRESH, "xyz"));
    let fetched = world.desk.fetch(get(), u64::MAX).await.unwrap();
    assert_eq!((fetched.status.as_u16(), fetched.bytes), (200, 3));
    assert_eq!((fetched.stands_in, fetched.storing.verdict), (StandsIn::No, Ok(())));
    assert!(fetched.cache_status.unwrap().to_str().unwrap().ends_with("; stored"));
    assert_eq!(world.get("/x", "").await, "200 xyz | hit; ttl=60, age 0");
    world.then(ok("Cache-Control: no-store", "no"));
    let no = ask(&*world.desk, Method::GET, "http://a/no").unwrap();
    let fetched = world.desk.fetch(no, u64::MAX).await.unwrap();
    assert_eq!(fetched.storing.verdict, Err(NotStored::NoStore));
    assert_eq!(world.asked(), ["GET /x", "GET /no"]);
}

#[tokio::test]
async fn a_head_is_judged_as_a_get_and_leaves_nothing() {
    let world = World::new().await;
    world.then(Act::Says(format!("HTTP/1.1 200 OK\r\n{FRESH}\r\nContent-Length: 9\r\n\r\n")));
    let head = ask(&*world.desk, Method::HEAD, "http://a/x").unwrap();
    let fetched = world.desk.fetch(head, 0).await.unwrap();
    assert_eq!((fetched.bytes, fetched.storing.verdict), (0, Ok(())));
    assert_eq!(explained(&world, "http://a/x").await, "nothing is stored for the URI");
}

#[tokio::test]
async fn who_is_not_there_is_told_of() {
    let world = World::with_nobody_there().await;
    let get = ask(&*world.desk, Method::GET, "http://a/x").unwrap();
    let fetched = world.desk.fetch(get, u64::MAX).await.unwrap();
    assert_eq!(fetched.stands_in, StandsIn::For(Some("connection_refused")));
}
