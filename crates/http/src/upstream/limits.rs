//! How much an upstream may cost us.

use std::time::Duration;

use relais_wire::http1::HeadLimits;

/// How much an upstream may cost us. Times are precise to two seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How large the head of an answer may be.
    pub head: HeadLimits,
    /// From the request, or the last that was taken of its body, to the head of its answer.
    pub head_max: Duration,
    /// Without a byte of an answer's body, while somebody waits for it.
    pub stall_max: Duration,
    /// From when it is asked to the end of its answer; `None` for any time. Not of tunnels.
    pub total_max: Option<Duration>,
    /// How long a connection is kept for the next request.
    pub idle_max: Duration,
    /// How many of HTTP/1 are kept on each core. Of HTTP/2 it is one.
    pub idle_links_max: usize,
    /// How many requests are under way at once, tunnels included, over whatever connections; `None`
    /// for any number.
    pub in_flight_max: Option<usize>,
    /// How many more wait until one is over, first come, first served. The next is told to come again
    /// (503).
    pub queue_max: usize,
    /// How long each of them waits. After that it is told so, too.
    pub queue_wait_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: HeadLimits {
                head_bytes_max: 64 * 1024,
                line_bytes_max: 32 * 1024,
                fields_max: 256,
            },
            head_max: Duration::from_mins(1),
            stall_max: Duration::from_secs(30),
            total_max: None,
            idle_max: Duration::from_secs(15),
            idle_links_max: 128,
            in_flight_max: None,
            queue_max: 1024,
            queue_wait_max: Duration::from_secs(10),
        }
    }
}
