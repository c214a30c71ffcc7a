//! The floor: the least a server can do for a request and still be one. Also the origin behind the
//! proxies.
//!
//! One thread, one `epoll`; a request costs its share of a wait, one read, one search for the end
//! of the head and one send of a response prepared beforehand. No parser, no clock, no file, no
//! timeout: what a real server costs above this is what it does for its users.

mod callers;
mod conn;
mod responses;

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result};

use self::conn::Conn;
pub(crate) use self::{
    callers::{Callers, LISTENER},
    responses::{Responses, short_head},
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
    callers: Callers,
    /// By the number that `callers` knows them by; `None` is a number to be used again.
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
        let callers = Callers::listen(port)?;
        let (conns, vacant, tally) = (Vec::new(), Vec::new(), Arc::default());
        Ok(Self { callers, conns, vacant, responses, tally })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> Result<u16> {
        self.callers.port()
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
        let (mut events, mut scratch) = (Vec::new(), vec![0; READ_BYTES_MAX]);
        loop {
            self.callers.wait(&mut events)?;
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    number => self.turn(usize::try_from(number)?, &mut scratch)?,
                }
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        while let Some(stream) = self.callers.accept()? {
            let index = self.vacant.pop().unwrap_or_else(|| {
                self.conns.push(None);
                self.conns.len() - 1
            });
            self.callers.know(&stream, index)?;
            self.conns[index] = Some(Conn::new(stream));
            self.tally.connections.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
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
            self.callers.expect(conn.stream(), index, after)?;
        }
        Ok(())
    }
}

const READ_BYTES_MAX: usize = 16 * 1024;
