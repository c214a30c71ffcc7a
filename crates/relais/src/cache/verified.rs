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
    last: Instant,
}

const TOLD_EVERY: Duration = Duration::from_millis(200);

impl Told {
    /// Of the cache of the proxy that is called so, or of the folder.
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), last: Instant::now() }
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
        let Verified { objects, objects_max, bytes, bad } = *verified;
        json!({
            "proxy": self.name,
            "done": is_done,
            "objects": objects,
            "objects_max": objects_max,
            "bytes": bytes,
            "bad": bad,
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
    match (number(found, "bad"), objects) {
        (0, 0) => format!("{proxy}: no answer is on disk"),
        (0, 1) => format!("{proxy}: the only answer, {bytes}, is what was stored"),
        (0, _) => format!("{proxy}: all {answers}, {bytes}, are what was stored"),
        (1, _) => format!(
            "{proxy}: of {answers}, 1 was damaged, and is taken out; {bytes} are what was stored"
        ),
        (bad, _) => format!(
            "{proxy}: of {answers}, {} were damaged, and are taken out; {bytes} are what was stored",
            said_count(bad)
        ),
    }
}
