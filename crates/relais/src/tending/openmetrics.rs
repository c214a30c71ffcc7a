//! What hubs counted, as programs collect it: `OpenMetrics` 1.0, which Prometheus and others read. No name
//! of an account or a room is in it.

use std::{fmt::Write as _, time::Duration};

use relais_hub::Spread;

use super::stats::{Stats, at_most};

/// Numbers of one name.
struct Family {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    value: fn(&Stats) -> Value<'_>,
}

/// How numbers go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Up and down.
    Gauge,
    /// Up, until the hub ends.
    Counter,
    Histogram,
}

enum Value<'s> {
    One(u64),
    Time(Duration),
    /// One for each of what a label says.
    Each(&'static str, Vec<(&'static str, u64)>),
    Spread(&'s Spread, Piece),
}

/// What was counted in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Entry,
    Microsecond,
}

use Kind::{Counter, Gauge, Histogram};
use Value::{Each, One, Spread as Spreads, Time};

const FAMILIES: &[Family] = &[
    Family {
        name: "relais_hub_start_time_seconds",
        kind: Gauge,
        help: "When the hub was opened.",
        value: |of| Time(Duration::from_millis(of.counted.since.0)),
    },
    Family {
        name: "relais_hub_connections",
        kind: Gauge,
        help: "Connections that are open.",
        value: |of| {
            let open = |of: &relais_hub::Connections| (of.by.name(), of.open);
            Each("door", of.counted.connections.iter().map(open).collect())
        },
    },
    Family {
        name: "relais_hub_connections_opened",
        kind: Counter,
        help: "Connections that were opened.",
        value: |of| {
            let came = |of: &relais_hub::Connections| (of.by.name(), of.came);
            Each("door", of.counted.connections.iter().map(came).collect())
        },
    },
    Family {
        name: "relais_hub_clients",
        kind: Gauge,
        help: "Connections that are logged in.",
        value: |of| One(of.counted.clients),
    },
    Family {
        name: "relais_hub_accounts_online",
        kind: Gauge,
        help: "Accounts of which a device is connected.",
        value: |of| One(of.counted.present),
    },
    Family {
        name: "relais_hub_logins",
        kind: Counter,
        help: "Who wanted to log in, by what came of it.",
        value: |of| {
            let logins = of.counted.logins.iter().map(|(login, times)| (login.name(), *times));
            Each("result", logins.collect())
        },
    },
    Family {
        name: "relais_hub_password_hashes",
        kind: Counter,
        help: "Passwords that were hashed.",
        value: |of| One(of.counted.hashed),
    },
    Family {
        name: "relais_hub_password_queue",
        kind: Gauge,
        help: "Passwords that are hashed now, or wait for it.",
        value: |of| One(of.counted.hashing),
    },
    Family {
        name: "relais_hub_orders",
        kind: Counter,
        help: "What was asked of the one thread that writes.",
        value: |of| One(of.counted.orders),
    },
    Family {
        name: "relais_hub_orders_waiting",
        kind: Gauge,
        help: "What was asked of it and is not done.",
        value: |of| One(of.counted.waiting),
    },
    Family {
        name: "relais_hub_entries",
        kind: Counter,
        help: "Entries of the log that were committed.",
        value: |of| One(of.counted.entries),
    },
    Family {
        name: "relais_hub_messages",
        kind: Counter,
        help: "Messages that were committed.",
        value: |of| One(of.counted.messages),
    },
    Family {
        name: "relais_hub_deliveries",
        kind: Counter,
        help: "Events of rooms that were handed to clients, one for each client.",
        value: |of| One(of.counted.handed),
    },
    Family {
        name: "relais_hub_lagged",
        kind: Counter,
        help: "Clients that fell behind in a room, and were told.",
        value: |of| One(of.counted.lagged),
    },
    Family {
        name: "relais_hub_commit_duration_seconds",
        kind: Histogram,
        help: "How long commits took.",
        value: |of| Spreads(&of.counted.commits, Piece::Microsecond),
    },
    Family {
        name: "relais_hub_commit_entries",
        kind: Histogram,
        help: "How many entries were committed at once.",
        value: |of| Spreads(&of.counted.groups, Piece::Entry),
    },
    Family {
        name: "relais_hub_refusals",
        kind: Counter,
        help: "What was refused, by its code.",
        value: |of| {
            let refused = of.counted.refused.iter().map(|(code, times)| (code.as_str(), *times));
            Each("code", refused.collect())
        },
    },
    Family {
        name: "relais_hub_accounts",
        kind: Gauge,
        help: "Accounts that were not deleted.",
        value: |of| One(of.size.accounts),
    },
    Family {
        name: "relais_hub_rooms",
        kind: Gauge,
        help: "Rooms, talks between two not included.",
        value: |of| One(of.size.rooms),
    },
    Family {
        name: "relais_hub_search_lag",
        kind: Gauge,
        help: "Entries whose words are not in the index of searches yet.",
        value: |of| One(of.size.unindexed),
    },
    Family {
        name: "relais_hub_store_size_bytes",
        kind: Gauge,
        help: "The store's file, and SQLite's log beside it.",
        value: |of| Each("file", vec![("store", of.size.bytes), ("wal", of.size.wal_bytes)]),
    },
];

/// What was counted of `all`, as one text.
///
/// *Source*: `OpenMetrics` 1.0.
pub(super) fn written(all: &[Stats]) -> String {
    let mut text = String::new();
    for family in FAMILIES {
        family.begin(&mut text);
        for stats in all {
            family.write(stats, &mut text);
        }
    }
    text.push_str("# EOF\n");
    text
}

