//! What a hub counted, in words, and as a row for who watches it.

use serde_json::Value;

use crate::{
    columns::clean,
    measure::{counted, said_bytes, said_count},
};

/// What was counted, in words. Of a store at rest there is no more than what is in it.
pub(super) fn said(told: &Value, of: Of) -> String {
    let name = clean(told["hub"].as_str().unwrap_or_default());
    match of {
        Of::Store => format!("{name}: {}", of_store(&told["store"])),
        Of::Hub => [
            format!("{name}: {}", of_connections(told)),
            of_logins(told),
            of_messages(told),
            of_commits(told),
            of_refusals(&told["refused"]),
            format!("  store: {}", of_store(&told["store"])),
        ]
        .join("\n"),
    }
}

/// Of what it was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// A hub that runs.
    Hub,
    /// What one kept.
    Store,
}

/// What stands above [`row`]s.
pub(super) const HEAD: &str =
    "   open  clients  messages/s  delivered/s  refused/s  waiting  99 % of commits";

/// What happened within so many milliseconds `before` and now, for who watches.
pub(super) fn row((before, now): (&Value, &Value), ms: u64) -> String {
    let rate = |of: fn(&Value) -> u64| {
        let more = of(now).saturating_sub(of(before));
        said_count(more.saturating_mul(1000).checked_div(ms).unwrap_or(more))
    };
    format!(
        "{:>7}  {:>7}  {:>10}  {:>11}  {:>9}  {:>7}  {}",
        said_count(open(now)),
        said_count(number(now, "clients")),
        rate(|it| number(it, "messages")),
        rate(|it| number(it, "deliveries")),
        rate(|it| sum(&it["refused"])),
        said_count(number(&now["orders"], "waiting")),
        quantile((&before["commit_micros"], &now["commit_micros"]), 99),
    )
}

fn of_connections(told: &Value) -> String {
    let by = |(door, of): (&String, &Value)| match number(of, "open") {
        0 => None,
        open => Some(format!("{} by {door}", said_count(open))),
    };
    let by: Vec<_> = told["connections"].as_object().into_iter().flatten().filter_map(by).collect();
    let by = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
    format!(
        "{}{by}, {} of them logged in, as {}; since {}",
        counted(open(told), "connection"),
        said_count(number(told, "clients")),
        counted(number(told, "accounts_online"), "account"),
        clean(told["since"].as_str().unwrap_or_default()),
    )
}

fn of_logins(told: &Value) -> String {
    let (logins, passwords) = (&told["logins"], &told["passwords"]);
    format!(
        "  logins: {} let in, {} refused, {} put off; {} hashed, {} being hashed or waiting",
        said_count(number(logins, "let_in")),
        said_count(number(logins, "refused")),
        said_count(number(logins, "put_off")),
        counted(number(passwords, "hashed"), "password"),
        said_count(number(passwords, "hashing")),
    )
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{} entries", said_count(count)) }
}

fn of_messages(told: &Value) -> String {
    format!(
        "  written: {}, {} of them messages; {} delivered to clients, {} fell behind",
        entries(number(told, "entries")),
        said_count(number(told, "messages")),
        said_count(number(told, "deliveries")),
        said_count(number(told, "lagged")),
    )
}

fn of_commits(told: &Value) -> String {
    let commits = &told["commit_micros"];
    format!(
        "  commits: {}, half {}, 99 % {}; {} waiting to be done",
        said_count(number(commits, "times")),
        quantile((&Value::Null, commits), 50),
        quantile((&Value::Null, commits), 99),
        counted(number(&told["orders"], "waiting"), "request"),
    )
}

fn of_refusals(refused: &Value) -> String {
    let refused = refused.as_object().into_iter().flatten();
    let refused = refused.map(|(code, times)| {
        format!("{} {}", said_count(times.as_u64().unwrap_or_default()), clean(code))
    });
    let refused: Vec<_> = refused.collect();
    format!(
        "  refused: {}",
        if refused.is_empty() { "nothing".to_owned() } else { refused.join(", ") }
    )
}

