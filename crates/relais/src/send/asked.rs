//! What the flags of `relais send` mean.

use std::{
    io::{self, IsTerminal as _},
    net::IpAddr,
    time::Duration,
};

use relais_net::{Endpoint, ParseEndpointError, Place, Scheme};
use relais_talk::{
    LineEnd,
    send::{Target, parse_escapes, parse_hex},
};

use super::{choice::choose, flags::Flags, heard::Shows};
use crate::{
    calling::{Channel, TlsFlags},
    complaint::{Complaint, Wrong},
    spelling::{go_together, together},
    stop::Stop,
};

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) target: Target,
    pub(super) what: What,
    pub(super) verifies: bool,
    pub(super) checks: bool,
    pub(super) notation: Notation,
    pub(super) wait: Option<Duration>,
    pub(super) repeat: Repeat,
    pub(super) source: Option<IpAddr>,
    pub(super) timeout: Duration,
    pub(super) tls: TlsFlags,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// This, its line end included.
    Message(Vec<u8>),
    /// What is typed or piped in, each with this behind it; as it is if `None`.
    Input(Option<LineEnd>),
}

/// How what is said is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// As it is.
    Plain,
    /// In hexadecimal; what comes is shown so, too.
    Hex,
    /// With escapes.
    Escapes,
}

impl Notation {
    /// The bytes that `text` stands for.
    pub(super) fn read(self, text: Vec<u8>) -> Result<Vec<u8>, Wrong> {
        match self {
            Self::Plain => Ok(text),
            Self::Hex => {
                let read = parse_hex(&String::from_utf8_lossy(&text));
                read.map_err(|error| Wrong::from_error(&error))
            }
            Self::Escapes => parse_escapes(&text).map_err(|error| Wrong::from_error(&error)),
        }
    }
}

/// The largest datagram of IPv4: 65,535 bytes less the heads of IP and UDP.
pub(super) const DATAGRAM_BYTES_MAX: usize = 65_507;

/// How often it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    /// At least once.
    pub(super) times: u64,
    /// How long after an answer.
    pub(super) every: Duration,
}

impl Flags {
    /// What is asked for. May ask back.
    pub(super) fn asked(self) -> Result<Asked, Stop> {
        let Self { endpoint, message, udp, choose: is_asked, .. } = &self;
        let usual = if *udp { Scheme::Udp } else { Scheme::Tcp };
        let target = target(endpoint, usual).map_err(|wrong| {
            // As other programs have it.
            at(
                "ENDPOINT",
                match message.first().and_then(|port| together(endpoint, port)) {
                    Some(meant) => wrong.hint(go_together(&meant)),
                    None => wrong,
                },
            )
        })?;
        let target = if *is_asked { chosen(target)? } else { target };
        self.fits(&target).map_err(|(flag, wrong)| at(flag, wrong))?;
        Ok(Asked {
            what: self.what(target.endpoint.scheme).map_err(|wrong| at("MESSAGE", wrong))?,
            target,
            verifies: self.verify,
            checks: self.check,
            notation: self.notation(),
            wait: self.wait.map(|wait| wait.0),
            repeat: Repeat { times: self.repeat, every: self.every.0 },
            source: self.source,
            timeout: self.timeout.0,
            tls: self.tls,
        })
    }

    /// What is said over `scheme`.
    fn what(&self, scheme: Scheme) -> Result<What, Wrong> {
        let line_end = self.line_end.map(LineEnd::from);
        if self.message.is_empty() {
            return Ok(What::Input(line_end));
        }
        let notation = self.notation();
        let is_line = is_stream(scheme) && notation == Notation::Plain;
        let usual = if is_line { LineEnd::Lf } else { LineEnd::None };
        let mut bytes = notation.read(self.message.join(" ").into_bytes())?;
        bytes.extend_from_slice(line_end.unwrap_or(usual).bytes());
        if scheme == Scheme::Udp && bytes.len() > DATAGRAM_BYTES_MAX {
            let most = format!("at most {DATAGRAM_BYTES_MAX} bytes");
            return Err(Wrong::expected("longer than a message may be", most));
        }
        Ok(What::Message(bytes))
    }

    fn notation(&self) -> Notation {
        match (self.hex, self.escapes) {
            (true, _) => Notation::Hex,
            (false, true) => Notation::Escapes,
            (false, false) => Notation::Plain,
        }
    }

    fn fits(&self, target: &Target) -> Result<(), (&'static str, Wrong)> {
        let scheme = target.endpoint.scheme;
        if self.repeat == 0 {
            return Err(("--repeat", Wrong::expected("0 times", "1 or more")));
        }
        for (is_given, flag, meant) in
            [(self.udp, "--udp", Scheme::Udp), (self.tcp, "--tcp", Scheme::Tcp)]
        {
            if is_given && scheme != meant {
                let what = format!("`{flag}`, and an endpoint of {scheme}");
                return Err((flag, Wrong::expected(what, "one of both")));
            }
        }
        self.tls.fit(Channel::of(scheme), "an endpoint of tls:// or wss://")
    }
}

impl Asked {
    /// What standard output is given.
    pub(super) fn shows(&self) -> Shows {
        match (self.notation == Notation::Hex, io::stdout().is_terminal()) {
            (true, false) => Shows::Hex,
            (true, true) => Shows::HexAndText,
            (false, true) => Shows::Visible,
            (false, false) => Shows::AsItIs,
        }
    }
}

/// Whether messages are cut out of a stream.
pub(super) fn is_stream(scheme: Scheme) -> bool {
    matches!(scheme, Scheme::Tcp | Scheme::Tls | Scheme::Unix)
}

