//! What the command line asks for.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    time::Duration,
};

use clap::Parser;
use tidings::sim::scenario::{Scenario, quantity};

use super::{endurance, feasible, report::Report, world::World};

/// Scenarios that are played where nothing is said: they end soon.
const FEW: [&str; 2] = ["form", "address_reused"];

/// Play scenarios with real agents
#[derive(Debug, Parser)]
#[command(name = "chaos")]
pub(crate) struct Options {
    /// Scenarios (TOML) [default: a few that end soon]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What hosts are made of; several play each scenario one after the other
    #[arg(long = "world", value_name = "WORLD", value_delimiter = ',', default_value = "namespaces")]
    pub(crate) worlds: Vec<World>,
    /// All of simulations/
    #[arg(long, conflicts_with = "files")]
    all: bool,
    /// Random faults for so long, every promise watched, and what agents take judged and drawn
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["files", "all", "at_once", "beside"], value_parser = quantity::duration)]
    endurance: Option<Duration>,
    /// What the random faults follow from
    #[arg(long, value_name = "N", default_value_t = 1, requires = "endurance")]
    seed: u64,
    /// Scenarios that take longer are left out
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = quantity::duration)]
    longest: Duration,
    /// So many nodes, in a scenario that gives a count [default of --endurance: 20]
    #[arg(long, value_name = "N")]
    nodes: Option<usize>,
    /// So many scenarios at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=16))]
    pub(crate) at_once: usize,
    /// Print for each expectation how long it took in each world, and in virtual time
    #[arg(long)]
    pub(crate) beside: bool,
}

/// Plays what the command line asks for.
pub(crate) async fn run() -> ExitCode {
    let options = Options::parse();
    if let Some(lasts) = options.endurance {
        return endurance::run(lasts, options.nodes.unwrap_or(endurance::NODES), options.seed).await;
    }
    let files = match options.files() {
        Ok(files) => files,
        Err(error) => return flawed(&[error]),
    };
    let mut scenarios = Vec::new();
    let mut flaws = Vec::new();
    for file in files {
        match Scenario::load(&file, options.nodes) {
            Ok(scenario) => scenarios.push((file, Rc::new(scenario))),
            Err(found) => flaws.extend(found),
        }
    }
    if !flaws.is_empty() {
        return flawed(&flaws);
    }
    let mut report = Report::default();
    let mut nothing_can_be_played = true;
    for world in &options.worlds {
        if let Some(why) = world.obstacle().await {
            println!("skipped: all scenarios in {world}: {why}");
            continue;
        }
        nothing_can_be_played = false;
        let mut feasible = Vec::new();
        for (file, scenario) in &scenarios {
            match feasible::obstacle(scenario, *world, options.longest) {
                None => feasible.push((file.clone(), Rc::clone(scenario))),
                Some(why) => report.skip(file, *world, &why),
            }
        }
        if feasible.is_empty() {
            continue;
        }
        let ground = match world.open().await {
            Ok(ground) => Rc::new(ground),
            Err(why) => {
                report.fail(&format!("all scenarios in {world}: {why}"));
                continue;
            }
        };
        report.play(feasible, *world, &ground, &options).await;
    }
    report.conclude(nothing_can_be_played)
}

fn flawed(flaws: &[String]) -> ExitCode {
    println!("{}", flaws.join("\n"));
    ExitCode::from(2)
}

impl Options {
    fn files(&self) -> Result<Vec<PathBuf>, String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations");
        if !self.files.is_empty() {
            return Ok(self.files.clone());
        }
        if !self.all {
            return Ok(FEW.iter().map(|name| folder.join(name).with_extension("toml")).collect());
        }
        let listed = folder.read_dir().map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut files: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
        Ok(files)
    }
}
