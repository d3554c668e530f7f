//! How long expectations took to come true with real agents, beside how long they take in virtual time.

use std::{fmt::Write as _, time::Duration};

use tidings::sim::{
    runner::{self, Outcome},
    scenario::Scenario,
};

use super::world::World;

/// So many runs in virtual time, of which the median is shown.
const SEEDS: u64 = 15;
/// What differs by more than such a share from virtual time is marked.
const LIMIT: f64 = 0.25;

/// In each world: the line of an expectation that came true within a time, and how long that took.
pub(crate) type Waits = Vec<(World, Vec<(usize, Duration)>)>;

/// A line for each expectation that came true within a time, in all of these worlds or some.
pub(crate) fn table(scenario: &Scenario, waits: &Waits) -> String {
    let runs: Vec<Outcome> = (1..=SEEDS).map(|seed| runner::play(scenario, seed, false)).collect();
    let mut text = String::from("\n  | line | expectation | virtual: median (least to most) |");
    waits.iter().for_each(|(world, _)| text += &format!(" {world} |"));
    text += &format!("\n  |---|---|---|{}\n", "---|".repeat(waits.len()));
    for step in &scenario.steps {
        let mut times: Vec<Duration> =
            runs.iter().flat_map(|run| &run.waits).filter(|(line, _)| *line == step.line).map(|(_, time)| *time).collect();
        times.sort();
        let (Some(least), Some(most)) = (times.first(), times.last()) else { continue };
        let median = times[times.len() / 2];
        let ms = Duration::as_millis;
        let _ = write!(text, "  | {} | `{}` | {} ms ({} to {}) |", step.line, step.text, ms(&median), ms(least), ms(most));
        for (_, waits) in waits {
            let here = waits.iter().find(|(line, _)| *line == step.line).map(|(_, time)| said(*time, median));
            let _ = write!(text, " {} |", here.as_deref().unwrap_or("-"));
        }
        text.push('\n');
    }
    text + &format!("\n  `!`: differs from the median of virtual time by more than {:.0} %\n", LIMIT * 100.0)
}

/// A time, as so much of what is usual in virtual time.
fn said(here: Duration, median: Duration) -> String {
    let ms = here.as_millis();
    if median.is_zero() {
        return format!("{ms} ms");
    }
    let ratio = here.as_secs_f64() / median.as_secs_f64();
    let mark = if (ratio - 1.0).abs() > LIMIT { " !" } else { "" };
    format!("{ms} ms ({ratio:.2}{mark})")
}
