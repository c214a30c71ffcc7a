//! Sending many datagrams: which of them may travel together, and what becomes of those that the
//! system does not take.

use std::{
    io::{ErrorKind, IoSlice},
    iter,
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    ops::AddAssign,
    os::fd::BorrowedFd,
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::io::Errno;

use super::{
    address::{Address, Family},
    before::{Before, of_before},
    calls::{self, Envelope, MESSAGES_MAX},
    control::Control,
    train::Train,
};

/// Datagrams that are to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// The datagrams.
    pub train: Train<'a>,
    /// To whom.
    pub to: SocketAddr,
    /// From which of our addresses, if not whichever the system takes.
    pub from: Option<IpAddr>,
}

/// What became of datagrams that were to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many the system took.
    pub datagrams: u64,
    /// How many bytes were in them.
    pub bytes: u64,
    /// How many it did not: its queues are full, nobody is there, or a datagram is too long.
    pub dropped: u64,
    /// How often it told meanwhile that what was sent before was [refused](super::Word::Refused), or,
    /// of a socket with one peer, that there is no way there.
    pub refusals: u64,
}

impl AddAssign for Sent {
    fn add_assign(&mut self, other: Self) {
        self.datagrams += other.datagrams;
        self.bytes += other.bytes;
        self.dropped += other.dropped;
        self.refusals += other.refusals;
    }
}

/// What a socket is able to do, and has to be told.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) family: Family,
    /// Whether the system makes datagrams of a train. Until it says that it does not.
    pub(super) takes_trains: AtomicBool,
}

/// One message to the kernel: trains that are joined, as parts of `parts`.
#[derive(Clone, Copy, Debug)]
struct Message {
    first_part: usize,
    parts: usize,
    datagrams: usize,
    bytes: usize,
    /// How long each of its datagrams is, but for the last.
    segment_bytes: usize,
    to: Option<SocketAddr>,
    from: Option<IpAddr>,
}

/// Longer datagrams are not joined: what does not fit a packet has to go by itself, and Ethernet's
/// have 1,500 bytes, of which IPv6 and UDP take 48.
const JOINED_BYTES_MAX: usize = 1452;

/// How many datagrams of a train old kernels take (`UDP_MAX_SEGMENTS`).
const TRAIN_DATAGRAMS_MAX: usize = 64;

/// How many bytes a train may have: as many as a datagram.
const TRAIN_BYTES_MAX: usize = 65_507;

/// A train, to whom, and from where.
pub(super) type Load<'a> = (Train<'a>, Option<SocketAddr>, Option<IpAddr>);

