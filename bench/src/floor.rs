//! The floor: the least a server can do for a request and still be one.
//!
//! One thread, one `epoll`; a request costs its share of a wait, one read, one search for the end
//! of the head and one send of a response prepared beforehand. No parser, no clock, no file, no
//! timeout: what a real server costs above this is what it does for its users.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
};

use anyhow::{Context, Result};
use memchr::memmem;
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    fd::{AsFd, OwnedFd},
};

/// What the floor serves, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Port on 127.0.0.1
    #[arg(long)]
    port: u16,
    /// The body of every response
    #[arg(long)]
    file: PathBuf,
    /// A file with the head of every response, so that it weighs what a peer's does
    #[arg(long)]
    head: Option<PathBuf>,
}

/// Serves until killed.
pub(crate) fn serve(args: &Args) -> Result<()> {
    let response = response(args)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .with_context(|| format!("listening on port {}", args.port))?;
    listener.set_nonblocking(true)?;
    let mut floor = Floor {
        epoll: epoll::create(CreateFlags::CLOEXEC)?,
        listener,
        conns: Vec::new(),
        vacant: Vec::new(),
        response,
    };
    epoll::add(&floor.epoll, &floor.listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    floor.run()
}

struct Floor {
    epoll: OwnedFd,
    listener: TcpListener,
    /// By the number that `epoll` knows them by; `None` is a number to be used again.
    conns: Vec<Option<Conn>>,
    /// The indices of every `None` in `conns`.
    vacant: Vec<usize>,
    response: Vec<u8>,
}

struct Conn {
    stream: TcpStream,
    /// The beginning of a head whose end has not come. Empty, unallocated for whole requests.
    begun: Vec<u8>,
}

enum After {
    Open,
    Closed,
}

impl Floor {
    fn run(&mut self) -> Result<()> {
        let mut events = Vec::with_capacity(EVENTS_MAX);
        let mut scratch = vec![0; READ_BYTES_MAX];
        loop {
            events.clear();
            epoll::wait(&self.epoll, spare_capacity(&mut events), None)?;
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    number => self.hear(usize::try_from(number)?, &mut scratch),
                }
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("accepting"),
            };
            stream.set_nonblocking(true)?;
            let index = self.vacant.pop().unwrap_or_else(|| {
                self.conns.push(None);
                self.conns.len() - 1
            });
            let number = EventData::new_u64(u64::try_from(index)?);
            epoll::add(&self.epoll, stream.as_fd(), number, EventFlags::IN)?;
            self.conns[index] = Some(Conn { stream, begun: Vec::new() });
        }
    }

    fn hear(&mut self, index: usize, scratch: &mut [u8]) {
        let Some(conn) = &mut self.conns[index] else { return };
        if let After::Closed = conn.hear(scratch, &self.response) {
            // Closing the socket takes it out of the epoll, too.
            self.conns[index] = None;
            self.vacant.push(index);
        }
    }
}

impl Conn {
    /// Reads once and answers every head that ended. The epoll is level-triggered, so what one
    /// read left behind is reported again, and no second read is paid for to learn that nothing
    /// is there.
    fn hear(&mut self, scratch: &mut [u8], response: &[u8]) -> After {
        let heard = match self.stream.read(scratch) {
            Ok(0) => return After::Closed,
            Ok(read) => &scratch[..read],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return After::Open,
            Err(_) => return After::Closed,
        };
        if self.begun.is_empty() && heard.ends_with(HEAD_END) && !heard.is_empty() {
            return self.answer(heard, response);
        }
        self.begun.extend_from_slice(heard);
        let whole = memmem::rfind(&self.begun, HEAD_END).map_or(0, |at| at + HEAD_END.len());
        let rest = self.begun.split_off(whole);
        let heads = std::mem::replace(&mut self.begun, rest);
        self.answer(&heads, response)
    }

    fn answer(&mut self, heads: &[u8], response: &[u8]) -> After {
        for _ in memmem::find_iter(heads, HEAD_END) {
            // A response is smaller than any send buffer: a short write means a caller that
            // does not read, and this server has no patience.
            match self.stream.write(response) {
                Ok(written) if written == response.len() => {}
                _ => return After::Closed,
            }
        }
        After::Open
    }
}

fn response(args: &Args) -> Result<Vec<u8>> {
    let body = fs::read(&args.file).with_context(|| format!("reading {}", args.file.display()))?;
    let mut response = match &args.head {
        Some(head) => fs::read(head).with_context(|| format!("reading {}", head.display()))?,
        None => short_head(body.len()).into_bytes(),
    };
    response.extend_from_slice(&body);
    Ok(response)
}

/// The least head that a body of `length` bytes can have.
pub(crate) fn short_head(length: usize) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n\
         content-length: {length}\r\n\r\n"
    )
}

/// The number of the listener in the epoll: no connection's.
const LISTENER: u64 = u64::MAX;
const EVENTS_MAX: usize = 256;
const READ_BYTES_MAX: usize = 16 * 1024;
const HEAD_END: &[u8] = b"\r\n\r\n";
