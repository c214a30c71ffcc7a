//! How an HTTP/1 connection ends: what its client is still told, and that all of it can be read.

use std::io;

use http::StatusCode;
use relais_net::{Fault, Side};

use super::{asking::Asking, pulse::Judged, refusal, transport::Transport};

/// What can still be told on a connection that goes on no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastWord {
    /// Why: every answer before it is whole.
    Fits,
    /// Nothing: the request whose body is refused has its answer. That is whole, and to be read.
    Said,
    /// Nothing: it would stand inside an answer, which breaks off.
    CutsIn,
}

/// Closes a connection that ends between two requests: nothing of an answer can be lost.
pub(super) async fn leave(mut transport: Transport, ended: io::Result<()>) -> Result<(), Fault> {
    if ended.is_ok() {
        refusal::part(transport.stream()).await;
    }
    ended.map_err(|error| Fault::new(Side::Client, "talking HTTP/1", error))
}

/// Closes a connection whose last answer says that it ends: what the client said behind that is not read,
/// and the answer is.
pub(super) async fn last(mut transport: Transport) -> Result<(), Fault> {
    refusal::close(&mut transport).await;
    Ok(())
}

/// Closes a connection within an answer whose body broke off: what came of it is to be read.
pub(super) async fn cut(mut transport: Transport, error: io::Error) -> Result<(), Fault> {
    refusal::close(&mut transport).await;
    Err(Fault::new(Side::Client, "talking HTTP/1", error))
}

/// Closes a connection that hyper is done with, telling a client why if it was refused.
pub(super) async fn part(
    mut transport: Transport,
    ended: Result<(), hyper::Error>,
    word: LastWord,
    asking: &Asking,
) -> Result<(), Fault> {
    let Some(refused) = transport.hit() else {
        if transport.is_broken() {
            transport.reset();
        } else {
            refusal::close(&mut transport).await;
        }
        return ended
            .map_err(|error| Fault::new(Side::Client, "talking HTTP/1", io::Error::other(error)));
    };
    match word {
        LastWord::Fits => {
            let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let ended = refusal::send(&mut transport, status, &refused.to_string()).await;
            asking.tell(None, status, ended);
        }
        LastWord::Said => refusal::close(&mut transport).await,
        LastWord::CutsIn => transport.reset(),
    }
    let error = io::Error::new(io::ErrorKind::InvalidData, refused);
    Err(Fault::new(Side::Client, "reading a request", error))
}

/// Ends a connection that took too long.
pub(super) async fn dismiss(
    mut transport: Transport,
    judged: Judged,
    word: LastWord,
    asking: &Asking,
) -> Result<(), Fault> {
    match (judged, word) {
        (Judged::Well | Judged::Idle, _) => return leave(transport, Ok(())).await,
        (Judged::Slow, LastWord::Fits) => {
            let why = "the request took too long to come";
            let ended = refusal::send(&mut transport, StatusCode::REQUEST_TIMEOUT, why).await;
            asking.tell(None, StatusCode::REQUEST_TIMEOUT, ended);
        }
        (Judged::Slow, LastWord::Said) => refusal::close(&mut transport).await,
        (Judged::Slow, LastWord::CutsIn) | (Judged::Deaf, _) => transport.reset(),
    }
    Err(Fault::new(Side::Client, "waiting for the client", io::ErrorKind::TimedOut.into()))
}
