//! How a client comes to be somebody by the certificate that its connection has shown.

use relais_net::tls;

use super::{Session, entering::limited};
use crate::{
    desk::{Entrance, Order, Proof},
    proof::TokenHash,
    protocol::{Answer, Code, Refusal, Resume},
};

/// What a caller is known by that has shown a certificate: whoever signed it, it has the key.
pub(crate) fn shown(tls: Option<&tls::Session>) -> Option<TokenHash> {
    let caller = tls?.caller.as_ref()?;
    Some(TokenHash(caller.fingerprint.0))
}

impl Session<'_> {
    /// Has the desk know the certificate that was shown as the account's.
    pub(super) fn certify(
        &mut self,
        re: Option<u64>,
        name: String,
    ) -> Result<Option<Answer>, Refusal> {
        let Some(who) = &self.who else { return Err(Refusal::of(Code::NotLoggedIn)) };
        let none =
            || Refusal::of(Code::Forbidden).why("no certificate was shown on this connection");
        let fingerprint = self.way.certificate.ok_or_else(none)?;
        let (client, account) = (self.client, who.account);
        self.asked += 1;
        self.hub.order(Order::Certify { client, account, re, name, fingerprint })?;
        Ok(None)
    }

    /// Has a client be who its certificate is known as. What is right counts for nothing: nobody guesses a
    /// certificate.
    pub(super) async fn log_in_by_certificate(
        &mut self,
        re: Option<u64>,
        resume: Option<Resume>,
    ) -> Result<Option<Answer>, Refusal> {
        let none =
            || Refusal::of(Code::BadCredentials).why("no certificate was shown on this connection");
        let fingerprint = self.way.certificate.ok_or_else(none)?;
        let peer = self.way.peer;
        let attempt = self.hub.throttled(|throttled, now| throttled.logins.admit(peer, "", now));
        let attempt = attempt.map_err(limited)?;
        let proof = Proof::Certificate(fingerprint);
        let entered = self.enter(re, Entrance { proof, resume }).await;
        if self.who.is_some() {
            self.hub.throttled(|throttled, now| throttled.logins.forget(attempt, now));
        }
        entered
    }
}
