//! Measures what an answer over DNS costs the agent, beside NSD and Knot with the same names, by dnsperf.
//!
//! ```sh
//! cargo bench --bench dns -- --seconds 5
//! ```
//!
//! The server has the first processor to itself, dnsperf and all else the second one. dnsperf is the bottleneck, so what counts is queries per second of
//! the server's processor time. NSD and Knot are measured where they are installed (`apt-get install dnsperf nsd knot`); they run in the foreground, on
//! addresses and in a folder of their own. It is best run in a network namespace (as root, and with everything built before):
//!
//! ```sh
//! unshare --net sh -c 'ip link set lo up && exec cargo --offline bench --bench dns'
//! ```
#![expect(clippy::print_stdout, reason = "the report is what this program is for")]

#[path = "dns/catalog.rs"]
mod catalog;
#[path = "dns/load.rs"]
mod load;
#[path = "dns/server.rs"]
mod server;
#[path = "dns/table.rs"]
mod table;

// Of the benches of clusters and of the registry.
#[path = "registry/http.rs"]
#[allow(dead_code, reason = "only some of it is needed here")]
mod http;
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

use catalog::Size;
use load::{Kind, Load};
use server::Server;
use table::Table;

/// Measures what an answer over DNS costs, beside NSD and Knot
#[derive(Debug, Parser)]
struct Arguments {
    /// How long each is asked as fast as it answers
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Services in the large catalog, three instances each
    #[arg(long, default_value_t = 10_000)]
    services: usize,
    /// Only the catalog with one service
    #[arg(long)]
    small: bool,
    /// Given by `cargo bench`, and not by `cargo test`, which has no use for this
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run::measure("dns", arguments.bench, measured(&arguments))
}

async fn measured(arguments: &Arguments) -> Result<(), String> {
    server::keep_to_second_processor()?;
    println!("load before {}", run::load());
    one_size(arguments, Size { services: 1 }).await?;
    if !arguments.small {
        one_size(arguments, Size { services: arguments.services }).await?;
    }
    Ok(())
}

/// All servers with a catalog of one size, each kind of query in turn.
async fn one_size(arguments: &Arguments, size: Size) -> Result<(), String> {
    let folder = tempfile::Builder::new().prefix("tidings-bench-").tempdir().map_err(|error| error.to_string())?;
    let before = server::start_agents(folder.path(), Size { services: 0 }).await?;
    let empty = before.memory();
    drop(before);
    let mut servers = vec![server::start_agents(folder.path(), size).await?];
    servers.extend(Server::start_nsd(folder.path(), size)?);
    servers.extend(Server::start_knot(folder.path(), size)?);
    for server in &servers {
        server.answers(size).await?;
    }
    let (services, instances) = (size.services, size.instances());
    println!(
        "\n{services} services, {instances} instances; an agent takes {:.1} MB, {:.1} without",
        servers[0].memory() / 1e6,
        empty / 1e6
    );

    let mut table = Table::new(servers.iter().map(|server| server.name.to_string()).collect());
    let window = Duration::from_secs(arguments.seconds);
    for kind in Kind::ALL {
        for changes in [false, true] {
            // Files don't change; but the agents' work takes time from dnsperf, and who is asked less takes less with each call of the system.
            let changing = if changes { Some(servers[0].changes(100)?) } else { None };
            for _ in 0..arguments.rounds {
                for (index, server) in servers.iter().enumerate() {
                    let done = Load { kind, size }.as_fast_as_it_answers(server, folder.path(), window).await?;
                    table.add(index, kind, changes, done);
                }
            }
            drop(changing);
        }
    }
    print!("{}", table.queries_per_second_of_processor());
    // While DNS takes all that its thread can get.
    let asking = servers[0].asked_over_http();
    Load { kind: Kind::Mixed, size }.as_fast_as_it_answers(&servers[0], folder.path(), window).await?;
    let mut times = asking.end();
    times.sort_unstable();
    let quantile = |share: f64| times.get((times.len() as f64 * share) as usize).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    println!("HTTP meanwhile, {} requests: p50 {:.1} ms, p99 {:.1} ms", times.len(), quantile(0.5), quantile(0.99));
    println!("found down by other agents in all of this: {}", servers[0].found_down().await?);
    // A tenth of what the slowest of them does, the same for all.
    let rate = table.slowest() / 10.0;
    for (index, server) in servers.iter().enumerate() {
        let latencies = Load { kind: Kind::Mixed, size }.at_rate(server, folder.path(), window, rate).await?;
        table.latency(index, latencies);
    }
    print!("{}", table.latencies(rate));
    Ok(())
}
