//! A figure of many agents over time.

use std::{collections::BTreeMap, time::Duration};

use super::figures::Sample;

/// Rounds from one value to the next that hang together.
const GAP: u32 = 3;

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
    /// What hangs together: where nothing was shown for a while one ends.
    pub(crate) runs: Vec<Vec<(Duration, Spread)>>,
}

impl Curve {
    /// Of values that samples have, those of a round together.
    pub(crate) fn of<'a>(values: impl Iterator<Item = (&'a Sample, f64)>) -> Curve {
        let mut rounds: BTreeMap<u32, (Duration, Vec<f64>)> = BTreeMap::new();
        values.for_each(|(sample, value)| rounds.entry(sample.round).or_insert((sample.at, Vec::new())).1.push(value));
        let spread = |(at, mut values): (Duration, Vec<f64>)| {
            values.sort_by(f64::total_cmp);
            Some((at, Spread { least: *values.first()?, median: median(&values)?, most: *values.last()? }))
        };
        let all: Vec<(u32, (Duration, Spread))> = rounds.into_iter().filter_map(|(round, it)| Some((round, spread(it)?))).collect();
        let runs = all.chunk_by(|(one, _), (next, _)| *next - *one <= GAP);
        Curve { runs: runs.map(|run| run.iter().map(|(_, spread)| *spread).collect()).collect() }
    }

    pub(crate) fn greatest(&self) -> f64 {
        self.runs.iter().flatten().map(|(_, spread)| spread.most).fold(0.0, f64::max)
    }
}

/// The one in the middle, or between the two that are.
pub(crate) fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len() % 2 == 1 { upper } else { (sorted[middle - 1] + upper) / 2.0 })
}
