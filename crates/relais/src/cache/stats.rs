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
    // A folder at rest has no memory, and is asked for nothing.
    let first = if found["memory"].is_null() { text(found, "proxy") } else { memory };
    let requests = (!found["requests"].is_null()).then(|| of_requests(&found["requests"]));
    let disk = (!found["disk"].is_null()).then(|| of_disk(&found["disk"]));
    [Some(first), requests, disk].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// How requests were answered.
fn of_requests(found: &Value) -> String {
    let count = |name| number(found, name);
    let hits = count("hits") + count("stale") + count("revalidated");
    // What no cache answers tells nothing of how good this one is.
    let all = hits + count("misses");
    let ratio = match (hits * 1000).checked_div(all) {
        Some(tenths) => format!("{}.{} % hits", tenths / 10, tenths % 10),
        None => "no requests yet".to_owned(),
    };
    let said = |name| said_count(number(found, name));
    format!(
        "  since the start: {ratio}: {} fresh, {} stale, {} confirmed by the server; {} missed, {} of \
         them collapsed; {} bypassed; {} read from disk",
        said("hits"),
        said("stale"),
        said("revalidated"),
        said("misses"),
        said("collapsed"),
        said("bypassed"),
        said("brought_up"),
    )
}

/// How much is on a disk.
fn of_disk(found: &Value) -> String {
    let count = |name| said_count(number(found, name));
    let (used, max) = (number(found, "bytes"), number(found, "bytes_max"));
    let percent = (used * 100).checked_div(max).unwrap_or_default();
    let answers = counted(number(found, "objects"), "answer");
    let used = said_bytes(used);
    let held = match number(found, "purges") {
        0 => String::new(),
        held => {
            format!("; {} still being carried out: what is meant counts", counted(held, "purge"))
        }
    };
    // A folder at rest does not say how much it may hold.
    if found["bytes_max"].is_null() {
        return format!("  on disk: {answers} in {used}; {} found damaged{held}", count("bad"));
    }
    let told = format!(
        "  on disk: {answers} in {used} of {} ({percent} %); since the start {} written, {} not, {} \
         evicted, {} purged, {} found damaged{held}",
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn purges_that_are_being_carried_out_are_told() {
        let told = |purges: u64| {
            of_disk(
                &json!({ "objects": 3, "bytes": 0, "bytes_max": null, "bad": 0, "purges": purges }),
            )
        };
        assert_eq!(told(0), "  on disk: 3 answers in 0 B; 0 found damaged");
        let held = "; 2 purges still being carried out: what is meant counts";
        assert_eq!(told(2), told(0) + held);
    }

    #[test]
    fn requests_are_told_with_their_ratio() {
        let told = of_requests(&json!({
            "hits": 900, "stale": 50, "revalidated": 5, "misses": 1045, "collapsed": 1000,
            "bypassed": 3, "brought_up": 7,
        }));
        assert_eq!(
            told,
            "  since the start: 47.7 % hits: 900 fresh, 50 stale, 5 confirmed by the server; 1,045 \
             missed, 1,000 of them collapsed; 3 bypassed; 7 read from disk"
        );
        assert!(of_requests(&json!({})).starts_with("  since the start: no requests yet: 0 fresh"));
    }
}
