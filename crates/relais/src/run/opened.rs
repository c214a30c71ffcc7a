//! Listeners that are bound and waited at, before anybody is let in: what can fail has failed by then.

use std::{io, net::SocketAddr};

use relais_net::{Cores, Datagrams, Listener};

use super::{
    bind::{Bound, Taken, bind},
    entrance::Ear,
    inherited::Inherited,
};
use crate::{
    complaint::{Problem, Wrong},
    plan,
};

/// A listener that nothing can keep from being heard any more.
pub(super) enum Opened {
    Stream(Listener),
    Datagrams(Ear, Datagrams),
}

impl Opened {
    /// The address that callers of a stream call there.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Stream(listener) => listener.address(),
            Self::Datagrams(..) => None,
        }
    }
}

/// Opens all of them, or none.
pub(super) fn open_all(
    planned: &[&plan::Listener],
    (inherited, cores): (&mut Inherited, &Cores),
    taken: Taken,
) -> Result<Vec<Opened>, Vec<Problem>> {
    let (mut opened, mut problems) = (Vec::new(), Vec::new());
    for planned in planned {
        let bound = bind(planned, inherited, taken).and_then(|bound| match bound {
            Bound::Stream(listener) => Ok(Opened::Stream(listener)),
            Bound::Datagrams(listener) => {
                let ear = Ear::new(listener, cores.seat());
                let socket = ear.open().map_err(|error| not_heard(planned, &error))?;
                Ok(Opened::Datagrams(ear, socket))
            }
        });
        match bound {
            Ok(one) => opened.push(one),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(opened) } else { Err(problems) }
}

/// Why nobody waits for datagrams there.
pub(super) fn not_heard(planned: &plan::Listener, error: &io::Error) -> Problem {
    let wrong = Wrong::from_error(error);
    let what = format!("cannot wait for datagrams at {}: {}", planned.on, wrong.what);
    planned.key.wrong(Wrong { what, ..wrong })
}
