//! What is said to a target: a request, or a message that is to come back.

use std::num::NonZeroUsize;

use clap::Args;
use relais_net::Scheme;
use relais_talk::load::{BadRequest, Http2Request, Parts, Request, Said};

use super::{
    report::count,
    target::{Url, has_path},
};
use crate::{
    complaint::Wrong,
    content,
    measure::{counted, said_bytes},
    spelling::{Field, Size},
    stop::Stop,
};

/// What is said to who sends it back.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Messages, to who sends them back")]
pub(super) struct Messages {
    /// Send TEXT, with a line end behind it on a stream, or what FILE holds, as it is
    #[arg(long, value_name = "TEXT|@FILE", conflicts_with = "size")]
    message: Option<String>,
    /// Send a line of so many bytes [default: 64]
    #[arg(short, long, value_name = "SIZE")]
    size: Option<Size>,
}

/// What is asked for over HTTP.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Requests, over HTTP")]
pub(super) struct Requesting {
    /// Speak HTTP/2: to https:// as agreed on by ALPN, to http:// without asking whether the server does
    #[arg(long)]
    http2: bool,
    /// Over HTTP/2, how many requests are under way at once on each connection [default: 1]
    #[arg(short = 'm', long, value_name = "N", value_parser = streams)]
    streams: Option<NonZeroUsize>,
    /// The method [default: GET, or POST if there is a body]
    #[arg(short = 'X', long)]
    method: Option<String>,
    /// A header field; may be given again
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    header: Vec<Field>,
    /// The body: TEXT, or what FILE holds
    #[arg(long, value_name = "TEXT|@FILE")]
    body: Option<String>,
    /// Path and query, if not in the TARGET
    #[arg(long)]
    path: Option<String>,
}

/// How long a message is, if nothing is said.
const SIZE: u64 = 64;

/// What can be sent at once in one datagram (RFC 768, over IPv4).
const DATAGRAM_BYTES_MAX: u64 = 65_507;

/// Enough to see what size does; it is in memory as a whole.
const MESSAGE_BYTES_MAX: u64 = 1 << 30;

/// How many requests may be under way at once over HTTP/2. Each is a client of its own here.
const CLIENTS_MAX: NonZeroUsize = NonZeroUsize::new(1_000_000).expect("more than none");

impl Messages {
    pub(super) fn said(&self, scheme: Scheme) -> Result<Said, Stop> {
        let (flag, bytes) = match (&self.message, self.size) {
            (Some(text), _) => ("--message", message(text, scheme)?),
            (None, size) => {
                let Size(size) = size.unwrap_or(Size(SIZE));
                ("--size", line_of(size)?)
            }
        };
        let max = if scheme == Scheme::Udp { DATAGRAM_BYTES_MAX } else { MESSAGE_BYTES_MAX };
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size == 0 || size > max {
            let what = format!("a message of {size} bytes");
            return Err(Stop::of_flag(flag, Wrong::expected(what, format!("1 to {max}"))));
        }
        Ok(Said::Message(bytes.into()))
    }

    pub(super) fn refuse(&self, scheme: Scheme) -> Result<(), Stop> {
        let Self { message, size } = self;
        let flags = [("--message", message.is_some()), ("--size", size.is_some())];
        refuse(&flags, scheme, "what is sent is said by `--body`")
    }
}

impl Requesting {
    /// The request, and the path that it is for.
    pub(super) fn said(&self, url: &Url) -> Result<(Said, String), Stop> {
        let Self { http2, streams: _, method, header, body, path: _ } = self;
        let path = self.path(url)?;
        let data = body.as_deref().map(|text| content::read("--body", text)).transpose()?;
        let usual = if data.is_some() { "POST" } else { "GET" };
        let method = method.as_deref().unwrap_or(usual);
        let host = url.host();
        let fields = header.iter().map(|Field { name, value }| (name.clone(), value.clone()));
        let fields: Vec<_> = fields.collect();
        let data = data.as_deref();
        let parts = Parts { method, path: &path, host: &host, fields: &fields, data };
        let said = if *http2 {
            Http2Request::of(parts, url.endpoint.scheme).map(Said::Http2)
        } else {
            Request::of(parts).map(Said::Request)
        };
        let said =
            said.map_err(|error| Stop::of_flag(flag_of(&error), Wrong::from_error(&error)))?;
        Ok((said, path))
    }

    /// How many requests are under way on each of so many `connections`.
    pub(super) fn streams(&self, connections: NonZeroUsize) -> Result<NonZeroUsize, Stop> {
        let Some(streams) = self.streams else { return Ok(NonZeroUsize::MIN) };
        let refused = |what: String, expected: String| {
            Err(Stop::of_flag("--streams", Wrong::expected(what, expected)))
        };
        let said = counted(count(streams.get()), "stream");
        if !self.http2 {
            return refused(
                format!("{said} over HTTP/1.1, which has none"),
                "`--http2`".to_owned(),
            );
        }
        if connections.saturating_mul(streams) > CLIENTS_MAX {
            let connections = counted(count(connections.get()), "connection");
            let most = counted(count(CLIENTS_MAX.get()), "stream");
            return refused(format!("{said} on each of {connections}"), format!("{most} in all"));
        }
        Ok(streams)
    }

