//! Asking: the way there, the request, the head of the answer.

use relais_net::tls::Protocol;

use super::{
    AskError, Client, Exchange, Request, Speaks, Timings,
    connect::{self, Way},
    exchange::Answered,
    http1, http2,
    manner::Passing,
};

impl Client {
    /// Asks for the answer to `request`, and waits for its head.
    ///
    /// Cancel safe: a call given up is hung up.
    ///
    /// # Errors
    ///
    /// [`AskError`]
    pub async fn ask(&self, request: &Request) -> Result<Exchange, AskError> {
        let way = connect::connect(self, &request.url).await?;
        let agreed = way.session.map(|session| session.protocol);
        let is_http2 = match (self.speaks, agreed) {
            (Speaks::Http1, _) => false,
            (Speaks::Agreed, agreed) => agreed == Some(Protocol::Http2),
            (Speaks::Http2, None | Some(Protocol::Http2)) => true,
            (Speaks::Http2, Some(_)) => return Err(AskError::NoHttp2),
        };
        let Way { stream, peer, session, chain, timings, passing } = way;
        let answered = if is_http2 {
            http2::ask(stream, request, self.limits).await
        } else {
            http1::ask(stream, request, (passing, self), self.limits).await
        };
        let answered = answered.map_err(|error| match (&self.proxy, passing) {
            (Some(proxy), Passing::OnByProxy) => proxy.blame(format!("for {}", request.url), error),
            _ => error,
        });
        let Answered { sent, interims, head, body, first_byte } = answered?;
        let timings = Timings { first_byte, ..timings };
        Ok(Exchange { sent, interims, head, body, peer, session, chain, timings })
    }
}
