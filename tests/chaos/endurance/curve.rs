//! A figure of many agents over time.

use std::{collections::BTreeMap, time::Duration};

/// What several showed at about the same time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

/// Spreads, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    spreads: Vec<(Duration, Spread)>,
    pace: Duration,
}

impl Curve {
    /// Of values at moments, those of so long together.
    pub(crate) fn of(values: impl Iterator<Item = (Duration, f64)>, pace: Duration) -> Curve {
        let mut bins: BTreeMap<u128, Vec<f64>> = BTreeMap::new();
        values.for_each(|(at, value)| bins.entry(at.as_millis() / pace.as_millis()).or_default().push(value));
        let spread = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            Some(Spread { least: *values.first()?, median: median(&values)?, most: *values.last()? })
        };
        Curve {
            spreads: bins.into_iter().filter_map(|(bin, values)| Some((pace * bin as u32 + pace / 2, spread(values)?))).collect(),
            pace,
        }
    }

    /// What hangs together: where nothing was shown for a while one ends.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &[(Duration, Spread)]> {
        self.spreads.chunk_by(|(one, _), (next, _)| *next - *one <= self.pace * 4)
    }

    pub(crate) fn greatest(&self) -> f64 {
        self.spreads.iter().map(|(_, spread)| spread.most).fold(0.0, f64::max)
    }
}

/// The one in the middle, or between the two that are.
pub(crate) fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len() % 2 == 1 { upper } else { (sorted[middle - 1] + upper) / 2.0 })
}
