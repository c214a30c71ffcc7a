//! By which names a door is called that is on this machine alone.
//!
//! A page of any site can have its own name lead to 127.0.0.1 once it is open (DNS rebinding), and would
//! be of the same origin as the hub then, and call from this machine. Only the name tells: so a door that
//! is on this machine answers to names that nobody else can have, and to those that were given for it.

use http::StatusCode;
use relais_http::{Answer, Ask, strange_name};
use relais_wire::host::{parse_host, same_host};

/// Answers who asks for another host than the door has, if only this machine can call there. Under TLS
/// the certificate says who it is.
pub(super) fn misdirected(ask: &Ask, origins: &[String]) -> Option<Answer> {
    let host = strange_name(ask)?;
    if is_named(host, origins) {
        return None;
    }
    let what = format!(
        "{host:?} is no name of this hub, which is on this machine alone: expected {}, an address, or \
         a host of `origins`",
        ask.caller.local
    );
    Some(super::said(StatusCode::MISDIRECTED_REQUEST, &what))
}

/// Whether pages of `host` may come in, by whatever scheme and port: another server may stand before.
fn is_named(host: &str, origins: &[String]) -> bool {
    origins
        .iter()
        .any(|origin| origin == "*" || host_of(origin).is_some_and(|it| same_host(it, host)))
}

fn host_of(origin: &str) -> Option<&str> {
    let (_, host) = origin.split_once("://")?;
    Some(parse_host(host.as_bytes()).ok()?.name)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use http::Request;
    use proptest::prelude::*;
    use relais_http::{Caller, Inbound};
    use relais_net::Peer;

    use super::*;

    fn asked(local: &str, target: &str, host: Option<&str>) -> Ask {
        let mut request = Request::builder().uri(target);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let local = Arc::new(local.parse().unwrap());
        let caller = Arc::new(Caller { peer: Peer::Local, local, tls: None });
        Ask::new(request.body(Inbound::Full(Bytes::new())).unwrap(), caller)
    }

    #[track_caller]
    fn check(local: &str, host: &str, expect: Option<u16>) {
        let origins = ["https://chat.example:8443".to_owned(), "null".to_owned()];
        let answer = misdirected(&asked(local, "/", Some(host)), &origins);
        assert_eq!(answer.map(|it| it.status().as_u16()), expect, "{host} at {local}");
    }

    #[test]
    fn on_this_machine_it_answers_to_names_that_no_site_can_have() {
        for local in
            ["http://127.0.0.1:1", "http://127.8.8.8:1", "http://[::1]:1", "http://localhost:1"]
        {
            for host in
                ["localhost", "LOCALHOST.:80", "team.localhost:1", "127.0.0.1", "127.1.2.3:9"]
            {
                check(local, host, None);
            }
            // Of another machine, from which this one is called on.
            check(local, "192.0.2.7:8010", None);
            check(local, "[::1]:1", None);
            check(local, "[2001:db8::1]", None);
            for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:1"] {
                check(local, host, Some(421));
            }
            check(local, "mylocalhost", Some(421));
            check(local, "1.2.3", Some(421));
        }
    }

    #[test]
    fn it_answers_to_what_it_was_said_to_be_called() {
        check("http://127.0.0.1:1", "chat.example", None);
        check("http://127.0.0.1:1", "Chat.Example.:80", None);
        check("http://127.0.0.1:1", "a.chat.example", Some(421));
        check("http://127.0.0.1:1", "null", Some(421));
        let any = misdirected(&asked("http://127.0.0.1:1", "/", Some("a")), &["*".to_owned()]);
        assert!(any.is_none());
    }

    #[test]
    fn where_other_machines_call_it_answers_to_any_name() {
        for local in ["http://:1", "http://192.0.2.1:1", "http://chat.example:1"] {
            check(local, "evil.example", None);
        }
    }

    #[test]
    fn the_host_is_that_of_the_target_where_it_has_one() {
        let asked = |target, host| misdirected(&asked("http://127.0.0.1:1", target, host), &[]);
        assert!(asked("http://evil.example/", Some("evil.example")).is_some());
        assert!(asked("http://localhost/", Some("localhost")).is_none());
        assert!(asked("/", None).is_none(), "of HTTP/1.0");
    }

    proptest! {
        #[test]
        fn nothing_panics(host in "\\PC{0,40}", origin in "\\PC{0,40}") {
            let _ = (relais_wire::host::is_here(&host), is_named(&host, &[origin]));
        }
    }
}
