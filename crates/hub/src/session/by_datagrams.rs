//! How a client comes to speak by datagrams, and comes back by them.

use std::sync::Arc;

use relais_net::sealing::KEY_BYTES;
use relais_tap::By;
use tokio::{sync::oneshot, time::Instant};
use zeroize::Zeroizing;

use super::{End, Link, Session, Somebody};
use crate::{
    datagram::{Association, DATAGRAM_BYTES_MAX, Held, LASTS, Owner},
    desk::{Order, Waking},
    json::carried::hex,
    model::Millis,
    protocol::{Answer, Code, EventsBy, Refusal, Secret, Ticket},
};

impl Session<'_> {
    /// Gives who is connected what it takes to speak by datagrams, too.
    pub(super) fn open_datagrams(&mut self, events: EventsBy) -> Result<Option<Answer>, Refusal> {
        let Some(who) = &self.who else { return Err(Refusal::of(Code::NotLoggedIn)) };
        // Who reads the key along is as good as who has the password.
        self.may_say_secrets()?;
        let Some(port) = self.hub.post.port() else {
            return Err(Refusal::of(Code::UnknownCommand).why("no datagrams are heard here"));
        };
        let owner = Owner {
            account: who.account,
            user: who.user.clone(),
            session: who.session.clone(),
            events,
            client: self.client,
        };
        self.hold_datagrams(owner, port).map(Some)
    }

    /// Draws a key for `owner`, and tells it.
    fn hold_datagrams(&self, owner: Owner, port: u16) -> Result<Answer, Refusal> {
        let (mut sid, mut key) = ([0; 8], Zeroizing::new([0; KEY_BYTES]));
        (self.hub.random)(&mut sid);
        (self.hub.random)(key.as_mut_slice());
        let now = Instant::now();
        let association = Association::new((sid, self.hub.post.form), &key, now);
        let held = Arc::new(Held::new((sid, owner), association, now));
        self.hub.post.table().add(held, now).map_err(|_| Refusal::of(Code::TooMany))?;
        let lasts = u64::try_from(LASTS.as_millis()).unwrap_or(u64::MAX);
        Ok(Answer::Datagrams(Ticket {
            sid: hex(&sid),
            key: Secret(hex(key.as_slice())),
            port,
            mtu: DATAGRAM_BYTES_MAX,
            form: self.hub.post.form.name(),
            expires: Millis(self.hub.now().0.saturating_add(lasts)),
        }))
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
        self.is_entering = true;
        let told = match self.hub.order(order) {
            Ok(()) => told.await.unwrap_or_else(|_| Err(Refusal::of(Code::Shutdown))),
            Err(refusal) => Err(refusal),
        };
        self.is_entering = false;
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
