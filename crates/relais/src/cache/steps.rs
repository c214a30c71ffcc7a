//! What was looked at to answer a request, in sentences that a newcomer understands.

use std::time::{Duration, SystemTime};

use http::HeaderName;
use relais_cache::{
    Ask, Basis, Counted, KeyParts, Left, Lifetime, Name, Origin, Query, Rule, Sender, Step,
    Storing, Values, Wish,
};

use crate::measure::exact_bytes;

/// What `step` says, at `now`.
pub(super) fn text(step: &Step, now: SystemTime) -> String {
    match step {
        Step::Rule(rule) => rule_text(rule),
        Step::ReadTwice(None) => "Servers may read this path in more than one way: no rule counts \
                                  for it but one with `bypass`"
            .to_owned(),
        Step::ReadTwice(Some(path)) => format!(
            "Servers may read this path in more than one way: the rule for {path:?} counts, as it has \
             `bypass`"
        ),
        Step::Key { uri, apart_by, query } => key_text(uri, apart_by, *query),
        Step::Wish(wishes) => format!("The request says {}", list_of_wishes(wishes)),
        Step::Sender(Sender::Authorization) => {
            "The request has `Authorization`: its answer may be for one person".to_owned()
        }
        Step::Sender(_) => "The request has cookies: its answer may be for one person".to_owned(),
        Step::Variants { count, by, of } => variants(*count, by, of),
        Step::Response { status, bytes, received } => {
            let ago = now.duration_since(*received).unwrap_or_default();
            match bytes {
                Some(bytes) => format!(
                    "The one for this request has status {}, {}, and came, or was confirmed, {} ago",
                    status.as_u16(),
                    exact_bytes(*bytes),
                    whole_seconds(ago)
                ),
                None => format!("The server answers with status {}", status.as_u16()),
            }
        }
        Step::Said { field, value } => format!("Its server says `{field}: {value}`"),
        Step::Unsaid => "Its server says nothing of caching (no `Cache-Control`)".to_owned(),
        Step::Vary(names) => {
            format!("It is for requests with the same {}", list_of_names(names))
        }
        Step::Lifetime(lifetime) => lifetime_text(*lifetime),
        Step::Age { age, initial } => age_text(*age, *initial),
        Step::Purged { at } => {
            let ago = |at| now.duration_since(at).unwrap_or_default();
            let when = at.map_or("some time".to_owned(), |at| whole_seconds(ago(at)));
            format!("But it was purged softly, {when} ago: it is stale since then")
        }
        Step::Left(Left::Fresh(left)) => format!("So it is fresh for {} more", seconds(*left)),
        Step::Left(Left::Stale(since)) => format!("So it is stale, since {}", seconds(*since)),
        Step::Ask(Ask::Always) => {
            "Its server wants to be asked each time before it is used (`no-cache`)".to_owned()
        }
        Step::Ask(_) => "Once it is stale, it must not be used without asking its server \
                         (`must-revalidate`, `proxy-revalidate` or `s-maxage`)"
            .to_owned(),
        Step::Windows { while_revalidate, if_error } => windows(*while_revalidate, *if_error),
        Step::Validator(Some(name)) => {
            format!("Its server can be asked whether it is still good, by its `{name}`")
        }
        Step::Validator(None) => {
            "It has neither `ETag` nor `Last-Modified`: its server has to send all of it again"
                .to_owned()
        }
        Step::StandsIn(time) => format!(
            "If its server cannot be reached, it is sent all the same, for {} more",
            seconds(*time)
        ),
    }
}

fn rule_text(rule: &Rule) -> String {
    let Rule { path, storing, ttl, origin, parts } = rule;
    if *storing == Storing::Bypassed {
        return format!(
            "The rule for {path:?} counts: nothing is stored for it, and nothing answered from what \
             is (`bypass`)"
        );
    }
    let ttl = ttl.map(|ttl| format!("`ttl` is {}", seconds(ttl)));
    let origin = origin.map(|origin| match origin {
        Origin::Ignored => "what the server says of caching does not count (`ignore_origin`)",
        Origin::Heard => "what the server says of caching counts",
    });
    let says: Vec<_> =
        [ttl, origin.map(str::to_owned), parts_text(parts)].into_iter().flatten().collect();
    if says.is_empty() {
        format!("The rule for {path:?} counts, and says nothing")
    } else {
        format!("The rule for {path:?} counts: {}", says.join("; "))
    }
}

