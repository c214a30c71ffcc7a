//! How many times took how long, to three digits, in bounded memory.
//!
//! The shape is that of [HdrHistogram]: buckets that are equally wide up to a power of two, then twice
//! as wide up to the next, and so on. No clock: times are passed in.
//!
//! [HdrHistogram]: https://hdrhistogram.github.io/HdrHistogram/

use std::{ops::Range, time::Duration};

/// Counts of times, from 1 ns to [`TIME_MAX`].
///
/// Two times share a bucket only if they differ by less than one in a thousand. *Cost*: 264 KiB,
/// whatever is recorded; a few instructions a time.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Box<[u64]>,
    /// The sum of `counts`.
    total: u64,
    /// In nanoseconds.
    sum: u128,
    least: Duration,
    most: Duration,
}

/// One bucket that something is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Which times are in it, in nanoseconds.
    pub nanos: Range<u64>,
    /// How many there were.
    pub count: u64,
}

/// Longer times are counted as this one: 73 minutes.
pub const TIME_MAX: Duration = Duration::from_nanos((1 << NANOS_BITS) - 1);

const NANOS_BITS: u32 = 42;
/// Up to `1 << EXACT_BITS` each nanosecond has a bucket: enough of them that in each later power of two
/// half as many make steps of less than a thousandth.
const EXACT_BITS: u32 = 11;
const EXACT: usize = 1 << EXACT_BITS;
const HALF: usize = EXACT / 2;
const BUCKETS: usize = EXACT + (NANOS_BITS - EXACT_BITS) as usize * HALF;

impl Default for Histogram {
    fn default() -> Self {
        let counts = vec![0; BUCKETS].into_boxed_slice();
        Self { counts, total: 0, sum: 0, least: Duration::MAX, most: Duration::ZERO }
    }
}

impl Histogram {
    /// Counts `time`.
    pub fn record(&mut self, time: Duration) {
        let time = time.min(TIME_MAX);
        let nanos = u64::try_from(time.as_nanos()).expect("at most 42 bits");
        self.counts[bucket_of(nanos)] += 1;
        self.total += 1;
        self.sum += u128::from(nanos);
        self.least = self.least.min(time);
        self.most = self.most.max(time);
    }

    /// Counts all that `other` has counted, too.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.sum += other.sum;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
    }

    /// How many times were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The shortest, if there is one.
    pub fn least(&self) -> Option<Duration> {
        (self.total > 0).then_some(self.least)
    }

    /// The longest, if there is one.
    pub fn most(&self) -> Option<Duration> {
        (self.total > 0).then_some(self.most)
    }

    /// The mean, if there is one.
    pub fn mean(&self) -> Option<Duration> {
        let mean = self.sum.checked_div(u128::from(self.total))?;
        u64::try_from(mean).ok().map(Duration::from_nanos)
    }

    /// The time within which so many of a million were done, if there are any: 990,000 for the 99th
    /// percentile. At most 0.1 % above the true one, and never above the longest.
    ///
    /// *Cost*: linear in the buckets.
    pub fn within(&self, of_a_million: u32) -> Option<Duration> {
        let share = u128::from(self.total) * u128::from(of_a_million.min(1_000_000));
        // Rounded up: of two, the 50th percentile is the first, the 51st the second.
        let rank = u64::try_from(share.div_ceil(1_000_000)).ok()?.max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                let last = Duration::from_nanos(nanos_of(index).end - 1);
                return Some(last.clamp(self.least, self.most));
            }
        }
        None
    }

    /// What was counted, from the shortest times on; empty buckets are left out.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(index, &count)| Bucket { nanos: nanos_of(index), count })
    }
}

fn bucket_of(nanos: u64) -> usize {
    let octave = nanos.checked_ilog2().unwrap_or(0).saturating_sub(EXACT_BITS - 1);
    let within = usize::try_from(nanos >> octave).expect("fewer than the exact ones");
    // In later octaves the first half is what the octave before has in finer steps.
    within + usize::try_from(octave).expect("at most 31") * HALF
}

/// Which times fall into a bucket.
fn nanos_of(index: usize) -> Range<u64> {
    let octave = (index / HALF).saturating_sub(1);
    let within = u64::try_from(index - octave * HALF).expect("an index");
    within << octave..(within + 1) << octave
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(nanos: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        nanos.into_iter().for_each(|nanos| histogram.record(Duration::from_nanos(nanos)));
        histogram
    }

    #[test]
    fn each_time_is_in_its_bucket_which_is_narrow() {
        let nearby = (0..NANOS_BITS).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for nanos in nearby.chain([3_333, 123_456_789, (1 << NANOS_BITS) - 1]) {
            let bucket = nanos_of(bucket_of(nanos));
            assert!(bucket.contains(&nanos), "{nanos} in {bucket:?}");
            let width = bucket.end - bucket.start;
            assert!(width == 1 || width * 1_000 < nanos, "{nanos} in {bucket:?}");
        }
    }

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        let mut next = 0;
        for index in 0..BUCKETS {
            let bucket = nanos_of(index);
            assert_eq!(bucket.start, next);
            next = bucket.end;
        }
        assert_eq!(next, 1 << NANOS_BITS);
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_times_to_a_thousandth() {
        let times: Vec<u64> = (1..=10_000).map(|n| n * n * 37).collect();
        let histogram = of(times.iter().copied());
        for of_a_million in [0, 1, 500_000, 750_000, 900_000, 990_000, 999_000, 999_900, 1_000_000]
        {
            let rank = (10_000 * u64::from(of_a_million)).div_ceil(1_000_000).max(1);
            let expect = times[usize::try_from(rank).unwrap() - 1];
            let found = u64::try_from(histogram.within(of_a_million).unwrap().as_nanos()).unwrap();
            assert!((expect..=expect + expect / 1_000).contains(&found), "{found} for {expect}");
        }
    }

    #[test]
    fn few_times_have_percentiles_too() {
        let check = |nanos: &[u64], of_a_million, expect: Option<u64>| {
            let found = of(nanos.iter().copied()).within(of_a_million);
            assert_eq!(found, expect.map(Duration::from_nanos));
        };
        check(&[], 500_000, None);
        check(&[7], 1, Some(7));
        check(&[7, 9], 500_000, Some(7));
        check(&[7, 9], 500_001, Some(9));
        check(&[5_000_001], 1_000_000, Some(5_000_001));
    }

    #[test]
    fn two_added_are_as_one() {
        let (mut one, other) = (of([1, 5_000]), of([77, 1_000_000]));
        one.add(&other);
        let both = of([1, 5_000, 77, 1_000_000]);
        assert_eq!(one.buckets().collect::<Vec<_>>(), both.buckets().collect::<Vec<_>>());
        assert_eq!((one.total(), one.least(), one.most()), (4, both.least(), both.most()));
        assert_eq!(one.mean(), Some(Duration::from_nanos(251_269)));
    }

    #[test]
    fn what_takes_too_long_to_count_is_counted_as_the_longest() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::MAX);
        assert_eq!((histogram.total(), histogram.most()), (1, Some(TIME_MAX)));
        assert_eq!(histogram.within(1_000_000), Some(TIME_MAX));
    }

    #[test]
    fn nothing_has_no_percentile_and_no_mean() {
        let none = Histogram::default();
        assert_eq!((none.least(), none.most(), none.mean()), (None, None, None));
        assert_eq!(none.buckets().count(), 0);
    }
}
