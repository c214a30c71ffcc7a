//! Waiting for what comes to a socket, and polling it where there is always more.

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

/// A socket that is registered with the runtime's epoll, except while it is busy.
///
/// For a registered socket the system looks for who waits each time that a datagram comes, and each
/// time that one has left: some 5 % of what it costs to send one. So where many come at a time it may be
/// deregistered, and [polled](Readiness::keep_polling) again and again until nothing is there (busy
/// polling).
///
/// A descriptor is registered once at most, so one task at a time may wait here and receive: another that
/// still waits by the old registration keeps a busy socket from being registered anew.
#[derive(Debug)]
pub(super) struct Readiness {
    socket: Arc<UdpSocket>,
    /// `None`: the socket is busy.
    registered: Mutex<Option<Arc<Registered>>>,
}

type Registered = AsyncFd<Arc<UdpSocket>>;

/// What is told by ICMP is heard, too, and is no readiness to read for the runtime.
const HEARS: Interest = Interest::READABLE.add(Interest::ERROR);

/// Whether more may be there than was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// There was room for more, so there was no more.
    All,
    Some,
}

impl Readiness {
    /// Of `socket`, which does not block, with the current runtime.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn of(socket: UdpSocket) -> io::Result<Self> {
        let socket = Arc::new(socket);
        let registered = Mutex::new(Some(register(&socket)?));
        Ok(Self { socket, registered })
    }

    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Waits for datagrams. Where the socket is busy, it lets the runtime's other tasks go on once and
    /// returns, whether or not something is there.
    ///
    /// Cancel safe.
    pub(super) async fn readable(&self) -> io::Result<()> {
        let Some(registered) = self.registered() else {
            yield_now().await;
            return Ok(());
        };
        poll_fn(|cx| registered.poll_read_ready(cx).map_ok(|_| ())).await
    }

    /// The same for datagrams and words by ICMP.
    ///
    /// Cancel safe.
    pub(super) async fn readable_or_refused(&self) -> io::Result<()> {
        let Some(registered) = self.registered() else {
            yield_now().await;
            return Ok(());
        };
        registered.ready(HEARS).await.map(|_| ())
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
        let Some(registered) = self.registered() else {
            let received = receive();
            if matches!(&received, Err(error) if error.kind() == ErrorKind::WouldBlock) {
                // What comes before it is registered is told as soon as it is.
                *self.place() = Some(register(&self.socket)?);
            }
            return received.map(|_| ());
        };
        let received = match receive_if(&registered, Interest::READABLE, &mut receive) {
            // The runtime can be asked for one at a time only. It asks the system for nothing if
            // there was no word by ICMP.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                receive_if(&registered, Interest::ERROR, &mut receive)
            }
            received => received,
        };
        received.map(|_| ())
    }

    /// Has the socket be busy until nothing is there.
    pub(super) fn keep_polling(&self) {
        *self.place() = None;
    }

    /// Waits until `receive` finds something, as often as it takes.
    pub(super) async fn receive_patiently<T>(
        &self,
        mut receive: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            if let Some(registered) = self.registered() {
                return registered.async_io(Interest::READABLE, |_| receive()).await;
            }
            *self.place() = Some(register(&self.socket)?);
        }
    }

    fn registered(&self) -> Option<Arc<Registered>> {
        self.place().clone()
    }

    fn place(&self) -> MutexGuard<'_, Option<Arc<Registered>>> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Readiness {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn register(socket: &Arc<UdpSocket>) -> io::Result<Arc<Registered>> {
    wait_at(Arc::clone(socket), HEARS).map(Arc::new)
}

/// Receives if the socket is ready in that way, as far as the runtime knows.
fn receive_if(
    registered: &Registered,
    interest: Interest,
    receive: &mut impl FnMut() -> io::Result<Received>,
) -> io::Result<Received> {
    let mut received = None;
    let tried = registered.try_io(interest, |_| {
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

    /// A socket, and one that sends to it.
    fn pair() -> (Readiness, UdpSocket) {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (here, there) = (bind(), bind());
        here.set_nonblocking(true).unwrap();
        there.connect(here.local_addr().unwrap()).unwrap();
        (Readiness::of(here).unwrap(), there)
    }

    /// The same where the first is busy.
    fn busy_pair() -> (Readiness, UdpSocket) {
        let (ready, there) = pair();
        ready.keep_polling();
        (ready, there)
    }

    fn receive(ready: &Readiness) -> io::Result<()> {
        ready.receive(|| ready.socket().recv(&mut [0; 8]).map(|_| Received::Some))
    }

    fn is_silent(said: io::Result<()>) -> bool {
        said.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    #[tokio::test]
    async fn a_busy_socket_is_not_registered_until_nothing_comes() {
        let (ready, there) = busy_pair();
        for _ in 0..3 {
            there.send(b"hi").unwrap();
            ready.readable().await.unwrap();
            receive(&ready).unwrap();
            assert!(ready.registered().is_none());
        }
        ready.readable().await.unwrap();
        assert!(is_silent(receive(&ready)) && ready.registered().is_some());
    }

    /// A socket that was busy, and where nothing was.
    fn pair_registered_again() -> (Readiness, UdpSocket) {
        let (ready, there) = busy_pair();
        assert!(is_silent(receive(&ready)));
        (ready, there)
    }

    #[tokio::test]
    async fn what_comes_once_it_is_registered_again_is_told() {
        let (ready, there) = pair_registered_again();
        let telling = async {
            yield_now().await;
            there.send(b"hi").unwrap();
        };
        let (told, ()) = tokio::join!(ready.readable_or_refused(), telling);
        told.unwrap();
        receive(&ready).unwrap();
    }

    #[tokio::test]
    async fn what_came_before_somebody_waits_again_is_told() {
        let (ready, there) = pair_registered_again();
        there.send(b"hi").unwrap();
        ready.readable().await.unwrap();
        receive(&ready).unwrap();
    }

    #[tokio::test]
    async fn a_busy_socket_lets_others_go_on() {
        let (ready, _there) = busy_pair();
        let other = tokio::spawn(async {});
        ready.readable().await.unwrap();
        assert!(other.is_finished());
    }

    #[tokio::test]
    async fn who_has_time_waits_for_a_busy_socket_too() {
        let (ready, there) = busy_pair();
        there.send(b"hi").unwrap();
        let mut buffer = [0; 8];
        let heard = ready.receive_patiently(|| ready.socket().recv(&mut buffer)).await;
        assert_eq!(heard.unwrap(), 2);
    }
}