fn at(flag: &str, wrong: Wrong) -> Stop {
    Stop::Wrong(vec![Complaint::of_flag(flag, wrong)])
}

/// An endpoint, and the path behind it if it is of a WebSocket.
fn target(text: &str, usual: Scheme) -> Result<Target, Wrong> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_web_socket = matches!(scheme.as_deref(), Some("ws" | "wss"));
    let path_at = text.find("://").and_then(|at| {
        let begin = at + 3;
        text[begin..].find(['/', '?']).map(|at| begin + at).filter(|_| is_web_socket)
    });
    let (place, path) = path_at.map_or((text, ""), |at| text.split_at(at));
    let endpoint = Endpoint::parse_in(place, usual).map_err(|error| {
        let is_named = matches!(error, ParseEndpointError::NoSlashes { .. });
        let wrong = Wrong::from_error(&error);
        match std::path::absolute(text) {
            // What names a scheme was told already what it lacks.
            Ok(path) if text.contains('/') && scheme.is_none() && !is_named => {
                wrong.hint(format!("a Unix socket is unix://{}", path.display()))
            }
            _ => wrong,
        }
    })?;
    match endpoint.scheme {
        Scheme::Http | Scheme::Https => {
            let what = format!("{} is no transport to talk on", endpoint.scheme);
            return Err(Wrong::expected(what, "tcp, tls, udp, unix, ws or wss")
                .hint("servers of HTTP are asked by `relais get URL`"));
        }
        _ if path.contains('#') || !path.bytes().all(|byte| byte.is_ascii_graphic()) => {
            let what = format!("bad path {path:?}");
            return Err(Wrong::expected(what, "visible letters of ASCII, no fragment"));
        }
        _ => {}
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(Target { endpoint, path: format!("{slash}{path}") })
}

/// The same, over what the person at the terminal chooses.
fn chosen(target: Target) -> Result<Target, Stop> {
    let Place::Net(_) = target.endpoint.place else {
        let what = "there is nothing to choose for a Unix socket";
        return Err(at("--choose", Wrong::expected(what, "a host and a port")));
    };
    let scheme = choose(target.endpoint.scheme)?;
    Ok(Target { endpoint: Endpoint { scheme, ..target.endpoint }, ..target })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    /// The endpoint, the path, and what is said.
    #[track_caller]
    fn asked(words: &str) -> Result<(String, String, What), Stop> {
        let words = ["send"].into_iter().chain(words.split(' '));
        let asked = Line::try_parse_from(words).unwrap().flags.asked()?;
        Ok((asked.target.endpoint.to_string(), asked.target.path, asked.what))
    }

    #[track_caller]
    fn check(words: &str, endpoint: &str, path: &str, message: &[u8]) {
        let expect = (endpoint.to_owned(), path.to_owned(), What::Message(message.to_vec()));
        assert_eq!(asked(words).unwrap(), expect);
    }

    #[track_caller]
    fn check_wrong(words: &str, expect: &str) {
        let Err(Stop::Wrong(complaints)) = asked(words) else { panic!("it is taken") };
        assert!(complaints[0].to_string().contains(expect), "{}", complaints[0]);
    }

    #[test]
    fn a_message_is_a_line_on_streams_and_as_it_is_elsewhere() {
        check("6666 a b", "tcp://127.0.0.1:6666", "/", b"a b\n");
        check("--udp 6666 a", "udp://127.0.0.1:6666", "/", b"a");
        check("--tcp --line-end crlf a.example:25 a", "tcp://a.example:25", "/", b"a\r\n");
        check("--line-end none tls://[::1]:6666 a", "tls://[::1]:6666", "/", b"a");
        check("unix:///run/s a", "unix:///run/s", "/", b"a\n");
        check("ws://a.example/b/c?d=e a", "ws://a.example:80", "/b/c?d=e", b"a");
        check("WSS://a.example:8443 a", "wss://a.example:8443", "/", b"a");
        check("ws://a.example?d a", "ws://a.example:80", "/?d", b"a");
        check("-e 6666 a\\r\\n b", "tcp://127.0.0.1:6666", "/", b"a\r\n b");
        check("--hex 6666 48 690a", "tcp://127.0.0.1:6666", "/", b"Hi\n");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        check_wrong("http://a.example a", "`relais get URL`");
        check_wrong("/run/s.sock a", "a Unix socket is unix:///run/s.sock");
        check_wrong("unix:/run/s.sock a", "expected unix:///run/s.sock");
        let Err(Stop::Wrong(complaints)) = asked("unix:/run/s.sock a") else {
            panic!("it is taken")
        };
        assert_eq!(complaints[0].wrong.hint, None);
        check_wrong("--udp udp:6666 a", "expected udp://127.0.0.1:6666, or udp://udp:6666");
        check_wrong("a.example 25", "host and port go together: a.example:25");
        check_wrong("::1 25", "host and port go together: [::1]:25");
        check_wrong("--udp tcp://a.example:1 a", "`--udp`, and an endpoint of tcp");
        check_wrong("--insecure 6666 a", "nothing is done with `--insecure`");
        check_wrong("--repeat 0 6666 a", "0 times");
        check_wrong("--hex 6666 4", "half a byte");
        check_wrong("--escapes 6666 a\\q", "bad escape");
        check_wrong("tcp://a.example:1/b a", "an endpoint has no path");
        check_wrong("ws://a.example/b#c a", "bad path");
        check_wrong("--choose unix:///s a", "nothing to choose");
        let most = |bytes| format!("udp://a.example:1 {}", "x".repeat(bytes));
        check_wrong(&most(65_508), "longer than a message may be");
        check_wrong(&most(65_508), "expected at most 65507 bytes");
        assert!(asked(&most(65_507)).is_ok());
    }
}
