//! Scenarios that are drawn at random: bursts of faults and of work, after each of which all must come right, and then peace.
//!
//! What is drawn is the text of a file, so that it can be read, and played by whoever plays files. It knows no more of the agents than a
//! file says; what they must show is what was registered, and is well.

mod burst;
mod ends;
mod faults;
mod peace;
mod script;
mod stage;
mod work;

use std::{ops::RangeInclusive, time::Duration};

use ends::End;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tidings::sim::scenario::{STEPS, quantity};

use script::Script;
use stage::Stage;

/// The fewest nodes among which everything can happen.
pub(crate) const FEWEST: usize = 8;
/// How long a burst, what comes right after it and the peace that follows take together, where there is time enough.
const CYCLE: Duration = Duration::from_secs(120);
/// So many of them at least, one of each kind, and at most: a scenario has only so many steps.
const CYCLES: RangeInclusive<u32> = 3..=30;
/// What of it is spent until all is right after a burst, about.
const WAITS: Duration = Duration::from_secs(15);
/// The share of the rest that is the burst, in hundredths.
const BURST: u32 = 60;
/// Steps of a cycle that are no part of its burst: ends of faults, expectations, peace.
const AROUND: usize = 16;
/// Before the first burst.
const BEFORE: usize = 12;

/// Draws a scenario that lasts about so long; a minute at least. The same seed and number of nodes give the same text.
pub(crate) fn draw(seed: u64, nodes: usize, lasts: Duration) -> String {
    let mut rng = StdRng::seed_from_u64(seed);
    let cycles = ((lasts.as_secs_f64() / CYCLE.as_secs_f64()).round() as u32).clamp(*CYCLES.start(), *CYCLES.end());
    let (burst, peace) = shares((lasts / cycles).saturating_sub(WAITS));
    let steps = (STEPS - BEFORE) / cycles as usize - AROUND;
    let encrypted = rng.random_bool(0.5);
    let mut story = Story { stage: Stage::new(nodes, encrypted, &mut rng), script: Script::new(), ends: Vec::new(), rng };
    story.begin();
    for number in 0..cycles {
        let theme = burst::Theme::of(number, &mut story.rng);
        story.burst(theme, burst, steps);
        story.recover();
        story.peace(peace);
    }
    let title = format!("An endurance of {} with {nodes} nodes, seed {seed}", quantity::said(lasts));
    format!("{}{}", story.stage.heading(&title), story.script.text())
}

fn shares(rest: Duration) -> (Duration, Duration) {
    // Whole milliseconds are read better.
    let burst = Duration::from_millis(rest.as_millis() as u64 * u64::from(BURST) / 100);
    (burst, Duration::from_millis(rest.as_millis() as u64) - burst)
}

/// What has been written so far, and how things stand then.
struct Story {
    stage: Stage,
    script: Script,
    /// What ends what was begun, and when.
    ends: Vec<End>,
    rng: StdRng,
}

impl Story {
    fn now(&self) -> Duration {
        self.script.now()
    }

    /// Any time from one to another, in milliseconds.
    fn time(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(least..=most))
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.rng.random_range(0..all.len())].clone())
    }

    /// So many of them, or all where they are fewer.
    fn some_of<T: Clone>(&mut self, all: &[T], count: usize) -> Vec<T> {
        let mut rest = all.to_vec();
        (0..count.min(all.len())).map(|_| rest.swap_remove(self.rng.random_range(0..rest.len()))).collect()
    }
}
