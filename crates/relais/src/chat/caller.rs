//! A talk carried over connections: one is made, and made again when it is lost.

use std::time::Duration;

use relais_hub::client::{Entrance, News, Pulse, Talk};
use relais_net::{Callee, DialError, Dialer, Endpoint, tls::Protocols};
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    DEVICE,
    ways::{Udp, Ways},
};
use crate::{
    calling::refused,
    complaint::{Complaint, Wrong},
    hub::random,
    stop::Stop,
};

/// A talk, and whom it is with.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) talk: Talk,
    dialer: Dialer,
    endpoint: Endpoint,
    wire: Option<Ways>,
    udp: Option<Udp>,
    /// When to call, without a connection.
    at: Instant,
}

/// How long the last word may take.
const LINGER: Duration = Duration::from_secs(1);

impl Caller {
    pub(super) fn new(talk: Talk, dialer: Dialer, endpoint: Endpoint) -> Self {
        Self { talk, dialer, endpoint, wire: None, udp: None, at: Instant::now() }
    }

    /// The same, by datagrams as far as they come through.
    pub(super) fn by(self, udp: Option<Udp>) -> Self {
        Self { udp, ..self }
    }

    /// Begins to talk anew, as who comes in by `entrance`: for who was never in.
    pub(super) fn enter_by(&mut self, entrance: Entrance) {
        self.talk = Talk::new(entrance, DEVICE, random);
        (self.wire, self.at) = (None, Instant::now());
    }

    /// Waits for what happens next; `None` once a connection is lost, which will be made again. Cancel
    /// safe.
    ///
    /// # Errors
    ///
    /// If there is no hub at first. Once there was one it is called until it is there again.
    pub(super) async fn next(&mut self) -> Result<Option<News>, Stop> {
        loop {
            if let Some(news) = self.talk.news() {
                return Ok(Some(news));
            }
            if self.wire.is_none() {
                self.call().await?;
            } else if !self.carry().await {
                self.wire = None;
                self.at = self.talk.lost(Instant::now());
                return if self.talk.was_in() { Ok(None) } else { Err(self.no_hub()) };
            }
        }
    }

    /// Makes a connection, when it is time to.
    async fn call(&mut self) -> Result<(), Stop> {
        sleep_until(self.at).await;
        match self.dialer.dial(&self.endpoint, Protocols::Plain).await {
            Ok(dialed) => {
                self.wire = Some(Ways::new(dialed.stream, self.udp.clone()));
                self.talk.connected(Instant::now());
            }
            Err(error) if !self.talk.was_in() => return Err(unreached(&error)),
            Err(_) => self.at = self.talk.lost(Instant::now()),
        }
        Ok(())
    }

    /// Carries what is said either way. Whether there is still a connection.
    async fn carry(&mut self) -> bool {
        let Some(wire) = &mut self.wire else { return false };
        wire.say(&self.talk.frames());
        let wakes_at = self.talk.wakes_at();
        tokio::select! {
            line = wire.next() => match line {
                Ok(Some(line)) => {
                    self.talk.hear(&line, Instant::now());
                    true
                }
                Ok(None) | Err(_) => false,
            },
            () = sleep_until(wakes_at.unwrap_or_else(Instant::now)), if wakes_at.is_some() => {
                self.talk.wake(Instant::now()) == Pulse::Alive
            }
        }
    }

    /// Ends the connection, after what is not said yet.
    pub(super) async fn end(mut self) {
        if let Some(mut wire) = self.wire.take() {
            wire.say(&self.talk.frames());
            // What was asked is answered: nobody waits for this.
            _ = timeout(LINGER, wire.end()).await;
        }
    }

    fn no_hub(&self) -> Stop {
        let what = format!("{} does not answer as a hub does", self.endpoint);
        let hint = "is it `relais hub` that listens there? With TLS it is tls://host:port";
        let wrong = Wrong { what, expected: None, hint: Some(hint.to_owned()) };
        Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
    }
}

/// Why no hub was reached, and what to try.
pub(super) fn unreached(error: &DialError) -> Stop {
    let DialError::Refused(Callee { endpoint, .. }) = error else { return refused(error) };
    let port = endpoint.host_port().map(|on| format!(", and at port {}", on.port));
    let (port, what) = (port.unwrap_or_default(), format!("nobody listens at {endpoint}"));
    let hint = format!(
        "does the hub run{port}? `relais hub 6680` runs one on this machine, and `relais chat` calls it"
    );
    let wrong = Wrong { what, expected: None, hint: Some(hint) };
    Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nobody_listens_the_address_is_named_and_what_runs_a_hub() {
        let endpoint = "tcp://127.0.0.1:9".parse().unwrap();
        let Stop::Refused(told) =
            unreached(&DialError::Refused(Callee { endpoint, address: None }))
        else {
            panic!("it was reached")
        };
        let expect = "error: nobody listens at tcp://127.0.0.1:9\nhint: does the hub run, and at port 9? \
            `relais hub 6680` runs one on this machine, and `relais chat` calls it";
        assert_eq!(told[0].to_string(), expect);
    }
}
