//! From a planned dialogue to what callers meet.

use std::sync::Arc;

use relais_net::{Endpoint, Scheme};
use relais_talk::Echo;

use super::{Dialogue, Role};
use crate::{
    complaint::{KeyPath, Problem},
    meets::Meets,
    quit::Quit,
};

/// Everything of a dialogue that is read from the disk, read.
#[derive(Debug)]
pub(crate) struct Parts;

/// A dialogue that was put together.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    echo: Arc<Echo>,
}

impl Parts {
    /// Reads what the dialogue at `key` needs.
    #[expect(clippy::unnecessary_wraps, reason = "what is named may not be there")]
    pub(crate) fn read(_dialogue: &Dialogue, _key: &KeyPath) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    /// Puts the parts together.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "a thread may not start")]
    pub(crate) fn made(self, dialogue: &Dialogue, _quit: Quit) -> Result<Made, Problem> {
        match dialogue.role {
            Role::Echo => Ok(Made { echo: Arc::new(Echo) }),
        }
    }
}

impl Made {
    /// What those meet who call at `on`.
    pub(crate) fn meets(&self, on: &Endpoint) -> Meets {
        match on.scheme {
            Scheme::Udp => Meets::Datagrams(self.echo.clone()),
            _ => Meets::Stream(self.echo.clone()),
        }
    }
}
