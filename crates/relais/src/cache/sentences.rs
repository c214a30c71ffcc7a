//! Why a request is answered as it is, in sentences that a newcomer understands, and as JSON.

use std::time::{Duration, SystemTime};

use http::HeaderName;
use relais_cache::{
    Ask, Basis, Explanation, Forward, Lifetime, NotStored, Reused, Sender, Step, WhyAsk, WhyStale,
    Wish,
};
use serde_json::{Value, json};

/// Tells why a request is answered as it is.
pub(super) fn reused(explanation: &Explanation<Reused>, now: SystemTime) -> Value {
    let Explanation { steps, verdict } = explanation;
    let word = match verdict {
        Reused::Fresh => "hit",
        Reused::Stale(_) => "stale",
        Reused::Asks(_) => "fetch",
        Reused::OnlyIfCached(_) => "only_if_cached",
    };
    json!({
        "steps": steps.iter().map(|step| told(step, now)).collect::<Vec<_>>(),
        "verdict": { "is": word, "text": verdict_text(*verdict), "section": verdict.section() },
    })
}

/// Tells why an answer would be stored, or would not be.
pub(super) fn storing(explanation: &Explanation<Result<(), NotStored>>, now: SystemTime) -> Value {
    let Explanation { steps, verdict } = explanation;
    let steps: Vec<_> = steps.iter().map(|step| told(step, now)).collect();
    let verdict = match verdict {
        Ok(()) => json!({
            "is": "stored",
            "text": "An answer like that is stored, and the next who asks gets that",
            "section": "RFC 9111 §3",
        }),
        Err(why) => json!({
            "is": "not_stored",
            "text": format!("An answer like that is not stored: {why}"),
            "section": why.section(),
        }),
    };
    json!({ "steps": steps, "verdict": verdict })
}

fn told(step: &Step, now: SystemTime) -> Value {
    let (name, numbers) = numbers(step);
    let mut told = json!({ "step": name, "text": text(step, now), "section": step.section() });
    if let (Value::Object(told), Value::Object(numbers)) = (&mut told, numbers) {
        told.extend(numbers);
    }
    told
}

/// A step's name, and what it is made of.
fn numbers(step: &Step) -> (&'static str, Value) {
    let words = |names: &[HeaderName]| -> Vec<_> {
        names.iter().map(|name| name.as_str().to_owned()).collect()
    };
    match step {
        Step::Key { uri, apart_by } => ("key", json!({ "uri": uri, "apart_by": apart_by })),
        Step::Wish(wishes) => {
            let wish = |wish: &Wish| json!([wish.name, wish.time.map(|time| time.as_secs())]);
            ("request", json!({ "says": wishes.iter().map(wish).collect::<Vec<_>>() }))
        }
        Step::Sender(sender) => {
            ("sender", json!({ "named_by": format!("{sender:?}").to_lowercase() }))
        }
        Step::Variants { count, by } => ("stored", json!({ "count": count, "vary": words(by) })),
        Step::Response { status, bytes, received } => {
            let received = since_1970(*received);
            ("response", json!({ "status": status.as_u16(), "bytes": bytes, "received": received }))
        }
        Step::Said { field, value } => ("says", json!({ "field": field.as_str(), "value": value })),
        Step::Unsaid => ("says", json!({ "field": null, "value": null })),
        Step::Vary(names) => ("vary", json!({ "fields": words(names) })),
        Step::Lifetime(Lifetime { duration, basis: by }) => {
            ("lifetime", json!({ "seconds": duration.as_secs(), "basis": basis(*by) }))
        }
        Step::Age { age, initial } => {
            let age = age.map(|age| age.as_secs());
            ("age", json!({ "seconds": age, "initial": initial.as_secs() }))
        }
        Step::Purged { at } => ("purged", json!({ "at": at.map(since_1970) })),
        Step::Left(left) => ("ttl", json!({ "seconds": left })),
        Step::Ask(ask) => {
            let when = match ask {
                Ask::Always => "always",
                Ask::WhenStale => "when_stale",
                Ask::Unexcused => "unexcused",
            };
            ("ask", json!({ "when": when }))
        }
        Step::Windows { while_revalidate, if_error } => {
            let (while_revalidate, if_error) = (while_revalidate.as_secs(), if_error.as_secs());
            ("windows", json!({ "while_revalidate": while_revalidate, "if_error": if_error }))
        }
    }
}