fn of_store(store: &Value) -> String {
    let unindexed = match number(store, "unindexed") {
        0 => String::new(),
        many => format!("; {} not in the index of searches yet", said_count(many)),
    };
    let wal = match number(store, "wal_bytes") {
        0 => String::new(),
        bytes => format!(", and {} beside it", said_bytes(bytes)),
    };
    format!(
        "{}, {}, {} in {}{wal}{unindexed}",
        counted(number(store, "accounts"), "account"),
        counted(number(store, "rooms"), "room"),
        entries(number(store, "entries")),
        said_bytes(number(store, "bytes")),
    )
}

/// Within how long so many of a hundred of what came since `before` were.
fn quantile((before, now): (&Value, &Value), percent: u64) -> String {
    let times = |spread: &Value, at: usize| spread["at_most"][at][1].as_u64().unwrap_or_default();
    let bounds = now["at_most"].as_array().map(Vec::as_slice).unwrap_or_default();
    let more = |at| times(now, at).saturating_sub(times(before, at));
    let all = bounds.len().checked_sub(1).map(more).unwrap_or_default();
    if all == 0 {
        return "-".to_owned();
    }
    let is_enough = |at: &usize| more(*at).saturating_mul(100) >= all.saturating_mul(percent);
    let at = (0..bounds.len()).find(is_enough).unwrap_or_default();
    match bounds[at][0].as_u64() {
        Some(micros) => format!("within {} ms", millis(micros)),
        None => "longer than all bounds".to_owned(),
    }
}

/// `0.25`, `2.5`, `100`
fn millis(micros: u64) -> String {
    let text = format!("{}.{:03}", micros / 1000, micros % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn open(told: &Value) -> u64 {
    let by = told["connections"].as_object().into_iter().flatten();
    by.map(|(_, of)| number(of, "open")).sum()
}

fn sum(counts: &Value) -> u64 {
    counts.as_object().into_iter().flatten().filter_map(|(_, times)| times.as_u64()).sum()
}

fn number(told: &Value, name: &str) -> u64 {
    told[name].as_u64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::stats::tests::stats, *};

    #[test]
    fn a_hub_is_told_in_six_lines_and_a_store_in_one() {
        let told = stats().told();
        let store = "5 accounts, 3 rooms, 1,310 entries in 480.0 KiB, and 4.0 KiB beside it; 10 not in the \
                     index of searches yet";
        let expect = "\
            main: 2 connections (2 by tcp), 2 of them logged in, as 1 account; since 2023-11-14T22:13:20.123Z\n  \
              logins: 4 let in, 1 refused, 0 put off; 5 passwords hashed, 0 being hashed or waiting\n  \
              written: 9 entries, 7 of them messages; 14 delivered to clients, 0 fell behind\n  \
              commits: 5, half within 1 ms, 99 % longer than all bounds; 3 requests waiting to be done\n  \
              refused: 1 BAD_CREDENTIALS\n  \
              store: ";
        assert_eq!(said(&told, Of::Hub), format!("{expect}{store}"));
        assert_eq!(said(&told, Of::Store), format!("main: {store}"));
    }

    #[test]
    fn who_watches_is_told_what_came_meanwhile() {
        let (before, mut now) = (stats().told(), stats().told());
        let expect = "      2        2           0            0          0        3  -";
        assert_eq!(row((&before, &now), 2000), expect);
        now["messages"] = json!(2007);
        now["deliveries"] = json!(2_000_014);
        now["refused"]["BAD_FIELD"] = json!(3);
        now["commit_micros"]["at_most"] = json!([[1000, 3], [2500, 104], [null, 106]]);
        let expect = "      2        2       1,000    1,000,000          1        3  within 2.5 ms";
        assert_eq!(row((&before, &now), 2000), expect);
        assert_eq!(HEAD.find("99 %"), expect.find("within"));
    }
}
