//! The server behind the proxies: a floor in a thread of this program, on the load's core, so that
//! what it has done can be read at any time.

use std::{sync::Arc, thread};

use anyhow::Result;

use crate::{
    floor::{Floor, Responses, Tally},
    machine,
    site::{Served, Site},
};

/// An origin that answers for as long as this program runs.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) port: u16,
    tally: Arc<Tally>,
}

/// What an origin has done within some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Connections that were opened to it.
    pub(crate) connections: u64,
    pub(crate) requests: u64,
}

impl Origin {
    /// Serves the files of `site`, from a thread on this thread's core.
    pub(crate) fn start(site: &Site) -> Result<Self> {
        let date = machine::date();
        let head = |served: Served| head(served.len(), &date).into_bytes();
        let small = Served::Small;
        let mut responses = Responses::one(&head(small), &site.bytes(small)?);
        for other in [Served::Medium, Served::Large] {
            responses = responses.and(other.name(), &head(other), &site.bytes(other)?);
        }
        let mut floor = Floor::bind(0, responses)?;
        let (port, tally) = (floor.port()?, floor.tally());
        // If it ends, requests fail and say so in their rows.
        thread::spawn(move || floor.run());
        Ok(Self { port, tally })
    }

    /// Another than ours, at this port: of what that has done it knows nothing.
    pub(crate) fn elsewhere(port: u16) -> Self {
        Self { port, tally: Arc::default() }
    }

    /// What it has done since the beginning.
    pub(crate) fn asked(&self) -> Asked {
        let (connections, requests) = self.tally.read();
        Asked { connections, requests }
    }
}

impl Asked {
    /// What came after `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            connections: self.connections - before.connections,
            requests: self.requests - before.requests,
        }
    }
}

/// What stands before a body of `length` bytes: all that a cache asks about.
pub(crate) fn head(length: usize, date: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nDate: {date}\r\nServer: origin\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\
         Last-Modified: Sat, 01 Nov 2025 00:00:00 GMT\r\nETag: \"{length}\"\r\n\
         Cache-Control: max-age=86400\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::client;

    #[test]
    fn an_origin_answers_by_name_and_counts() {
        let site = Site::files_only().unwrap();
        let origin = Origin::start(&site).unwrap();
        let mut stream = client::connect(origin.port).unwrap();
        for served in [Served::Small, Served::Medium, Served::Small] {
            assert_eq!(client::ask(&mut stream, served).unwrap().body, site.bytes(served).unwrap());
        }
        let mut other = client::connect(origin.port).unwrap();
        client::ask(&mut other, Served::Small).unwrap();
        assert_eq!(origin.asked(), Asked { connections: 2, requests: 4 });
    }

    #[test]
    fn who_reads_late_gets_everything() {
        let site = Site::files_only().unwrap();
        let origin = Origin::start(&site).unwrap();
        let mut stream = client::connect(origin.port).unwrap();
        // More than the buffers of both ends together can hold.
        let requests = 200;
        let one = format!("GET /{} HTTP/1.1\r\n\r\n", Served::Medium.name());
        stream.write_all(one.repeat(requests).as_bytes()).unwrap();
        let mut whole = head(Served::Medium.len(), &machine::date()).len() + Served::Medium.len();
        whole *= requests;
        let mut bytes = vec![0; whole];
        stream.read_exact(&mut bytes).unwrap();
        assert_eq!(origin.asked().requests, 200);
    }
}
