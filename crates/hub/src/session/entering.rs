//! How a client comes to be somebody.

use relais_net::Alarm;
use tokio::sync::oneshot;
use tracing::debug;

use super::{Dialect, Session, Somebody};
use crate::{
    counts::Login,
    desk::{Entered, Entering, Entrance, NewDevice, Order, Proof, Shown},
    model::AccountId,
    name,
    proof::{self, Attempt, Token, TokenHash, Verdict},
    protocol::{Answer, Code, Proof as Claim, Refusal, Resume, Secret},
    store::Stays,
    text,
};

impl Session<'_> {
    /// Has a client be somebody, who shows `proof`.
    pub(super) async fn come_in(
        &mut self,
        re: Option<u64>,
        proof: Claim,
        (device, resume): (Option<String>, Option<Resume>),
    ) -> Result<Option<Answer>, Refusal> {
        self.may_log_in()?;
        let entered = match proof {
            Claim::Password { user, password } => {
                self.log_in(re, (&user, password), (device, resume)).await
            }
            Claim::Token(token) => self.log_in_again(re, &token, resume).await,
            Claim::External => self.log_in_by_certificate(re, resume).await,
        };
        let login = match &entered {
            Err(refusal) if refusal.code == Code::RateLimited => Login::PutOff,
            _ if self.who.is_some() => Login::LetIn,
            _ => Login::Refused,
        };
        if login != Login::LetIn {
            // Not as whom: a password is typed there as easily as a name.
            debug!("{}: not logged in: {}", self.way.peer, login.name());
        }
        self.hub.counts.log_in(login);
        entered
    }

    async fn log_in(
        &mut self,
        re: Option<u64>,
        (user, password): (&str, Secret),
        (device, resume): (Option<String>, Option<Resume>),
    ) -> Result<Option<Answer>, Refusal> {
        let (account, phc) = self.prove(user, password).await?;
        let device = self.new_device(device.as_deref())?;
        let proof = Proof::Password { account, phc, device };
        self.enter(re, Entrance { proof, resume }).await?;
        Ok(None)
    }

    /// Who is called `user`, if that is its password, and what that was held against.
    pub(super) async fn prove(
        &self,
        user: &str,
        password: Secret,
    ) -> Result<(AccountId, String), Refusal> {
        let peer = self.way.peer;
        let attempt = self.hub.throttled(|throttled, now| throttled.logins.admit(peer, user, now));
        let attempt = attempt.map_err(limited)?;
        let (found, who) = oneshot::channel();
        self.hub.order(Order::Find { name: user.to_owned(), found })?;
        let who = match who.await.unwrap_or_else(|_| Err(gone())) {
            Ok(who) => who,
            Err(refusal) => {
                self.take_back(attempt);
                return Err(refusal);
            }
        };
        let stored = who.as_ref().map(|(_, phc)| phc.as_str());
        // The same for nobody as for somebody.
        let password = name::password_text(&password.0).map_or(password, Secret);
        let verdict = match self.hub.passwords.verify(password, stored).await {
            Ok(verdict) => verdict,
            Err(busy) => return Err(self.not_judged(Some(attempt), busy)),
        };
        match (verdict, who) {
            (Verdict::Right { .. }, Some(who)) => {
                self.hub.throttled(|throttled, now| throttled.logins.right(attempt, now));
                Ok(who)
            }
            _ => Err(Refusal::of(Code::BadCredentials)),
        }
    }

    /// What who tried is told, since many log in: that was no attempt.
    pub(super) fn not_judged(&self, attempt: Option<Attempt>, why: proof::Busy) -> Refusal {
        if let Some(attempt) = attempt {
            self.take_back(attempt);
        }
        busy(why)
    }

    /// What was shown was held against nothing: that was no attempt.
    pub(super) fn take_back(&self, attempt: Attempt) {
        self.hub.throttled(|throttled, now| throttled.logins.forget(attempt, now));
    }

    async fn log_in_again(
        &mut self,
        re: Option<u64>,
        token: &Secret,
        resume: Option<Resume>,
    ) -> Result<Option<Answer>, Refusal> {
        let hash = TokenHash::read(&token.0).ok_or_else(|| Refusal::of(Code::TokenExpired))?;
        self.enter(re, Entrance { proof: Proof::Token(hash), resume }).await?;
        Ok(None)
    }

    /// Has the desk let a client in, which answers. Gives for what it did not, if that was looked at.
    pub(super) async fn enter(
        &mut self,
        re: Option<u64>,
        entry: Entrance,
    ) -> Result<Option<Code>, Refusal> {
        let (entered, entering) = oneshot::channel();
        let (client, resumes) = (self.client, entry.resume.is_some());
        self.hub.order(Order::Enter { client, re, entry, entered })?;
        let refused = self.be(entering).await;
        if resumes && self.who.is_some() {
            // What it missed ends with an answer, too.
            self.asked += 1;
        }
        Ok(refused)
    }

    /// Is who the desk says, which answers, too. Gives for what it is nobody yet, if that was looked at.
    pub(super) async fn be(&mut self, entering: oneshot::Receiver<Entering>) -> Option<Code> {
        self.asked += 1;
        self.is_entering = true;
        let entered = entering.await;
        self.is_entering = false;
        match entered.ok()? {
            Ok(Entered { account, user, session }) => {
                self.who = Some(Somebody { account, user, session });
                // It may be silent from here on, as people are.
                self.silence = Alarm::default();
                self.link.keep_alive(&self.hub.limits);
                None
            }
            Err(code) => Some(code),
        }
    }

    /// Whether a password may be said here and now.
    pub(super) fn may_log_in(&self) -> Result<(), Refusal> {
        if self.who.is_some() {
            return Err(Refusal::of(Code::AlreadyLoggedIn));
        }
        self.may_say_secrets()
    }

    /// Whether what nobody else is to read may be said here.
    pub(super) fn may_say_secrets(&self) -> Result<(), Refusal> {
        if !self.way.is_for_secrets(self.hub.clear_passwords) {
            return Err(Refusal::of(Code::TlsRequired));
        }
        Ok(())
    }

    pub(super) fn new_device(&self, name: Option<&str>) -> Result<NewDevice, Refusal> {
        let own = self.own_device();
        let name = text::device(name.unwrap_or(&own), &self.hub.limits)?;
        let Token { text, hash } = Token::draw(self.hub.random);
        let stays = match self.dialect {
            // Who types is shown no token: it could never come back as this device.
            Dialect::Words(_) => Stays::WhileConnected,
            Dialect::Json { .. } | Dialect::Unknown => Stays::UntilEnded,
        };
        Ok(NewDevice { name, session: hash.session(), hash, token: text, stays })
    }

    pub(super) async fn change_password(
        &mut self,
        re: Option<u64>,
        old: Secret,
        new: Secret,
    ) -> Result<Option<Answer>, Refusal> {
        let Some(who) = &self.who else { return Err(Refusal::of(Code::NotLoggedIn)) };
        let user = who.user.clone();
        let new = new_password(&new, &user, "new")?;
        let (account, held) = self.prove(&user, old).await?;
        let phc = Secret(self.hub.passwords.hash(new).await.map_err(busy)?);
        self.asked += 1;
        let shown = Shown { account, phc: Secret(held) };
        self.hub.order(Order::Repassword { client: self.client, re, shown, phc })?;
        Ok(None)
    }
}

/// `user` as an account may be called.
pub(super) fn account_name(user: &str) -> Result<String, Refusal> {
    name::account_name(user).map_err(|why| text::no_name(&why))
}

/// `password` as it is hashed, if it is good enough for `user`.
pub(crate) fn new_password(
    password: &Secret,
    user: &str,
    field: &'static str,
) -> Result<Secret, Refusal> {
    let bad = |why: name::NotAPassword| Refusal::of(Code::BadField).why(why.to_string());
    let text = name::password_text(&password.0).map_err(|why| bad(why).field(field))?;
    let password = Secret(text);
    let weak = |why: proof::Weak| Refusal::of(Code::WeakPassword).why(why.to_string());
    proof::check_password(&password, user).map_err(|why| weak(why).field(field))?;
    Ok(password)
}

fn busy(busy: proof::Busy) -> Refusal {
    limited(busy.retry).why("many log in just now")
}

fn gone() -> Refusal {
    Refusal::of(Code::Shutdown)
}

pub(super) fn limited(wait: std::time::Duration) -> Refusal {
    let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Refusal::of(Code::RateLimited).retry_ms(ms)
}
