use super::*;
use crate::{
    Limits, Registration,
    protocol::Place,
    session::tests::{hub, hub_where, told},
};

async fn typed(limits: Limits, lines: &[&str]) -> Vec<String> {
    let (_folder, hub) = hub(limits);
    told(&hub, &(lines.join("\n") + "\n")).await
}

#[tokio::test]
async fn nobody_is_asked_for_a_password_that_would_not_be_taken() {
    let lines = [
        "/register ana secret-pass",
        "/login bob",
        "/register eve",
        "/logout",
        "/unregister",
        "quit",
    ];
    let told = typed(Limits::default(), &lines).await;
    let already = "# you are logged in already: /logout first";
    let nobody = "# this is for who has an account: /login NAME or /register NAME first";
    assert_eq!(told[..1], ["# you are ana"]);
    assert_eq!(told[1..3], [already, already]);
    assert_eq!(told[3..], ["# done", nobody, "# goodbye"]);
}

#[tokio::test]
async fn who_is_in_no_room_is_told_what_comes_first() {
    let told =
        typed(Limits::default(), &["salut", "/register ana secret-pass", "salut", "/who"]).await;
    assert!(told[0].contains("/register NAME first"), "{told:?}");
    let nowhere =
        "# you are in no room: /join ROOM comes into one, /msg NAME TEXT speaks to one person";
    assert_eq!(told[2..], [nowhere, nowhere]);
}

#[tokio::test]
async fn what_was_typed_too_fast_is_named_and_no_secret_is() {
    let limits = Limits { burst: 2, messages_a_second: 1, ..Limits::default() };
    let lines = [
        "/register ana secret-pass",
        "/join lab",
        "one",
        "two\u{7}",
        "/password secret-pass other-pass",
    ];
    let told = typed(limits, &lines).await;
    let late = told.iter().find(|line| line.starts_with("# not done: "));
    let expect = "# not done: two: too fast: wait a little, again in 1 s";
    assert_eq!(late.map(String::as_str), Some(expect), "{told:?}");
    assert!(!told.concat().contains("-pass"), "{told:?}");
}

#[tokio::test]
async fn a_device_that_is_typed_at_says_so() {
    let told = typed(Limits::default(), &["/register ana secret-pass", "/sessions"]).await;
    assert!(told[1].ends_with(" text, 1970-01-01, this one"), "{told:?}");
}

#[tokio::test]
async fn what_was_said_is_not_named_for_a_line_behind_it_that_was_too_fast() {
    let limits =
        Limits { lookups: 1, lookups_a_second: 1, frame_bytes_max: 100, ..Limits::default() };
    let long = "x".repeat(200);
    for wrong in ["/nothing", &long] {
        let lines = ["/register ana secret-pass", "/join lab", "salut", wrong, wrong];
        let told = typed(limits.clone(), &lines).await;
        assert!(told.iter().any(|line| line.contains("too fast: wait a little")), "{told:?}");
        assert!(!told.concat().contains("not done: "), "{told:?}");
    }
}

#[test]
fn what_is_typed_is_shown_to_no_log() {
    let mut typing = Typing::default();
    typing.ask("/who between-us", &Ask::Who { room: Place::Room("#lab".into()) });
    assert!(typing.typed.is_some());
    assert!(!format!("{typing:?}").contains("between-us"), "{typing:?}");
}

#[tokio::test]
async fn who_may_not_register_is_told_so_before_a_password_is_asked_for() {
    let said = "/register ana\n/register\tx!y\nquit\n";
    for (registration, expect) in [
        (Registration::Invitation, "/register NAME INVITATION, with the one you were given"),
        (Registration::Closed, "by an administrator: ask for one"),
    ] {
        let (_folder, hub) = hub_where((Limits::default(), None), registration);
        let told = told(&hub, said).await;
        assert!(told[0].ends_with(expect), "{told:?}");
        assert!(!told.concat().contains("password"), "{told:?}");
    }
    let (_folder, hub) = hub(Limits::default());
    let told = told(&hub, "/register x!y\nquit\n").await;
    assert!(told[0].starts_with("# nothing may be called so"), "{told:?}");
    assert_eq!(told[1..], ["# goodbye"]);
}

#[tokio::test]
async fn an_invitation_that_was_cut_is_called_one_that_is_not_there() {
    let said = "/register ana ri_no\n/register ana ri_no secret-pass\nquit\n";
    let (_folder, hub) = hub_where((Limits::default(), None), Registration::Invitation);
    let told = told(&hub, said).await;
    let none = "# there is no such invitation: look whether it is whole, or ask for another";
    assert_eq!(told, [none, none, "# goodbye"]);
}

#[tokio::test]
async fn a_new_password_that_is_weak_is_asked_for_once_more_with_what_is_wrong() {
    let rule = "# a password, of 8 characters or more:";
    let told = typed(Limits::default(), &["/register ana", "short", "secret-pass"]).await;
    let weak =
        "# this password is too easy to guess: take another (5 characters: expected at least 8)";
    assert_eq!(told, [rule, weak, rule, "# you are ana"]);
    let told = typed(Limits::default(), &["/register ana", "password1", "secret-pass"]).await;
    assert_eq!(told[1], "# this password is too easy to guess: take another (many people have it)");
    // And then what is typed is a line again.
    let told = typed(Limits::default(), &["/register ana", "short", "short", "quit"]).await;
    assert_eq!(told, [rule, weak, rule, weak, "# goodbye"]);
}

#[tokio::test]
async fn what_one_wants_to_notice_is_shown_to_who_asks_without_saying_what() {
    let lines = [
        "/register ana secret-pass",
        "/keywords",
        "/join lab",
        "/keywords tea",
        "/notify all",
        "/quiet on",
    ];
    let told = typed(
        Limits::default(),
        &[&lines[..], &["/notify", "/quiet", "/quiet off", "/quiet"]].concat(),
    )
    .await;
    let usual = ["# no words are looked out for", "# you may be disturbed"];
    assert_eq!(told[1..3], usual);
    let set = [
        "# #lab: all is to be noticed",
        "# words that are looked out for: tea",
        "# you are not disturbed, until /quiet off",
    ];
    let shown: Vec<_> = told.iter().map(String::as_str).collect();
    assert_eq!(shown.windows(3).filter(|lines| **lines == set).count(), 2, "{told:#?}");
    assert_eq!(told.last().map(String::as_str), Some(usual[1]));
}

#[tokio::test]
async fn who_has_no_disk_here_is_told_who_exports() {
    let told = typed(Limits::default(), &["/register ana secret-pass", "/export mine.jsonl"]).await;
    assert!(told[1].contains("`relais chat` and the page have /export"), "{told:?}");
}
