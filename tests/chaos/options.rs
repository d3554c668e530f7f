//! What the command line asks for.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use tidings::sim::scenario::{Scenario, quantity};

use super::{feasible, report::Report};
use crate::netns;

/// Scenarios that are played where nothing is said: they end soon.
const FEW: [&str; 2] = ["form", "address_reused"];

/// Play scenarios with real agents in network namespaces
#[derive(Debug, Parser)]
#[command(name = "chaos")]
pub(crate) struct Options {
    /// Scenarios (TOML) [default: a few that end soon]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// All of simulations/
    #[arg(long, conflicts_with = "files")]
    all: bool,
    /// Scenarios that take longer are left out
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = quantity::duration)]
    longest: Duration,
    /// So many nodes, in a scenario that gives a count
    #[arg(long, value_name = "N")]
    nodes: Option<usize>,
    /// So many scenarios at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=16))]
    pub(crate) at_once: usize,
    /// Print for each expectation how long it took here, and in virtual time
    #[arg(long)]
    pub(crate) beside: bool,
}

/// Plays what the command line asks for.
pub(crate) async fn run() -> ExitCode {
    let options = Options::parse();
    let mut report = Report::default();
    if let Some(obstacle) = netns::obstacle() {
        println!("skipped: all scenarios, which need network namespaces: {obstacle}");
        return report.conclude(true);
    }
    let files = match options.files() {
        Ok(files) => files,
        Err(error) => return flawed(&[error]),
    };
    let mut scenarios = Vec::new();
    let mut flaws = Vec::new();
    for file in files {
        match Scenario::load(&file, options.nodes) {
            Ok(scenario) => match feasible::obstacle(&scenario, options.longest) {
                None => scenarios.push((file, scenario)),
                Some(why) => report.skip(&file, &why),
            },
            Err(found) => flaws.extend(found),
        }
    }
    if !flaws.is_empty() {
        return flawed(&flaws);
    }
    report.play(scenarios, &options).await;
    report.conclude(false)
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
