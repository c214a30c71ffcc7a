//! What may be asked by datagrams.

use crate::protocol::Ask;

/// Whether `ask` may be carried by datagrams: its answer fits, or is cut to no harm.
pub(super) fn fits_datagrams(ask: &Ask) -> bool {
    let is_long = ask.wants_much() && !matches!(ask, Ask::Resume(_));
    let is_of_connection =
        matches!(ask, Ask::Hello { .. } | Ask::Revoke { .. } | Ask::Help | Ask::Bye { .. });
    !(ask.is_for_connections() || is_long || is_of_connection)
}
