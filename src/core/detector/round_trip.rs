//! How long an answer may take, from how long answers took.

use std::time::Duration;

/// No time-out is shorter: a busy peer on a fast network is not lost.
const LEAST: Duration = Duration::from_millis(50);
/// No time-out is longer, before local health stretches it.
const MOST: Duration = Duration::from_millis(500);

/// The smoothed round-trip time and its variation (RFC 6298, 2), over all peers: within one network they are alike, and a time-out
/// of [`LEAST`] is far above either.
#[derive(Debug, Default)]
pub(super) struct RoundTrip {
    /// Smoothed, and its variation; none before the first answer.
    measured: Option<(Duration, Duration)>,
}

impl RoundTrip {
    /// An answer came so long after the only question that it can belong to (Karn's rule, RFC 6298, 3).
    pub(super) fn sample(&mut self, took: Duration) {
        self.measured = Some(match self.measured {
            None => (took, took / 2),
            Some((smoothed, variation)) => ((smoothed * 7 + took) / 8, (variation * 3 + smoothed.abs_diff(took)) / 4),
        });
    }

    /// How long to wait for an answer.
    pub(super) fn time_out(&self) -> Duration {
        let (smoothed, variation) = self.measured.unwrap_or_default();
        (smoothed + 4 * variation).clamp(LEAST, MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_time_out_follows_slow_answers_between_its_bounds() {
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.time_out(), LEAST);
        round_trip.sample(100 * MS);
        assert_eq!(round_trip.time_out(), 300 * MS, "the first answer says little about the next");
        (0..100).for_each(|_| round_trip.sample(100 * MS));
        assert_eq!(round_trip.time_out().as_millis(), 100);
        (0..100).for_each(|_| round_trip.sample(MS));
        assert_eq!(round_trip.time_out(), LEAST);
        round_trip.sample(60_000 * MS);
        assert_eq!(round_trip.time_out(), MOST);
    }
}
