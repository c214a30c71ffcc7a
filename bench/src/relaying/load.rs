//! The clients of relays.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::net::{RecvFlags, recv};

use super::far::MESSAGE_BYTES;
use crate::client;

/// Who opens short connections at once: so many that relay and load both have something to do at any time. With
/// a few, what is measured is who wakes whom.
pub(super) const CLIENTS: usize = 32;

/// Clients that read all that comes.
#[derive(Debug)]
pub(super) struct Flood {
    bytes: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Flood {
    pub(super) fn start(port: u16, conns: usize) -> Result<Self> {
        let (bytes, over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let mut clients = Vec::new();
        for _ in 0..conns {
            let stream = client::connect(port).context("connecting")?;
            let (bytes, over) = (Arc::clone(&bytes), Arc::clone(&over));
            clients.push(thread::spawn(move || drink(&stream, &bytes, &over)));
        }
        Ok(Self { bytes, over, clients })
    }

    /// How many came so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    pub(super) fn end(self) {
        self.over.store(true, Relaxed);
        for client in self.clients {
            // One that panicked has read nothing more, which the numbers show.
            _ = client.join();
        }
    }
}

fn drink(stream: &TcpStream, bytes: &AtomicU64, over: &AtomicBool) {
    let mut room = vec![0; 1 << 20];
    while !over.load(Relaxed) {
        // Thrown away in the kernel: what is copied here would be the load's own work.
        match recv(stream, &mut room[..], RecvFlags::TRUNC) {
            Ok((_, came @ 1..)) => _ = bytes.fetch_add(came as u64, Relaxed),
            _ => return,
        }
    }
}

/// Says one message after the other for `seconds`; how many microseconds each took.
pub(super) fn ping(port: u16, seconds: u64) -> Result<Vec<f64>> {
    let mut stream = client::connect(port)?;
    stream.set_nodelay(true)?;
    let (message, mut heard) = ([7; MESSAGE_BYTES], [0; MESSAGE_BYTES]);
    let mut times = Vec::new();
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        let begin = Instant::now();
        stream.write_all(&message)?;
        stream.read_exact(&mut heard)?;
        times.push(begin.elapsed().as_secs_f64() * 1e6);
        if begin >= end {
            break;
        }
    }
    ensure!(heard == message, "another message came back");
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Opens one connection after the other for `seconds`; how many.
pub(super) fn short(port: u16, seconds: u64) -> Result<f64> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let one = move || -> Result<u64> {
        let mut count = 0;
        while Instant::now() < end {
            let mut stream = client::connect(port)?;
            stream.write_all(&[7; MESSAGE_BYTES])?;
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard)?;
            ensure!(heard.len() == MESSAGE_BYTES, "{} bytes came back", heard.len());
            count += 1;
        }
        Ok(count)
    };
    let clients: Vec<_> = (0..CLIENTS).map(|_| thread::spawn(one)).collect();
    let mut count = 0;
    for client in clients {
        count += client.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
    }
    Ok(crate::stats::float(count))
}

/// Opens connections, each with one message there and back. They are of two clients: relais gives no
/// single one all there are.
pub(super) fn hold(port: u16, conns: usize) -> Result<Vec<TcpStream>> {
    let mut held = Vec::with_capacity(conns);
    let clients = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2)];
    for (number, client) in (0..conns).zip(clients.into_iter().cycle()) {
        let stream = greeted(client, port);
        held.push(stream.with_context(|| format!("connection {} of {conns}", number + 1))?);
    }
    Ok(held)
}

fn greeted(client: Ipv4Addr, port: u16) -> io::Result<TcpStream> {
    let mut stream = client::connect_from(client, port)?;
    stream.write_all(&[7; MESSAGE_BYTES])?;
    stream.read_exact(&mut [0; MESSAGE_BYTES])?;
    Ok(stream)
}

/// Fails if one of them was closed.
pub(super) fn ensure_open(held: &[TcpStream]) -> Result<()> {
    for stream in held {
        stream.set_nonblocking(true)?;
        let mut stream = stream;
        match stream.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => bail!("a connection did not stay idle: {other:?}"),
        }
    }
    Ok(())
}
