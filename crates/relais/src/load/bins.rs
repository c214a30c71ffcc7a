//! A histogram in few bins, whose bounds are round numbers.

use std::time::Duration;

use relais_talk::load::Histogram;

/// Times between two round numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bin {
    /// The shortest.
    pub(super) from: Duration,
    /// What all are shorter than.
    pub(super) to: Duration,
    pub(super) count: u64,
}

/// Where bins begin within each power of ten, in hundredths; from many bins to few.
const STEPS: [&[u64]; 6] = [
    &[
        100, 110, 120, 130, 140, 150, 160, 180, 200, 220, 240, 270, 300, 330, 360, 400, 450, 500,
        550, 600, 650, 700, 800, 900,
    ],
    &[100, 120, 150, 170, 200, 250, 300, 350, 400, 500, 600, 700, 850],
    &[100, 150, 200, 300, 500, 700],
    &[100, 200, 500],
    &[100, 300],
    &[100],
];

/// So many bins can be taken in at a look.
const BINS_MAX: usize = 20;

/// The bins from the shortest time to the longest; empty ones between them, too.
pub(super) fn bins(histogram: &Histogram) -> Vec<Bin> {
    let (Some(least), Some(most)) = (histogram.least(), histogram.most()) else {
        return Vec::new();
    };
    let (least, most) = (nanos(least), nanos(most));
    let fitting = STEPS.iter().map(|steps| bounds(steps, least, most));
    let coarsest = bounds(STEPS[STEPS.len() - 1], least, most);
    let bounds = fitting.into_iter().find(|bounds| bounds.len() <= BINS_MAX + 1);
    let bounds = bounds.unwrap_or(coarsest);
    let between = bounds.windows(2).map(|two| {
        let (from, to) = (Duration::from_nanos(two[0]), Duration::from_nanos(two[1]));
        Bin { from, to, count: 0 }
    });
    let mut bins: Vec<_> = between.collect();
    for bucket in histogram.buckets() {
        // By where most of it is: a bucket is much narrower than a bin.
        let middle = bucket.nanos.start.midpoint(bucket.nanos.end - 1).clamp(least, most);
        let index = bounds.partition_point(|bound| *bound <= middle).saturating_sub(1);
        bins[index].count += bucket.count;
    }
    bins
}

/// The round numbers around these.
fn bounds(steps: &[u64], least: u64, most: u64) -> Vec<u64> {
    let powers = (0..14).map(|power| 10_u64.pow(power));
    // In hundredths of nanoseconds, which are cut where a bin is narrower than one.
    let all = powers.flat_map(|power| steps.iter().map(move |step| step * power / 100));
    let mut all: Vec<u64> = std::iter::once(0).chain(all).collect();
    all.dedup();
    let begin = all.partition_point(|bound| *bound <= least).saturating_sub(1);
    let end = all.partition_point(|bound| *bound <= most).min(all.len() - 1);
    all[begin..=end].to_vec()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: &[u64]) -> Vec<Bin> {
        let mut histogram = Histogram::default();
        for micros in micros {
            histogram.record(Duration::from_micros(*micros));
        }
        bins(&histogram)
    }

    #[track_caller]
    fn check(micros: &[u64], bins: usize, expect: &str) {
        let found = of(micros);
        let counts: u64 = found.iter().map(|bin| bin.count).sum();
        assert_eq!(counts, u64::try_from(micros.len()).unwrap());
        assert_eq!(found.len(), bins, "{found:?}");
        let (first, last) = (found[0], found[found.len() - 1]);
        assert_eq!(format!("{:?} {:?}", first.from, last.to), expect);
        assert!(found[0].count > 0 && found[found.len() - 1].count > 0, "{found:?}");
        assert!(found.windows(2).all(|two| two[0].to == two[1].from));
    }

    #[test]
    fn bins_are_few_and_have_round_bounds() {
        check(&[155], 1, "150µs 160µs");
        check(&[150, 152, 210], 4, "150µs 220µs");
        check(&[35, 90, 401], 15, "35µs 500µs");
        check(&[35, 90, 4_000], 13, "30µs 5ms");
        check(&[35, 90, 400_000], 13, "20µs 500ms");
        check(&[1, 60_000_000], 16, "1µs 100s");
        check(&[0, 4_000_000_000], 14, "0ns 10000s");
    }

    #[test]
    fn nothing_has_no_bins() {
        assert!(of(&[]).is_empty());
    }
}
