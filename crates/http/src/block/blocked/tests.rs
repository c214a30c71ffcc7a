use std::{
    path::PathBuf,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering::Relaxed},
};

use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, LINK},
};
use relais_net::Peer;

use super::*;
use crate::{
    Body, Ended,
    says::{Says, Told, ask},
};

/// The list with these rules, its folder gone already.
fn list(rules: &str) -> Arc<BlockList> {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("blocked.txt");
    std::fs::write(&path, rules).unwrap();
    Arc::new(BlockList::load(path).unwrap())
}

/// Answers in time, and counts how often it is asked at all.
#[derive(Clone, Debug, Default)]
struct Counts(Arc<AtomicUsize>);

impl Handler for Counts {
    fn at_once(&self, _ask: &Ask) -> Option<Answer> {
        self.0.fetch_add(1, Relaxed);
        None
    }

    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        self.0.fetch_add(1, Relaxed);
        Ok(Answer::new(Body::empty()))
    }
}

/// Asks as a connection does.
async fn asked(handler: &impl Handler, ask: Ask) -> Answer {
    match handler.at_once(&ask) {
        Some(answer) => answer,
        None => handler.answer(ask).await.unwrap(),
    }
}

fn get(target: &str) -> Ask {
    ask(Peer::Local, target, &[("host", "h")])
}

#[tokio::test]
async fn what_is_blocked_never_reaches_the_inner_handler() {
    let counts = Counts::default();
    let handler = Blocked::new(counts.clone(), list("casino"), Notice::default());
    for target in ["/casino", "http://casino.example/", "/?q=c%61sino"] {
        assert_eq!(asked(&handler, get(target)).await.status(), 403);
        // Asked by who does not ask at once.
        assert_eq!(handler.answer(get(target)).await.unwrap().status(), 403);
    }
    assert_eq!(counts.0.load(Relaxed), 0);
    assert_eq!(asked(&handler, get("/")).await.status(), 200);
    assert_eq!(counts.0.load(Relaxed), 2);
    assert_eq!(asked(&handler, get("/casino")).await.status(), 403);
    assert_eq!(counts.0.load(Relaxed), 2);
}

#[tokio::test]
async fn what_one_list_let_pass_another_may_block() {
    let first = Blocked::new(Says::InTime("first"), list("casino"), Notice::default());
    let second = Blocked::new(Says::InTime("second"), list("lottery"), Notice::default());
    let target = "/lottery";
    assert!(first.at_once(&get(target)).is_none());
    assert_eq!(second.answer(get(target)).await.unwrap().status(), 403);
    assert_eq!(first.answer(get(target)).await.unwrap().status(), 200);
}

#[test]
fn an_answer_from_memory_stays_one() {
    let handler = Blocked::new(Says::AtOnce("here"), list("casino"), Notice::default());
    assert_eq!(handler.at_once(&get("/")).unwrap().status(), 200);
    assert_eq!(handler.at_once(&get("/casino")).unwrap().status(), 403);
}

#[test]
fn a_tunnel_is_blocked_by_its_host_and_as_a_url() {
    let status = |rules: &str, authority: &str| {
        let handler = Blocked::new(Says::AtOnce("here"), list(rules), Notice::default());
        let mut ask = ask(Peer::Local, authority, &[("host", authority)]);
        *ask.request.method_mut() = Method::CONNECT;
        handler.at_once(&ask).unwrap().status().as_u16()
    };
    assert_eq!(status("a.example", "www.A.example:443"), 403);
    assert_eq!(status("https://a.example/", "a.example:443"), 403);
    assert_eq!(status("https://a.example:8443/", "a.example:8443"), 403);
    assert_eq!(status("|http://a.example", "a.example:443"), 200);
    assert_eq!(status("a.example", "b.example:443"), 200);
}

#[tokio::test]
async fn the_hook_hears_once_of_what_is_blocked_and_of_nothing_else() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&heard);
    let hook: Hook = Arc::new(move |blocked| {
        let BlockedRequest { caller, method, target, rule, list } = blocked;
        let (peer, line, rule) = (caller.peer, rule.line, rule.text);
        let line = format!("{peer} {method} {target} {rule:?} {list}:{line}");
        told.lock().unwrap().push(line);
    });
    let handler = Blocked::new(Says::InTime("here"), list("\n casino # x"), Notice::default());
    let handler = handler.telling(hook);
    let peer = Peer::Net("192.0.2.1:5".parse().unwrap());
    asked(&handler, ask(peer, "/%63asino?a", &[("host", "H:81")])).await;
    asked(&handler, ask(peer, "/other", &[("host", "H:81")])).await;
    let line = "192.0.2.1:5 GET http://H:81/%63asino?a \"casino\" blocked.txt:2";
    assert_eq!(*heard.lock().unwrap(), [line]);
}

#[tokio::test]
async fn the_answer_says_why_and_is_not_kept() {
    let answer = blocked(Notice::default(), ask(Peer::Local, "/casino", &[])).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    assert!(!answer.headers().contains_key(LINK));
    let text = String::from_utf8(answer.into_body().take_memory().unwrap().to_vec()).unwrap();
    assert!(text.contains("\nrule: casino\nlist: blocked.txt, line 1\n"), "{text}");
    let browser = ask(Peer::Local, "/casino", &[("accept", "text/html,*/*;q=0.8")]);
    let answer = blocked(Notice::default(), browser).await;
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
}

#[tokio::test]
async fn a_program_is_told_which_rule_blocks() {
    let handler = Blocked::new(Says::InTime("here"), list("c\u{e4}sino"), Notice::default());
    let bare = asked(&handler, get("/c%C3%A4sino")).await;
    assert!(!bare.headers().contains_key(PROXY_STATUS));
    let answer = asked(&handler.named("me"), get("/c%C3%A4sino")).await;
    let expect = "\"me\"; error=http_request_denied; details=\"blocked: c?sino\"";
    assert_eq!(answer.headers()[PROXY_STATUS], expect);
}

#[tokio::test]
async fn legal_reasons_are_told_with_who_blocks_if_that_is_known() {
    let answer = blocked(Notice::Legal(None), get("/casino")).await;
    assert_eq!(answer.status(), StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS);
    assert!(!answer.headers().contains_key(LINK));
    let by = "https://isp.example/why".parse().unwrap();
    let answer = blocked(Notice::Legal(Some(by)), get("/casino")).await;
    assert_eq!(answer.headers()[LINK], "<https://isp.example/why>; rel=\"blocked-by\"");
}

#[tokio::test]
async fn the_answer_to_a_head_has_the_head_alone() {
    let mut head = get("/casino");
    *head.request.method_mut() = Method::HEAD;
    let answer = blocked(Notice::default(), head).await;
    assert_eq!(answer.body().left(), Some(0));
    assert_ne!(answer.headers()["content-length"], "0");
}

async fn blocked(notice: Notice, ask: Ask) -> Answer {
    asked(&Blocked::new(Says::InTime("here"), list("casino"), notice), ask).await
}

#[test]
fn what_the_connection_refuses_is_passed_on() {
    let told = Told::default();
    let handler = Blocked::new(told.clone(), list(""), Notice::default());
    let ask = get("/");
    let status = StatusCode::BAD_REQUEST;
    let refused = Refused { caller: &ask.caller, request: None, status, ended: Ended::Whole(0) };
    handler.refused(&refused);
    assert_eq!(told.take(), ["400 -"]);
}
