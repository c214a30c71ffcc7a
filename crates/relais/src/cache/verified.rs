//! `relais cache verify`: whether what is on disk is what was stored.

use std::time::{Duration, Instant};

use relais_cache::disk::Verified;
use serde_json::{Value, json};

use super::told::number;
use crate::measure::{said_bytes, said_count};

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
    let count = |name| said_count(number(found, name));
    let (objects, bytes) = (count("objects"), said_bytes(number(found, "bytes")));
    let proxy = super::told::text(found, "proxy");
    if found["done"] == false {
        return format!("{proxy}: {objects} of {} answers, {bytes}", count("objects_max"));
    }
    let lost = match number(found, "missing_segments") {
        0 => String::new(),
        files => format!(
            "{proxy}: {} of its segments are missing, with all that was stored in them\n",
            said_count(files)
        ),
    };
    let what_now = if found["taken_out"] == false {
        "and are asked for again once it is used"
    } else {
        "and are taken out"
    };
    match number(found, "bad") {
        0 if !lost.is_empty() => {
            format!("{lost}{proxy}: the other {objects} answers, {bytes}, are what was stored")
        }
        0 => format!("{proxy}: all {objects} answers, {bytes}, are what was stored"),
        bad => format!(
            "{lost}{proxy}: of {objects} answers, {} were damaged, {what_now}; {bytes} are what was stored",
            said_count(bad)
        ),
    }
}
