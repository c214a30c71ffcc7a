//! What to try when a call comes to nothing.

use std::{error::Error, fmt::Display, io};

use relais_net::{
    Callee, DialError, Endpoint, Place, Scheme, Stage,
    tls::{ConnectError, broken_off},
};

use crate::{
    complaint::{Complaint, Wrong},
    stop::Stop,
};

/// Why nobody was reached, and what to try.
pub(crate) fn refused(error: &DialError) -> Stop {
    let wrong = Wrong::from_error(error);
    let complaint = Complaint::of_nothing_said(match hint(error) {
        Some(hint) => wrong.hint(hint),
        None => wrong,
    });
    match error {
        // Nobody was asked: what was said cannot be meant.
        DialError::Uncallable { .. } => Stop::Wrong(vec![complaint]),
        _ => Stop::Refused(vec![complaint]),
    }
}

/// Why a connection to `callee` that was there broke while something was `doing`, e.g. "talking to".
pub(crate) fn broken(callee: &dyn Display, doing: &str, error: &(dyn Error + 'static)) -> Stop {
    let said = system(error);
    if let Some(why) = said.and_then(broken_off) {
        let what = format!("{callee} broke off: {why}");
        let hint = of_alert(&why).map(str::to_owned);
        let wrong = Wrong { what, expected: None, hint };
        return Stop::Refused(vec![Complaint::of_nothing_said(wrong)]);
    }
    let (what, hint) = match said.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => (
            format!("{callee} reset the connection while {doing} it"),
            Some("it gave up on purpose, or its program ended: its own log may say why"),
        ),
        Some(io::ErrorKind::ConnectionRefused) => (
            format!("nobody listens at {callee}, as its machine says"),
            Some("is the server running, and on this port of UDP?"),
        ),
        Some(io::ErrorKind::TimedOut) => (
            format!("{callee} was silent for too long while {doing} it"),
            Some("it may hang, or the way to it be cut: does it answer another call?"),
        ),
        _ => {
            let why = Wrong::from_error(error);
            (format!("{doing} {callee}: {}", why.what), None)
        }
    };
    let wrong = Wrong { what, expected: None, hint: hint.map(str::to_owned) };
    Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
}

/// What the system says, wherever it stands in the chain.
fn system<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut chain =
        std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (**error).source());
    chain.find_map(|error| error.downcast_ref::<io::Error>())
}

/// What to try where a server refuses so, if it is about who we are.
fn of_alert(why: &str) -> Option<&'static str> {
    why.contains("client").then_some("`--cert` and `--key` show one")
}

fn hint(error: &DialError) -> Option<String> {
    Some(match error {
        DialError::Uncallable { .. } => {
            "say whom to call: a host and its port, e.g. 127.0.0.1:9000".to_owned()
        }
        DialError::NotFound { .. } => {
            "is the name spelled right? `getent hosts NAME` asks the same resolver".to_owned()
        }
        DialError::Refused(Callee { endpoint, .. }) => match endpoint.place {
            Place::Net(_) => "nobody listens there: is the server running, on this port and \
                              address? On its machine, `ss -ltn` lists who listens"
                .to_owned(),
            Place::Path(_) => "the socket is there, and nobody listens: is the server running?".into(),
        },
        DialError::Unreachable { callee, source } => unreachable(callee, source),
        DialError::TimedOut { stage, callee, .. } => timed_out(*stage, &callee.endpoint),
        DialError::Untrusted { callee, .. } => format!(
            "`relais cert show {0}` shows it. To believe it all the same: `--pin` with its SHA-256, \
             or `--ca` with the authority that signed it",
            callee.endpoint
        ),
        DialError::NoTls(callee) => format!("in the clear it is {}", in_the_clear(&callee.endpoint)),
        DialError::Handshake { source, .. } => {
            let of_us = match source {
                ConnectError::Refused(why) => of_alert(why),
                _ => None,
            };
            of_us.unwrap_or("does it speak TLS 1.2 or 1.3, and at this port?").to_owned()
        }
        DialError::Local { .. } => {
            "is it out of addresses or of descriptors? `--source` has to be an address of this machine, \
             and `ulimit -n` says how many connections a program may have"
                .to_owned()
        }
        DialError::Denied(_) => return None,
    })
}

