//! Clients come in: each says who it is, and waits until it is somebody.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use rustls::ClientConfig;

use super::tongue::Tongue;
use crate::client;

/// Has so many clients come in, each account's as often as it may, and gives their connections once they
/// are somebody. They come many at once: some servers have a second go by before they let somebody in.
pub(super) fn enter_all(
    port: u16,
    tongue: Tongue,
    (sessions, token): (usize, impl Fn(usize) -> String),
) -> Result<Vec<TcpStream>> {
    let mut all = Vec::with_capacity(sessions);
    while all.len() < sessions {
        let many = all.len()..sessions.min(all.len() + AT_ONCE);
        let words: Vec<_> =
            many.clone().map(|number| tongue.entrance(number, &token(number))).collect();
        let connect = |_| client::connect(port).context("connecting");
        let mut streams = many.map(connect).collect::<Result<Vec<_>>>()?;
        say_all(&mut streams, &words)?;
        all.extend(streams);
    }
    Ok(all)
}

/// The same, and each in the room of all.
pub(super) fn come_in(
    port: u16,
    tongue: Tongue,
    tokens: &[String],
    many: usize,
) -> Result<Vec<TcpStream>> {
    let token = |number: usize| tokens.get(number).cloned().unwrap_or_default();
    let mut streams = enter_all(port, tongue, (many, token))?;
    if let Some(words) = tongue.join() {
        say_all(&mut streams, &vec![words; many])?;
    }
    Ok(streams)
}

/// How many come in at once.
const AT_ONCE: usize = 500;

/// Has client `number` come in, and gives its connection once it is somebody.
pub(super) fn enter(
    port: u16,
    tongue: Tongue,
    (number, token): (usize, &str),
) -> Result<TcpStream> {
    let mut stream = client::connect(port)?;
    say(&mut stream, tongue.entrance(number, token))?;
    Ok(stream)
}

/// The same through TLS, of which our side is given up then: only the socket has to stay.
pub(super) fn enter_safely(
    port: u16,
    config: &Arc<ClientConfig>,
    (number, token): (usize, &str),
) -> Result<TcpStream> {
    let mut stream = client::wrap(client::connect(port)?, config)?;
    say(&mut stream, Tongue::Hub.entrance(number, token))?;
    Ok(stream.sock)
}

fn say_all(streams: &mut [TcpStream], words: &[(String, &'static str)]) -> Result<()> {
    for (stream, (what, _)) in streams.iter_mut().zip(words) {
        stream.write_all(what.as_bytes())?;
    }
    for (stream, (_, then)) in streams.iter_mut().zip(words) {
        hear_until(stream, then)?;
    }
    Ok(())
}

/// Says something, and waits for what is told then.
fn say(stream: &mut (impl Read + Write), (what, then): (String, &str)) -> Result<()> {
    stream.write_all(what.as_bytes())?;
    hear_until(stream, then)
}

fn hear_until(stream: &mut impl Read, then: &str) -> Result<()> {
    let (mut said, mut room) = (Vec::new(), [0; 16 << 10]);
    while memchr::memmem::find(&said, then.as_bytes()).is_none() {
        let bytes = stream.read(&mut room).with_context(|| told(&said))?;
        ensure!(bytes > 0, "{}", told(&said));
        said.extend(&room[..bytes]);
        ensure!(said.len() < SAID_MAX, "{}", told(&said));
    }
    Ok(())
}

/// The most that is said to who comes in: of a thousand others' names, too.
const SAID_MAX: usize = 1 << 20;

pub(super) fn told(said: &[u8]) -> String {
    let end = said.len().min(300);
    format!("not let in: {:?}", String::from_utf8_lossy(&said[..end]))
}
