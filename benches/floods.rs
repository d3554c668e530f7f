//! Measures what a cluster of real agents does while one of them is flooded: garbage by datagram, streams that say nothing, slow clients, writes without end.
//!
//! ```sh
//! unshare --net sh -c 'ip link set lo up && exec cargo --offline bench --bench floods'
//! ```
//!
//! Each flood goes against the first of three agents on loopback addresses. Meanwhile it is asked by DNS and HTTP, a newcomer joins by it, and the others are listened to: whom
//! do they hold for down? All of this runs on the same machine, so the flood takes processor time from the agents: the rate that was reached is told, too. To be run as root in
//! a network namespace, with everything built before.
#![expect(clippy::print_stdout, reason = "the report is what this program is for")]

#[path = "floods/datagrams.rs"]
mod datagrams;
#[path = "floods/flood.rs"]
mod flood;
#[path = "floods/measure.rs"]
mod measure;
#[path = "floods/report.rs"]
mod report;
#[path = "floods/sealed.rs"]
mod sealed;
#[path = "floods/streams.rs"]
mod streams;

// Of the benches of clusters and of the registry.
#[path = "cluster/agents.rs"]
#[allow(dead_code, reason = "only some of it is needed here")]
mod agents;
#[path = "registry/http.rs"]
#[allow(dead_code, reason = "only some of it is needed here")]
mod http;
#[path = "cluster/process.rs"]
#[allow(dead_code, reason = "only some of it is needed here")]
mod process;
#[path = "cluster/system.rs"]
#[allow(dead_code, reason = "only some of it is needed here")]
mod system;
#[path = "cluster/tidings.rs"]
#[allow(dead_code, reason = "only some of it is needed here")]
mod tidings;

#[path = "shared/run.rs"]
mod run;

use std::{process::ExitCode, time::Duration};

use clap::Parser;

use agents::Agents;
use flood::Flood;
use sealed::Sealed;
use system::System;
use tidings::Tidings;

/// Measures what a cluster of real agents does while one of them is flooded
#[derive(Debug, Parser)]
struct Arguments {
    /// Only floods with this in their names
    #[arg(long)]
    only: Option<String>,
    /// Seconds that each lasts
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Given by `cargo bench`, and not by `cargo test`, which has no use for this
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run::measure("floods", arguments.bench, measured(&arguments))
}

async fn measured(arguments: &Arguments) -> Result<(), String> {
    raise_descriptor_limit()?;
    println!("load before {}", run::load());
    println!("{}", report::head());
    floods::<Tidings>(arguments, &Flood::ALL).await?;
    floods::<Sealed>(arguments, &Flood::SEALED).await
}

async fn floods<S: System>(arguments: &Arguments, floods: &[Flood]) -> Result<(), String> {
    let chosen = |flood: &&Flood| arguments.only.as_ref().is_none_or(|only| flood.name().contains(only.as_str()));
    let floods: Vec<&Flood> = floods.iter().filter(chosen).collect();
    if floods.is_empty() {
        return Ok(());
    }
    let mut agents = Agents::<S>::new()?;
    for _ in 0..3 {
        agents.start()?;
    }
    measure::until_all_know_all(&mut agents).await?;
    for flood in floods {
        let figures = measure::measure(&mut agents, *flood, Duration::from_secs(arguments.seconds)).await?;
        println!("{}", report::line(flood.name(), &figures));
    }
    Ok(())
}

/// Of this program, which opens more than a shell lets it. The agents inherit it, as they raise their own to the same.
fn raise_descriptor_limit() -> Result<(), String> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .map_err(|error| format!("can't raise the limit on open files: {error}"))
}
