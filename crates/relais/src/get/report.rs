//! `--json`: all of an exchange as one object.

use std::{fmt::Write as _, time::Instant};

use anyhow::Context as _;
use relais_http::client::{Exchange, Head, Sent};
use serde_json::{Value, json};
use tokio::select;

use super::{
    asked::Asked,
    asking::{Followed, Step, follow},
    body::Unshown,
    heads::version,
    kept::{Kept, Kind, keep_on, kind},
    latin1::text_of,
    waterfall::Waterfall,
};
use crate::{
    calling::{Met, met_json},
    interrupt::{Interrupt, Interrupted},
    output::PRINTING,
    stop::Stop,
};

/// How much of a body stands in it.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Asks, and prints what came of it. Nothing else is told.
pub(super) async fn report(asked: &Asked, mut interrupt: Interrupt) -> Result<(), Stop> {
    let following = follow(asked, asked.request.clone(), None);
    let Followed { request, exchange, steps, elsewhere: _ } = interrupt.or(following).await??;
    let Exchange { sent, interims, head, mut body, peer, session, chain, timings } = exchange;
    let (mut kept, begin) = (Kept::default(), Instant::now());
    let keeping = keep_on(&head, &mut body, &mut kept, BODY_BYTES_MAX);
    let ended = select! {
        biased;
        // What came is told all the same.
        () = interrupt.came() => Err(Interrupted.into()),
        ended = keeping => ended.map_err(Unshown::Broken),
    };
    let waterfall = Waterfall::new(timings, asked.body_took(begin.elapsed()));
    let text = match kind(&head, &kept) {
        Kind::Other => None,
        Kind::Json | Kind::Text => {
            Some(String::from_utf8_lossy(&text_of(&head, &kept.bytes)).into_owned())
        }
    };
    let met = met_json(&Met { peer, session, chain, timings: timings.call });
    let all = json!({
        "url": request.url.to_string(),
        "method": request.method.as_str(),
        "redirects": steps.iter().map(step_json).collect::<Vec<_>>(),
        "request": { "line": sent.line, "fields": sent_fields(&sent) },
        "interims": interims.iter().map(head_json).collect::<Vec<_>>(),
        "answer": head_json(&head),
        "body": text,
        "body_bytes": kept.came,
        "body_is_cut": kept.is_cut,
        "body_note": kept.note,
        "trailers": fields(body.trailers()),
        "error": ended.as_ref().err().map(ToString::to_string),
        "connection": met,
        "timings_ms": waterfall.json(),
    });
    // Escaped where a terminal would obey it.
    let printed = interrupt.or_printing(escaped(&format!("{all:#}\n"))).await?;
    printed.context(PRINTING)?;
    ended.map_err(|unshown| unshown.stop(&request))?;
    asked.judge(head.status)
}

fn step_json(step: &Step) -> Value {
    let Step { method: _, url, status, to } = step;
    json!({ "url": url.to_string(), "status": status, "location": to.to_string() })
}

fn head_json(head: &Head) -> Value {
    json!({
        "version": version(head.version),
        "status": head.status,
        "reason": String::from_utf8_lossy(&head.reason),
        "fields": fields(&head.fields),
    })
}

/// A list of pairs: names may come twice.
fn fields(fields: &[(String, Vec<u8>)]) -> Vec<Value> {
    let pairs = fields.iter();
    pairs.map(|(name, value)| json!([name, String::from_utf8_lossy(value)])).collect()
}

fn sent_fields(sent: &Sent) -> Vec<Value> {
    let pairs = sent.fields.iter().map(|(name, value)| {
        let value =
            if Sent::is_secret(name) { "***".into() } else { String::from_utf8_lossy(value) };
        json!([name, value])
    });
    pairs.collect()
}

/// The same JSON, without characters that disturb a terminal: they stand in strings alone.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if char != '\n' && relais_wire::visible::is_disturbing(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("a string takes everything");
            }
        } else {
            out.push(char);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_json_and_disturbs_no_terminal() {
        let value = json!({ "a": "\u{9b}\u{202e}é\u{e0001}\n" });
        let text = escaped(&format!("{value:#}"));
        assert!(text.is_ascii() || text.contains('é'));
        assert!(!text.chars().any(|c| c != '\n' && relais_wire::visible::is_disturbing(c)));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
