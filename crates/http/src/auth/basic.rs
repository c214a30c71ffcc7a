//! The handler that asks for a password before another handler answers.

use std::{io, sync::Arc, time::Duration};

use http::{HeaderValue, StatusCode, header};
use relais_net::{Client, Fault, Side};
use tokio::time::Instant;

use super::{
    Known, Realm, Turn, User, Users,
    credentials::{self, Credentials},
    throttle::{Chance, Login},
    verified::Key,
};
use crate::{Accepts, Answer, Ask, Handler, Refused, handler::plain_text};

/// Demands a password before `H` answers.
///
/// Who gives none, or a wrong one, is answered with 401; who was wrong too often, with 429, even
/// with the right password, which could be found by trying otherwise, but for whom this client was
/// let in as before; and while too many are being verified, with 503. The inner handler's requests and answers have a [`User`] among their
/// extensions; only its [`Handler::at_once`] sees none in the request, which is not ours to change
/// there. The Authorization header stays, and is marked sensitive.
#[derive(Debug)]
pub struct Basic<H> {
    inner: H,
    challenge: HeaderValue,
    desk: Arc<Desk>,
}

/// Where credentials are looked at. Shared with the threads that hash.
#[derive(Debug)]
struct Desk {
    users: Users,
    known: Arc<Known>,
}

/// What a request says of who asks, and what stands for that.
#[derive(Debug)]
struct Attempt<'a> {
    client: Client,
    token: &'a [u8],
    key: Key,
}

/// Why a request does not reach the inner handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Unauthorized,
    /// Wrong too often; may try again in so long.
    Throttled(Duration),
    Busy,
}

impl<H> Basic<H> {
    /// Demands the password of one of `users` before `inner` answers. What is `known` of who asks may be
    /// what was known when others were the users.
    pub fn new(inner: H, realm: &Realm, users: Users, known: Arc<Known>) -> Self {
        let challenge = format!("Basic realm=\"{realm}\", charset=\"UTF-8\"");
        let challenge = challenge.try_into().expect("printable characters, as a realm has");
        Self { inner, challenge, desk: Arc::new(Desk { users, known }) }
    }

    fn refuse(&self, refusal: Refusal) -> Answer {
        let (status, why) = match refusal {
            Refusal::Unauthorized => (StatusCode::UNAUTHORIZED, "who are you?"),
            Refusal::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "wrong too often"),
            Refusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, "try again in a moment"),
        };
        let mut answer = plain_text(status, why);
        let headers = answer.headers_mut();
        match refusal {
            Refusal::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, self.challenge.clone())
            }
            Refusal::Throttled(wait) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                headers.insert(header::RETRY_AFTER, seconds.into())
            }
            Refusal::Busy => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
        };
        answer
    }
}

impl<H: Handler> Handler for Basic<H> {
    fn accepts(&self) -> Accepts {
        self.inner.accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        let Some(token) = credentials::token(ask.request.headers()) else {
            return Some(self.refuse(Refusal::Unauthorized));
        };
        match self.desk.judge(&self.desk.attempt(ask, token)) {
            Some(Ok(user)) => self.inner.at_once(ask).map(|answer| signed(answer, user)),
            Some(Err(refusal)) => Some(self.refuse(refusal)),
            None => None,
        }
    }

    async fn answer(&self, mut ask: Ask) -> Result<Answer, Fault> {
        let user = match self.desk.admit(&ask).await? {
            Ok(user) => user,
            Err(refusal) => return Ok(self.refuse(refusal)),
        };
        if let Some(secret) = ask.request.headers_mut().get_mut(header::AUTHORIZATION) {
            secret.set_sensitive(true);
        }
        ask.request.extensions_mut().insert(user.clone());
        self.inner.answer(ask).await.map(|answer| signed(answer, user))
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.inner.refused(refused);
    }
}

/// `answer`, saying whom it is for.
fn signed(mut answer: Answer, user: User) -> Answer {
    answer.extensions_mut().insert(user);
    answer
}

impl Desk {
    fn attempt<'a>(&self, ask: &Ask, token: &'a [u8]) -> Attempt<'a> {
        let client = ask.caller.peer.client();
        Attempt { client, token, key: self.known.verified.key(client, token) }
    }

    /// What is known of these credentials without hashing, if anything is.
    ///
    /// Who is remembered is let in whatever is owed: many may share an address, and a name is no secret.
    /// But that is an answer as well, so only so many are looked up.
    fn judge(&self, attempt: &Attempt<'_>) -> Option<Result<User, Refusal>> {
        let now = Instant::now();
        let throttle = &self.known.throttle;
        if throttle.is_idle(now) {
            return self.recall(&attempt.key, now).map(Ok);
        }
        let Some(Credentials { user, .. }) = Credentials::decode(attempt.token) else {
            return Some(Err(Refusal::Unauthorized));
        };
        let login = throttle.login(attempt.client, &user);
        let wait = match throttle.chance(login, now) {
            Chance::None(wait) => return Some(Err(Refusal::Throttled(wait))),
            Chance::IfKnown(wait) => Some(wait),
            Chance::Open => None,
        };
        if let Some(known) = self.recall(&attempt.key, now) {
            return Some(Ok(known));
        }
        wait.map(|wait| {
            throttle.turned_away(login, now);
            Err(Refusal::Throttled(wait))
        })
    }

    /// Whose credentials these are, if they were right lately, by what is said now.
    fn recall(&self, key: &Key, now: Instant) -> Option<User> {
        let proven = self.known.verified.find(key, now)?;
        self.users.have(&proven).then_some(proven.user)
    }

    async fn admit(self: &Arc<Self>, ask: &Ask) -> Result<Result<User, Refusal>, Fault> {
        let Some(token) = credentials::token(ask.request.headers()) else {
            return Ok(Err(Refusal::Unauthorized));
        };
        let attempt = self.attempt(ask, token);
        if let Some(known) = self.judge(&attempt) {
            return Ok(known);
        }
        let Some(credentials) = Credentials::decode(token) else {
            return Ok(Err(Refusal::Unauthorized));
        };
        let Some(turn) = self.known.turns.wait().await else {
            return Ok(Err(Refusal::Busy));
        };
        // Those before us may have been the same caller: a browser asks for many things at once.
        if let Some(known) = self.judge(&attempt) {
            return Ok(known);
        }
        let login = self.known.throttle.login(attempt.client, &credentials.user);
        self.hash(turn, (login, attempt.key), credentials).await
    }

    async fn hash(
        self: &Arc<Self>,
        turn: Turn,
        (login, key): (Login, Key),
        credentials: Credentials,
    ) -> Result<Result<User, Refusal>, Fault> {
        let desk = Arc::clone(self);
        // All of it there: a caller that leaves early stops no hash and escapes no count.
        let hashing = turn.spend(move |slate| {
            let Credentials { user, password } = credentials;
            let Some(proven) = desk.users.verify(&user, password.as_bytes(), slate) else {
                desk.known.throttle.failed(login, Instant::now());
                return Err(Refusal::Unauthorized);
            };
            let user = proven.user.clone();
            desk.known.verified.keep(key, proven, Instant::now());
            Ok(user)
        });
        hashing.await.map_err(|error| {
            Fault::new(Side::Relais, "verifying a password", io::Error::other(error))
        })
    }
}

#[cfg(test)]
mod tests;
