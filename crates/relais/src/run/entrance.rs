//! An open listener, and the slots that hold what its callers meet.

use std::{error::Error, io, net::SocketAddr, sync::Arc, time::SystemTime};

use arc_swap::ArcSwap;
use relais_http::{HandlerSlot, Http};
use relais_net::{
    DatagramListener, Datagrams, DynDatagramService, DynService, Endpoint, Seat, Security,
    Shutdown, Switched, serve_datagrams,
};
use tracing::{error, info, warn};

use super::{behind::Behind, bounds::Bounds};
use crate::{
    meets::Meets,
    plan,
    tls::{Keeper, Offered, Tls},
};

/// An open listener.
#[derive(Debug)]
pub(super) struct Entrance {
    /// As planned: a port of 0 is still 0.
    pub(super) planned: Endpoint,
    /// As bound.
    pub(super) local: Endpoint,
    /// The address that callers of a stream call.
    pub(super) address: Option<SocketAddr>,
    pub(super) slot: Slot,
    /// What secures the bytes of who calls.
    pub(super) security: Security,
    /// When what that offers is to be renewed, if ever.
    pub(super) renew_at: Option<SystemTime>,
    pub(super) shutdown: Shutdown,
}

/// What callers meet, to be changed while they come.
#[derive(Debug)]
pub(super) enum Slot {
    /// HTTP: those inside meet another with their next request.
    Http(HandlerSlot),
    /// Another protocol: those inside stay with what they met.
    Stream(Arc<Switched>),
    /// Datagrams.
    Datagrams(Hearing),
}

/// Who answers datagrams, and where they come.
#[derive(Debug)]
pub(super) struct Hearing {
    ear: Ear,
    service: Arc<dyn DynDatagramService>,
}

/// A socket of datagrams.
#[derive(Debug)]
pub(super) struct Ear {
    listener: DatagramListener,
    /// The core where it is waited at.
    seat: Seat,
}

impl Slot {
    /// A slot for those who call over a stream, and what is spoken with them, within these bounds.
    pub(super) fn of(meets: Meets, bounds: &Bounds) -> (Self, Arc<dyn DynService>) {
        match meets {
            Meets::Http(handler) => {
                let slot: HandlerSlot = Arc::new(ArcSwap::from_pointee(handler));
                let http = Http::within(Arc::clone(&slot), Arc::clone(&bounds.http));
                (Self::Http(slot), http.erase())
            }
            Meets::Stream(service) => {
                let slot = Arc::new(Switched::new(service));
                (Self::Stream(Arc::clone(&slot)), slot)
            }
            Meets::Datagrams(_) => unreachable!("a listener of streams is bound for streams"),
        }
    }

    /// Whether what `planned` asks for can be put here.
    pub(super) fn takes(&self, planned: &plan::Listener) -> bool {
        matches!(self, Self::Http(_)) == planned.speaks_http()
    }
}

impl Ear {
    pub(super) fn new(listener: DatagramListener, seat: Seat) -> Self {
        Self { listener, seat }
    }

    /// Waits at the socket. What fails here fails before anybody else is told to stop.
    pub(super) fn open(&self) -> io::Result<Datagrams> {
        let _core = self.seat.handle().enter();
        self.listener.open()
    }
}

impl Hearing {
    pub(super) fn new(ear: Ear, service: Arc<dyn DynDatagramService>) -> Self {
        Self { ear, service }
    }

    /// Begins to answer what comes to `socket`, until the shutdown says stop.
    pub(super) fn begin(&self, socket: Datagrams) -> Shutdown {
        let (shutdown, drain) = Shutdown::new();
        let service = Arc::clone(&self.service);
        self.ear.seat.handle().spawn(async move {
            let local = Arc::clone(socket.local());
            if let Err(fault) = serve_datagrams(Arc::new(socket), service, drain).await {
                let error: &dyn Error = &fault;
                error!(%local, error, "no datagrams are answered any more");
            }
        });
        shutdown
    }
}

impl Entrance {
    /// Whether it is what `planned` asks for.
    pub(super) fn is(&self, planned: &plan::Listener) -> bool {
        self.planned == planned.on
            && self.slot.takes(planned)
            && self.security.is_in_the_clear() == planned.tls.is_empty()
    }

    /// A socket for who is to answer datagrams from now on, if that is another.
    pub(super) fn successor(&self, meets: &Meets) -> io::Result<Option<Datagrams>> {
        match (&self.slot, meets) {
            (Slot::Datagrams(hearing), Meets::Datagrams(service))
                if !Arc::ptr_eq(&hearing.service, service) =>
            {
                hearing.ear.open().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Has new handshakes, the next requests and the next callers meet `behind`; `socket` is that of
    /// its [successor](Self::successor). Gives what waits for those who answered until now, if they
    /// are to end.
    pub(super) fn switch(
        &mut self,
        Behind { meets, tls }: Behind,
        socket: Option<Datagrams>,
    ) -> Option<Shutdown> {
        if let Some(offered) = tls {
            self.offer(offered);
        }
        match (&mut self.slot, meets) {
            (Slot::Http(slot), Meets::Http(handler)) => slot.store(Arc::new(handler)),
            (Slot::Stream(slot), Meets::Stream(service)) => slot.switch(service),
            (Slot::Datagrams(hearing), Meets::Datagrams(service)) => {
                let socket = socket?;
                hearing.service = service;
                self.shutdown.request();
                let next = hearing.begin(socket);
                return Some(std::mem::replace(&mut self.shutdown, next));
            }
            _ => unreachable!("an entrance is kept for what it is"),
        }
        None
    }

    /// Has new handshakes offered this.
    fn offer(&mut self, offered: Offered) {
        self.renew_at = offered.renew_at;
        self.security.offer(offered.acceptor);
    }

    /// Has `keeper` renew what is to be renewed by `now`. What cannot be renewed stays.
    pub(super) fn renew(&mut self, papers: &[Tls], keeper: &Keeper, now: SystemTime) {
        if self.renew_at.is_none_or(|at| now < at) {
            return;
        }
        match keeper.offer(papers, now) {
            Ok(offered) => {
                self.offer(offered);
                info!(local = %self.local, "the local authority renewed the certificate");
            }
            Err(trouble) => {
                let why = &trouble.wrong().what;
                warn!(local = %self.local, "the certificate is not renewed: {why}");
            }
        }
    }
}
