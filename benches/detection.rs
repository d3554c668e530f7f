//! Measures in the simulator how soon it is found out who is gone, and who is taken for gone without being it.
//!
//! ```sh
//! cargo bench --bench detection -- --n 100,1000 --seeds 3
//! cargo bench --bench detection -- --hours 100 --loss 20
//! ```
//!
//! Time is virtual, so the figures do not depend on the machine, and a seed gives the same ones each time: what they leave out is what real
//! processors and networks add. Links take 0.5 to 1.5 ms.
#![expect(clippy::print_stdout, reason = "the report is what this program is for")]

#[path = "detection/cluster.rs"]
mod cluster;
#[path = "detection/faults.rs"]
mod faults;
#[path = "detection/hours.rs"]
mod hours;
#[path = "detection/report.rs"]
mod report;

use std::{process::ExitCode, time::Duration};

use clap::Parser;

use cluster::Cluster;
use faults::Scenario;
use report::{Found, Line};

const HOUR: Duration = Duration::from_secs(3_600);

/// Measures in the simulator how soon it is found out who is gone, and who is taken for gone without being it
#[derive(Debug, Parser)]
struct Arguments {
    /// Sizes of clusters
    #[arg(long, value_delimiter = ',', default_values_t = [100], value_parser = clap::value_parser!(u16).range(2..=10_000))]
    n: Vec<u16>,
    /// Worlds of each kind
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Deaths in each world of deaths
    #[arg(long, default_value_t = 20)]
    deaths: u32,
    /// Seconds for which nobody dies in each world in which nobody is to die
    #[arg(long, default_value_t = 300)]
    calm: u64,
    /// Percentages of packets that are lost, each way
    #[arg(long, value_delimiter = ',', default_values_t = [0, 20])]
    loss: Vec<u8>,
    /// Only what has this in its name
    #[arg(long, default_value = "")]
    only: String,
    /// Say what was sent of each kind of messages
    #[arg(long)]
    kinds: bool,
    /// Instead of the table: so many worlds in each of which nobody dies for an hour, nor must be taken for down
    #[arg(long)]
    hours: Option<u64>,
    /// The first of their seeds
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Given by `cargo bench`, and not by `cargo test`, which has no use for this
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.bench {
        eprintln!("nothing is measured without --bench: use cargo bench --bench detection");
        return ExitCode::SUCCESS;
    }
    let mut victims = 0;
    for &n in &arguments.n {
        for &loss in &arguments.loss {
            if let Some(worlds) = arguments.hours {
                let seeds = (arguments.from..).filter(|seed| hours::disturbance(*seed).to_string().contains(&arguments.only));
                let seeds = seeds.take(worlds as usize);
                victims += hours::run(usize::from(n), f64::from(loss) / 100.0, seeds, HOUR, &mut |line| println!("{line}"));
                continue;
            }
            println!("{}", Line::head(n, loss));
            for scenario in Scenario::ALL.iter().filter(|scenario| scenario.name().contains(&arguments.only)) {
                println!("{}", measure(&arguments, *scenario, usize::from(n), f64::from(loss) / 100.0));
            }
        }
    }
    if victims == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One scenario in so many worlds.
fn measure(arguments: &Arguments, scenario: Scenario, n: usize, loss: f64) -> Line {
    let mut found = Found::default();
    for seed in 0..arguments.seeds {
        let mut cluster = Cluster::settled(n, seed, loss);
        match scenario {
            Scenario::Deaths(kind) => (0..arguments.deaths).for_each(|time| found.known.extend(cluster.death(kind, time))),
            Scenario::Mass(kind, share) => found.known.extend(cluster.mass_death(kind, share)),
            Scenario::Calm(disturbance) => cluster.disturb(disturbance, Duration::from_secs(arguments.calm)),
        }
        found.add(&cluster);
    }
    Line::new(scenario.name(), found, arguments.kinds)
}
