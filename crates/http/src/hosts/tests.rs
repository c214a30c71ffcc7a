use std::task::{Context, Poll, Waker};

use relais_net::Peer;

use super::*;
use crate::{
    Ended, Piece,
    says::{Says, Told, ask},
};

fn site(hosts: &[&str], name: &'static str) -> Site {
    let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
    Site { hosts, handler: Arc::new(Says::AtOnce(name)) }
}

fn three() -> [Site; 3] {
    [
        site(&["example.org", "[::1]", "192.0.2.1"], "exact"),
        site(&["*.Example.org."], "under"),
        site(&["*.deep.example.org"], "deep"),
    ]
}

fn text(answer: Answer) -> String {
    let mut body = answer.into_body();
    let mut cx = Context::from_waker(Waker::noop());
    match body.poll_piece(&mut cx, u64::MAX) {
        Poll::Ready(Some(Ok(Piece::Bytes(bytes)))) => String::from_utf8(bytes.to_vec()).unwrap(),
        other => panic!("expected one piece, got {other:?}"),
    }
}

#[track_caller]
fn check(hosts: &Hosts, host: &str, expect: &str) {
    let by_header = ask(Peer::Local, "/", &[("host", host)]);
    assert_eq!(text(hosts.at_once(&by_header).unwrap()), expect, "by header");
    let by_target = ask(Peer::Local, &format!("http://{host}/"), &[]);
    assert_eq!(text(hosts.at_once(&by_target).unwrap()), expect, "by target");
}

const NOBODY: &str = "421 Misdirected Request: no site here has this name\n";

#[test]
fn the_most_specific_pattern_takes_the_request() {
    let hosts = Hosts::new(three()).unwrap();
    check(&hosts, "example.org", "exact");
    check(&hosts, "EXAMPLE.org:8080", "exact");
    check(&hosts, "example.org.", "exact");
    check(&hosts, "example.org.:443", "exact");
    check(&hosts, "192.0.2.1:80", "exact");
    check(&hosts, "[::1]", "exact");
    check(&hosts, "[0:0:0:0:0:0:0:1]:8080", "exact");
    check(&hosts, "www.example.org", "under");
    check(&hosts, "a.b.c.example.org:80", "under");
    check(&hosts, "deep.example.org", "under");
    check(&hosts, "a.deep.example.org", "deep");
}

#[test]
fn a_host_that_nobody_serves_is_misdirected() {
    let hosts = Hosts::new(three()).unwrap();
    for host in ["example.com", "org", "notexample.org", "example.org.evil.net", "[::2]"] {
        check(&hosts, host, NOBODY);
    }
    check(&hosts, "..example.org", NOBODY);
    check(&hosts, ".example.org", NOBODY);
    check(&hosts, &format!("{}.example.org", "a".repeat(300)), NOBODY);
    let nameless = hosts.at_once(&ask(Peer::Local, "/", &[])).unwrap();
    assert_eq!(nameless.status(), StatusCode::MISDIRECTED_REQUEST);
}

#[test]
fn the_default_takes_what_is_left() {
    let hosts = Hosts::new(three().into_iter().chain([site(&[], "default")])).unwrap();
    check(&hosts, "example.org", "exact");
    check(&hosts, "example.com", "default");
    let nameless = hosts.at_once(&ask(Peer::Local, "/", &[])).unwrap();
    assert_eq!(text(nameless), "default");
}

#[test]
fn the_target_goes_before_the_header() {
    let hosts = Hosts::new(three()).unwrap();
    let ask = ask(Peer::Local, "http://www.example.org/", &[("host", "example.org")]);
    assert_eq!(text(hosts.at_once(&ask).unwrap()), "under");
}

#[test]
fn a_default_alone_is_taken_without_a_look_at_the_host() {
    let hosts = Hosts::new([site(&[], "default")]).unwrap();
    assert_eq!(text(hosts.at_once(&ask(Peer::Local, "/", &[])).unwrap()), "default");
}

