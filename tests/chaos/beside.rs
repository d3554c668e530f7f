//! How long expectations took to come true here, beside how long they take in virtual time.

use std::{fmt::Write as _, time::Duration};

use tidings::sim::{
    runner::{self, Outcome},
    scenario::Scenario,
};

/// So many runs in virtual time, of which the median is shown.
const SEEDS: u64 = 15;

/// A line for each expectation that came true within a time.
pub(crate) fn table(scenario: &Scenario, outcome: &Outcome) -> String {
    let runs: Vec<Outcome> = (1..=SEEDS).map(|seed| runner::play(scenario, seed, false)).collect();
    let mut text = String::from("\n  | line | expectation | virtual: median (least to most) | here | ratio |\n  |---|---|---|---|---|\n");
    for (line, here) in &outcome.waits {
        let mut times: Vec<Duration> = runs.iter().flat_map(|run| &run.waits).filter(|(of, _)| of == line).map(|(_, time)| *time).collect();
        times.sort();
        let said = scenario.steps.iter().find(|step| step.line == *line).map_or("", |step| step.text.as_str());
        let (Some(least), Some(most)) = (times.first(), times.last()) else { continue };
        let median = times[times.len() / 2];
        let ratio = if median.is_zero() { "-".to_owned() } else { format!("{:.2}", here.as_secs_f64() / median.as_secs_f64()) };
        let ms = Duration::as_millis;
        let _ = writeln!(text, "  | {line} | `{said}` | {} ms ({} to {}) | {} ms | {ratio} |", ms(&median), ms(least), ms(most), ms(here));
    }
    text
}
