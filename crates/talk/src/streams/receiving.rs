//! Bytes received as they come, whole: who sends is read no faster than what comes is taken.

use std::pin::pin;

use relais_net::{Drain, Fault, Stream};

use super::reading::{is_end, read_some};
use crate::{
    dialogues::{Dialogues, Way},
    lines::Message,
    passing::{End, Passed, closed, fault, idle, linger, told_to_stop, without_goodbye},
};

pub(super) async fn serve(
    all: &Dialogues,
    mut stream: Stream,
    way: Way<'_>,
    (drain, passed): (&Drain, &mut Passed),
) -> Result<End, Fault> {
    let end = loop {
        // Who has said all is heard to the end: what it sent is here, and it knows that.
        if drain.is_requested() && !stream.is_end_in() {
            break told_to_stop();
        }
        let mut came = Vec::new();
        let read = tokio::select! {
            biased;
            read = read_some(&mut stream, |bytes| came.extend_from_slice(bytes)) => read,
            () = drain.requested(), if !stream.is_end_in() => break told_to_stop(),
            () = tokio::time::sleep(all.limits.idle_max) => break idle(all.limits.idle_max),
        };
        match read {
            Ok(1..) => (),
            Ok(0) => break closed(),
            // Whoever is on the way may have ended it.
            Err(error) if is_end(&error) => break without_goodbye(),
            Err(error) => return Err(fault("reading", error)),
        }
        passed.hear(&came);
        let message = Message::unended(&came);
        let mut receiving = pin!(all.receive(&message, way));
        tokio::select! {
            biased;
            () = &mut receiving => (),
            // Who prints may stand still.
            () = drain.requested() => {
                if !stream.is_end_in() {
                    break told_to_stop();
                }
                receiving.await;
            }
        }
    };
    linger(&mut stream).await;
    Ok(end)
}
