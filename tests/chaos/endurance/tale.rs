//! What is told of a run when it is over.

use std::{fmt::Write as _, time::Duration};

use tidings::sim::{
    runner::{Clock, Outcome},
    scenario::Scenario,
};

use super::{
    flat::Verdict,
    phases::{About, Phases},
};

/// A text for people.
pub(super) fn tell(scenario: &Scenario, outcome: &Outcome, phases: &Phases, verdicts: &[Verdict]) -> String {
    let mut text = format!("{}: {} steps, over after {}\n", scenario.title, scenario.steps.len(), Clock(outcome.ended));
    let counts = phases.counts();
    for (about, name) in [(About::Hosts, "hosts"), (About::Network, "network"), (About::Work, "work")] {
        let these: Vec<String> =
            counts.iter().filter(|((of, _), _)| *of == about).map(|((_, key), count)| format!("{key} {count}")).collect();
        let _ = writeln!(text, "{name}: {}", these.join(", "));
    }
    let mut waits: Vec<Duration> = phases.recoveries.iter().map(|span| span.to - span.from).collect();
    waits.sort();
    if let (Some(median), Some(most)) = (waits.get(waits.len() / 2), waits.last()) {
        let (bursts, median, most) = (waits.len(), median.as_secs_f64(), most.as_secs_f64());
        let _ = writeln!(text, "until all was right after a burst: median {median:.1} s, most {most:.1} s ({bursts} bursts)");
    }
    let _ = match &outcome.failure {
        None => writeln!(text, "promises broken: none"),
        Some(failure) => writeln!(text, "it ended with: {}", failure.what),
    };
    for verdict in verdicts {
        let _ = writeln!(text, "{verdict}");
    }
    text
}