fn parts_text(parts: &KeyParts) -> Option<String> {
    let KeyParts { query, headers, cookies, devices } = parts;
    let names = |names: &[Name]| {
        let names: Vec<_> = names.iter().map(|Name(name)| format!("`{name}`")).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    let query = match query {
        Query::All => None,
        Query::Kept(kept) => Some(format!("of the query {} counts alone", names(kept))),
        Query::Dropped(dropped) => Some(format!("of the query all counts but {}", names(dropped))),
    };
    let also = headers.iter().map(|name| format!("the field `{name}`"));
    let also = also.chain(cookies.iter().map(|name| format!("the cookie `{name}`")));
    let devices = (!devices.is_empty()).then(|| "the class of the device".to_owned());
    let also: Vec<_> = also.chain(devices).collect();
    let also = (!also.is_empty()).then(|| format!("{} counts, too", also.join(", ")));
    let parts: Vec<_> = query.into_iter().chain(also).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn key_text(uri: &str, apart_by: &str, query: Counted) -> String {
    let what = match query {
        Counted::All => "scheme, host and port, path and query all count",
        Counted::ByRule => "scheme, host and port, path, and of the query what the rule lets count",
        Counted::ByOrigin => {
            "scheme, host and port, path, and of the query what its server lets count \
             (`No-Vary-Search`)"
        }
    };
    let by: Vec<_> = apart_by.lines().filter(|line| !line.is_empty()).collect();
    if by.is_empty() {
        return format!("It is looked for as {uri}: {what}");
    }
    let by: Vec<_> = by.into_iter().map(|line| format!("`{line}`")).collect();
    format!("It is looked for as {uri}: {what}; and only for requests with {}", by.join(", "))
}

/// So many variants are told one by one.
const VARIANTS_TOLD: usize = 4;

fn variants(count: usize, by: &[HeaderName], of: &[Values]) -> String {
    let answers = match count {
        0 => return "Nothing is stored for that".to_owned(),
        1 => "One answer is stored for that".to_owned(),
        count => format!("{count} answers are stored for that"),
    };
    if by.is_empty() {
        return answers;
    }
    let told = of.iter().take(VARIANTS_TOLD).map(values_text);
    let mut told: Vec<_> = told.collect();
    if count > VARIANTS_TOLD {
        told.push(format!("{} more", count - VARIANTS_TOLD));
    }
    format!("{answers}, chosen by {} (`Vary`): for {}", list_of_names(by), told.join("; "))
}

/// The values by which an answer was chosen.
fn values_text(values: &Values) -> String {
    let value = |(name, value): &(HeaderName, Option<String>)| match value {
        Some(value) => format!("`{name}: {value}`"),
        None => format!("no `{name}`"),
    };
    if values.is_empty() {
        return "any request".to_owned();
    }
    values.iter().map(value).collect::<Vec<_>>().join(" with ")
}

fn age_text(age: Option<Duration>, initial: Duration) -> String {
    let Some(age) = age else {
        return "Its age is unknown: this machine's clock was set back since it came".to_owned();
    };
    if initial.as_secs() == 0 {
        return format!("It is {} old", seconds(age));
    }
    format!("It is {} old; {} of that before it came here", seconds(age), seconds(initial))
}

fn lifetime_text(Lifetime { duration, basis }: Lifetime) -> String {
    let time = seconds(duration);
    match basis {
        Basis::SharedMaxAge => format!("It is fresh for {time}: `s-maxage` says so"),
        Basis::MaxAge => format!("It is fresh for {time}: `max-age` says so"),
        Basis::Expires if duration.is_zero() => "It is never fresh: `Expires` is past".to_owned(),
        Basis::Negative => {
            format!("It is fresh for {time}, as `negative_ttl` says of what is not there or fails")
        }
        Basis::Expires => format!("It is fresh for {time}: from `Date` until `Expires`"),
        Basis::Heuristic => format!(
            "It is taken to be fresh for {time}: a tenth of the time that it had been unchanged \
             (`Last-Modified`)"
        ),
        Basis::Default => {
            format!("It is taken to be fresh for {time}: `default_ttl`, as nothing tells more")
        }
        Basis::Rule => {
            format!("It is taken to be fresh for {time}: `ttl` of a rule, as it does not say")
        }
        Basis::Imposed => {
            format!("It is fresh for {time}: `ignore_origin`, so nothing that it says counts")
        }
        Basis::Nothing => "Nothing tells how long it is fresh, and nobody may guess".to_owned(),
    }
}

fn windows(while_revalidate: Duration, if_error: Duration) -> String {
    let window = |time: Duration, when: &str| {
        (!time.is_zero()).then(|| format!("for {} {when}", seconds(time)))
    };
    let windows = [
        window(
            while_revalidate,
            "while its server is asked (`stale-while-revalidate`, or else `grace`)",
        ),
        window(if_error, "if its server fails (`stale-if-error`)"),
    ];
    let windows: Vec<_> = windows.into_iter().flatten().collect();
    format!("Stale, it may be sent {}", windows.join(", and "))
}

fn list_of_wishes(wishes: &[Wish]) -> String {
    let wish = |wish: &Wish| match wish.time {
        Some(time) => format!("`{}={}`", wish.name, time.as_secs()),
        None => format!("`{}`", wish.name),
    };
    wishes.iter().map(wish).collect::<Vec<_>>().join(", ")
}

fn list_of_names(names: &[HeaderName]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// `42 s`, and what that is, if it is long; below a second `0.4 s`.
fn seconds(time: Duration) -> String {
    if time.is_zero() || time.as_secs() > 0 {
        return whole_seconds(time);
    }
    match time.as_millis() {
        0..100 => "less than 0.1 s".to_owned(),
        millis => format!("0.{} s", millis / 100),
    }
}

fn whole_seconds(time: Duration) -> String {
    let seconds = time.as_secs();
    let times = [(86_400, "days"), (3600, "hours"), (60, "minutes")];
    match times.into_iter().find(|(unit, _)| seconds >= 2 * unit) {
        Some((unit, name)) => format!("{seconds} s ({} {name})", seconds / unit),
        None => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use http::header::ACCEPT;
    use relais_cache::Device;

    use super::*;

    #[test]
    fn steps_are_sentences() {
        let lifetime = |seconds, basis| {
            Step::Lifetime(Lifetime { duration: Duration::from_secs(seconds), basis })
        };
        let vary = |count| Step::Variants {
            count,
            by: vec![ACCEPT],
            of: (0..count).map(|at| vec![(ACCEPT, (at > 0).then(|| format!("a/{at}")))]).collect(),
        };
        let windows = |first, second| Step::Windows {
            while_revalidate: Duration::from_secs(first),
            if_error: Duration::from_secs(second),
        };
        let key = |apart_by: &str, query| Step::Key {
            uri: "http://a/".to_owned(),
            apart_by: apart_by.to_owned(),
            query,
        };
        check(
            &key("\nhost: b\nproto: c", Counted::All),
            "It is looked for as http://a/: scheme, host and port, path and query all count; and only \
             for requests with `host: b`, `proto: c`",
        );
        check(
            &key("", Counted::ByRule),
            "It is looked for as http://a/: scheme, host and port, path, and of the query what the \
             rule lets count",
        );
        check(&vary(0), "Nothing is stored for that");
        check(
            &vary(2),
            "2 answers are stored for that, chosen by `accept` (`Vary`): for no `accept`; `accept: a/1`",
        );
        check(
            &vary(9),
            "9 answers are stored for that, chosen by `accept` (`Vary`): for no `accept`; `accept: a/1`; `accept: a/2`; `accept: a/3`; 5 more",
        );
        check(
            &lifetime(7200, Basis::MaxAge),
            "It is fresh for 7200 s (2 hours): `max-age` says so",
        );
        check(&lifetime(0, Basis::Expires), "It is never fresh: `Expires` is past");
        check(
            &lifetime(0, Basis::Nothing),
            "Nothing tells how long it is fresh, and nobody may guess",
        );
        check(
            &Step::Age { age: None, initial: Duration::ZERO },
            "Its age is unknown: this machine's clock was set back since it came",
        );
        let stale = Left::Stale(Duration::from_secs(200_000));
        check(&Step::Left(stale), "So it is stale, since 200000 s (2 days)");
        let fresh = Left::Fresh(Duration::from_millis(430));
        check(&Step::Left(fresh), "So it is fresh for 0.4 s more");
        check(
            &Step::Validator(Some(http::header::ETAG)),
            "Its server can be asked whether it is still good, by its `etag`",
        );
        check(
            &Step::StandsIn(Duration::from_hours(24)),
            "If its server cannot be reached, it is sent all the same, for 86400 s (24 hours) more",
        );
        check(
            &windows(0, 9),
            "Stale, it may be sent for 9 s if its server fails (`stale-if-error`)",
        );
    }

    #[track_caller]
    fn check(step: &Step, expect: &str) {
        assert_eq!(text(step, UNIX_EPOCH), expect);
    }

    #[test]
    fn rules_are_told_by_what_they_do() {
        let rule = Rule {
            path: "/a".to_owned(),
            storing: Storing::Bypassed,
            ttl: None,
            origin: None,
            parts: KeyParts::default(),
        };
        check(
            &Step::Rule(rule.clone()),
            "The rule for \"/a\" counts: nothing is stored for it, and nothing answered from what is \
             (`bypass`)",
        );
        let rule = Rule { storing: Storing::Usual, ..rule };
        check(&Step::Rule(rule.clone()), "The rule for \"/a\" counts, and says nothing");
        let parts = KeyParts {
            query: Query::Dropped(vec![Name("utm_*".to_owned())]),
            headers: vec![ACCEPT],
            cookies: vec!["lang".to_owned()],
            devices: vec![Device { name: "tv".to_owned(), words: Vec::new() }],
        };
        let (ttl, origin) = (Some(Duration::from_hours(2)), Some(Origin::Ignored));
        check(
            &Step::Rule(Rule { ttl, origin, parts, ..rule }),
            "The rule for \"/a\" counts: `ttl` is 7200 s (2 hours); what the server says of caching does \
             not count (`ignore_origin`); of the query all counts but `utm_*`; the field `accept`, the \
             cookie `lang`, the class of the device counts, too",
        );
    }
}
