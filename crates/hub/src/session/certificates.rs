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

    /// Has a client be who its certificate is known as. What is right counts for nothing, whatever else it may be
    /// refused for, and nothing that others did keeps it away: nobody guesses a certificate.
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
        let refused = self.enter(re, Entrance { proof, resume }).await?;
        if refused == Some(Code::BadCredentials) {
            self.hub.throttled(|it, now| it.logins.wrong(peer, &fingerprint.0, now));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::super::tests::{REGISTER, connected, hub, told_who_shows};
    use crate::Limits;

    const KNOWN: Option<[u8; 32]> = Some([1; 32]);

    /// What those who say this are told.
    async fn told(hub: &crate::Hub, login: &str, shown: Option<[u8; 32]>) -> String {
        told_who_shows(hub, login, shown).await.swap_remove(0)
    }

    /// Has them be refused for this until they may not even try. That is after five, and some more
    /// where a try takes so long that meanwhile another is allowed.
    async fn try_too_often(hub: &crate::Hub, login: &str, shown: Option<[u8; 32]>) {
        for tried in 0..20 {
            let told = told(hub, login, shown).await;
            if told.contains("RATE_LIMITED") {
                assert!(tried >= 5, "{tried}: {told}");
                return;
            }
            assert!(told.contains("BAD_CREDENTIALS"), "{told}");
        }
        panic!("20 tries, and none was too many");
    }

    #[tokio::test]
    async fn nobody_keeps_away_who_shows_a_certificate_that_is_known() {
        let (_folder, hub) = hub(Limits::default());
        let certify = format!("{REGISTER}\n{{\"cmd\":\"CERT\",\"id\":2,\"name\":\"key\"}}\n");
        let certified = told_who_shows(&hub, &certify, KNOWN).await;
        assert!(certified[1].contains("certificate"), "{certified:?}");
        let external = "{\"cmd\":\"LOGIN\",\"id\":1,\"external\":true}\n";
        try_too_often(&hub, external, Some([2; 32])).await;
        let nobody = "{\"cmd\":\"LOGIN\",\"id\":1,\"user\":\"\",\"password\":\"x\"}\n";
        try_too_often(&hub, nobody, None).await;
        for _ in 0..12 {
            let told = told(&hub, external, KNOWN).await;
            assert!(told.contains("\"ok\":true"), "{told}");
        }
    }

    #[tokio::test]
    async fn a_certificate_that_is_known_is_no_wrong_one_where_it_is_refused_for_something_else() {
        let (_folder, hub) = hub(Limits { sessions_an_account_max: 1, ..Limits::default() });
        let certify = format!("{REGISTER}\n{{\"cmd\":\"CERT\",\"id\":2,\"name\":\"key\"}}\n");
        told_who_shows(&hub, &certify, KNOWN).await;
        let login = REGISTER.replace("REGISTER", "LOGIN") + "\n";
        let (mut client, serving) = connected(&hub, 1 << 16);
        client.write_all(login.as_bytes()).await.unwrap();
        client.read_u8().await.unwrap();
        let external = "{\"cmd\":\"LOGIN\",\"id\":1,\"external\":true}\n";
        for tried in 0..8 {
            let told = told(&hub, external, KNOWN).await;
            assert!(told.contains("TOO_MANY"), "{tried}: {told}");
        }
        drop(client);
        serving.await.unwrap().unwrap();
        let told = told(&hub, &login, None).await;
        assert!(told.contains("\"ok\":true"), "{told}");
    }
}
