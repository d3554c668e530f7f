//! When there were faults, when all came right again, and when there was peace: from the steps of a drawn scenario and when they were done.

use std::{collections::BTreeMap, time::Duration};

use tidings::sim::{
    runner::Outcome,
    scenario::{Action, Scenario, Term, What},
};

/// From one moment to another, since the beginning of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

/// What a step is about, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    Hosts,
    Network,
    Work,
}

/// How a run went on.
#[derive(Debug, Default)]
pub(crate) struct Phases {
    /// From the first fault of a burst to its last end.
    pub(crate) bursts: Vec<Span>,
    /// From then on until all was right.
    pub(crate) recoveries: Vec<Span>,
    pub(crate) peaces: Vec<Span>,
    /// What was done, and when.
    pub(crate) deeds: Vec<(Duration, About, &'static str)>,
}

impl Phases {
    /// As far as the run came.
    pub(crate) fn of(scenario: &Scenario, outcome: &Outcome) -> Phases {
        let mut phases = Phases::default();
        let mut entries = outcome.entries.iter().filter(|entry| entry.is_step);
        let ended = outcome.ended.since_start();
        // Of the burst that goes on: its first and its last deed, and when all was right after it.
        let (mut burst, mut right): (Option<Span>, Option<Duration>) = (None, None);
        for step in &scenario.steps {
            let Some(entry) = entries.find(|entry| entry.text.starts_with(&step.text)) else { break };
            let at = entry.at.since_start();
            match &step.what {
                What::Do(action) => {
                    phases.deeds.push((at, about(action), step.key));
                    // Keys are changed when all is right, too.
                    if right.is_none() || !matches!(action, Action::Keys(..)) {
                        (burst, right) = (Some(Span { from: burst.map_or(at, |burst| burst.from), to: at }), None);
                    }
                }
                What::Expect(_, Term::Within(_)) => right = Some(at),
                What::Expect(_, Term::Throughout(time)) => {
                    if let (Some(Span { from, to }), Some(right)) = (burst.take(), right.take()) {
                        phases.bursts.push(Span { from, to });
                        phases.recoveries.push(Span { from: to, to: right });
                        phases.peaces.push(Span { from: at, to: (at + *time).min(ended) });
                    }
                }
            }
        }
        // What the run ended in the midst of.
        phases.bursts.extend(burst.map(|burst| Span { from: burst.from, to: ended }));
        phases
    }

    /// How often each thing was done.
    pub(crate) fn counts(&self) -> BTreeMap<(About, &'static str), usize> {
        let mut counts = BTreeMap::new();
        self.deeds.iter().for_each(|(_, about, key)| *counts.entry((*about, *key)).or_default() += 1);
        counts
    }
}

fn about(action: &Action) -> About {
    match action {
        Action::Write(..) | Action::Health { .. } | Action::Keys(..) => About::Work,
        Action::Partition(_) | Action::Cut(_) | Action::Heal | Action::Network(_) | Action::Link(_) => About::Network,
        _ => About::Hosts,
    }
}
