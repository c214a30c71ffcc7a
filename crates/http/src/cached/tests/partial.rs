//! Parts, from end to end.

use relais_cache::{KeyParts, Name, Query, Rule, Settings, Storing};

use super::world::{Act, World, ok, says};

const TAGGED: &str = "Cache-Control: max-age=60\nETag: \"1\"";

fn part(of: &str, body: &str) -> Act {
    says("206 Partial Content", &format!("{TAGGED}\nContent-Range: bytes {of}"), body)
}

#[tokio::test]
async fn a_part_is_completed_by_the_rest_alone() {
    let world = World::new().await;
    let first = world.get_then(part("0-4/10", "01234"), "/a", "Range: bytes=0-4").await;
    assert_eq!(first, "206 01234 | fwd=uri-miss; fwd-status=206; ttl=60; stored");
    assert_eq!(world.get("/a", "Range: bytes=1-2").await, "206 12 | hit; ttl=60, age 0");
    let whole = world.get_then(part("5-9/10", "56789"), "/a", "").await;
    assert_eq!(whole, "200 0123456789 | fwd=partial; fwd-status=206; ttl=60; stored, age 0");
    assert_eq!(world.get("/a", "").await, "200 0123456789 | hit; ttl=60, age 0");
    assert_eq!(world.get("/a", "Range: bytes=-1").await, "206 9 | hit; ttl=60, age 0");
    let rest = "GET /a, if-range: \"1\", range: bytes=5-";
    let mut asked = world.asked();
    asked[1] = sorted(&asked[1]);
    assert_eq!(asked, ["GET /a, range: bytes=0-4", &sorted(rest)]);
}

/// What breaks off is asked for anew, as its client asked for it.
#[tokio::test]
async fn a_rest_that_breaks_off_is_no_rest() {
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\n{}\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n",
        TAGGED.replace('\n', "\r\n")
    );
    for act in [
        Act::Ends(format!("{head}567")),
        Act::Resets(format!("{head}567")),
        part("5-9/11", "56789"),
        part("4-8/10", "56789"),
        says("206 Partial Content", "ETag: \"2\"\nContent-Range: bytes 5-9/10", "abcde"),
        says("416 Range Not Satisfiable", "Content-Range: bytes */3", ""),
    ] {
        let world = World::new().await;
        world.get_then(part("0-4/10", "01234"), "/a", "Range: bytes=0-4").await;
        world.then(act.clone());
        let whole = world.get_then(ok(TAGGED, "0123456789"), "/a", "").await;
        let expect = "200 0123456789 | fwd=partial; fwd-status=200; ttl=60; stored";
        assert_eq!(whole, expect, "for {act:?}");
        assert_eq!(world.asked()[2], "GET /a");
    }
}

#[tokio::test]
async fn several_ranges_of_what_is_stored_are_one_answer_of_several_parts() {
    let world = World::new().await;
    world
        .get_then(ok(&format!("{TAGGED}\nContent-Type: text/plain"), "0123456789"), "/a", "")
        .await;
    let came = world.raw(&["GET /a HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1,8-\r\n\r\n"]).await;
    let (head, body) = came.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 206"), "{came}");
    let media = head.split_once("content-type: multipart/byteranges; boundary=").unwrap().1;
    let boundary = media.lines().next().unwrap();
    let expect = format!(
        "--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n\
         --{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n\
         --{boundary}--\r\n"
    );
    assert_eq!(body, expect);
    assert!(head.contains(&format!("content-length: {}", expect.len())), "{head}");
    assert_eq!(head.matches("content-type").count(), 1, "{head}");
}

#[tokio::test]
async fn parameters_that_do_not_count_are_sent_all_the_same() {
    let parts = KeyParts {
        query: Query::Dropped(vec![Name("utm_*".to_owned())]),
        cookies: vec!["lang".to_owned()],
        ..KeyParts::default()
    };
    let (path, storing) = ("/a".to_owned(), Storing::Usual);
    let rules = vec![Rule { path, storing, ttl: None, origin: None, parts }];
    let world = World::with(Settings { rules, ..Settings::default() }).await;
    world.get_then(ok(TAGGED, "x"), "/a?utm_x=1&b=2", "").await;
    assert_eq!(world.get("/a?b=2&utm_y=3", "").await, "200 x | hit; ttl=60, age 0");
    assert!(world.get_then(ok(TAGGED, "y"), "/a?b=3", "").await.contains("fwd=uri-miss"));
    let german = "Cookie: a=1; lang=de";
    assert!(world.get_then(ok(TAGGED, "z"), "/a?b=2", german).await.contains("fwd=uri-miss"));
    assert_eq!(world.get("/a?b=2", german).await, "200 z | hit; ttl=60, age 0");
    let asked = world.asked();
    assert_eq!(asked[..2], ["GET /a?utm_x=1&b=2", "GET /a?b=3"]);
    assert!(asked[2].starts_with("GET /a?b=2"), "{asked:?}");
}

#[tokio::test]
async fn a_post_may_leave_what_a_get_would_get() {
    let world = World::new().await;
    world.then(ok(&format!("{TAGGED}\nContent-Location: /a"), "new"));
    let request = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    assert!(world.raw(&[request]).await.contains("fwd=method; fwd-status=200; ttl=60; stored"));
    assert_eq!(world.get("/a", "").await, "200 new | hit; ttl=60, age 0");
}

fn sorted(asked: &str) -> String {
    let mut fields: Vec<_> = asked.split(", ").collect();
    fields.sort_unstable();
    fields.join(", ")
}
