//! Measures clusters of real agents on loopback addresses, with Serf beside them where it is installed.
//!
//! ```sh
//! cargo bench --bench cluster -- --n 20,50,100 --trials 10
//! cargo bench --bench cluster -- --n 100 --encrypted
//! ```
//!
//! Each trial forms a cluster afresh, makes a few changes in it, has a further agent join, kills one, and has the host of another fall
//! silent, as if its power or its cable were gone. The systems take turns, trial by trial, and never run at once: on a machine with few
//! cores only their ratio means something. Nothing else should use the loopback device meanwhile, or what is counted at rest is wrong; a
//! network namespace sees to that (as root, and with everything built before, as there is no network in it). Hosts fall silent only there,
//! and with `nft`:
//!
//! ```sh
//! unshare --net sh -c 'ip link set lo up && exec cargo --offline bench --bench cluster'
//! ```
//!
//! How precise the times are: see `watch.rs`.
#![expect(clippy::print_stdout, reason = "the report is what this program is for")]

#[path = "cluster/agents.rs"]
mod agents;
#[path = "cluster/process.rs"]
mod process;
#[path = "cluster/report.rs"]
mod report;
#[path = "cluster/rest.rs"]
mod rest;
#[path = "cluster/serf.rs"]
mod serf;
#[path = "cluster/silence.rs"]
mod silence;
#[path = "cluster/system.rs"]
mod system;
#[path = "cluster/tidings.rs"]
mod tidings;
#[path = "cluster/trial.rs"]
mod trial;
#[path = "cluster/watch.rs"]
mod watch;

#[path = "shared/run.rs"]
mod run;

use std::{fs, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};

use report::{Measured, Report};
use serf::Serf;
use system::System;
use tidings::{Encrypted, Tidings};
use trial::Plan;

/// Measures clusters of real agents on loopback addresses, with Serf beside them where it is installed
#[derive(Debug, Parser)]
struct Arguments {
    /// Sizes of clusters
    #[arg(long, value_delimiter = ',', default_values_t = [20, 50, 100], value_parser = clap::value_parser!(u16).range(3..=1000))]
    n: Vec<u16>,
    /// Clusters of each size
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    trials: u32,
    /// Changes in each cluster
    #[arg(long, default_value_t = 6)]
    changes: u32,
    /// For how many seconds a cluster at rest is measured; 0 leaves it out
    #[arg(long, default_value_t = 20)]
    rest: u64,
    /// Tidings with encryption, too, in a column of its own
    #[arg(long)]
    encrypted: bool,
    /// Only one of the systems
    #[arg(long)]
    only: Option<Only>,
    /// Where all samples go, as JSON; - for standard output, in place of the table
    #[arg(long)]
    json: Option<String>,
    /// Given by `cargo bench`, and not by `cargo test`, which has no use for this
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    Tidings,
    Serf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run::measure("cluster", arguments.bench, measured(&arguments))
}

async fn measured(arguments: &Arguments) -> Result<(), String> {
    let tidings = version::<Tidings>(arguments.only != Some(Only::Serf));
    let serf = version::<Serf>(arguments.only != Some(Only::Tidings));
    if serf.is_none() && arguments.only != Some(Only::Tidings) {
        eprintln!("Serf is not measured: there is no program serf (Debian has it in the package serf)");
    }
    let obstacle = silence::obstacle();
    if let Some(obstacle) = &obstacle {
        eprintln!("no host falls silent: {obstacle}");
    }
    let mut report = Report::new([&tidings, &serf].into_iter().flatten());
    for &n in &arguments.n {
        let n = usize::from(n);
        let load = run::load();
        let mut of_tidings = tidings.is_some().then(|| Measured::new(Tidings::NAME, n, &load));
        let mut of_encrypted = (arguments.encrypted && tidings.is_some()).then(|| Measured::new(Encrypted::NAME, n, &load));
        let mut of_serf = serf.is_some().then(|| Measured::new(Serf::NAME, n, &load));
        for trial in 0..arguments.trials {
            // The first cluster of a size is looked at when at rest, too.
            let rest = Duration::from_secs(if trial == 0 { arguments.rest } else { 0 });
            let plan = Plan { n, trial, changes: arguments.changes, rest, silence: obstacle.is_none() };
            if let Some(measured) = &mut of_tidings {
                trial::run::<Tidings>(plan, measured).await?;
            }
            if let Some(measured) = &mut of_encrypted {
                trial::run::<Encrypted>(plan, measured).await?;
            }
            if let Some(measured) = &mut of_serf {
                trial::run::<Serf>(plan, measured).await?;
            }
        }
        let block = report.add([of_tidings, of_encrypted, of_serf].into_iter().flatten().collect());
        if arguments.json.as_deref() != Some("-") {
            println!("{block}");
        }
    }
    match arguments.json.as_deref() {
        None => Ok(()),
        Some("-") => {
            println!("{:#}", report.json());
            Ok(())
        }
        Some(file) => fs::write(file, format!("{:#}\n", report.json())).map_err(|error| format!("can't write {file}: {error}")),
    }
}

/// The version of a system that is wanted, if it is installed.
fn version<S: System>(wanted: bool) -> Option<String> {
    wanted.then(S::version).flatten()
}
