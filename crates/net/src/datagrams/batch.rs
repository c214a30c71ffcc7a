//! Room for what is received at once.

use std::{
    cell::RefCell,
    fmt, io,
    net::{IpAddr, SocketAddr},
    os::fd::BorrowedFd,
};

use super::{
    calls::{self, MESSAGES_MAX, Slot},
    sending::Outgoing,
    train::Train,
};

/// Datagrams that were received at once, and the room for them.
///
/// *Units*: some 4 MiB of addresses, of which memory is used as far as datagrams were ever written
/// there: 256 KiB where all are short. Who waits for nobody between receiving and sending is
/// [lent](Batch::lend) the one of its thread.
pub struct Batch {
    /// [`MESSAGES_MAX`] pieces of [`PIECE_BYTES`], made when it is first needed.
    room: Vec<u8>,
    slots: Box<[Slot]>,
    /// How many slots, from the first, hold what came last.
    filled: usize,
    /// How many there were for it. `filled <= asked <= MESSAGES_MAX`
    asked: usize,
    /// Of what came last, what is not to be heard, a bit each.
    left_out: u64,
}

/// A train of datagrams as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard<'a> {
    /// The datagrams.
    pub train: Train<'a>,
    /// Who sent them. Never an IPv4 address in IPv6 clothes.
    pub from: SocketAddr,
    /// To which of our addresses, if the socket has several.
    pub at: Option<IpAddr>,
}

impl<'a> Heard<'a> {
    /// `train` for whom this was heard of, from where it was sent to.
    pub fn answer(&self, train: Train<'a>) -> Outgoing<'a> {
        Outgoing { train, to: self.from, from: self.at }
    }
}

/// No datagram is longer, and no train: nothing is ever cut.
const LONGEST_BYTES: usize = 65_535;

/// The pieces do not begin at the same place of a page, or the beginnings of all would share a few
/// places of the processor's cache.
const PIECE_BYTES: usize = LONGEST_BYTES + 1 + 128;

thread_local! {
    static LENT: RefCell<Option<Batch>> = const { RefCell::new(None) };
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

impl Batch {
    /// An empty one.
    pub fn new() -> Self {
        let slots = (0..MESSAGES_MAX).map(|_| Slot::default()).collect();
        Self { room: Vec::new(), slots, filled: 0, asked: 0, left_out: 0 }
    }

    /// Lends the batch of this thread to `using`: however many sockets it serves, there is one.
    ///
    /// Who is lent it while it is lent gets another, which costs an allocation.
    pub fn lend<T>(using: impl FnOnce(&mut Self) -> T) -> T {
        LENT.with(|lent| match lent.try_borrow_mut() {
            Ok(mut lent) => using(lent.get_or_insert_with(Self::new)),
            Err(_) => using(&mut Self::new()),
        })
    }

    /// What came last. Without what was cut, which nobody should take for whole, and what was left out.
    pub fn heard(&self) -> impl Iterator<Item = Heard<'_>> {
        let pieces = self.room.chunks_exact(PIECE_BYTES);
        let slots = self.slots[..self.filled].iter().enumerate();
        slots.zip(pieces).filter_map(|((place, slot), piece)| {
            if self.left_out & (1 << place) != 0 {
                return None;
            }
            let (bytes, from) = (piece.get(..slot.length)?, slot.from.read()?);
            let told = slot.control.read();
            let train = match told.segment {
                Some(segment) => Train::of_segments(bytes, segment),
                None => Train::of_one(bytes),
            };
            (!slot.is_cut).then_some(Heard { train, from, at: told.at })
        })
    }

    /// Whether there was room for more than came: then there was no more.
    pub fn is_partial(&self) -> bool {
        self.filled < self.asked
    }

    /// How many messages came last, each a datagram or a train.
    pub fn messages(&self) -> usize {
        self.filled
    }

    /// Leaves out, of what came from a port that `is_meant`, whose sender, and our address that it was
    /// sent to, `is_wrong`.
    pub(super) fn leave_out(
        &mut self,
        is_meant: impl Fn(u16) -> bool,
        is_wrong: impl Fn(SocketAddr, Option<IpAddr>) -> bool,
    ) {
        for (place, slot) in self.slots[..self.filled].iter().enumerate() {
            // Nearly all are from elsewhere: nothing else is read of them here.
            if slot.from.port().is_some_and(&is_meant)
                && let Some(from) = slot.from.read()
                && is_wrong(from, slot.control.read().at)
            {
                self.left_out |= 1 << place;
            }
        }
    }

    /// Receives what is there, but at most so many messages, in place of what came last.
    ///
    /// # Errors
    ///
    /// What the system says if there is nothing.
    pub(super) fn receive(&mut self, socket: BorrowedFd<'_>, most: usize) -> io::Result<()> {
        (self.filled, self.asked, self.left_out) = (0, most.min(MESSAGES_MAX), 0);
        if self.room.is_empty() {
            // Zeroed by the system, page by page, when they are first used.
            self.room = vec![0; MESSAGES_MAX * PIECE_BYTES];
        }
        let slots = &mut self.slots[..self.asked];
        self.filled = calls::receive(socket, &mut self.room, PIECE_BYTES, slots)?;
        Ok(())
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("filled", &self.filled).finish_non_exhaustive()
    }
}
