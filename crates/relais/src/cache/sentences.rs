//! Why a request is answered as it is, in sentences that a newcomer understands, and as JSON.

use std::time::{Duration, SystemTime};

use http::HeaderName;
use relais_cache::{
    Ask, Basis, Counted, Explanation, Forward, Left, Lifetime, NotStored, Origin, Reused, Rule,
    Step, Storing, WhyAsk, WhyStale, Wish,
};
use serde_json::{Value, json};

use super::steps;

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

/// Tells of the rule of a block list that refuses a request.
pub(super) fn blocked(rule: &Value) -> Value {
    let step = json!({ "step": "blocked", "text": capitalised(&blocked_by(rule)) });
    let text = "It is refused, and neither the cache nor its server is asked";
    json!({
        "steps": [step],
        "verdict": { "is": "blocked", "text": text, "section": null },
        "blocked": rule,
    })
}

/// The same, as the end of a sentence.
pub(super) fn blocked_by(rule: &Value) -> String {
    let [name, list] = ["rule", "list"].map(|key| rule[key].as_str().unwrap_or_default());
    format!("the rule {name:?} in line {} of {list:?} blocks it", rule["line"])
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
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
            "text": format!("An answer like that is not stored: {}", why_not_stored(*why)),
            "section": why.section(),
        }),
    };
    json!({ "steps": steps, "verdict": verdict })
}

/// Why an answer is not stored, and which key of the configuration has it so.
pub(super) fn why_not_stored(why: NotStored) -> String {
    let key = match why {
        NotStored::Bypassed => "`bypass` of a rule",
        NotStored::SetCookie => "`set_cookie` of the cache says which are stored all the same",
        NotStored::TooLarge => "`object_max` of the cache",
        _ => return why.to_string(),
    };
    match why {
        NotStored::TooLarge => format!("it is larger than {key}"),
        _ => format!("{why} ({key})"),
    }
}

fn told(step: &Step, now: SystemTime) -> Value {
    let (name, numbers) = numbers(step);
    let mut told =
        json!({ "step": name, "text": steps::text(step, now), "section": step.section() });
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
        Step::Rule(rule) => ("rule", rule_as_json(rule)),
        Step::ReadTwice(path) => {
            ("rule", json!({ "path": path, "bypass": path.is_some(), "read_twice": true }))
        }
        Step::Key { uri, apart_by, query } => {
            let query = match query {
                Counted::All => "all",
                Counted::ByRule => "by_rule",
                Counted::ByOrigin => "by_origin",
            };
            ("key", json!({ "uri": uri, "apart_by": apart_by, "query": query }))
        }
        Step::Wish(wishes) => {
            let wish = |wish: &Wish| json!([wish.name, wish.time.map(|time| time.as_secs())]);
            ("request", json!({ "says": wishes.iter().map(wish).collect::<Vec<_>>() }))
        }
        Step::Sender(sender) => {
            ("sender", json!({ "named_by": format!("{sender:?}").to_lowercase() }))
        }
        Step::Variants { count, by, of } => {
            let of: Vec<_> = of.iter().map(|values| values_as_json(values)).collect();
            ("stored", json!({ "count": count, "vary": words(by), "of": of }))
        }
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
        Step::Left(left) => ("ttl", left_as_json(*left)),
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
        Step::Validator(name) => {
            ("validator", json!({ "field": name.as_ref().map(HeaderName::as_str) }))
        }
        Step::StandsIn(time) => ("stands_in", json!({ "seconds": time.as_secs() })),
    }
}

/// The values by which an answer was chosen: of each field.
pub(super) fn values_as_json(values: &[(HeaderName, Option<String>)]) -> Value {
    let value = |(name, value): &(HeaderName, Option<String>)| {
        (name.as_str().to_owned(), value.as_deref().map_or(Value::Null, Into::into))
    };
    Value::Object(values.iter().map(value).collect())
}

fn rule_as_json(rule: &Rule) -> Value {
    let Rule { path, storing, ttl, origin, parts: _ } = rule;
    json!({
        "path": path,
        "bypass": *storing == Storing::Bypassed,
        "ttl": ttl.map(|ttl| ttl.as_secs()),
        "ignore_origin": origin.map(|origin| origin == Origin::Ignored),
    })
}

fn left_as_json(left: Left) -> Value {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let (left, is_fresh) = match left {
        Left::Fresh(left) => (seconds(left), true),
        Left::Stale(since) => (-seconds(since), false),
    };
    json!({ "seconds": left, "fresh": is_fresh })
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

fn verdict_text(verdict: Reused) -> String {
    match verdict {
        Reused::Fresh => "It is answered from what is stored, and nobody is asked".to_owned(),
        Reused::Stale(why) => {
            let why = match why {
                WhyStale::MaxStale => "the request is content with that (`max-stale`)",
                WhyStale::WhileRevalidate => {
                    "that is allowed while its server is asked (`stale-while-revalidate`, or else \
                     `grace`)"
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
        Forward::Bypassed => "a rule says so (`bypass`)".to_owned(),
        Forward::Ask(WhyAsk::Stale) => "what is stored is stale".to_owned(),
        Forward::Unread => "what is stored is on a disk that does not answer".to_owned(),
        Forward::Ask(WhyAsk::Personal) => "what is stored is fresh by a guess only, and the \
                                           request may be somebody's own"
            .to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

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
