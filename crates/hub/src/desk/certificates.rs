//! Certificates by which accounts log in: each is kept as a device, by its fingerprint in the place of a
//! token's hash.

use super::{Desk, RETRY_MS, broken};
use crate::{
    json::carried::hex,
    model::AccountId,
    proof::TokenHash,
    protocol::{Answer, Code, Refusal},
    store::{Session, Stays},
    text, words,
};

impl Desk {
    /// Has the certificate with this fingerprint be `by`'s, called `name`. Whoever asks has shown it.
    pub(super) fn know(
        &mut self,
        by: AccountId,
        (name, fingerprint): (&str, TokenHash),
    ) -> Result<Answer, Refusal> {
        self.may_write(by)?;
        let device = text::device(name, &self.limits).map_err(|refusal| refusal.field("name"))?;
        if device.is_empty() {
            return Err(Refusal::of(Code::BadField).field("name").why("expected a name"));
        }
        let session = fingerprint.session();
        let certificate = hex(&fingerprint.0);
        if self.is_known(by, &fingerprint)? {
            return Ok(Answer::Certified { certificate, session });
        }
        self.is_free_of((by, &session), &fingerprint)?;
        self.is_new(by, &session)?;
        let (since, account, stays) = (self.now(), by, Stays::UntilEnded);
        let (hash, name, seen, room) = (fingerprint.0, session.clone(), since, None);
        self.keep_device(&Session { hash, name, account, device, since, seen, room, stays })?;
        Ok(Answer::Certified { certificate, session })
    }

    /// Whether this certificate is `by`'s, which it may be asked to be again; another's it is not to be.
    fn is_known(&self, by: AccountId, fingerprint: &TokenHash) -> Result<bool, Refusal> {
        match self.device(fingerprint).map_err(|error| broken(&error))? {
            Some(known) if known.account != by => {
                Err(Refusal::of(Code::Forbidden).why("this certificate is another account's"))
            }
            known => Ok(known.is_some()),
        }
    }

    /// Whether nothing is kept yet of a device that was logged out while the disk took nothing: neither this
    /// certificate nor, of `by`, one of its name.
    fn is_free_of(
        &self,
        (by, session): (AccountId, &str),
        fingerprint: &TokenHash,
    ) -> Result<(), Refusal> {
        let is_kept = self.is_kept(fingerprint).map_err(|error| broken(&error))?;
        if is_kept || self.devices.is_over(&(by, session.to_owned())) {
            let why = "this certificate was revoked, which is yet to be written: try again later";
            return Err(Refusal::of(Code::Unavailable).retry_ms(RETRY_MS).why(why));
        }
        Ok(())
    }

    /// Whether no device of `by` is called so. Who makes many certificates finds one whose name is: it is
    /// not to end in the store.
    fn is_new(&self, by: AccountId, session: &str) -> Result<(), Refusal> {
        let kept = self.devices_of(by).map_err(|error| broken(&error))?;
        if kept.iter().any(|one| one.name == session) {
            let why = format!("a device is called {session} already: show another certificate");
            return Err(Refusal::of(Code::TooMany).why(why));
        }
        Ok(())
    }
}

/// That nobody knows a certificate.
pub(super) fn unknown() -> Refusal {
    Refusal::of(Code::BadCredentials).why(words::UNKNOWN_CERTIFICATE)
}
