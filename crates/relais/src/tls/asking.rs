//! What callers are asked for, to prove who they are.

use relais_net::tls::CallerPapers;

use super::Tls;
use crate::complaint::Problem;

/// Whether callers are asked for a certificate where no authority is said to have signed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asks {
    /// They are not.
    #[default]
    Nothing,
    /// They may show one, whoever signed it.
    ForAny,
}

impl Tls {
    /// By what callers prove who they are.
    pub(super) fn caller_papers(&self) -> Result<CallerPapers, Problem> {
        Ok(match (self.read_authorities()?, self.asks) {
            (Some(authorities), _) => CallerPapers::Signed(authorities),
            (None, Asks::ForAny) => CallerPapers::Unvouched,
            (None, Asks::Nothing) => CallerPapers::Unasked,
        })
    }
}