impl Outlet {
    /// Sends `loads` in their order. Waits for nothing: what cannot go now is dropped.
    pub(super) fn send<'a>(
        &self,
        socket: BorrowedFd<'_>,
        loads: impl Iterator<Item = Load<'a>>,
    ) -> Sent {
        let mut loads = loads.peekable();
        let takes_trains = self.takes_trains.load(Ordering::Relaxed);
        let Some((train, to, from)) = loads.next() else { return Sent::default() };
        if loads.peek().is_none() && (takes_trains || train.count() == 1) {
            // So it is nearly always where many talk a little: no lists are made for it.
            let (parts, message) =
                ([IoSlice::new(train.bytes())], Message::new(0, train, to, from));
            let envelopes = [self.seal(&message, &parts)];
            return self.send_all(socket, &envelopes, &[message]);
        }
        let loads = iter::once((train, to, from)).chain(loads);
        let mut parts = Vec::with_capacity(MESSAGES_MAX);
        let mut messages = Vec::with_capacity(MESSAGES_MAX);
        for (train, to, from) in loads {
            if takes_trains {
                let last = messages.last_mut();
                if !last.is_some_and(|last: &mut Message| last.join(train, to, from)) {
                    messages.push(Message::new(parts.len(), train, to, from));
                }
                parts.push(IoSlice::new(train.bytes()));
            } else {
                for datagram in train.datagrams() {
                    let one = Train::of_one(datagram);
                    messages.push(Message::new(parts.len(), one, to, from));
                    parts.push(IoSlice::new(datagram));
                }
            }
        }
        self.send_messages(socket, &parts, &messages)
    }

    fn send_messages(
        &self,
        socket: BorrowedFd<'_>,
        parts: &[IoSlice<'_>],
        messages: &[Message],
    ) -> Sent {
        let mut sent = Sent::default();
        for some in messages.chunks(MESSAGES_MAX) {
            let envelopes: Vec<_> = some.iter().map(|message| self.seal(message, parts)).collect();
            sent += self.send_all(socket, &envelopes, some);
        }
        sent
    }

    /// Sends `envelopes`, of which each is of the message in the same place.
    fn send_all(
        &self,
        socket: BorrowedFd<'_>,
        envelopes: &[Envelope<'_>],
        messages: &[Message],
    ) -> Sent {
        let (mut sent, mut rest) = (Sent::default(), 0);
        while rest < messages.len() {
            let (taken, next) = self.send_some(socket, &envelopes[rest..], &messages[rest..]);
            sent += taken;
            rest += next;
        }
        sent
    }

    /// Sends the first of `envelopes`, and tells how many of them are done with: at least one.
    fn send_some(
        &self,
        socket: BorrowedFd<'_>,
        envelopes: &[Envelope<'_>],
        messages: &[Message],
    ) -> (Sent, usize) {
        let (mut result, mut refusals) = (calls::send(socket, envelopes), 0);
        if let Some(before) = result.as_ref().err().and_then(of_before) {
            // Told once, in place of sending: what is to be said now has not been said yet.
            result = calls::send(socket, envelopes);
            // What is told twice is of the datagram at hand: of one peer it says as much.
            let is_of_peer =
                messages[0].to.is_none() || result.as_ref().err().and_then(of_before).is_none();
            refusals = u64::from(before == Before::Refused && is_of_peer);
        }
        let error = match result {
            Ok(0) => return (Sent { refusals, ..dropped(&messages[..1]) }, 1),
            Ok(count) => return (Sent { refusals, ..taken(&messages[..count]) }, count),
            Err(error) => error,
        };
        let (sent, count) = match Errno::from_io_error(&error) {
            Some(errno) if messages[0].may_go_apart(errno) => {
                (self.send_apart(socket, &envelopes[0], (&messages[0], errno)), 1)
            }
            // The others are for the same queue.
            _ if error.kind() == ErrorKind::WouldBlock => (dropped(messages), messages.len()),
            Some(Errno::NOBUFS | Errno::NOMEM) => (dropped(messages), messages.len()),
            _ => (dropped(&messages[..1]), 1),
        };
        (Sent { refusals, ..sent }, count)
    }

    /// Sends a message's datagrams one by one, and if that is refused, too, from whichever address
    /// the system takes.
    fn send_apart(
        &self,
        socket: BorrowedFd<'_>,
        envelope: &Envelope<'_>,
        (message, errno): (&Message, Errno),
    ) -> Sent {
        if message.datagrams > 1 && errno == Errno::IO {
            // No checksums for datagrams of a train on this way (`udp(7)`).
            self.takes_trains.store(false, Ordering::Relaxed);
        }
        let mut sent = Sent::default();
        let from = message.from.and_then(|from| self.family.dress(from));
        for part in envelope.parts {
            for datagram in in_datagrams(part, message.segment_bytes) {
                let one = Message { datagrams: 1, bytes: datagram.len(), ..*message };
                let send_from = |from| {
                    let parts = [IoSlice::new(datagram)];
                    let control = Control::new(from, None);
                    calls::send(socket, &[Envelope { parts: &parts, to: envelope.to, control }])
                };
                let mut result = send_from(from);
                if result.is_err() && from.is_some() {
                    result = send_from(None);
                }
                sent += if let Ok(1..) = result { taken(&[one]) } else { dropped(&[one]) };
            }
        }
        sent
    }

    fn seal<'a>(&self, message: &Message, parts: &'a [IoSlice<'a>]) -> Envelope<'a> {
        let Message { first_part, parts: count, to, from, .. } = *message;
        let segment = if message.datagrams > 1 { message.segment_bytes } else { 0 };
        let segment = u16::try_from(segment).ok().and_then(NonZeroU16::new);
        Envelope {
            parts: &parts[first_part..first_part + count],
            to: to.map(|to| Address::new(to, self.family)),
            control: Control::new(from.and_then(|from| self.family.dress(from)), segment),
        }
    }
}

impl Message {
    fn new(
        first_part: usize,
        train: Train<'_>,
        to: Option<SocketAddr>,
        from: Option<IpAddr>,
    ) -> Self {
        let (datagrams, bytes) = (train.count(), train.bytes().len());
        let segment_bytes = train.segment_bytes();
        Self { first_part, parts: 1, datagrams, bytes, segment_bytes, to, from }
    }

    /// Takes `train` in behind what it has, if the kernel can tell them apart again.
    fn join(&mut self, train: Train<'_>, to: Option<SocketAddr>, from: Option<IpAddr>) -> bool {
        let size = self.segment_bytes;
        let (datagrams, bytes) = (self.datagrams + train.count(), self.bytes + train.bytes().len());
        let fits = (1..=JOINED_BYTES_MAX).contains(&size)
            && self.bytes == self.datagrams * size
            && (train.segment_bytes() == size || train.count() == 1 && train.bytes().len() < size)
            && !train.bytes().is_empty()
            && datagrams <= TRAIN_DATAGRAMS_MAX
            && bytes <= TRAIN_BYTES_MAX;
        if !fits || to != self.to || from != self.from {
            return false;
        }
        self.parts += 1;
        (self.datagrams, self.bytes) = (datagrams, bytes);
        true
    }

    /// Whether it may be taken in another form, after what the system said of this one.
    fn may_go_apart(&self, errno: Errno) -> bool {
        match errno {
            // No trains on this way; or its datagrams are longer than packets there.
            Errno::IO | Errno::MSGSIZE => self.datagrams > 1,
            Errno::INVAL => self.datagrams > 1 || self.from.is_some(),
            // So it says, too, that the address is not ours, or no longer.
            Errno::NETUNREACH | Errno::ADDRNOTAVAIL => self.from.is_some(),
            _ => false,
        }
    }
}

/// A part of a message as its datagrams. An empty one is a datagram, too.
fn in_datagrams(part: &[u8], segment_bytes: usize) -> impl Iterator<Item = &[u8]> {
    let size = u16::try_from(segment_bytes).ok().and_then(NonZeroU16::new);
    size.map_or(Train::of_one(part), |size| Train::of_segments(part, size)).datagrams()
}

fn taken(messages: &[Message]) -> Sent {
    let sum = |of: fn(&Message) -> usize| messages.iter().map(of).sum::<usize>();
    Sent {
        datagrams: number(sum(|message| message.datagrams)),
        bytes: number(sum(|message| message.bytes)),
        ..Sent::default()
    }
}

fn dropped(messages: &[Message]) -> Sent {
    Sent { dropped: taken(messages).datagrams, ..Sent::default() }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).expect("a count fits 64 bits")
}
