//! How a client comes to be nobody again.

use super::{Dialect, Session};
use crate::{
    desk::{Order, Shown},
    hall::{ClientId, Key},
    model::Said,
    protocol::{Answer, Ask, Code, Refusal, Secret},
    words::Stand,
};

impl Session<'_> {
    /// The account is to be deleted, by who knows its password.
    pub(super) async fn unregister(
        &mut self,
        re: Option<u64>,
        password: Secret,
        said: Said,
    ) -> Result<Option<Answer>, Refusal> {
        let Some(who) = &self.who else { return Err(Refusal::of(Code::NotLoggedIn)) };
        let user = who.user.clone();
        let (account, phc) = self.prove(&user, password).await?;
        self.asked += 1;
        let shown = Shown { account, phc: Secret(phc) };
        self.hub.order(Order::Unregister { client: self.client, re, shown, said })?;
        Ok(None)
    }

    pub(super) fn log_out(
        &mut self,
        re: Option<u64>,
        all: bool,
    ) -> Result<Option<Answer>, Refusal> {
        let Some(who) = &self.who else { return Err(Refusal::of(Code::NotLoggedIn)) };
        let session = who.session.clone();
        let ask = if all { Ask::Logout { all } } else { Ask::Revoke { session } };
        let said = self.order(re, ask);
        self.be_nobody();
        // As silent as people are it may be no longer.
        self.silence.set(self.hub.limits.unknown_max);
        said
    }

    /// Whether it came in by the session that is called so.
    pub(super) fn is_by(&self, session: &str) -> bool {
        self.who.as_ref().is_some_and(|who| who.session == session)
    }

    pub(super) fn be_nobody(&mut self) {
        self.mark_read();
        if let Dialect::Words(typing) = &mut self.dialect {
            (typing.here, typing.shown, typing.has_read) = (Stand::Nowhere, None, false);
        }
        // Where it ends while the desk lets it in, it may be somebody there.
        if self.who.take().is_some() || self.is_entering {
            // A desk that is gone has nobody.
            _ = self.hub.order(Order::Leave { client: self.client });
        }
    }

    /// Who types says nothing of what it has read: it has, where it is, what was shown. Told to the hub with
    /// the next line that is typed, not with each message, of which a thousand may be shown many in a second.
    /// Nobody is answered.
    pub(super) fn mark_read(&mut self) {
        let (Some(who), Dialect::Words(typing)) = (&self.who, &mut self.dialect) else { return };
        if !std::mem::take(&mut typing.has_read) {
            return;
        }
        if let (Some(room), Some(seq)) = (typing.here.place().cloned(), typing.shown) {
            let client = ClientId { key: Key::NOBODY, ..self.client };
            let (account, ask) = (who.account, Ask::Read { room, seq });
            _ = self.hub.order(Order::Ask { client, account, re: None, ask });
        }
    }
}
