//! The least that a server can do for a room: what one says is sent to all others as it is.
//!
//! One thread, one `epoll`; a delivery costs one send. No names, no frames, no log, no patience with
//! who reads slowly: what a real server costs above this is what it does for its users.

use std::{io::Read as _, net::TcpStream};

use anyhow::{Context, Result, ensure};
use rustix::net::{SendFlags, send};

use crate::floor::{Callers, LISTENER};

/// Where the room is.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Port on 127.0.0.1
    #[arg(long)]
    port: u16,
}

/// Tells what is said, until killed.
pub(crate) fn serve(args: &Args) -> Result<()> {
    Room { callers: Callers::listen(args.port)?, members: Vec::new() }.run()
}

struct Room {
    callers: Callers,
    /// By the number that `callers` knows them by, which is given once.
    members: Vec<Option<Member>>,
}

struct Member {
    stream: TcpStream,
    /// It said that it is there, and was told so.
    is_in: bool,
}

impl Room {
    fn run(&mut self) -> Result<()> {
        let (mut events, mut heard) = (Vec::new(), vec![0; READ_BYTES_MAX]);
        loop {
            self.callers.wait(&mut events)?;
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    who => self.hear(usize::try_from(who)?, &mut heard)?,
                }
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        while let Some(stream) = self.callers.accept()? {
            self.callers.know(&stream, self.members.len())?;
            self.members.push(Some(Member { stream, is_in: false }));
        }
        Ok(())
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

const READ_BYTES_MAX: usize = 16 * 1024;
