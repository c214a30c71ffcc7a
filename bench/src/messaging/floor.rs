//! The least that a server can do for a room: what one says is sent to all others as it is.
//!
//! One thread, one `epoll`; a delivery costs one send. No names, no frames, no log, no patience with
//! who reads slowly: what a real server costs above this is what it does for its users.

use std::{
    io::{ErrorKind, Read as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
};

use anyhow::{Context, Result, ensure};
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    fd::OwnedFd,
    net::{SendFlags, send},
};

/// Where the room is.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Port on 127.0.0.1
    #[arg(long)]
    port: u16,
}

/// Tells what is said, until killed.
pub(crate) fn serve(args: &Args) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .with_context(|| format!("listening on port {}", args.port))?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    Room { epoll, listener, members: Vec::new() }.run()
}

struct Room {
    epoll: OwnedFd,
    listener: TcpListener,
    /// By the number that `epoll` knows them by, which is given once.
    members: Vec<Option<Member>>,
}

struct Member {
    stream: TcpStream,
    /// It said that it is there, and was told so.
    is_in: bool,
}

impl Room {
    fn run(&mut self) -> Result<()> {
        let (mut events, mut heard) = (Vec::with_capacity(EVENTS_MAX), vec![0; READ_BYTES_MAX]);
        loop {
            events.clear();
            epoll::wait(&self.epoll, spare_capacity(&mut events), None)?;
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    who => self.hear(usize::try_from(who)?, &mut heard)?,
                }
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("accepting"),
            };
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let number = EventData::new_u64(u64::try_from(self.members.len())?);
            epoll::add(&self.epoll, &stream, number, EventFlags::IN)?;
            self.members.push(Some(Member { stream, is_in: false }));
        }
    }

    fn hear(&mut self, who: usize, heard: &mut [u8]) -> Result<()> {
        let Some(member) = &mut self.members[who] else { return Ok(()) };
        let bytes = match member.stream.read(heard) {
            // Closing the socket takes it out of the epoll, too.
            Ok(0) | Err(_) => {
                self.members[who] = None;
                return Ok(());
            }
            Ok(bytes) => bytes,
        };
        if !member.is_in {
            member.is_in = true;
            return tell(&member.stream, LET_IN.as_bytes());
        }
        for (_, other) in self.members.iter_mut().enumerate().filter(|(other, _)| *other != who) {
            // Who is gone, or reads too slowly, hears nothing more.
            if other.as_ref().is_some_and(|member| tell(&member.stream, &heard[..bytes]).is_err()) {
                *other = None;
            }
        }
        Ok(())
    }
}

fn tell(stream: &TcpStream, bytes: &[u8]) -> Result<()> {
    let sent = send(stream, bytes, SendFlags::NOSIGNAL).context("telling a member")?;
    ensure!(sent == bytes.len(), "a member reads too slowly");
    Ok(())
}

/// What is told to who comes in.
pub(super) const LET_IN: &str = "in\n";

/// The number of the listener in the epoll: no member's.
const LISTENER: u64 = u64::MAX;
const EVENTS_MAX: usize = 256;
const READ_BYTES_MAX: usize = 16 * 1024;
