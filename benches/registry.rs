//! Measures the registry of real agents on loopback addresses: writes, reads, clients that wait, checks, and memory.
//!
//! ```sh
//! cargo bench --bench registry -- --only writes,reads
//! ```
//!
//! Where there is something to compare with, it is measured in the same run and in turn: on a machine that has other work to do,
//! only the ratio means something. The last part starts as many agents as `--n` says; like the bench of clusters, it is best run
//! in a network namespace (as root, and with everything built before):
//!
//! ```sh
//! unshare --net sh -c 'ip link set lo up && exec cargo --offline bench --bench registry'
//! ```
#![expect(clippy::print_stdout, reason = "the report is what this program is for")]

#[path = "registry/agent.rs"]
mod agent;
#[path = "registry/checks.rs"]
mod checks;
#[path = "registry/cluster.rs"]
mod cluster;
#[path = "registry/http.rs"]
mod http;
#[path = "registry/reads.rs"]
mod reads;
#[path = "registry/report.rs"]
mod report;
#[path = "registry/waiting.rs"]
mod waiting;
#[path = "registry/writes.rs"]
mod writes;

// Of the bench of clusters.
#[path = "cluster/agents.rs"]
#[allow(dead_code, reason = "only some of it is needed here")]
mod agents;
#[path = "cluster/process.rs"]
mod process;
#[path = "cluster/system.rs"]
#[allow(dead_code, reason = "only some of it is needed here")]
mod system;
#[path = "cluster/tidings.rs"]
#[allow(dead_code, reason = "only some of it is needed here")]
mod tidings;
#[path = "cluster/watch.rs"]
#[allow(dead_code, reason = "only some of it is needed here")]
mod watch;

#[path = "shared/run.rs"]
mod run;

use std::{fs, process::ExitCode};

use clap::{Parser, ValueEnum};
use serde_json::json;

use report::Section;

/// Measures the registry of real agents on loopback addresses
#[derive(Debug, Parser)]
struct Arguments {
    /// Only some of the parts
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// Agents in the part `cluster`
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(2..=1000))]
    n: u16,
    /// Where all figures go, as JSON
    #[arg(long)]
    json: Option<String>,
    /// Given by `cargo bench`, and not by `cargo test`, which has no use for this
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Writes,
    Reads,
    Waiting,
    Checks,
    Cluster,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run::measure("registry", arguments.bench, measured(&arguments))
}

async fn measured(arguments: &Arguments) -> Result<(), String> {
    let mut sections: Vec<(String, Section)> = Vec::new();
    for &part in Part::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(&part) {
            continue;
        }
        let load = run::load();
        let section = match part {
            Part::Writes => writes::run().await?,
            Part::Reads => reads::run().await?,
            Part::Waiting => waiting::run().await?,
            Part::Checks => checks::run().await?,
            Part::Cluster => cluster::run(usize::from(arguments.n)).await?,
        };
        println!("load before {load}\n{}", section.table());
        sections.push((load, section));
    }
    let Some(file) = &arguments.json else { return Ok(()) };
    let sections: Vec<_> = sections.iter().map(|(load, section)| json!({"load_before": load, "measured": section.json()})).collect();
    fs::write(file, format!("{:#}\n", json!(sections))).map_err(|error| format!("can't write {file}: {error}"))
}
