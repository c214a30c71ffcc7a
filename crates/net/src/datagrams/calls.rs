//! The system calls that take and give many datagrams at once, and options of their sockets. All
//! that is unsafe about datagrams is here; what is in their addresses and control messages is read
//! and written elsewhere, as bytes.

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
};

use libc::{MSG_DONTWAIT, c_int, c_uint, iovec, mmsghdr, socklen_t};

use super::{address::Address, control::Control};

/// How many messages one call takes or gives at most.
pub(super) const MESSAGES_MAX: usize = 64;

/// A message to be sent.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// What is in it, one part behind the other. At most [`PARTS_MAX`].
    pub(super) parts: &'a [IoSlice<'a>],
    /// To whom, unless the socket is connected.
    pub(super) to: Option<Address>,
    pub(super) control: Control,
}

/// The most parts that the kernel takes of a message (`UIO_MAXIOV`).
pub(super) const PARTS_MAX: usize = 1024;

/// A message that was received.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) from: Address,
    pub(super) control: Control,
    /// How many bytes came, as far as there was room.
    pub(super) length: usize,
    /// Something of it or of its control messages found no room.
    pub(super) is_cut: bool,
}

/// Sends the first of `envelopes`, at most [`MESSAGES_MAX`], and tells how many were taken. Never
/// waits.
///
/// # Errors
///
/// What the system says of the first; what it says of a later one is not told: that is the first of
/// the next call.
pub(super) fn send(socket: BorrowedFd<'_>, envelopes: &[Envelope<'_>]) -> io::Result<usize> {
    let count = envelopes.len().min(MESSAGES_MAX);
    let mut headers: [MaybeUninit<mmsghdr>; MESSAGES_MAX] =
        [const { MaybeUninit::uninit() }; MESSAGES_MAX];
    for (header, envelope) in headers.iter_mut().zip(envelopes) {
        debug_assert!(envelope.parts.len() <= PARTS_MAX);
        let header = &mut header.write(no_message()).msg_hdr;
        // `IoSlice` is laid out as `iovec`, which the standard library promises.
        header.msg_iov = envelope.parts.as_ptr().cast::<iovec>().cast_mut();
        header.msg_iovlen = envelope.parts.len() as _;
        if let Some(to) = &envelope.to {
            header.msg_name = to.bytes().as_ptr().cast_mut().cast();
            header.msg_namelen = length_of(to.bytes());
        }
        let control = envelope.control.bytes();
        if !control.is_empty() {
            header.msg_control = control.as_ptr().cast_mut().cast();
            header.msg_controllen = control.len() as _;
        }
    }
    let vlen = c_uint::try_from(count).expect("at most 64");
    // SAFETY: the first `count` headers were written above. What they point to is borrowed in
    // `envelopes` for as long as this call takes, with its true lengths; the kernel only reads it,
    // whatever the type of the pointers, and writes to the headers alone.
    #[expect(unsafe_code, reason = "no safe way sends many messages with control messages")]
    let sent = unsafe {
        libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr().cast(), vlen, MSG_DONTWAIT)
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Receives as many messages as are there and have a slot: each in a piece of `room` that is
/// `piece_bytes` long, told of in the slot of the same place. Tells how many. Never waits.
///
/// *Cost*: of each slot, whether something comes to it or not.
///
/// # Errors
///
/// What the system says if it gave none.
pub(super) fn receive(
    socket: BorrowedFd<'_>,
    room: &mut [u8],
    piece_bytes: usize,
    slots: &mut [Slot],
) -> io::Result<usize> {
    let mut parts: [MaybeUninit<iovec>; MESSAGES_MAX] =
        [const { MaybeUninit::uninit() }; MESSAGES_MAX];
    let mut headers: [MaybeUninit<mmsghdr>; MESSAGES_MAX] =
        [const { MaybeUninit::uninit() }; MESSAGES_MAX];
    let (mut count, pieces) = (0, room.chunks_exact_mut(piece_bytes));
    let places = headers.iter_mut().zip(&mut parts).zip(pieces);
    for (((header, part), piece), slot) in places.zip(slots.iter_mut()) {
        let part = part.write(iovec { iov_base: piece.as_mut_ptr().cast(), iov_len: piece.len() });
        let header = &mut header.write(no_message()).msg_hdr;
        (header.msg_iov, header.msg_iovlen) = (part, 1);
        let from = slot.from.room();
        header.msg_namelen = length_of(from);
        header.msg_name = from.as_mut_ptr().cast();
        let control = slot.control.room();
        header.msg_controllen = control.len() as _;
        header.msg_control = control.as_mut_ptr().cast();
        count += 1;
    }
    let vlen = c_uint::try_from(count).expect("at most 64");
    // SAFETY: the first `count` headers were written above. Each points to memory that is borrowed
    // here as mutable, and to no other's, with its true length. All of it is plain bytes, of which any
    // are valid. Without a time limit there is nothing else that the kernel writes to.
    #[expect(unsafe_code, reason = "no safe way receives many messages")]
    let got = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr().cast(),
            vlen,
            MSG_DONTWAIT,
            ptr::null_mut(),
        )
    };
    let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    for (header, slot) in headers.iter().zip(slots).take(got.min(count)) {
        // SAFETY: it is one of the first `count`.
        #[expect(unsafe_code, reason = "it was written above")]
        let header = unsafe { header.assume_init_ref() };
        let told = &header.msg_hdr;
        slot.from.came(told.msg_namelen as usize);
        slot.control.came(told.msg_controllen as _);
        slot.length = header.msg_len as usize;
        slot.is_cut = told.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0;
    }
    Ok(got)
}

/// Sets an option whose value is a number.
///
/// # Errors
///
/// What the system says; `ENOPROTOOPT` if it knows no such option.
pub(super) fn set_option(
    socket: BorrowedFd<'_>,
    (level, name): (c_int, c_int),
    value: c_int,
) -> io::Result<()> {
    let value = value.to_ne_bytes();
    // SAFETY: the kernel reads as many bytes as the value has, from this stack.
    #[expect(unsafe_code, reason = "these options have no safe way")]
    let said = unsafe {
        let (socket, at) = (socket.as_raw_fd(), value.as_ptr().cast());
        libc::setsockopt(socket, level, name, at, length_of(&value))
    };
    if said == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A header that points to nothing. By its bytes, as some systems give it fields that have no name.
fn no_message() -> mmsghdr {
    // SAFETY: numbers and pointers, for which 0 is a value.
    #[expect(unsafe_code, reason = "the struct has padding that cannot be named")]
    unsafe {
        MaybeUninit::zeroed().assume_init()
    }
}

fn length_of(bytes: &[u8]) -> socklen_t {
    socklen_t::try_from(bytes.len()).expect("addresses and values are short")
}
