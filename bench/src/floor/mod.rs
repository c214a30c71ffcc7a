//! The floor: the least a server can do for a request and still be one. Also the origin behind the
//! proxies.
//!
//! One thread, one `epoll`; a request costs its share of a wait, one read, one search for the end
//! of the head and one send of a response prepared beforehand. No parser, no clock, no file, no
//! timeout: what a real server costs above this is what it does for its users.

mod conn;
mod responses;

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result};
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    fd::{AsFd, OwnedFd},
};

use self::conn::Conn;
pub(crate) use self::responses::{Responses, short_head};

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
    let body = fs::read(&args.file).with_context(|| format!("reading {}", args.file.display()))?;
    let head = match &args.head {
        Some(head) => fs::read(head).with_context(|| format!("reading {}", head.display()))?,
        None => short_head(body.len()).into_bytes(),
    };
    Floor::bind(args.port, Responses::one(&head, &body))?.run()
}

/// A listener, its connections, and what they are answered.
#[derive(Debug)]
pub(crate) struct Floor {
    epoll: OwnedFd,
    listener: TcpListener,
    /// By the number that `epoll` knows them by; `None` is a number to be used again.
    conns: Vec<Option<Conn>>,
    /// The indices of every `None` in `conns`.
    vacant: Vec<usize>,
    responses: Responses,
    tally: Arc<Tally>,
}

/// What a floor has done so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    connections: AtomicU64,
    requests: AtomicU64,
}

impl Tally {
    /// How many connections were accepted, and how many requests heard.
    pub(crate) fn read(&self) -> (u64, u64) {
        (self.connections.load(Ordering::Relaxed), self.requests.load(Ordering::Relaxed))
    }
}

impl Floor {
    /// Listens at `port` of this machine; 0 lets the kernel choose.
    pub(crate) fn bind(port: u16, responses: Responses) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("listening on port {port}"))?;
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let (conns, vacant, tally) = (Vec::new(), Vec::new(), Arc::default());
        Ok(Self { epoll, listener, conns, vacant, responses, tally })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// What it has done, to be read while it runs.
    pub(crate) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Answers, for ever.
    ///
    /// # Errors
    ///
    /// If the system does not go on, not if a caller does not.
    pub(crate) fn run(&mut self) -> Result<()> {
        let mut events = Vec::with_capacity(EVENTS_MAX);
        let mut scratch = vec![0; READ_BYTES_MAX];
        loop {
            events.clear();
            epoll::wait(&self.epoll, spare_capacity(&mut events), None)?;
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    number => self.turn(usize::try_from(number)?, &mut scratch)?,
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
            stream.set_nodelay(true)?;
            let index = self.vacant.pop().unwrap_or_else(|| {
                self.conns.push(None);
                self.conns.len() - 1
            });
            let number = EventData::new_u64(u64::try_from(index)?);
            epoll::add(&self.epoll, stream.as_fd(), number, EventFlags::IN)?;
            self.conns[index] = Some(Conn::new(stream));
            self.tally.connections.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn turn(&mut self, index: usize, scratch: &mut [u8]) -> Result<()> {
        let Some(conn) = &mut self.conns[index] else { return Ok(()) };
        let before = conn.waits_for();
        // Counted before it is answered: who has an answer finds it counted.
        let heard = conn.hear(scratch, &self.responses).inspect(|&requests| {
            self.tally.requests.fetch_add(requests, Ordering::Relaxed);
        });
        if heard.and_then(|_| conn.pay(&self.responses)).is_err() {
            // Closing the socket takes it out of the epoll, too.
            self.conns[index] = None;
            self.vacant.push(index);
            return Ok(());
        }
        let after = conn.waits_for();
        if after != before {
            let number = EventData::new_u64(u64::try_from(index)?);
            epoll::modify(&self.epoll, conn.stream(), number, after)?;
        }
        Ok(())
    }
}

/// The number of the listener in the epoll: no connection's.
const LISTENER: u64 = u64::MAX;
const EVENTS_MAX: usize = 256;
const READ_BYTES_MAX: usize = 16 * 1024;