#[tokio::test]
async fn what_takes_time_is_passed_through() {
    let slow = Arc::new(Says::InTime("slow"));
    let hosts = Hosts::new([Site { hosts: vec!["a".parse().unwrap()], handler: slow }]).unwrap();
    let from_a = || ask(Peer::Local, "/", &[("host", "a")]);
    assert!(hosts.at_once(&from_a()).is_none());
    assert_eq!(text(hosts.answer(from_a()).await.unwrap()), "slow");
    let from_b = ask(Peer::Local, "/", &[("host", "b")]);
    assert_eq!(text(hosts.answer(from_b).await.unwrap()), NOBODY);
}

#[test]
fn a_host_that_nobody_serves_is_told_to_the_first() {
    let told = Told::default();
    let site = Site { hosts: vec!["a".parse().unwrap()], handler: Arc::new(told.clone()) };
    let hosts = Hosts::new([site]).unwrap();
    hosts.at_once(&ask(Peer::Local, "/x?y", &[("host", "b")])).unwrap();
    assert_eq!(told.take(), ["421 /x?y"]);
    hosts.at_once(&ask(Peer::Local, "/x?y", &[("host", "a")])).unwrap();
    assert_eq!(told.take().len(), 0);
}

#[test]
fn the_default_or_the_first_is_told_of_refusals() {
    let [first, second, default] = [Told::default(), Told::default(), Told::default()];
    let site = |hosts: &[&str], told: &Told| {
        let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
        Site { hosts, handler: Arc::new(told.clone()) }
    };
    let caller = &ask(Peer::Local, "/", &[]).caller;
    let status = StatusCode::BAD_REQUEST;
    let refused = Refused { caller, request: None, status, ended: Ended::Short(0) };
    let heard = || [first.take().len(), second.take().len(), default.take().len()];
    let named = [site(&["b"], &first), site(&["a"], &second)];
    Hosts::new(named.clone()).unwrap().refused(&refused);
    assert_eq!(heard(), [1, 0, 0]);
    Hosts::new(named.into_iter().chain([site(&[], &default)])).unwrap().refused(&refused);
    assert_eq!(heard(), [0, 0, 1]);
    Hosts::only(Arc::new(second.clone())).refused(&refused);
    assert_eq!(heard(), [0, 1, 0]);
}

#[test]
fn sites_that_contradict_each_other_are_refused() {
    let twice = Hosts::new([site(&["a.org"], "1"), site(&["A.org."], "2")]).unwrap_err();
    assert_eq!(twice.to_string(), "two sites for host `a.org`: expected one");
    let twice = Hosts::new([site(&["*.a.org"], "1"), site(&["*.a.org"], "2")]).unwrap_err();
    assert_eq!(twice.to_string(), "two sites for host `*.a.org`: expected one");
    let twice = Hosts::new([site(&[], "1"), site(&[], "2")]).unwrap_err();
    assert_eq!(twice, HostsError::TwoDefaults);
}

#[test]
fn a_pattern_prints_as_it_parses() {
    for text in ["example.org", "*.example.org", "192.0.2.1", "[::1]", "my_host", "localhost"] {
        assert_eq!(text.parse::<HostPattern>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_pattern_says_what_was_expected() {
    for bad in [
        "", "*", "*.", "a..b", ".a", "a:80", "a/b", "*.*.a", "a.*", "[::1", "::1", "a b", "-a",
        "1.2.3",
    ] {
        let expect =
            format!("bad host {bad:?}: expected a name, an address, or *.name, without a port");
        assert_eq!(bad.parse::<HostPattern>().unwrap_err().to_string(), expect);
    }
    assert!(format!("{}.org", "a".repeat(64)).parse::<HostPattern>().is_err());
    let error = "bücher.example".parse::<HostPattern>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "bad host \"bücher.example\": expected it in ASCII, each label as xn--…"
    );
}
