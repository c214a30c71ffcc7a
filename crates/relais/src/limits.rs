//! `[limits]`: how much strangers may cost us.

use std::time::Duration;

use relais_http::Limits as HttpLimits;
use relais_net::Client;
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::{Size, Time},
};

/// The table, word for word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `[limits]`")]
pub struct Table {
    /// Connections at once, in all.
    pub connections_max: Option<usize>,
    /// Connections at once from one address.
    pub connections_a_client_max: Option<usize>,
    /// How long a caller may take for its TLS handshake.
    pub(crate) handshake_max: Option<Time>,
    /// How large a request's head may be.
    pub(crate) head_bytes_max: Option<Size>,
    /// How many fields it may have.
    pub head_fields_max: Option<u32>,
    /// How long it may take, from its first byte to its last.
    pub(crate) head_max: Option<Time>,
    /// How long a connection may be without a request.
    pub(crate) idle_max: Option<Time>,
    /// How long a body may be without a byte, in either direction.
    pub(crate) stall_max: Option<Time>,
    /// How much of a body must pass in a second on average once it has stalled for that long.
    pub(crate) rate_min: Option<Size>,
    /// How long a tunnel may be without a byte, in either direction.
    pub(crate) tunnel_idle_max: Option<Time>,
    /// How many HTTP/2 streams a connection may have at once.
    pub streams_max: Option<u32>,
    /// How long callers may take to finish once we were told to stop.
    pub(crate) grace: Option<Time>,
}

/// Every limit, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Connections at once, in all, if there are descriptors for so many; `None` is as many as there
    /// are descriptors for.
    pub connections_max: Option<usize>,
    /// Connections at once from one address; `None` is three quarters of all.
    pub connections_a_client_max: Option<usize>,
    /// How long a caller may take for its TLS handshake.
    #[serde(serialize_with = "spelled")]
    pub handshake_max: Duration,
    /// How long callers may take to finish once we were told to stop.
    #[serde(serialize_with = "spelled")]
    pub grace: Duration,
    /// Limits of one connection that speaks HTTP.
    #[serde(serialize_with = "http_spelled")]
    pub http: HttpLimits,
}

/// Descriptors that are not for callers: listeners, logs, the runtimes' own.
const DESCRIPTORS_KEPT: u64 = 128;

/// Of four descriptors three may be callers' sockets. The fourth is for the files they are sent:
/// few callers at a time have one that nobody else has.
const SHARES: u64 = 4;

/// With fewer connections at once than this a browser or two can keep everybody else out.
const PLACES_FEW: usize = 64;

/// A head may not be smaller: less than what browsers send by themselves.
const HEAD_BYTES_MIN: u64 = 1024;

/// A head may not be larger: a connection holds it in memory.
const HEAD_BYTES_MAX: u64 = 1024 * 1024;

/// A head may not have more fields: what holds them has room for 24,576.
const HEAD_FIELDS_MAX: u32 = 10_000;

impl Limits {
    pub(crate) fn plan(table: Table) -> Result<Self, Vec<Problem>> {
        let problems = problems(&table);
        if !problems.is_empty() {
            return Err(problems);
        }
        let Table {
            connections_max,
            connections_a_client_max,
            handshake_max,
            head_bytes_max,
            head_fields_max,
            head_max,
            idle_max,
            stall_max,
            rate_min,
            tunnel_idle_max,
            streams_max,
            grace,
        } = table;
        let time = |set: Option<Time>, usual| set.map_or(usual, |Time(time)| time);
        let mut http = HttpLimits::default();
        if let Some(Size(bytes)) = head_bytes_max {
            http.head.head_bytes_max = u32::try_from(bytes).expect("at most HEAD_BYTES_MAX");
            http.head.line_bytes_max = http.head.line_bytes_max.min(http.head.head_bytes_max);
        }
        http.head.fields_max = head_fields_max.unwrap_or(http.head.fields_max);
        http.head_max = time(head_max, http.head_max);
        http.idle_max = time(idle_max, http.idle_max);
        http.stall_max = time(stall_max, http.stall_max);
        http.tunnel_idle_max = time(tunnel_idle_max, http.tunnel_idle_max);
        http.streams_max = streams_max.unwrap_or(http.streams_max);
        if let Some(Size(rate)) = rate_min {
            http.rate_min = u32::try_from(rate).unwrap_or(u32::MAX);
        }
        Ok(Self {
            connections_max,
            connections_a_client_max,
            handshake_max: time(handshake_max, Duration::from_secs(10)),
            grace: time(grace, Duration::from_secs(10)),
            http,
        })
    }

    /// Connections at once in all and from one address, given how many descriptors there are: never
    /// so many that none is left to accept with, or for the control socket.
    pub(crate) fn connections(&self, descriptors: u64) -> (usize, usize) {
        let fit = fit(descriptors);
        let all = self.connections_max.unwrap_or(fit).min(fit);
        (all, self.connections_a_client_max.unwrap_or(Client::share_of(all)))
    }

    /// Whether there are fewer descriptors than are asked for, or than a server needs.
    pub(crate) fn shortage(&self, descriptors: u64) -> Option<Shortage> {
        let fit = fit(descriptors);
        match self.connections_max {
            Some(asked) if asked > fit => Some(Shortage::Capped { asked, fit, descriptors }),
            None if fit < PLACES_FEW => Some(Shortage::Few { fit, descriptors }),
            _ => None,
        }
    }
}

/// How many callers there may be where the limit of descriptors is `maximum`.
pub(crate) fn descriptors_for_callers(maximum: Option<u64>) -> usize {
    maximum.map_or(usize::MAX, fit)
}

