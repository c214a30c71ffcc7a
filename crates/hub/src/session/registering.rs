//! How a client comes to have an account, by an invitation or without.

use tokio::sync::oneshot;

use super::{
    Session,
    entering::{account_name, limited, new_password},
};
use crate::{
    desk::{Admission, Order},
    proof::{Attempt, TokenHash},
    protocol::{Answer, Code, Refusal, Secret},
    shared::Registration,
    words,
};

impl Session<'_> {
    /// Makes an account. What is wrong with its name, its password or its device says nothing of the invitation:
    /// that is looked at first.
    pub(super) async fn register(
        &mut self,
        re: Option<u64>,
        (user, password): (&str, Secret),
        invitation: Option<Secret>,
        device: Option<String>,
    ) -> Result<Option<Answer>, Refusal> {
        self.may_log_in()?;
        self.may_register(invitation.as_ref())?;
        let name = account_name(user)?;
        let password = new_password(&password, &name, "password")?;
        let device = self.new_device(device.as_deref())?;
        let (admission, attempt) = self.admission(invitation.as_ref(), user)?;
        let client = self.way.peer.client();
        let wait = self.hub.throttled(|throttled, now| throttled.wait_to_register(client, now));
        if let Err(wait) = wait {
            if let Some(attempt) = attempt {
                self.take_back(attempt);
            }
            return Err(limited(wait));
        }
        let phc = match self.hub.passwords.hash(password).await {
            Ok(phc) => Secret(phc),
            Err(busy) => return Err(self.not_judged(attempt, busy)),
        };
        let (entered, account) = oneshot::channel();
        let client = self.client;
        let order = Order::Register { client, re, name, phc, admission, device, entered };
        self.hub.order(order)?;
        let refused = self.be(account).await;
        if let Some(attempt) = attempt {
            self.invited(attempt, refused);
        }
        Ok(None)
    }

    /// By what who asks may have an account. Whether an invitation is good the desk says; how often some are
    /// tried is counted as of passwords.
    fn admission(
        &self,
        invitation: Option<&Secret>,
        user: &str,
    ) -> Result<(Admission, Option<Attempt>), Refusal> {
        let Some(invitation) = invitation else { return Ok((Admission::Anybody, None)) };
        let peer = self.way.peer;
        let admit = self.hub.throttled(|it, now| it.logins.admit(peer, user, now));
        let attempt = Some(admit.map_err(limited)?);
        let hash = TokenHash::read_invitation(&invitation.0);
        let closed = Refusal::of(Code::RegistrationClosed).field("invitation");
        let hash = hash.ok_or_else(|| closed.why("there is no such invitation"))?;
        Ok((Admission::Invited(hash), attempt))
    }

    /// Notes what an attempt with an invitation came to. Who is refused for something else guessed nothing.
    fn invited(&self, attempt: Attempt, refused: Option<Code>) {
        if self.who.is_some() {
            self.hub.throttled(|throttled, now| throttled.logins.right(attempt, now));
        } else if refused != Some(Code::RegistrationClosed) {
            self.take_back(attempt);
        }
    }

    /// Whether there is any sense in asking for an account, with an invitation or without. Whether that is good
    /// is not looked at.
    pub(super) fn may_register(&self, invitation: Option<&Secret>) -> Result<(), Refusal> {
        let closed = Refusal::of(Code::RegistrationClosed);
        match (self.hub.registration, invitation) {
            (Registration::Closed, _) => Err(closed),
            (Registration::Invitation, None) => {
                Err(closed.field("invitation").why(words::NOT_INVITED))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hub, told};
    use crate::{Hub, Limits, Terms, protocol::Secret};

    /// What who asks for an account by an invitation is told first.
    async fn register(hub: &Hub, (user, password): (&str, &str), invitation: &str) -> String {
        let register = format!(
            r#"{{"cmd":"REGISTER","id":1,"user":"{user}","password":"{password}","invitation":"{invitation}"}}"#
        );
        told(hub, &(register + "\n")).await.swap_remove(0)
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_name_or_a_password_is_no_guess_of_an_invitation() {
        let (_folder, hub) = hub(Limits::default());
        hub.add_user("ana", &Secret("secret-pass".to_owned())).await.unwrap();
        let terms = Terms { uses: 9, lasts: None, room: None };
        let invitation = hub.invite(terms).await.unwrap().secret.0.clone();
        for _ in 0..8 {
            let told = register(&hub, ("bob", "short"), &invitation).await;
            assert!(told.contains("WEAK_PASSWORD"), "{told}");
            let told = register(&hub, ("ana", "secret-pass"), &invitation).await;
            assert!(told.contains("ACCOUNT_EXISTS"), "{told}");
        }
        let came = register(&hub, ("bob", "secret-pass"), &invitation).await;
        assert!(came.contains(r#""ok":true"#), "{came}");
        // Who guesses is told nothing of a name, and is held up.
        let guess = format!("ri_{}", "A".repeat(43));
        for tried in 0..20 {
            let told = register(&hub, ("ana", "secret-pass"), &guess).await;
            if told.contains("RATE_LIMITED") {
                assert!(tried >= 5, "{tried}: {told}");
                return;
            }
            assert!(told.contains("REGISTRATION_CLOSED"), "{told}");
        }
        panic!("20 guesses, and none was too many");
    }
}
