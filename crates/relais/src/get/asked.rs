//! What the flags of `relais get` mean.

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RANGE, TRANSFER_ENCODING,
        UPGRADE, USER_AGENT,
    },
};
use relais_http::client::{Client, Limits, Proxy, Request, Speaks, Url, User, basic};
use relais_net::tls::Demand;
use relais_wire::http1::HeadLimits;
use serde::de::IgnoredAny;

use super::flags::Flags;
use crate::{
    calling::{Channel, calls},
    complaint::Wrong,
    content,
    data::Data,
    password,
    spelling::{Field, Time},
    stop::Stop,
};

/// How large a head may be.
const HEAD: HeadLimits =
    HeadLimits { head_bytes_max: 256 << 10, line_bytes_max: 64 << 10, fields_max: 1000 };

/// What we call ourselves.
const AGENT: &str = concat!("relais/", env!("CARGO_PKG_VERSION"));

/// What is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    /// Asks the host that was named.
    client: Client,
    /// Asks others, to which redirections lead: to these we prove nothing.
    elsewhere: Client,
    pub(super) request: Request,
    /// How often it is gone elsewhere.
    pub(super) follow: usize,
    pub(super) output: Output,
    pub(super) resumes: bool,
    /// Whether a status of 400 or above is a no.
    pub(super) checks: bool,
}

/// Where what comes goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// The head to standard output.
    Head,
    /// The body to standard output, all else to standard error.
    Body,
    /// The body to this file.
    File(PathBuf),
    /// All of it to standard output.
    Json,
}

/// How long each step may take where nobody says it.
const STAGE_MAX: Duration = Duration::from_secs(30);

/// The same of the first word of a proxy of SOCKS.
const GREETING_MAX: Duration = Duration::from_secs(5);

impl Asked {
    /// Says what a status means.
    pub(super) fn judge(&self, status: u16) -> Result<(), Stop> {
        if self.checks && status >= 400 { Err(Stop::No) } else { Ok(()) }
    }

    /// Who asks for `url`.
    pub(super) fn client_for(&self, url: &Url) -> &Client {
        let is_named = url.host_port().host == self.request.url.host_port().host;
        if is_named { &self.client } else { &self.elsewhere }
    }

    /// How long a body took, if what is asked for has one.
    pub(super) fn body_took(&self, took: Duration) -> Option<Duration> {
        (self.request.method != Method::HEAD).then_some(took)
    }
}

impl Flags {
    /// What is asked for. Reads the files that are named, and may ask for a password.
    pub(super) fn asked(self, data: &Data) -> Result<Asked, Stop> {
        let url: Url =
            self.url.parse().map_err(|error| Stop::of_flag("URL", Wrong::from_error(&error)))?;
        let request = self.request(url)?;
        if self.resume && request.fields.contains_key(RANGE) {
            let wrong = Wrong::expected("`--header Range` beside it", "one of both");
            return Err(Stop::of_flag("--resume", wrong.hint("it asks for a range of its own")));
        }
        let proxy = self.proxy()?;
        let is_proxy_secure = proxy.as_ref().is_some_and(|it| it.endpoint.scheme.is_secure());
        let is_tls_possible = request.url.is_secure() || self.follow > 0 || is_proxy_secure;
        let channel = if is_tls_possible { Channel::Tls } else { Channel::Clear };
        let fit = self.tls.fit(channel, "a URL of https://");
        fit.map_err(|(flag, wrong)| Stop::of_flag(flag, wrong))?;
        let demand = self.tls.demand_over(channel, data)?;
        let said = self.timeout.map(|Time(time)| time);
        let (stage_max, greeting_max) = (said.unwrap_or(STAGE_MAX), said.unwrap_or(GREETING_MAX));
        // What is for a proxy under TLS, too, has to be shown to it whomever it calls.
        let elsewhere = if is_proxy_secure {
            demand.clone()
        } else {
            Demand { own: None, server_name: None, ..demand.clone() }
        };
        let speaks = match (self.http1, self.http2) {
            (true, _) => Speaks::Http1,
            (_, true) => Speaks::Http2,
            _ => Speaks::Agreed,
        };
        let limits = Limits { head: HEAD, silence_max: stage_max, greeting_max };
        let client = |demand| {
            let (dialer, proxy) = (calls(demand, stage_max, None)?, proxy.clone());
            Ok::<_, Stop>(Client { dialer, speaks, proxy, limits })
        };
        let (client, elsewhere) = (client(&demand)?, client(&elsewhere)?);
        let output = match self.output {
            Some(file) if file.as_os_str() != "-" => Output::File(file),
            Some(_) if self.resume => {
                let wrong = Wrong::expected("nothing is gone on with on standard output", "a FILE");
                return Err(Stop::of_flag("--output", wrong));
            }
            None if self.json => Output::Json,
            None if self.head => Output::Head,
            Some(_) | None => Output::Body,
        };
        let (follow, resumes, checks) = (self.follow, self.resume, self.check);
        Ok(Asked { client, elsewhere, request, follow, output, resumes, checks })
    }

