//! What is asked for, and printed of what is told.

use std::io::IsTerminal as _;

use serde_json::Value;

use super::{
    asking::Asking,
    explained,
    flags::{self, Command},
    listed::{self, Listed},
    stats,
    told::{number, text},
    verified, warming,
};
use crate::{
    columns::clean,
    complaint::Complaint,
    control::{Chosen, Hardness, OfCaches},
    measure::{counted, said_bytes},
    output::{is_coloured, say, tell, tell_over},
    stop::Stop,
};

impl Asking<'_> {
    pub(super) fn obey(&self, command: Command) -> Result<(), Stop> {
        match command {
            Command::Ls { pattern, tag, json } => {
                let what = flags::listed(pattern, tag).map_err(wrong)?;
                self.list(what, json)
            }
            Command::Show { url, json } => self.show(&url, json),
            Command::Stats { json } => {
                let told = self.ask(OfCaches::Stats {}, |found| {
                    say(if json { found.to_string() } else { stats::said(&found) });
                    Ok(())
                });
                told.map(drop)
            }
            Command::Verify { json } => self.verify(json),
            Command::Purge(purge) => {
                let (chosen, how) = purge.chosen().map_err(wrong)?;
                self.purge((chosen, how), purge.json)
            }
            Command::Warm { list, fields, jobs, json } => {
                fields.check().map_err(wrong)?;
                warming::warm(self, &list, (&fields, jobs, json))
            }
            Command::Explain { url, fields, no_fetch, json } => {
                fields.check().map_err(wrong)?;
                let request = fields.of(url);
                request.read().map_err(|found| wrong(Complaint::of_flag("URL", found)))?;
                let fetches = flags::fetches(no_fetch);
                let is_coloured = is_coloured(self.color, &std::io::stdout());
                self.ask(OfCaches::Explain { request, fetches }, |found| {
                    if json {
                        say(format_args!("{found:#}"));
                    } else {
                        explained::print(&found, is_coloured);
                    }
                    Ok(())
                })
                .map(drop)
            }
        }
    }

    fn list(&self, what: Chosen, json: bool) -> Result<(), Stop> {
        let mut listed = Listed::new(self.color, json);
        let asked = self.ask(OfCaches::List { what }, |found| listed.take(&found));
        listed.end()?;
        match asked {
            Err(_) if listed.nobody_reads() => Ok(()),
            Ok(doubt) => {
                tell(counted(listed.count, "object"));
                if listed.count == 0 && !doubt.is_empty() {
                    tell(format_args!("note: {doubt}"));
                }
                Ok(())
            }
            Err(stop) => Err(stop),
        }
    }

    fn show(&self, url: &str, json: bool) -> Result<(), Stop> {
        let pattern = Chosen::Url(url.to_owned()).pattern();
        pattern.map_err(|found| wrong(Complaint::of_flag("URL", found)))?;
        let mut count = 0;
        let doubt = self.ask(OfCaches::Show { url: url.to_owned() }, |found| {
            count += 1;
            say(if json { found.to_string() } else { shown(&found) });
            Ok(())
        })?;
        if count == 0 {
            let url = clean(url);
            if doubt.is_empty() {
                tell(format_args!("nothing is stored for {url}; `relais cache explain` tells why"));
            } else {
                tell(format_args!("nothing is stored for {url}: {doubt}"));
            }
            return Err(Stop::No);
        }
        Ok(())
    }

    fn verify(&self, json: bool) -> Result<(), Stop> {
        let is_watched = !json && std::io::stderr().is_terminal();
        let mut bad = 0;
        self.ask(OfCaches::Verify {}, |found| {
            let is_done = found["done"] == true;
            if json {
                say(found.to_string());
            } else if is_done {
                say(verified::said(&found));
            } else if is_watched {
                tell_over(verified::said(&found));
            }
            let wrong = || number(&found, "bad") + number(&found, "missing_segments");
            bad += if is_done { wrong() } else { 0 };
            Ok(())
        })?;
        if bad > 0 { Err(Stop::No) } else { Ok(()) }
    }

    fn purge(&self, (chosen, how): (Vec<Chosen>, Hardness), json: bool) -> Result<(), Stop> {
        let (mut purged, mut on_disk, mut doubts) = (0, false, Vec::new());
        for what in chosen {
            let mut found_here = 0;
            let doubt = self.ask(OfCaches::Purge { what, how }, |found| {
                found_here += number(&found, "purged");
                on_disk |= found["on_disk"] == true;
                if json {
                    say(found);
                }
                Ok(())
            })?;
            purged += found_here;
            doubts.extend((found_here == 0 && !doubt.is_empty()).then_some(doubt));
        }
        if !json {
            say(purged_text(purged, how, on_disk));
        }
        for doubt in &doubts {
            tell(format_args!("note: {doubt}"));
        }
        // What is on disk alone is not counted: it may have been meant.
        if doubts.is_empty() || on_disk { Ok(()) } else { Err(Stop::No) }
    }
}

