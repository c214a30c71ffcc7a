//! The system calls of the floor and of the load: many datagrams at once, and nothing else.

use std::{io, mem::MaybeUninit, net::UdpSocket, os::fd::AsRawFd, ptr};

use libc::{c_int, c_uint, iovec, mmsghdr, sockaddr_in, socklen_t};

/// How many datagrams go in one call.
pub(super) const BATCH: usize = 64;

/// The most that is received of one.
const BYTES_MAX: usize = 2048;

/// Datagrams that are received into the same memory, and sent from there. Points into itself: what it
/// points to is on the heap, and never moves.
#[derive(Debug)]
pub(super) struct Batch {
    headers: Box<[mmsghdr; BATCH]>,
    parts: Box<[iovec; BATCH]>,
    names: Box<[sockaddr_in; BATCH]>,
    bytes: Box<[u8]>,
}

/// Whether senders are asked for and told of, or the socket is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Used,
    Unused,
}

impl Batch {
    /// With datagrams of 0s, `length` bytes long.
    pub(super) fn new(length: usize) -> Self {
        // SAFETY: plain numbers and pointers, for all of which 0 is a value.
        #[expect(unsafe_code, reason = "the structs have padding that cannot be named")]
        let (headers, parts, names) = unsafe {
            let headers = Box::new(MaybeUninit::<[mmsghdr; BATCH]>::zeroed().assume_init());
            let parts = Box::new(MaybeUninit::<[iovec; BATCH]>::zeroed().assume_init());
            (headers, parts, Box::new(MaybeUninit::<[sockaddr_in; BATCH]>::zeroed().assume_init()))
        };
        let mut batch =
            Self { headers, parts, names, bytes: vec![0; BATCH * BYTES_MAX].into_boxed_slice() };
        let start = batch.bytes.as_mut_ptr();
        for (index, part) in batch.parts.iter_mut().enumerate() {
            part.iov_base = start.wrapping_add(index * BYTES_MAX).cast();
            part.iov_len = length;
        }
        batch
    }

    /// Receives what is there, at least one with `MSG_WAITFORONE`. Each is ready to be sent back.
    pub(super) fn receive(
        &mut self,
        socket: &UdpSocket,
        names: Names,
        flags: c_int,
    ) -> io::Result<usize> {
        self.parts.iter_mut().for_each(|part| part.iov_len = BYTES_MAX);
        self.point(0..BATCH, names);
        let vlen = c_uint::try_from(BATCH).expect("64");
        // SAFETY: every header points to a part and a name of `self`, and every part to bytes of
        // `self`, with their true lengths.
        #[expect(unsafe_code, reason = "no safe way receives many messages")]
        let got = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                vlen,
                flags,
                ptr::null_mut(),
            )
        };
        let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
        for (header, part) in self.headers.iter().zip(self.parts.iter_mut()).take(got) {
            part.iov_len = usize::try_from(header.msg_len).expect("at most 2048");
        }
        Ok(got)
    }

    /// Sends those in `range`. Gives how many the system took.
    pub(super) fn send(
        &mut self,
        socket: &UdpSocket,
        range: std::ops::Range<usize>,
        names: Names,
    ) -> io::Result<usize> {
        let vlen = c_uint::try_from(range.len()).expect("at most 64");
        self.point(range.clone(), names);
        // SAFETY: as in `receive`; `range` is within the batch, or indexing would have panicked.
        #[expect(unsafe_code, reason = "no safe way sends many messages")]
        let sent = unsafe {
            let first = self.headers[range].as_mut_ptr();
            libc::sendmmsg(socket.as_raw_fd(), first, vlen, libc::MSG_DONTWAIT)
        };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    /// The port of the sender of the one at `index`: all are on 127.0.0.1.
    pub(super) fn port(&self, index: usize) -> u16 {
        u16::from_be(self.names[index].sin_port)
    }

    /// Has the first `count` be for `port` of 127.0.0.1.
    pub(super) fn address(&mut self, count: usize, port: u16) {
        for name in &mut self.names[..count] {
            name.sin_family = libc::sa_family_t::try_from(libc::AF_INET).expect("a small number");
            name.sin_port = port.to_be();
            name.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
        }
    }

    fn point(&mut self, range: std::ops::Range<usize>, names: Names) {
        for index in range {
            let header = &mut self.headers[index].msg_hdr;
            header.msg_iov = &raw mut self.parts[index];
            header.msg_iovlen = 1;
            (header.msg_name, header.msg_namelen) = match names {
                Names::Used => {
                    let length = socklen_t::try_from(size_of::<sockaddr_in>()).expect("16");
                    ((&raw mut self.names[index]).cast(), length)
                }
                Names::Unused => (ptr::null_mut(), 0),
            };
        }
    }
}