    fn request(&self, url: Url) -> Result<Request, Stop> {
        let method = match (&self.method, self.head, &self.body) {
            (Some(method), ..) => {
                read_method(method).map_err(|wrong| Stop::of_flag("--method", wrong))?
            }
            (None, true, _) => Method::HEAD,
            (None, _, Some(_)) => Method::POST,
            (None, _, None) => Method::GET,
        };
        let mut fields = HeaderMap::new();
        fields.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        fields.insert(ACCEPT, HeaderValue::from_static("*/*"));
        let body = match &self.body {
            None => Bytes::new(),
            Some(said) => {
                let (body, kind) = read_data(said)?;
                fields.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
                body
            }
        };
        if let Some(user) = &self.user {
            fields.insert(AUTHORIZATION, credentials(user)?);
        }
        let mut said = HeaderMap::new();
        for field in &self.header {
            let (name, value) =
                read_field(field).map_err(|wrong| Stop::of_flag("--header", wrong))?;
            if value.is_empty() {
                // Without a value: the field is not wanted.
                fields.remove(&name);
            } else {
                said.append(name, value);
            }
        }
        // One that was said stands instead of ours, two of a name beside each other.
        for name in said.keys() {
            fields.remove(name);
        }
        fields.extend(said);
        Ok(Request { method, url, fields, body })
    }

    fn proxy(&self) -> Result<Option<Proxy>, Stop> {
        let Some(text) = &self.proxy else { return Ok(None) };
        let wrong =
            |error: &dyn std::error::Error| Stop::of_flag("--proxy", Wrong::from_error(error));
        if text.contains('@') {
            let wrong = Wrong::expected("a user in the proxy's endpoint", "none before the host");
            return Err(Stop::of_flag("--proxy", wrong.hint("`--proxy-user` says who asks")));
        }
        let proxy = Proxy::parse(text).map_err(|error| wrong(&error))?;
        let Some(said) = &self.proxy_user else { return Ok(Some(proxy)) };
        let wrong = |error| Stop::of_flag("--proxy-user", Wrong::from_error(&error));
        proxy.asked_by(user(said, "--proxy-user")?).map(Some).map_err(wrong)
    }
}

fn read_method(text: &str) -> Result<Method, Wrong> {
    let bad = || Wrong::expected(format!("bad method {text:?}"), "a word, e.g. PUT");
    match Method::from_bytes(text.as_bytes()).map_err(|_| bad())? {
        Method::CONNECT => {
            Err(Wrong::expected("CONNECT is for proxies", "another method")
                .hint("`--proxy` sends it"))
        }
        method => Ok(method),
    }
}

/// A field without those that say where a message ends, which are ours to say.
fn read_field(Field { name, value }: &Field) -> Result<(HeaderName, HeaderValue), Wrong> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Wrong::expected(format!("bad name of a field: {name:?}"), "NAME: VALUE"))?;
    // Not shown: it may be a secret.
    let value = HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| Wrong::expected(format!("bad value of `{name}`"), "no control characters"))?;
    if matches!(name, CONTENT_LENGTH | TRANSFER_ENCODING | CONNECTION | UPGRADE) {
        let what = format!("`{name}` is said by relais, which has to frame the message");
        return Err(Wrong { what, expected: None, hint: None });
    }
    Ok((name, value))
}

/// A body, and what it is.
fn read_data(said: &str) -> Result<(Bytes, &'static str), Stop> {
    let bytes = content::read("--data", said)?;
    let usual = if said.starts_with('@') {
        "application/octet-stream"
    } else {
        "application/x-www-form-urlencoded"
    };
    let is_json = matches!(bytes.first(), Some(b'{' | b'['))
        && serde_json::from_slice::<IgnoredAny>(&bytes).is_ok();
    Ok((bytes.into(), if is_json { "application/json" } else { usual }))
}

