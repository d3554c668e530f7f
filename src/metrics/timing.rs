//! Histograms of durations, without a lock, and what measures them.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};

use super::grid::Row;

/// How often something took how long. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Timing {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The upper bounds in microseconds, ascending; the last bucket has none.
    bounds: &'static [u64],
    counts: Box<[AtomicU64]>,
    nanoseconds: AtomicU64,
}

impl Timing {
    /// Nothing was measured yet. Bounds are in microseconds.
    pub fn new(bounds: &'static [u64]) -> Timing {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Timing { shared: Arc::new(Shared { bounds, counts, nanoseconds: AtomicU64::new(0) }) }
    }

    /// Takes one in.
    pub fn observe(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = self.shared.bounds.partition_point(|bound| bound.saturating_mul(1_000) < nanoseconds);
        self.shared.counts[bucket].fetch_add(1, Relaxed);
        self.shared.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    /// How many were taken in.
    pub fn count(&self) -> u64 {
        self.shared.counts.iter().map(|count| count.load(Relaxed)).sum()
    }
}

impl EncodeMetric for Timing {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let bounds = self.shared.bounds.iter().map(|bound| *bound as f64 / 1e6).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(self.shared.counts.iter().map(|count| count.load(Relaxed))).collect();
        let sum = self.shared.nanoseconds.load(Relaxed) as f64 / 1e9;
        // Summed of what is shown, so that the two agree while others go on counting.
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Timings in rows, shown as those of a [`super::Grid`] are.
#[derive(Debug, Clone)]
pub(super) struct Timings {
    rows: Arc<[(Row, Timing)]>,
}

impl Timings {
    /// Nothing was measured yet.
    pub(super) fn new(rows: Vec<Row>, bounds: &'static [u64]) -> Timings {
        Timings { rows: rows.into_iter().map(|row| (row, Timing::new(bounds))).collect() }
    }

    /// Takes one in.
    pub(super) fn observe(&self, row: usize, duration: Duration) {
        self.rows[row].1.observe(duration);
    }
}

impl EncodeMetric for Timings {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (index, (row, timing)) in self.rows.iter().enumerate() {
            if index == 0 || timing.count() > 0 {
                timing.encode(encoder.encode_family(row)?)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Measures how long something takes.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// From now on.
    pub fn start() -> Stopwatch {
        #[expect(clippy::disallowed_methods, reason = "what is measured is shown, and decides nothing")]
        Stopwatch(Instant::now())
    }

    /// Until now.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::text, registry::Registry};

    use super::*;

    #[test]
    fn a_duration_counts_for_the_first_bound_that_it_does_not_exceed() {
        let timing = Timing::new(&[1_000, 1_000_000]);
        for micros in [0, 1_000, 1_001, 1_000_000, 1_000_001] {
            timing.observe(Duration::from_micros(micros));
        }
        let mut registry = Registry::default();
        registry.register("took", "Took", timing);
        let mut shown = String::new();
        text::encode(&mut shown, &registry).unwrap();
        let lines: Vec<&str> = shown.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                "took_sum 2.002002",
                "took_count 5",
                r#"took_bucket{le="0.001"} 2"#,
                r#"took_bucket{le="1.0"} 4"#,
                r#"took_bucket{le="+Inf"} 5"#
            ]
        );
    }
}
