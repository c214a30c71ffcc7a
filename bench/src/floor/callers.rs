//! Who calls a floor: one `epoll` that knows the listener, and everybody who came.

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
};

use anyhow::{Context, Result};
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, Event, EventData, EventFlags},
    fd::OwnedFd,
};

/// A listener and the epoll that tells of it, and of callers by numbers that the floor gives them.
#[derive(Debug)]
pub(crate) struct Callers {
    epoll: OwnedFd,
    listener: TcpListener,
}

impl Callers {
    /// Listens at `port` of this machine; 0 lets the kernel choose.
    pub(crate) fn listen(port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("listening on port {port}"))?;
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        Ok(Self { epoll, listener })
    }

    /// Where they call.
    pub(crate) fn port(&self) -> Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Waits until there is something to do, and gives all of it in `events`.
    pub(crate) fn wait(&self, events: &mut Vec<Event>) -> Result<()> {
        events.clear();
        events.reserve(EVENTS_MAX);
        epoll::wait(&self.epoll, spare_capacity(events), None)?;
        Ok(())
    }

    /// The next who calls, if somebody does: not blocking, and not waiting to send.
    pub(crate) fn accept(&self) -> Result<Option<TcpStream>> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error).context("accepting"),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Some(stream))
    }

    /// Has caller `number` be told of when it says something.
    pub(crate) fn know(&self, stream: &TcpStream, number: usize) -> Result<()> {
        let number = EventData::new_u64(u64::try_from(number)?);
        Ok(epoll::add(&self.epoll, stream, number, EventFlags::IN)?)
    }

    /// Has caller `number` be told of for `reasons` from now on.
    pub(crate) fn expect(
        &self,
        stream: &TcpStream,
        number: usize,
        reasons: EventFlags,
    ) -> Result<()> {
        let number = EventData::new_u64(u64::try_from(number)?);
        Ok(epoll::modify(&self.epoll, stream, number, reasons)?)
    }
}

/// The number of the listener: no caller's.
pub(crate) const LISTENER: u64 = u64::MAX;
const EVENTS_MAX: usize = 256;
