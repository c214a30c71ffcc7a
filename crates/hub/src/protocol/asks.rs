//! What requests are like: which ask for much, and which are for connections.

use super::Ask;

impl Ask {
    /// Whether what is answered may be long: a page, or a list.
    pub fn wants_much(&self) -> bool {
        matches!(
            self,
            Self::History { .. }
                | Self::Search { .. }
                | Self::Resume(_)
                | Self::Rooms { .. }
                | Self::Who { .. }
                | Self::Sessions
                | Self::Export { .. }
        )
    }

    /// Whether it is for connections, and not for datagrams: who somebody is, is said there, and so is what
    /// nobody else is to read.
    pub fn is_for_connections(&self) -> bool {
        matches!(
            self,
            Self::Register { .. }
                | Self::Login { .. }
                | Self::Logout { .. }
                | Self::Password { .. }
                | Self::Unregister { .. }
                | Self::Hook { .. }
                | Self::Certify { .. }
                | Self::Export { .. }
                | Self::Udp { .. }
        )
    }
}
