//! A caller of the floor.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::TcpStream,
};

use memchr::memmem;
use rustix::event::epoll::EventFlags;

use super::responses::{HEAD_END, Responses};

/// A connection.
#[derive(Debug)]
pub(super) struct Conn {
    stream: TcpStream,
    /// The beginning of a head whose end has not come. Empty, unallocated for whole requests.
    begun: Vec<u8>,
    /// The responses that are to be sent. As long as there are any, nothing is read, so one read
    /// bounds them.
    owed: VecDeque<usize>,
    /// How many bytes of the first of `owed` are sent: less than it has.
    sent: usize,
}

/// The caller is not there any more, or not as it should be.
#[derive(Debug)]
pub(super) struct Gone;

impl Conn {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, begun: Vec::new(), owed: VecDeque::new(), sent: 0 }
    }

    /// Reads once, if nothing is owed, and returns how many requests ended. The epoll is
    /// level-triggered, so what one read left behind is reported again, and no second read is paid
    /// for to learn that nothing is there.
    pub(super) fn hear(&mut self, scratch: &mut [u8], responses: &Responses) -> Result<u64, Gone> {
        if !self.owed.is_empty() {
            return Ok(0);
        }
        let heard = match self.stream.read(scratch) {
            Ok(0) => return Err(Gone),
            Ok(read) => &scratch[..read],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(_) => return Err(Gone),
        };
        if self.begun.is_empty() && heard.ends_with(HEAD_END) {
            return Ok(self.owe(heard, responses));
        }
        self.begun.extend_from_slice(heard);
        let whole = memmem::rfind(&self.begun, HEAD_END).map_or(0, |at| at + HEAD_END.len());
        let rest = self.begun.split_off(whole);
        let heads = std::mem::replace(&mut self.begun, rest);
        Ok(self.owe(&heads, responses))
    }

    /// Notes what the answers to whole `heads` are, and returns how many.
    fn owe(&mut self, heads: &[u8], responses: &Responses) -> u64 {
        let (mut begin, mut count) = (0, 0);
        for end in memmem::find_iter(heads, HEAD_END) {
            self.owed.push_back(responses.pick(&heads[begin..end]));
            begin = end + HEAD_END.len();
            count += 1;
        }
        count
    }

    /// Sends what is owed, as much as the caller takes for now.
    pub(super) fn pay(&mut self, responses: &Responses) -> Result<(), Gone> {
        while let Some(&index) = self.owed.front() {
            let rest = &responses.bytes(index)[self.sent..];
            match self.stream.write(rest) {
                Ok(written) if written == rest.len() => {
                    self.owed.pop_front();
                    self.sent = 0;
                }
                Ok(written) => {
                    self.sent += written;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return Err(Gone),
            }
        }
        Ok(())
    }

    /// What it wants to be woken by.
    pub(super) fn waits_for(&self) -> EventFlags {
        if self.owed.is_empty() { EventFlags::IN } else { EventFlags::OUT }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }
}
