//! Clients of an echo of datagrams: each has so many on their way at once.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, UdpSocket},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::calls::{BATCH, Batch, Names};
use crate::launch;

/// How many clients there are, and how much of each is on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    pub(super) clients: usize,
    pub(super) window: usize,
}

/// What all datagrams have: 64 bytes.
const BYTES: usize = 64;

/// After so long without any answer, what is on its way is taken for lost.
const LOST_AFTER: Duration = Duration::from_millis(50);

/// Clients that are connected to a server.
#[derive(Debug)]
pub(super) struct Load {
    clients: Vec<Client>,
    window: usize,
    batch: Batch,
    heard: Batch,
}

#[derive(Debug)]
struct Client {
    socket: UdpSocket,
    away: usize,
}

/// What came back, and how much did not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passed {
    pub(super) answered: u64,
    pub(super) lost: u64,
}

impl Load {
    /// Clients of the server at `port`, once it answers.
    pub(super) fn start(port: u16, crowd: Crowd) -> Result<Self> {
        let client = || -> Result<Client> {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.connect((Ipv4Addr::LOCALHOST, port))?;
            socket.set_nonblocking(true)?;
            Ok(Client { socket, away: 0 })
        };
        let clients = (0..crowd.clients).map(|_| client()).collect::<Result<_>>()?;
        let (batch, heard) = (Batch::new(BYTES), Batch::new(0));
        Ok(Self { clients, window: crowd.window.min(BATCH), batch, heard })
    }

    /// Waits until the server answers every client with what it said.
    pub(super) fn check(&mut self, patience: Duration) -> Result<()> {
        let end = Instant::now() + patience;
        for (number, client) in self.clients.iter().enumerate() {
            let question = format!("{number:0>BYTES$}");
            loop {
                ensure!(Instant::now() < end, "no answer after {patience:?}");
                _ = client.socket.send(question.as_bytes());
                launch::pause(Duration::from_millis(1));
                let mut answer = [0; 2 * BYTES];
                if let Ok(length) = client.socket.recv(&mut answer) {
                    ensure!(&answer[..length] == question.as_bytes(), "a wrong answer");
                    break;
                }
            }
        }
        // What was asked twice.
        launch::pause(Duration::from_millis(20));
        for client in &self.clients {
            while client.socket.recv(&mut [0; BYTES]).is_ok() {}
        }
        Ok(())
    }

    /// Keeps datagrams on their way for so long.
    pub(super) fn run(&mut self, duration: Duration) -> Result<Passed> {
        let (start, mut passed) = (Instant::now(), Passed::default());
        let mut last = start;
        while start.elapsed() < duration {
            let mut came = 0;
            for client in &mut self.clients {
                if client.away > 0 {
                    let got =
                        match self.heard.receive(&client.socket, Names::Unused, libc::MSG_DONTWAIT)
                        {
                            Ok(got) => got,
                            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                            Err(error) => return Err(error.into()),
                        };
                    client.away = client.away.saturating_sub(got);
                    came += got;
                }
                if client.away <= self.window / 2 {
                    let missing = self.window - client.away;
                    client.away += self.batch.send(&client.socket, 0..missing, Names::Unused)?;
                }
            }
            passed.answered += u64::try_from(came)?;
            let now = Instant::now();
            if came > 0 {
                last = now;
            } else if now - last > LOST_AFTER {
                for client in &mut self.clients {
                    passed.lost += u64::try_from(client.away)?;
                    client.away = 0;
                }
                last = now;
            }
        }
        Ok(passed)
    }
}
