use std::{
    pin::pin,
    task::{Context, Waker},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, Response};
use relais_net::Peer;

use super::*;
use crate::{
    Body, Ended,
    auth::{Limits, Slate},
    says::{Says, Told, ask},
};

/// Answers with the user and the Authorization header that it sees, in headers of that name.
#[derive(Debug)]
struct Mirror;

impl Handler for Mirror {
    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        let user = ask.request.extensions().get::<User>().map(ToString::to_string);
        let seen = format!("{:?}", ask.request.headers());
        assert!(!seen.contains(&token("ada", "pw")), "{seen}");
        let answer = Response::builder().header("user", user.unwrap_or_default());
        Ok(answer.body(Body::empty()).unwrap())
    }
}

fn token(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

fn from(ip: &str, user: &str, password: &str) -> Ask {
    let peer = Peer::Net((ip.parse::<std::net::IpAddr>().unwrap(), 1).into());
    ask(peer, "/", &[("authorization", &format!("Basic {}", token(user, password)))])
}

fn ada() -> Ask {
    from("192.0.2.1", "ada", "pw")
}

/// As ada, but wrong.
fn eve() -> Ask {
    from("192.0.2.1", "ada", "guess")
}

fn line(user: &str) -> String {
    format!("{user}:{}\n", bcrypt::hash("pw", 4).unwrap())
}

fn basic<H: Handler>(inner: H, limits: &Limits) -> Basic<H> {
    of_users(inner, &line("ada"), &Arc::new(Known::new(limits)))
}

fn of_users<H: Handler>(inner: H, users: &str, known: &Arc<Known>) -> Basic<H> {
    let (realm, users) = ("the site".parse().unwrap(), users.parse().unwrap());
    Basic::new(inner, &realm, users, Arc::clone(known))
}

async fn status<H: Handler>(basic: &Basic<H>, ask: Ask) -> u16 {
    basic.answer(ask).await.unwrap().status().as_u16()
}

#[test]
fn refusals_are_passed_on() {
    let told = Told::default();
    let caller = &ada().caller;
    let (status, ended) = (StatusCode::BAD_REQUEST, Ended::Short(0));
    basic(told.clone(), &Limits::default()).refused(&Refused {
        caller,
        request: None,
        status,
        ended,
    });
    assert_eq!(told.take(), ["400 -"]);
}

#[tokio::test]
async fn who_gives_no_password_is_asked_for_one_at_once() {
    let basic = basic(Says::AtOnce("hello"), &Limits::default());
    for headers in [&[][..], &[("authorization", "Bearer x")], &[("authorization", "Basic")]] {
        let refused = basic.at_once(&ask(Peer::Local, "/", headers)).unwrap();
        assert_eq!(refused.status(), 401);
        let challenge = &refused.headers()["www-authenticate"];
        assert_eq!(challenge, "Basic realm=\"the site\", charset=\"UTF-8\"");
        assert_eq!(status(&basic, ask(Peer::Local, "/", headers)).await, 401);
    }
    let malformed = ask(Peer::Local, "/", &[("authorization", "Basic ////")]);
    assert_eq!(status(&basic, malformed).await, 401);
}

#[tokio::test]
async fn a_right_password_is_hashed_once_and_then_known_at_once() {
    let basic = basic(Says::AtOnce("hello"), &Limits::default());
    assert!(basic.at_once(&ada()).is_none(), "not yet known");
    let answer = basic.answer(ada()).await.unwrap();
    assert_eq!(answer.extensions().get(), Some(&User("ada".into())));
    let answer = basic.at_once(&ada()).unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.extensions().get()),
        (200, Some(&User("ada".into())))
    );
    assert!(basic.at_once(&eve()).is_none(), "others are not");
}

#[tokio::test]
async fn the_inner_handler_sees_the_user_and_a_header_that_is_not_printed() {
    let basic = basic(Mirror, &Limits::default());
    let mut post = ada();
    *post.request.method_mut() = Method::POST;
    assert_eq!(basic.answer(post).await.unwrap().headers()["user"], "ada");
    assert!(basic.at_once(&ada()).is_none(), "the mirror does not answer at once");
}

#[tokio::test(start_paused = true)]
async fn what_was_verified_is_verified_again_after_a_while() {
    let basic = basic(Says::AtOnce("hello"), &Limits::default());
    assert_eq!(status(&basic, ada()).await, 200);
    tokio::time::advance(Duration::from_secs(299)).await;
    assert!(basic.at_once(&ada()).is_some());
    tokio::time::advance(Duration::from_secs(299)).await;
    assert!(basic.at_once(&ada()).is_some(), "whoever asks is remembered on");
    tokio::time::advance(Duration::from_mins(5)).await;
    assert!(basic.at_once(&ada()).is_none());
    assert_eq!(status(&basic, ada()).await, 200);
    assert!(basic.at_once(&ada()).is_some());
}

#[tokio::test]
async fn what_is_known_outlives_a_change_of_the_users_but_not_of_the_password() {
    let known = Arc::new(Known::new(&Limits::default()));
    let of = |users: &str| of_users(Says::AtOnce("hello"), users, &known);
    let hers = line("ada");
    assert_eq!(status(&of(&hers), ada()).await, 200);
    let with_others = of(&(line("bob") + &hers));
    assert_eq!(with_others.at_once(&ada()).unwrap().status(), 200, "nothing is hashed");
    for users in [line("bob"), line("ada"), String::new()] {
        assert!(of(&users).at_once(&ada()).is_none(), "it may be another password");
    }
    assert_eq!(of(&hers).at_once(&ada()).unwrap().status(), 200);
    for _ in 0..10 {
        assert_eq!(status(&with_others, eve()).await, 401);
    }
    assert_eq!(of(&hers).at_once(&eve()).unwrap().status(), 429, "what is owed stays");
}

