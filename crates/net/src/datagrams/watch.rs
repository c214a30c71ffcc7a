//! Waiting at a socket for what comes, and not waiting where there is always more.

use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    net::UdpSocket,
    os::fd::{AsFd, BorrowedFd},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{Interest, unix::AsyncFd},
    task::yield_now,
};

use crate::waiting::wait_at;

/// A socket at which a runtime waits, but for while it is busy.
///
/// Who waits at a socket is looked for by the system each time that something comes to it, and each
/// time that something has left it: some 5 % of what it costs to send a datagram. So who answers many at
/// a time may [ask](Watch::ask_on) again and again instead, until nothing is there.
#[derive(Debug)]
pub(super) struct Watch {
    socket: Arc<UdpSocket>,
    /// `None`: the socket is busy.
    watched: Mutex<Option<Arc<Watched>>>,
}

type Watched = AsyncFd<Arc<UdpSocket>>;

/// What is told by ICMP is heard, too, and is no readiness to read for the runtime.
const HEARS: Interest = Interest::READABLE.add(Interest::ERROR);

/// Whether more may be there than was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// There was room for more, so there was no more.
    All,
    Some,
}

impl Watch {
    /// Has the current runtime wait at `socket`, which does not block.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn at(socket: UdpSocket) -> io::Result<Self> {
        let socket = Arc::new(socket);
        let watched = Mutex::new(Some(watch(&socket)?));
        Ok(Self { socket, watched })
    }

    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Waits for datagrams. Of several that wait so, the last is told. Of a busy socket it lets others
    /// of the runtime go on for once, and tells nothing.
    ///
    /// Cancel safe.
    pub(super) async fn readable(&self) -> io::Result<()> {
        let Some(watched) = self.watched() else {
            yield_now().await;
            return Ok(());
        };
        poll_fn(|cx| watched.poll_read_ready(cx).map_ok(|_| ())).await
    }

    /// Waits for datagrams and for words by ICMP; else the same.
    pub(super) async fn readable_or_refused(&self) -> io::Result<()> {
        let Some(watched) = self.watched() else {
            yield_now().await;
            return Ok(());
        };
        watched.ready(HEARS).await.map(|_| ())
    }

    /// Receives by `receive`, if something may be there. It does not block.
    ///
    /// # Errors
    ///
    /// What `receive` says, or [`ErrorKind::WouldBlock`] if nothing is there.
    pub(super) fn receive(
        &self,
        mut receive: impl FnMut() -> io::Result<Received>,
    ) -> io::Result<()> {
        let Some(watched) = self.watched() else {
            let received = receive();
            if matches!(&received, Err(error) if error.kind() == ErrorKind::WouldBlock) {
                // What comes before the runtime waits is told as soon as it does.
                *self.place() = Some(watch(&self.socket)?);
            }
            return received.map(|_| ());
        };
        let received = match receive_if(&watched, Interest::READABLE, &mut receive) {
            // The runtime can be asked for one at a time only. It asks the system for nothing if
            // there was no word by ICMP.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                receive_if(&watched, Interest::ERROR, &mut receive)
            }
            received => received,
        };
        received.map(|_| ())
    }

    /// Has the socket be busy, until nothing is there.
    pub(super) fn ask_on(&self) {
        *self.place() = None;
    }

    /// Waits until `receive` finds something, as often as it takes.
    pub(super) async fn receive_patiently<T>(
        &self,
        mut receive: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            if let Some(watched) = self.watched() {
                return watched.async_io(Interest::READABLE, |_| receive()).await;
            }
            *self.place() = Some(watch(&self.socket)?);
        }
    }

    fn watched(&self) -> Option<Arc<Watched>> {
        self.place().clone()
    }

    fn place(&self) -> MutexGuard<'_, Option<Arc<Watched>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn watch(socket: &Arc<UdpSocket>) -> io::Result<Arc<Watched>> {
    wait_at(Arc::clone(socket), HEARS).map(Arc::new)
}

/// Receives if the socket is ready in that way, as far as the runtime knows.
fn receive_if(
    watched: &Watched,
    interest: Interest,
    receive: &mut impl FnMut() -> io::Result<Received>,
) -> io::Result<Received> {
    let mut received = None;
    let tried = watched.try_io(interest, |_| {
        let got = receive()?;
        received = Some(got);
        // There was room for more: the system has said to itself what it says to us now, that it
        // would block. Who asks again to be told so has paid for another call.
        if got == Received::All { Err(ErrorKind::WouldBlock.into()) } else { Ok(got) }
    });
    received.map_or(tried, Ok)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// A socket that is watched, and one that sends to it.
    fn pair() -> (Watch, UdpSocket) {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (here, there) = (bind(), bind());
        here.set_nonblocking(true).unwrap();
        there.connect(here.local_addr().unwrap()).unwrap();
        (Watch::at(here).unwrap(), there)
    }

    fn receive(watch: &Watch) -> io::Result<()> {
        watch.receive(|| watch.socket().recv(&mut [0; 8]).map(|_| Received::Some))
    }

    fn is_silent(said: io::Result<()>) -> bool {
        said.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    #[tokio::test]
    async fn a_busy_socket_is_not_waited_at_until_nothing_comes() {
        let (watch, there) = pair();
        watch.ask_on();
        for _ in 0..3 {
            there.send(b"hi").unwrap();
            watch.readable().await.unwrap();
            receive(&watch).unwrap();
            assert!(watch.watched().is_none());
        }
        watch.readable().await.unwrap();
        assert!(is_silent(receive(&watch)) && watch.watched().is_some());
    }

    /// A socket that was busy, and where nothing was.
    fn pair_waited_at_again() -> (Watch, UdpSocket) {
        let (watch, there) = pair();
        watch.ask_on();
        assert!(is_silent(receive(&watch)));
        (watch, there)
    }

    #[tokio::test]
    async fn what_comes_once_it_is_waited_at_again_is_told() {
        let (watch, there) = pair_waited_at_again();
        let telling = async {
            yield_now().await;
            there.send(b"hi").unwrap();
        };
        let (told, ()) = tokio::join!(watch.readable_or_refused(), telling);
        told.unwrap();
        receive(&watch).unwrap();
    }

    #[tokio::test]
    async fn what_came_before_somebody_waits_again_is_told() {
        let (watch, there) = pair_waited_at_again();
        there.send(b"hi").unwrap();
        watch.readable().await.unwrap();
        receive(&watch).unwrap();
    }

    #[tokio::test]
    async fn a_busy_socket_lets_others_go_on() {
        let (watch, _there) = pair();
        watch.ask_on();
        let other = tokio::spawn(async {});
        watch.readable().await.unwrap();
        assert!(other.is_finished());
    }

    #[tokio::test]
    async fn who_has_time_waits_at_a_busy_socket_too() {
        let (watch, there) = pair();
        watch.ask_on();
        there.send(b"hi").unwrap();
        let mut buffer = [0; 8];
        let heard = watch.receive_patiently(|| watch.socket().recv(&mut buffer)).await;
        assert_eq!(heard.unwrap(), 2);
    }
}
