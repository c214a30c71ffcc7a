//! How a client comes to have a hook.

use super::Session;
use crate::{
    desk::{NewDevice, Order},
    proof::{Token, draw_hook},
    protocol::{Answer, Code, Place, Refusal},
    store::Stays,
};

impl Session<'_> {
    /// Has the desk keep a hook for `room`, and tell the client of it.
    pub(super) fn make_hook(
        &mut self,
        re: Option<u64>,
        room: Place,
        name: String,
    ) -> Result<Option<Answer>, Refusal> {
        let Some(who) = &self.who else { return Err(Refusal::of(Code::NotLoggedIn)) };
        let Token { text, hash } = draw_hook(self.hub.random);
        let (session, stays) = (hash.session(), Stays::UntilEnded);
        let hook = NewDevice { name, session, hash, token: text, stays };
        let (client, account) = (self.client, who.account);
        self.asked += 1;
        self.hub.order(Order::Hook { client, account, re, room, hook })?;
        Ok(None)
    }
}
