//! Asking, and going where the answers send.

use relais_http::client::{AskError, BadRedirect, Exchange, Request};

use super::{asked::Asked, heads::Heads};
use crate::{
    calling::{Met, broken, refused, tell_met},
    complaint::{Complaint, Wrong},
    output::{Telling, tell},
    stop::Stop,
};

/// Asks, and goes where the answers send, for as often as that may be. Gives what was asked last, and
/// what came of it.
pub(super) async fn follow(
    asked: &Asked,
    mut request: Request,
    heads: Heads,
) -> Result<(Request, Exchange), Stop> {
    let mut been = vec![(request.method.clone(), request.url.clone())];
    loop {
        let exchange = ask(asked, &request, heads).await?;
        let next = match request.redirected(&exchange.head) {
            Ok(Some(next)) => next,
            Ok(None) => return Ok((request, exchange)),
            Err(_) if asked.follow == 0 => return Ok((request, exchange)),
            Err(error) => return Err(not_followed(&error)),
        };
        if asked.follow == 0 {
            tell(format_args!("* it sends to {}: `--follow 5` goes there", next.url));
            return Ok((request, exchange));
        }
        let step = (next.method.clone(), next.url.clone());
        if been.contains(&step) {
            heads.answer(&exchange.head);
            let what = format!("redirected in a circle, back to {}", next.url);
            return Err(failed(Wrong { what, expected: None, hint: None }));
        }
        if been.len() > asked.follow {
            heads.answer(&exchange.head);
            let what = format!("redirected more than {} times, last to {}", asked.follow, next.url);
            let hint = "`--follow` says how often it may be".to_owned();
            return Err(failed(Wrong { what, expected: None, hint: Some(hint) }));
        }
        heads.step(&exchange.head, &next);
        been.push(step);
        request = next;
    }
}

async fn ask(asked: &Asked, request: &Request, heads: Heads) -> Result<Exchange, Stop> {
    let exchange = asked.client.ask(request).await.map_err(|error| not_asked(request, &error))?;
    if heads.telling == Telling::More {
        let Exchange { peer, session, chain, timings, .. } = &exchange;
        let (peer, session) = (peer.clone(), *session);
        tell_met(&Met { peer, session, chain: chain.clone(), timings: timings.call });
        Heads::request(&exchange.sent);
    }
    for interim in &exchange.interims {
        heads.answer(interim);
    }
    Ok(exchange)
}

/// Why there is no answer, and what to try.
pub(super) fn not_asked(request: &Request, error: &AskError) -> Stop {
    let endpoint = request.url.endpoint();
    let hint = match error {
        AskError::Dial(error) => return refused(error),
        AskError::Broken(error) => return broken(&endpoint, "asking", error),
        AskError::Closed if !request.url.is_secure() => "does it want TLS? That is https://",
        AskError::Head(_) if !request.url.is_secure() => {
            "is it a server of HTTP? `relais send` shows what it says; under TLS it is https://"
        }
        AskError::Closed | AskError::Head(_) | AskError::Interims(_) | AskError::Early => {
            "is it a server of HTTP at all?"
        }
        AskError::NoTunnel(407) => "`--proxy-user NAME:PASSWORD` says who asks",
        AskError::NoTunnel(_) => "the proxy does not reach the server, or does not want to",
        AskError::ProxyUnderTls => "proxies are called in the clear: http://host:port",
        AskError::Late(_) => "`--timeout` waits longer",
        AskError::NoHttp2 | AskError::Unspeakable(_) => "`--http1` asks over HTTP/1.1",
        AskError::Http2(_) => "does it speak HTTP/2? `--http1` asks over HTTP/1.1",
    };
    let wrong = Wrong::from_error(error);
    let wrong = Wrong { what: format!("{endpoint}: {}", wrong.what), ..wrong };
    failed(wrong.hint(hint))
}

pub(super) fn not_followed(error: &BadRedirect) -> Stop {
    let wrong = Wrong::from_error(error);
    failed(match error {
        BadRedirect::Downgrade(url) => wrong.hint(format!("to ask there all the same: {url}")),
        BadRedirect::NoLocation(_) | BadRedirect::Location(_) => wrong,
    })
}

fn failed(wrong: Wrong) -> Stop {
    Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
}
