//! `tidings simulate`: scenarios in virtual time.

mod growth;
mod plot;
mod worlds;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, builder::RangedU64ValueParser};

use super::{
    Exit, Failure,
    output::{self, BAD, FAINT, GOOD, HEADING},
};
use crate::sim::{
    runner::{self, Clock, Outcome},
    scenario::{Scenario, nodes::NODES},
};

pub(super) const AFTER_HELP: &str = "\
Examples:
  tidings simulate simulations/*.toml                       Play all scenarios
  tidings simulate simulations/partition.toml --trace       Tell what agents do and find out, too
  tidings simulate simulations/form.toml --nodes 200        The same with more nodes
  tidings simulate simulations/partition.toml --seed 7      The same under other luck
  tidings simulate --seeds 1..500                           500 random worlds, in which every promise is watched
  tidings simulate --growth 10,100,1000 --plot growth.svg   How long things take, and what is sent, in clusters of these sizes

The same files, seed and number of nodes give the same run, on every machine. How scenarios are written: docs/simulations.md

Exit codes:
  0 all that was expected held, 1 something did not, 2 wrong usage, or a flaw in a file";

/// `tidings simulate`
#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// Scenarios (TOML)
    #[arg(required_unless_present_any = ["seeds", "growth"], value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What all that is drawn at random follows from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Random worlds instead, one for each seed from A to B: it draws how many hosts there are, and what happens to them
    #[arg(long, value_name = "A..B", conflicts_with_all = ["files", "seed", "nodes"])]
    seeds: Option<worlds::Seeds>,
    /// Clusters of these sizes instead, in which the same things happen: how long each takes, and what is sent
    #[arg(long, value_name = "N,N,...", conflicts_with_all = ["files", "seeds", "nodes", "trace"], value_delimiter = ',',
          value_parser = RangedU64ValueParser::<usize>::new().range(growth::FEWEST..=NODES as u64))]
    growth: Vec<usize>,
    /// Draw what --growth finds, as SVG
    #[arg(long, value_name = "FILE", requires = "growth", conflicts_with_all = ["files", "seeds"])]
    plot: Option<PathBuf>,
    /// So many nodes, in a scenario that gives a count
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=NODES as u64))]
    nodes: Option<usize>,
    /// Tell what happens to agents, and what they tell their operators
    #[arg(long)]
    trace: bool,
}

/// Plays scenarios, one after the other, once all of them are sound.
pub(super) fn run(args: &Simulate) -> Result<Exit, Failure> {
    if let Some(seeds) = args.seeds {
        return worlds::run(seeds, args.trace);
    }
    if !args.growth.is_empty() {
        return growth::run(&args.growth, args.seed, args.plot.as_deref());
    }
    let (mut scenarios, mut flaws) = (Vec::new(), Vec::new());
    for file in &args.files {
        match Scenario::load(file, args.nodes) {
            Ok(scenario) => scenarios.push((file, scenario)),
            Err(found) => flaws.extend(found),
        }
    }
    if !flaws.is_empty() {
        return Err(Failure::usage(flaws.join("\n")));
    }
    let mut failed = 0;
    for (file, scenario) in &scenarios {
        output::show(&heading(file, scenario, args))?;
        let outcome = runner::play(scenario, args.seed, args.trace);
        failed += usize::from(outcome.failure.is_some());
        output::show(&report(file, &outcome, args))?;
    }
    if scenarios.len() > 1 {
        output::show(&format!("\n{} scenarios: {} passed, {failed} failed\n", scenarios.len(), scenarios.len() - failed))?;
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::No })
}

fn heading(file: &Path, scenario: &Scenario, args: &Simulate) -> String {
    let count = scenario.nodes.len();
    let nodes = if count == 1 { "node" } else { "nodes" };
    format!("{HEADING}{}{HEADING:#}: {} ({count} {nodes}, seed {})\n", file.display(), scenario.title, args.seed)
}

fn report(file: &Path, outcome: &Outcome, args: &Simulate) -> String {
    let mut text = String::new();
    for entry in &outcome.entries {
        let style = if entry.is_step { anstyle::Style::new() } else { FAINT };
        let _ = writeln!(text, "  {style}{entry}{style:#}");
    }
    let lasted = Clock(outcome.ended);
    match &outcome.failure {
        None => drop(writeln!(text, "  {GOOD}passed{GOOD:#} after {lasted} of virtual time")),
        Some(failure) => {
            let failure = failure.to_string().replace('\n', "\n  ");
            let _ = writeln!(text, "  {BAD}{failure}{BAD:#}\n  {BAD}failed{BAD:#} after {lasted} of virtual time; to see it again:");
            let _ = writeln!(text, "    {}", again(file, args));
        }
    }
    text
}

/// The command that gives the same run, told in full.
fn again(file: &Path, args: &Simulate) -> String {
    let nodes = args.nodes.map(|nodes| format!(" --nodes {nodes}")).unwrap_or_default();
    format!("tidings simulate {} --seed {}{nodes} --trace", file.display(), args.seed)
}
