//! Who calls, and how.

use relais_net::Peer;

use crate::{proof::TokenHash, shared::ClearPasswords};

/// Who calls, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) peer: Peer,
    /// Whether others cannot read along.
    pub(crate) is_private: bool,
    /// The fingerprint of the certificate that was shown, if one was.
    pub(crate) certificate: Option<TokenHash>,
}

impl Way {
    /// Whether passwords and tokens may be said: where nobody else reads along, as on this machine, or
    /// where they are taken all the same.
    pub(crate) fn is_for_secrets(self, clear: ClearPasswords) -> bool {
        let is_here = self.peer.ip().is_none_or(|ip| ip.is_loopback());
        self.is_private || is_here || clear == ClearPasswords::Taken
    }
}