/// How many connections there may be with so many descriptors.
fn fit(descriptors: u64) -> usize {
    files(descriptors).saturating_mul(3)
}

/// How many files may be open to be sent, with so many descriptors.
pub(crate) fn files(descriptors: u64) -> usize {
    let share = descriptors.saturating_sub(DESCRIPTORS_KEPT) / SHARES;
    usize::try_from(share).unwrap_or(usize::MAX).max(1)
}

/// Too few descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Shortage {
    /// For what `connections_max` asks for.
    #[error(
        "`connections_max` is {asked}, and {descriptors} descriptors are enough for {fit}: that is \
         the limit now; raise that of descriptors (`ulimit -n`, `LimitNOFILE=`)"
    )]
    Capped { asked: usize, fit: usize, descriptors: u64 },
    /// For a server.
    #[error(
        "{descriptors} descriptors are enough for few connections at once, {fit}: raise their limit \
         (`ulimit -n`, `LimitNOFILE=`)"
    )]
    Few { fit: usize, descriptors: u64 },
}

/// Numbers that would shut everybody out, and what is too large to be held.
fn problems(table: &Table) -> Vec<Problem> {
    let at = KeyPath::of(["limits"]);
    let mut problems = Vec::new();
    let none = [
        ("connections_max", table.connections_max == Some(0)),
        ("connections_a_client_max", table.connections_a_client_max == Some(0)),
        ("streams_max", table.streams_max == Some(0)),
    ];
    for (key, _) in none.into_iter().filter(|(_, is_zero)| *is_zero) {
        problems.push(at.key(key).wrong(Wrong::expected(format!("`{key}` is 0"), "1 or more")));
    }
    let times = [
        ("handshake_max", table.handshake_max),
        ("head_max", table.head_max),
        ("idle_max", table.idle_max),
        ("stall_max", table.stall_max),
        ("tunnel_idle_max", table.tunnel_idle_max),
    ];
    for (key, time) in times {
        if let Some(Time(time)) = time.filter(|Time(time)| *time < Duration::from_secs(1)) {
            let what = format!("`{key}` is too short: {:?}", Time(time).to_string());
            problems.push(at.key(key).wrong(Wrong::expected(what, "1s or more")));
        }
    }
    if let Some(fields) = table.head_fields_max
        && !(1..=HEAD_FIELDS_MAX).contains(&fields)
    {
        let what = format!("`head_fields_max` is out of range: {fields}");
        let expected = format!("1 to {HEAD_FIELDS_MAX}");
        problems.push(at.key("head_fields_max").wrong(Wrong::expected(what, expected)));
    }
    if let Some(size) = table.head_bytes_max
        && !(HEAD_BYTES_MIN..=HEAD_BYTES_MAX).contains(&size.0)
    {
        let what = format!("`head_bytes_max` is out of range: {:?}", size.to_string());
        problems.push(at.key("head_bytes_max").wrong(Wrong::expected(what, "1KiB to 1MiB")));
    }
    problems
}

fn spelled<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Time(*time))
}

/// In the words of the table.
fn http_spelled<S: Serializer>(limits: &HttpLimits, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap as _;
    let HttpLimits {
        head,
        head_max,
        idle_max,
        stall_max,
        rate_min,
        tunnel_idle_max,
        streams_max,
        awake_max: _,
        shared_max: _,
    } = limits;
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("head_bytes_max", &head.head_bytes_max)?;
    map.serialize_entry("head_fields_max", &head.fields_max)?;
    for (key, time) in [("head_max", head_max), ("idle_max", idle_max), ("stall_max", stall_max)] {
        map.serialize_entry(key, &Time(*time).to_string())?;
    }
    map.serialize_entry("rate_min", rate_min)?;
    map.serialize_entry("tunnel_idle_max", &Time(*tunnel_idle_max).to_string())?;
    map.serialize_entry("streams_max", streams_max)?;
    map.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_from_descriptors_and_one_client_takes_not_all() {
        let limits = Limits::plan(Table::default()).unwrap();
        assert_eq!(limits.connections(1024), (672, 504));
        assert_eq!(limits.connections(10), (3, 3));
        let table = Table { connections_max: Some(9), ..Table::default() };
        assert_eq!(Limits::plan(table).unwrap().connections(1024), (9, 7));
    }

    #[test]
    fn more_places_than_descriptors_are_capped_and_told() {
        let asking =
            |connections_max| Limits::plan(Table { connections_max, ..Table::default() }).unwrap();
        assert_eq!(asking(Some(5000)).connections(1024), (672, 504));
        let capped = Shortage::Capped { asked: 5000, fit: 672, descriptors: 1024 };
        assert_eq!(asking(Some(5000)).shortage(1024), Some(capped));
        assert_eq!(asking(Some(672)).shortage(1024), None);
        assert_eq!(asking(Some(9)).shortage(200), None);
        assert_eq!(asking(None).shortage(200), Some(Shortage::Few { fit: 54, descriptors: 200 }));
        assert_eq!(asking(None).shortage(1024), None);
    }

    #[test]
    fn what_would_shut_everybody_out_is_refused() {
        let table = Table {
            connections_max: Some(0),
            head_max: Some(Time(Duration::from_millis(5))),
            head_bytes_max: Some(Size(10)),
            ..Table::default()
        };
        let problems = Limits::plan(table).unwrap_err();
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.to_string()).collect();
        assert_eq!(keys, ["limits.connections_max", "limits.head_max", "limits.head_bytes_max"]);
    }
}
