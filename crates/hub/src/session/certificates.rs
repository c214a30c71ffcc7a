//! How a client comes to be somebody by the certificate that its connection has shown.

use relais_net::tls;

use super::{Session, entering::limited};
use crate::{
    desk::{Entrance, Order, Proof},
    proof::TokenHash,
    protocol::{Answer, Code, Refusal, Resume},
    words,
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
        let none = || Refusal::of(Code::Forbidden).why(words::NONE_SHOWN);
        let fingerprint = self.way.certificate.ok_or_else(none)?;
        let (client, account) = (self.client, who.account);
        self.asked += 1;
        self.hub.order(Order::Certify { client, account, re, name, fingerprint })?;
        Ok(None)
    }

    /// Has a client be who its certificate is known as. What is right counts for nothing, and nothing that
    /// others did keeps it away: nobody guesses a certificate.
    pub(super) async fn log_in_by_certificate(
        &mut self,
        re: Option<u64>,
        resume: Option<Resume>,
    ) -> Result<Option<Answer>, Refusal> {
        let none = || Refusal::of(Code::BadCredentials).why(words::NONE_SHOWN);
        let fingerprint = self.way.certificate.ok_or_else(none)?;
        let peer = self.way.peer;
        let shown = self.hub.throttled(|it, now| it.logins.may_show(peer, &fingerprint.0, now));
        shown.map_err(limited)?;
        let proof = Proof::Certificate(fingerprint);
        let entered = self.enter(re, Entrance { proof, resume }).await;
        if self.who.is_none() {
            self.hub.throttled(|it, now| it.logins.wrong(peer, &fingerprint.0, now));
        }
        entered
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{REGISTER, hub, told_who_shows};
    use crate::Limits;

    const KNOWN: Option<[u8; 32]> = Some([1; 32]);

    /// How often those who say this are let in, and refused for this.
    async fn tried(
        times: usize,
        hub: &crate::Hub,
        login: &str,
        shown: Option<[u8; 32]>,
    ) -> [usize; 3] {
        let mut tried = [0; 3];
        for _ in 0..times {
            let told = told_who_shows(hub, login, shown).await;
            let is = |said: &str| told[0].contains(said);
            let kinds = [is("\"ok\":true"), is("BAD_CREDENTIALS"), is("RATE_LIMITED")];
            assert_eq!(kinds.iter().filter(|is| **is).count(), 1, "{told:?}");
            tried.iter_mut().zip(kinds).for_each(|(count, is)| *count += usize::from(is));
        }
        tried
    }

    #[tokio::test]
    async fn nobody_keeps_away_who_shows_a_certificate_that_is_known() {
        let (_folder, hub) = hub(Limits::default());
        let certify = format!("{REGISTER}\n{{\"cmd\":\"CERT\",\"id\":2,\"name\":\"key\"}}\n");
        let told = told_who_shows(&hub, &certify, KNOWN).await;
        assert!(told[1].contains("certificate"), "{told:?}");
        let external = "{\"cmd\":\"LOGIN\",\"id\":1,\"external\":true}\n";
        assert_eq!(tried(7, &hub, external, Some([2; 32])).await, [0, 5, 2]);
        let nobody = "{\"cmd\":\"LOGIN\",\"id\":1,\"user\":\"\",\"password\":\"x\"}\n";
        assert_eq!(tried(6, &hub, nobody, None).await, [0, 5, 1]);
        assert_eq!(tried(12, &hub, external, KNOWN).await, [12, 0, 0]);
    }
}
