//! From a planned hub to what callers meet.

use std::{sync::Arc, time::Duration};

use relais_hub::{
    Calculator, ClearPasswords, DatagramForm, Hub, Lang, Limits, Options, Registration,
};
use relais_net::{
    Client, Conn, DatagramService, Datagrams, Drain, Endpoint, Fault, Scheme, Service,
};
use relais_talk::calc;
use relais_tap::Tap;
use rustix::rand::{GetRandomFlags, getrandom};

use super::{Messaging, table};
use crate::{
    clock,
    complaint::{KeyPath, Problem, Wrong},
    listen::calculating,
    meets::Meets,
    spelling::Size,
};

/// A hub that runs.
#[derive(Clone, Debug)]
pub(crate) struct Made(Arc<Served>);

#[derive(Debug)]
struct Served(Hub);

/// How many events may wait for who watches flows.
const EVENTS_MAX: usize = 1_024;

/// Why the hub at `key`, which runs, does not run as it is said now.
pub(crate) fn changed(key: &KeyPath) -> Problem {
    let what = "a hub that runs was changed";
    key.wrong(Wrong::expected(what, "the same as before").hint("a restart changes it"))
}

impl Made {
    /// Opens the hub at `key`.
    ///
    /// # Errors
    ///
    /// If its store cannot be had.
    pub(crate) fn of(messaging: &Messaging, key: &KeyPath) -> Result<Self, Problem> {
        let hub = Hub::open(&messaging.store, options(messaging)).map_err(|error| {
            let mut what = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(error) = source {
                what = format!("{what}: {error}");
                source = error.source();
            }
            key.key("store").wrong(Wrong { what, expected: None, hint: None })
        })?;
        Ok(Self(Arc::new(Served(hub))))
    }

    /// Closes its store. Blocks, but no longer than `patience`.
    pub(crate) fn end(&self, patience: Duration) {
        self.0.0.close(patience);
    }

    /// What those meet who call at `on`.
    pub(crate) fn meets(&self, on: &Endpoint) -> Meets {
        match on.scheme {
            Scheme::Udp => Meets::Datagrams(self.0.clone()),
            _ => Meets::Stream(self.0.clone()),
        }
    }
}

fn options(messaging: &Messaging) -> Options {
    let Messaging { message_max: Size(message_max), burst, messages_a_second, .. } = *messaging;
    let limits = Limits {
        body_bytes_max: usize::try_from(message_max).unwrap_or(usize::MAX),
        burst,
        messages_a_second,
        ..Limits::default()
    };
    Options {
        server: concat!("relais/", env!("CARGO_PKG_VERSION")).to_owned(),
        lang: match messaging.lang {
            table::Lang::En => Lang::En,
            table::Lang::Fr => Lang::Fr,
        },
        registration: match messaging.registration {
            table::Registration::Open => Registration::Open,
            table::Registration::Closed => Registration::Closed,
        },
        clear_passwords: if messaging.clear_passwords {
            ClearPasswords::Taken
        } else {
            ClearPasswords::Refused
        },
        datagrams: match messaging.udp {
            table::Form::Sealed => DatagramForm::Sealed,
            table::Form::Mac => DatagramForm::Readable,
        },
        limits,
        tap: Tap::new(EVENTS_MAX),
        clock: clock::now,
        random,
        calculator: Some(Arc::new(Children(calculator()))),
    }
}

/// Fills `bytes` with what nobody can guess.
pub(crate) fn random(bytes: &mut [u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        // Only before a machine has any does the system wait, and else it gives all.
        let drawn = getrandom(&mut *rest, GetRandomFlags::empty()).unwrap_or(0);
        rest = &mut rest[drawn..];
    }
}

fn calculator() -> calc::Calculator {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    calc::Calculator::new(calculating::program(), cores)
}

/// The calculator's processes.
#[derive(Debug)]
struct Children(calc::Calculator);

impl Calculator for Children {
    fn calculate(
        &self,
        client: Client,
        expr: String,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<String, String>> + Send + '_>> {
        Box::pin(async move {
            let value = self.0.value(client, &expr).await;
            match value.strip_prefix("error: ") {
                Some(why) => Err(why.to_owned()),
                None => Ok(value),
            }
        })
    }
}

impl Service for Served {
    async fn serve(&self, conn: Conn, drain: Drain) -> Result<(), Fault> {
        Service::serve(&self.0, conn, drain).await
    }

    fn refusal(&self) -> &'static [u8] {
        self.0.refusal()
    }
}

impl DatagramService for Served {
    async fn serve(&self, socket: Arc<Datagrams>, drain: Drain) -> Result<(), Fault> {
        DatagramService::serve(&self.0, socket, drain).await
    }
}