#[tokio::test(start_paused = true)]
async fn who_is_wrong_ten_times_has_to_wait_even_when_right() {
    let basic = basic(Says::AtOnce("hello"), &Limits::default());
    for _ in 0..10 {
        assert_eq!(status(&basic, eve()).await, 401);
    }
    for asking in [eve(), ada()] {
        let refused = basic.at_once(&asking).unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (429, &"6".parse().unwrap())
        );
        assert_eq!(status(&basic, asking).await, 429);
    }
    assert_eq!(status(&basic, from("192.0.2.2", "ada", "pw")).await, 200, "from elsewhere");
    assert_eq!(status(&basic, ada()).await, 429, "what is known elsewhere is not known here");
    tokio::time::advance(Duration::from_millis(5500)).await;
    assert_eq!(basic.at_once(&ada()).unwrap().headers()["retry-after"], "1");
    tokio::time::advance(Duration::from_millis(500)).await;
    assert_eq!(status(&basic, ada()).await, 200);
}

#[tokio::test]
async fn who_was_let_in_stays_whoever_else_is_wrong_behind_the_same_address() {
    let at_home = |user: &str, password: &str| {
        let authorization = format!("Basic {}", token(user, password));
        ask(Peer::Local, "/", &[("authorization", &authorization)])
    };
    let basic = basic(Says::AtOnce("hello"), &Limits::default());
    assert_eq!(status(&basic, at_home("ada", "pw")).await, 200);
    for wrong in [("bob", "pw"), ("ada", "guess")] {
        for _ in 0..10 {
            assert_eq!(status(&basic, at_home(wrong.0, wrong.1)).await, 401);
        }
        assert_eq!(status(&basic, at_home(wrong.0, wrong.1)).await, 429);
        assert_eq!(basic.at_once(&at_home("ada", "pw")).unwrap().status(), 200);
        assert_eq!(status(&basic, at_home("ada", "pw")).await, 200);
    }
    assert_eq!(status(&basic, at_home("cyd", "x")).await, 401, "one who was not wrong");
}

#[tokio::test]
async fn what_is_remembered_cannot_be_found_by_trying_on() {
    let limits =
        Limits { failures_a_minute_max: 1, turned_away_a_minute_max: 3, ..Limits::DEFAULT };
    let basic = basic(Says::AtOnce("hello"), &limits);
    assert_eq!(status(&basic, ada()).await, 200);
    assert_eq!(status(&basic, eve()).await, 401);
    for _ in 0..3 {
        assert_eq!(status(&basic, ada()).await, 200);
        assert_eq!(status(&basic, eve()).await, 429);
    }
    assert_eq!(status(&basic, ada()).await, 429);
}

#[tokio::test]
async fn a_full_queue_turns_newcomers_away_and_serves_the_known() {
    let limits = Limits { hashing_max: 1, waiting_max: 1, ..Limits::default() };
    let basic = basic(Says::AtOnce("hello"), &limits);
    assert_eq!(status(&basic, ada()).await, 200);
    let _turn = basic.desk.known.turns.wait().await.unwrap();
    let mut waiting = pin!(basic.answer(from("192.0.2.2", "eve", "x")));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let refused = basic.answer(eve()).await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    assert_eq!(basic.at_once(&ada()).unwrap().status(), 200);
}

#[tokio::test]
async fn who_waited_for_a_turn_is_looked_up_before_being_hashed() {
    let limits = Limits { hashing_max: 1, ..Limits::default() };
    let (users, known) = (line("ada") + &line("bob"), Arc::new(Known::new(&limits)));
    let basic = of_users(Says::AtOnce("hello"), &users, &known);
    let bob = basic.desk.users.verify("bob", b"pw", &mut Slate::default()).unwrap();
    let turn = basic.desk.known.turns.wait().await.unwrap();
    let mut waiting = pin!(basic.answer(ada()));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let key = basic.desk.attempt(&ada(), token("ada", "pw").as_bytes()).key;
    known.verified.keep(key, bob, Instant::now());
    drop(turn);
    let answer = waiting.await.unwrap();
    assert_eq!(answer.extensions().get(), Some(&User("bob".into())));
}

#[test]
fn who_leaves_while_being_hashed_is_counted_all_the_same() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let limits = Limits { hashing_max: 1, failures_a_minute_max: 1, ..Limits::default() };
        let basic = basic(Says::AtOnce("hello"), &limits);
        // The only thread that hashes is kept busy until the caller has left.
        let (left, wait) = std::sync::mpsc::channel();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        {
            let mut leaving = pin!(basic.answer(eve()));
            assert!(leaving.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        left.send(()).unwrap();
        busy.await.unwrap().unwrap();
        let _hashed = basic.desk.known.turns.wait().await.unwrap();
        assert_eq!(basic.at_once(&eve()).unwrap().status(), 429);
    });
}

#[test]
fn debug_shows_no_hash() {
    let shown = format!("{:?}", basic(Says::AtOnce("hello"), &Limits::default()));
    assert!(!shown.contains("$2b$"), "{shown}");
}