fn unreachable(callee: &Callee, source: &io::Error) -> String {
    match (&callee.endpoint.place, source.kind()) {
        (Place::Path(_), io::ErrorKind::NotFound) => {
            "there is no socket of that name: is the server running?".to_owned()
        }
        (Place::Path(_), _) => "is it a socket, and may you use it?".to_owned(),
        (Place::Net(_), io::ErrorKind::ConnectionReset) => {
            "it hung up at once: a server that is full, or a firewall".to_owned()
        }
        (Place::Net(_), _) => {
            "is the network up, and the address right? `ip route get ADDRESS` shows the way"
                .to_owned()
        }
    }
}

fn timed_out(stage: Stage, endpoint: &Endpoint) -> String {
    match stage {
        Stage::Resolve => "the resolver does not answer: is the network up?".to_owned(),
        Stage::Connect => "nothing answers at all: a wrong address, or a firewall that drops what \
                           comes; `--timeout` waits longer"
            .to_owned(),
        Stage::Handshake => format!(
            "it took the call and says nothing: does it speak TLS there? In the clear it is {}",
            in_the_clear(endpoint)
        ),
    }
}

fn in_the_clear(endpoint: &Endpoint) -> Endpoint {
    let scheme = match endpoint.scheme {
        Scheme::Tls => Scheme::Tcp,
        Scheme::Https => Scheme::Http,
        Scheme::Wss => Scheme::Ws,
        other => other,
    };
    Endpoint { scheme, place: endpoint.place.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callee(endpoint: &str) -> Callee {
        Callee { endpoint: endpoint.parse().unwrap(), address: None }
    }

    #[test]
    fn each_failure_says_what_to_try() {
        check(&DialError::Refused(callee("tcp://127.0.0.1:9")), "is the server running");
        check(
            &DialError::NoTls(callee("wss://127.0.0.1:9")),
            "in the clear it is ws://127.0.0.1:9",
        );
        let why = "it has expired".to_owned();
        let untrusted = DialError::Untrusted { callee: callee("tls://127.0.0.1:9"), why };
        check(&untrusted, "`relais cert show tls://127.0.0.1:9`");
        let most = std::time::Duration::from_secs(1);
        for (stage, expect) in [
            (Stage::Resolve, "the resolver"),
            (Stage::Connect, "a firewall"),
            (Stage::Handshake, "In the clear it is tcp://127.0.0.1:9"),
        ] {
            let callee = callee("tls://127.0.0.1:9");
            check(&DialError::TimedOut { callee, stage, most }, expect);
        }
        let source = io::ErrorKind::NotFound.into();
        check(&DialError::Unreachable { callee: callee("unix:///s"), source }, "no socket of that");
        let source = ConnectError::Refused("it wants a certificate of the client".to_owned());
        check(&DialError::Handshake { callee: callee("tls://127.0.0.1:9"), source }, "`--cert`");
    }

    #[test]
    fn what_broke_is_a_whole_sentence() {
        let check = |error: io::Error, expect: &str| {
            let Stop::Refused(complaints) = broken(&"tls://a:1", "talking to", &error) else {
                panic!("it is no refusal");
            };
            let found = complaints[0].to_string();
            assert!(found.contains(expect), "{found}");
        };
        let reset = "tls://a:1 reset the connection while talking to it";
        check(io::ErrorKind::ConnectionReset.into(), reset);
        check(io::ErrorKind::BrokenPipe.into(), reset);
        let late = "tls://a:1 was silent for too long while talking to it";
        check(io::ErrorKind::TimedOut.into(), late);
        check(io::Error::other("no way"), "talking to tls://a:1: no way");
    }

    #[track_caller]
    fn check(error: &DialError, expect: &str) {
        let found = hint(error).unwrap();
        assert!(found.contains(expect), "{found}");
    }
}
