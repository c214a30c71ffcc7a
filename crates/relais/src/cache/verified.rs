//! `relais cache verify`: whether what is on disk is what was stored.

use std::time::{Duration, Instant};

use relais_cache::disk::Verified;
use serde_json::{Value, json};

use super::told::number;
use crate::measure::{counted, said_bytes, said_count};

/// Tells how far a check has come, now and then.
#[derive(Debug)]
pub(super) struct Told {
    name: String,
    /// Whether what is damaged is taken out.
    is_taken_out: bool,
    last: Instant,
}

const TOLD_EVERY: Duration = Duration::from_millis(200);

impl Told {
    /// Of the cache of the proxy that is called so.
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), is_taken_out: true, last: Instant::now() }
    }

    /// Of a folder that nobody uses, which stays as it is.
    pub(super) fn of_folder(name: &str) -> Self {
        Self { is_taken_out: false, ..Self::new(name) }
    }

    /// What is to be told now, if it is time.
    pub(super) fn progress(&mut self, verified: &Verified) -> Option<Value> {
        if self.last.elapsed() < TOLD_EVERY {
            return None;
        }
        self.last = Instant::now();
        Some(self.told(verified, false))
    }

    /// What is told at the end.
    pub(super) fn end(&self, verified: &Verified) -> Value {
        self.told(verified, true)
    }

    fn told(&self, verified: &Verified, is_done: bool) -> Value {
        let Verified { objects, objects_max, bytes, bad, missing_segments } = *verified;
        json!({
            "proxy": self.name,
            "done": is_done,
            "objects": objects,
            "objects_max": objects_max,
            "bytes": bytes,
            "bad": bad,
            "missing_segments": missing_segments,
            "taken_out": self.is_taken_out,
        })
    }
}

/// What was found, in words.
pub(super) fn said(found: &Value) -> String {
    let (objects, bytes) = (number(found, "objects"), said_bytes(number(found, "bytes")));
    let proxy = super::told::text(found, "proxy");
    if found["done"] == false {
        let all = counted(number(found, "objects_max"), "answer");
        return format!("{proxy}: {} of {all}, {bytes}", said_count(objects));
    }
    let answers = counted(objects, "answer");
    let lost = match number(found, "missing_segments") {
        0 => String::new(),
        1 => format!("{proxy}: 1 of its segments is missing, with all that was stored in it\n"),
        files => format!(
            "{proxy}: {} of its segments are missing, with all that was stored in them\n",
            said_count(files)
        ),
    };
    let is_taken_out = found["taken_out"] != false;
    match (number(found, "bad"), objects) {
        (0, _) if !lost.is_empty() => {
            format!("{lost}{proxy}: the other {answers}, {bytes}, are what was stored")
        }
        (0, 0) => format!("{proxy}: no answer is on disk"),
        (0, 1) => format!("{proxy}: the only answer, {bytes}, is what was stored"),
        (0, _) => format!("{proxy}: all {answers}, {bytes}, are what was stored"),
        (1, _) => {
            let now =
                if is_taken_out { "is taken out" } else { "is asked for again once it is used" };
            format!(
                "{lost}{proxy}: of {answers}, 1 was damaged, and {now}; {bytes} are what was stored"
            )
        }
        (bad, _) => {
            let now = if is_taken_out {
                "are taken out"
            } else {
                "are asked for again once they are used"
            };
            let bad = said_count(bad);
            format!(
                "{lost}{proxy}: of {answers}, {bad} were damaged, and {now}; {bytes} are what was stored"
            )
        }
    }
}
