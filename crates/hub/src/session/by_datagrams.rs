//! A session by datagrams: how it begins, and what carries it.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use relais_net::{Datagrams, sealing::KEY_BYTES};
use relais_tap::By;
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep},
};
use zeroize::Zeroizing;

use super::{
    End, Session, Somebody,
    lines::Line,
    link::{Heard, Link},
};
use crate::{
    datagram::{Association, DATAGRAM_BYTES_MAX, Held, LASTS, Lines, Owner},
    desk::{Order, Waking},
    hearing::send,
    json::carried::hex,
    model::Millis,
    protocol::{Answer, Code, EventsBy, Refusal, Secret, Ticket},
};

/// What carries a session by datagrams.
#[derive(Debug)]
pub(crate) struct Carrier {
    held: Arc<Held>,
    /// What the client said.
    lines: Lines,
    heard: Option<Vec<u8>>,
    socket: Arc<Datagrams>,
    /// As what number the client asked to begin.
    re: Option<u64>,
    /// After how long a silence the client is gone.
    gone_after: Duration,
    clock: Pin<Box<Sleep>>,
}

impl Carrier {
    /// Of `held`, who asked to begin as `re`, and is gone after such a silence.
    pub(crate) fn new(
        (held, lines): (Arc<Held>, Lines),
        socket: Arc<Datagrams>,
        (re, gone_after): (Option<u64>, Duration),
    ) -> Self {
        let clock = Box::pin(sleep(gone_after));
        Self { held, lines, heard: None, socket, re, gone_after, clock }
    }

    /// Waits for what the client says.
    pub(super) fn poll_hear(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Heard>> {
        if self.poll_clock(cx).is_ready() {
            return Poll::Ready(Ok(Heard::Over((By::Client, "silent for too long".into()))));
        }
        self.lines.poll_recv(cx).map(|line| match line {
            Some(line) => {
                let bytes = line.len();
                self.heard = Some(line);
                Ok(Heard::Bytes(bytes))
            }
            None => Ok(Heard::Over((By::Client, "it speaks with another key".into()))),
        })
    }

    pub(super) fn next(&mut self) -> Option<Line> {
        let line = self.heard.take().or_else(|| self.lines.try_recv().ok());
        line.map(Line::Whole)
    }

    /// Tells each of `lines`, as soon as not too much is unconfirmed.
    pub(super) fn poll_tell(
        &mut self,
        cx: &mut Context<'_>,
        lines: &mut &[u8],
    ) -> Poll<io::Result<()>> {
        while let Some(end) = lines.iter().position(|byte| *byte == b'\n') {
            if self.held.state().association.is_full() {
                if self.poll_clock(cx).is_ready() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                if self.held.state().association.is_full() {
                    return Poll::Pending;
                }
            }
            let told = self.held.state().tell(&lines[..end], Instant::now());
            if let Some((datagram, to)) = told {
                send(&self.socket, &datagram, to);
            }
            *lines = &lines[end + 1..];
        }
        Poll::Ready(Ok(()))
    }

    /// Sends again what is due. Ready once the client was silent for too long.
    fn poll_clock(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let now = Instant::now();
            let (again, to, wakes_at) = self.due(cx, now);
            again
                .iter()
                .zip(to.into_iter().cycle())
                .for_each(|(one, to)| send(&self.socket, one, to));
            let Some(wakes_at) = wakes_at.filter(|at| *at > now) else { return Poll::Ready(()) };
            self.clock.as_mut().reset(wakes_at);
            if self.clock.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// What is to be sent again and to where, and when to look again; `None` if the client is gone.
    fn due(
        &self,
        cx: &Context<'_>,
        now: Instant,
    ) -> (Vec<Vec<u8>>, Option<SocketAddr>, Option<Instant>) {
        let mut state = self.held.state();
        state.wait(cx.waker());
        let association = &mut state.association;
        let (again, gone_at) = (association.due(now), association.heard_at() + self.gone_after);
        let wakes_at = association.wakes_at().map_or(gone_at, |at| at.min(gone_at));
        let wakes_at = if gone_at > now { Some(wakes_at) } else { None };
        (again, association.address(), wakes_at)
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.held.state().sleep();
    }
}

impl Session<'_> {
    /// Gives who is connected what it takes to speak by datagrams, too.
    pub(super) fn open_datagrams(&mut self, events: EventsBy) -> Result<Option<Answer>, Refusal> {
        let Some(who) = &self.who else { return Err(Refusal::of(Code::NotLoggedIn)) };
        // Who reads the key along is as good as who has the password.
        self.may_say_secrets()?;
        let post = &self.hub.post;
        let Some(heard_at) = post.port() else {
            return Err(Refusal::of(Code::UnknownCommand).why("no datagrams are heard here"));
        };
        let owner = Owner {
            account: who.account,
            user: who.user.clone(),
            session: who.session.clone(),
            events,
            client: self.client,
        };
        let (mut sid, mut key) = ([0; 8], Zeroizing::new([0; KEY_BYTES]));
        (self.hub.random)(&mut sid);
        (self.hub.random)(key.as_mut_slice());
        let now = Instant::now();
        let association = Association::new((sid, post.form), &key, now);
        let held = Arc::new(Held::new((sid, owner), association, now));
        post.table().add(held, now).map_err(|_| Refusal::of(Code::TooMany))?;
        let lasts = u64::try_from(LASTS.as_millis()).unwrap_or(u64::MAX);
        Ok(Some(Answer::Datagrams(Ticket {
            sid: hex(&sid),
            key: Secret(hex(key.as_slice())),
            port: heard_at,
            mtu: DATAGRAM_BYTES_MAX,
            form: post.form.name(),
            expires: Millis(self.hub.now().0.saturating_add(lasts)),
        })))
    }

    /// Who speaks by datagrams is somebody already, unless its session was ended meanwhile. Gives how it
    /// is over then.
    pub(super) async fn come_back(&mut self) -> Option<End> {
        let Link::Datagrams(carrier) = &self.link else { return None };
        let (sid, re, owner) = (carrier.held.sid, carrier.re, carrier.held.owner.clone());
        let (woken, told) = oneshot::channel();
        let Owner { account, user, session, events, client: from } = owner;
        let waking = Waking { account, session: session.clone(), events, from };
        let order = Order::Wake { client: self.client, waking, woken };
        let told = match self.hub.order(order) {
            Ok(()) => told.await.unwrap_or_else(|_| Err(Refusal::of(Code::Shutdown))),
            Err(refusal) => Err(refusal),
        };
        match told {
            Ok(()) => {
                self.who = Some(Somebody { account, user, session });
                self.silence.unset();
                carrier.held.state().come_in();
                self.answer(re, Ok(Answer::Done));
                None
            }
            Err(refusal) => {
                let code = refusal.code;
                if code == Code::SessionRevoked {
                    self.hub.post.table().remove(sid);
                }
                self.answer(re, Err(refusal));
                Some((By::Relais, code.as_str().into()))
            }
        }
    }
}
