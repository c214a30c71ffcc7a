//! Bytes received as they come, whole: who sends is read no faster than what comes is taken.

use std::io;

use relais_net::{Drain, Fault, Stream};

use super::reading::read_some;
use crate::{
    dialogues::{Dialogues, Way},
    lines::Message,
    passing::{End, Passed, closed, fault, idle, linger, told_to_stop},
};

pub(super) async fn serve(
    all: &Dialogues,
    mut stream: Stream,
    way: Way<'_>,
    (drain, passed): (&Drain, &mut Passed),
) -> Result<End, Fault> {
    let end = loop {
        if drain.is_requested() {
            break told_to_stop();
        }
        let mut came = Vec::new();
        let read = tokio::select! {
            biased;
            read = read_some(&mut stream, |bytes| came.extend_from_slice(bytes)) => read,
            () = drain.requested() => break told_to_stop(),
            () = tokio::time::sleep(all.limits.idle_max) => break idle(all.limits.idle_max),
        };
        if read.map_err(|error: io::Error| fault("reading", error))? == 0 {
            break closed();
        }
        passed.hear(&came);
        let message = Message::unended(&came);
        tokio::select! {
            biased;
            () = all.receive(&message, way) => (),
            // Who prints may stand still.
            () = drain.requested() => break told_to_stop(),
        }
    };
    linger(&mut stream).await;
    Ok(end)
}
