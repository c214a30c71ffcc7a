//! What is whose, by the hosts that they answer for.

use std::{collections::HashMap, net::Ipv6Addr};

use relais_wire::host::NAME_BYTES_MAX;

use super::{HostPattern, HostsError};

/// What stands for each host.
///
/// An exact name goes before `*.` patterns, a longer pattern before a shorter, and the default
/// takes what is left, if there is one. Case, port and a trailing dot make no difference.
#[derive(Clone, Debug)]
pub struct HostTable<T> {
    exact: HashMap<Box<str>, T>,
    /// By what follows the `*.`.
    under: HashMap<Box<str>, T>,
    default: Option<T>,
}

impl<T> Default for HostTable<T> {
    fn default() -> Self {
        Self { exact: HashMap::new(), under: HashMap::new(), default: None }
    }
}

impl<T> HostTable<T> {
    /// This one for every host.
    pub(super) fn only(default: T) -> Self {
        Self { default: Some(default), ..Self::default() }
    }

    pub(super) fn of_the_rest(&self) -> Option<&T> {
        self.default.as_ref()
    }

    /// What stands for the host of the authority that `named` gives.
    ///
    /// *Cost*: with a default alone that is not asked; else one hash for the name and, if that is unknown
    /// and there are patterns, one for each of its labels. Nothing is allocated.
    pub fn find<'a>(&self, named: impl FnOnce() -> Option<&'a str>) -> Option<&T> {
        if self.exact.is_empty() && self.under.is_empty() {
            return self.default.as_ref();
        }
        let mut room = [0; NAME_BYTES_MAX];
        let named = named().and_then(|host| canonical(host, &mut room));
        named.and_then(|host| self.named(host)).or(self.default.as_ref())
    }

    fn named(&self, host: &str) -> Option<&T> {
        if let Some(found) = self.exact.get(host) {
            return Some(found);
        }
        if self.under.is_empty() {
            return None;
        }
        let mut rest = host;
        while let Some((_, above)) = rest.split_once('.') {
            if let Some(found) = self.under.get(above) {
                return Some(found);
            }
            rest = above;
        }
        None
    }
}

impl<T: Clone> HostTable<T> {
    /// Each for its hosts; with none it is the default.
    ///
    /// # Errors
    ///
    /// If two are for the same host, or two for all the others.
    pub fn new(all: impl IntoIterator<Item = (Vec<HostPattern>, T)>) -> Result<Self, HostsError> {
        let mut table = Self::default();
        for (hosts, one) in all {
            if hosts.is_empty() && table.default.replace(one.clone()).is_some() {
                return Err(HostsError::TwoDefaults);
            }
            for host in hosts {
                table.add(host, one.clone())?;
            }
        }
        Ok(table)
    }

    fn add(&mut self, host: HostPattern, one: T) -> Result<(), HostsError> {
        let (names, name) = match &host {
            HostPattern::Exact(name) => (&mut self.exact, name),
            HostPattern::Under(name) => (&mut self.under, name),
        };
        match names.insert(name.clone(), one) {
            None => Ok(()),
            Some(_) => Err(HostsError::Twice(host)),
        }
    }
}

/// `authority` as a [`HostPattern`] has it: without user, port and last dot, in lower case.
fn canonical<'a>(authority: &str, room: &'a mut [u8; NAME_BYTES_MAX]) -> Option<&'a str> {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(host) = host.strip_prefix('[') {
        let (address, _port) = host.split_once(']')?;
        return print_ipv6(address.parse().ok()?, room);
    }
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.split('.').any(str::is_empty) {
        return None;
    }
    let room = room.get_mut(..host.len())?;
    room.copy_from_slice(host.as_bytes());
    room.make_ascii_lowercase();
    str::from_utf8(room).ok()
}

/// One address is written in many ways: printed again, it is written in one.
fn print_ipv6(address: Ipv6Addr, room: &mut [u8; NAME_BYTES_MAX]) -> Option<&str> {
    let mut left = &mut room[..];
    std::io::Write::write_fmt(&mut left, format_args!("[{address}]")).ok()?;
    let len = NAME_BYTES_MAX - left.len();
    str::from_utf8(&room[..len]).ok()
}
