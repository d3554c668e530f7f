//! Metrics of checks.

use std::time::Duration;

use prometheus_client::registry::{Registry, Unit};

use super::{Grid, Timing, grid, timing, timing::Timings};
use crate::model::Status;

/// From 1 ms to 10 s: a check that is well takes milliseconds, and a time-out is 5 s unless said.
const RUNS: &[u64] = &[1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 10_000_000];
const DELAYS: &[u64] = &[1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000];

/// Metrics of checks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CheckMetrics {
    results: Grid,
    duration: Timings,
    delay: Timing,
}

impl CheckMetrics {
    pub(super) fn new(registry: &mut Registry, kinds: &[&'static str]) -> CheckMetrics {
        let statuses = [Status::Passing, Status::Warning, Status::Critical].map(Status::as_str);
        let duration = Timings::new(kinds.iter().map(|kind| vec![("kind", *kind)]).collect(), RUNS);
        registry.register_with_unit("check_run_duration", "How long runs of checks took", Unit::Seconds, duration.clone());
        CheckMetrics {
            results: grid(
                registry,
                "check_results",
                "Results of checks, before rise and fall: of runs, of heartbeats, and of heartbeats that did not come",
                Grid::new("kind", kinds, "status", &statuses),
            ),
            duration,
            delay: timing(registry, "check_run_delay", "How long after they were due runs of checks began", DELAYS),
        }
    }

    /// A check of the kind at this place of [`Labels::kinds`](super::Labels::kinds) had this result.
    pub fn result(&self, kind: usize, status: Status) {
        self.results.count(kind, status as usize);
    }

    /// A run of a check of the kind at this place took so long.
    pub fn ran(&self, kind: usize, duration: Duration) {
        self.duration.observe(kind, duration);
    }

    /// A run began so long after it was due.
    pub fn began(&self, late: Duration) {
        self.delay.observe(late);
    }

    /// Metrics that nobody reads.
    #[cfg(test)]
    pub(crate) fn unread(kinds: &[&'static str]) -> CheckMetrics {
        CheckMetrics::new(&mut Registry::default(), kinds)
    }
}
