//! An HTTP/2 connection. h2 keeps the limits on frames, resets and windows; ours are the times.

use std::{future::poll_fn, io, pin::pin, sync::Arc, task::Poll};

use hyper::server::conn::http2;
use hyper_util::rt::TokioIo;
use relais_net::{Drain, Fault, Side, Stream};
use tokio::time::Instant;

use super::{
    Limits,
    asking::Asking,
    batch::Batched,
    pulse::{Judged, SWEEP},
    streams::{Patience, Streams},
    transport::Transport,
};

/// How much of an answer is kept for a stream whose client does not take it; with what its body
/// gave last, a stream that stands still keeps twice as much.
const STREAM_BYTES_MAX: usize = 32 * 1024;

/// Serves `stream` until either side has enough.
///
/// # Errors
///
/// What ended it other than well.
pub(super) async fn serve(
    stream: Stream,
    asking: Asking,
    limits: &Limits,
    drain: &Drain,
) -> Result<(), Fault> {
    let pulse = Arc::clone(&asking.pulse);
    let patience = Patience::new(Arc::clone(&asking.shared), limits);
    let streams = Streams::of(&pulse, patience.clone());
    let crowded = Limits { stall_max: patience.crowded, ..*limits };
    let batched = Batched::new(Transport::new(stream, Arc::clone(&pulse), None));
    let mut hyper = pin!(
        http2::Builder::new(streams)
            .max_concurrent_streams(limits.streams_max)
            .max_header_list_size(limits.head.head_bytes_max)
            .max_send_buf_size(STREAM_BYTES_MAX)
            .serve_connection(TokioIo::new(batched.clone()), asking)
    );
    let mut sweep = pin!(tokio::time::sleep(SWEEP));
    let mut stop = pin!(drain.requested());
    let mut closing = false;
    poll_fn(|cx| {
        if !closing && stop.as_mut().poll(cx).is_ready() {
            closing = true;
            hyper.as_mut().graceful_shutdown();
        }
        if let Poll::Ready(ended) = hyper.as_mut().poll(cx) {
            return Poll::Ready(ended.map_err(|error| {
                Fault::new(Side::Client, "talking HTTP/2", io::Error::other(error))
            }));
        }
        if let Poll::Ready(Err(error)) = batched.poll_leave(cx) {
            return Poll::Ready(Err(Fault::new(Side::Client, "writing HTTP/2", error)));
        }
        while sweep.as_mut().poll(cx).is_ready() {
            let limits = if patience.is_crowded() { &crowded } else { limits };
            match pulse.judge(limits) {
                Judged::Well => sweep.as_mut().reset(Instant::now() + SWEEP),
                Judged::Idle if !closing => {
                    closing = true;
                    hyper.as_mut().graceful_shutdown();
                    sweep.as_mut().reset(Instant::now() + SWEEP);
                }
                Judged::Idle | Judged::Slow | Judged::Deaf => {
                    batched.reset();
                    let error = io::ErrorKind::TimedOut.into();
                    return Poll::Ready(Err(Fault::new(
                        Side::Client,
                        "waiting for the client",
                        error,
                    )));
                }
            }
        }
        Poll::Pending
    })
    .await
}