/// What was purged, of caches of which one has a disk or none.
fn purged_text(purged: u64, how: Hardness, on_disk: bool) -> String {
    let objects = counted(purged, "object");
    let (done, nothing, is_done) = match how {
        Hardness::Hard => (format!("purged {objects}"), "nothing to purge", "purged"),
        Hardness::Soft => (format!("made {objects} stale"), "nothing to make stale", "made stale"),
    };
    // What is on disk alone is found by nobody from now on, and counted by nobody either.
    match (purged, on_disk) {
        (0, false) => format!("{nothing}: nothing like that is stored"),
        (_, false) => done,
        (0, true) => {
            format!(
                "nothing like that is in memory; any on disk alone is {is_done}, and not counted"
            )
        }
        (_, true) => {
            format!("{done} in memory; any on disk alone is {is_done}, too, and not counted")
        }
    }
}

fn wrong(complaint: impl Into<Box<Complaint>>) -> Stop {
    Stop::Wrong(vec![*complaint.into()])
}

/// All that is known of an object.
fn shown(found: &Value) -> String {
    let mut lines = vec![text(found, "url")];
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<9} {value}"));
    let whose = if found["folder"] == true { "folder" } else { "proxy" };
    line(whose, text(found, "proxy"));
    for by in listed::apart(found) {
        line("apart by", by);
    }
    for value in listed::values(found) {
        line("for", value);
    }
    let bytes = said_bytes(number(found, "bytes"));
    line("status", format!("{}, a body of {bytes}", number(found, "status")));
    line("memory", said_bytes(number(found, "memory")));
    let age = found["age"].as_u64().map_or("unknown".to_owned(), |age| format!("{age} s"));
    line("age", age);
    let (lifetime, basis) = (number(found, "lifetime"), text(found, "basis"));
    let left = match found["ttl"].as_i64() {
        Some(left) if left > 0 => format!("fresh for {left} s more"),
        _ => "stale".to_owned(),
    };
    line("lifetime", format!("{lifetime} s by {basis}: {left}"));
    for field in found["fields"].as_array().into_iter().flatten() {
        if let [Some(name), Some(value)] = [&field[0], &field[1]].map(Value::as_str) {
            lines.push(format!("  {}: {}", clean(name), clean(value)));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_purged_no_more_is_said_than_is_known() {
        let check = |purged, how, on_disk, expect: &str| {
            assert_eq!(purged_text(purged, how, on_disk), expect);
        };
        let (hard, soft) = (Hardness::Hard, Hardness::Soft);
        check(0, hard, false, "nothing to purge: nothing like that is stored");
        check(1, hard, false, "purged 1 object");
        let nothing =
            "nothing like that is in memory; any on disk alone is purged, and not counted";
        check(0, hard, true, nothing);
        let some =
            "made 2 objects stale in memory; any on disk alone is made stale, too, and not counted";
        check(2, soft, true, some);
        check(0, soft, false, "nothing to make stale: nothing like that is stored");
    }
}
