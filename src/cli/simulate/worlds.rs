//! `tidings simulate --seeds`: random worlds, one for each seed.

use std::{fmt, str::FromStr, time::Duration};

use super::super::{
    Exit, Failure,
    output::{self, BAD, FAINT, GOOD},
};
use crate::sim::swarm::{self, Options, Outcome};

/// From one seed to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seeds {
    first: u64,
    last: u64,
}

impl FromStr for Seeds {
    type Err = String;
    fn from_str(text: &str) -> Result<Seeds, String> {
        let number = |text: &str| text.parse::<u64>().ok();
        let seeds = text.split_once("..").and_then(|(first, last)| Some(Seeds { first: number(first)?, last: number(last)? }));
        seeds
            .filter(|seeds| seeds.first <= seeds.last)
            .ok_or_else(|| "it takes A..B, such as 1..500: two whole numbers, the lower one first".into())
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.last)
    }
}

/// Lets a world of each seed happen, and tells of each before it begins: what ends the process is found again.
pub(super) fn run(seeds: Seeds, trace: bool) -> Result<Exit, Failure> {
    let (mut broken, mut lasted, mut slowest) = (0_u64, Duration::ZERO, Duration::ZERO);
    for seed in seeds.first..=seeds.last {
        let options = Options::draw(seed);
        output::show(&format!("{options}\n"))?;
        let outcome = swarm::run(&options, trace);
        broken += u64::from(!outcome.violations.is_empty());
        lasted += outcome.lasted;
        slowest = slowest.max(outcome.rest_after.unwrap_or_default());
        output::show(&report(seed, &outcome))?;
    }
    let worlds = seeds.last - seeds.first + 1;
    let style = if broken == 0 { GOOD } else { BAD };
    output::show(&format!(
        "{style}{} of {worlds} worlds kept every promise{style:#}, in {:.1} hours of virtual time; the slowest came to rest {slowest:?} after its last fault\n",
        worlds - broken,
        lasted.as_secs_f64() / 3_600.0
    ))?;
    Ok(if broken == 0 { Exit::Done } else { Exit::No })
}

fn report(seed: u64, outcome: &Outcome) -> String {
    let mut text: String = outcome.story.iter().map(|line| format!("  {FAINT}{line}{FAINT:#}\n")).collect();
    if let Some(violation) = outcome.violations.first() {
        text.push_str(&format!("  {BAD}broken{BAD:#}: {violation}\n  to see it again: tidings simulate --seeds {seed}..{seed} --trace\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_two_numbers_in_order() {
        assert_eq!("3..5".parse(), Ok(Seeds { first: 3, last: 5 }));
        assert_eq!("7..7".parse::<Seeds>().map(|seeds| seeds.to_string()), Ok("7..7".into()));
        for wrong in ["5..3", "5", "a..b", "1..=3", "..", "-1..3"] {
            assert!(wrong.parse::<Seeds>().is_err_and(|error| error.contains("A..B")), "{wrong}");
        }
    }
}
