//! `relais cache stats`: how much is stored, in words.

use serde_json::Value;

use super::told::{number, text};
use crate::{
    columns::clean,
    measure::{counted, said_bytes, said_count},
};

/// How much is stored, in words.
pub(super) fn said(found: &Value) -> String {
    let bytes = |name| said_bytes(number(found, name));
    let percent = (number(found, "bytes") * 100).checked_div(number(found, "memory"));
    let memory = format!(
        "{}: {} and {} in {} of {} ({} %), {} a body at most",
        text(found, "proxy"),
        counted(number(found, "keys"), "URL"),
        counted(number(found, "tags"), "tag"),
        bytes("bytes"),
        bytes("memory"),
        percent.unwrap_or_default(),
        bytes("object_max"),
    );
    match (&found["memory"], &found["disk"]) {
        (_, Value::Null) => memory,
        (Value::Null, disk) => format!("{}\n{}", text(found, "proxy"), of_disk(disk)),
        (_, disk) => format!("{memory}\n{}", of_disk(disk)),
    }
}

/// How much is on a disk.
fn of_disk(found: &Value) -> String {
    let count = |name| said_count(number(found, name));
    let (used, max) = (number(found, "bytes"), number(found, "bytes_max"));
    let percent = (used * 100).checked_div(max).unwrap_or_default();
    let answers = counted(number(found, "objects"), "answer");
    let used = said_bytes(used);
    // A folder at rest does not say how much it may hold.
    if found["bytes_max"].is_null() {
        return format!("  on disk: {answers} in {used}; {} found damaged", count("bad"));
    }
    let told = format!(
        "  on disk: {answers} in {used} of {} ({percent} %); since the start {} written, {} not, {} \
         evicted, {} purged, {} found damaged",
        said_bytes(max),
        count("stored"),
        count("not_stored"),
        count("evicted"),
        count("purged"),
        count("bad"),
    );
    match found["fails"].as_str() {
        Some(why) => format!("{told}\n  the disk fails: {}", clean(why)),
        None => told,
    }
}
