//! A talk with one hub, in a task of its own: what is asked goes there, what comes of it to the screen.

use relais_hub::{client::News, protocol::Ask};
use tokio::{
    sync::mpsc::{Sender, UnboundedReceiver},
    time::Instant,
};

use crate::{chat::caller::Caller, stop::Stop};

/// How much of what hubs tell may wait for the screen: more of it is not read yet.
pub(super) const HEARD_MAX: usize = 256;

/// What comes from a hub.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all that is heard is news")]
pub(super) enum Heard {
    News(News),
    /// The connection is lost.
    Lost,
    /// Nothing comes any more, for this reason.
    Over(Stop),
}

/// Talks to a hub until nobody asks any more.
pub(super) async fn carry(
    (hub, mut caller): (usize, Caller),
    mut asked: UnboundedReceiver<Ask>,
    told: Sender<(usize, Heard)>,
) {
    loop {
        let heard = tokio::select! {
            news = caller.next() => match news {
                Ok(Some(news)) => Heard::News(news),
                Ok(None) => Heard::Lost,
                Err(stop) => Heard::Over(stop),
            },
            ask = asked.recv() => match ask {
                Some(ask) => {
                    caller.talk.ask(ask, Instant::now());
                    continue;
                }
                None => return caller.end().await,
            },
        };
        let is_over = matches!(heard, Heard::Over(_) | Heard::News(News::Refused(_)));
        if told.send((hub, heard)).await.is_err() || is_over {
            return;
        }
    }
}
