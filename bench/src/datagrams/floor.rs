//! The least that an echo of datagrams can do, and a relay of them with a socket for each sender: what
//! came at once is sent at once. No table that has an end, no time, no counts, no second address.

use std::net::{Ipv4Addr, UdpSocket};

use anyhow::{Context, Result};
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
};

use super::calls::{Batch, Names};

/// Where it is, and what it does.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Port on 127.0.0.1
    #[arg(long)]
    port: u16,
    /// Pass datagrams on to this port; without it, send them back
    #[arg(long)]
    upstream: Option<u16>,
}

/// Serves until killed.
pub(crate) fn serve(args: &Args) -> Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, args.port))
        .with_context(|| format!("binding port {}", args.port))?;
    match args.upstream {
        None => echo(&socket),
        Some(upstream) => relay(&socket, upstream),
    }
}

/// Sends back what comes to `socket`.
pub(super) fn echo(socket: &UdpSocket) -> Result<()> {
    let mut batch = Batch::new(0);
    loop {
        let got = batch.receive(socket, Names::Used, libc::MSG_WAITFORONE)?;
        batch.send(socket, 0..got, Names::Used)?;
    }
}

/// A sender, and the socket that it has.
struct Sender {
    port: u16,
    upstream: UdpSocket,
}

fn relay(socket: &UdpSocket, upstream: u16) -> Result<()> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, socket, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut batch = Batch::new(0);
    // By port: all senders are on this machine.
    let mut known = vec![None; 1 << 16];
    let mut senders: Vec<Sender> = Vec::new();
    let mut events = Vec::with_capacity(1024);
    loop {
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        for event in &events {
            if event.data.u64() != LISTENER {
                let sender = &senders[usize::try_from(event.data.u64())?];
                let came = batch.receive(&sender.upstream, Names::Unused, libc::MSG_DONTWAIT);
                let Ok(got) = came else { continue };
                batch.address(got, sender.port);
                batch.send(socket, 0..got, Names::Used)?;
                continue;
            }
            let Ok(got) = batch.receive(socket, Names::Used, libc::MSG_DONTWAIT) else { continue };
            let mut first = 0;
            while first < got {
                let port = batch.port(first);
                let same = (first..got).take_while(|&index| batch.port(index) == port).count();
                let number = if let Some(number) = known[usize::from(port)] {
                    number
                } else {
                    let number = senders.len();
                    let own = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
                    own.connect((Ipv4Addr::LOCALHOST, upstream))?;
                    let data = EventData::new_u64(u64::try_from(number)?);
                    epoll::add(&epoll, &own, data, EventFlags::IN)?;
                    senders.push(Sender { port, upstream: own });
                    known[usize::from(port)] = Some(number);
                    number
                };
                batch.send(&senders[number].upstream, first..first + same, Names::Unused)?;
                first += same;
            }
        }
    }
}

const LISTENER: u64 = u64::MAX;