fn since_1970(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What a lifetime was told by, in a word.
pub(super) fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::SharedMaxAge => "s-maxage",
        Basis::MaxAge => "max-age",
        Basis::Expires => "expires",
        Basis::Heuristic => "last-modified",
        Basis::Default => "default_ttl",
        Basis::Negative => "negative_ttl",
        Basis::Rule => "ttl",
        Basis::Imposed => "ignore_origin",
        Basis::Nothing => "nothing",
    }
}

fn text(step: &Step, now: SystemTime) -> String {
    match step {
        Step::Key { uri, apart_by } if apart_by.is_empty() => {
            format!("It is looked for as {uri}: scheme, host and port, path and query all count")
        }
        Step::Key { uri, apart_by } => {
            let by = apart_by.trim().replace('\n', ", ");
            format!("It is looked for as {uri}, apart from what others get there, by {by:?}")
        }
        Step::Wish(wishes) => format!("The request says {}", list_of_wishes(wishes)),
        Step::Sender(Sender::Authorization) => {
            "The request has `Authorization`: its answer may be for one person".to_owned()
        }
        Step::Sender(_) => "The request has cookies: its answer may be for one person".to_owned(),
        Step::Variants { count, by } => variants(*count, by),
        Step::Response { status, bytes, received } => {
            let ago = now.duration_since(*received).map_or(0, |ago| ago.as_secs());
            match bytes {
                Some(bytes) => format!(
                    "The one for this request has status {}, {bytes} bytes, and came, or was \
                     confirmed, {} ago",
                    status.as_u16(),
                    seconds(ago)
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
        Step::Age { age: None, .. } => {
            "Its age is unknown: this machine's clock was set back since it came".to_owned()
        }
        Step::Age { age: Some(age), initial } if initial.as_secs() == 0 => {
            format!("It is {} old", seconds(age.as_secs()))
        }
        Step::Age { age: Some(age), initial } => format!(
            "It is {} old; {} of that before it came here",
            seconds(age.as_secs()),
            seconds(initial.as_secs())
        ),
        Step::Purged { at } => {
            let ago = |at| now.duration_since(at).map_or(0, |ago| ago.as_secs());
            let when = at.map_or("some time".to_owned(), |at| seconds(ago(at)));
            format!("But it was purged softly, {when} ago: it is stale since then")
        }
        Step::Left(left) if *left > 0 => {
            format!("So it is fresh for {} more", seconds(left.unsigned_abs()))
        }
        Step::Left(left) => format!("So it is stale, since {}", seconds(left.unsigned_abs())),
        Step::Ask(Ask::Always) => {
            "Its server wants to be asked each time before it is used (`no-cache`)".to_owned()
        }
        Step::Ask(_) => "Once it is stale, it must not be used without asking its server \
                         (`must-revalidate`, `proxy-revalidate` or `s-maxage`)"
            .to_owned(),
        Step::Windows { while_revalidate, if_error } => windows(*while_revalidate, *if_error),
    }
}

fn variants(count: usize, by: &[HeaderName]) -> String {
    match (count, by) {
        (0, _) => "Nothing is stored for that".to_owned(),
        (1, []) => "One answer is stored for that".to_owned(),
        (1, by) => format!("One answer is stored for that, chosen by {}", list_of_names(by)),
        (count, by) => {
            format!("{count} answers are stored for that, chosen by {}", list_of_names(by))
        }
    }
}

fn lifetime_text(Lifetime { duration, basis }: Lifetime) -> String {
    let time = seconds(duration.as_secs());
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
        (!time.is_zero()).then(|| format!("for {} {when}", seconds(time.as_secs())))
    };
    let windows = [
        window(while_revalidate, "while its server is asked (`stale-while-revalidate`)"),
        window(if_error, "if its server fails (`stale-if-error`)"),
    ];
    let windows: Vec<_> = windows.into_iter().flatten().collect();
    format!("Stale, it may be sent {}", windows.join(", and "))
}

fn verdict_text(verdict: Reused) -> String {
    match verdict {
        Reused::Fresh => "It is answered from what is stored, and nobody is asked".to_owned(),
        Reused::Stale(why) => {
            let why = match why {
                WhyStale::MaxStale => "the request is content with that (`max-stale`)",
                WhyStale::WhileRevalidate => {
                    "its server allows that while it is asked (`stale-while-revalidate`)"
                }
                WhyStale::IfError => "its server fails, and allows that then (`stale-if-error`)",
                WhyStale::Disconnected => "its server cannot be reached",
            };
            format!("It is answered from what is stored, though it is stale: {why}")
        }
        Reused::Asks(why) => format!("The server is asked: {}", because(why)),
        Reused::OnlyIfCached(why) => format!(
            "It is answered with 504: {}, and the request wants nobody asked (`only-if-cached`)",
            because(why)
        ),
    }
}

fn because(why: Forward) -> String {
    match why {
        Forward::Unknown => "nothing is stored for this URL".to_owned(),
        Forward::OtherVariants => {
            "what is stored is for requests with other values there (`Vary`)".to_owned()
        }
        Forward::Unread => "what is stored is on a disk that does not answer".to_owned(),
        Forward::Ask(WhyAsk::Stale) => {
            "what is stored is stale. It is asked whether that is still good".to_owned()
        }
        Forward::Ask(WhyAsk::Personal) => "what is stored is fresh by a guess only, and the \
                                           request may be somebody's own"
            .to_owned(),
        other => other.to_string(),
    }
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

/// `42 s`, and what that is, if it is long.
fn seconds(seconds: u64) -> String {
    let times = [(86_400, "days"), (3600, "hours"), (60, "minutes")];
    match times.into_iter().find(|(unit, _)| seconds >= 2 * unit) {
        Some((unit, name)) => format!("{seconds} s ({} {name})", seconds / unit),
        None => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn steps_are_sentences() {
        let lifetime = |seconds, basis| {
            Step::Lifetime(Lifetime { duration: Duration::from_secs(seconds), basis })
        };
        let vary = |count| Step::Variants { count, by: vec![HeaderName::from_static("accept")] };
        let windows = |first, second| Step::Windows {
            while_revalidate: Duration::from_secs(first),
            if_error: Duration::from_secs(second),
        };
        check(
            &Step::Key { uri: "http://a/".to_owned(), apart_by: "\nhost: b\nproto: c".to_owned() },
            "It is looked for as http://a/, apart from what others get there, by \"host: b, proto: c\"",
        );
        check(&vary(0), "Nothing is stored for that");
        check(&vary(2), "2 answers are stored for that, chosen by `accept`");
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
        check(&Step::Left(-200_000), "So it is stale, since 200000 s (2 days)");
        check(
            &windows(0, 9),
            "Stale, it may be sent for 9 s if its server fails (`stale-if-error`)",
        );
    }

    #[track_caller]
    fn check(step: &Step, expect: &str) {
        let told = told(step, UNIX_EPOCH);
        assert_eq!(told["text"], expect);
        assert!(told["section"].as_str().is_some_and(|section| section.starts_with("RFC ")));
    }

    #[test]
    fn verdicts_are_sentences() {
        let explanation = |verdict| Explanation { steps: Vec::new(), verdict };
        let text = |verdict| {
            let told = reused(&explanation(verdict), UNIX_EPOCH);
            told["verdict"]["text"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            text(Reused::Stale(WhyStale::Disconnected)),
            "It is answered from what is stored, though it is stale: its server cannot be reached"
        );
        assert_eq!(
            text(Reused::OnlyIfCached(Forward::Unknown)),
            "It is answered with 504: nothing is stored for this URL, and the request wants nobody \
             asked (`only-if-cached`)"
        );
        let too_large = Explanation { steps: Vec::new(), verdict: Err(NotStored::TooLarge) };
        let told = storing(&too_large, UNIX_EPOCH);
        assert_eq!(told["verdict"]["section"], Value::Null);
    }
}