impl Family {
    fn begin(&self, text: &mut String) {
        let Self { name, kind, help, .. } = self;
        line(text, format_args!("# TYPE {name} {}", kind.name()));
        if let Some(unit) = ["seconds", "bytes"].into_iter().find(|unit| name.ends_with(unit)) {
            line(text, format_args!("# UNIT {name} {unit}"));
        }
        line(text, format_args!("# HELP {name} {help}"));
    }

    fn write(&self, stats: &Stats, text: &mut String) {
        let hub = escaped(&stats.name);
        let name = match self.kind {
            Counter => format!("{}_total", self.name),
            Gauge | Histogram => self.name.to_owned(),
        };
        match (self.value)(stats) {
            One(number) => line(text, format_args!("{name}{{hub=\"{hub}\"}} {number}")),
            Time(time) => {
                let seconds = time.as_secs_f64();
                line(text, format_args!("{name}{{hub=\"{hub}\"}} {seconds:?}"));
            }
            Each(label, all) => {
                for (value, number) in all {
                    let labels = format_args!("hub=\"{hub}\",{label}=\"{value}\"");
                    line(text, format_args!("{name}{{{labels}}} {number}"));
                }
            }
            Spreads(spread, piece) => write_spread((&name, &hub), (spread, piece), text),
        }
    }
}

fn write_spread((name, hub): (&str, &str), (spread, piece): (&Spread, Piece), text: &mut String) {
    let bounds = spread.bounds.iter().map(|bound| piece.written(*bound));
    for (bound, times) in bounds.chain(["+Inf".to_owned()]).zip(at_most(spread)) {
        let labels = format_args!("hub=\"{hub}\",le=\"{bound}\"");
        line(text, format_args!("{name}_bucket{{{labels}}} {times}"));
    }
    line(text, format_args!("{name}_count{{hub=\"{hub}\"}} {}", spread.times()));
    line(text, format_args!("{name}_sum{{hub=\"{hub}\"}} {}", piece.written(spread.sum)));
}

impl Piece {
    /// So many of it, of seconds in seconds, as bounds are written: with a point.
    fn written(self, number: u64) -> String {
        match self {
            Self::Entry => format!("{number}.0"),
            Self::Microsecond => format!("{:?}", Duration::from_micros(number).as_secs_f64()),
        }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Gauge => "gauge",
            Counter => "counter",
            Histogram => "histogram",
        }
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes everything");
}

/// A label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::{super::stats::tests::stats, *};

    #[track_caller]
    fn check(name: &str, expect: &str) {
        let text = written(&[stats()]);
        let of_it = |line: &&str| {
            let line = line
                .split_once(' ')
                .filter(|(sign, _)| *sign == "#")
                .map_or(*line, |(_, rest)| rest.split_once(' ').map_or("", |(_, name)| name));
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ', '_']))
        };
        let lines: Vec<_> = text.lines().filter(of_it).collect();
        assert_eq!(lines.join("\n"), expect);
    }

    #[test]
    fn numbers_are_written_by_their_kind() {
        check(
            "relais_hub_messages",
            "# TYPE relais_hub_messages counter\n\
             # HELP relais_hub_messages Messages that were committed.\n\
             relais_hub_messages_total{hub=\"main\"} 7",
        );
        check(
            "relais_hub_store_size_bytes",
            "# TYPE relais_hub_store_size_bytes gauge\n\
             # UNIT relais_hub_store_size_bytes bytes\n\
             # HELP relais_hub_store_size_bytes The store's file, and SQLite's log beside it.\n\
             relais_hub_store_size_bytes{hub=\"main\",file=\"store\"} 491520\n\
             relais_hub_store_size_bytes{hub=\"main\",file=\"wal\"} 4096",
        );
        check(
            "relais_hub_commit_duration_seconds",
            "# TYPE relais_hub_commit_duration_seconds histogram\n\
             # UNIT relais_hub_commit_duration_seconds seconds\n\
             # HELP relais_hub_commit_duration_seconds How long commits took.\n\
             relais_hub_commit_duration_seconds_bucket{hub=\"main\",le=\"0.001\"} 3\n\
             relais_hub_commit_duration_seconds_bucket{hub=\"main\",le=\"0.0025\"} 4\n\
             relais_hub_commit_duration_seconds_bucket{hub=\"main\",le=\"+Inf\"} 5\n\
             relais_hub_commit_duration_seconds_count{hub=\"main\"} 5\n\
             relais_hub_commit_duration_seconds_sum{hub=\"main\"} 0.012345",
        );
    }

    #[test]
    fn groups_are_in_whole_entries() {
        let text = written(&[stats()]);
        assert!(
            text.contains("relais_hub_commit_entries_bucket{hub=\"main\",le=\"8.0\"} 5\n"),
            "{text}"
        );
        assert!(text.contains("relais_hub_commit_entries_sum{hub=\"main\"} 9.0\n"), "{text}");
    }

    #[test]
    fn of_several_hubs_each_name_stands_once_with_all_of_them() {
        let other = Stats { name: "a\"b\\".to_owned(), ..stats() };
        let text = written(&[stats(), other]);
        assert_eq!(text.matches("# TYPE relais_hub_clients ").count(), 1);
        let expect =
            "relais_hub_clients{hub=\"main\"} 2\nrelais_hub_clients{hub=\"a\\\"b\\\\\"} 2\n";
        assert!(text.contains(expect), "{text}");
        assert!(text.ends_with("\n# EOF\n"));
    }
}
