//! Metrics of the store.

use std::time::Duration;

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::{Grid, Timing, counter, grid, timing};

/// From 0.1 ms (a fast disk with a cache that survives) to 1 s (one that fails).
const APPENDS: &[u64] = &[100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 250_000, 1_000_000];

/// Metrics of the store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    appends: Grid,
    duration: Timing,
    writes: Counter,
    journal: Gauge,
    compactions: Counter,
}

impl StoreMetrics {
    pub(super) fn new(registry: &mut Registry) -> StoreMetrics {
        let journal = Gauge::default();
        let metrics = StoreMetrics {
            appends: grid(
                registry,
                "store_appends",
                "Batches that were appended to the journal, each with one write and one fsync",
                Grid::line("result", &["done", "failed"]),
            ),
            duration: timing(
                registry,
                "store_append_duration",
                "How long it took to append a batch to the journal until it was durable",
                APPENDS,
            ),
            writes: counter(registry, "store_writes", "Writes that shared those batches"),
            journal: journal.clone(),
            compactions: counter(registry, "store_compactions", "Times that the journal was replaced by one with its live content only"),
        };
        registry.register_with_unit("store_journal", "The size of the journal", Unit::Bytes, journal);
        metrics
    }

    /// A batch of so many writes was appended, or not.
    pub fn appended(&self, writes: usize, done: bool, duration: Duration) {
        self.appends.count(0, usize::from(!done));
        self.duration.observe(duration);
        self.writes.inc_by(writes as u64);
    }

    /// How large the journal is, and how often it was compacted.
    pub fn journal(&self, octets: u64, compactions: u64) {
        self.journal.set(i64::try_from(octets).unwrap_or(i64::MAX));
        self.compactions.inner().store(compactions, std::sync::atomic::Ordering::Relaxed);
    }
}
