//! Plays scenarios of `simulations/` with real agents, each on a host of its own: a network namespace on a bridge.
//!
//! `cargo test --test chaos` plays a few that end soon, `-- FILE...` these files, and `-- --all` all that can be played here.
//! `TIDINGS_BIN=/path/to/tidings` plays them with another build of the program. `docs/simulations.md` says what is played, and how.

#![expect(clippy::print_stdout, reason = "it reports on standard output")]

mod chaos {
    pub(crate) mod addresses;
    pub(crate) mod agent;
    pub(crate) mod api;
    pub(crate) mod beside;
    pub(crate) mod board;
    pub(crate) mod docker;
    pub(crate) mod endurance;
    pub(crate) mod expect;
    pub(crate) mod faults;
    pub(crate) mod feasible;
    pub(crate) mod follow;
    pub(crate) mod heartbeats;
    pub(crate) mod names;
    pub(crate) mod namespaces;
    pub(crate) mod nft;
    pub(crate) mod options;
    pub(crate) mod passage;
    pub(crate) mod player;
    pub(crate) mod promises;
    pub(crate) mod report;
    pub(crate) mod site;
    pub(crate) mod view;
    pub(crate) mod world;
    pub(crate) mod writes;
}

#[path = "netns/netns.rs"]
#[allow(dead_code, reason = "not all that hosts and networks can do is needed here")]
mod netns;
#[path = "netns/wires/wires.rs"]
mod wires;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let local = tokio::task::LocalSet::new();
    // Ctrl-C drops all that runs, and with it hosts, networks and agents.
    tokio::select! {
        code = local.run_until(chaos::options::run()) => code,
        _ = tokio::signal::ctrl_c() => ExitCode::FAILURE,
    }
}
