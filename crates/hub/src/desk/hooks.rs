//! Hooks: what programs may say over HTTP. One is kept as a session of who made it, which nobody can
//! log in with, and which ends with the room that it is for.

use super::{Desk, Hooked, NewDevice, broken, order::Found};
use crate::{
    hall::ClientId,
    model::AccountId,
    proof::TokenHash,
    protocol::{Answer, Ask, Code, Place, Refusal, Secret},
    saying,
    store::Session,
    text::{self, HOOK_SIGN},
};

/// The most hooks of an account.
const HOOKS_MAX: usize = 32;

/// Whether a session is a hook's.
pub(super) fn is_hook(session: &Session) -> bool {
    session.room.is_some()
}

impl Desk {
    /// Makes a hook for a room that `by` moderates.
    pub(super) fn make_hook(
        &mut self,
        by: AccountId,
        room: &Place,
        hook: NewDevice,
    ) -> Result<Answer, Refusal> {
        self.may_write(by)?;
        let id = self.judge(by).moderated(room)?;
        let Place::Room(room) = saying::place(&self.state, id, None) else {
            return Err(Refusal::of(Code::Forbidden).why("between two there is none"));
        };
        let name = text::line(&hook.name, &self.limits).map_err(|refusal| refusal.field("name"))?;
        if name.is_empty() {
            return Err(Refusal::of(Code::BadField).field("name").why("expected a name"));
        }
        let device = format!("{HOOK_SIGN}{room} {name}");
        let kept = self.devices_of(by).map_err(|error| broken(&error))?;
        if kept.iter().filter(|one| is_hook(one)).count() >= HOOKS_MAX {
            return Err(Refusal::of(Code::TooMany).why("you have as many hooks as may be"));
        }
        let NewDevice { session, hash, token, stays, name: _ } = hook;
        let (path, name, since) = (format!("/hook/{}", token.0), session.clone(), self.now());
        let (hash, account, seen, room) = (hash.0, by, since, Some(id));
        self.add(&Session { hash, name, account, device, since, seen, room, stays })?;
        Ok(Answer::Hooked { path: Secret(path), session })
    }

    /// Does what a program asks by a hook of `by`, if that is one yet.
    pub(super) fn post(
        &mut self,
        client: ClientId,
        (by, hash): (AccountId, &TokenHash),
        ask: Ask,
    ) -> Result<Option<Answer>, Refusal> {
        let hook = self.device(hash).map_err(|error| broken(&error))?;
        if !hook.is_some_and(|hook| hook.account == by && is_hook(&hook)) {
            return Err(Refusal::of(Code::NoSuchHook));
        }
        self.ask((client, None), by, ask)
    }

    /// Whose hook has a token that hashes to this, and what it is for.
    pub(super) fn hooked(&mut self, hash: &TokenHash) -> Found<Hooked> {
        let session = self.device(hash).map_err(|error| broken(&error))?;
        Ok(session.and_then(|session| self.hook_of(&session, hash)))
    }

    fn hook_of(&mut self, session: &Session, hash: &TokenHash) -> Option<Hooked> {
        let (_, name) = session.device.strip_prefix(HOOK_SIGN)?.split_once(' ')?;
        let (room, name) = (session.room?, name.to_owned());
        let room = self.state.has_room(room).then(|| saying::place(&self.state, room, None))?;
        self.seen(hash);
        Some(Hooked { account: session.account, room, name })
    }
}
