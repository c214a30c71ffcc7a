//! The server behind a relay: a thread of this program, on the load's core.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What is said at a time where little is said.
pub(super) const MESSAGE_BYTES: usize = 64;

/// What it does with who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// Sends for as long as it is listened to.
    Sends,
    /// Sends each message back.
    Echoes,
    /// Sends one back, and closes.
    Closes,
    /// Sends one back, and holds the connection.
    Holds,
}

/// A server. It ends with this program; who called it is let go when this is dropped.
#[derive(Debug)]
pub(super) struct Far {
    pub(super) port: u16,
    held: Arc<Mutex<Vec<TcpStream>>>,
}

impl Far {
    pub(super) fn start(does: Does) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        // More wait than the standard library asks for.
        rustix::net::listen(&listener, 4096)?;
        let port = listener.local_addr()?.port();
        let held = Arc::<Mutex<Vec<_>>>::default();
        let kept = Arc::clone(&held);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                take(stream, does, &kept);
            }
        });
        Ok(Self { port, held })
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        if let Ok(mut held) = self.held.lock() {
            held.clear();
        }
    }
}

fn take(mut stream: TcpStream, does: Does, held: &Mutex<Vec<TcpStream>>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match does {
        Does::Sends => _ = thread::spawn(move || send(stream)),
        Does::Echoes => _ = thread::spawn(move || while answer(&mut stream).is_ok() {}),
        Does::Closes => _ = answer(&mut stream),
        Does::Holds => {
            let answered = answer(&mut stream);
            if let (Ok(()), Ok(mut held)) = (answered, held.lock()) {
                held.push(stream);
            }
        }
    }
}

fn send(mut stream: TcpStream) {
    let block = vec![7; 256 << 10];
    while stream.write_all(&block).is_ok() {}
}

/// Sends one message back.
fn answer(stream: &mut TcpStream) -> io::Result<()> {
    let mut message = [0; MESSAGE_BYTES];
    stream.read_exact(&mut message)?;
    stream.write_all(&message)
}
