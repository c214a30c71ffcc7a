//! Asking, and going where the answers send.

use std::{error::Error, io};

use http::Method;
use relais_http::client::{AskError, BadRedirect, Exchange, Http2Fault, Request, Url};

use super::{asked::Asked, heads::Heads};
use crate::{
    calling::{Met, broken, refused, tell_met},
    complaint::{Complaint, Wrong},
    output::Telling,
    stop::Stop,
};

/// Where the answers have led to.
#[derive(Debug)]
pub(super) struct Followed {
    /// What was asked last.
    pub(super) request: Request,
    /// What came of it.
    pub(super) exchange: Exchange,
    /// What was asked before.
    pub(super) steps: Vec<Step>,
    /// Where the last answer sends, if nobody goes there.
    pub(super) elsewhere: Option<Url>,
}

impl Followed {
    /// Shows the head, and where to go on.
    pub(super) fn show_head(&self, heads: Heads) -> anyhow::Result<()> {
        heads.answer(&self.exchange.head)?;
        if let Some(url) = &self.elsewhere {
            heads.note(format_args!("* it sends to {url}: `--follow` goes there\n"));
        }
        Ok(())
    }
}

/// A request that was sent elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) status: u16,
    /// Where it was sent.
    pub(super) to: Url,
}

/// Asks, and goes where the answers send, for as often as that may be. What happens on the way is told
/// by `heads`, if somebody is to be told.
pub(super) async fn follow(
    asked: &Asked,
    mut request: Request,
    heads: Option<Heads>,
) -> Result<Followed, Stop> {
    let mut steps: Vec<Step> = Vec::new();
    loop {
        let exchange = ask(asked, &request, heads).await.map_err(|stop| match stop {
            // A server said whom to call: what was said to us is right.
            Stop::Wrong(complaints) if !steps.is_empty() => Stop::Refused(complaints),
            stop => stop,
        })?;
        let next = match request.redirected(&exchange.head) {
            Err(_) if asked.follow == 0 => None,
            Ok(next) => next,
            Err(error) => return Err(not_followed(&error)),
        };
        let Some(next) = next else {
            return Ok(Followed { request, exchange, steps, elsewhere: None });
        };
        if asked.follow == 0 {
            let elsewhere = Some(next.url);
            return Ok(Followed { request, exchange, steps, elsewhere });
        }
        let Request { method, url, .. } = request;
        let status = exchange.head.status;
        steps.push(Step { method, url, status, to: next.url.clone() });
        let wrong =
            if steps.iter().any(|step| (&step.method, &step.url) == (&next.method, &next.url)) {
                let what = format!("redirected in a circle, back to {}", next.url);
                Some(Wrong { what, expected: None, hint: None })
            } else if steps.len() > asked.follow {
                let what =
                    format!("redirected more than {}, last to {}", most(asked.follow), next.url);
                let hint = "`--follow` says how often it may be".to_owned();
                Some(Wrong { what, expected: None, hint: Some(hint) })
            } else {
                None
            };
        if let Some(wrong) = wrong {
            heads.map_or(Ok(()), |heads| heads.answer(&exchange.head))?;
            return Err(failed(wrong));
        }
        heads.inspect(|heads| heads.step(&exchange.head, &next));
        request = next;
    }
}

async fn ask(asked: &Asked, request: &Request, heads: Option<Heads>) -> Result<Exchange, Stop> {
    let client = asked.client_for(&request.url);
    let exchange = client.ask(request).await.map_err(|error| not_asked(request, &error))?;
    let Some(heads) = heads else { return Ok(exchange) };
    if heads.telling == Telling::More {
        let Exchange { peer, session, chain, timings, .. } = &exchange;
        let (peer, session) = (peer.clone(), *session);
        tell_met(&Met { peer, session, chain: chain.clone(), timings: timings.call });
        Heads::request(&exchange.sent);
    }
    for interim in &exchange.interims {
        heads.answer(interim)?;
    }
    Ok(exchange)
}

/// How often at most, in words.
fn most(times: usize) -> String {
    if times == 1 { "once".to_owned() } else { format!("{times} times") }
}

/// Why there is no answer, and what to try.
fn not_asked(request: &Request, error: &AskError) -> Stop {
    let endpoint = request.url.endpoint();
    match error {
        AskError::Dial(error) => return refused(error),
        AskError::Broken(error) => return broken(&endpoint, "asking", error),
        AskError::Http2(error) if error.source().is_some_and(<dyn Error>::is::<io::Error>) => {
            return broken(&endpoint, "asking", error);
        }
        // It says whom it is about.
        AskError::Proxy { source, .. } => {
            return failed(Wrong::from_error(error).hint(hint_for_proxy(source)));
        }
        _ => (),
    }
    let wrong = Wrong::from_error(error);
    let wrong = Wrong { what: format!("{endpoint}: {}", wrong.what), ..wrong };
    failed(wrong.hint(hint(request, error)))
}

/// What to try where a server gave no answer to `request`.
fn hint(request: &Request, error: &AskError) -> &'static str {
    let in_the_clear = !request.url.is_secure();
    match error {
        AskError::Closed if in_the_clear => "does it want TLS? That is https://",
        AskError::Head(_) if in_the_clear => {
            "is it a server of HTTP? `relais send` shows what it says; under TLS it is https://"
        }
        AskError::Late(_) => LONGER,
        AskError::NoHttp2
        | AskError::Unspeakable(_)
        | AskError::Unanswered(Http2Fault::OverHttp1) => "`--http1` asks over HTTP/1.1",
        AskError::Unanswered(Http2Fault::GoneAway(_) | Http2Fault::Refused) => {
            "it may end, or have too much to do: asked again, it may answer"
        }
        AskError::Unanswered(Http2Fault::Reset(_)) => {
            "it gave up on purpose: its own log may say why"
        }
        AskError::Unanswered(Http2Fault::Malformed(_)) | AskError::Http2(_) => {
            "does it speak HTTP/2? `--http1` asks over HTTP/1.1"
        }
        _ => "is it a server of HTTP at all?",
    }
}

/// What to try where a proxy did not do as it was asked.
fn hint_for_proxy(error: &AskError) -> &'static str {
    match error {
        AskError::NoTunnel(407) | AskError::ProxyUser | AskError::ProxyAsksWho => {
            "`--proxy-user NAME:PASSWORD` says who asks"
        }
        AskError::NoTunnel(_) | AskError::NotReached(_) => {
            "the proxy does not reach the server, or does not want to"
        }
        AskError::SilentSocks(_) => {
            "is it a proxy of HTTP? That is `--proxy http://host:port`; `--timeout` waits longer"
        }
        AskError::NoSocks | AskError::NotSocks(_) => {
            "is it a proxy of HTTP? That is `--proxy http://host:port`"
        }
        AskError::Late(_) => LONGER,
        AskError::Broken(_) | AskError::Closed => "it broke off: may you ask it for that?",
        _ => "is it a proxy of HTTP? One of SOCKS is `--proxy socks5://host:port`",
    }
}

const LONGER: &str = "`--timeout` waits longer";

fn not_followed(error: &BadRedirect) -> Stop {
    let wrong = Wrong::from_error(error);
    failed(match error {
        BadRedirect::Downgrade(url) => wrong.hint(format!("to ask there all the same: {url}")),
        BadRedirect::NoLocation(_) | BadRedirect::Location(_) => wrong,
    })
}

fn failed(wrong: Wrong) -> Stop {
    Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
}