fn credentials(said: &str) -> Result<HeaderValue, Stop> {
    let User { name, password } = user(said, "--user")?;
    Ok(basic(&name, &password))
}

fn user(said: &str, flag: &'static str) -> Result<User, Stop> {
    let (name, password) = match said.split_once(':') {
        Some((name, password)) => (name, password.to_owned()),
        None if io::stdin().is_terminal() => {
            (said, password::ask(&format!("password of {said}: "))?)
        }
        None => {
            let wrong = Wrong::expected(format!("no password of {said:?}"), "NAME:PASSWORD");
            return Err(Stop::of_flag(flag, wrong.hint("on a terminal it is asked for")));
        }
    };
    Ok(User { name: name.to_owned(), password })
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

    fn asked(words: &[&str]) -> Result<Asked, Stop> {
        let line = Line::try_parse_from(["get"].iter().chain(words)).unwrap();
        line.flags.asked(&Data::of(Some("/nowhere".into())).unwrap())
    }

    /// Method, URL, fields but for who asks, and body.
    #[track_caller]
    fn check(words: &[&str], expect: &str) {
        let request = asked(words).unwrap().request;
        let fields = request.fields.iter().filter(|(name, _)| *name != USER_AGENT);
        let fields: Vec<_> =
            fields.map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
        let body = String::from_utf8_lossy(&request.body);
        let found = format!("{} {} {} {body}", request.method, request.url, fields.join(","));
        assert_eq!(found.trim_end(), expect);
    }

    #[test]
    fn flags_make_a_request() {
        check(&["9000"], "GET http://127.0.0.1:9000/ accept=*/*");
        check(&["--head", "a.example"], "HEAD http://a.example/ accept=*/*");
        let form = "accept=*/*,content-type=application/x-www-form-urlencoded";
        check(&["-d", "a=b", "9000"], &format!("POST http://127.0.0.1:9000/ {form} a=b"));
        let json = "accept=*/*,content-type=application/json";
        check(
            &["-d", "[1]", "-X", "PUT", "9000"],
            &format!("PUT http://127.0.0.1:9000/ {json} [1]"),
        );
        let words = ["-H", "Accept: text/html", "-H", "x:1", "-H", "X: 2", "9000"];
        check(&words, "GET http://127.0.0.1:9000/ accept=text/html,x=1,x=2");
        check(&["-H", "Accept:", "9000"], "GET http://127.0.0.1:9000/");
        check(&["-H", "X:", "9000"], "GET http://127.0.0.1:9000/ accept=*/*");
        let auth = "accept=*/*,authorization=Basic YW5uYTpzOg==";
        check(&["-u", "anna:s:", "9000"], &format!("GET http://127.0.0.1:9000/ {auth}"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let check = |words: &[&str], expect: &str| {
            let Err(Stop::Wrong(complaints)) = asked(words) else { panic!("{words:?} is taken") };
            let text = complaints[0].to_string();
            assert!(text.contains(expect), "{text}");
        };
        check(&["ftp://a"], "unknown scheme");
        check(&["http://u:secret@a/"], "a user in a URL");
        check(&["-X", "CONNECT", "9000"], "for proxies");
        check(&["-X", "a b", "9000"], "bad method");
        check(&["-H", "x: a\nb: c", "9000"], "bad value");
        check(&["-H", "Content-Length: 3", "9000"], "said by relais");
        check(&["--insecure", "9000"], "nothing is done with `--insecure`");
        check(&["--proxy", "ftp://a", "9000"], "expected http://, https:// or socks5://");
        check(&["--proxy", "http://u:secret@a", "9000"], "`--proxy-user`");
        check(&["--proxy", "socks5://https://a:1", "9000"], "more than one scheme");
        let nameless = ["--proxy", "socks5://a:1", "--proxy-user", ":pw", "9000"];
        for expect in ["a name of 0 bytes", "--proxy-user", "expected 1 to 255, as SOCKS 5 has it"]
        {
            check(&nameless, expect);
        }
        check(&["-o", "f", "--resume", "-H", "range: bytes=1-2", "9000"], "one of both");
        check(&["-d", "@/nowhere/x", "9000"], "cannot read what is to be sent");
    }
}