    /// What is asked with, without what the fields and the body say: that may be secret.
    pub(super) fn about(&self) -> String {
        let usual = if self.body.is_some() { "POST" } else { "GET" };
        let method = self.method.as_deref().unwrap_or(usual);
        let fields = match self.header.len() {
            0 => String::new(),
            fields => format!(" with {}", counted(count(fields), "field")),
        };
        let body = if self.body.is_some() { " and a body" } else { "" };
        let protocol = if self.http2 { " over HTTP/2" } else { "" };
        format!("{method}{fields}{body}{protocol}")
    }

    pub(super) fn path(&self, url: &Url) -> Result<String, Stop> {
        let (flag, path) = match (&self.path, &url.path) {
            (Some(path), Some(said)) => {
                let what = format!("path {path:?} beside {said:?} in the TARGET");
                return Err(Stop::of_flag("--path", Wrong::expected(what, "one of them")));
            }
            (Some(path), None) => ("--path", path.as_str()),
            (None, Some(path)) => ("TARGET", path.as_str()),
            (None, None) => ("TARGET", "/"),
        };
        let is_visible = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if path.starts_with('/') && is_visible {
            return Ok(path.to_owned());
        }
        let what = format!("bad path {path:?}");
        let expected = "a slash and visible letters of ASCII, no fragment";
        Err(Stop::of_flag(flag, Wrong::expected(what, expected)))
    }

    pub(super) fn refuse(&self, scheme: Scheme) -> Result<(), Stop> {
        let Self { http2, streams, method, header, body, path } = self;
        if *http2 || streams.is_some() {
            let flag = if *http2 { "--http2" } else { "--streams" };
            let expected = "a TARGET of `http://…` or `https://…`";
            let wrong = Wrong::expected(format!("no HTTP/2 over {scheme}"), expected);
            return Err(Stop::of_flag(flag, wrong));
        }
        let flags = [
            ("--method", method.is_some()),
            ("--header", !header.is_empty()),
            ("--body", body.is_some()),
            ("--path", path.is_some() && !has_path(scheme)),
        ];
        refuse(&flags, scheme, "what is sent is said by `--message` or `--size`")
    }
}

/// How long a message is.
pub(super) fn about_message(said: &Said) -> String {
    match said {
        Said::Message(bytes) => format!("messages of {}", said_bytes(count(bytes.len()))),
        Said::Request(_) | Said::Http2(_) => "requests".to_owned(),
    }
}

fn streams(text: &str) -> Result<NonZeroUsize, &'static str> {
    let read = text.parse().ok().filter(|streams: &NonZeroUsize| streams.get() <= STREAMS_MAX);
    read.ok_or("expected a number from 1 to 1000, of requests under way on each connection")
}

/// More than most servers let be open at once.
const STREAMS_MAX: usize = 1000;

fn refuse(flags: &[(&str, bool)], scheme: Scheme, hint: &str) -> Result<(), Stop> {
    let Some((flag, _)) = flags.iter().find(|(_, is_said)| *is_said) else { return Ok(()) };
    let what = format!("nothing is done with `{flag}` over {scheme}");
    Err(Stop::of_flag(flag, Wrong { what, expected: None, hint: Some(hint.to_owned()) }))
}

fn flag_of(error: &BadRequest) -> &'static str {
    match error {
        BadRequest::Method(_) => "--method",
        BadRequest::Path(_) | BadRequest::Escaped(_) => "--path",
        BadRequest::Name(_)
        | BadRequest::Value(_)
        | BadRequest::Framing(_)
        | BadRequest::OfConnection(_)
        | BadRequest::Host(_) => "--header",
    }
}

/// The bytes of a message. A stream is often read by lines; a datagram is whole, and so is what a
/// WebSocket carries.
fn message(text: &str, scheme: Scheme) -> Result<Vec<u8>, Stop> {
    let mut bytes = content::read("--message", text)?;
    let is_stream = matches!(scheme, Scheme::Tcp | Scheme::Tls | Scheme::Unix);
    if !text.starts_with('@') && is_stream && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// A line of so many bytes, its end included.
fn line_of(size: u64) -> Result<Vec<u8>, Stop> {
    let size = usize::try_from(size.min(MESSAGE_BYTES_MAX + 1));
    let size =
        size.map_err(|_| Stop::of_flag("--size", Wrong::expected("more than memory", "less")))?;
    let letters = (b'a'..=b'z').cycle().take(size.saturating_sub(1));
    Ok(letters.chain([b'\n']).take(size).collect())
}
