//! How many calls there may be at once, where that is limited.

use std::io;

use super::{Callee, DialError, Dialer};
use crate::{Client, Endpoint, Gate, Permit, Refused};

impl Dialer {
    /// The same, with no more calls at once than there are places: who calls [takes](Self::place_for)
    /// one before.
    #[must_use]
    pub fn with_places(self, calls: Gate) -> Self {
        Self { calls: Some(calls), ..self }
    }

    /// A place for a call of `endpoint` for `client`, to be held for as long as what comes of it is
    /// open; `None` where there may be any number.
    ///
    /// # Errors
    ///
    /// [`DialError::Local`] if there is none.
    pub fn place_for(
        &self,
        client: Client,
        endpoint: &Endpoint,
    ) -> Result<Option<Permit>, DialError> {
        let Some(calls) = &self.calls else { return Ok(None) };
        calls.enter(client, 1).map(Some).map_err(|refused| {
            let callee = Callee { endpoint: endpoint.clone(), address: None };
            DialError::Local { callee, source: TooMany(refused).into() }
        })
    }
}

/// There is no place for one call more.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.of_calls())]
struct TooMany(Refused);

impl From<TooMany> for io::Error {
    fn from(too_many: TooMany) -> Self {
        Self::new(io::ErrorKind::QuotaExceeded, too_many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Side, dial::tests::clear};

    #[test]
    fn who_finds_no_place_is_told_whose_are_taken() {
        let endpoint = "tcp://a:1".parse().unwrap();
        let client = Client::V4(std::net::Ipv4Addr::LOCALHOST);
        assert!(clear().place_for(client, &endpoint).unwrap().is_none(), "any number");
        let check = |gate: Gate, expect: &str| {
            let dialer = clear().with_places(gate);
            let _first = dialer.place_for(client, &endpoint).unwrap().unwrap();
            let error = dialer.place_for(client, &endpoint).unwrap_err();
            assert_eq!(error.side(), Side::Relais);
            let DialError::Local { source, .. } = error else { panic!("{error:?}") };
            assert_eq!(source.to_string(), expect);
        };
        check(Gate::new(1, 1), "as many calls are under way as may be: 1");
        check(Gate::new(2, 1), "as many calls are under way for 127.0.0.1 as may be: 1");
    }
}
