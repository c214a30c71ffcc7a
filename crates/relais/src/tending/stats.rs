//! What a hub counted and how much it keeps, as it is told: an object. The guide lists its fields.

use std::iter;

use relais_hub::{Counted, Spread, store::Size};
use serde_json::{Map, Value, json};

use super::found::time;

/// A hub, counted.
#[derive(Clone, Debug)]
pub(super) struct Stats {
    /// Its name.
    pub(super) name: String,
    pub(super) counted: Counted,
    pub(super) size: Size,
}

impl Stats {
    /// All of it.
    pub(super) fn told(&self) -> Value {
        let Counted { since, connections, logins, refused, .. } = &self.counted;
        let counted = &self.counted;
        let connections = connections
            .iter()
            .map(|of| (of.by.name().to_owned(), json!({ "open": of.open, "came": of.came })));
        let refused = refused.iter().filter(|(_, times)| *times > 0);
        json!({
            "hub": self.name,
            "since": time(*since),
            "connections": connections.collect::<Map<_, _>>(),
            "clients": counted.clients,
            "accounts_online": counted.present,
            "logins": by_name(logins.iter().map(|(login, times)| (login.name(), *times))),
            "passwords": { "hashed": counted.hashed, "hashing": counted.hashing },
            "orders": { "asked": counted.orders, "waiting": counted.waiting },
            "entries": counted.entries,
            "messages": counted.messages,
            "deliveries": counted.handed,
            "lagged": counted.lagged,
            "commit_micros": spread(&counted.commits),
            "commit_entries": spread(&counted.groups),
            "refused": by_name(refused.map(|(code, times)| (code.as_str(), *times))),
            "store": self.store(),
        })
    }

    fn store(&self) -> Value {
        let Size { entries, unindexed, accounts, rooms, bytes, wal_bytes } = self.size;
        json!({
            "accounts": accounts, "rooms": rooms, "entries": entries, "unindexed": unindexed,
            "bytes": bytes, "wal_bytes": wal_bytes,
        })
    }
}

fn by_name<'n>(counts: impl Iterator<Item = (&'n str, u64)>) -> Value {
    counts.map(|(name, times)| (name.to_owned(), times.into())).collect::<Map<_, _>>().into()
}

/// How often something was at most as large as each bound; last, how often it was at all.
fn spread(spread: &Spread) -> Value {
    let bounds = spread.bounds.iter().map(|bound| Some(*bound)).chain(iter::once(None));
    let at_most: Vec<_> = bounds.zip(at_most(spread)).collect();
    json!({ "times": spread.times(), "sum": spread.sum, "at_most": at_most })
}

/// How often something was at most as large as each bound; last, how often it was at all.
pub(super) fn at_most(spread: &Spread) -> impl Iterator<Item = u64> {
    spread.counts.iter().scan(0, |sum, times| {
        *sum += times;
        Some(*sum)
    })
}

#[cfg(test)]
pub(super) mod tests {
    use relais_hub::{Connections, Doorway, Login, model::Millis, protocol::Code};

    use super::*;

    /// Of a hub in which a little happened.
    pub(in crate::tending) fn stats() -> Stats {
        let connections = Doorway::ALL.map(|by| match by {
            Doorway::Tcp => Connections { by, came: 5, open: 2 },
            _ => Connections { by, came: 0, open: 0 },
        });
        let commits = Spread { bounds: &[1000, 2500], counts: vec![3, 1, 1], sum: 12_345 };
        Stats {
            name: "main".to_owned(),
            counted: Counted {
                since: Millis(1_700_000_000_123),
                connections: connections.into(),
                clients: 2,
                present: 1,
                logins: vec![(Login::LetIn, 4), (Login::Refused, 1), (Login::PutOff, 0)],
                refused: vec![(Code::BadFrame, 0), (Code::BadCredentials, 1)],
                orders: 40,
                waiting: 3,
                entries: 9,
                messages: 7,
                handed: 14,
                lagged: 0,
                commits,
                groups: Spread { bounds: &[1, 8], counts: vec![4, 1, 0], sum: 9 },
                hashed: 5,
                hashing: 0,
            },
            size: Size {
                entries: 1310,
                unindexed: 10,
                accounts: 5,
                rooms: 3,
                bytes: 491_520,
                wal_bytes: 4096,
            },
        }
    }

    #[test]
    fn what_was_counted_is_told_by_name() {
        let told = stats().told();
        assert_eq!(told["since"], "2023-11-14T22:13:20.123Z");
        assert_eq!(told["connections"]["tcp"], json!({ "open": 2, "came": 5 }));
        assert_eq!(told["logins"], json!({ "let_in": 4, "refused": 1, "put_off": 0 }));
        assert_eq!(told["refused"], json!({ "BAD_CREDENTIALS": 1 }), "and nothing that never was");
        let at_most = json!([[1000, 3], [2500, 4], [null, 5]]);
        assert_eq!(told["commit_micros"], json!({ "times": 5, "sum": 12_345, "at_most": at_most }));
        assert_eq!(told["store"]["wal_bytes"], 4096);
    }
}
