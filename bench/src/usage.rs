//! What processes use, as the kernel counts it under `/proc`.

use std::{collections::HashMap, fs};

use anyhow::{Context, Result};

use crate::stats::float;

/// Memory of some processes, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Resident pages, those shared between the processes counted for each.
    pub(crate) rss: f64,
    /// Resident pages, those shared with anyone counted in parts.
    pub(crate) pss: f64,
}

/// The process `root` and all its descendants.
pub(crate) fn family(root: u32) -> Result<Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").context("listing processes")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // Gone between listing and reading: nobody of ours.
        let Ok(stat) = Stat::of(pid) else { continue };
        children.entry(stat.parent).or_default().push(pid);
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(pid) = family.get(next) {
        family.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    Ok(family)
}

/// Seconds of CPU, user and system, that `pids` have used since they began, in all threads,
/// ended ones included.
///
/// Counted exactly by the scheduler and shown in ticks (10 ms): measure over seconds.
pub(crate) fn cpu_seconds(pids: &[u32]) -> Result<f64> {
    let mut ticks = 0;
    for &pid in pids {
        ticks += Stat::of(pid)?.ticks;
    }
    Ok(seconds(ticks))
}

/// Seconds of CPU that this process has used, and those of its children that have ended and been
/// waited for.
pub(crate) fn own_cpu_seconds() -> Result<f64> {
    let stat = Stat::of(std::process::id())?;
    Ok(seconds(stat.ticks + stat.children_ticks))
}

fn seconds(ticks: u64) -> f64 {
    float(ticks) / float(rustix::param::clock_ticks_per_second())
}

/// The memory of `pids` now.
pub(crate) fn memory(pids: &[u32]) -> Result<Memory> {
    let mut sum = Memory::default();
    for pid in pids {
        sum.rss += kib(&format!("/proc/{pid}/status"), "VmRSS:")?;
        sum.pss += kib(&format!("/proc/{pid}/smaps_rollup"), "Pss:")?;
    }
    Ok(sum)
}

struct Stat {
    parent: u32,
    ticks: u64,
    /// Of children that have ended and been waited for.
    children_ticks: u64,
}

impl Stat {
    fn of(pid: u32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("process {pid} has ended"))?;
        Self::parse(&text).with_context(|| format!("unexpected stat of {pid}: {text:?}"))
    }

    /// The shape is `pid (name) state parent …`, where the name may contain anything; fields are
    /// numbered from 1 in proc(5), so the one after the name is the third.
    fn parse(text: &str) -> Option<Self> {
        let (_, after_name) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3);
        let ticks = |number| -> Option<u64> { field(number)?.parse().ok() };
        Some(Self {
            parent: field(4)?.parse().ok()?,
            ticks: ticks(14)? + ticks(15)?,
            children_ticks: ticks(16)? + ticks(17)?,
        })
    }
}

fn kib(path: &str, key: &str) -> Result<f64> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(key));
    let number = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
    number.with_context(|| format!("no {key} in {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_contain_what_separates_fields() {
        let stat = Stat::parse("7 (a) b (c) S 3 7 7 0 -1 0 0 0 0 0 20 5 4 3").unwrap();
        assert_eq!((stat.parent, stat.ticks, stat.children_ticks), (3, 25, 7));
    }

    #[test]
    fn this_process_is_of_its_own_family_and_uses_memory() {
        let me = std::process::id();
        assert!(family(me).unwrap().contains(&me));
        let memory = memory(&[me]).unwrap();
        assert!(memory.rss > 100.0 && memory.pss > 100.0);
    }
}
