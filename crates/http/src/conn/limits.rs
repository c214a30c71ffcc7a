//! How much a connection may cost us.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use relais_wire::http1::HeadLimits;

/// Limits of one HTTP connection. Times are precise to a second: they are swept, not timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How large a head may be. HTTP/2 has no lines; of its fields, all cookies count as one.
    pub head: HeadLimits,
    /// From a head's first byte to its last.
    pub head_max: Duration,
    /// Without a request.
    pub idle_max: Duration,
    /// Without a byte of a body that is under way, in either direction.
    pub stall_max: Duration,
    /// Bytes a second that a body must come to on average of the time in which its client is waited for, once
    /// that is [`Self::stall_max`].
    pub rate_min: u32,
    /// Without a byte in either direction of a tunnel.
    pub tunnel_idle_max: Duration,
    /// HTTP/2 streams of one connection at once.
    pub streams_max: u32,
    /// Idle connections of a service that keep their buffers at once. The others give them back, at
    /// the cost of allocating them anew when they wake.
    pub awake_max: u32,
    /// Bodies of a service that HTTP/2 may have in memory at once, some 48 KiB of each; for any one
    /// client three quarters as many. Beyond half of them, who does not take his has a tenth of
    /// [`Self::stall_max`].
    pub shared_max: usize,
}

/// How often a connection is judged.
pub(super) const SWEEP: Duration = Duration::from_secs(1);

/// Limits that may change while connections come.
pub type LimitsSlot = Arc<ArcSwap<Limits>>;

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: HeadLimits {
                head_bytes_max: 32 * 1024,
                line_bytes_max: 16 * 1024,
                fields_max: 100,
            },
            head_max: Duration::from_secs(10),
            idle_max: Duration::from_mins(1),
            stall_max: Duration::from_secs(30),
            rate_min: 128,
            tunnel_idle_max: Duration::from_hours(1),
            streams_max: 128,
            awake_max: 256,
            shared_max: 8192,
        }
    }
}
