//! What may be asked by datagrams.

use crate::protocol::Ask;

/// Whether `ask` may be carried by datagrams: its answer fits, or is cut to no harm.
pub(super) fn fits_datagrams(ask: &Ask) -> bool {
    !matches!(
        ask,
        Ask::Hello { .. }
            | Ask::Register { .. }
            | Ask::Login { .. }
            | Ask::Logout { .. }
            | Ask::Password { .. }
            | Ask::Unregister { .. }
            | Ask::Hook { .. }
            | Ask::Certify { .. }
            | Ask::Revoke { .. }
            | Ask::Udp { .. }
            | Ask::History { .. }
            | Ask::Search { .. }
            | Ask::Rooms { .. }
            | Ask::Who { .. }
            | Ask::Sessions
            | Ask::Export { .. }
            | Ask::Help
            | Ask::Bye { .. }
    )
}
