//! What is said of a call that was not opened.

use relais_net::{Endpoint, Scheme, tls::broken_off};
use relais_talk::send::OpenError;

use super::failed;
use crate::{
    calling::{broken, refused},
    complaint::Wrong,
    stop::Stop,
};

/// Why there is no call, and what to try.
pub(super) fn not_opened(error: &OpenError) -> Stop {
    let hint = match error {
        OpenError::Dial(error) => return refused(error),
        // Under TLS 1.3 a server judges who calls once that has asked already.
        OpenError::Broken { callee, source } if broken_off(source).is_some() => {
            return broken(callee, "asking", source);
        }
        OpenError::Status { callee, status } => match (status, callee.endpoint.scheme) {
            (300..=399, _) => format!("it sends elsewhere: {} shows where", get(&callee.endpoint)),
            (401, _) => "it wants to know who asks, which `relais send` cannot say".to_owned(),
            (403, _) => {
                "it does not let us in: by our address, or as nobody said who asks".to_owned()
            }
            (404, _) => "a WebSocket is at a path: ws://host:port/path".to_owned(),
            (426 | 400, Scheme::Ws) => {
                "perhaps it wants TLS (wss://), or another version".to_owned()
            }
            _ => "is there a WebSocket at this path?".to_owned(),
        },
        OpenError::NoWebSocket { callee, .. } | OpenError::Broken { callee, .. } => {
            format!("is it a server of HTTP at all? {} shows it", get(&callee.endpoint))
        }
        OpenError::Late { .. } => "`--timeout` waits longer".to_owned(),
    };
    failed(Wrong::from_error(error).hint(hint))
}

/// How the server of a WebSocket is asked for a page.
fn get(endpoint: &Endpoint) -> String {
    let scheme = if endpoint.scheme == Scheme::Wss { Scheme::Https } else { Scheme::Http };
    format!("`relais get {}`", Endpoint { scheme, place: endpoint.place.clone() })
}
