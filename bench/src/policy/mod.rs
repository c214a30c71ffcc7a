//! How often caches have what they are asked for: relais' memory tier beside published policies, on
//! one trace, without a server.

mod lists;
mod queue;

use std::{fmt::Write, hash::RandomState};

use anyhow::Result;
use quick_cache::{OptionsBuilder, UnitWeighter, sync};

use self::lists::{Lru, S3Fifo, Sieve, WTinyLfu};

/// What is asked, and of how large a cache.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many requests
    #[arg(long, default_value_t = 10_000_000)]
    requests: u32,
    /// For how many different objects, the n-th of them in proportion to n^-0.9
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(100..))]
    objects: u32,
    /// How many of them the cache has room for, in percent
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100))]
    capacity: u8,
}

/// A cache of objects of one size.
trait Policy {
    /// Asks for an object, which is stored if it was not there. Whether it was.
    fn ask(&mut self, key: u32) -> bool;
}

/// What relais' memory tier is made of, set as there: `crates/cache/src/store.rs`.
struct QuickCache(sync::Cache<u32, (), UnitWeighter, RandomState>);

impl QuickCache {
    fn new(capacity: usize) -> Self {
        /// Of 256 MiB, the default.
        const SHARDS: usize = 8;
        let options = OptionsBuilder::new()
            .shards(SHARDS)
            .estimated_items_capacity(capacity)
            .weight_capacity(capacity as u64)
            .build()
            .expect("both capacities are given");
        let lifecycle = sync::DefaultLifecycle::default();
        Self(sync::Cache::with_options(options, UnitWeighter, RandomState::new(), lifecycle))
    }
}

impl Policy for QuickCache {
    fn ask(&mut self, key: u32) -> bool {
        let hit = self.0.get(&key).is_some();
        if !hit {
            self.0.insert(key, ());
        }
        hit
    }
}

/// Compares, and prints a table. Whether relais is within a hundredth of the best.
pub(crate) fn compare(args: &Args) -> Result<(String, bool)> {
    let capacity = usize::try_from(u64::from(args.objects) * u64::from(args.capacity) / 100)?;
    let requests = usize::try_from(args.requests)?;
    let trace: Vec<_> = Zipf::new(args.objects, 0.9).take(requests).collect();
    let ratios = ratios(&trace, args.objects, capacity);
    let best = ratios[1..].iter().map(|(_, ratio)| *ratio).fold(0.0, f64::max);
    let mut table = format!(
        "Zipf(0.9), {} requests for {} objects, room for {capacity}\n\n| policy | hits | of the best |\n|---|---:|---:|\n",
        args.requests, args.objects
    );
    for (name, ratio) in &ratios {
        writeln!(table, "| {name} | {:.2} % | {:.4} |", ratio * 100.0, ratio / best)?;
    }
    Ok((table, ratios[0].1 >= best * 0.99))
}

/// The part of requests that each policy has an answer for; relais first.
fn ratios(trace: &[u32], keys: u32, capacity: usize) -> [(&'static str, f64); 5] {
    [
        ("relais (quick_cache)", ratio(trace, &mut QuickCache::new(capacity))),
        ("LRU", ratio(trace, &mut Lru::new(keys, capacity))),
        ("SIEVE", ratio(trace, &mut Sieve::new(keys, capacity))),
        ("S3-FIFO", ratio(trace, &mut S3Fifo::new(keys, capacity))),
        ("W-TinyLFU", ratio(trace, &mut WTinyLfu::new(keys, capacity))),
    ]
}

fn ratio(trace: &[u32], policy: &mut dyn Policy) -> f64 {
    let hits = trace.iter().filter(|&&key| policy.ask(key)).count();
    crate::stats::float(hits as u64) / crate::stats::float(trace.len() as u64)
}

/// Numbers below a bound, the n-th with a weight of (n + 1)^-s; the same ones each time.
struct Zipf {
    /// The sum of the weights up to each number.
    sums: Vec<f64>,
    seed: u64,
}

impl Zipf {
    fn new(bound: u32, s: f64) -> Self {
        let mut sum = 0.0;
        let sums = (1..=bound).map(|number| {
            sum += f64::from(number).powf(-s);
            sum
        });
        Self { sums: sums.collect(), seed: 1 }
    }
}

impl Iterator for Zipf {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        // SplitMix64.
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.seed;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let part = f64::from(u32::try_from((word ^ word >> 31) >> 32).expect("32 bits"));
        let sum = part / (f64::from(u32::MAX) + 1.0) * self.sums.last()?;
        u32::try_from(self.sums.partition_point(|&upto| upto <= sum)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relais_is_within_a_hundredth_of_the_best_on_a_small_trace() {
        let trace: Vec<_> = Zipf::new(20_000, 0.9).take(400_000).collect();
        let ratios = ratios(&trace, 20_000, 2000);
        let best = ratios[1..].iter().map(|(_, ratio)| *ratio).fold(0.0, f64::max);
        assert!(ratios[0].1 > best * 0.97, "{ratios:?}");
        assert!(ratios.iter().all(|(_, ratio)| (0.4..0.8).contains(ratio)), "{ratios:?}");
    }

    #[test]
    fn one_scan_of_a_large_site_does_not_drive_out_what_is_asked_for() {
        let (hot, keys, capacity) = (0..500, 21_000, 1000);
        let left_after_a_scan = |policy: &mut dyn Policy| {
            for _ in 0..4 {
                hot.clone().for_each(|key| _ = policy.ask(key));
            }
            (1000..keys).for_each(|key| _ = policy.ask(key));
            hot.clone().filter(|&key| policy.ask(key)).count()
        };
        assert_eq!(left_after_a_scan(&mut Lru::new(keys, capacity)), 0);
        let left = left_after_a_scan(&mut QuickCache::new(capacity));
        assert!(left > 450, "{left}");
        assert_eq!(left_after_a_scan(&mut S3Fifo::new(keys, capacity)), 500);
    }
}
