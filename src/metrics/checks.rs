//! Metrics of checks.

use std::time::Duration;

use prometheus_client::registry::{Registry, Unit};

use super::{Grid, Timing, grid, timing, timing::Timings};
use crate::model::Status;

/// From 1 ms to 10 s: a check that is well takes milliseconds, and a time-out is 5 s unless said.
const RUNS: &[u64] = &[1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 10_000_000];
const DELAYS: &[u64] = &[1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000];

/// The kinds of check. The order is that of the label's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the names that users know")]
pub enum CheckKind {
    Http,
    Tcp,
    Ttl,
}

const KINDS: [&str; 3] = ["http", "tcp", "ttl"];

/// Metrics of checks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CheckMetrics {
    results: Grid,
    duration: Timings,
    delay: Timing,
}

impl CheckMetrics {
    pub(super) fn new(registry: &mut Registry) -> CheckMetrics {
        let statuses = [Status::Passing, Status::Warning, Status::Critical].map(Status::as_str);
        let duration = Timings::new(KINDS.iter().map(|kind| vec![("kind", *kind)]).collect(), RUNS);
        registry.register_with_unit("check_run_duration", "How long runs of checks took", Unit::Seconds, duration.clone());
        CheckMetrics {
            results: grid(
                registry,
                "check_results",
                "Results of checks, before rise and fall: of runs, of heartbeats, and of heartbeats that did not come",
                Grid::new("kind", &KINDS, "status", &statuses),
            ),
            duration,
            delay: timing(registry, "check_run_delay", "How long after they were due runs of checks began", DELAYS),
        }
    }

    /// A check had this result.
    pub fn result(&self, kind: CheckKind, status: Status) {
        self.results.count(kind as usize, status as usize);
    }

    /// A run took so long.
    pub fn ran(&self, kind: CheckKind, duration: Duration) {
        self.duration.observe(kind as usize, duration);
    }

    /// A run began so long after it was due.
    pub fn began(&self, late: Duration) {
        self.delay.observe(late);
    }

    /// Metrics that nobody reads.
    #[cfg(test)]
    pub(crate) fn unread() -> CheckMetrics {
        CheckMetrics::new(&mut Registry::default())
    }
}
